"""Graph embeddings: seconds an epoch, filtered test MRR, evaluation speed; a race against PyKEEN.

    python benchmarks/embedding.py <folder with train.txt, valid.txt, test.txt>

The files hold head, relation and tail, tab between them. Where PyKEEN can be imported, it trains the
same model (ComplEx with reciprocal relations, 1-vs-all cross-entropy, Adagrad) at the same dimension
and batch size, in turn with ours, and its evaluator and ours rank the same weights. Its batch counts
queries, ours counts triples, so ours takes more steps an epoch. Both directions of each triple are
trained in both.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from infact.models.complex_embedding import ComplEx
from infact.models.link_prediction_training import complex_loss, triple_batches
from infact.models.ranking import rank_triples, ranking_metrics
from infact.models.training import Curriculum, TrainingSettings, train

QUERIES_A_BATCH = 256


@dataclass(frozen=True)
class Dataset:
    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    entity_count: int
    relation_count: int


def read_dataset(folder: Path) -> Dataset:
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


def ignore(count: int) -> None:
    pass


def timed(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def mean_reciprocal_rank(model: ComplEx, data: Dataset) -> tuple[float, float]:
    """Filtered test MRR over both sides, and ranked triples a second."""
    known = np.concatenate((data.training, data.validation, data.test))
    rank = partial(rank_triples, model.tail_scores, model.head_scores, data.test, known)
    seconds, ranks = timed(lambda: rank(QUERIES_A_BATCH, ignore))
    both = np.concatenate((ranks.head, ranks.tail))
    return ranking_metrics(both).mean_reciprocal_rank, len(data.test) / seconds


def ours(data: Dataset, arguments: argparse.Namespace, epochs: int) -> tuple[ComplEx, float]:
    """A trained model and its seconds an epoch."""
    model = ComplEx(data.entity_count, data.relation_count, arguments.rank, seed=0)
    batches = triple_batches(data.training, data.relation_count, arguments.batch_size, seed=0)
    loss = partial(complex_loss, n3=arguments.n3)
    settings = TrainingSettings(
        arguments.learning_rate,
        epochs,
        optimizer="adagrad",
        schedule="constant",
        clip_norm=None,
        checkpoint_steps=10**9,
    )
    curriculum = Curriculum(batches, lambda batch: len(batch.tails))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "training.safetensors"
        seconds, _ = timed(lambda: train(model, curriculum, loss, settings, checkpoint, ignore))
    return model, seconds / epochs


def race(data: Dataset, arguments: argparse.Namespace) -> None:
    """PyKEEN and infact in turn, then both evaluators on PyKEEN's weights."""
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.losses import CrossEntropyLoss
    from pykeen.models import ComplEx as TheirComplEx
    from pykeen.training import LCWATrainingLoop
    from pykeen.triples import CoreTriplesFactory

    def factory(triples: np.ndarray, inverse: bool) -> CoreTriplesFactory:
        return CoreTriplesFactory.create(
            torch.from_numpy(triples),
            num_entities=data.entity_count,
            num_relations=data.relation_count,
            create_inverse_triples=inverse,
        )

    training = factory(data.training, True)
    theirs = TheirComplEx(
        triples_factory=training,
        embedding_dim=arguments.rank,
        loss=CrossEntropyLoss(),
        random_seed=0,
    )
    optimizer = torch.optim.Adagrad(theirs.parameters(), lr=arguments.learning_rate)
    loop = LCWATrainingLoop(model=theirs, triples_factory=training, optimizer=optimizer)
    ratios = []
    for turn in range(1, arguments.turns + 1):
        train = partial(loop.train, training, num_epochs=turn, batch_size=arguments.batch_size)
        theirs_seconds, _ = timed(lambda: train(use_tqdm=False, continue_training=True))  # noqa: B023
        _, ours_seconds = ours(data, arguments, 1)
        ratios.append(ours_seconds / theirs_seconds)
        print(f"epoch: PyKEEN {theirs_seconds:.2f} s, infact {ours_seconds:.2f} s")
    print(f"seconds an epoch, infact / PyKEEN: {np.median(ratios):.3f} (median of {len(ratios)})")

    known = np.concatenate((data.training, data.validation, data.test))
    filters = [torch.from_numpy(data.training), torch.from_numpy(data.validation)]
    evaluate = partial(
        RankBasedEvaluator(filtered=True).evaluate,
        theirs,
        torch.from_numpy(data.test),
        batch_size=QUERIES_A_BATCH,
        additional_filter_triples=filters,
        use_tqdm=False,
    )
    theirs_seconds, result = timed(evaluate)

    def tails(heads: torch.Tensor, relations: torch.Tensor) -> torch.Tensor:
        return theirs.predict_t(torch.stack((heads, relations), dim=1)).clone()

    def heads(tails: torch.Tensor, relations: torch.Tensor) -> torch.Tensor:
        return theirs.predict_h(torch.stack((relations, tails), dim=1)).clone()

    ours_seconds, ranks = timed(
        lambda: rank_triples(tails, heads, data.test, known, QUERIES_A_BATCH, ignore)
    )
    mine = ranking_metrics(np.concatenate((ranks.head, ranks.tail)))
    their_rank = result.get_metric("both.realistic.arithmetic_mean_rank")
    their_reciprocal = result.get_metric("both.realistic.inverse_harmonic_mean_rank")
    print(
        f"PyKEEN's weights: MRR {their_reciprocal:.6f} by its evaluator, {mine.mean_reciprocal_rank:.6f} by ours"
    )
    print(
        f"PyKEEN's weights: mean rank {their_rank:.4f} by its evaluator, {mine.mean_rank:.4f} by ours"
    )
    print(
        f"ranked triples a second: PyKEEN {len(data.test) / theirs_seconds:.0f}, infact {len(data.test) / ours_seconds:.0f}"
    )
    print(f"ranking speed, infact / PyKEEN: {theirs_seconds / ours_seconds:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rank", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--n3", type=float, default=0.01)
    parser.add_argument("--turns", type=int, default=3, help="epochs of the race")
    arguments = parser.parse_args()
    data = read_dataset(arguments.folder)
    names = [name for name in ("torch", "numpy", "pykeen") if find_spec(name)]
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"{versions}; {torch.get_num_threads()} threads of {os.cpu_count()} cores")
    print(f"{len(data.training):,} triples, {data.entity_count:,} entities; {vars(arguments)}")
    model, seconds = ours(data, arguments, arguments.epochs)
    reciprocal, rate = mean_reciprocal_rank(model, data)
    print(f"infact: filtered test MRR {reciprocal:.4f} after {arguments.epochs} epochs")
    print(f"infact: {seconds:.2f} s an epoch; {rate:,.0f} ranked triples a second")
    if find_spec("pykeen"):
        race(data, arguments)
    else:
        print("PyKEEN isn't installed: no race")


if __name__ == "__main__":
    main()
