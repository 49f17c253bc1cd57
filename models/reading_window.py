"""How much a language model can read at once, and texts that are longer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError


def reading_window(model: PreTrainedModel) -> int | None:
    """How many tokens it can read; None where its kind of position has no end."""
    told = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(told, int) or told <= 0:
        return None
    # Families after RoBERTa count positions from behind the padding token's number.
    starts = [
        part.padding_idx + 1
        for name, part in model.named_modules()
        if name.endswith("position_embeddings")
        and isinstance(part, nn.Embedding)
        and part.padding_idx is not None
    ]
    return told - max(starts, default=0)


def check_window(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    room: int,
    where: str,
) -> None:
    """Raises UserError where a text and `room` more tokens are longer than the model's window.

    Beyond it a model fails or, worse, answers from positions that it was never trained on.
    """
    window = reading_window(model)
    if window is None or not texts:
        return
    lengths = [len(tokens) + room for tokens in tokenizer(list(texts))["input_ids"]]
    longest = max(range(len(texts)), key=lengths.__getitem__)
    if lengths[longest] > window:
        problem = (
            f"{lengths[longest]} tokens are to be read and written, and the model has {window}"
        )
        raise UserError(problem, f"{where}: {texts[longest][:60]}…", "Shorten it.")
