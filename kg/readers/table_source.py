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

from ...errors import UserError
from ..prefixes import Prefixes
from ..statements import Rejected, Statement
from .bounded_lines import SHOWN, BoundedLines, OverlongLineError
from .sources import Advance, Source, open_source, source_format
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
        if header is None:
            raise UserError("the table has no header line", source.name, "name its columns")
        if isinstance(header, Rejected):
            where = f"{source.name}:{header.line}"
            raise UserError("the table's header can't be read", where, header.reason)
        columns = header[1]
        rules = [RowRule.build(template, columns, prefixes, source) for template in source.triples]
        yield from gather(rows, columns, rules)
    for rule in rules:
        yield from rule.statements()


def read_rows(text: TextIO, source: Source) -> Iterator[tuple[int, Row] | Rejected]:
    """The rows with the line where each begins; comment lines above the header are left out."""
    lines = BoundedLines(text)
    beginning = ""
    try:
        while beginning := next(lines, ""):
            if not (source.comment and beginning.startswith(source.comment)):
                break
    except OverlongLineError as error:
        yield Rejected(error.number, 0, str(error), error.beginning)
        return
    before = max(lines.number - 1, 0)
    given = GivenLines(itertools.chain([beginning] if beginning else [], lines))
    reader = csv_reader(given, source)
    while True:
        try:
            for row in reader:
                if row:
                    yield before + 1, row
                given.lines.clear()
                before = lines.number
            return
        except (csv.Error, OverlongLineError) as error:
            yield unreadable(before + 1, error, given.lines)
            # A quotation mark that isn't closed takes the lines below into its cell.
            yield from rows_of_lines(given.lines[1:], before + 2, source)
            given.lines.clear()
            before = lines.number


def csv_reader(lines: Iterable[str], source: Source) -> Iterator[list[str]]:
    """Rows of lines, by the source's format."""
    if source_format(source) == "tsv":
        return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return csv.reader(lines, strict=True)


def rows_of_lines(
    lines: Sequence[str], first: int, source: Source
) -> Iterator[tuple[int, Row] | Rejected]:
    """Each line as a row of its own; the first has the number `first`."""
    for number, line in enumerate(lines, first):
        try:
            yield from ((number, row) for row in csv_reader([line], source) if row)
        except csv.Error as error:
            yield unreadable(number, error, [line])


def unreadable(number: int, error: csv.Error | OverlongLineError, lines: Sequence[str]) -> Rejected:
    """A row that begins on this line and can't be taken apart."""
    beginning = error.beginning if isinstance(error, OverlongLineError) else "".join(lines[:1])
    return Rejected(number, 0, f"the row can't be read: {error}", beginning.rstrip()[:SHOWN])


class GivenLines:
    """Lines, kept in `lines` as they are handed out. Unlike a generator it goes on after an error."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self.lines: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.lines.append(line)
        return line


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
