"""A new model of those that `EmbeddingSettings` names."""

from __future__ import annotations

from .complex_embedding import ComplEx
from .distmult_embedding import DistMult
from .embedding_base import EmbeddingModel
from .embedding_settings import EmbeddingSettings
from .rotate_embedding import RotatE
from .transe_embedding import TransE

__all__ = ["EmbeddingModel", "new_model"]


def new_model(
    settings: EmbeddingSettings, entity_count: int, relation_count: int, seed: int
) -> EmbeddingModel:
    """At its random start, which is the same for the same seed."""
    counts, scale = (entity_count, relation_count), settings.initial_scale
    if settings.model == "transe":
        return TransE(*counts, settings.dimension, seed, scale)
    if settings.model == "distmult":
        return DistMult(*counts, settings.dimension, seed, scale)
    if settings.model == "rotate":
        return RotatE(*counts, settings.dimension // 2, seed, scale)
    return ComplEx(*counts, settings.dimension // 2, seed, scale)
