"""Entity vectors that begin at what their labels or definitions say.

The text vectors' leading principal components, at the scale that a random start has: entities with like
texts begin near each other, which helps most those with few triples.

When it fails: texts that say nothing of an entity's relations (proper names) begin it no better than
chance does.

Paper: Wang et al. 2021, "KEPLER: A unified model for knowledge embedding and pre-trained language
representation", TACL, where entities are their descriptions' vectors.

Shapes: E entities, G numbers of a text's vector, d real numbers of an entity's.
"""

from __future__ import annotations

import numpy as np


def entity_start(texts: np.ndarray, dimension: int, scale: float, seed: int) -> np.ndarray:
    """Where the entities begin, (E, d) float32.

    Args:
        texts: (E, G) a row of zeros where an entity has no text: it begins at random.
        dimension: d; beyond the components that there are, numbers are drawn.
        scale: standard deviation of all numbers.
        seed: of what is drawn.

    Raises:
        ValueError: a number isn't finite.
    """
    if not np.isfinite(texts).all():
        raise ValueError("a text's vector has a number that isn't finite")
    start = np.random.default_rng(seed).standard_normal((len(texts), dimension))
    told = np.flatnonzero(texts.any(axis=1))
    if len(told) > 1:
        centred = texts[told] - texts[told].mean(axis=0)
        values, directions = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
        kept = np.flatnonzero(values > values.max() * 1e-10)[::-1][:dimension]
        components = centred @ directions[:, kept]
        start[told[:, None], np.arange(len(kept))] = components / components.std()
    return (scale * start).astype(np.float32)
