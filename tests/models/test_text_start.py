import numpy as np
import pytest
from infact.models.text_start import entity_start


def test_like_texts_begin_near_each_other() -> None:
    random = np.random.default_rng(0)
    kinds = random.standard_normal((3, 20))
    texts = np.repeat(kinds, 10, axis=0) + 0.1 * random.standard_normal((30, 20))
    start = entity_start(texts, 8, 0.5, seed=1)
    assert start.shape == (30, 8)
    assert start.dtype == np.float32
    assert start.std() == pytest.approx(0.5, rel=0.05)
    distances = np.linalg.norm(start[:, None] - start, axis=2)
    kind = np.repeat(np.arange(3), 10)
    same = kind[:, None] == kind
    assert distances[same].max() < distances[~same].min()


def test_it_keeps_the_distances_of_texts_that_fit() -> None:
    texts = np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
    start = entity_start(texts, 5, 1.0, seed=0)
    before, after = (np.linalg.norm(of[:, None] - of, axis=2) for of in (texts, start))
    np.testing.assert_allclose(after / after.max(), before / before.max(), atol=1e-5)


def test_no_text_begins_at_random() -> None:
    texts = np.random.default_rng(0).standard_normal((6, 4))
    texts[2] = 0
    first, again, other = (entity_start(texts, 9, 1e-3, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[2], other[2])
    assert np.isfinite(entity_start(np.zeros((3, 4)), 2, 1.0, 0)).all()


def test_a_number_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="finite"):
        entity_start(np.array([[1.0, np.nan]]), 2, 1.0, 0)
