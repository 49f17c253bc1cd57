"""ComplEx: entity and relation vectors from triples.

Idea: every entity and relation is a vector of complex numbers; a triple is plausible when the
three vectors agree in phase. The conjugate on the tail makes the score asymmetric, so that
"causes" and "is caused by" can differ.

    score(h, r, t) = Re( sum_k  h_k * r_k * conj(t_k) )

Heads are scored by **reciprocal relations** (Lacroix et al. 2018), not by conjugation: each
relation r has a second vector r' of its own, and score(?, r, t) = score(t, r', ?). So one product
ranks either side, and the two sides may disagree about one triple; `tail_scores` is the one that
answers questions.

Regulariser: the nuclear 3-norm (N3), sum_k |h_k|^3 + |r_k|^3 + |t_k|^3, the mean over the triples
of a batch. Without it ComplEx memorises small graphs.

When it fails: entities seen in no triple keep their random start; rules that chain relations (the
uncle is the father's brother) are not expressed; literals aren't used; scores compare the tails of
one (head, relation) and mean nothing across queries unless normalised by a softmax over all tails.

Papers: Trouillon et al. 2016, "Complex embeddings for simple link prediction", ICML.
Lacroix, Usunier, Obozinski 2018, "Canonical tensor decomposition for knowledge base completion", ICML.

Shapes: E entities, R relations, d rank (complex numbers a vector), B queries. A vector is stored
as 2d real numbers: the d real parts, then the d imaginary parts.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

INITIAL_SCALE = 1e-3  # standard deviation of the start; the value of Lacroix et al.'s code


class ComplEx(nn.Module):
    """ComplEx with reciprocal relations (see this module's docstring for formula and papers).

    Args:
        entity_count: E.
        relation_count: R; the model holds 2R relation vectors, R + r being the reciprocal of r.
        rank: d, complex numbers a vector.
        seed: of the random start.
    """

    def __init__(self, entity_count: int, relation_count: int, rank: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.relation_count = relation_count
        self.entity = nn.Parameter(
            INITIAL_SCALE * torch.randn(entity_count, 2 * rank, generator=generator)
        )
        self.relation = nn.Parameter(
            INITIAL_SCALE * torch.randn(2 * relation_count, 2 * rank, generator=generator)
        )

    def tail_scores(self, heads: Tensor, relations: Tensor) -> Tensor:
        """Scores of every entity as the tail. heads, relations (B,) -> (B, E)."""
        return (
            rotate(F.embedding(heads, self.entity), F.embedding(relations, self.relation))
            @ self.entity.T
        )

    def head_scores(self, tails: Tensor, relations: Tensor) -> Tensor:
        """Scores of every entity as the head. tails, relations (B,) -> (B, E)."""
        return self.tail_scores(tails, relations + self.relation_count)


def rotate(entities: Tensor, relations: Tensor) -> Tensor:
    """Complex product, number by number: q = h * r. All (*, 2d).

    The score is then an ordinary dot product: Re(q * conj(t)) = Re q * Re t + Im q * Im t.
    """
    entity_real, entity_imaginary = entities.chunk(2, dim=-1)
    relation_real, relation_imaginary = relations.chunk(2, dim=-1)
    return torch.cat(
        (
            entity_real * relation_real - entity_imaginary * relation_imaginary,
            entity_real * relation_imaginary + entity_imaginary * relation_real,
        ),
        dim=-1,
    )


def cubed_moduli(vectors: Tensor) -> Tensor:
    """The N3 term of each vector, sum_k |v_k|^3. (*, 2d) -> (*)."""
    real, imaginary = vectors.chunk(2, dim=-1)
    return (real.square() + imaginary.square()).pow(1.5).sum(dim=-1)


def with_reciprocals(triples: np.ndarray, relation_count: int) -> np.ndarray:
    """Each (h, r, t) followed, after all of them, by each (t, r + R, h). (n, 3) -> (2n, 3)."""
    reversed_triples = triples[:, ::-1] + np.array([0, relation_count, 0], dtype=triples.dtype)
    return np.concatenate((triples, reversed_triples))


def save_vectors(
    model: ComplEx, path: Path, entity_ids: np.ndarray, relation_ids: np.ndarray
) -> None:
    """Write the model as safetensors, with the graph's ids of its rows.

    Tensors: `entity` (E, 2d) and `relation`, `reciprocal` (R, 2d) float32; `entity_ids` (E,) and
    `relation_ids` (R,) int32. One model gives one file, byte for byte.
    """
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
    )


def load_vectors(path: Path) -> tuple[ComplEx, np.ndarray, np.ndarray]:
    """The model that `save_vectors` wrote, its entity ids (E,) and its relation ids (R,)."""
    with safe_open(path, framework="pt") as file:
        entity, relation = file.get_tensor("entity"), file.get_tensor("relation")
        reciprocal = file.get_tensor("reciprocal")
        ids = file.get_tensor("entity_ids").numpy(), file.get_tensor("relation_ids").numpy()
    model = ComplEx(len(entity), len(relation), entity.shape[1] // 2, seed=0)
    model.load_state_dict({"entity": entity, "relation": torch.cat((relation, reciprocal))})
    return model, *ids
