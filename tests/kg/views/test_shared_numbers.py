"""Shared numbers against sets and dictionaries."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.views import shared_numbers
from infact.kg.views.shared_numbers import SharedNumbers, different_rows, encoded, merged

texts = st.sets(st.text("ab\u00e9\U0001f600", max_size=3), max_size=12)


@given(texts, texts, texts)
def test_merged_columns_ascend_and_share_numbers(
    old: set[str], new: set[str], apart: set[str]
) -> None:
    first, second = sorted(old), sorted(new)
    flags = np.array([text in apart for text in second], bool)
    numbers = merged(pa.array(first, pa.string()), pa.array(second, pa.string()), flags)
    of_old = dict(zip(first, numbers.old.tolist(), strict=True))
    for text, number in zip(second, numbers.new.tolist(), strict=True):
        if text in old and text not in apart:
            assert number == of_old[text]
        else:
            assert number not in of_old.values()
    for side in (numbers.old, numbers.new):
        assert (np.diff(side) > 0).all()
        assert not len(side) or (side[0] >= 0 and side[-1] < numbers.count)


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())])
@given(old=st.lists(st.sampled_from("abc")), new=st.lists(st.sampled_from("bcd")))
def test_encoded_columns_share_numbers(kind: pa.DataType, old: list[str], new: list[str]) -> None:
    columns = [
        pa.chunked_array([pa.array(part).cast(kind) for part in (side[:2], side[2:]) if part], kind)
        for side in (old, new)
    ]
    numbers = encoded(*columns)
    both = [
        *zip(old, numbers.old.tolist(), strict=True),
        *zip(new, numbers.new.tolist(), strict=True),
    ]
    assert len(set(both)) == len({text for text, _ in both}) == len({code for _, code in both})
    assert all(0 <= code < numbers.count for _, code in both)


rows = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=20)


@pytest.mark.parametrize("largest", [2**63 - 1, 17])
@given(old=rows, new=rows)
def test_different_rows(largest: int, old: set[tuple[int, ...]], new: set[tuple[int, ...]]) -> None:
    """Also where a row's numbers don't fit one number."""
    first, second = (np.array(sorted(side), np.int64).reshape(-1, 3) for side in (old, new))
    columns = [SharedNumbers(first[:, at], second[:, at], 4) for at in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_numbers, "LARGEST", largest)
        added, removed = different_rows(columns)
    assert {tuple(row) for row in second[added].tolist()} == new - old
    assert {tuple(row) for row in first[removed].tolist()} == old - new
