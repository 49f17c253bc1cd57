"""A map of objects' vectors into the space of input embeddings, by least squares: no training.

    W, b = argmin Σ_e ‖W v_e + b − m_e‖² + λ E ‖W‖²      m_e = mean_j embedding(label_{e,j})

It is E-BERT's (Poerner et al. 2020), which maps entities' vectors as the words are mapped that both spaces
know; here the objects whose labels are known are the pairs. Vectors and embeddings are brought to one
length, √width, before. It fails where vectors tell what kind of thing an object is and not its name: then
all objects of a kind are mapped to one place. How much it explains is therefore said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

RIDGE = 1e-2  # λ; on HPO the share explained is the same from 1e-6 to 1e-1
HELD_OUT = 10  # one object in so many tells what the map of the others explains


@dataclass(frozen=True)
class LabelMap:
    """The map. Shapes: D hidden, G vector.

    Attributes:
        weight: (D, G).
        bias: (D,).
        explained: share of the variance of labels that the map of all other objects explains (R²).
    """

    weight: Tensor
    bias: Tensor
    explained: float


@torch.no_grad()
def mean_embeddings(base: PreTrainedModel, labels: Sequence[Sequence[int]]) -> Tensor:
    """(E, D) mean input embedding of each label's tokens, as `FactVectors.mean_label` has it."""
    embeddings: Any = base.get_input_embeddings()
    table = embeddings.weight.float()
    scaled = nn.functional.rms_norm(table, table.shape[-1:], eps=1e-12)
    tokens = torch.tensor([token for label in labels for token in label])
    first = np.cumsum([0, *(len(label) for label in labels)])[:-1]
    return nn.functional.embedding_bag(tokens, scaled, torch.from_numpy(first), mode="mean")


@torch.no_grad()
def embedding_length(base: PreTrainedModel) -> float:
    """Mean root mean square of the input embeddings' rows."""
    embeddings: Any = base.get_input_embeddings()
    return float(embeddings.weight.float().square().mean(dim=1).sqrt().mean())


def label_map(vectors: Tensor, embeddings: Tensor) -> LabelMap:
    """The map of (E, G) vectors to the (E, D) embeddings of their labels; two objects at least."""
    scaled = nn.functional.rms_norm(vectors, vectors.shape[-1:], eps=1e-12)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(vectors)))
    held_out = -(-len(vectors) // HELD_OUT)
    tried, known = order[:held_out], order[held_out:]
    weight, bias = _solved(scaled[known], embeddings[known])
    missed = embeddings[tried] - scaled[tried] @ weight.T - bias
    around = embeddings[tried] - embeddings[known].mean(dim=0)
    explained = 1 - float(missed.square().sum() / around.square().sum())
    return LabelMap(*_solved(scaled, embeddings), explained)


def _solved(vectors: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias, in double precision: the normal equations square what is small."""
    wide, wanted = vectors.double(), embeddings.double()
    middle, target = wide.mean(dim=0), wanted.mean(dim=0)
    centred = wide - middle
    ridge = RIDGE * len(wide) * torch.eye(wide.shape[1], dtype=torch.double)
    weight = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ (wanted - target)).T
    return weight.float(), (target - weight @ middle).float()
