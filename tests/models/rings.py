"""A small graph in which every triple follows from the others."""

import numpy as np

ENTITIES = 24


def ring_triples() -> np.ndarray:
    """`next` and `opposite` on a ring of hours."""
    hours = np.arange(ENTITIES)
    one = np.ones(ENTITIES, dtype=int)
    following = np.stack((hours, 0 * one, (hours + 1) % ENTITIES), axis=1)
    opposite = np.stack((hours, one, (hours + ENTITIES // 2) % ENTITIES), axis=1)
    return np.concatenate((following, opposite)).astype(np.int32)
