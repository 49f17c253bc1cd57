import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from infact.models.token_batches import padded_tokens, shuffled_batches


def test_rows_are_padded_at_the_end() -> None:
    tokens, mask = padded_tokens([(4, 5, 6), (7,)], 2)
    assert tokens.tolist() == [[4, 5, 6], [7, 2, 2]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


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
