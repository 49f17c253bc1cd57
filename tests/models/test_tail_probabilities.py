import numpy as np
import pytest
import torch
from infact.models.ranking import KnownTails
from infact.models.tail_prediction import tails_by_relation
from infact.models.tail_probabilities import log_probabilities, unknown_tails

from .test_ranking import by_table


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
    table = random.normal(size=(relations, entities, entities))
    train = np.stack([random.integers(0, n, 30) for n in (entities, relations, entities)], axis=1)
    asked = np.unique(train[:, :2], axis=0)
    ranges = tails_by_relation(train, relations)
    done: list[int] = []
    found = unknown_tails(
        by_table(table), *asked.T, ranges, KnownTails.of(train), 2, 3, done.append
    )
    assert sum(done) == len(asked)
    facts = set(map(tuple, train.tolist()))
    expected = []
    for query, (head, relation) in enumerate(asked.tolist()):
        open_ones = [t for t in ranges[relation].tolist() if (head, relation, t) not in facts]
        total = sum(np.exp(table[relation, head, t]) for t in open_ones)
        best = sorted(open_ones, key=lambda t: -table[relation, head, t])[:2]
        expected += [(query, t, np.log(np.exp(table[relation, head, t]) / total)) for t in best]
    assert list(zip(found.query.tolist(), found.tail.tolist(), strict=True)) == [
        (query, tail) for query, tail, _ in expected
    ]
    assert found.log_probability.tolist() == pytest.approx([log for *_, log in expected], abs=1e-5)


def test_a_question_whose_tails_are_all_known_has_no_answer() -> None:
    train = np.array([[0, 0, 1], [0, 0, 2]])
    found = unknown_tails(
        by_table(np.zeros((1, 3, 3))),
        *np.array([[0, 0]]).T,
        tails_by_relation(train, 1),
        KnownTails.of(train),
        5,
        4,
        lambda done: None,
    )
    assert not len(found.query)
