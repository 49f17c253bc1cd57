"""Vectors of a graph embedding as safetensors, with the graph's ids of their rows.

Tensors: `entity` (E, d), `relation` and `reciprocal` (R, d_r) float32; `entity_ids` (E,) and
`relation_ids` (R,) int32. The file's metadata name the model. One model gives one file, byte for byte.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .embedding_model import MODELS, EmbeddingModel


def save_vectors(
    model: EmbeddingModel, path: Path, entity_ids: np.ndarray, relation_ids: np.ndarray
) -> None:
    """Write the model, with the ids (E,) and (R,) of its rows."""
    relation, reciprocal = model.relation.detach().chunk(2)
    save_file(
        {
            "entity": model.entity.detach().contiguous(),
            "entity_ids": torch.from_numpy(entity_ids.astype(np.int32)),
            "relation": relation.contiguous(),
            "reciprocal": reciprocal.contiguous(),
            "relation_ids": torch.from_numpy(relation_ids.astype(np.int32)),
        },
        path,
        {"model": model.name},
    )


def load_vectors(path: Path) -> tuple[EmbeddingModel, np.ndarray, np.ndarray]:
    """The model that `save_vectors` wrote, its entity ids (E,) and its relation ids (R,).

    Raises:
        ValueError: the file names no model that is known here.
    """
    with safe_open(path, framework="pt") as file:
        # Files from before there were several models name none.
        name = (file.metadata() or {}).get("model", "complex")
        entity, relation = file.get_tensor("entity"), file.get_tensor("relation")
        reciprocal = file.get_tensor("reciprocal")
        ids = file.get_tensor("entity_ids").numpy(), file.get_tensor("relation_ids").numpy()
    if name not in MODELS:
        raise ValueError(f"the model {name!r} is none of {', '.join(MODELS)}")
    # The file is mapped: of a table larger than memory, what is read lies there alone.
    return MODELS[name](entity, torch.cat((relation, reciprocal))), *ids
