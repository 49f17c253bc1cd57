"""A linker for the small graph."""

from ...linked_graph import graph_folder, linking

__all__ = ["graph_folder", "linking"]
