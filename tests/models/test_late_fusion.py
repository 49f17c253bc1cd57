import math
from collections import defaultdict

import pytest
import torch
from infact.models.fact_memory import PADDING, TokenFact, build_fact_memory
from infact.models.label_pointer import (
    FusionBatch,
    PointerReadOut,
    PointerSizes,
    label_log_probabilities,
)
from infact.models.late_fusion import LateFusion
from infact.models.read_out import Positions, next_token_log_probabilities

from .test_set_encoder import heard

HIDDEN, VECTOR, KEY = 32, 5, 8
REQUESTS = [
    [TokenFact(0, 1, (20, 21, 22, 3)), TokenFact(1, -1, (20, 3), -0.9)],
    [],
    [TokenFact(1, 0, (40, 41, 3))],
]


@pytest.fixture(scope="module")
def fusion() -> LateFusion:
    """A top with random weights everywhere, also where training starts from zero."""
    generator = torch.Generator().manual_seed(0)
    top = LateFusion(
        PointerSizes(HIDDEN, VECTOR, KEY),
        torch.randn(2, HIDDEN, generator=generator),
        torch.randn(3, VECTOR, generator=generator),
    )
    with torch.no_grad():
        for value in top.parameters():
            value.copy_(0.5 * torch.randn(value.shape, generator=generator))
    return top.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def places() -> Positions:
    generator = torch.Generator().manual_seed(1)
    return Positions(
        hidden=torch.randn(6, HIDDEN, generator=generator),
        current=torch.tensor([7, 20, 21, 8, 40, 41]),
        previous=torch.tensor([-1, 9, 20, 5, 6, 40]),
        request=torch.tensor([0, 0, 0, 1, 2, 2]),
    )


def fact_keys(fusion, facts) -> torch.Tensor:
    """Of the facts of one memory, which hear each other."""
    keys = []
    for fact in facts:
        key = fusion.relation_key(fusion.relation_keys[fact.relation])
        if fact.vector >= 0:
            key = key + fusion.vector_key(fusion.object_vectors[fact.vector])
        keys.append(key)
    if not keys:
        return torch.zeros(0, KEY)
    return heard(fusion.facts, torch.stack(keys), torch.tensor([fact.weight for fact in facts]))


def mixture(fusion, model, hidden, current, previous, facts, own) -> list[float]:
    """The module's formula for one place, fact by fact and token by token."""
    embedding = model.get_input_embeddings().weight[current]
    read = torch.nn.functional.layer_norm(
        torch.cat([hidden, embedding]), (2 * HIDDEN,), fusion.norm.weight, fusion.norm.bias
    )
    query, later = fusion.query(read), fusion.continued.tolist()
    scores, tokens = [fusion.null(read).item()], []
    for fact, key in zip(facts, fact_keys(fusion, facts), strict=True):
        for place, token in enumerate(fact.label):
            score = (query @ key).item() / math.sqrt(KEY) + fact.weight
            if place == 0:
                score += fusion.begin(read).item()
            else:
                first = fact.label[place - 1] == current
                second = first and place > 1 and fact.label[place - 2] == previous
                score += later[0] + later[1] * first + later[2] * second
            score += fusion.base_weight.item() * max(own[token], -20)
            scores.append(score)
            tokens.append(token)
    total = sum(math.exp(score) for score in scores)
    pointed: dict[int, float] = defaultdict(float)
    for token, score in zip(tokens, scores[1:], strict=True):
        pointed[token] += math.exp(score) / total
    null = math.exp(scores[0]) / total
    return [null * math.exp(value) + pointed[token] for token, value in enumerate(own)]


def test_the_mixture_is_the_formula(tiny_model, fusion, places) -> None:
    own = next_token_log_probabilities(tiny_model, places.hidden)
    memory = build_fact_memory(REQUESTS)
    table = PointerReadOut(tiny_model, fusion, memory)(places, own)
    for row in range(len(places)):
        request = places.request[row].item()
        expected = mixture(
            fusion,
            tiny_model,
            places.hidden[row],
            places.current[row].item(),
            places.previous[row].item(),
            REQUESTS[request],
            own[row].tolist(),
        )
        torch.testing.assert_close(table[row].exp(), torch.tensor(expected), rtol=1e-4, atol=1e-7)


