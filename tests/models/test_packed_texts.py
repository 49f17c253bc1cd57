"""Texts that share a row are read as each alone."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from infact.models.kept_bottom import bottom_states, frozen_blocks, repeated_bottom
from infact.models.language_model_loss import predicted_logits, weighted_cross_entropy
from infact.models.packed_texts import (
    ROW_TOKENS,
    collate_for,
    pack_predicted,
    reads_packed,
)
from infact.models.predicted_texts import PredictedText, collate_predicted, continued_text
from infact.models.transformer_blocks import transformer_blocks

from .test_fused_model import CAUSAL, MASKED, tiny

LENGTHS = (9, 4, 12, 5, 6, 3, 7)


def texts(vocabulary: int = 60, lengths: tuple[int, ...] = LENGTHS) -> list[PredictedText]:
    random = np.random.default_rng(0)
    rows = [tuple(random.integers(1, vocabulary, length).tolist()) for length in lengths]
    return [continued_text(row, [float(place % 3) for place in range(len(row))]) for row in rows]


@given(st.lists(st.integers(1, 2 * ROW_TOKENS), min_size=1, max_size=24))
def test_every_text_lies_whole_in_a_row(lengths: list[int]) -> None:
    rows = [continued_text(range(1, 1 + length), (1.0,) * length) for length in lengths]
    batch = pack_predicted(rows)
    assert batch.positions is not None
    assert batch.size == sum(lengths)
    found = []
    for row, places, mask in zip(batch.tokens, batch.positions, batch.mask, strict=True):
        begins = [*torch.nonzero(places == 0).flatten().tolist(), len(places)]
        parts = [slice(*pair) for pair in itertools.pairwise(begins)]
        found += [tuple(row[part].tolist()) for part in parts if mask[part].all()]
    assert sorted(found) == sorted(row.tokens for row in rows)
    aimed = batch.tokens[batch.at.rows, batch.at.places + 1]
    assert torch.equal(aimed, batch.targets)
    assert batch.tokens.numel() <= len(rows) * max(lengths)


@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_loss_and_gradients_are_those_of_padded_texts(family: str) -> None:
    """For families that read packed texts; the others are never packed."""
    model = tiny(family)
    if not reads_packed(model):
        assert family in {*MASKED, *NOT_PACKED}
        return
    assert family not in NOT_PACKED
    model.requires_grad_(True)
    found = []
    for collate in (collate_predicted, pack_predicted):
        model.zero_grad()
        loss = weighted_cross_entropy(model, collate(texts()))
        loss.backward()
        grown = [value.grad.clone() for value in model.parameters() if value.grad is not None]
        found.append((loss.detach(), torch.cat([each.flatten() for each in grown])))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-5, rtol=1e-4)


NOT_PACKED = {"OPT"}  # makes its places of its own


@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_kept_states_give_the_whole_pass(family: str) -> None:
    model, rows = tiny(family), texts()
    kept = bottom_states(model, [row.tokens for row in rows], 2)
    layouts = [collate_predicted, *([pack_predicted] if reads_packed(model) else [])]
    ran = []
    inner = next(transformer_blocks(model)[1].children())
    for collate in layouts:
        expected = predicted_logits(model, collate(rows))
        handle = inner.register_forward_hook(lambda *given: ran.append(given))
        found = predicted_logits(model, collate(rows, bottom=kept))
        handle.remove()
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert not ran
    assert collate_predicted([*rows, continued_text((1, 2), (1, 1))], bottom=kept).bottom is None


def test_states_are_kept_where_texts_come_again(tiny_model) -> None:
    once, blocks = [row.tokens for row in texts()], frozen_blocks(tiny_model, 1)
    assert blocks == len(transformer_blocks(tiny_model)) - 1
    assert repeated_bottom(tiny_model, once, blocks) is None
    assert repeated_bottom(tiny_model, once * 2, 0) is None
    kept = repeated_bottom(tiny_model, once * 2, blocks)
    assert kept is not None
    assert set(kept.of_text) == set(once)
    assert frozen_blocks(tiny_model, 99) == 0


def test_batches_have_what_fits_the_model(tiny_model) -> None:
    rows = texts()
    assert collate_for(tiny_model, rows, 1)(rows).bottom is None
    batch = collate_for(tiny_model, rows * 3, 1)(rows)
    assert batch.bottom is not None
    assert batch.positions is not None
    masked = collate_for(tiny("Bert"), rows, 0)(rows)
    assert masked.positions is None
