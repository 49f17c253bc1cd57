"""What a fused answer reads in its fact memory, and what it loses with each fact: late fusion.

`state_knock_out` measures the same where facts change the model's own states.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .attention_weights import AnswerReading
from .fact_memory import PADDING, FactMemory
from .knock_out import positions_of
from .label_pointer import PointerReadOut, label_log_probabilities
from .read_out import Positions, next_token_log_probabilities


@dataclass(frozen=True)
class FactWeights:
    """Attention to a memory, averaged over the places that predict the answer. Shapes: F facts.

    Attributes:
        null: weight of the null slot, which stands for the base as it is.
        facts: (F,) weight of each fact, summed over its label's tokens; with `null` they sum to 1.
    """

    null: float
    facts: Tensor


@dataclass(frozen=True)
class LayerReading:
    """What one layer reads in a memory.

    Attributes:
        layer: number of its block, from 0.
        weights: mean over heads; None where it doesn't attend.
        without: log-probability of the answer where this layer reads nothing.
    """

    layer: int
    weights: FactWeights | None
    without: float


@dataclass(frozen=True)
class MemoryReading:
    """Shapes: F facts.

    Attributes:
        weights: of the pointer, or the mean over the layers that attend; None where none does.
        score: log-probability of the whole answer, in nats.
        without: (F,) the same with each fact taken out of the memory.
        without_all: the same with all of them taken out at once: facts that can stand in for each
            other each show no effect alone.
        layers: behind whose blocks facts are read; none where a pointer reads them at the top.
    """

    weights: FactWeights | None
    score: float
    without: Tensor
    without_all: float
    layers: tuple[LayerReading, ...] = ()


@torch.inference_mode()
def read_memory(
    model: PreTrainedModel, reading: AnswerReading, read_out: PointerReadOut
) -> MemoryReading:
    """Weights and knock-outs of the facts in the read-out's request 0, which is this prompt's."""
    memory = read_out.memory.select(torch.tensor([0]))
    facts = (memory.relation[0] != PADDING).nonzero().squeeze(1)
    positions = positions_of(reading.answered, reading.hidden[None])
    own = next_token_log_probabilities(model, positions.hidden)
    targets = torch.tensor(reading.answered.targets)[:, None]
    each = replace(read_out, memory=without_each_and_all(memory, facts))
    scores = torch.stack(
        [
            each(replace(positions, request=torch.full_like(positions.request, request)), own)
            .gather(1, targets)
            .sum()
            for request in range(2 + len(facts))
        ]
    )
    null, weights = _pointer_weights(model, read_out, positions, own)
    return MemoryReading(
        FactWeights(null, weights[facts]), float(scores[0]), scores[1:-1], float(scores[-1])
    )


def _pointer_weights(
    model: PreTrainedModel, read_out: PointerReadOut, positions: Positions, own: Tensor
) -> tuple[float, Tensor]:
    """Mean weight of the null slot and (F,) of each column of the memory."""
    memory = read_out.memory.select(positions.request)
    null, copied = read_out.pointer(
        positions,
        model.get_input_embeddings()(positions.current),
        label_log_probabilities(own, memory),
        memory,
    )
    return float(null.exp().mean()), copied.exp().sum(dim=2).mean(dim=0)


def without_each_and_all(memory: FactMemory, facts: Tensor) -> FactMemory:
    """Request 0 as it is; request 1 + i is it without the fact in column `facts[i]`; the last has none."""
    whole = memory.select(torch.zeros(2 + len(facts), dtype=torch.long))
    gone = torch.zeros(whole.relation.shape, dtype=torch.bool)
    gone[torch.arange(1, 1 + len(facts)), facts] = True
    gone[-1] = True
    return FactMemory(
        whole.relation.masked_fill(gone, PADDING),
        whole.vector.masked_fill(gone, PADDING),
        whole.label.masked_fill(gone[:, :, None], PADDING),
        whole.weight.masked_fill(gone, 0.0),
    )
