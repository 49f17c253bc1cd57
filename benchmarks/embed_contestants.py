"""The contestants of `embed.py`, each in a process of its own that does its next part when it is told.

    python embed_contestants.py PyKEEN|infact <job as JSON>

Without weights the job is to train, an epoch a line of input, and then to rank the test triples; with
weights, to rank by those. Each part is answered by a line of JSON.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

CONTESTANTS = ("PyKEEN", "infact")
QUERIES_A_BATCH = 256  # of ranking, in both
TURNS = 3  # of ranking: the first fills caches


@dataclass(frozen=True)
class Job:
    folder: str
    settings: dict[str, Any]  # of EmbeddingSettings
    batch_size: int  # PyKEEN's: queries with LCWA, triples with sLCWA
    work: str  # where weights and ranks are left
    weights: str  # file to rank by; empty: train first


@dataclass(frozen=True)
class Dataset:
    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    entity_count: int
    relation_count: int

    @property
    def known(self) -> np.ndarray:
        return np.concatenate((self.training, self.validation, self.test))


def read_dataset(folder: Path) -> Dataset:
    """From train.txt, valid.txt and test.txt, or from what `infact embed --out` made."""
    if (folder / "triples.parquet").exists():
        return embedded_dataset(folder)
    rows = {
        split: [line.split("\t") for line in (folder / f"{split}.txt").read_text().splitlines()]
        for split in ("train", "valid", "test")
    }
    every = [row for split in rows.values() for row in split]
    entities = {
        iri: n for n, iri in enumerate(sorted({iri for h, _, t in every for iri in (h, t)}))
    }
    relations = {iri: n for n, iri in enumerate(sorted({r for _, r, _ in every}))}
    splits = [
        np.array([(entities[h], relations[r], entities[t]) for h, r, t in rows[split]])
        for split in ("train", "valid", "test")
    ]
    return Dataset(*splits, len(entities), len(relations))


def embedded_dataset(folder: Path) -> Dataset:
    table = pq.read_table(folder / "triples.parquet")
    columns = [table[name].to_numpy() for name in ("head", "relation", "tail")]
    rows, split = np.stack(columns, axis=1).astype(np.int64), np.array(table["split"].to_pylist())
    counts = (
        pq.read_metadata(folder / f"{kind}.parquet").num_rows for kind in ("entities", "relations")
    )
    return Dataset(*(rows[split == name] for name in ("train", "valid", "test")), *counts)


class Stopwatch:
    """Waits for a word before each part, and says what the part took."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        if not sys.stdin.readline():
            sys.exit()
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def end(self, **more: float) -> None:
        seconds, busy = time.perf_counter() - self.wall, time.process_time() - self.busy
        answer = {"seconds": seconds, "processor_seconds": busy, **more}
        print(json.dumps(answer), file=ANSWERS, flush=True)

    def next(self) -> None:
        self.end()
        self.begin()


def resident_mib() -> float:
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) / 1024


