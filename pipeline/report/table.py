"""What a table of the report is, and how its cells are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..words import bare_percent, span

Json = dict[str, Any]
ABSENT = "–"


@dataclass(frozen=True)
class Table:
    """A head and rows of equal length; the first `text_columns` hold words, the others numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


def estimate(found: Json | None, name: str = "accuracy") -> str:
    """A share in per cent with its interval: `83.3 (78.1 to 87.0)`."""
    if not found:
        return ABSENT
    return f"{bare_percent(found[name])} ({span(found['low'], found['high'])})"


def word(value: Any, write: Callable[[Any], str]) -> str:
    """The value as `write` writes it, or a dash where there is none."""
    return ABSENT if value is None else write(value)
