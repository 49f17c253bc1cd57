import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.models.token_batches import (
    TokenRow,
    WeightedText,
    collate_rows,
    shuffled_batches,
    tokenize_weighted,
)


def test_the_loss_lies_from_the_target_on(tiny_tokenizer) -> None:
    text = "The capital of Norway is Oslo."
    (row,) = tokenize_weighted(tiny_tokenizer, [WeightedText(text, text.index(" Oslo"), 0.2)], 99)
    full = [token for token, weight in zip(row.tokens, row.weights, strict=True) if weight == 1]
    assert tiny_tokenizer.decode(full) == " Oslo."
    assert row.weights[0] == 0, "nothing predicts the first token"
    assert set(row.weights[1 : -len(full)]) == {0.2}


@given(st.text(min_size=1, max_size=20), st.integers(0, 20))
def test_a_token_counts_in_full_when_it_ends_after_the_target(
    tiny_tokenizer, text: str, target: int
) -> None:
    (row,) = tokenize_weighted(tiny_tokenizer, [WeightedText(text, target, 0.0)], 200)
    assert list(row.tokens) == tiny_tokenizer(text)["input_ids"]
    offsets = tiny_tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    expected = [float(end > target) for _, end in offsets]
    assert list(row.weights) == [0.0, *expected[1:]]


def test_a_text_too_long_is_refused(tiny_tokenizer) -> None:
    text = "The capital of Norway is Oslo."
    length = len(tiny_tokenizer(text)["input_ids"])
    assert tokenize_weighted(tiny_tokenizer, [WeightedText(text, 0, 1.0)], length)
    with pytest.raises(ValueError, match=f"{length} tokens is over {length - 1}"):
        tokenize_weighted(tiny_tokenizer, [WeightedText(text, 0, 1.0)], length - 1)


def test_rows_are_padded_at_the_end() -> None:
    batch = collate_rows([TokenRow((4, 5, 6), (0, 1, 0.5)), TokenRow((7,), (0,))], padding=2)
    assert batch.tokens.tolist() == [[4, 5, 6], [7, 2, 2]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.weights.tolist() == [[0, 1, 0.5], [0, 0, 0]]


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(1, 7), st.integers(0, 5))
def test_batches_hold_every_row_once(lengths: list[int], batch_size: int, seed: int) -> None:
    batches = shuffled_batches(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)
    assert batches == shuffled_batches(lengths, batch_size, np.random.default_rng(seed))


def test_a_batchs_rows_have_similar_lengths_and_epochs_differ() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 320).tolist()
    random = np.random.default_rng(1)
    first, second = (shuffled_batches(lengths, 8, random) for _ in range(2))
    padded = sum(max(lengths[row] for row in batch) * len(batch) for batch in first)
    assert padded < 1.15 * sum(lengths)
    assert first != second
