"""A masked language model's head for a text encoder that came without one.

    loss = mean over masked tokens of −log p(token | the text without it and the later ones of its word)

A text encoder was trained for its states alone; what it would say at a masked token is noise. The head is
trained on general text, masked as `masked_scoring` masks what is asked, while everything that the folder
holds stays as it is to the bit; the output embedding is the input embedding where the family ties them.
What fusion gains over the encoder with its head is then fusion's and not the head's. As the encoder
doesn't change, its states at the masked tokens are computed once, and an epoch runs the head alone.

It fails on an encoder that has forgotten which word stood where: its head learns how often words are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .base_model import load_tokenizer
from .option_rows import batches_of_rows
from .partial_passes import from_states
from .token_batches import padded_tokens
from .training import Curriculum, TrainingRecord, TrainingSettings, train

BATCH_TOKENS = 2048
MASKED_SHARE = 0.15  # of a text's tokens; BERT's
BATCH_PLACES = 128  # of a training step
PADDED = 0  # any token: it is masked


@dataclass(frozen=True)
class HeadlessEncoder:
    """A masked language model whose folder lacks some of the head's weights.

    Attributes:
        model: in evaluation mode; of its parameters, those that are lacking require gradients.
        tokenizer: its tokenizer.
        lacking: their names; none where the folder has the whole head.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class MaskedTokens:
    """States of a frozen encoder at N masked tokens: (N, D) `hidden`, and (N,) ids of the `targets`."""

    hidden: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)


def load_encoder(folder: Path, seed: int) -> HeadlessEncoder:
    """The masked language model in a folder, what it lacks drawn at random by the seed."""
    torch.manual_seed(seed)
    loaded: Any = AutoModelForMaskedLM.from_pretrained(
        folder,
        dtype=torch.float32,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
    )
    model, told = loaded
    lacking = tuple(
        name for name, _ in model.named_parameters() if name in set(told["missing_keys"])
    )
    model.eval().requires_grad_(False)
    for name in lacking:
        model.get_parameter(name).requires_grad_(True)
    return HeadlessEncoder(model, load_tokenizer(folder), lacking)


@dataclass(frozen=True)
class MaskedCopy:
    """A text with some of its tokens masked: `targets` stood at `places`."""

    tokens: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[int, ...]


def masked_copy(
    tokenizer: PreTrainedTokenizerBase, text: str, random: np.random.Generator
) -> MaskedCopy:
    """A share of a text's tokens drawn, and each masked with the later ones of its word."""
    encoded = tokenizer(text, return_special_tokens_mask=True)
    tokens, words = encoded["input_ids"], encoded.word_ids()
    drawn = random.random(len(tokens)) < MASKED_SHARE
    places = [place for place, word in enumerate(words) if word is not None and drawn[place]]
    hidden = {
        later
        for place in places
        for later in range(place, len(words))
        if words[later] == words[place]
    }
    masked = [
        int(tokenizer.mask_token_id) if place in hidden else token
        for place, token in enumerate(tokens)
    ]
    return MaskedCopy(tuple(masked), tuple(places), tuple(tokens[place] for place in places))


@torch.no_grad()
def masked_tokens(
    encoder: HeadlessEncoder, texts: Sequence[str], seed: int, advance: Callable[[int], None]
) -> MaskedTokens:
    """The encoder's states at masked tokens of the texts.

    Args:
        encoder: frozen.
        texts: each within the encoder's window.
        seed: of the draw.
        advance: called with the number of texts just read.
    """
    random = np.random.default_rng([seed, 59])
    copies = [masked_copy(encoder.tokenizer, text, random) for text in texts]
    hidden, targets = [], []
    for batch in batches_of_rows([len(copy.tokens) for copy in copies], BATCH_TOKENS):
        chosen = [copies[number] for number in batch]
        tokens, mask = padded_tokens([copy.tokens for copy in chosen], PADDED)
        states = encoder.model.base_model(input_ids=tokens, attention_mask=mask)[0]
        hidden += [states[row, list(copy.places)] for row, copy in enumerate(chosen)]
        targets += [token for copy in chosen for token in copy.targets]
        advance(len(batch))
    return MaskedTokens(torch.cat(hidden), torch.tensor(targets))


def head_loss(model: PreTrainedModel, batch: MaskedTokens) -> Tensor:
    """Mean −log p of the masked tokens by the model's head, whose encoder rests."""
    with from_states(model, batch.hidden[None]):
        logits = model(input_ids=torch.zeros(1, len(batch), dtype=torch.long)).logits
    return functional.cross_entropy(logits[0].float(), batch.targets)


def train_head(
    encoder: HeadlessEncoder,
    tokens: MaskedTokens,
    settings: TrainingSettings,
    seed: int,
    checkpoint: Path,
    advance: Callable[[int], None],
) -> TrainingRecord:
    """Train what the encoder lacks, in place.

    Args:
        encoder: all else of it stays as it is.
        tokens: what is predicted.
        settings: rates and lengths.
        seed: of the batches' order.
        checkpoint: see `training.train`.
        advance: called with the number of tokens of each step.
    """

    def epoch(number: int) -> list[MaskedTokens]:
        order = np.random.default_rng([seed, 61, number]).permutation(len(tokens))
        parts = [order[at : at + BATCH_PLACES] for at in range(0, len(order), BATCH_PLACES)]
        return [MaskedTokens(tokens.hidden[part], tokens.targets[part]) for part in parts]

    return train(encoder.model, Curriculum(epoch, len), head_loss, settings, checkpoint, advance)
