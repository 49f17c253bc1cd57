"""The link stage: find the graph's entities in the texts that the graph itself carries."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..kg.graph import KnowledgeGraph
from ..kg.ingest import expanded
from ..kg.linking.linker import Linker, graph_linker
from ..kg.linking.mentions import MENTIONS_SCHEMA, mentions_table
from ..kg.prefixes import Prefixes
from .console import Console
from .stages import StageContext

DOCUMENTS_SCHEMA = pa.schema(
    [("document", pa.string()), ("text", pa.string()), ("entity", pa.int32())]
)
CHUNK_DOCUMENTS = 2000  # linked and written at once: bounds the memory


def run(context: StageContext) -> None:
    """Write documents.parquet and mentions.parquet."""
    console = context.console
    graph = KnowledgeGraph.open(context.inputs["ingest"])
    settings, prefixes = context.project.link, Prefixes(context.project.prefixes)
    predicates = expanded(settings.text_predicates, prefixes, "link.text_predicates")
    documents = text_documents(graph, predicates, settings.max_documents)
    pq.write_table(documents, context.work / "documents.parquet")
    if not documents.num_rows:
        console.line("link: the graph has no text under [link] text_predicates")
    console.line(f"link: indexing {graph.names_table.num_rows:,} names")
    linker = graph_linker(graph)
    mentions = _link(linker, documents, context.work / "mentions.parquet", console)
    console.line(f"link: {documents.num_rows:,} documents, {mentions:,} mentions")


def text_documents(graph: KnowledgeGraph, predicates: Sequence[str], limit: int | None) -> pa.Table:
    """The literals of those predicates as documents, ordered by entity, predicate and text.

    Args:
        predicates: IRIs.
        limit: keep at most so many; None for all.

    Returns:
        Columns document ("<entity IRI> <predicate IRI> <number>"), text, entity.
    """
    table = graph.literals_table.select(["entity", "predicate", "value"])
    wanted = pc.is_in(
        table["predicate"].cast(pa.string()), value_set=pa.array(predicates, pa.string())
    )
    rows = sorted(
        {
            (row["entity"], row["predicate"], row["value"])
            for row in table.filter(wanted).to_pylist()
        }
    )[:limit]
    columns: dict[str, list[object]] = {"document": [], "text": [], "entity": []}
    previous, number = None, 0
    for entity, predicate, text in rows:
        number = number + 1 if previous == (entity, predicate) else 0
        previous = (entity, predicate)
        columns["document"].append(f"{graph.iri(entity)} {predicate} {number}")
        columns["text"].append(text)
        columns["entity"].append(entity)
    return pa.table(columns, schema=DOCUMENTS_SCHEMA)


def _link(linker: Linker, documents: pa.Table, path: Path, console: Console) -> int:
    count = 0
    with (
        console.progress("link", documents.num_rows, "documents") as advance,
        pq.ParquetWriter(path, MENTIONS_SCHEMA) as writer,
    ):
        for names, texts in _chunks(documents):
            linked = []
            for name, text in zip(names, texts, strict=True):
                linked.append((name, linker.link(text)))
                advance(1)
            table = mentions_table(linked)
            writer.write_table(table)
            count += table.num_rows
    return count


def _chunks(documents: pa.Table) -> Iterator[tuple[list[str], list[str]]]:
    for batch in documents.to_batches(max_chunksize=CHUNK_DOCUMENTS):
        yield batch["document"].to_pylist(), batch["text"].to_pylist()
