"""What facts tell each other, held against plain loops, whatever their order and their padding."""

import math

import pytest
import torch
from infact.models.set_encoder import HEADS, SetEncoder

WIDTH = 8
WEIGHT = torch.tensor([0.0, -0.5, 0.0, -2.0, 0.0])  # two of the facts are predicted


@pytest.fixture
def encoder() -> SetEncoder:
    torch.manual_seed(0)
    made = SetEncoder(WIDTH)
    torch.nn.init.normal_(made.heard.weight)
    return made.requires_grad_(False)


@pytest.fixture
def keys() -> torch.Tensor:
    return torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))


def heard(encoder: SetEncoder, keys: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The module's formula on one memory's (F, K) keys, fact by fact and head by head."""
    width = keys.shape[1] // HEADS
    query, key, value = encoder.joined(encoder.norm(keys)).chunk(3, dim=1)
    told = torch.zeros_like(keys)
    for fact in range(len(keys)):
        for head in range(HEADS):
            own = slice(head * width, (head + 1) * width)
            scores = [
                query[fact, own] @ other[own] / math.sqrt(width) + likely
                for other, likely in zip(key, weight, strict=True)
            ]
            shares = torch.stack(scores).softmax(0)
            told[fact, own] = sum(
                share * other[own] for share, other in zip(shares, value, strict=True)
            )
    return keys + encoder.heard(told)


def test_what_is_heard_is_what_plain_loops_hear(encoder, keys) -> None:
    there = torch.ones(1, 5, dtype=torch.bool)
    torch.testing.assert_close(
        encoder(keys[None], there, WEIGHT[None])[0], heard(encoder, keys, WEIGHT)
    )


def test_permuted_facts_have_permuted_keys(encoder, keys) -> None:
    there = torch.tensor([[True, True, False, True, True]])
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(
        encoder(keys[None, order], there[:, order], WEIGHT[None, order])[0],
        encoder(keys[None], there, WEIGHT[None])[0, order],
    )


def test_padding_is_not_heard(encoder, keys) -> None:
    there = torch.tensor([[True, True, True, False, False]])
    found = encoder(keys[None], there, WEIGHT[None])[0, :3]
    torch.testing.assert_close(found, heard(encoder, keys[:3], WEIGHT[:3]))
    other = torch.cat([keys[:3], torch.full((2, WIDTH), 7.0)])
    torch.testing.assert_close(encoder(other[None], there, WEIGHT[None])[0, :3], found)


def test_an_empty_memory_is_no_error(encoder, keys) -> None:
    nothing = torch.zeros(1, 5, dtype=torch.bool)
    assert encoder(keys[None], nothing, WEIGHT[None]).isfinite().all()


def test_at_the_start_nothing_is_heard(keys) -> None:
    there = torch.ones(1, 5, dtype=torch.bool)
    assert torch.equal(SetEncoder(WIDTH)(keys[None], there, WEIGHT[None])[0], keys)
