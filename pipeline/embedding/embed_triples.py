"""`infact embed --graph DIR` or `--triples FOLDER`: vectors of their own, without a project.

Work lies in `OUT.partial/` until it is whole, training's checkpoint with it, so that a run that was
killed goes on, to the same bytes. What `OUT` holds is kept where it would come out the same.
"""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...models.embedding_settings import EmbeddingSettings
from ...models.embedding_training import TrainedEmbedding, train_embedding, units
from ...models.table_storage import IN_MEMORY, InFiles, TableStorage
from ...models.text_start import entity_start
from .. import machine
from ..artifacts import RESUME, Manifest, Recipe, locked, publish_folder, read_manifest
from ..console import Console, duration
from ..scale_file import write_scale
from .embedded_triples import EmbeddedTriples
from .entity_texts import NamedEncoder, Vectors, text_vectors
from .evaluation import evaluate
from .folder_triples import folder_triples
from .graph_triples import graph_triples
from .memory_estimate import tables_in_files
from .metrics_lines import metrics_lines
from .new_entities import measure_text_map, write_text_map
from .probabilities import learn_probabilities
from .settings_file import written_settings
from .triples_source import FolderSource, GraphSource, TriplesSource
from .vectors_folder import METRICS, RANKS, SETTINGS, write_json, write_vectors

STAGE = "embed alone"  # as manifests call it
VERSION = 1  # raised when the same settings give another result
JOB = f"{RESUME}/job"  # in the partial folder: the key of what is being made


@dataclass(frozen=True)
class TriplesToEmbed:
    """What is asked for.

    Attributes:
        source: of the triples.
        out: folder to make.
        settings: of model and training.
        seed: of the model's start, the order of training, splits and samples.
        sampled: test triples to rank; 0 ranks all.
        restart: make it anew, whatever is there.
    """

    source: TriplesSource
    out: Path
    settings: EmbeddingSettings
    seed: int = 0
    sampled: int = 0
    restart: bool = False

    def recipe(self) -> Recipe:
        chosen, digests = self.source.recipe()
        kind = type(self.source).__name__
        settings = {**asdict(self.settings), **chosen, "source": kind, "sampled": self.sampled}
        return Recipe(STAGE, VERSION, settings, self.seed, digests)


def embed_triples(asked: TriplesToEmbed, console: Console) -> None:
    """Train, measure, write, and say what came of it.

    Raises:
        UserError: the triples can't be read or embedded, training diverges, there is too little memory,
            or `out` holds something else.
    """
    _check_out(asked.out)
    recipe = asked.recipe()
    with locked(asked.out.with_name(f"{asked.out.name}.lock"), str(asked.out)):
        manifest = _kept(asked, recipe)
        kept = manifest is not None
        if manifest is None:
            manifest = _make(asked, recipe, console)
    metrics = json.loads((asked.out / METRICS).read_text(encoding="utf-8"))
    if kept:
        console.line(f"kept: {asked.out} holds what comes of these settings and triples")
    for line in metrics_lines(metrics, manifest.recorded):
        console.line(line)
    console.result(_result(metrics, manifest.recorded, asked.out, kept))


def _check_out(out: Path) -> None:
    where, parent = f"--out {out}", out.resolve().parent
    if not parent.is_dir():
        raise UserError("there is no such folder", str(parent), "make it, or name another --out")
    if not os.access(parent, os.W_OK):
        raise UserError("the folder can't be written", str(parent), "name another --out")
    if out.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise UserError("this is the folder that you are in", where, "name a folder below it")
    there = read_manifest(out)
    ours = there is not None and there.recipe.stage == STAGE
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not ours):
        problem = "it holds something else than vectors that infact embed has made"
        raise UserError(problem, where, "name a folder that is new")


def _kept(asked: TriplesToEmbed, recipe: Recipe) -> Manifest | None:
    """What is there already, where it is the same.

    Raises:
        UserError: it is of other settings or triples, and isn't to be made anew.
    """
    there = read_manifest(asked.out)
    if there is None or asked.restart:
        return None
    if there.recipe.key == recipe.key:
        return there
    differs = ", ".join(_differences(there.recipe, recipe))
    fix = "name another --out, or have it made anew by --restart"
    raise UserError(
        f"vectors of other settings or triples are there: {differs}", str(asked.out), fix
    )


def _differences(before: Recipe, now: Recipe) -> list[str]:
    """What isn't the same, in words."""
    old, new = (
        {**each.settings, "seed": each.seed, "version": each.version} for each in (before, now)
    )
    files = {**before.inputs, **now.inputs}
    return [
        *(
            f"{key} {old.get(key)} → {new.get(key)}"
            for key in {**old, **new}
            if old.get(key) != new.get(key)
        ),
        *(f"{name} changed" for name in files if before.inputs.get(name) != now.inputs.get(name)),
    ]


