"""`infact query`: a graph's answers to SPARQL as a table, CSV, JSON or N-Triples."""

from typing import cast

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
)

from ..errors import UserError
from ..kg.prefixes import Prefixes
from ..kg.views.query import run_query
from .chosen_graph import ChosenGraph
from .console import harmless
from .report.table import Table
from .report.terminal_table import terminal_table

FORMATS: dict[str, QueryResultsFormat | None] = {
    "table": None,
    "csv": QueryResultsFormat.CSV,
    "json": QueryResultsFormat.JSON,
}
Term = NamedNode | BlankNode | Literal | Triple | None


def query_graph(chosen: ChosenGraph, text: str, format: str) -> str:
    """What is printed.

    Solutions and truth values are W3C's CSV or JSON, or a table in which IRIs are shortened; triples
    are N-Triples in any format.

    Raises:
        UserError: the format isn't known, or the query isn't a reading one.
    """
    if format not in FORMATS:
        problem = f"the format {format!r} isn't known"
        raise UserError(problem, "--format", f"take one of {', '.join(FORMATS)}")
    results = run_query(chosen.graph, text, chosen.prefixes.spaces)
    if isinstance(results, QueryTriples):
        return _decoded(results.serialize(format=RdfFormat.N_TRIPLES))
    if (asked := FORMATS[format]) is not None:
        if isinstance(results, QueryBoolean) and asked == QueryResultsFormat.CSV:
            return str(bool(results)).lower()  # W3C defines no CSV for a truth value
        return _decoded(results.serialize(format=asked))
    if isinstance(results, QueryBoolean):
        return "yes" if results else "no"
    return _table(results, chosen.prefixes)


def _decoded(serialized: bytes | None) -> str:
    return cast(bytes, serialized).decode().rstrip("\r\n")


def _table(results: QuerySolutions, prefixes: Prefixes) -> str:
    head = tuple(variable.value for variable in results.variables)
    rows = tuple(tuple(short(solution[name], prefixes) for name in head) for solution in results)
    count = f"{len(rows):,} row" + ("" if len(rows) == 1 else "s")
    return f"{terminal_table(Table(head, rows, len(head)))}\n{count}" if rows else count


def short(term: Term, prefixes: Prefixes) -> str:
    """A term for people: IRIs shortened, literals without quotation marks, nothing for unbound."""
    if term is None:
        return ""
    if isinstance(term, NamedNode):
        return prefixes.compress(term.value)
    if isinstance(term, Literal):
        tag = f" @{term.language}" if term.language else ""
        return harmless(term.value.replace("\n", " ")) + tag
    return str(term)
