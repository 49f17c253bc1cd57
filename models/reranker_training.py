"""Training of the mention re-ranker: cross-entropy over NIL and the linker's candidates, then calibration.

    loss = −log P(truth)                       T = 1, δ = 0; a mention whose entity isn't there is NIL

The epoch whose weights make the loss of the validation examples least is kept, and δ and T then minimise
the same loss on them. Each epoch's weights lie beside the checkpoint, so that a run that was cut off chooses
among the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from scipy.optimize import minimize
from torch import Tensor, nn

from .mention_reranker import CandidateLists, MentionReranker
from .training import Curriculum, TrainingSettings, train

BATCH = 128  # mentions
SCORED_AT_ONCE = 256
WEIGHT_DECAY = 0.1

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class RerankerExamples:
    """Examples whose entities are of no other part.

    Attributes:
        vectors: (V, D) that the lists are rows of.
        training, validation: lists with their truth.
    """

    vectors: Tensor
    training: CandidateLists
    validation: CandidateLists


@dataclass(frozen=True)
class RerankerRecord:
    """What training came to: loss of each epoch on the training and validation examples, in nats.

    Attributes:
        epochs: that were kept.
        calibrated_loss: on the validation examples, with δ and T.
    """

    epochs: int
    training_losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    calibrated_loss: float


def train_reranker(
    examples: RerankerExamples,
    learning_rate: float,
    epochs: int,
    seed: int,
    folder: Path,
    advance: Callable[[int], None],
) -> tuple[MentionReranker, RerankerRecord]:
    """Train one from nothing, or go on with what lies in `folder`.

    Args:
        examples: to learn from, and to choose epochs by.
        learning_rate: AdamW's, at its peak.
        epochs: that are trained; fewer may be kept.
        seed: of the first weights, the examples' order and what is left out.
        folder: for checkpoints.
        advance: called with the number of mentions just learnt from.

    Raises:
        UserError: training diverges.
    """
    model = MentionReranker(examples.vectors.shape[1], seed)
    count, told = len(examples.training), 0

    def advance_and_keep(rows: int) -> None:
        nonlocal told
        told += rows
        kept = _kept(folder, told // count)
        if told % count == 0 and not kept.exists():  # those before a kill are there already
            _keep(model, kept)
        advance(rows)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        record = train(
            model,
            Curriculum(_batches(count, seed), len),
            lambda model, rows: reranker_loss(model, examples.vectors, examples.training.of(rows)),
            TrainingSettings(learning_rate, epochs, weight_decay=WEIGHT_DECAY),
            folder / "training.safetensors",
            advance_and_keep,
        )
    losses = []
    for number in range(1, epochs + 1):
        model.load_state_dict(load_file(_kept(folder, number)))
        losses.append(mean_loss(model, examples.vectors, examples.validation))
    best = int(np.argmin(losses))
    model.load_state_dict(load_file(_kept(folder, best + 1)))
    calibrated = calibrate(model, examples.vectors, examples.validation)
    model.requires_grad_(False)
    return model, RerankerRecord(best + 1, record.losses, tuple(losses), calibrated)


def reranker_loss(model: MentionReranker, vectors: Tensor, lists: CandidateLists) -> Tensor:
    """Mean −log P(truth), uncalibrated."""
    return nn.functional.cross_entropy(model(vectors, lists), _truth(lists))


@torch.no_grad()
def mean_loss(model: MentionReranker, vectors: Tensor, lists: CandidateLists) -> float:
    """The loss over all of the lists, uncalibrated."""
    return float(nn.functional.cross_entropy(scores_of(model, vectors, lists), _truth(lists)))


@torch.no_grad()
def scores_of(model: MentionReranker, vectors: Tensor, lists: CandidateLists) -> Tensor:
    """(n, 1 + K) scores, uncalibrated, some mentions at a time."""
    parts = [
        model(vectors, lists.of(slice(start, start + SCORED_AT_ONCE)))
        for start in range(0, len(lists), SCORED_AT_ONCE)
    ]
    return torch.cat(parts)


def calibrate(model: MentionReranker, vectors: Tensor, lists: CandidateLists) -> float:
    """Set δ and T to what makes the loss on these lists least; that loss.

    T's logarithm is sought, so that no T is negative. Before an example is seen, it and δ are normal
    about 0 with a variance of 1, so that few examples that are all told rightly make nothing certain.
    """
    # What isn't there gets a number: infinity over T has no derivative.
    scores = scores_of(model, vectors, lists).double().clamp(min=-1e6)
    truth = _truth(lists)

    def loss(numbers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = torch.tensor(numbers, requires_grad=True)
        shifted = torch.cat([scores[:, :1] + values[0], scores[:, 1:]], dim=1)
        found = nn.functional.cross_entropy(shifted / values[1].exp(), truth)
        found = found + values.square().sum() / (2 * len(truth))
        found.backward()
        assert values.grad is not None
        return float(found.detach()), values.grad.numpy()

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-10, 10), (-3, 3)])
    with torch.no_grad():
        model.nil_shift.fill_(float(found.x[0]))
        model.temperature.fill_(float(np.exp(found.x[1])))
    return float(found.fun - np.square(found.x).sum() / (2 * len(truth)))


def _batches(count: int, seed: int) -> Callable[[int], Sequence[Numbers]]:
    """The examples of each epoch in an order of its own, the last batch the smallest."""

    def epoch(number: int) -> list[Numbers]:
        order = np.random.default_rng((seed, number)).permutation(count)
        return [order[start : start + BATCH] for start in range(0, count, BATCH)]

    return epoch


def _truth(lists: CandidateLists) -> Tensor:
    if lists.truth is None:
        raise ValueError("nobody knows these mentions' entities")
    return torch.from_numpy(lists.truth)


def _kept(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch}.safetensors"


def _keep(model: MentionReranker, file: Path) -> None:
    beside = file.with_suffix(".writing")
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, beside)
    os.replace(beside, file)
