"""Size distillation: a smaller model learns to say what a larger one says, and to get there as it does.

    loss = T² · mean KL(teacher_T ‖ student_T)              at the predicted places, tempered by T
         + h · mean_l ‖unit(W_l h^s_l) − unit(h^t_{m(l)})‖² / D     behind every block of the student
         + r · mean_X mean KL(R(X^t) ‖ R(X^s))              X: queries, keys, values of one block
    R(X) = softmax(X Xᵀ / √d) by relation head

Logits are Hinton et al.'s (2015), hidden states TinyBERT's (Jiao et al. 2020), with W_l where widths
differ, and the relations of the last block MiniLM v2's (Wang et al. 2021), which ask for no width. Each
part can be left out. It fails where the student is given too little text: what it is to say of words
that it never sees, it must have from the blocks that it began with.

Shapes: B texts, T tokens, D hidden width of the teacher, N predicted places, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_utils import PreTrainedModel

from .attention_projections import kept_projections
from .partial_passes import logits_at_places
from .predicted_texts import PredictedBatch
from .transformer_blocks import transformer_blocks


@dataclass(frozen=True)
class SizeWeights:
    """How the parts of the loss count; T is `temperature`, h and r the others."""

    temperature: float = 2.0
    hidden: float = 1.0
    relation: float = 1.0


class SizeStudent(nn.Module):
    """A student, and the maps of its states into the teacher's width.

    Args:
        student: a smaller model with the teacher's tokenizer; all but its embeddings is trained.
        teacher: frozen.
        layers: for each block of the student, the teacher's block whose states it is to have.
    """

    def __init__(
        self, student: PreTrainedModel, teacher: PreTrainedModel, layers: Sequence[int]
    ) -> None:
        super().__init__()
        self.student = student.requires_grad_(True)
        for embeddings in (student.get_input_embeddings(), student.get_output_embeddings()):
            embeddings.requires_grad_(False)
        self.layers = tuple(layers)
        widths = [model.config.get_text_config().hidden_size for model in (student, teacher)]
        same = widths[0] == widths[1]
        self.maps = nn.ModuleList(
            nn.Identity() if same else nn.Linear(widths[0], widths[1], bias=False) for _ in layers
        )


@dataclass(frozen=True)
class _Pass:
    """What one model gave: (N, V) logits, states behind blocks, and queries, keys and values of one."""

    logits: Tensor
    hidden: list[Tensor]
    projections: list[Tensor]


def size_distillation_loss(
    model: SizeStudent, teacher: PreTrainedModel, batch: PredictedBatch, weights: SizeWeights
) -> Tensor:
    """The loss above on one batch; of a part, its share of the whole's.

    Raises:
        UserError: see `kept_projections`; not where relations are left out.
    """
    own = range(len(model.layers))
    with torch.no_grad():
        expected = _pass(teacher, batch, model.layers, weights)
    found = _pass(model.student, batch, own, weights)
    warmth = weights.temperature
    loss = (
        warmth**2
        * functional.kl_div(
            (found.logits / warmth).log_softmax(-1),
            (expected.logits / warmth).log_softmax(-1),
            log_target=True,
            reduction="sum",
        )
        / len(batch.whole.targets)
    )
    there = batch.mask.bool()
    tokens = batch.size / batch.whole.size  # the share of a part
    if weights.hidden:
        distances = [
            (_unit(to(mine)) - _unit(theirs))[there].square().mean()
            for to, mine, theirs in zip(model.maps, found.hidden, expected.hidden, strict=True)
        ]
        loss = loss + tokens * weights.hidden * torch.stack(distances).mean()
    if weights.relation:
        heads = _relation_heads(model.student, teacher)
        divergences = [
            relation_divergence(theirs, mine, there, heads)
            for mine, theirs in zip(found.projections, expected.projections, strict=True)
        ]
        loss = loss + tokens * weights.relation * torch.stack(divergences).mean()
    return loss


def relation_divergence(teacher: Tensor, student: Tensor, there: Tensor, heads: int) -> Tensor:
    """Mean KL of the teacher's relations to the student's, over heads and the tokens that are there.

    Args:
        teacher, student: (B, T, W) queries, keys or values; W may differ.
        there: (B, T) False in padding.
        heads: into which both widths are divided.
    """
    log_relations = []
    for vectors in (teacher, student):
        parts = vectors.float().unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, H, T, W / H)
        scores = parts @ parts.transpose(2, 3) / math.sqrt(parts.shape[-1])
        log_relations.append(scores.masked_fill(~there[:, None, None], -1e9).log_softmax(-1))
    expected, found = log_relations
    by_token = (expected.exp() * (expected - found)).sum(dim=-1)  # (B, H, T)
    rows: Tensor = by_token.transpose(1, 2)[there]
    return rows.mean()


def _relation_heads(student: PreTrainedModel, teacher: PreTrainedModel) -> int:
    """Into as many heads as the narrowest keys have, which divide every projection of both."""
    configs = [model.config.get_text_config() for model in (student, teacher)]
    counts = [
        getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        for config in configs
    ]
    return math.gcd(*counts)


def _pass(
    model: PreTrainedModel, batch: PredictedBatch, layers: Sequence[int], weights: SizeWeights
) -> _Pass:
    blocks = transformer_blocks(model)
    with ExitStack() as kept:
        hidden = kept.enter_context(_kept_states([blocks[layer] for layer in layers]))
        last = kept_projections(blocks[layers[-1]]) if weights.relation else None
        projections = [] if last is None else kept.enter_context(last)
        logits = logits_at_places(model, batch.tokens, batch.mask, batch.at)
        return _Pass(logits, list(hidden), list(projections))


@contextmanager
def _kept_states(blocks: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within, the list fills with the (B, T, D) outputs of these blocks in a pass."""
    found: list[Tensor] = []

    def keep(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        found.append(output if isinstance(output, Tensor) else output[0])

    handles = [block.register_forward_hook(keep) for block in blocks]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _unit(states: Tensor) -> Tensor:
    """States at the length 1 of their mean square: families differ in how long theirs are."""
    return functional.rms_norm(states.float(), states.shape[-1:], eps=1e-6)
