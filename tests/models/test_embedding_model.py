"""What holds for every model, and each against its formula in plain Python."""

import cmath
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from infact.models.embedding_base import EmbeddingModel, ProductModel, with_reciprocals
from infact.models.embedding_files import load_vectors, save_vectors
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings, ModelName

ENTITIES, RELATIONS, DIMENSION = 7, 3, 6
NAMES: list[ModelName] = ["transe", "distmult", "complex", "rotate"]
Vector = list[float]


def random_model(name: ModelName, seed: int = 0) -> EmbeddingModel:
    settings = EmbeddingSettings(name, dimension=DIMENSION, regulariser="none", initial_scale=1.0)
    return new_model(settings, ENTITIES, RELATIONS, seed)


def paired(vector: Vector) -> list[complex]:
    half = len(vector) // 2
    return [complex(*pair) for pair in zip(vector[:half], vector[half:], strict=True)]


def transe(head: Vector, relation: Vector, tail: Vector) -> float:
    return -math.sqrt(sum((h + r - t) ** 2 for h, r, t in zip(head, relation, tail, strict=True)))


def distmult(head: Vector, relation: Vector, tail: Vector) -> float:
    return sum(h * r * t for h, r, t in zip(head, relation, tail, strict=True))


def complex_(head: Vector, relation: Vector, tail: Vector) -> float:
    numbers = zip(paired(head), paired(relation), paired(tail), strict=True)
    return sum((h * r * t.conjugate()).real for h, r, t in numbers)


def rotate(head: Vector, angles: Vector, tail: Vector) -> float:
    numbers = zip(paired(head), angles, paired(tail), strict=True)
    return -math.sqrt(sum(abs(h * cmath.exp(1j * a) - t) ** 2 for h, a, t in numbers))


FORMULAS: dict[str, Callable[[Vector, Vector, Vector], float]] = {
    "transe": transe,
    "distmult": distmult,
    "complex": complex_,
    "rotate": rotate,
}


def expected(model: EmbeddingModel, head: int, relation: int) -> list[float]:
    entity, relations = model.entity.tolist(), model.relation.tolist()
    return [FORMULAS[model.name](entity[head], relations[relation], tail) for tail in entity]


@pytest.mark.parametrize("name", NAMES)
def test_tails_are_scored_by_the_formula(name: ModelName) -> None:
    model = random_model(name)
    scores = model.tail_scores(torch.tensor([2, 6]), torch.tensor([1, 0]))
    oracle = [expected(model, 2, 1), expected(model, 6, 0)]
    np.testing.assert_allclose(scores.detach(), oracle, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_heads_are_scored_by_the_reciprocal_relation(name: ModelName) -> None:
    model = random_model(name)
    scores = model.head_scores(torch.tensor([4]), torch.tensor([2]))
    oracle = [expected(model, 4, RELATIONS + 2)]
    np.testing.assert_allclose(scores.detach(), oracle, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_score_agrees(name: ModelName) -> None:
    model = random_model(name)
    triples = torch.tensor([[0, 1, 2], [3, 0, 3], [6, 2, 0], [5, 2, 1]])
    heads, relations, tails = triples.unbind(dim=1)
    whole = model.tail_scores(heads, relations)
    torch.testing.assert_close(
        model.triple_scores(triples), whole[range(4), tails], rtol=1e-4, atol=1e-4
    )
    queries = model.queries(model.entities(heads), model.relations(relations))
    pool = torch.tensor([6, 1, 3])
    chosen = torch.tensor([[0, 2], [1, 1], [2, 0], [0, 0]])
    found = model.chosen_scores(queries, model.entities(pool), chosen)
    torch.testing.assert_close(found, whole.gather(1, pool[chosen]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["distmult", "complex"])
def test_relations_are_scored_by_the_formula(name: ModelName) -> None:
    model = random_model(name)
    assert isinstance(model, ProductModel)
    scores = model.relation_scores(model.entity[[2]], model.entity[[5]])
    oracle = [[expected(model, 2, relation)[5] for relation in range(2 * RELATIONS)]]
    np.testing.assert_allclose(scores.detach(), oracle, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["transe", "rotate"])
def test_a_distance_of_nothing_has_a_slope(name: ModelName) -> None:
    model = random_model(name)
    with torch.no_grad():
        model.relation.zero_()  # no step, no turn: every entity lies where its query does
    same = torch.tensor([[1, 0, 1]])
    (model.triple_scores(same).sum() + model.tail_scores(same[:, 0], same[:, 1]).sum()).backward()
    assert model.entity.grad is not None
    assert model.entity.grad.isfinite().all()
    assert model.triple_scores(same).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_saved_vectors_come_back(tmp_path, name: ModelName) -> None:
    model, path = random_model(name), tmp_path / "vectors.safetensors"
    entity_ids, relation_ids = np.arange(ENTITIES) * 3, np.arange(RELATIONS) + 10
    save_vectors(model, path, entity_ids, relation_ids)
    first_bytes = path.read_bytes()
    loaded, loaded_entity_ids, loaded_relation_ids = load_vectors(path)
    assert type(loaded) is type(model)
    assert torch.equal(loaded.entity, model.entity)
    assert torch.equal(loaded.relation, model.relation)
    assert loaded_entity_ids.tolist() == entity_ids.tolist()
    assert loaded_relation_ids.tolist() == relation_ids.tolist()
    save_vectors(loaded, path, loaded_entity_ids, loaded_relation_ids)
    assert path.read_bytes() == first_bytes


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_start(name: ModelName) -> None:
    for table in ("entity", "relation"):
        first, again, other = (getattr(random_model(name, seed), table) for seed in (5, 5, 6))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_reciprocals_follow_the_triples() -> None:
    triples = np.array([[0, 1, 2], [3, 0, 4]], dtype=np.int32)
    assert with_reciprocals(triples, relation_count=2).tolist() == [
        [0, 1, 2],
        [3, 0, 4],
        [2, 3, 0],
        [4, 2, 3],
    ]
