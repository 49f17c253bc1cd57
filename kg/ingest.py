"""Sources in, a graph directory out: store, tables, arrays, provenance and statistics."""

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from .checks.findings import write_findings
from .free_memory import give_back, share_pools
from .graph import KnowledgeGraph
from .names import LABEL_PREDICATES
from .prefixes import ExpansionError, Prefixes, UnknownPrefix, UnknownPrefixes
from .readers.blocks import Block
from .readers.source_reading import (
    Advance,
    SourceReading,
    refuse_rejected,
    refuse_unknown_prefix,
    source_blocks,
)
from .readers.sources import Source, examine, source_format
from .storage import graph_tables
from .storage.naming import find_names
from .storage.statement_database import StatementDatabase
from .storage.store import StoreWriter


@dataclass(frozen=True)
class GraphSettings:
    """How a graph is read. Predicates are IRIs or CURIEs; the first label predicate wins."""

    label_predicates: tuple[str, ...] = LABEL_PREDICATES
    hierarchy: tuple[str, ...] = ("rdfs:subClassOf", "skos:broader")
    strict: bool = False  # the first rejected line stops ingestion
    unknown_prefix: UnknownPrefix = "drop"  # of CURIEs in tables; see prefixes.UnknownPrefixes


@dataclass(frozen=True)
class IngestSummary:
    """What went into the graph; `names` counts distinct names, `unlabelled` entities without one.

    `unknown_prefixes`: prefix → different CURIEs whose prefix isn't declared, source by source.
    """

    entities: int
    relations: int
    triples: int
    literals: int
    names: int
    unlabelled: int
    read: int
    duplicate: int
    rejected: int
    unknown_prefixes: Mapping[str, int] = field(default_factory=dict)


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
    readings = [
        SourceReading(source, facts, UnknownPrefixes(asked.unknown_prefix))
        for source, facts in zip(sources, examined, strict=True)
    ]
    share_pools()
    with StoreWriter(out / "store") as store:
        with StatementDatabase(out / "reading") as database:

            def keep(block: Block, number: int) -> None:
                store.add(block)
                database.add(block, number)

            read_all(readings, declared, asked, keep, advance)
            store.end()
            give_back()
            database.number()
            stored = database.stored
            literal_predicates = write_tables(out, database, label_predicates)
        entries = [
            source_entry(reading, stored.get(number, 0)) for number, reading in enumerate(readings)
        ]
        write_json(out / "sources.json", entries)
        # It imports scipy, a fifth of a second that unchanged files needn't wait for.
        from .statistics.graph_statistics import graph_statistics

        give_back()
        statistics = graph_statistics(KnowledgeGraph(out), literal_predicates, hierarchy)
        write_json(out / "statistics.json", statistics)
        give_back()
        write_findings(out)
        store.finish()
    return summary_of(statistics, entries)


def read_all(
    readings: list[SourceReading],
    declared: Prefixes,
    asked: GraphSettings,
    keep: Callable[[Block, int], None],
    advance: Advance | None,
) -> None:
    """Read every source, and append readings of what they say in other words.

    Args:
        readings: one a source, nothing read yet.
        declared: prefixes.
        asked: what isn't let pass.
        keep: takes each block and the number of its reading.
        advance: called with the bytes just read.
    """
    for number, reading in enumerate(readings):
        prefixes = Prefixes(declared.spaces, reading.unknown)
        for block in source_blocks(reading.source, number, prefixes, advance):
            refuse_unwanted(block, reading, asked)
            reading.take(block)
            keep(block, number)
    refuse_empty(readings)
    for reading in tuple(readings):
        if (block := reading.derived()).read:
            keep(block, len(readings))
            readings.append(reading.continued(block))


def refuse_unwanted(block: Block, reading: SourceReading, asked: GraphSettings) -> None:
    """Raises UserError for what the settings don't let pass."""
    if asked.unknown_prefix == "fail":
        refuse_unknown_prefix(block, reading)
    if asked.strict:
        refuse_rejected(block, reading.source)


def refuse_empty(readings: Sequence[SourceReading]) -> None:
    """Raises UserError, with the first thing that went wrong, where nothing can be stored."""
    read = sum(reading.read for reading in readings)
    rejected = sum(reading.rejected for reading in readings)
    if read > rejected:
        return
    fix = "look whether the files, and the conditions of table templates, are the right ones"
    for reading in readings:
        if item := reading.first_rejected:
            fix = f"the first: {reading.source.name}:{item.line}: {item.reason}"
            break
    raise UserError(
        f"the graph is empty: {read} statements read, {rejected} rejected",
        ", ".join(reading.source.name for reading in readings),
        fix,
    )


def expanded(predicates: Sequence[str], prefixes: Prefixes, key: str) -> list[str]:
    """Predicates as IRIs; a UserError names the setting of one that can't be expanded."""
    try:
        return [prefixes.expand(predicate) for predicate in predicates]
    except ExpansionError as error:
        raise UserError(str(error), key, "declare the prefix under [prefixes]") from error


def source_entry(reading: SourceReading, stored: int) -> dict[str, Any]:
    """A source's line in sources.json; read = stored + duplicate + rejected."""
    source, read, rejected = reading.source, reading.read, reading.rejected
    duplicate = read - stored - rejected
    assert duplicate >= 0, f"{source.name}: {stored} stored + {rejected} rejected > {read} read"
    counts = reading.unknown.counts()
    return {
        "name": source.name,
        **asdict(reading.examined),
        "format": source.format,
        "read": read,
        "stored": stored,
        "duplicate": duplicate,
        "rejected": rejected,
        "version": source.version,
        "licence": source.licence,
        "url": source.url,
        **({"unknown_prefixes": counts} if counts else {}),
    }


def write_tables(
    out: Path, database: StatementDatabase, label_predicates: Sequence[str]
) -> list[tuple[str, int]]:
    """The tables of statements, entities, names, relations and graphs.

    Returns:
        Each predicate of literals, and how many it has.
    """
    find_names(database, label_predicates)
    degree = graph_tables.write_triples(database, out)
    graph_tables.write_entities(database, out, degree)
    graph_tables.write_names(database, out)
    literal_predicates = graph_tables.write_literals(database, out)
    graph_tables.write_relations(database, out)
    graph_tables.write_graphs(database, out)
    graph_tables.write_rejected(database, out)
    return literal_predicates


def summary_of(
    statistics: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> IngestSummary:
    """What went into the graph, of its statistics and its sources."""
    counted = ("entities", "relations", "triples", "literals", "names", "unlabelled")
    of_sources = ("read", "duplicate", "rejected")
    return IngestSummary(
        **{name: int(statistics[name]) for name in counted},
        **{name: sum(int(entry[name]) for entry in entries) for name in of_sources},
        unknown_prefixes=added(entry.get("unknown_prefixes", {}) for entry in entries),
    )


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sums of several counts, the largest first."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))


def write_json(path: Path, content: object) -> None:
    """Readable, and the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
