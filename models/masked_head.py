"""A masked language model's head for a text encoder that came without one.

    loss = mean over drawn tokens of −log p(token | the text with it and the later ones of its word masked)

A text encoder was trained for its states alone; what it would say at a masked token is noise. The head is
trained on general text, masked as `masked_scoring` masks what is asked, while everything that the folder
holds stays as it is to the bit; the output embedding is the input embedding where the family ties them.
What fusion gains over the encoder with its head is then fusion's and not the head's. As the encoder
doesn't change, its states at the drawn tokens are computed once, and an epoch runs the head alone.

Text of this size has a tenth of the vocabulary in it, and a head that has seen no other tokens can't
write them, whatever is laid into its states. So a tenth of the drawn tokens stay visible, as BERT's do
(Devlin et al. 2019), and the whole vocabulary is read once, visible, in random rows. On held-out
paragraphs of MiniLM (SETTINGS of `pipeline/encoder_head.py`), from one masked copy to four of these:
masked tokens 6.19 to 5.9 nats, visible ones 8.0 to 0.5, random rows 11.5 to 0.5; a random token, laid
over a masked state at its own length by `written_tokens`, was in the median the 1,243rd likeliest and is
the likeliest.

It fails on an encoder that has forgotten which word stood where: its head learns how often words are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .base_model import load_tokenizer, read_weights
from .option_rows import batches_of_rows
from .partial_passes import from_states
from .predicted_texts import PredictedText
from .token_batches import padded_tokens
from .training import Curriculum, TrainingRecord, TrainingSettings, train

BATCH_TOKENS = 2048
DRAWN_SHARE = 0.15  # of a text's tokens; BERT's, as is the next
VISIBLE_SHARE = 0.1  # of those drawn: they are predicted unmasked
COPIES = 4  # of each text, drawn anew
ROW_TOKENS = 32  # of a row of the vocabulary
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
class DrawnTokens:
    """States of a frozen encoder at N drawn tokens: (N, D) `hidden`, and (N,) ids of the `targets`."""

    hidden: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)


def load_encoder(folder: Path, seed: int) -> HeadlessEncoder:
    """The masked language model in a folder, what it lacks drawn at random by the seed."""
    torch.manual_seed(seed)
    model, missing = read_weights(AutoModelForMaskedLM, folder, torch.float32)
    lacking = tuple(name for name, _ in model.named_parameters() if name in missing)
    model.eval().requires_grad_(False)
    for name in lacking:
        model.get_parameter(name).requires_grad_(True)
    return HeadlessEncoder(model, load_tokenizer(folder), lacking)


def masked_copy(
    tokenizer: PreTrainedTokenizerBase, text: str, random: np.random.Generator
) -> PredictedText:
    """A share of a text's tokens drawn; most of them are masked, each with the later ones of its word."""
    encoded = tokenizer(text, return_special_tokens_mask=True)
    tokens, words = encoded["input_ids"], encoded.word_ids()
    drawn = random.random(len(tokens)) < DRAWN_SHARE
    visible = random.random(len(tokens)) < VISIBLE_SHARE
    places = [place for place, word in enumerate(words) if word is not None and drawn[place]]
    hidden = {
        later
        for place in places
        if not visible[place]
        for later in range(place, len(words))
        if words[later] == words[place]
    }
    masked = [
        int(tokenizer.mask_token_id) if place in hidden else token
        for place, token in enumerate(tokens)
    ]
    return PredictedText(
        tuple(masked), tuple(places), tuple(tokens[place] for place in places), (1.0,) * len(places)
    )


def vocabulary_rows(
    tokenizer: PreTrainedTokenizerBase, random: np.random.Generator
) -> list[PredictedText]:
    """Every token of the vocabulary once, but the special ones, visible among random others."""
    special = set(tokenizer.all_special_ids)
    framed = tokenizer("a")["input_ids"]
    inner = [place for place, token in enumerate(framed) if token not in special]
    before, after = framed[: inner[0]], framed[inner[-1] + 1 :]
    tokens = [
        token for token in random.permutation(len(tokenizer)).tolist() if token not in special
    ]
    rows = []
    for start in range(0, len(tokens), ROW_TOKENS):
        row = tokens[start : start + ROW_TOKENS]
        places = tuple(range(len(before), len(before) + len(row)))
        rows.append(PredictedText((*before, *row, *after), places, tuple(row), (1.0,) * len(row)))
    return rows


def drawn_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], seed: int
) -> list[PredictedText]:
    """All that a head is trained on: copies of the texts, and the vocabulary.

    Args:
        tokenizer: a fast one.
        texts: each within the encoder's window.
        seed: of the draw.
    """
    random = np.random.default_rng([seed, 59])
    copies = [masked_copy(tokenizer, text, random) for _ in range(COPIES) for text in texts]
    return copies + vocabulary_rows(tokenizer, random)


@torch.no_grad()
def drawn_tokens(
    model: PreTrainedModel, drawn: Sequence[PredictedText], advance: Callable[[int], None]
) -> DrawnTokens:
    """A frozen encoder's states at the drawn tokens of texts; `advance` counts the texts just read."""
    hidden, targets = [], []
    for batch in batches_of_rows([len(text.tokens) for text in drawn], BATCH_TOKENS):
        chosen = [drawn[number] for number in batch]
        tokens, mask = padded_tokens([text.tokens for text in chosen], PADDED)
        states = model.base_model(input_ids=tokens, attention_mask=mask)[0]
        hidden += [states[row, list(text.places)] for row, text in enumerate(chosen)]
        targets += [token for text in chosen for token in text.targets]
        advance(len(batch))
    return DrawnTokens(torch.cat(hidden), torch.tensor(targets))


def head_loss(model: PreTrainedModel, batch: DrawnTokens) -> Tensor:
    """Mean −log p of the drawn tokens by the model's head, whose encoder rests."""
    with from_states(model, batch.hidden[None]):
        logits = model(input_ids=torch.zeros(1, len(batch), dtype=torch.long)).logits
    return functional.cross_entropy(logits[0].float(), batch.targets)


def train_head(
    encoder: HeadlessEncoder,
    tokens: DrawnTokens,
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

    def epoch(number: int) -> list[DrawnTokens]:
        order = np.random.default_rng([seed, 61, number]).permutation(len(tokens))
        parts = [order[at : at + BATCH_PLACES] for at in range(0, len(order), BATCH_PLACES)]
        return [DrawnTokens(tokens.hidden[part], tokens.targets[part]) for part in parts]

    return train(encoder.model, Curriculum(epoch, len), head_loss, settings, checkpoint, advance)
