"""SPARQL queries that only read, and only this graph.

Oxigraph follows SERVICE to any address, so a query that holds the keyword is refused before it runs.
LOAD and the other updates are no queries in its grammar.
"""

import re
from collections.abc import Mapping

from pyoxigraph import QueryBoolean, QuerySolutions, QueryTriples

from ...errors import UserError
from ..graph import KnowledgeGraph

Results = QuerySolutions | QueryBoolean | QueryTriples

LONGEST_REASON = 160  # characters of the parser's words; it lists every token that it would take
# SPARQL 1.1, sections 19.2 and 19.8. An escaped character begins no comment; an IRI can't hold a
# SERVICE clause, because the clause's own `<` or `{` ends the match.
DECLARED = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)
CODE_POINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
TOKEN = re.compile(
    r"""
      (?P<escape>\\.)
    | (?P<string>\"\"\"(?:\"{0,2}(?:[^\"\\]|\\.))*\"\"\" | '''(?:'{0,2}(?:[^'\\]|\\.))*'''
                | \"(?:[^\"\\\n\r]|\\.)*\" | '(?:[^'\\\n\r]|\\.)*')
    | (?P<iri><[^<>\"{}|^`\\\x00-\x20]*>)
    | (?P<comment>\#[^\n\r]*)
    | (?P<variable>[?$]\w+)
    | (?P<name>(?:[^\W\d_][\w.-]*)?:(?:[\w:%.-]|\\.)*)
    | (?P<word>\w+)
    """,
    re.VERBOSE | re.DOTALL,
)


def run_query(graph: KnowledgeGraph, text: str, prefixes: Mapping[str, str]) -> Results:
    """The results of a SELECT, ASK, CONSTRUCT or DESCRIBE query.

    Args:
        graph: what is asked.
        text: SPARQL 1.1.
        prefixes: names that the query needn't declare.

    Raises:
        UserError: it isn't such a query, or it asks another server.
    """
    if asks_elsewhere(text):
        problem = "a query asks this graph alone, and SERVICE would ask another server"
        raise UserError(problem, "the query", "ingest that server's data as a source")
    try:
        return graph.store().query(
            text,
            prefixes=dict(prefixes),
            # What stands in named graphs is found without GRAPH too, once for each of them.
            use_default_graph_as_union=set(graph.graphs) != {""},
        )
    except SyntaxError as error:
        if undeclared := _undeclared(text, prefixes):
            problem = f"the query uses the prefix {undeclared!r}, which isn't declared"
            fix = f"write --prefix {undeclared}=http://…/, or PREFIX {undeclared}: <…> in the query"
            raise UserError(problem, "the query", fix) from error
        reason = " ".join(str(error.msg).split())
        short = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"
        fix = "write a SELECT, ASK, CONSTRUCT or DESCRIBE query"
        raise UserError(f"the query can't be read: {short}", "the query", fix) from error


def asks_elsewhere(text: str) -> bool:
    """Whether SERVICE stands in the query, other than in a string, an IRI, a comment or a name.

    Where that can't be told from the text alone (`5SERVICE`, `ex:a.SERVICE`) it counts: a query is
    refused rather than sent.
    """
    return any(_has_service(version) for version in (text, CODE_POINT.sub(_character, text)))


def _has_service(text: str) -> bool:
    for found in TOKEN.finditer(text):
        word, name = found["word"] or "", found["name"] or ""
        if word.lower().endswith("service") or ".service" in name.lower():
            return True
    return False


def _undeclared(text: str, prefixes: Mapping[str, str]) -> str:
    """The first prefix that is used and neither known nor declared in the query; empty for none."""
    names = [found["name"].partition(":")[0] for found in TOKEN.finditer(text) if found["name"]]
    declared = {*prefixes, *(found[1] for found in DECLARED.finditer(text)), "_"}
    return next((name for name in names if name and name not in declared), "")


def _character(found: re.Match[str]) -> str:
    number = int(found[1] or found[2], 16)
    return chr(number) if number < 0x110000 else found[0]
