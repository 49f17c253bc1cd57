"""Attention fusion: within chosen blocks, each place of the text attends to the facts it may read.

    h ← h + |h| · c ⊙ Σ_{f,j} a_{f,j} written_{f,j}
    a: see `label_reading`, of facts keyed by  own_f = W_r · relation_f + W_e · vector_f

The gates c begin at zero: the model is the base's to the bit until it is trained, and no scalar gate
has to open first. Facts as keys and values in attention are KBLaM's (Wang et al. 2025).

    text   h ──► block ──► (+) ──► next block
                            ▲
    facts  k, v ──► attention, null slot

It fails where the asked fact isn't in the memory, and for a relation that no training question asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionSizes, FusionStrategy
from .label_reading import LabelReader, LabelSlots, added


@dataclass(frozen=True)
class KeyedSlots:
    """Slots of label tokens, and the (B, F, H·K) keys of their facts."""

    own: Tensor
    slots: LabelSlots


class FactAttention(nn.Module):
    """What one layer reads."""

    def __init__(self, sizes: FusionSizes) -> None:
        super().__init__()
        self.relation_key = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.vector_key = nn.Linear(sizes.vector, sizes.width, bias=False)
        self.reader = LabelReader(sizes)

    def prepare(self, facts: FactVectors) -> KeyedSlots:
        """The facts' keys and slots."""
        own = self.relation_key(facts.relation) + self.vector_key(facts.vector)
        return KeyedSlots(own, self.reader.prepare(facts))

    def forward(self, hidden: Tensor, run: TextRun, facts: KeyedSlots) -> Tensor:
        """Hidden states (B, Q, D) with what was read added."""
        attention = self.reader.attention(hidden, run, facts.own, facts.slots)
        return added(hidden, self.reader.copied_labels(attention, facts.slots))


class AttentionFusion(FusionStrategy):
    """One `FactAttention` for each chosen layer, over relations' keys and vectors that all share."""

    name = "attention"

    def __init__(self, sizes: FusionSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__(sizes, relation_keys, object_vectors)
        self.readers = nn.ModuleDict({str(layer): FactAttention(sizes) for layer in sizes.layers})

    @property
    def softmaxes(self) -> dict[int, nn.Module]:
        return {layer: self._reader(layer).reader.softmax for layer in self.layers}

    def prepare(self, facts: FactVectors) -> dict[int, KeyedSlots]:
        return {layer: self._reader(layer).prepare(facts) for layer in self.layers}

    def at_block(self, layer: int, hidden: Tensor, run: TextRun, facts: Any) -> Tensor:
        found: Tensor = self._reader(layer)(hidden, run, facts[layer])
        return found

    def _reader(self, layer: int) -> FactAttention:
        return cast(FactAttention, self.readers[str(layer)])
