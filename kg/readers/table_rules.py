"""Templates of a table, made ready to be filled from rows: conditions, cells, IRIs, literals."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from pyoxigraph import Literal

from ...errors import UserError
from .. import vocabulary as v
from ..prefixes import ExpansionError, Prefixes
from ..statements import LiteralTerm, Statement
from .sources import Source, TripleTemplate

COLUMN = re.compile(r"\{([^{}]+)\}")
Row = Sequence[str]
Made = tuple[str, str, str | LiteralTerm]  # subject, predicate, object


@dataclass
class RowRule:
    """A template made ready: which rows are meant, which cells it reads, what they gave so far."""

    columns: tuple[str, ...]  # all that it reads
    meant: Callable[[Row], bool]
    cells: Callable[[Row], tuple[str, ...]]
    make: Callable[[tuple[str, ...]], Made | str]
    outcomes: dict[tuple[str, ...], "Outcome"] = field(default_factory=dict)

    @staticmethod
    def build(
        template: TripleTemplate, columns: Sequence[str], prefixes: Prefixes, source: Source
    ) -> "RowRule":
        """Raises UserError when the template can't be filled from these columns."""
        texts = (template.subject, template.predicate, template.object, template.literal)
        names = list(dict.fromkeys(name for text in texts for name in COLUMN.findall(text)))
        read = (*names, *template.where, *template.where_not)
        for name in read:
            if name not in columns:
                raise missing_column(name, columns, source)
        if not names:
            raise UserError("a template reads no column", source.name, "write {column} into it")
        condition = RowCondition(template, columns)
        maker = StatementMaker(template, names, prefixes, source)
        return RowRule(read, condition, cell_getter(names, columns), maker)

    def outcome(self, line: int, row: Row) -> "Outcome | None":
        """What a row gives under this rule; None where it isn't meant."""
        if not self.meant(row):
            return None
        cells = self.cells(row)
        outcome = self.outcomes.get(cells)
        if outcome is None:
            outcome = self.outcomes[cells] = Outcome(line, self.make(cells))
        return outcome

    def statements(self) -> Iterator[Statement]:
        """What the rows said, in the order in which they said it first."""
        for outcome in self.outcomes.values():
            if isinstance(outcome.made, tuple):
                yield Statement(*outcome.made, outcome.line, outcome.times)


@dataclass(slots=True)
class Outcome:
    """What one combination of cells gave: a statement or a reason for rejection."""

    line: int
    made: Made | str
    times: int = 0


class StatementMaker:
    """Fills one template from cells; IRIs are expanded and checked."""

    def __init__(
        self, template: TripleTemplate, names: list[str], prefixes: Prefixes, source: Source
    ) -> None:
        if bool(template.object) == bool(template.literal):
            raise UserError(
                "a template needs exactly one of object and literal",
                source.name,
                'an IRI is object = "…", a text is literal = "…"',
            )
        self._names = names
        self._prefixes = prefixes
        texts = (template.subject, template.predicate, template.object or template.literal)
        self._fill = [filler(text, names) for text in texts]
        self._is_literal = bool(template.literal)
        self._language = template.language.lower()
        try:
            self._datatype = prefixes.expand(template.datatype or v.XSD_STRING)
            if self._language:
                Literal("", language=self._language)
                self._datatype = v.RDF_LANG_STRING
        except ValueError as error:
            raise UserError(str(error), source.name, "mend the template") from error

    def __call__(self, cells: tuple[str, ...]) -> Made | str:
        """A statement, or the reason why there is none."""
        stripped = [cell.strip() for cell in cells]
        if not all(stripped):
            return f"the column {self._names[stripped.index('')]!r} is empty"
        subject, predicate, item = (fill(stripped) for fill in self._fill)
        expand = self._prefixes.expand
        try:
            if self._is_literal:
                literal = LiteralTerm(item, self._datatype, self._language)
                return expand(subject), expand(predicate), literal
            return expand(subject), expand(predicate), expand(item)
        except ExpansionError as error:
            return str(error)


def filler(template: str, names: list[str]) -> Callable[[Sequence[str]], str]:
    """A function that puts cells, given in the order of `names`, into the template."""
    texts = COLUMN.split(template)  # text, column, text, column, …, text
    places = [names.index(column) for column in texts[1::2]]
    if len(places) == 1 and not texts[0] and not texts[2]:
        return itemgetter(places[0])
    fixed = texts[0::2]

    def fill(cells: Sequence[str]) -> str:
        parts = [fixed[0]]
        for place, text in zip(places, fixed[1:], strict=True):
            parts += (cells[place], text)
        return "".join(parts)

    return fill


class RowCondition:
    """Whether a row is meant, by a template's `where` and `where_not`; outer blanks don't count."""

    def __init__(self, template: TripleTemplate, columns: Sequence[str]) -> None:
        self._asked = [
            *((True, allowed(values)) for values in template.where.values()),
            *((False, allowed(values)) for values in template.where_not.values()),
        ]
        self._cells = cell_getter([*template.where, *template.where_not], columns)
        self._known: dict[tuple[str, ...], bool] = {}

    def __call__(self, row: Row) -> bool:
        cells = self._cells(row)
        known = self._known.get(cells)
        if known is None:
            known = self._known[cells] = all(
                (cell.strip() in values) == wanted
                for cell, (wanted, values) in zip(cells, self._asked, strict=True)
            )
        return known


def allowed(values: str | Sequence[str]) -> frozenset[str]:
    """One value or several, as a set."""
    return frozenset([values] if isinstance(values, str) else values)


def cell_getter(names: Sequence[str], columns: Sequence[str]) -> Callable[[Row], tuple[str, ...]]:
    """A fast function from a row to the tuple of these columns' cells."""
    places = [list(columns).index(name) for name in names]
    if len(places) > 1:
        return itemgetter(*places)
    if places:
        (only,) = places
        return lambda row: (row[only],)
    return lambda row: ()


def missing_column(name: str, columns: Sequence[str], source: Source) -> UserError:
    """Names the column, the columns that there are, and the nearest first."""
    close = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
    advice = f"did you mean {close[0]!r}? " if close else ""
    return UserError(
        f"the table has no column {name!r}",
        source.name,
        f"{advice}its columns are " + ", ".join(columns),
    )
