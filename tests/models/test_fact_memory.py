from collections import Counter

import numpy as np
import torch
from infact.models.fact_memory import (
    PADDING,
    TokenFact,
    build_fact_memory,
    drop_facts,
    random_facts,
    shuffled_objects,
)

LINE_END = 9
REQUESTS = [
    [TokenFact(0, 3, (4, 5, LINE_END)), TokenFact(1, -1, (6, LINE_END))],
    [],
    [TokenFact(0, 2, (7, LINE_END))],
]


def many_requests(count: int) -> list[list[TokenFact]]:
    return [
        [TokenFact(relation, row, (10 + row, LINE_END)) for relation in (0, 1)]
        for row in range(count)
    ]


def test_facts_are_padded() -> None:
    memory = build_fact_memory(REQUESTS)
    assert memory.relation.tolist() == [[0, 1], [PADDING, PADDING], [0, PADDING]]
    assert memory.vector.tolist() == [[3, PADDING], [PADDING, PADDING], [2, PADDING]]
    assert memory.label[0].tolist() == [[4, 5, LINE_END], [6, LINE_END, PADDING]]
    assert (memory.label[1] == PADDING).all()
    assert len(memory) == 3


def test_no_request_has_a_fact() -> None:
    memory = build_fact_memory([[], []])
    assert memory.relation.tolist() == [[PADDING], [PADDING]]
    assert memory.label.shape == (2, 1, 1)


def test_selection_keeps_the_order() -> None:
    memory = build_fact_memory(REQUESTS).select(torch.tensor([2, 0, 0]))
    assert memory.relation.tolist() == [[0, PADDING], [0, 1], [0, 1]]


def test_dropped_facts_are_padding_and_the_share_is_as_asked() -> None:
    memory = build_fact_memory(many_requests(2000))
    dropped = drop_facts(memory, 0.3, torch.Generator().manual_seed(0))
    gone = dropped.relation == PADDING
    assert (dropped.label[gone] == PADDING).all()
    assert torch.equal(dropped.label[~gone], memory.label[~gone])
    assert abs(gone.float().mean().item() - (1 - 0.7 * 0.9)) < 0.03
    assert abs(gone.all(dim=1).float().mean().item() - (0.1 + 0.9 * 0.3**2)) < 0.03
    assert (memory.relation != PADDING).all(), "the memory itself is unchanged"


def test_no_shuffled_fact_is_true() -> None:
    """Objects that many subjects share, several of a subject: by chance some would stay true."""
    random = np.random.default_rng(0)
    requests = [
        [TokenFact(0, row, (10 + row, LINE_END)) for row in random.permutation(6)[:3].tolist()]
        for _ in range(200)
    ]
    shuffled = shuffled_objects(requests, seed=1)
    for request, other in zip(requests, shuffled, strict=True):
        assert len(other) == len(request)
        assert not {fact.label for fact in request} & {fact.label for fact in other}
    assert {fact.label for request in shuffled for fact in request} == {
        fact.label for request in requests for fact in request
    }
    everything = [requests[0] + requests[1]]
    assert shuffled_objects(everything, seed=1) == everything, "no other object is left"


def test_shuffling_permutes_objects_within_a_relation() -> None:
    requests = many_requests(40)
    shuffled = shuffled_objects(requests, seed=1)
    for relation in (0, 1):
        before = Counter(fact for row in requests for fact in row if fact.relation == relation)
        after = Counter(fact for row in shuffled for fact in row if fact.relation == relation)
        assert before == after
    moved = sum(
        a != b
        for left, right in zip(requests, shuffled, strict=True)
        for a, b in zip(left, right, strict=True)
    )
    assert moved > 70
    assert shuffled == shuffled_objects(requests, seed=1)
    assert shuffled != shuffled_objects(requests, seed=2)


def test_random_facts_keep_lengths_and_line_ends_alone() -> None:
    requests = many_requests(40)
    found = random_facts(requests, vocabulary=400, end=(LINE_END,), seed=1)
    for left, right in zip(requests, found, strict=True):
        for fact, other in zip(left, right, strict=True):
            assert (other.relation, other.vector) == (fact.relation, fact.vector)
            assert len(other.label) == len(fact.label)
            assert other.label[-1] == LINE_END
            assert all(0 <= token < 400 for token in other.label)
    assert (
        sum(
            a.label != b.label
            for x, y in zip(requests, found, strict=True)
            for a, b in zip(x, y, strict=True)
        )
        > 70
    )
