"""`infact update` on a graph of which a share of the taught facts was changed.

    python benchmarks/update.py PROJECT [--changed 0.25] [--removed 0.05] [--json FILE]

PROJECT is a project file whose stages ingest, base, facts, link and pretrain have been made; copies of
what is made here lie beside its artifacts. Its graph is written as N-Quads, with another object for the
answers of some taught facts (one of their wrong options) and nothing for some others, by the project's
seed; that is ingested and the pretrained model updated. Printed are what `infact update` says, and how
long it took beside the pretraining that it goes on from.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from infact.kg.graph import KnowledgeGraph
from infact.pipeline.artifacts import newest_manifest
from infact.pipeline.console import Console
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts, run_stages
from infact.pipeline.settings.sources import SourceTable
from infact.pipeline.updating.update import update
from pyoxigraph import RdfFormat

STAGES = ("ingest", "base", "facts", "link", "pretrain")
Line = tuple[str, str]  # how a line begins, and its object


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--changed", type=float, default=0.25)
    parser.add_argument("--removed", type=float, default=0.05)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    folders = existing_artifacts(project, STAGES)
    print(
        f"python {platform.python_version()}, torch {version('torch')}, transformers "
        f"{version('transformers')}, peft {version('peft')}"
    )
    graph = KnowledgeGraph.open(folders["ingest"])
    edits = _edits(project, graph, folders["facts"], arguments.changed, arguments.removed)
    with tempfile.TemporaryDirectory() as temporary:
        edited = Path(temporary) / "edited.nq"
        write_edited(graph, edits, edited)
        newer = project.model_copy(update={"source": (SourceTable(path=str(edited)),)})
        run_stages(newer, ["ingest"], Console())
        update(newer, Console())
    pretrained, updated = (
        newest_manifest(project.artifacts_folder, stage) for stage in ("pretrain", "update")
    )
    if pretrained is None or updated is None:
        raise SystemExit("nothing was updated")
    seconds = [manifest.recorded["seconds"] for manifest in (pretrained, updated)]
    print(
        f"pretraining took {seconds[0]:.0f} s, the update {seconds[1]:.0f} s with both examinations"
    )
    if arguments.json:
        folder = project.artifacts_folder / "update" / updated.recipe.key
        found = json.loads((folder / "update.json").read_text(encoding="utf-8"))
        arguments.json.write_text(json.dumps({**found, "seconds": seconds}, indent=1) + "\n")


def _edits(
    project: Project, graph: KnowledgeGraph, facts: Path, changed: float, removed: float
) -> dict[Line, str | None]:
    """By what a line tells, the object that it tells instead; None for no line."""
    rows = pq.read_table(facts / "facts.parquet").to_pylist()
    taught = [row for row in rows if row["pool"] == "T"]
    random = np.random.default_rng([project.seed, 127])
    order = random.permutation(len(taught))
    first, last = round(changed * len(taught)), round((changed + removed) * len(taught))
    edits: dict[Line, str | None] = {}
    for place, number in enumerate(order[:last]):
        edits |= _edit(graph, taught[number], random if place < first else None)
    return edits


def _edit(
    graph: KnowledgeGraph, row: Mapping[str, Any], random: np.random.Generator | None
) -> dict[Line, str | None]:
    begins = f"<{row['subject_iri']}> <{row['predicate_iri']}> "
    if random is None:
        return {(begins, f"<{graph.iri(entity)}>"): None for entity in row["objects"]}
    entities, correct = row["option_entities"], row["correct"]
    wrong = [entity for place, entity in enumerate(entities) if place != correct]
    new = graph.iri(wrong[int(random.integers(len(wrong)))])
    return {(begins, f"<{graph.iri(entities[correct])}>"): f"<{new}>"}


def write_edited(graph: KnowledgeGraph, edits: Mapping[Line, str | None], path: Path) -> None:
    """The graph as N-Quads with those lines changed or left out."""
    whole = path.with_suffix(".whole")
    graph.store().dump(str(whole), RdfFormat.N_QUADS)
    begins = {line for line, _ in edits}
    with whole.open(encoding="utf-8") as told, path.open("w", encoding="utf-8") as out:
        for line in told:
            subject, predicate, rest = line.split(" ", 2)
            key = f"{subject} {predicate} "
            if key in begins:
                entity, _, end = rest.partition(" ")
                new = edits.get((key, entity), entity)
                if new is None:
                    continue
                line = f"{key}{new} {end}"
            out.write(line)


if __name__ == "__main__":
    main()
