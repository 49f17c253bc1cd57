"""SHACL shapes that a graph is held to: those of a project, and what they find."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from ..kg.checks.shapes import STATEMENTS_A_SECOND, shape_findings, statements_followed
from ..kg.checks.shapes_file import Shapes, read_shapes
from ..kg.graph import KnowledgeGraph
from .console import Console, duration
from .stages import source_name

if TYPE_CHECKING:
    from .project import Project

LONG_SECONDS = 5.0  # a validation expected to take longer is announced


def read_project_shapes(files: Mapping[str, Path]) -> list[Shapes]:
    """The shapes in the files that a project names, which are called as they are there.

    Args:
        files: path by spec, as in [graph] shapes.

    Raises:
        UserError: one is faulty.
    """
    return [read_shapes(path, source_name(spec)) for spec, path in files.items()]


def shape_files(project: "Project") -> dict[str, Path]:
    """Path of each shapes file by its spec; raises UserError where one is missing."""
    return {spec: project.resolve(spec) for spec in project.graph.shapes}


def findings_of_shapes(
    graph: KnowledgeGraph, all_shapes: Iterable[Shapes], console: Console
) -> list[pa.Table]:
    """What each finds; what takes long is announced.

    Raises:
        UserError: pySHACL doesn't take the shapes.
    """
    tables = []
    for shapes in all_shapes:
        count = statements_followed(graph, shapes)
        if (seconds := count / STATEMENTS_A_SECOND) > LONG_SECONDS:
            console.line(
                f"{shapes.name}: {count:,} statements to look at, about {duration(seconds)}"
            )
        tables.append(shape_findings(graph, shapes))
    return tables
