"""The run whose links are refreshed: what it linked with, and whether that is what is named now."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...kg.linking.text_linking import LinkerSettings
from .. import machine
from ..artifacts import read_manifest
from .former_links import FormerLinks
from .graph_tables import tables_digest
from .refresh import FormerLinking
from .reranked_linking import reranker_digest

VERSION = 1  # raised when the same texts give other mentions
INDIFFERENT = ("graph", "candidates")  # settings that the mentions of a text don't depend on


@dataclass(frozen=True)
class LinksToRefresh:
    """Mentions that `infact link` wrote as Parquet, and the graph as it was then."""

    links: Path
    graph: Path


@dataclass(frozen=True)
class FormerRun:
    """An earlier run's links, and how they were linked."""

    links: FormerLinks
    linking: FormerLinking


def open_former(
    asked: LinksToRefresh, now: LinkerSettings, with_now: Mapping[str, Any], out: Path
) -> FormerRun:
    """Open what is refreshed.

    Args:
        now: how texts are to be linked, and `with_now` the same as `linked_with` has it.
        out: the file to make.

    Raises:
        UserError: the links can't be read, were linked to another graph, or would be overwritten.
    """
    if with_now["reranker"]:
        problem = "--refresh is given with --reranker, whose scores follow from all names"
        raise UserError(problem, "infact link", "link the texts anew, without --refresh")
    if out.resolve() == asked.links.resolve():
        fix = "name another; the old mentions are read until the new ones are whole"
        raise UserError("the output is what is refreshed", f"--out {out}", fix)
    links = FormerLinks(asked.links)
    return FormerRun(links, _former_linking(links, asked.graph, now, with_now))


def linked_with(settings: LinkerSettings, reranker: Path | None = None) -> dict[str, Any]:
    """What the mentions of a text follow from, as JSON values."""
    return {
        "version": VERSION,
        "code": machine.code_digest(),
        "graph": _graph_digest(settings.graph),
        "linker": {**asdict(settings), "graph": "", "roots": list(settings.roots)},
        "reranker": reranker_digest(reranker) if reranker else "",
    }


def _graph_digest(folder: Path) -> str:
    graph = KnowledgeGraph.open(folder)
    manifest = read_manifest(graph.directory)
    return manifest.digest if manifest else tables_digest(graph.directory)


def _former_linking(
    links: FormerLinks, graph: Path, now: LinkerSettings, with_now: Mapping[str, Any]
) -> FormerLinking:
    """How those links were made, in the graph that is said to be the one they were linked to."""
    was = links.linked_with
    asked = was["linker"]
    known = {field.name for field in fields(LinkerSettings)}
    same_asked = asked.keys() == known and all(
        asked[name] == with_now["linker"][name] for name in known if name not in INDIFFERENT
    )
    made_by = ("version", "code", "reranker")
    same_code = all(was[name] == with_now[name] for name in made_by)
    settings = LinkerSettings(graph, now.roots, now.hierarchy, now.longest, 0, now.common_words)
    if _graph_digest(graph) != was["graph"]:
        problem = "the mentions weren't linked to this graph, or it has changed since"
        fix = f"name the graph that {links.path.name} was linked to, as it was"
        raise UserError(problem, f"--old-graph {graph}", fix)
    return FormerLinking(settings, same_code and same_asked)
