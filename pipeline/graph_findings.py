"""How many findings a graph has, in words, and whether that is too bad."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from ..errors import UserError
from ..kg.checks.findings import FINDINGS, LEVELS, check_graph, counts
from .console import Console

NEVER = "never"


def finding_counts(folder: Path) -> dict[str, int]:
    """Level → findings of a graph directory; it is checked now where `ingest` didn't yet."""
    if (folder / FINDINGS).exists():
        # A quarter second faster than pq.read_table, which imports pandas.
        return counts(pq.ParquetFile(folder / FINDINGS).read(columns=["level"]))
    return counts(check_graph(folder))


def say_findings(folder: Path, command: str, console: Console) -> None:
    """One line: how many of each level, and the command that shows them."""
    found = finding_counts(folder)
    if any(found.values()):
        console.line(f"findings: {in_words(found)}; see: {command}")


def check_level(fail_on: str) -> None:
    """Raises UserError where it is none of error, warn, info and never."""
    levels = [*(level.lower() for level in LEVELS), NEVER]
    if fail_on not in levels:
        problem = f"the level {fail_on!r} isn't known"
        raise UserError(problem, "--fail-on", f"take one of {', '.join(levels)}")


def passes(found: Mapping[str, int], fail_on: str) -> bool:
    """Whether nothing is at this level or a worse one."""
    if fail_on == NEVER:
        return True
    failing = LEVELS[: LEVELS.index(fail_on.upper()) + 1]
    return not any(found[level] for level in failing)


def in_words(found: Mapping[str, int]) -> str:
    """Counts by level.

    >>> in_words({"ERROR": 1, "WARN": 12, "INFO": 0})
    '1 error, 12 warnings, 0 infos'
    """
    names = zip(LEVELS, ("error", "warning", "info"), strict=True)
    return ", ".join(
        f"{found[level]:,} {name}{'' if found[level] == 1 else 's'}" for level, name in names
    )


def graph_passes(folder: Path, fail_on: str) -> bool:
    """As `passes` of a graph directory's findings, which are read only where they matter."""
    return fail_on == NEVER or passes(finding_counts(folder), fail_on)