def test_training_starts_with_facts_that_are_read_each_for_itself(places) -> None:
    torch.manual_seed(0)
    fresh = LateFusion(PointerSizes(HIDDEN, VECTOR, KEY), torch.randn(2, HIDDEN), torch.zeros(3, 5))
    memory = build_fact_memory(REQUESTS).select(places.request)
    read, base = torch.randn(6, 2 * HIDDEN), torch.randn(memory.label.shape)
    expected = fresh.query(read)[:, None] * fresh.relation_key(fresh.relation_keys)[memory.relation]
    found = fresh.relevance(read, base, memory) - 0.3 * base
    torch.testing.assert_close(
        found[memory.label != PADDING],
        (expected.sum(dim=2) / math.sqrt(KEY))[:, :, None].expand_as(found)[
            memory.label != PADDING
        ],
    )


def test_the_order_of_facts_changes_nothing(tiny_model, fusion, places) -> None:
    own = next_token_log_probabilities(tiny_model, places.hidden)
    turned = build_fact_memory([request[::-1] for request in REQUESTS])
    torch.testing.assert_close(
        PointerReadOut(tiny_model, fusion, turned)(places, own),
        PointerReadOut(tiny_model, fusion, build_fact_memory(REQUESTS))(places, own),
    )


def test_rows_sum_to_one(tiny_model, fusion, places) -> None:
    own = next_token_log_probabilities(tiny_model, places.hidden)
    table = PointerReadOut(tiny_model, fusion, build_fact_memory(REQUESTS))(places, own)
    torch.testing.assert_close(table.exp().sum(dim=1), torch.ones(6), rtol=1e-5, atol=1e-5)


def test_without_facts_it_is_the_base_bit_for_bit(tiny_model, fusion, places) -> None:
    own = next_token_log_probabilities(tiny_model, places.hidden)
    kept = own.clone()
    no_facts = PointerReadOut(tiny_model, fusion, build_fact_memory([[], [], []]))
    assert no_facts(places, own) is own
    some = PointerReadOut(tiny_model, fusion, build_fact_memory(REQUESTS))(places, own)
    assert torch.equal(some[3], own[3])
    assert torch.equal(own, kept), "the base's distribution is not written to"
    assert not torch.equal(some[0], own[0])


def test_padding_takes_no_mass(tiny_model, fusion, places) -> None:
    """A fuller neighbour in the same memory changes nothing."""
    own = next_token_log_probabilities(tiny_model, places.hidden)
    alone = PointerReadOut(tiny_model, fusion, build_fact_memory(REQUESTS))(places, own)
    crowd = [TokenFact(0, 2, tuple(range(50, 60)))] * 7
    wide = build_fact_memory([*REQUESTS, crowd])
    torch.testing.assert_close(
        PointerReadOut(tiny_model, fusion, wide)(places, own), alone, rtol=1e-5, atol=1e-6
    )


def test_the_loss_is_the_mixtures_log_probability(tiny_model, fusion, places) -> None:
    own = next_token_log_probabilities(tiny_model, places.hidden)
    memory = build_fact_memory(REQUESTS)
    target = torch.tensor([20, 21, 99, 50, 41, 3])
    mine = memory.select(places.request)
    batch = FusionBatch(
        places,
        tiny_model.get_input_embeddings()(places.current),
        label_log_probabilities(own, mine),
        own.gather(1, target[:, None]).squeeze(1),
        target,
        mine,
    )
    table = PointerReadOut(tiny_model, fusion, memory)(places, own)
    expected = -table.gather(1, target[:, None]).mean()
    assert fusion.loss(batch).item() == pytest.approx(expected.item(), rel=1e-4)


def test_label_log_probabilities_are_looked_up() -> None:
    own = torch.arange(12.0).reshape(2, 6).neg()
    memory = build_fact_memory([[TokenFact(0, -1, (2, 5))], [TokenFact(0, -1, (3,))]])
    assert label_log_probabilities(own, memory).tolist() == [[[-2, -5]], [[-9, 0]]]
    assert memory.label[1, 0, 1] == PADDING
