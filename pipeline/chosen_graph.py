"""The graph that a command reads: that of a folder that was named, or the project's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..kg.graph import KnowledgeGraph
from ..kg.prefixes import Prefixes

if TYPE_CHECKING:
    from .project import Project


@dataclass(frozen=True)
class ChosenGraph:
    """A graph, the prefixes that its names are shortened by, and the project that made it, if any."""

    graph: KnowledgeGraph
    prefixes: Prefixes
    project: "Project | None" = None


def choose_graph(
    folder: Path | None, prefixes: Mapping[str, str], load: Callable[[], "Project"]
) -> ChosenGraph:
    """Open the graph in the folder, or the one that the project has made.

    Args:
        folder: that was named; None for the project's.
        prefixes: declared on the command line; they win over the project's.
        load: loads the project, where it is needed.

    Raises:
        UserError: the folder holds no graph, or the project's isn't made yet.
    """
    if folder is not None:
        return ChosenGraph(KnowledgeGraph.open(folder), Prefixes(prefixes))
    from .run import existing_artifacts

    project = load()
    made = existing_artifacts(project, ["ingest"])["ingest"]
    all_prefixes = Prefixes({**project.prefixes, **prefixes})
    return ChosenGraph(KnowledgeGraph.open(made), all_prefixes, project)
