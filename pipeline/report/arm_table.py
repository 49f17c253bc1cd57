"""The table of arms for the terminal: accuracy with interval, perplexity ratio, latency."""

import io
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..words import milliseconds, ratio, shorten
from .table import ABSENT

Json = dict[str, Any]
LONGEST_NAME = 24


def arm_table(report: Json) -> str:
    """Plain text, one arm a line: per pool `accuracy low–high` in whole per cent.

    Labels are written as text, never as console markup.
    """
    pools = report["pools"]
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("% right (95 % interval)", no_wrap=True)
    for pool in pools:
        table.add_column(Text(f"{pool['pool']} {pool['name']}"), justify="right", no_wrap=True)
    table.add_column("perplexity", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for arm in report["arms"]:
        cells = [_accuracy(arm["pools"].get(pool["pool"])) for pool in pools]
        perplexity, cost = arm["perplexity"], arm["cost"] or {}
        cells.append(f"× {ratio(perplexity['ratio'])}" if perplexity else ABSENT)
        latency = cost.get("milliseconds_per_question")
        cells.append(ABSENT if latency is None else milliseconds(latency))
        table.add_row(Text(shorten(arm["name"], LONGEST_NAME)), *cells)
    stream = io.StringIO()
    Console(file=stream, width=160, color_system=None, force_terminal=False).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, f"{report['seed_words']}; {_sizes(report)}"])


def _sizes(report: Json) -> str:
    return ", ".join(f"{pool['pool']} {pool['questions']} questions" for pool in report["pools"])


def _accuracy(found: Json | None) -> str:
    if found is None:
        return ABSENT
    whole = [f"{found[key] * 100:.0f}" for key in ("accuracy", "low", "high")]
    return f"{whole[0]:>3} {f'{whole[1]}–{whole[2]}':>6}"
