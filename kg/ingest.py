"""Sources in, a graph directory out: store, tables, arrays, provenance and statistics."""

import gc
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import UserError
from . import graph_tables
from .blocks import Block, blocks, statements_in
from .graph import KnowledgeGraph
from .kgx_source import kgx_statements
from .languages import in_languages
from .names import LABEL_PREDICATES
from .naming import find_names
from .obo_source import obo_statements
from .prefixes import ExpansionError, Prefixes
from .rdf_source import RDF_FORMATS, rdf_blocks
from .sources import Examined, Source, examine, source_format
from .statement_database import StatementDatabase
from .statements import Rejected
from .statistics import graph_statistics
from .store import StoreWriter
from .table_source import table_statements
from .wikidata_source import wikidata_statements

Advance = Callable[[int], None]


@dataclass(frozen=True)
class GraphSettings:
    """How a graph is read. Predicates are IRIs or CURIEs; the first label predicate wins."""

    label_predicates: tuple[str, ...] = LABEL_PREDICATES
    hierarchy: tuple[str, ...] = ("rdfs:subClassOf", "skos:broader")
    strict: bool = False  # the first rejected line stops ingestion


@dataclass(frozen=True)
class IngestSummary:
    """What went into the graph; `names` counts distinct names, `unlabelled` entities without one."""

    entities: int
    relations: int
    triples: int
    literals: int
    names: int
    unlabelled: int
    read: int
    duplicate: int
    rejected: int


def ingest(
    sources: Sequence[Source],
    out: Path,
    prefixes: Mapping[str, str] | None = None,
    settings: GraphSettings | None = None,
    advance: Advance | None = None,
) -> IngestSummary:
    """Read all sources into a new graph directory.

    Args:
        sources: in the order in which provenance names a statement that several make.
        out: the directory to write; files of an earlier graph there are replaced.
        prefixes: declared prefix → IRI space.
        settings: labels, hierarchy, strictness.
        advance: called with the bytes just read; the sum is the sources' size on disk.

    Raises:
        UserError: a missing or unreadable source, a syntax error in a format that can't be
            resumed, a rejected line when strict, or no statement at all.
    """
    with _without_collection():
        return _ingested(sources, out, Prefixes(prefixes), settings or GraphSettings(), advance)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Tables make millions of tuples and hardly any cycle: looking for them is a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _ingested(
    sources: Sequence[Source],
    out: Path,
    declared: Prefixes,
    asked: GraphSettings,
    advance: Advance | None,
) -> IngestSummary:
    label_predicates = expanded(asked.label_predicates, declared, "graph.label_predicates")
    hierarchy = expanded(asked.hierarchy, declared, "graph.hierarchy")
    examined = [examine(source) for source in sources]
    # Told once: where the name doesn't tell it, the file is opened for it.
    sources = [replace(source, format=source_format(source)) for source in sources]
    rejected: list[list[Rejected]] = [[] for _ in sources]
    read = [0 for _ in sources]
    with StoreWriter(out / "store") as store, StatementDatabase(out / "reading") as database:
        for number, source in enumerate(sources):
            for block in source_blocks(source, number, declared, advance):
                if asked.strict and block.rejected:
                    raise refusal(block.rejected[0], source)
                store.add(block)
                database.add(block, number)
                rejected[number] += block.rejected
                read[number] += block.read
        if sum(read) == sum(map(len, rejected)):
            raise UserError(
                f"the graph is empty: {sum(read)} statements read, "
                f"{sum(map(len, rejected))} rejected",
                ", ".join(source.name for source in sources),
                rejected_example(sources, rejected),
            )
        database.number()
        entries = [
            source_entry(source, facts, count, database.stored.get(number, 0), len(refused))
            for number, (source, facts, count, refused) in enumerate(
                zip(sources, examined, read, rejected, strict=True)
            )
        ]
        summary = write_tables(out, database, label_predicates, hierarchy, entries, rejected)
        store.finish()
    return summary


def source_blocks(
    source: Source, number: int, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Block]:
    """The statements of one source in the languages that it is read in."""
    asked = source_format(source)
    if asked in RDF_FORMATS:
        found = rdf_blocks(source, number, advance)
        if not source.languages:
            return found
        stream = itertools.chain.from_iterable(map(statements_in, found))
    elif asked == "obo":
        stream = obo_statements(source, prefixes, advance)
    elif asked == "kgx":
        stream = kgx_statements(source, prefixes, advance)
    elif asked == "wikidata":
        stream = wikidata_statements(source, advance)
    else:
        stream = table_statements(source, prefixes, advance)
    return blocks(in_languages(stream, source.languages) if source.languages else stream)


def refusal(rejected: Rejected, source: Source) -> UserError:
    """The error of a rejection that mustn't be."""
    where = ":".join(str(part) for part in (source.name, rejected.line, rejected.column) if part)
    fix = "mend it, or set graph.strict = false"
    return UserError(rejected.reason, f"{where}  {rejected.text}", fix)


def expanded(predicates: Sequence[str], prefixes: Prefixes, key: str) -> list[str]:
    """Predicates as IRIs; a UserError names the setting of one that can't be expanded."""
    try:
        return [prefixes.expand(predicate) for predicate in predicates]
    except ExpansionError as error:
        raise UserError(str(error), key, "declare the prefix under [prefixes]") from error


def rejected_example(sources: Sequence[Source], rejected: Sequence[Sequence[Rejected]]) -> str:
    """Advice for an empty graph: the first thing that went wrong."""
    for source, items in zip(sources, rejected, strict=True):
        if items:
            return f"the first: {source.name}:{items[0].line}: {items[0].reason}"
    return "look whether the files, and the conditions of table templates, are the right ones"


def source_entry(
    source: Source, examined: Examined, read: int, stored: int, rejected: int
) -> dict[str, str | int]:
    """A source's line in sources.json; read = stored + duplicate + rejected."""
    duplicate = read - stored - rejected
    assert duplicate >= 0, f"{source.name}: {stored} stored + {rejected} rejected > {read} read"
    return {
        "name": source.name,
        **asdict(examined),
        "format": source.format,
        "read": read,
        "stored": stored,
        "duplicate": duplicate,
        "rejected": rejected,
        "version": source.version,
        "licence": source.licence,
        "url": source.url,
    }


def write_tables(
    out: Path,
    database: StatementDatabase,
    label_predicates: Sequence[str],
    hierarchy: Sequence[str],
    entries: Sequence[Mapping[str, str | int]],
    rejected: Sequence[Sequence[Rejected]],
) -> IngestSummary:
    """Every file of the graph directory but the store, and what was written in numbers."""
    find_names(database, label_predicates)
    degree = graph_tables.write_triples(database, out)
    graph_tables.write_entities(database, out, degree)
    names = graph_tables.write_names(database, out)
    literal_predicates = graph_tables.write_literals(database, out)
    graph_tables.write_relations(database, out)
    graph_tables.write_graphs(database, out)
    graph_tables.write_rejected(rejected, out)
    write_json(out / "sources.json", list(entries))
    statistics = graph_statistics(KnowledgeGraph(out), literal_predicates, hierarchy)
    write_json(out / "statistics.json", statistics)
    return IngestSummary(
        entities=statistics["entities"],
        relations=statistics["relations"],
        triples=statistics["triples"],
        literals=statistics["literals"],
        names=names,
        unlabelled=statistics["unlabelled"],
        read=sum(int(entry["read"]) for entry in entries),
        duplicate=sum(int(entry["duplicate"]) for entry in entries),
        rejected=sum(map(len, rejected)),
    )


def write_json(path: Path, content: object) -> None:
    """Readable, and the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
