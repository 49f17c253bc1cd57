"""The ingest stage: the project's sources become a graph directory."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from ..kg.ingest import GraphSettings, IngestSummary, ingest
from ..kg.readers.sources import Source, TripleTemplate
from ..kg.readers.sparql_http import address
from .console import Console
from .graph_findings import say_findings
from .project_endpoints import source_spec
from .settings.sources import RowStatement, SourceTable
from .stages import StageContext, source_name

SHOWN_REJECTIONS = 3
SHOWN_PREFIXES = 5


def run(context: StageContext) -> None:
    """Write the graph and say what is in it."""
    project, console = context.project, context.console
    sources = [_source(table, context.files[source_spec(table)]) for table in project.source]
    settings = GraphSettings(
        label_predicates=project.graph.label_predicates,
        hierarchy=project.graph.hierarchy,
        strict=project.graph.strict,
        unknown_prefix=project.graph.unknown_prefix,
    )
    size = sum(source.path.stat().st_size for source in sources)
    with console.progress("ingest", size, "bytes") as advance:
        summary = ingest(sources, context.work, project.prefixes, settings, advance)
    say_summary(summary, console)
    say_rejections(context.work / "rejected.parquet", sources, console)
    say_findings(context.work, "infact validate", console)


def _source(table: SourceTable, path: Path) -> Source:
    shown = address(table.endpoint).shown if table.endpoint else ""
    return Source(
        path=path,
        name=shown or source_name(table.path),
        format=table.format,
        comment=table.comment,
        triples=tuple(map(_template, table.triples)),
        languages=table.languages,
        version=table.version,
        licence=table.licence,
        url=shown or table.url,
    )


def _template(row: RowStatement) -> TripleTemplate:
    return TripleTemplate(
        subject=row.subject,
        predicate=row.predicate,
        object=row.object,
        literal=row.literal,
        language=row.language,
        datatype=row.datatype,
        where=row.where,
        where_not=row.where_not,
    )


def say_summary(summary: IngestSummary, console: Console) -> None:
    """What is in the graph, and what was made of all that was read."""
    console.line(
        f"{summary.entities:,} entities ({summary.unlabelled:,} without a label), "
        f"{summary.relations:,} relations, {summary.triples:,} triples, "
        f"{summary.literals:,} literals, {summary.names:,} names"
    )
    console.line(
        f"{summary.read:,} statements read, {summary.duplicate:,} of them duplicate, "
        f"{summary.rejected:,} rejected"
    )
    if unknown := summary.unknown_prefixes:
        shown = [f"{prefix} {count:,}" for prefix, count in unknown.items()][:SHOWN_PREFIXES]
        more = ["…"] if len(unknown) > SHOWN_PREFIXES else []
        prefixes = "prefix" if len(unknown) == 1 else "prefixes"
        console.line(f"{len(unknown):,} unknown {prefixes}: {', '.join([*shown, *more])}")


def say_rejections(path: Path, sources: Sequence[Source], console: Console) -> None:
    """The first rejected statements, and where all are."""
    first = next(pq.ParquetFile(path).iter_batches(SHOWN_REJECTIONS), None)
    rejected = first.to_pylist() if first else []
    for row in rejected:
        name = sources[row["source"]].name
        console.line(f"rejected {name}:{row['line']}:{row['column']}  {row['reason']}")
    if rejected:
        console.line(f"all of them, with their text: {path.name} in the graph's folder")
