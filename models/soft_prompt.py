"""Prompt tuning (Lester et al. 2021): V learned vectors before every text, the model itself frozen.

    p(answer | text) = LM(answer | v_1 … v_V, text)

Trained and saved by PEFT. To be asked, the vectors become tokens of their own, so that the scorer,
the tree of options and greedy decoding need to know nothing of them.

It can teach a model how it is being asked, hardly what it doesn't know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file
from tokenizers import AddedToken
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .language_model_loss import output_logits
from .token_batches import TokenBatch

SAVED = "prompt_embeddings"  # as PEFT names them in adapter_model.safetensors


def add_soft_prompt(model: PreTrainedModel, length: int, seed: int) -> PeftModel:
    """Wrap frozen `model` with `length` vectors that begin as embeddings of tokens drawn by `seed`."""
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=length)
    wrapped = cast(PeftModel, get_peft_model(model, config))
    embeddings = _embedding(model).weight.detach()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(embeddings), (length,), generator=generator)
    (vectors,) = (value for value in wrapped.parameters() if value.requires_grad)
    with torch.no_grad():
        vectors.copy_(embeddings[drawn])
    return wrapped


def soft_prompt_loss(wrapped: PeftModel, batch: TokenBatch) -> Tensor:
    """Mean negative log-likelihood of the next token after the vectors, weighted by `batch.weights`.

    Shapes: B texts, T tokens, V vectors, D hidden width.
    """
    model = cast(PreTrainedModel, wrapped.get_base_model())
    embedded = _embedding(model)(batch.tokens)  # (B, T, D)
    vectors = wrapped.get_prompt(len(batch.tokens)).to(embedded.dtype)  # (B, V, D)
    length = vectors.shape[1]
    output = model.base_model(
        inputs_embeds=torch.cat([vectors, embedded], dim=1),
        attention_mask=functional.pad(batch.mask, (length, 0), value=1),
        use_cache=False,
    )
    weights = batch.weights[:, 1:]
    place = weights > 0
    hidden = output.last_hidden_state[:, length:][:, :-1]
    logits = output_logits(model, hidden[place])
    losses = functional.cross_entropy(logits, batch.tokens[:, 1:][place], reduction="none")
    return (losses * weights[place]).sum() / weights[place].sum()


@dataclass(frozen=True)
class SoftPrompted:
    """A model that reads the vectors as tokens, its tokenizer, and the text that stands for them."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    opening: str


def with_soft_prompt(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, adapter: Path
) -> SoftPrompted:
    """Give `model` and `tokenizer`, which are changed, one new token for each vector in `adapter`.

    A prompt that begins with `opening` is read as the vectors and then the prompt; what can be
    answered stays as it was, since the output embedding gets no new rows.
    """
    vectors = load_file(adapter / "adapter_model.safetensors")[SAVED]
    names = [f"<|soft {number}|>" for number in range(len(vectors))]
    tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    ids = cast("list[int]", tokenizer.convert_tokens_to_ids(names))
    known = _embedding(model).weight.detach()
    table = known.new_zeros(max(len(known), max(ids) + 1), known.shape[1])
    table[: len(known)] = known
    table[ids] = vectors.to(known.dtype)
    model.set_input_embeddings(nn.Embedding.from_pretrained(table, freeze=True))
    return SoftPrompted(model, tokenizer, "".join(names))


def _embedding(model: PreTrainedModel) -> nn.Embedding:
    return cast(nn.Embedding, model.get_input_embeddings())
