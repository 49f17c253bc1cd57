"""Linking with a re-ranker where one is asked for; without one nothing here loads torch."""

from collections.abc import Collection
from pathlib import Path

from ...kg.graph import KnowledgeGraph
from ...kg.linking.rescoring import Score
from ...kg.linking.text_linking import LinkerSettings, MakeScore, TextLinking, open_linking
from ..console import Console
from .graph_tables import tables_digest


def open_reranked(
    settings: LinkerSettings, reranker: Path | None, processes: int, console: Console
) -> TextLinking:
    """Open the graph, and the re-ranker if there is one.

    Args:
        settings: what is linked to.
        reranker: folder of a re-ranker; None for the linker alone.
        processes: that will link, each with its share of the processor's threads.
        console: told where the re-ranker was trained on another graph.

    Raises:
        UserError: see `open_linking` and `open_reranker`.
    """
    if reranker is None:
        return open_linking(settings)
    if processes > 1:
        import torch

        torch.set_num_threads(1)  # before any pass: threads don't outlive a fork
    return open_linking(settings, make_score(reranker, console))


def make_score(reranker: Path, console: Console) -> MakeScore:
    """What makes the re-ranker's scores for a graph.

    Raises:
        UserError: see `open_reranker`.
    """
    from .reranker_folder import open_reranker
    from .reranking import graph_reranking

    trained = open_reranker(reranker)

    def score(graph: KnowledgeGraph, entities: Collection[int] | None) -> Score:
        if tables_digest(graph.directory) != trained.about.graph:
            console.line("the re-ranker was trained on another graph, or on an earlier state of it")
        return graph_reranking(trained, graph, entities, console).score

    return score


def reranker_digest(reranker: Path) -> str:
    """Of a re-ranker's files.

    Raises:
        UserError: there is none.
    """
    from ..artifacts import read_manifest
    from .reranker_folder import reranker_folder

    manifest = read_manifest(reranker_folder(reranker))
    assert manifest is not None
    return manifest.digest
