"""All statements of a SPARQL endpoint, page by page, none lost and none twice.

LIMIT with OFFSET alone is exact only under a total order, and costs a sort of everything a page. So:

1. Statements with a blank node come in one answer, because blank nodes are the same only within it.
2. Subjects are listed in the order of their IRIs with the number of their statements, each list
   after the last subject of the one before (keyset paging).
3. Their statements are asked for by IRI, some thousands together. An answer with fewer than
   counted was cut by a limit of the server: it is asked for in halves, and the statements of one
   subject, at last, under a total order.

Servers cut answers without a word (Virtuoso: ResultSetMaxRows), so every page is held against the
server's own count, and so is the whole.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, cast

from pyoxigraph import (
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolution,
    QuerySolutions,
    RdfFormat,
    parse_query_results,
    serialize,
)

from ...errors import UserError
from .sparql_http import Endpoint, UnansweredError, first_line

PAGE = 10_000  # statements; the usual limit of public servers
LARGEST_PAGE = 1000  # subjects: their IRIs stand in the query
LISTED = (100_000, PAGE)  # subjects in a list; Virtuoso sorts no more rows than it gives out
IN_MEMORY = 16 << 20  # bytes of a page
TOTAL_ORDER = "STR(?p) isIRI(?o) STR(?o) LANG(?o) STR(DATATYPE(?o))"


@dataclass(frozen=True)
class Cursor:
    """How far the statements of an endpoint are fetched.

    Attributes:
        blank: those with blank nodes are.
        after: IRI of the last subject whose statements are.
        statements: how many that is.
    """

    blank: bool = False
    after: str = ""
    statements: int = 0


@dataclass(frozen=True)
class Page:
    """Some statements as N-Triples lines, N-Quads where graphs were named, and how far that goes."""

    lines: IO[bytes]
    statements: int
    cursor: Cursor


@dataclass(frozen=True)
class Selection:
    """Which statements of an endpoint: those of its default graph, or of the graphs named."""

    endpoint: Endpoint
    graphs: tuple[NamedNode, ...] = ()

    @property
    def variables(self) -> str:
        return "?g ?s ?p ?o" if self.graphs else "?s ?p ?o"

    @property
    def pattern(self) -> str:
        if not self.graphs:
            return "?s ?p ?o ."
        return f"VALUES ?g {{ {' '.join(map(str, self.graphs))} }} GRAPH ?g {{ ?s ?p ?o }}"


def graph_names(iris: Sequence[str]) -> tuple[NamedNode, ...]:
    """IRIs that may stand in a query.

    Raises:
        UserError: one is no absolute IRI.
    """
    names = []
    for iri in iris:
        try:
            names.append(NamedNode(iri))
        except ValueError as error:
            fix = "write it as the server does: http://example.org/graph"
            raise UserError(f"this is no IRI: {error}", f"--graph-iri {iri}", fix) from error
    return tuple(dict.fromkeys(names))


def count(selection: Selection, condition: str = "") -> int:
    """How many statements the server counts."""
    return _count(selection, f"{selection.pattern} {condition}")


def pages(selection: Selection, counted: int, cursor: Cursor) -> Iterator[Page]:
    """The statements after the cursor; a caller that stores page and cursor together can go on.

    Args:
        counted: statements in all, as the server said.

    Raises:
        UserError: the server gives fewer statements than it counts and can't be asked for the rest,
            or more than it counts, or fails in a way that asking again doesn't mend.
    """
    if not cursor.blank:
        page = _blank_page(selection, cursor)
        cursor = page.cursor
        yield page
    while cursor.statements != counted and (subjects := _subjects(selection, cursor.after)):
        for group in _groups(subjects):
            for page in _subject_pages(selection, group, cursor):
                cursor = page.cursor
                yield page
            if cursor.statements > 2 * counted + PAGE:
                what = f"it counts {counted:,} statements and gives {cursor.statements:,} and more"
                raise _unusable(selection, what)


def check_whole(selection: Selection, fetched: int, counted: int) -> int:
    """The server's count now that all is fetched, which is another one if it changed meanwhile.

    Raises:
        UserError: it hasn't changed, and differs from what was fetched.
    """
    now = count(selection)
    if now == fetched or now != counted:
        return now
    # A default graph made of others counts a statement as often as they hold it.
    if _count(selection, _distinct(selection, selection.pattern)) == fetched:
        return fetched
    raise _unusable(selection, f"it counts {now:,} statements and gave {fetched:,}")


def graphs_of(selection: Selection, most: int) -> list[str]:
    """IRIs of named graphs that the endpoint has, so many at most."""
    query = f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }} LIMIT {most}"
    return [row["g"].value for row in _rows(selection.endpoint, query)]


def _blank_page(selection: Selection, cursor: Cursor) -> Page:
    condition = "FILTER(isBlank(?s) || isBlank(?o))"
    lines, found = _statements(selection, f"{selection.pattern} {condition}")
    if not _is_all(selection, found, count(selection, condition), condition):
        what = f"it gave {found:,} of its statements with blank nodes, and has more"
        raise _unusable(selection, what)
    return Page(lines, found, Cursor(True, "", cursor.statements + found))


def _subjects(selection: Selection, after: str) -> list[tuple[NamedNode, int]]:
    """The next subjects that are IRIs, with the number of their statements without blank nodes."""
    condition = "isIRI(?s) && !isBlank(?o)"
    if after:
        condition += f" && STR(?s) > {Literal(after)}"
    where = f"{selection.pattern} FILTER({condition})"
    query = f"SELECT ?s (COUNT(*) AS ?n) WHERE {{ {where} }} GROUP BY ?s ORDER BY STR(?s) LIMIT"
    try:
        rows = _rows(selection.endpoint, f"{query} {LISTED[0]}")
    except UserError:  # more than this server sorts
        rows = _rows(selection.endpoint, f"{query} {LISTED[1]}")
    return [(row["s"], int(row["n"].value)) for row in rows if row["s"] is not None]


def _groups(subjects: Sequence[tuple[NamedNode, int]]) -> Iterator[list[tuple[NamedNode, int]]]:
    """Subjects in their order, together as many as have a page of statements."""
    group: list[tuple[NamedNode, int]] = []
    size = 0
    for subject, statements in subjects:
        if group and (size + statements > PAGE or len(group) == LARGEST_PAGE):
            yield group
            group, size = [], 0
        group.append((subject, statements))
        size += statements
    if group:
        yield group


def _subject_pages(
    selection: Selection, group: list[tuple[NamedNode, int]], cursor: Cursor
) -> Iterator[Page]:
    condition = _of_subjects([subject for subject, _ in group])
    lines, found = _statements(selection, f"{selection.pattern} {condition}")
    if not _is_all(selection, found, sum(number for _, number in group), condition):
        lines.close()
        if len(group) > 1:
            half = len(group) // 2
            for part in (group[:half], group[half:]):
                for page in _subject_pages(selection, part, cursor):
                    cursor = page.cursor
                    yield page
            return
        lines, found = _in_order(selection, condition)
    done = Cursor(True, group[-1][0].value, cursor.statements + found)
    yield Page(lines, found, done)


def _of_subjects(subjects: Sequence[NamedNode]) -> str:
    return f"VALUES ?s {{ {' '.join(map(str, subjects))} }} FILTER(!isBlank(?o))"


def _in_order(selection: Selection, condition: str) -> tuple[IO[bytes], int]:
    """The statements of one subject that the server doesn't give at once, part by part."""
    order = f"STR(?g) {TOTAL_ORDER}" if selection.graphs else TOTAL_ORDER
    where = f"{selection.pattern} {condition}"
    whole, found = _page_file(), 0
    while True:
        lines, number = _statements(
            selection, where, f"ORDER BY {order} LIMIT {PAGE} OFFSET {found}"
        )
        with lines:
            shutil.copyfileobj(lines, whole)
        found += number
        if not number:
            break
    if _count(selection, _distinct(selection, where)) != found:
        raise _unusable(selection, "it doesn't give all statements of one subject")
    whole.seek(0)
    return whole, found


