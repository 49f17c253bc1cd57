"""What is held out, what is asked, and whether probabilities are those of the truth."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from infact.models.embedding_model import EmbeddingModel, new_model
from infact.models.embedding_settings import EmbeddingSettings
from infact.pipeline.console import Console
from infact.pipeline.training.fact_prediction import (
    FEWEST_HELD_OUT,
    PREDICTED_SCHEMA,
    fitted_scale,
    held_out,
    lacking,
    predicted_facts,
    prediction_metrics,
)

LIVES_IN, INVERSE, LIES_IN = 0, 1, 2
PEOPLE, CITIES = 3000, 5


def towns() -> np.ndarray:
    """Each person lives in the city of its number, or by one in three in the next; (m, 3).

    Persons come first, then cities; each city tells who lives there, and lies in the last entity.
    """
    people = np.arange(PEOPLE)
    city = PEOPLE + (people + (np.random.default_rng(0).random(PEOPLE) < 1 / 3)) % CITIES
    cities, country = PEOPLE + np.arange(CITIES), PEOPLE + CITIES
    rows = [np.stack([people, np.full(PEOPLE, LIVES_IN), city], axis=1)]
    rows += [np.stack([city, np.full(PEOPLE, INVERSE), people], axis=1)]
    rows += [np.array([(c, LIES_IN, country) for c in cities])]
    return np.concatenate(rows).astype(np.int64)


def sure_model() -> EmbeddingModel:
    """Says of each person that it lives in the city of its number."""
    settings = EmbeddingSettings("complex", dimension=2 * CITIES)
    model = new_model(settings, PEOPLE + CITIES + 1, 3, seed=0)
    with torch.no_grad():
        model.entity.zero_()
        people = torch.arange(PEOPLE)
        model.entity[people, people % CITIES] = 9.0
        model.entity[PEOPLE + torch.arange(CITIES), torch.arange(CITIES)] = 1.0
        model.relation.zero_()
        model.relation[:, :CITIES] = 1.0
    return model


def test_a_fact_is_held_out_with_all_that_tells_of_it() -> None:
    triples = towns()
    held = held_out(triples, np.array([LIVES_IN]), seed=0)
    assert len(held.asked) == len(held.triples) == 0.03 * PEOPLE
    assert {tuple(row) for row in held.asked} == {tuple(row[:2]) for row in held.triples}
    left = {tuple(row) for row in held.training.tolist()}
    for head, relation, tail in held.triples.tolist():
        assert (head, relation, tail) not in left
        assert (tail, INVERSE, head) not in left
    assert len(left) == len(triples) - 2 * len(held.triples)
    again = held_out(triples, np.array([LIVES_IN]), seed=0)
    assert np.array_equal(again.asked, held.asked)
    assert not np.array_equal(held_out(triples, np.array([LIVES_IN]), 1).asked, held.asked)


def test_of_a_small_graph_nothing_is_held_out() -> None:
    triples = towns()
    few = triples[: int(FEWEST_HELD_OUT / 0.03)]
    held = held_out(few, np.array([LIVES_IN]), seed=0)
    assert np.array_equal(held.training, few)
    assert not len(held.asked)
    scale = fitted_scale(sure_model(), held, 3)
    assert scale is None
    predicted = predicted_facts(
        sure_model(), SimpleNamespace(), held, np.array([0]), scale, Console()
    )
    assert predicted.schema == PREDICTED_SCHEMA
    assert not len(predicted)


def test_an_entity_is_asked_for_what_those_alike_have() -> None:
    # Relation 0: born; 1: died; 2: capital. Entities 0 … 19 are people, 20 … 22 are countries.
    stated = [(person, 0) for person in range(20)] + [(person, 1) for person in range(3)]
    stated += [(0, 3)] + [(country, 2) for country in (20, 21)]
    found = lacking(np.array(stated), 24, 4, np.array([0, 1, 2]))
    # One in twenty has relation 3, and none may be asked; entity 22 and 23 are like nothing.
    assert {tuple(row) for row in found.tolist()} == {(person, 1) for person in range(3, 20)}


def test_what_two_kinds_have_in_common_makes_neither_the_other() -> None:
    # Relation 0: caused by, of diseases 0 … 9; 1: created by, of terms 10 … 19; 2: source, of both.
    stated = [(disease, 0) for disease in range(9)] + [(term, 1) for term in range(10, 19)]
    stated += [(entity, 2) for entity in range(20)]
    found = {tuple(row) for row in lacking(np.array(stated), 20, 3, np.arange(3)).tolist()}
    # What has a source alone may be either.
    assert found == {(9, 0), (9, 1), (19, 0), (19, 1)}


def test_probabilities_are_those_of_the_truth() -> None:
    triples = towns()
    held = held_out(triples, np.array([LIVES_IN]), seed=0)
    # The first hundred lack their city; another relation says that they are people.
    stated = np.concatenate([triples[100:PEOPLE, :2], [(person, LIES_IN) for person in range(200)]])
    local = SimpleNamespace(
        entity_ids=1000 + np.arange(PEOPLE + CITIES + 1), relation_ids=np.array([7, 8, 9])
    )
    local.stated = stated
    scale = fitted_scale(sure_model(), held, 3)
    predicted = predicted_facts(sure_model(), local, held, np.array([LIVES_IN]), scale, Console())
    rows = predicted.to_pylist()
    assert {row["relation"] for row in rows} == {7}
    assert {row["subject"] for row in rows} == set(range(1000, 1100))
    assert len(rows) == 100 * CITIES
    for start in range(0, len(rows), CITIES):
        own = rows[start : start + CITIES]
        assert own[0]["object"] == 1000 + PEOPLE + (own[0]["subject"] - 1000) % CITIES
        likely = [row["probability"] for row in own]
        assert likely == sorted(likely, reverse=True)
        assert likely[0] == pytest.approx(2 / 3, abs=0.12)
        assert max(likely[1:]) < 0.3
    facts = pa.Table.from_pylist(
        [
            {"subject": 1000 + head, "relation": 7, "objects": [1000 + tail]}
            for head, _, tail in triples[:100].tolist()
        ]
        + [{"subject": 3999, "relation": 7, "objects": [1]}]
    )
    metrics = prediction_metrics(predicted, facts, seed=0)
    right = np.mean([tail == PEOPLE + head % CITIES for head, _, tail in triples[:100].tolist()])
    assert metrics["facts"] == 100
    assert metrics["right"] == pytest.approx(right)
    assert metrics["mean_probability"] == pytest.approx(2 / 3, abs=0.12)
    assert metrics["low"] <= metrics["expected_calibration_error"] <= metrics["high"]


def test_no_predicted_fact_is_no_figure() -> None:
    facts = pa.table({"subject": [1], "relation": [2], "objects": [[3]]})
    assert prediction_metrics(PREDICTED_SCHEMA.empty_table(), facts, 0) is None
