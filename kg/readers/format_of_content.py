"""What a file is by its first bytes, for files whose names don't tell."""

import re
from collections.abc import Sequence

SNIFFED = 1 << 16  # bytes looked at

IRI = rb"<[^<>\"{}|^`\\\s]*>"
TERM = IRI + rb"|_:\S+"
LITERAL = rb"\"(?:[^\"\\\n]|\\.)*\"(?:@[A-Za-z0-9-]+|\^\^" + IRI + rb")?"
LINE_STATEMENT = re.compile(
    rb"(?:%b)\s++%b\s++(?:%b|%b)\s*+(?:(%b)\s*+)?\.\s*+(?:#.*)?$" % (TERM, IRI, TERM, LITERAL, TERM)
)
DIRECTIVE = re.compile(rb"@(?:prefix|base)\s|(?:prefix|base)\s+\S*:?\s*<", re.IGNORECASE)
NAMED_GRAPH = re.compile(
    rb"^[ \t]*+(?:graph\s++)?(?:(?:%b|[\w.-]*+:[\w.-]*+)\s*+)?\{" % IRI,
    re.IGNORECASE | re.MULTILINE,
)
TABLE_CELLS = 2  # fewer are no table
KGX_COLUMNS = {"nodes": {"id", "category"}, "edges": {"subject", "predicate", "object"}}
# Wikibase JSON: an entity, alone or as the first of an array
WIKIBASE_TYPE = re.compile(rb"\"type\"\s*:\s*\"(?:item|property|lexeme)\"")
WIKIBASE_ID = re.compile(rb"\"id\"\s*:\s*\"[QPL][1-9][0-9]*\"")


def format_of(beginning: bytes) -> str:
    """The format of a file that begins so, as `sources.FORMATS` names it; empty where none shows.

    Args:
        beginning: up to SNIFFED bytes, decompressed.
    """
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return _json_format(text)
    if re.match(rb"<\?xml|<!DOCTYPE|<!--|<rdf:RDF|<Ontology", text):
        return "rdf" if b"rdf:RDF" in text or b"rdf-syntax-ns" in text else ""
    if re.match(rb"format-version:", text):
        return "obo"
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(b"#")]
    if not lines:
        return ""
    if found := LINE_STATEMENT.match(lines[0].strip()):
        return "nq" if any(_graph(line) for line in lines[:-1]) or found[1] else "nt"
    if DIRECTIVE.match(lines[0].lstrip()):
        return "trig" if NAMED_GRAPH.search(text) else "ttl"
    if kgx_records(text.splitlines()[0].decode("utf-8", "replace").split("\t")):
        return "kgx"
    for delimiter, name in ((b"\t", "tsv"), (b",", "csv")):
        widths = {line.count(delimiter) for line in lines[:5]}
        if len(lines[:5]) > 1 and len(widths) == 1 and min(widths) >= TABLE_CELLS - 1:
            return name
    return ""


def kgx_records(columns: Sequence[str]) -> str:
    """What the records of a KGX file with these columns are, nodes or edges; empty: it isn't KGX.

    >>> kgx_records(["id", "subject", "predicate", "object", "category"])
    'edges'
    """
    for records in ("edges", "nodes"):  # edges have an id and a category too
        if KGX_COLUMNS[records] <= set(columns):
            return records
    return ""


def _json_format(text: bytes) -> str:
    if re.search(rb"\"@(?:context|id|graph|type)\"", text):
        return "jsonld"
    return "wikidata" if WIKIBASE_TYPE.search(text) and WIKIBASE_ID.search(text) else ""


def _graph(line: bytes) -> bool:
    found = LINE_STATEMENT.match(line.strip())
    return found is not None and found[1] is not None
