"""`infact update`: after a new graph, teach just what has changed, and tell what that did."""

import json
import time
from pathlib import Path
from typing import Any

from ..artifacts import Manifest, Recipe, publish, read_manifest, work_folder
from ..asked_graph import AskedArtifacts, asked_artifacts
from ..console import Console, duration
from ..project import Project
from ..run import recorded
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
    recipe = _recipe(project, made)
    folder = recipe.folder(project.artifacts_folder)
    if read_manifest(folder) is None:
        _make(project, made, recipe, console)
    else:
        console.line(f"update  kept  {folder}")
    document = json.loads((folder / "update.json").read_text(encoding="utf-8"))
    for line in told(document, folder):
        console.line(line)
    console.result({"changed": True, "folder": str(folder), **document})


def _recipe(project: Project, made: AskedArtifacts) -> Recipe:
    """What the update follows from: what was taught, and the graph as it is now."""
    folders = {**made.folders, "graph": made.graph}
    digests = {}
    for name, folder in folders.items():
        manifest: Manifest | None = read_manifest(folder)
        digests[name] = manifest.digest if manifest else ""
    settings = {
        "update": project.update.model_dump(mode="json"),
        "pretrain": project.pretrain.model_dump(mode="json"),
        "facts": project.facts.model_dump(mode="json"),
        "eval": {"batch_tokens": project.eval.batch_tokens},
        "precision": project.model.precision,
    }
    return Recipe("update", VERSION, settings, project.seed, digests)


def _make(project: Project, made: AskedArtifacts, recipe: Recipe, console: Console) -> None:
    from .taught_again import run  # it needs torch

    folder = recipe.folder(project.artifacts_folder)
    console.line(f"update  run  {folder}")
    started = time.monotonic()
    files = (project.facts.general_text, *pretrain_files(project))
    with work_folder(project.artifacts_folder, recipe, resumable=True) as work:
        run(
            StageContext(
                project=project,
                work=work,
                inputs={**made.folders, "graph": made.graph},
                seed=project.seed,
                console=console,
                files={spec: project.resolve(spec) for spec in files},
            )
        )
        seconds = time.monotonic() - started
        publish(project.artifacts_folder, recipe, recorded(seconds))
    console.line(f"update  done in {duration(seconds)}")


def told(document: dict[str, Any], folder: Path) -> list[str]:
    """An update's result in lines."""
    counts = document["counts"]
    lines = [
        f"taught facts: {counts['changed']} say something else now, {counts['removed']} nothing new, "
        f"{counts['unchanged']} are unchanged; {counts['added']} are new"
    ]
    if "asked" not in document:
        return [*lines, "no fact is to be taught; the model stays as it is"]
    lines.append(f"{'right, in unseen phrasings':<28}{'before':>16}{'after':>16}{'difference':>22}")
    for kind, found in document["asked"].items():
        change = found["difference"]
        paired = (
            f"{100 * change['difference']:+.0f} "
            f"({100 * change['low']:+.0f} to {100 * change['high']:+.0f})"
        )
        size = f"{kind} ({found['before']['n']})"
        lines.append(
            f"{size:<28}{_interval(found['before']):>16}{_interval(found['after']):>16}{paired:>22}"
        )
        if "says_what_was_true" in found:
            old = found["says_what_was_true"]
            was, now = f"{old['before']:.0%}", f"{old['after']:.0%}"
            lines.append(f"{'  says what was true':<28}{was:>16}{now:>16}")
    general = document["general_text"]
    ratio = general["after"]["perplexity"] / general["before"]["perplexity"]
    lines.append(
        f"general text: perplexity × {ratio:.3f}, {general['after']['kl']:.3f} nats a token from before"
    )
    return [*lines, f"adapter: {clean_text(str(folder / 'adapter'))}"]


def _interval(found: dict[str, float]) -> str:
    return f"{found['estimate']:.0%} {100 * found['low']:.0f}–{100 * found['high']:.0f}"
