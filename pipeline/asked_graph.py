"""The graph that arms are asked with, which may have changed since they were trained: its facts are read
as they are now, and nothing is trained anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .artifacts import newest_first, read_manifest
from .console import Console
from .project import Project
from .run import existing_artifacts

if TYPE_CHECKING:
    from .graph_reader import GraphReader


@dataclass(frozen=True)
class AskedArtifacts:
    """What a question is asked with.

    Attributes:
        folders: of the stages, `ingest` that of the graph with which the others were made.
        graph: folder of the graph that is read.
    """

    folders: Mapping[str, Path]
    graph: Path

    @property
    def changed(self) -> bool:
        """Whether the arms were trained with another graph."""
        return self.graph.resolve() != self.folders["ingest"].resolve()

    def tell(self, console: Console) -> None:
        """Say so where the graph isn't the one that the arms were trained with."""
        if self.changed:
            console.line(
                "The arms were trained with another version of the graph. Those that read it, fused "
                "and with a prompt, answer from it as it is now."
            )

    def reader(self) -> "GraphReader":
        """Of the asked graph; relations are called as the project calls them."""
        from .graph_reader import GraphReader  # it needs transformers

        trained = GraphReader.open(self.folders["ingest"], self.folders["facts"])
        if not self.changed:
            return trained
        now = GraphReader.of_graph(self.graph)
        labels = {
            trained.graph.relation_iri(relation): label
            for relation, label in trained.relation_labels.items()
        }
        numbers = range(now.graph.relation_count)
        named = {number: labels.get(now.graph.relation_iri(number)) for number in numbers}
        return replace(now, relation_labels={n: label for n, label in named.items() if label})


def asked_artifacts(
    project: Project, names: Collection[str], graph: Path | None = None
) -> AskedArtifacts:
    """Those of the newest of the project's graphs with which all `names` were made.

    Args:
        project: whose settings they were made with.
        names: of stages.
        graph: a folder that is read in place of the project's graph.

    Raises:
        UserError: the project's graph isn't made, or the others were made with none of its graphs.
    """
    asked = graph or existing_artifacts(project, ["ingest"])["ingest"]
    try:
        return AskedArtifacts(existing_artifacts(project, names), asked)
    except UserError:
        for folder in newest_first(project.artifacts_folder, "ingest"):
            if read_manifest(folder) is None:
                continue
            try:
                made = existing_artifacts(project, names, graph=folder)
            except UserError:
                continue
            return AskedArtifacts(made, asked)
        raise
