"""A new model of those that `EmbeddingSettings` names."""

from __future__ import annotations

import torch

from .complex_embedding import ComplEx
from .distmult_embedding import DistMult
from .embedding_base import EmbeddingModel
from .embedding_settings import EmbeddingSettings, ModelName
from .rotate_embedding import RotatE
from .table_storage import IN_MEMORY, TableStorage
from .transe_embedding import TransE

__all__ = ["MODELS", "EmbeddingModel", "new_model"]

MODELS: dict[ModelName, type[EmbeddingModel]] = {
    kind.name: kind for kind in (TransE, DistMult, ComplEx, RotatE)
}


def new_model(
    settings: EmbeddingSettings,
    entity_count: int,
    relation_count: int,
    seed: int,
    storage: TableStorage = IN_MEMORY,
) -> EmbeddingModel:
    """At its random start, which is the same for the same seed; its tables lie in `storage`."""
    kind, width = MODELS[settings.model], settings.dimension
    entity = storage.zeros("entity", (entity_count, width))
    relation = storage.zeros("relation", (2 * relation_count, kind.relation_width(width)))
    model = kind(entity, relation)
    model.draw(settings.initial_scale, torch.Generator().manual_seed(seed))
    return model
