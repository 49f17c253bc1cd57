"""Sources in, a graph directory out: store, tables, arrays, provenance and statistics."""

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ..errors import UserError
from . import graph_tables
from .findings import write_findings
from .names import LABEL_PREDICATES
from .obo_source import obo_statements
from .prefixes import ExpansionError, Prefixes
from .rdf_source import RDF_FORMATS, rdf_statements
from .sources import Examined, Source, examine, source_format
from .statements import Rejected, Statement
from .statistics import graph_statistics
from .store import StoreWriter
from .table_source import table_statements
from .tables import StatementCollector, StatementTables

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
    declared, asked = Prefixes(prefixes), settings or GraphSettings()
    with _without_collection():
        return _ingested(sources, out, declared, asked, advance)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Millions of terms are made and hardly any cycle: looking for them costs a fifth of the time."""
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
    collector = StatementCollector()
    rejected: list[list[Rejected]] = [[] for _ in sources]
    read: list[int] = []
    with StoreWriter(out / "store") as store:
        for number, source in enumerate(sources):
            stream = statements(source, number, declared, advance)
            if asked.strict:
                stream = refusing_rejections(stream, source)
            read.append(collector.add(store.storing(stream), number, rejected[number]))
        tables = collector.tables()
        if not len(tables.triples) and not len(tables.literals):
            raise UserError(
                f"the graph is empty: {sum(read)} statements read, "
                f"{sum(map(len, rejected))} rejected",
                ", ".join(source.name for source in sources),
                rejected_example(sources, rejected),
            )
        entries = [
            source_entry(source, facts, count, tables.stored(number), len(rejected[number]))
            for number, (source, facts, count) in enumerate(
                zip(sources, examined, read, strict=True)
            )
        ]
        summary = write_tables(out, tables, label_predicates, hierarchy, entries, rejected)
        write_findings(out)
        store.finish(tables)
    return summary


def statements(
    source: Source, number: int, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
    """The statements of one source, by its format."""
    asked = source_format(source)
    if asked in RDF_FORMATS:
        return rdf_statements(source, number, advance)
    if asked == "obo":
        return obo_statements(source, prefixes, advance)
    return table_statements(source, prefixes, advance)


def refusing_rejections(
    stream: Iterator[Statement | Rejected], source: Source
) -> Iterator[Statement | Rejected]:
    """The stream, up to its first rejection, which is a UserError."""
    for item in stream:
        if isinstance(item, Rejected):
            where = ":".join(str(part) for part in (source.name, item.line, item.column) if part)
            raise UserError(
                item.reason, f"{where}  {item.text}", "mend it, or set graph.strict = false"
            )
        yield item


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
    tables: StatementTables,
    label_predicates: Sequence[str],
    hierarchy: Sequence[str],
    entries: Sequence[Mapping[str, str | int]],
    rejected: Sequence[Sequence[Rejected]],
) -> IngestSummary:
    """Every file of the graph directory but the store, and what was written in numbers."""
    label_of = graph_tables.labels(tables, label_predicates)
    names = graph_tables.name_table(tables, label_predicates)
    for name, table in {
        "entities": graph_tables.entity_table(tables, label_of),
        "names": names,
        "relations": graph_tables.relation_table(tables, label_of),
        "literals": graph_tables.literal_table(tables),
        "rejected": graph_tables.rejected_table(rejected),
    }.items():
        pq.write_table(table, out / f"{name}.parquet", compression="zstd")
    np.save(out / "triples.npy", tables.triples, allow_pickle=False)
    np.save(out / "triple_origin.npy", tables.triple_origin, allow_pickle=False)
    write_json(out / "sources.json", list(entries))
    write_json(out / "statistics.json", graph_statistics(tables, names, label_of, hierarchy))
    return IngestSummary(
        entities=len(tables.entities),
        relations=len(tables.relations),
        triples=len(tables.triples),
        literals=len(tables.literals),
        names=names.num_rows,
        unlabelled=len(tables.entities) - len(label_of),
        read=sum(int(entry["read"]) for entry in entries),
        duplicate=sum(int(entry["duplicate"]) for entry in entries),
        rejected=sum(map(len, rejected)),
    )


def write_json(path: Path, content: object) -> None:
    """Readable, and the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