def peak_mib() -> float:
    """Since `forget_peak`."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def mean_reciprocal(ranks: np.ndarray) -> float:
    return float(np.mean(1 / ranks))


def rank_and_tell(
    watch: Stopwatch, rank: Callable[[], np.ndarray], training_mib: float
) -> np.ndarray:
    """The ranks (2, n) of heads and tails, with how fast (the fastest of `TURNS`) and in what memory.

    Seconds are the processors', which other work on the machine leaves as they are.
    """
    before = resident_mib()
    forget_peak()
    seconds = []
    for _ in range(TURNS):
        started = time.process_time()
        ranks = rank()
        seconds.append(time.process_time() - started)
    watch.end(
        mrr=mean_reciprocal(ranks),
        ranked_a_second=ranks.shape[1] / min(seconds),
        training_mib=training_mib,
        ranking_mib=peak_mib() - before,
    )
    return ranks


def infact_contestant(job: Job, data: Dataset) -> None:
    from infact.models.embedding_base import EmbeddingModel
    from infact.models.embedding_model import new_model
    from infact.models.embedding_settings import EmbeddingSettings
    from infact.models.embedding_training import train_embedding
    from infact.models.ranking import rank_triples

    settings = EmbeddingSettings(**job.settings)

    def rank(model: EmbeddingModel) -> np.ndarray:
        scores = model.tail_scores, model.head_scores
        found = rank_triples(*scores, data.test, data.known, QUERIES_A_BATCH, lambda count: None)
        return np.stack((found.head, found.tail))

    if job.weights:
        model = new_model(settings, data.entity_count, data.relation_count, seed=0)
        with np.load(job.weights, allow_pickle=False) as weights:
            model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})
        ranks = rank_and_tell(Stopwatch(), lambda: rank(model), 0.0)
        np.save(Path(job.work) / "infact.npy", ranks)
        return
    epoch, done, base = 2 * len(data.training), 0, resident_mib()
    watch = Stopwatch()
    forget_peak()

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if done % epoch == 0 and done < epoch * settings.epochs:
            watch.next()

    with tempfile.TemporaryDirectory() as folder:
        trained = train_embedding(
            data.training,
            data.validation[:0],
            data.entity_count,
            data.relation_count,
            settings,
            0,
            Path(folder) / "checkpoint.safetensors",
            advance,
        )
    training = peak_mib() - base
    watch.next()
    rank_and_tell(watch, lambda: rank(trained.model), training)


def pykeen_model(job: Job, data: Dataset) -> tuple[Any, Any]:
    """The model and the factory of its training triples."""
    from pykeen.losses import CrossEntropyLoss, NSSALoss
    from pykeen.models import ComplEx, DistMult, RotatE, TransE
    from pykeen.triples import CoreTriplesFactory

    settings = job.settings
    factory = CoreTriplesFactory.create(
        torch.from_numpy(data.training),
        num_entities=data.entity_count,
        num_relations=data.relation_count,
        create_inverse_triples=True,
    )
    start = partial(torch.nn.init.normal_, std=settings["initial_scale"])
    loss = CrossEntropyLoss()
    if settings["loss"] == "negative_sampling":
        loss = NSSALoss(settings["margin"], settings["adversarial_temperature"])
    common = {
        "triples_factory": factory,
        "loss": loss,
        "random_seed": 0,
        "entity_initializer": start,
    }
    width = settings["dimension"]
    if settings["model"] == "transe":
        own = {"scoring_fct_norm": 2, "entity_constrainer": None, "relation_initializer": start}
        return TransE(embedding_dim=width, **own, **common), factory
    if settings["model"] == "distmult":
        own = {"regularizer": None, "entity_constrainer": None, "relation_initializer": start}
        return DistMult(embedding_dim=width, **own, **common), factory
    if settings["model"] == "complex":
        own = {"regularizer": None, "relation_initializer": start}
        return ComplEx(embedding_dim=width // 2, **own, **common), factory
    return RotatE(embedding_dim=width // 2, **common), factory


def exported(model: Any, name: str) -> dict[str, np.ndarray]:
    """Its tables as ours: complex numbers as real and imaginary parts, reciprocals behind relations."""
    entity = model.entity_representations[0](indices=None).detach()
    both = model.relation_representations[0](indices=None).detach()
    relation = torch.cat((both[0::2], both[1::2]))  # PyKEEN lays each inverse beside its relation
    if name == "rotate":
        relation = relation.angle()
    tables = {"entity": entity, "relation": relation}
    return {
        key: (torch.cat((table.real, table.imag), dim=1) if table.is_complex() else table).numpy()
        for key, table in tables.items()
    }


def pykeen_contestant(job: Job, data: Dataset) -> None:
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop
    from pykeen.training.callbacks import TrainingCallback

    settings = job.settings
    model, factory = pykeen_model(job, data)

    def rank() -> np.ndarray:
        evaluator = RankBasedEvaluator(filtered=True, clear_on_finalize=False)
        evaluator.evaluate(
            model,
            torch.from_numpy(data.test),
            batch_size=QUERIES_A_BATCH,
            additional_filter_triples=[
                torch.from_numpy(data.training),
                torch.from_numpy(data.validation),
            ],
            use_tqdm=False,
        )
        sides = (evaluator.ranks[side, "realistic"] for side in ("head", "tail"))
        return np.stack([np.concatenate(side) for side in sides])

    state = Path(job.work) / "pykeen.pt"
    if job.weights:
        model.load_state_dict(torch.load(state, weights_only=True))
        ranks = rank_and_tell(Stopwatch(), rank, 0.0)
        np.save(Path(job.work) / "PyKEEN.npy", ranks)
        return
    kind = {"adam": torch.optim.Adam, "adagrad": torch.optim.Adagrad}[settings["optimizer"]]
    optimizer = kind(model.parameters(), lr=settings["learning_rate"])
    make: Callable[..., Any] = LCWATrainingLoop
    if settings["loss"] == "negative_sampling":
        own = {"num_negs_per_pos": settings["negatives"], "corruption_scheme": ("tail",)}
        make = partial(SLCWATrainingLoop, negative_sampler="basic", negative_sampler_kwargs=own)
    loop = make(model=model, triples_factory=factory, optimizer=optimizer)
    base = resident_mib()
    watch = Stopwatch()
    forget_peak()

    class Turns(TrainingCallback):
        def post_epoch(self, epoch: int, epoch_loss: float, **_: Any) -> None:
            if epoch < settings["epochs"]:
                watch.next()

    loop.train(
        factory,
        num_epochs=settings["epochs"],
        batch_size=job.batch_size,
        use_tqdm=False,
        callbacks=Turns(),
    )
    training = peak_mib() - base
    watch.next()
    torch.save(model.state_dict(), state)
    np.savez(Path(job.work) / "weights.npz", **exported(model, settings["model"]))
    rank_and_tell(watch, rank, training)


def main() -> None:
    name, job = sys.argv[1], Job(**json.loads(sys.argv[2]))
    data = read_dataset(Path(job.folder))
    {"PyKEEN": pykeen_contestant, "infact": infact_contestant}[name](job, data)


if __name__ == "__main__":
    ANSWERS = sys.stdout
    sys.stdout = sys.stderr  # what libraries say is no answer
    main()
