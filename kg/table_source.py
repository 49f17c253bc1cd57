"""Statements from CSV and TSV files by declared templates, one statement a row and template.

CSV is RFC 4180 (quoted cells may hold delimiters and line breaks). TSV is the IANA registration
(text/tab-separated-values): no quoting, a quotation mark is a character like any other.
Rows that say the same are told once with a count, so a wide table of few facts costs little.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from ..errors import UserError
from .prefixes import Prefixes
from .sources import Advance, Source, open_source, source_format
from .statements import Rejected, Statement
from .table_rules import Outcome, Row, RowRule, cell_getter

MAX_CELL = 1 << 24  # characters
ALIKE_KEPT = 200_000  # kinds of rows remembered at once; some 60 MB


def table_statements(
    source: Source, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
    """Statements of one table, each with the line of the first row that makes it.

    Rows with too few or too many cells, empty cells under a template and texts that are no IRI are
    rejected one by one, with line and reason.

    Raises:
        UserError: no header, a column that isn't there, a template that can't be filled.
    """
    if not source.triples:
        raise UserError(
            "a table needs templates that say what its rows mean",
            source.name,
            "add [[source.triples]] with subject, predicate and object or literal",
        )
    csv.field_size_limit(MAX_CELL)
    with io.TextIOWrapper(open_source(source, advance), "utf-8-sig", newline="") as text:
        rows = read_rows(text, source)
        header = next(rows, None)
        if header is None or isinstance(header, Rejected):
            raise UserError("the table has no header line", source.name, "name its columns")
        columns = header[1]
        rules = [RowRule.build(template, columns, prefixes, source) for template in source.triples]
        yield from gather(rows, columns, rules)
    for rule in rules:
        yield from rule.statements()


def read_rows(text: TextIO, source: Source) -> Iterator[tuple[int, Row] | Rejected]:
    """The rows with the line where each begins; comment lines above the header are left out."""
    skipped = 0
    lines: Iterator[str] = iter(text)
    for line in lines:
        if not (source.comment and line.startswith(source.comment)):
            lines = itertools.chain([line], lines)
            break
        skipped += 1
    if source_format(source) == "tsv":
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, strict=True)
    before = 0
    while True:
        try:
            for row in reader:
                if row:
                    yield skipped + before + 1, row
                before = reader.line_num
            return
        except csv.Error as error:
            yield Rejected(skipped + before + 1, 0, f"the row can't be read: {error}", "")
            before = reader.line_num


def gather(
    rows: Iterable[tuple[int, Row] | Rejected], columns: Sequence[str], rules: Sequence[RowRule]
) -> Iterator[Rejected]:
    """Count what rows say; the rules hold it afterwards. Rows that can't be used are handed back.

    Rows that are alike in every column that a rule reads are worked out once.
    """
    read = dict.fromkeys(name for rule in rules for name in rule.columns)
    cells_of = cell_getter(list(read), columns)
    known: dict[tuple[str, ...], AlikeRows] = {}
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        line, cells = row
        if len(cells) != len(columns):
            reason = f"{len(cells)} cells where the header has {len(columns)}"
            yield Rejected(line, 0, reason, shown(cells))
            continue
        key = cells_of(cells)
        alike = known.get(key)
        if alike is None:
            if len(known) >= ALIKE_KEPT:
                settle(known)
            alike = known[key] = AlikeRows.of(line, cells, rules)
        alike.times += 1
        for reason in alike.refused:
            yield Rejected(line, 0, reason, shown(cells))
    settle(known)


@dataclass(slots=True)
class AlikeRows:
    """Rows alike in all columns that matter: what they say, why they can't, how many they are."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[str, ...]
    times: int = 0

    @staticmethod
    def of(line: int, row: Row, rules: Sequence[RowRule]) -> "AlikeRows":
        """Apply every rule to the first of such rows."""
        outcomes = [outcome for rule in rules if (outcome := rule.outcome(line, row))]
        refused = tuple(each.made for each in outcomes if isinstance(each.made, str))
        return AlikeRows(tuple(outcomes), refused)


def settle(known: dict[tuple[str, ...], AlikeRows]) -> None:
    """Book the counts of alike rows on what they say, and forget the rows."""
    for alike in known.values():
        for outcome in alike.outcomes:
            outcome.times += alike.times
    known.clear()


def shown(cells: Row) -> str:
    """The beginning of a row, for a report."""
    return "\t".join(cells)[:200]
