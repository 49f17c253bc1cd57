import numpy as np
import pytest
from infact.models.text_map import STRENGTHS, fit_text_map

SEEN, NEW, WIDTH, DIMENSION = 60, 40, 12, 5


def planted(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Texts, and vectors that they tell up to noise."""
    random = np.random.default_rng(seed)
    texts = random.standard_normal((SEEN + NEW, WIDTH))
    truth = texts @ random.standard_normal((WIDTH, DIMENSION)) + 3
    return texts, truth + noise * random.standard_normal(truth.shape)


def test_what_texts_tell_is_found_for_entities_never_seen() -> None:
    texts, vectors = planted(0.0)
    found = fit_text_map(texts[:SEEN], vectors[:SEEN]).vectors(texts[SEEN:])
    np.testing.assert_allclose(found, vectors[SEEN:], atol=1e-3)


@pytest.mark.parametrize("noise", [0.5, 20.0])
def test_it_is_near_the_best_strength_on_entities_never_seen(noise: float) -> None:
    """Against plain ridge regression with each strength, by the normal equations."""
    texts, vectors = planted(noise)
    middle, offset = texts[:SEEN].mean(axis=0), vectors[:SEEN].mean(axis=0)
    own = texts[:SEEN] - middle
    errors = []
    for strength in STRENGTHS * (np.linalg.svd(own)[1] ** 2).mean():
        weights = np.linalg.solve(
            own.T @ own + strength * np.eye(WIDTH), own.T @ (vectors[:SEEN] - offset)
        )
        guess = (texts[SEEN:] - middle) @ weights + offset
        errors.append(((guess - vectors[SEEN:]) ** 2).mean())
    found = fit_text_map(texts[:SEEN], vectors[:SEEN]).vectors(texts[SEEN:])
    error = ((found - vectors[SEEN:]) ** 2).mean()
    assert error < 1.05 * min(errors)


def test_texts_that_tell_nothing_give_the_mean() -> None:
    vectors = np.arange(6.0).reshape(3, 2)
    found = fit_text_map(np.zeros((3, 4)), vectors).vectors(np.ones((1, 4)))
    np.testing.assert_allclose(found, [vectors.mean(axis=0)])


def test_another_width_and_too_few_are_said() -> None:
    texts, vectors = planted(0.1)
    with pytest.raises(ValueError, match="12"):
        fit_text_map(texts, vectors).vectors(texts[:, :3])
    with pytest.raises(ValueError, match="two entities"):
        fit_text_map(texts[:1], vectors[:1])
