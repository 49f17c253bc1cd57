"""A graph as it would be if it lacked some of its names: what a linker does with names that are new to it."""

from collections.abc import Collection

from ..graph import KnowledgeGraph
from .linking_scores import fold_text


class GraphWithoutNames(KnowledgeGraph):
    """A graph that lacks the names that fold to some keys.

    Args:
        graph: as it is; its tables are shared.
        keys: folded words of names, as `fold_text` gives them.
    """

    def __init__(self, graph: KnowledgeGraph, keys: Collection[tuple[str, ...]]) -> None:
        super().__init__(graph.directory)
        kept = [fold_text(name) not in keys for name in graph.names_table["name"].to_pylist()]
        self.names_table = graph.names_table.filter(kept)  # in place of the cached property
        self.entities_table = graph.entities_table
