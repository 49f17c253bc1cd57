"""`infact update`: after a new graph, teach just what has changed, and tell what that did."""

import json
from pathlib import Path
from typing import Any

from ..asked_graph import asked_artifacts
from ..console import Console
from ..made_beside import artifact_beside
from ..project import Project
from ..stage_list import pretrain_files
from ..stages import StageContext
from ..words import clean_text

STAGES_READ = ("base", "ingest", "facts", "link", "pretrain")
VERSION = 1
UNCHANGED_GRAPH = "the graph is the one that the model was taught with: there is nothing to update"


def update(project: Project, console: Console) -> None:
    """Make the update's artifact unless it is there, and print what it says.

    Raises:
        UserError: the sources haven't been ingested as they are now, or `infact pretrain` was run with
            none of the project's graphs.
    """
    made = asked_artifacts(project, STAGES_READ)
    if not made.changed:
        console.line(UNCHANGED_GRAPH)
        console.result({"changed": False})
        return
    folder = artifact_beside(
        project,
        "update",
        VERSION,
        _settings(project),
        {**made.folders, "graph": made.graph},
        (project.facts.general_text, *pretrain_files(project)),
        _run,
        console,
    )
    document = json.loads((folder / "update.json").read_text(encoding="utf-8"))
    for line in told(document, folder):
        console.line(line)
    console.result({"changed": True, "folder": str(folder), **document})


def _run(context: StageContext) -> None:
    from .taught_again import run  # it needs torch

    run(context)


def _settings(project: Project) -> dict[str, object]:
    return {
        "update": project.update.model_dump(mode="json"),
        "pretrain": project.pretrain.model_dump(mode="json", exclude={"replay_text"}),
        "facts": project.facts.model_dump(mode="json", exclude={"general", "general_text"}),
        "eval": {"batch_tokens": project.eval.batch_tokens},
        "precision": project.model.precision,
    }


def told(document: dict[str, Any], folder: Path) -> list[str]:
    """An update's result in lines."""
    from ..evaluation.examination import compared_lines

    counts = document["counts"]
    lines = [
        f"taught facts: {counts['changed']} say something else now, {counts['removed']} nothing new, "
        f"{counts['unchanged']} are unchanged; {counts['added']} are new"
    ]
    if "asked" not in document:
        return [*lines, "no fact is to be taught; the model stays as it is"]
    lines += compared_lines(document["asked"], ("before", "after"))
    general = document["general_text"]
    ratio = general["after"]["perplexity"] / general["before"]["perplexity"]
    lines.append(
        f"general text: perplexity × {ratio:.3f}, {general['after']['kl']:.3f} nats a token from before"
    )
    return [*lines, f"adapter: {clean_text(str(folder / 'adapter'))}"]
