"""A table of the report as plain text for the terminal."""

import io

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from .table import Table

WIDTH = 200


def terminal_table(table: Table) -> str:
    """The table in columns, cells written as text and never as console markup."""
    drawn = RichTable(box=None, pad_edge=False, show_edge=False)
    for place, head in enumerate(table.head):
        words = place < table.text_columns
        drawn.add_column(Text(head), justify="left" if words else "right", no_wrap=not words)
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    stream = io.StringIO()
    Console(file=stream, width=WIDTH, color_system=None, force_terminal=False).print(drawn)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
