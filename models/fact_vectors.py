"""Facts in the spaces that a fused model reads them in, as every strategy gets them.

Relations and labels are in the language model's own space, so that facts of entities which were never
trained on are read alike; objects' vectors are of whatever source the user chose. All are brought to
one length, √width, so that none drowns another whatever scale its source has; but what is written is as
much longer as the model needs (`writing_reach`).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import PADDING, FactMemory
from .written_tokens import writing_reach, written_tokens


@dataclass(frozen=True)
class FactVectors:
    """Facts of B rows. Shapes: F facts, L label tokens, D hidden, G vector.

    Attributes:
        relation: (B, F, D) the relation's label in the model's own space; zero in padding.
        vector: (B, F, G) the object's vector; zero where it has none.
        embedded: (B, F, L, D) the object's label tokens as the model embeds them; zero in padding.
        label: (B, F, L, D) the same at one length.
        written: (B, F, L, D) the same as it writes them; see `written_tokens`.
        tokens: (B, F, L) their ids, -1 in padding.
        weight: (B, F) log of the probability that a fact is true; 0 where it is stated, and in padding.
        read_from: (B, F) the first place of the text, from 0, at which a fact may be read: the last
            token of its entity's mention, so that a causal model never reads ahead.
    """

    relation: Tensor
    vector: Tensor
    embedded: Tensor
    label: Tensor
    written: Tensor
    tokens: Tensor
    weight: Tensor
    read_from: Tensor

    @property
    def there(self) -> Tensor:
        """(B, F) False in padding."""
        return self.tokens[:, :, 0] != PADDING

    @property
    def mean_label(self) -> Tensor:
        """(B, F, D) mean embedding of each label's tokens."""
        count = (self.tokens != PADDING).sum(dim=2, keepdim=True)
        return self.label.sum(dim=2) / count.clamp(min=1)


def fact_vectors(
    memory: FactMemory,
    read_from: Tensor,
    relation_keys: Tensor,
    object_vectors: Tensor,
    base: PreTrainedModel,
) -> FactVectors:
    """The memory's facts as vectors.

    Args:
        memory: facts of B rows.
        read_from: (B, F) see `FactVectors`.
        relation_keys: (relations, D) labels of the relations in the model's own space.
        object_vectors: (objects, G).
        base: the language model, whose embeddings are read.
    """
    dtype = relation_keys.dtype
    known = memory.vector != PADDING
    tokens, there = memory.label.clamp(min=0), memory.label != PADDING
    embedded = base.get_input_embeddings()(tokens).to(dtype)
    return FactVectors(
        relation=_kept(relation_keys[memory.relation.clamp(min=0)], memory.relation != PADDING),
        vector=_kept(object_vectors[memory.vector.clamp(min=0)], known),
        embedded=embedded * there[..., None],
        label=_kept(embedded, there),
        written=_kept(written_tokens(base, tokens).to(dtype), there) * writing_reach(base),
        tokens=memory.label,
        weight=memory.weight.to(dtype),
        read_from=read_from,
    )


def _kept(vectors: Tensor, where: Tensor) -> Tensor:
    scaled = nn.functional.rms_norm(vectors, vectors.shape[-1:], eps=1e-12)
    return scaled * where[..., None].to(vectors.dtype)
