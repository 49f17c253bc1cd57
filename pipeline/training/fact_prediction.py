"""Facts that the graph lacks and its embeddings expect, and how likely each is to be true.

An entity is asked for those relations that entities like it have. What the embeddings answer is scaled
to probabilities on facts that were held out of training: each (subject, relation) of them whole, as a
fact that the graph lacks is lacking.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...models.embedding_base import EmbeddingModel
from ...models.platt_scaling import PlattScale, fit_platt_scale
from ...models.ranking import KnownTails
from ...models.tail_prediction import predict_tails, tails_by_relation
from ..console import Console
from ..measures.calibration import calibration
from ..settings.training import PREDICTED_OBJECTS
from .local_graph import LocalGraph

COMMON = 0.1  # share of the entities alike that makes a relation expected
HELD_OUT = 0.03  # of the (subject, relation) pairs, and at most so many:
MOST_HELD_OUT = 500
FEWEST_HELD_OUT = 50  # fewer say nothing about probabilities
# An entity is asked for relations of which it has no object, or none that was trained.
NOTHING_KNOWN = KnownTails.of(np.empty((0, 3), dtype=np.int64))

PREDICTED_SCHEMA = pa.schema(
    [
        ("subject", pa.int32()),
        ("relation", pa.int32()),
        ("object", pa.int32()),
        ("probability", pa.float32()),
    ]
)


@dataclass(frozen=True)
class HeldOut:
    """What is kept from training so that predictions can be held against it.

    Attributes:
        training: (n, 3) triples that are left to train.
        asked: (q, 2) head and relation whose tails are all held out; empty where there are too few.
        triples: (m, 3) those of `asked`.
    """

    training: np.ndarray
    asked: np.ndarray
    triples: np.ndarray


def held_out(triples: np.ndarray, asked_relations: np.ndarray, seed: int) -> HeldOut:
    """Draw (head, relation) pairs, and hold out with each all that would tell of them.

    Args:
        triples: (n, 3) that could be trained.
        asked_relations: those whose facts are predicted.
        seed: of the draw.
    """
    pairs = np.unique(triples[np.isin(triples[:, 1], asked_relations)][:, :2], axis=0)
    count = min(MOST_HELD_OUT, int(HELD_OUT * len(pairs)))
    if count < FEWEST_HELD_OUT:
        return HeldOut(triples, pairs[:0], triples[:0])
    random = np.random.default_rng([seed, 59])
    asked = pairs[np.sort(random.choice(len(pairs), count, replace=False))]
    width = int(triples.max()) + 1
    own = np.isin(triples[:, 0] * width + triples[:, 1], asked[:, 0] * width + asked[:, 1])
    # An inverse or a duplicate of the relation would tell the fact.
    ends = triples[own, 0] * width + triples[own, 2]
    there = triples[:, 0] * width + triples[:, 2]
    back = triples[:, 2] * width + triples[:, 0]
    gone = own | np.isin(there, ends) | np.isin(back, ends)
    return HeldOut(triples[~gone], asked, triples[own])


def lacking(stated: np.ndarray, entities: int, relations: int, asked: np.ndarray) -> np.ndarray:
    """(q, 2) each entity with each of the `asked` relations that it lacks and that those alike have.

    Of the heads of every relation that the entity has, at least `COMMON` have the lacking one too. One
    such relation isn't enough: what both diseases and terms have would give a disease a term's creator.

    Args:
        stated: (n, 2) head and relation of all that is known.
        entities, relations: how many there are.
        asked: relations that may be predicted.
    """
    has = np.zeros((entities, relations), dtype=np.float32)
    has[stated[:, 0], stated[:, 1]] = 1
    both = has.T @ has
    leads = both >= COMMON * np.maximum(np.diag(both), 1)[:, None]  # first relation to second
    known = has.any(axis=1, keepdims=True)  # an entity that is no head is like none
    expected = known & (has @ (~leads).astype(np.float32) == 0) & (has == 0)
    return np.argwhere(expected & np.isin(np.arange(relations), asked))


def predicted_facts(
    model: EmbeddingModel,
    local: LocalGraph,
    held: HeldOut,
    asked_relations: np.ndarray,
    scale: PlattScale | None,
    console: Console,
) -> pa.Table:
    """Rows of `PREDICTED_SCHEMA`, by subject and relation, the likeliest object first.

    Args:
        model: trained on what `held` left.
        local: whose rows the model's are.
        held: what was left to train, and what was kept from it.
        asked_relations: those whose facts are predicted.
        scale: of `fitted_scale`; without one, nothing is predicted.
        console: where it is said how many.
    """
    if scale is None:
        console.line("nothing is predicted: there are too few facts to learn probabilities from")
        return PREDICTED_SCHEMA.empty_table()
    entities, relations = len(local.entity_ids), len(local.relation_ids)
    ranges = tails_by_relation(held.training, relations)
    asked = lacking(local.stated, entities, relations, asked_relations)
    with console.progress("predicting missing facts", len(asked), "queries") as advance:
        found = predict_tails(
            model, asked[:, 0], asked[:, 1], ranges, NOTHING_KNOWN, PREDICTED_OBJECTS, advance
        )
    own = asked[found.query]
    likely = scale.probabilities(found.log_probability, own[:, 1])
    order = np.lexsort((-likely, own[:, 1], own[:, 0]))
    tails = local.entity_ids[found.tail]
    columns = (local.entity_ids[own[:, 0]], local.relation_ids[own[:, 1]], tails, likely)
    return pa.table([column[order] for column in columns], names=PREDICTED_SCHEMA.names).cast(
        PREDICTED_SCHEMA
    )


def fitted_scale(model: EmbeddingModel, held: HeldOut, relation_count: int) -> PlattScale | None:
    """The scale of what the model predicts for what was held out, by whether it is true.

    None where nothing was held out.
    """
    if not len(held.asked):
        return None
    ranges = tails_by_relation(held.training, relation_count)
    heads, relations = held.asked.T
    found = predict_tails(
        model, heads, relations, ranges, NOTHING_KNOWN, PREDICTED_OBJECTS, lambda done: None
    )
    own = held.asked[found.query]
    true = {tuple(triple) for triple in held.triples.tolist()}
    right = [(h, r, t) in true for (h, r), t in zip(own.tolist(), found.tail.tolist(), strict=True)]
    return fit_platt_scale(found.log_probability, own[:, 1], np.array(right), model.relation_count)


def prediction_metrics(predicted: pa.Table, facts: pa.Table, seed: int) -> dict[str, object] | None:
    """How often the likeliest object of each fact that no one saw is true, and how well that is known.

    Args:
        predicted: what `predictions` gave.
        facts: rows with subject, relation and objects; none was trained.
        seed: of the interval.

    Returns:
        {"facts", "right", "mean_probability", "expected_calibration_error", "low", "high", "brier"};
        None where none of the facts is predicted.
    """
    best: dict[tuple[int, int], tuple[int, float]] = {}
    for row in predicted.to_pylist():
        best.setdefault((row["subject"], row["relation"]), (row["object"], row["probability"]))
    rows = [row for row in facts.to_pylist() if (row["subject"], row["relation"]) in best]
    if not rows:
        return None
    said = [best[row["subject"], row["relation"]] for row in rows]
    right = np.array(
        [entity in row["objects"] for (entity, _), row in zip(said, rows, strict=True)], float
    )
    likely = np.array([probability for _, probability in said])
    of = calibration(likely, right, np.array([row["subject"] for row in rows]), seed)
    return {
        "facts": len(rows),
        "right": float(right.mean()),
        "mean_probability": float(likely.mean()),
        "expected_calibration_error": of.error.estimate,
        "low": of.error.low,
        "high": of.error.high,
        "brier": of.brier.estimate,
    }
