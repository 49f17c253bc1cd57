"""What a causal model's layers attend to where they predict an answer.

Attention alone isn't an explanation (Jain & Wallace 2019): weights can be moved about without the
prediction following. `knock_out` measures what follows when something can't be attended to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_utils import PreTrainedModel

from .answered_prompt import AnsweredPrompt


@dataclass(frozen=True)
class AnswerReading:
    """An answered prompt as the model reads it, nothing knocked out.

    Shapes: T places (the last token predicts nothing and isn't read), A of them predict the answer,
    L layers, D hidden width.

    Attributes:
        answered: the tokens.
        cache: keys and values of the T places; not to be written to.
        attention: (L, A, T) mean over heads of the weights from the answering places; rows sum to 1.
        hidden: (A, D) final hidden states at the answering places.
    """

    answered: AnsweredPrompt
    cache: DynamicCache
    attention: Tensor
    hidden: Tensor


@contextmanager
def weights_returned(model: PreTrainedModel) -> Iterator[None]:
    """Within, the model attends by plain matrix products, which alone return their weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@torch.inference_mode()
def read_answer(model: PreTrainedModel, answered: AnsweredPrompt) -> AnswerReading:
    """Read a prompt and its answer; the model must return its weights, see `weights_returned`."""
    places = torch.tensor([answered.tokens[:-1]])
    cache = DynamicCache()
    before = answered.answering
    if before:
        model.base_model(input_ids=places[:, :before], past_key_values=cache, use_cache=True)
    output = model.base_model(
        input_ids=places[:, before:],
        position_ids=torch.arange(before, places.shape[1])[None],
        past_key_values=cache,
        use_cache=True,
        output_attentions=True,
    )
    weights = [layer[0].float().mean(dim=0) for layer in output.attentions]
    return AnswerReading(answered, cache, torch.stack(weights), output.last_hidden_state[0])


def span_attention(attention: Tensor, spans: Sequence[Sequence[int]]) -> Tensor:
    """(L, S) weight on each of S spans: summed over its tokens, averaged over the answering places.

    Args:
        attention: (L, A, T).
        spans: places of each span's tokens.
    """
    mean = attention.mean(dim=1)
    return torch.stack([mean[:, list(span)].sum(dim=1) for span in spans], dim=1)
