"""Prompt tuning (Lester et al. 2021): V learned vectors before every text, the model itself frozen.

    p(answer | text) = LM(answer | v_1 … v_V, text)

They stand behind the special tokens that a text begins with. Trained and saved by PEFT. To be asked, the
vectors become tokens of their own, so that the scorer, the tree of options and greedy decoding need to
know nothing of them.

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

from .low_rank import peft_task
from .partial_passes import Places, head_at
from .predicted_texts import PredictedBatch

SAVED = "prompt_embeddings"  # as PEFT names them in adapter_model.safetensors


def add_soft_prompt(model: PreTrainedModel, length: int, seed: int) -> PeftModel:
    """Wrap frozen `model` with `length` vectors that begin as embeddings of tokens drawn by `seed`."""
    config = PromptTuningConfig(task_type=peft_task(model), num_virtual_tokens=length)
    wrapped = cast(PeftModel, get_peft_model(model, config))
    embeddings = _embedding(model).weight.detach()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(embeddings), (length,), generator=generator)
    (vectors,) = (value for value in wrapped.parameters() if value.requires_grad)
    with torch.no_grad():
        vectors.copy_(embeddings[drawn])
    return wrapped


def special_beginning(tokenizer: PreTrainedTokenizerBase) -> int:
    """How many special tokens every text begins with."""
    special = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return int(special.index(0))


def soft_prompt_loss(wrapped: PeftModel, batch: PredictedBatch, beginning: int) -> Tensor:
    """Mean negative log-likelihood of the predicted tokens after the vectors, by the batch's weights.

    Shapes: B texts, T tokens, V vectors, D hidden width.

    Args:
        wrapped: what `add_soft_prompt` gave.
        batch: texts of one kind.
        beginning: special tokens of each that the vectors come after.
    """
    model = cast(PreTrainedModel, wrapped.get_base_model())
    embedded = _embedding(model)(batch.tokens)  # (B, T, D)
    vectors = wrapped.get_prompt(len(batch.tokens)).to(embedded.dtype)  # (B, V, D)
    before, after = embedded[:, :beginning], embedded[:, beginning:]
    shifted = batch.at.places + vectors.shape[1] * (batch.at.places >= beginning)
    with head_at(model, Places(batch.at.rows, shifted)):
        logits = model(
            inputs_embeds=torch.cat([before, vectors, after], dim=1),
            attention_mask=functional.pad(batch.mask, (vectors.shape[1], 0), value=1),
        ).logits.squeeze(0)
    losses = functional.cross_entropy(logits.float(), batch.targets, reduction="none")
    return (losses * batch.weights).sum() / batch.whole.weights.sum()


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
