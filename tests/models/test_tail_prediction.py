import numpy as np
import pytest
import torch
from infact.models.complex_embedding import ComplEx
from infact.models.tail_prediction import predict_tails, tails_by_relation

TRAINING = np.array([[0, 0, 5], [1, 0, 6], [2, 0, 5], [2, 0, 7], [3, 1, 8]])


def test_a_relation_s_tails_are_those_of_its_triples() -> None:
    found = tails_by_relation(TRAINING, 3)
    assert [tails.tolist() for tails in found] == [[5, 6, 7], [8], []]


@torch.no_grad()
@pytest.mark.parametrize("most", [1, 2, 9])
def test_it_is_the_softmax_over_a_relation_s_own_tails(most: int) -> None:
    model = ComplEx(9, 3, rank=4, seed=1)
    for parameter in model.parameters():
        parameter.mul_(1000)
    heads, relations = np.array([4, 0, 4, 1]), np.array([0, 0, 1, 2])
    told: list[int] = []
    found = predict_tails(
        model, heads, relations, tails_by_relation(TRAINING, 3), most, told.append
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
    found = predict_tails(ComplEx(9, 2, 4, 0), none, none, tails_by_relation(TRAINING, 2), 3, print)
    assert len(found.query) == len(found.tail) == len(found.log_probability) == 0