def _is_all(selection: Selection, found: int, counted: int, condition: str) -> bool:
    """Whether an answer is whole; where it isn't what was counted, the server counts anew."""
    where = f"{selection.pattern} {condition}"
    return found == counted or found == _count(selection, _distinct(selection, where))


def _distinct(selection: Selection, where: str) -> str:
    return f"{{ SELECT DISTINCT {selection.variables} WHERE {{ {where} }} }}"


def _count(selection: Selection, where: str) -> int:
    rows = _rows(selection.endpoint, f"SELECT (COUNT(*) AS ?n) WHERE {{ {where} }}")
    if len(rows) != 1 or not str(rows[0]["n"].value).isdecimal():
        raise _unusable(selection, "it can't count its statements")
    return int(rows[0]["n"].value)


def _rows(endpoint: Endpoint, query: str) -> list[QuerySolution]:
    """All rows of an answer that is known to be short."""
    return endpoint.ask(query, lambda body: list(_solutions(endpoint, body)))


def _statements(selection: Selection, where: str, end: str = "") -> tuple[IO[bytes], int]:
    """What one query finds, as lines from their beginning, and how many they are."""
    endpoint = selection.endpoint
    query = f"SELECT DISTINCT {selection.variables} WHERE {{ {where} }} {end}"
    return endpoint.ask(query, lambda body: _lines(endpoint, body))


def _lines(endpoint: Endpoint, body: IO[bytes]) -> tuple[IO[bytes], int]:
    lines, found = _page_file(), 0

    def quads() -> Iterator[Quad]:
        nonlocal found
        for row in _solutions(endpoint, body):
            found += 1
            yield Quad(row["s"], row["p"], row["o"], row["g"] or DefaultGraph())

    try:
        serialize(quads(), lines, RdfFormat.N_QUADS)
    except TypeError as error:  # a variable without a value, or a literal as predicate
        fix = "look whether this is the address of a SPARQL endpoint"
        raise UserError("an answer holds no statements", endpoint.shown, fix) from error
    lines.seek(0)
    return lines, found


def _solutions(endpoint: Endpoint, body: IO[bytes]) -> Iterator[QuerySolution]:
    try:
        results = parse_query_results(body, format=QueryResultsFormat.JSON)
        if isinstance(results, QuerySolutions):
            yield from results
            return
        reason = "it is yes or no"
    except SyntaxError as error:
        reason = str(error.msg)
        if "Unexpected end of file" in reason:
            raise UnansweredError("the answer breaks off") from None
    what = f"an answer can't be read: {first_line(reason.encode())}"
    fix = "mend it there; or ingest a dump as N-Triples, whose bad lines are rejected one by one"
    raise UserError(what, endpoint.shown, fix)


def _page_file() -> IO[bytes]:
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(IN_MEMORY))


def _unusable(selection: Selection, what: str) -> UserError:
    fix = "the server limits its answers: ask for a higher limit, or ingest a dump of it"
    return UserError(f"not all can be fetched: {what}", selection.endpoint.shown, fix)