def _make(asked: TriplesToEmbed, recipe: Recipe, console: Console) -> Manifest:
    started = time.monotonic()
    machine.reset_peak_memory()
    triples = _read(asked, console)
    encoded = isinstance(asked.source, GraphSource) and bool(asked.source.encoder)
    folder = asked.out.resolve().parent
    in_files = tables_in_files(asked.settings, triples, encoded, folder, console)
    work = _work_folder(asked, recipe, console)
    checkpoint = work / RESUME / "training.safetensors"
    resumed = checkpoint.exists()
    texts = _texts(asked.source, triples, console)
    storage = _table_files(work) if in_files else IN_MEMORY
    trained = _trained(asked, triples, texts, checkpoint, storage, console)
    write_vectors(work, triples, trained.model)
    evaluation = evaluate(trained.model, triples, asked.sampled, asked.seed, console)
    pq.write_table(evaluation.ranks, work / RANKS)
    probabilities = learn_probabilities(trained.model, triples, asked.seed, console)
    write_scale(work, probabilities.scale)
    measured = {"evaluation": evaluation.metrics, "probabilities": probabilities.metrics}
    if texts is not None:
        write_text_map(work, trained.model, texts.vectors, texts.encoder)
        measured["new_entities"] = measure_text_map(
            trained.model, triples, texts.vectors, asked.seed, console
        )
    write_json(work / METRICS, {**_described(asked, triples, trained), **measured})
    (work / SETTINGS).write_text(written_settings(asked.settings), encoding="utf-8")
    recorded = {
        "seconds": round(time.monotonic() - started, 3),
        "seconds_per_epoch": None if resumed else _seconds_per_epoch(trained),
        "evaluation_triples_per_second": round(evaluation.ranks.num_rows / evaluation.seconds, 1),
        "peak_mib": round(machine.peak_memory_bytes() / 2**20, 1),
        "packages": machine.package_versions(),
        "device": machine.device_name(),
    }
    manifest = publish_folder(work, asked.out, recipe, recorded)
    console.line(f"{asked.out} in {duration(recorded['seconds'])}")
    return manifest


def _read(asked: TriplesToEmbed, console: Console) -> EmbeddedTriples:
    if isinstance(asked.source, FolderSource):
        return folder_triples(asked.source, console)
    return graph_triples(asked.source, asked.seed, console)


@dataclass(frozen=True)
class _Texts:
    """The encoder, and its vectors (E, G) of the entities' texts."""

    encoder: NamedEncoder
    vectors: Vectors


def _texts(source: TriplesSource, triples: EmbeddedTriples, console: Console) -> _Texts | None:
    if isinstance(source, FolderSource) or not source.encoder:
        return None
    encoder = NamedEncoder.of(source.encoder)
    graph = KnowledgeGraph.open(source.folder)
    return _Texts(encoder, text_vectors(graph, triples.entity_ids.tolist(), encoder, console))


def _work_folder(asked: TriplesToEmbed, recipe: Recipe, console: Console) -> Path:
    """The partial folder, with what an earlier run of the same job left there.

    Raises:
        UserError: there is a folder of that name that no such run has made.
    """
    work = asked.out.with_name(f"{asked.out.name}.partial")
    job = work / JOB
    if work.exists() and not ((work / RESUME).is_dir() or (work / SETTINGS).exists()):
        problem = "it isn't the work of an unfinished run, and one would need this name"
        raise UserError(problem, str(work), "move it away, or name another --out")
    left = job.read_text(encoding="utf-8") if job.exists() else ""
    if work.exists() and (left != recipe.key or asked.restart):
        if left and left != recipe.key:
            console.line("what an unfinished run of other settings left here is dropped")
        shutil.rmtree(work)
    elif left:
        console.line("going on with what an unfinished run left here")
    job.parent.mkdir(parents=True, exist_ok=True)
    job.write_text(recipe.key, encoding="utf-8")
    return work


def _table_files(work: Path) -> InFiles:
    """Beside the checkpoint, from which they are filled again."""
    folder = work / RESUME / "tables"
    folder.mkdir(exist_ok=True)
    return InFiles(folder)


def _trained(
    asked: TriplesToEmbed,
    triples: EmbeddedTriples,
    texts: _Texts | None,
    checkpoint: Path,
    storage: TableStorage,
    console: Console,
) -> TrainedEmbedding:
    settings = asked.settings
    total = units(triples.train, settings)
    start = None
    if texts is not None:
        start = entity_start(texts.vectors, settings.dimension, settings.initial_scale, asked.seed)
    with console.progress("training vectors, both directions", total, "triples") as advance:
        return train_embedding(
            triples.train,
            triples.valid,
            len(triples.entities),
            len(triples.relations),
            settings,
            asked.seed,
            checkpoint,
            advance,
            entity_start=start,
            storage=storage,
        )


def _described(
    asked: TriplesToEmbed, triples: EmbeddedTriples, trained: TrainedEmbedding
) -> dict[str, object]:
    """What was trained on what, for metrics.json."""
    training = {
        "epochs": len(trained.record.losses),
        "best_epoch": trained.best_epoch,
        "losses": list(trained.record.losses),
        "validation": [
            {"epoch": epoch, "mean_reciprocal_rank": mrr} for epoch, mrr in trained.validation
        ],
    }
    return {
        "model": asked.settings.model,
        "dimension": asked.settings.dimension,
        "seed": asked.seed,
        "data": triples.described(),
        "training": training,
    }


def _seconds_per_epoch(trained: TrainedEmbedding) -> float:
    """Validations among them."""
    return round(trained.seconds / max(1, len(trained.record.losses)), 3)


def _result(
    metrics: Mapping[str, Any], recorded: Mapping[str, Any], out: Path, kept: bool
) -> dict[str, object]:
    """What `--json` prints: the figures that are looked for first, and then everything."""
    both = metrics["evaluation"]["both"]
    return {
        "folder": str(out),
        "kept": kept,
        "mrr": both["mean_reciprocal_rank"],
        "hits": {str(k): both[f"hits_at_{k}"] for k in (1, 3, 10)},
        **{
            name: recorded[name]
            for name in ("seconds_per_epoch", "evaluation_triples_per_second", "peak_mib")
        },
        **metrics,
    }
