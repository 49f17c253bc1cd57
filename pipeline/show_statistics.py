"""`infact statistics`: what ingestion counted, as tables or as JSON."""

import json
from typing import Any

from ..errors import UserError
from .chosen_graph import ChosenGraph
from .console import Console
from .report.terminal_table import terminal_table
from .statistics_tables import titled_tables

FILE = "statistics.json"


def show_statistics(chosen: ChosenGraph, console: Console) -> None:
    """Print the statistics of the graph.

    Raises:
        UserError: an older infact made the graph, and counted less.
    """
    path = chosen.graph.directory / FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if "by_relation" not in found:
        problem = "an older infact made this graph, and counted less"
        fix = "ingest its sources again, into a new folder"
        raise UserError(problem, str(path), fix)
    console.result(found)
    if console.json_wanted:
        return
    for title, table in titled_tables(found, chosen.prefixes):
        console.line(f"{title}\n{terminal_table(table)}\n")
    if skipped := found["suspicions"]["pairs_not_compared"]:
        console.line(f"{skipped:,} pairs of entities have too many relations to be compared")
