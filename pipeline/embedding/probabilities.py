"""From scores to probabilities that hold: learnt on validation, and held against the test.

Each (head, relation) of a side is asked for tails that aren't known before that side; the likeliest ones
are true or not by the side's triples. What is true by the other side is left out. It says how likely an
answer is where there is one to be found: that an entity lacks a fact is no sign that there is one.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ...models.embedding_model import EmbeddingModel
from ...models.platt_scaling import PlattScale, fit_platt_scale
from ...models.ranking import KnownTails
from ...models.tail_prediction import predict_tails, tails_by_relation
from ..console import Advance, Console
from ..measures.calibration import calibration
from .embedded_triples import EmbeddedTriples, Int32

ANSWERS = 5  # of each question, that the scale is learnt from
FEWEST = 50  # questions; fewer say nothing about probabilities


@dataclass(frozen=True)
class Answers:
    """Predicted triples (k, 3), the model's own log-probability of each in nats, and which are true."""

    triples: Int32
    log_probability: NDArray[np.float64]
    true: NDArray[np.bool_]


@dataclass(frozen=True)
class Probabilities:
    """The scale, and how well it holds on the test; of either nothing where there is too little."""

    scale: PlattScale | None
    metrics: dict[str, object] | None


def learn_probabilities(
    model: EmbeddingModel, triples: EmbeddedTriples, seed: int, console: Console
) -> Probabilities:
    """Fit on validation, measure on test."""
    questions = len(_questions(triples.valid)), len(_questions(triples.test))
    if questions[0] < FEWEST:
        console.line(
            f"no probabilities: {questions[0]} questions of validation are too few to learn them from"
        )
        return Probabilities(None, None)
    with console.progress("learning probabilities", sum(questions), "questions") as advance:
        fitted = _answers(model, triples, triples.valid, triples.test, triples.train, advance)
        if not len(fitted.true):
            return Probabilities(None, None)
        scale = fit_platt_scale(
            fitted.log_probability, fitted.triples[:, 1], fitted.true, len(triples.relations)
        )
        known = np.concatenate((triples.train, triples.valid))
        asked = _answers(model, triples, triples.test, known[:0], known, advance)
    return Probabilities(scale, _metrics(scale, asked, questions[1], seed))


def _questions(side: Int32) -> Int32:
    """(q, 2) each head and relation once."""
    return np.unique(side[:, :2], axis=0)


def _answers(
    model: EmbeddingModel,
    triples: EmbeddedTriples,
    side: Int32,
    left_out: Int32,
    known: Int32,
    advance: Advance,
) -> Answers:
    """The likeliest tails of the side's questions.

    Args:
        side: triples that say what is true.
        left_out: triples that are no answers, true as they are.
        known: what training, or the side before, says already.
    """
    questions = _questions(side).astype(np.int64)
    found = predict_tails(
        model,
        questions[:, 0],
        questions[:, 1],
        tails_by_relation(triples.train, len(triples.relations)),
        KnownTails.of(np.concatenate((known, left_out))),
        ANSWERS,
        advance,
    )
    told = np.column_stack((questions[found.query], found.tail))
    true = set(map(tuple, side.tolist()))
    right = np.array([tuple(row) in true for row in told.tolist()], dtype=bool)
    return Answers(told, found.log_probability, right)


def _metrics(
    scale: PlattScale, asked: Answers, questions: int, seed: int
) -> dict[str, object] | None:
    """Of every answer, and apart of each question's likeliest one."""
    if not len(asked.true):
        return None
    likely = scale.probabilities(asked.log_probability, asked.triples[:, 1])
    _, first = np.unique(asked.triples[:, :2], axis=0, return_index=True)
    held = calibration(likely, asked.true.astype(float), asked.triples[:, 0], seed)
    return {
        "questions": questions,
        "answers": len(likely),
        "right": float(asked.true.mean()),
        "mean_probability": float(likely.mean()),
        "likeliest_right": float(asked.true[first].mean()),
        "likeliest_mean_probability": float(likely[first].mean()),
        "expected_calibration_error": held.error.estimate,
        "low": held.error.low,
        "high": held.error.high,
        "brier": held.brier.estimate,
        "bins": [asdict(each) for each in held.bins],
    }
