"""Rows in slices and buckets on disk, against the same rows in memory."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg import row_buckets as module
from infact.kg.row_buckets import RowBuckets, RowSlices


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 9), st.sampled_from([1, 3, 100]))
def test_buckets(keys: list[int], at_once: int, read_at_once: int) -> None:
    rows = np.arange(2 * len(keys), dtype=np.int32).reshape(-1, 2)
    numbers = np.array(keys, np.int32)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as file:
        patch.setattr(module, "AT_ONCE", read_at_once)
        buckets = RowBuckets(file, np.bincount(numbers, minlength=5), 2)
        for start in range(0, len(keys), at_once):
            buckets.add(numbers[start : start + at_once], rows[start : start + at_once])
        assert len(buckets) == 5
        for bucket in range(5):
            assert buckets.whole(bucket).tolist() == rows[numbers == bucket].tolist()
            assert all(0 < len(some) <= read_at_once for some in buckets.read(bucket))


def test_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 4)
    rows = np.arange(30, dtype=np.int32).reshape(10, 3)
    np.save(tmp_path / "rows.npy", rows)
    slices = RowSlices(tmp_path / "rows.npy")
    assert [len(some) for some in slices] == [4, 4, 2]
    assert np.concatenate(list(slices)).tolist() == rows.tolist()
    asked = np.array([9, 0, -1, 3, 4, 0])
    taken = slices.take(asked)
    assert taken[asked >= 0].tolist() == rows[asked[asked >= 0]].tolist()
    assert (taken[asked < 0] == -1).all()
    np.save(tmp_path / "none.npy", rows[:0])
    none = RowSlices(tmp_path / "none.npy")
    assert list(none) == []
    assert none.take(np.array([-1])).tolist() == [[-1, -1, -1]]
