import math

import pytest
import torch
from infact.models.fact_memory import TokenFact, build_fact_memory, drop_facts
from infact.models.invariant_fusion import (
    InvariantFusion,
    alignment_loss,
    asked_and_compared,
)
from infact.models.label_pointer import FusionBatch, PointerReadOut, PointerSizes
from infact.models.read_out import Positions, next_token_log_probabilities
from torch.nn.functional import normalize, rms_norm

HIDDEN, VECTOR, KEY = 32, 5, 6
REQUESTS = [
    [TokenFact(0, 1, (20, 21, 22, 3)), TokenFact(1, -1, (20, 3), -0.9)],
    [TokenFact(1, 2, (20, 21, 22, 3)), TokenFact(0, 0, (60, 3))],
    [TokenFact(1, 0, (40, 41, 3))],
]


@pytest.fixture
def fusion() -> InvariantFusion:
    generator = torch.Generator().manual_seed(0)
    top = InvariantFusion(
        PointerSizes(HIDDEN, VECTOR, KEY),
        torch.randn(2, HIDDEN, generator=generator),
        torch.randn(3, VECTOR, generator=generator),
    )
    with torch.no_grad():
        for value in top.parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
    return top.eval().requires_grad_(False)


@pytest.fixture
def batch() -> FusionBatch:
    """Places: two in the first answer's label, one in the second's, one without what is asked."""
    generator = torch.Generator().manual_seed(1)
    places = Positions(
        hidden=torch.randn(4, HIDDEN, generator=generator),
        current=torch.tensor([7, 21, 8, 9]),
        previous=torch.tensor([-1, 20, 5, 6]),
        request=torch.tensor([0, 0, 1, 2]),
    )
    memory = build_fact_memory(REQUESTS).select(places.request)
    return FusionBatch(
        places,
        torch.randn(4, HIDDEN, generator=generator),
        torch.randn(memory.label.shape, generator=generator),
        torch.tensor([-3.0, -4.0, -5.0, -6.0]),
        torch.tensor([20, 22, 60, 99]),
        memory,
    )


def direction(fusion: InvariantFusion, fact: TokenFact) -> torch.Tensor:
    key = fusion.relation_key(rms_norm(fusion.relation_keys[fact.relation], (HIDDEN,)))
    if fact.vector >= 0:
        key = key + fusion.vector_key(rms_norm(fusion.object_vectors[fact.vector], (VECTOR,)))
    return normalize(key, dim=0)


def test_facts_are_found_by_their_direction(tiny_model, fusion, batch) -> None:
    """The formula of the module, fact by fact and token by token, beside the read-out."""
    own = next_token_log_probabilities(tiny_model, batch.positions.hidden)
    table = PointerReadOut(tiny_model, fusion, build_fact_memory(REQUESTS))(batch.positions, own)
    for row in range(4):
        hidden, current = batch.positions.hidden[row], batch.positions.current[row]
        embedding = tiny_model.get_input_embeddings().weight[current]
        read = fusion.norm(torch.cat([hidden, embedding]))
        place = normalize(fusion.query(read), dim=0)
        later = fusion.continued.tolist()
        scores, tokens = [fusion.null(read).item()], []
        for fact in REQUESTS[int(batch.positions.request[row])]:
            found = fusion.scale.item() * (place @ direction(fusion, fact)).item() + fact.weight
            for number, token in enumerate(fact.label):
                score = found + fusion.begin(read).item()
                if number:
                    first = fact.label[number - 1] == current
                    second = (
                        first
                        and number > 1
                        and fact.label[number - 2] == batch.positions.previous[row]
                    )
                    score = found + later[0] + later[1] * bool(first) + later[2] * bool(second)
                scores.append(score)
                tokens.append(token)
        shares = torch.tensor(scores).softmax(dim=0)
        expected = shares[0] * own[row].exp()
        for token, share in zip(tokens, shares[1:], strict=True):
            expected[token] += share
        torch.testing.assert_close(table[row].exp(), expected, rtol=1e-4, atol=1e-7)


def test_what_is_asked_is_compared_with_other_names_alone(batch) -> None:
    """Columns: the two facts of each of the four places' memories, padding where there is one."""
    asked, compared = asked_and_compared(batch)
    # At its beginning, 20 may begin either fact of the first memory; behind 21, 22 goes on with one.
    assert asked.nonzero().tolist() == [[0, 0], [0, 1], [1, 2], [2, 5]]
    told = ["ab", "ab", "ac", "d-"]  # labels by letter, - for padding; a stands in two memories
    letters = "".join(told)
    own = [range(0, 2), range(2, 4), range(4, 6), range(6, 8)]
    right = ["ab", "a", "c", ""]
    for row in range(4):
        for column, letter in enumerate(letters):
            expected = letter != "-" and (column in own[row] or letter not in right[row])
            assert bool(compared[row, column]) == expected, (row, column)


def test_the_alignment_is_the_mean_over_places_that_hold_what_is_asked(batch) -> None:
    generator = torch.Generator().manual_seed(2)
    scores = torch.randn(4, 8, generator=generator)
    asked, compared = asked_and_compared(batch)
    each = []
    for row in range(3):  # the last place's memory doesn't hold it
        right = sum(math.exp(scores[row, column]) for column in range(8) if asked[row, column])
        every = sum(math.exp(scores[row, column]) for column in range(8) if compared[row, column])
        each.append(-math.log(right / every))
    assert alignment_loss(scores, batch).item() == pytest.approx(sum(each) / 3, rel=1e-5)


def test_the_loss_is_the_mixture_and_the_alignment(fusion, batch) -> None:
    read = fusion.read(batch.positions, batch.embeddings)
    directions = [
        direction(fusion, fact)
        for place in batch.positions.request
        for fact in (
            REQUESTS[int(place)] + [TokenFact(0, -1, (3,))] * (2 - len(REQUESTS[int(place)]))
        )
    ]
    scores = fusion.scale * fusion.text_tower(read) @ torch.stack(directions).T
    null, copied = fusion(batch.positions, batch.embeddings, batch.base_label, batch.memory)
    pointed = copied.exp().masked_fill(batch.memory.label != batch.target[:, None, None], 0.0)
    told = null.exp() * batch.base_target.exp() + pointed.sum(dim=(1, 2))
    expected = -told.log().mean() + alignment_loss(scores, batch)
    torch.testing.assert_close(fusion.loss(batch), expected, rtol=1e-4, atol=1e-5)


def test_a_batch_without_facts_has_a_loss_and_gradients(fusion, batch) -> None:
    fusion.requires_grad_(True)
    nothing = drop_facts(batch.memory, 2.0, torch.Generator().manual_seed(0))
    empty = FusionBatch(
        batch.positions,
        batch.embeddings,
        batch.base_label,
        batch.base_target,
        batch.target,
        nothing,
    )
    loss = fusion.loss(empty)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(
        torch.isfinite(value.grad).all() for value in fusion.parameters() if value.grad is not None
    )


def test_the_scale_of_vectors_changes_nothing(fusion, batch) -> None:
    before = fusion.fact_tower(batch.memory)
    fusion.object_vectors.mul_(1e3)
    torch.testing.assert_close(fusion.fact_tower(batch.memory), before, rtol=1e-4, atol=1e-5)
