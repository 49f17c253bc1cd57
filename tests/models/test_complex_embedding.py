import numpy as np
import torch
from infact.models.complex_embedding import (
    ComplEx,
    cubed_moduli,
    load_vectors,
    save_vectors,
    with_reciprocals,
)

ENTITIES, RELATIONS, RANK = 7, 3, 5


def random_model() -> ComplEx:
    model = ComplEx(ENTITIES, RELATIONS, RANK, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
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


def test_head_scores_use_the_reciprocal_relation() -> None:
    model = random_model()
    scores = model.head_scores(torch.tensor([4]), torch.tensor([2]))
    reciprocal = model.relation[RELATIONS + 2]
    expected = [[formula(model.entity[4], reciprocal, head) for head in model.entity]]
    np.testing.assert_allclose(scores.detach(), expected, rtol=1e-4, atol=1e-4)


def test_score_is_asymmetric() -> None:
    model = random_model()
    scores = model.tail_scores(torch.tensor([0, 1]), torch.tensor([0, 0]))
    assert abs(scores[0, 1].item() - scores[1, 0].item()) > 1e-3


def test_cubed_moduli_are_the_formula() -> None:
    vectors = random_model().entity
    expected = [sum(abs(number) ** 3 for number in complex_numbers(row)) for row in vectors]
    np.testing.assert_allclose(cubed_moduli(vectors).detach(), expected, rtol=1e-4)


def test_reciprocals_follow_the_triples() -> None:
    triples = np.array([[0, 1, 2], [3, 0, 4]], dtype=np.int32)
    expected = [[0, 1, 2], [3, 0, 4], [2, 3, 0], [4, 2, 3]]
    assert with_reciprocals(triples, relation_count=2).tolist() == expected


def test_saved_vectors_come_back(tmp_path) -> None:
    model, path = random_model(), tmp_path / "vectors.safetensors"
    entity_ids, relation_ids = np.arange(ENTITIES) * 3, np.arange(RELATIONS) + 10
    save_vectors(model, path, entity_ids, relation_ids)
    first_bytes = path.read_bytes()
    loaded, loaded_entity_ids, loaded_relation_ids = load_vectors(path)
    assert torch.equal(loaded.entity, model.entity)
    assert torch.equal(loaded.relation, model.relation)
    assert loaded_entity_ids.tolist() == entity_ids.tolist()
    assert loaded_relation_ids.tolist() == relation_ids.tolist()
    save_vectors(loaded, path, loaded_entity_ids, loaded_relation_ids)
    assert path.read_bytes() == first_bytes


def test_the_seed_decides_the_start() -> None:
    assert torch.equal(ComplEx(3, 1, 2, seed=5).entity, ComplEx(3, 1, 2, seed=5).entity)
    assert not torch.equal(ComplEx(3, 1, 2, seed=5).entity, ComplEx(3, 1, 2, seed=6).entity)
