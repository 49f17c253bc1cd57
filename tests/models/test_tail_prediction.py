import numpy as np
import pytest
import torch
from infact.models import tail_prediction
from infact.models.embedding_model import EmbeddingModel, new_model
from infact.models.embedding_settings import EmbeddingSettings
from infact.models.ranking import KnownTails
from infact.models.tail_prediction import log_probabilities, predict_tails, tails_by_relation

TRAINING = np.array([[0, 0, 5], [1, 0, 6], [2, 0, 5], [2, 0, 7], [3, 1, 8]])
NONE = KnownTails.of(TRAINING[:0])


def random_model(entities: int, relations: int) -> EmbeddingModel:
    return new_model(EmbeddingSettings("complex", dimension=8), entities, relations, seed=1)


def test_a_relation_s_tails_are_those_of_its_triples() -> None:
    found = tails_by_relation(TRAINING, 3)
    assert [tails.tolist() for tails in found] == [[5, 6, 7], [8], []]


@torch.no_grad()
@pytest.mark.parametrize("rows_at_once", [2, 1 << 16])
@pytest.mark.parametrize("most", [1, 2, 9])
def test_it_is_the_softmax_over_a_relation_s_own_tails(
    monkeypatch: pytest.MonkeyPatch, most: int, rows_at_once: int
) -> None:
    monkeypatch.setattr(tail_prediction, "ROWS_AT_ONCE", rows_at_once)
    model = random_model(9, 3)
    for parameter in model.parameters():
        parameter.mul_(1000)
    heads, relations = np.array([4, 0, 4, 1]), np.array([0, 0, 1, 2])
    told: list[int] = []
    found = predict_tails(
        model, heads, relations, tails_by_relation(TRAINING, 3), NONE, most, told.append
    )
    assert sum(told) == 4
    assert (np.diff(found.query) >= 0).all()
    for query, (head, relation) in enumerate(zip(heads, relations, strict=True)):
        tails = tails_by_relation(TRAINING, 3)[relation]
        scores = model.tail_scores(torch.tensor([head]), torch.tensor([relation]))[0]
        logs = {int(t): float(scores[t] - scores[tails].logsumexp(0)) for t in tails}
        expected = sorted(logs.items(), key=lambda item: -item[1])[:most]
        own = found.query == query
        assert found.tail[own].tolist() == [tail for tail, _ in expected]
        assert found.log_probability[own] == pytest.approx([log for _, log in expected], abs=1e-5)


def test_nothing_asked_is_nothing_predicted() -> None:
    none = np.empty(0, dtype=np.int64)
    ranges = tails_by_relation(TRAINING, 2)
    found = predict_tails(random_model(9, 2), none, none, ranges, NONE, 3, print)
    assert len(found.query) == len(found.tail) == len(found.log_probability) == 0


def test_known_tails_compete_with_none_but_the_unknown() -> None:
    scores = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    known = torch.tensor([[False, True, False, True]])
    found = log_probabilities(scores, known).exp()[0].tolist()
    e = np.exp([0.0, 1.0, 2.0, 3.0])
    unknown = e[0] + e[2]
    expected = [e[0] / unknown, e[1] / (unknown + e[1]), e[2] / unknown, e[3] / (unknown + e[3])]
    assert found == pytest.approx(expected, rel=1e-5)
    assert log_probabilities(scores, torch.ones_like(known)).tolist() == [[0.0] * 4]


def test_the_likeliest_unknown_tails_are_those_of_a_plain_loop() -> None:
    random = np.random.default_rng(2)
    entities, relations = 8, 3
    model = random_model(entities, relations)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1000)
    train = np.stack([random.integers(0, n, 30) for n in (entities, relations, entities)], axis=1)
    asked = np.unique(train[:, :2], axis=0)
    ranges = tails_by_relation(train, relations)
    found = predict_tails(model, *asked.T, ranges, KnownTails.of(train), 2, lambda done: None)
    facts = set(map(tuple, train.tolist()))
    expected = []
    for query, (h, r) in enumerate(asked.tolist()):
        with torch.inference_mode():
            scores = model.tail_scores(torch.tensor([h]), torch.tensor([r]))[0].double().numpy()
        unknown = [t for t in ranges[r].tolist() if (h, r, t) not in facts]
        total = np.log(sum(np.exp(scores[t]) for t in unknown)) if unknown else 0.0
        best = sorted(unknown, key=lambda t: -scores[t])[:2]
        expected += [(query, t, scores[t] - total) for t in best]
    assert len(expected) > 20
    assert list(zip(found.query.tolist(), found.tail.tolist(), strict=True)) == [
        (query, tail) for query, tail, _ in expected
    ]
    assert found.log_probability.tolist() == pytest.approx([log for *_, log in expected], abs=1e-4)


def test_a_question_whose_tails_are_all_known_has_no_answer() -> None:
    ranges, asked = tails_by_relation(TRAINING, 2), np.array([[3, 1]])
    known = KnownTails.of(TRAINING)
    found = predict_tails(random_model(9, 2), *asked.T, ranges, known, 5, lambda done: None)
    assert not len(found.query)
