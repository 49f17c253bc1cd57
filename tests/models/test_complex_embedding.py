import numpy as np
import torch
from infact.models.complex_embedding import ComplEx
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings

ENTITIES, RELATIONS, RANK = 7, 3, 5


def random_model() -> ComplEx:
    settings = EmbeddingSettings("complex", dimension=2 * RANK, initial_scale=1.0)
    model = new_model(settings, ENTITIES, RELATIONS, seed=0)
    assert isinstance(model, ComplEx)
    return model


def complex_numbers(vector: torch.Tensor) -> list[complex]:
    real, imaginary = vector.tolist()[:RANK], vector.tolist()[RANK:]
    return [complex(*pair) for pair in zip(real, imaginary, strict=True)]


def formula(head: torch.Tensor, relation: torch.Tensor, tail: torch.Tensor) -> float:
    vectors = (complex_numbers(vector) for vector in (head, relation, tail))
    return sum((h * r * t.conjugate()).real for h, r, t in zip(*vectors, strict=True))


def test_tail_scores_are_the_formula() -> None:
    model = random_model()
    scores = model.tail_scores(torch.tensor([2, 6]), torch.tensor([1, 0]))
    expected = [
        [formula(model.entity[h], model.relation[r], tail) for tail in model.entity]
        for h, r in ((2, 1), (6, 0))
    ]
    np.testing.assert_allclose(scores.detach(), expected, rtol=1e-4, atol=1e-4)


def test_relation_scores_are_the_formula() -> None:
    model = random_model()
    scores = model.relation_scores(model.entity[[2]], model.entity[[5]])
    expected = [[formula(model.entity[2], of, model.entity[5]) for of in model.relation]]
    np.testing.assert_allclose(scores.detach(), expected, rtol=1e-4, atol=1e-4)


def test_score_is_asymmetric() -> None:
    scores = random_model().tail_scores(torch.tensor([0, 1]), torch.tensor([0, 0]))
    assert abs(scores[0, 1].item() - scores[1, 0].item()) > 1e-3


def test_squared_moduli_are_the_formula() -> None:
    vectors = random_model().entity
    expected = [[abs(number) ** 2 for number in complex_numbers(row)] for row in vectors]
    np.testing.assert_allclose(random_model().squared_moduli(vectors).detach(), expected, rtol=1e-4)
