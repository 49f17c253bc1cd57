"""Texts that go on from their kept beginnings give what they give as a whole, for every family."""

import pytest
import torch
from infact.models import text_beginnings
from infact.models.partial_passes import Places
from infact.models.text_beginnings import BeginningKeeper, goes_on, logits_after
from transformers import DynamicCache

from .test_fused_model import CAUSAL, MASKED, MEMORY, fused, texts, tiny

LENGTHS = (4, 0, 6)
READ_FROM = torch.tensor([[4, 5], [0, 0], [0, 0]])


def kept(model, lengths=LENGTHS) -> text_beginnings.KeptBeginnings:
    keeper = BeginningKeeper(lengths)
    for numbers in ([2, 0], [1]):
        cache = DynamicCache()
        tokens = texts()["input_ids"][numbers]
        model(input_ids=tokens, past_key_values=cache, use_cache=True)
        keeper.keep(numbers, cache)
    return keeper.kept()


@pytest.mark.parametrize("family", CAUSAL)
def test_a_causal_model_goes_on_from_its_keys_and_values(family: str) -> None:
    assert goes_on(tiny(family))


@pytest.mark.parametrize("family", MASKED)
def test_a_model_that_reads_both_ways_does_not(family: str) -> None:
    assert not goes_on(tiny(family))


@pytest.mark.parametrize("family", CAUSAL)
@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0]])
def test_what_follows_is_what_whole_texts_give(family: str, rows: list[int]) -> None:
    model, tokens = fused(family, "early"), texts()["input_ids"][rows]
    memory, read_from = MEMORY.select(torch.tensor(rows)), READ_FROM[rows]
    with model.session(memory, read_from):
        whole = model(input_ids=tokens).logits
    rest = torch.zeros(len(rows), 9, dtype=torch.long)
    mask = torch.zeros_like(rest)
    own, places, wanted = [], [], []
    for row, number in enumerate(rows):
        length = 9 - LENGTHS[number]
        rest[row, :length], mask[row, :length] = tokens[row, LENGTHS[number] :], 1
        own += [row] * length
        places += range(length)
        wanted.append(whole[row, LENGTHS[number] :])
    at = Places(torch.tensor(own), torch.tensor(places))
    begun = kept(model.base).of(rows)
    assert begun is not None
    for _ in range(2):  # a pass writes to no beginning
        with model.session(memory, read_from):
            found = logits_after(model.base, begun, rest, mask, at)
        torch.testing.assert_close(found, torch.cat(wanted), atol=1e-5, rtol=1e-4)
    plain = logits_after(model.base, begun, rest, mask, at)
    assert not torch.allclose(plain, found, atol=1e-3)


def test_texts_without_a_beginning_have_none() -> None:
    assert kept(tiny("Llama")).of([1]) is None


def test_beginnings_beyond_the_bound_are_not_kept(monkeypatch) -> None:
    a_place = 3 * 2 * 2 * 8 * 4  # layers, keys and values, heads, width, bytes
    monkeypatch.setattr(text_beginnings, "BYTES_KEPT", 9 * a_place)
    found = kept(tiny("Llama"))
    assert found.lengths == [0, 0, 6]
    assert len(found.states[0][0]) == 6
