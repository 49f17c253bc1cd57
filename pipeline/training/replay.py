"""General text that is trained on beside the facts, every token of it, so that it isn't forgotten.

Anchors hold a model to the base's distributions on a few texts; replay goes on with plain training on
many. Its text is the user's, or what a causal base writes itself (Sun et al. 2020, LAMOL), or general
prose for a masked one, which writes nothing.
"""

import operator
from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from ...errors import UserError
from ...models.anchors import sample_texts
from ...models.language_model import LanguageModel
from ...models.predicted_texts import WeightedText
from ..general_prose import general_prose, general_texts
from ..settings.training import PretrainTable
from ..stages import StageContext
from .teaching_data import OPENINGS

SAMPLED_TOKENS = 40
MOST_SAMPLED = 256  # texts; each epoch draws among them


def shares_beside(told: int, shares: Sequence[float]) -> list[int]:
    """How many rows of other kinds make up these shares of all rows, beside so many of facts."""
    rest = 1.0
    for share in shares:
        rest -= share
    return [round(told * share / rest) for share in shares]


def check_shares(settings: PretrainTable, general_text: str, file: str) -> None:
    """Raises UserError where nothing is left for the facts, or what is measured would be trained on."""
    if settings.domain_text + settings.replay + settings.sentence_pairs >= 1:
        raise UserError(
            "domain text, replay and pairs of sentences leave no row for the facts",
            f"{file}:pretrain.replay",
            "Lower pretrain.domain_text, replay or sentence_pairs until their sum is below 1.",
        )
    if settings.replay and settings.replay_text == general_text:
        raise UserError(
            "general text that is trained on can't tell what was forgotten",
            f"{file}:pretrain.replay_text",
            "Name another file than facts.general_text, which perplexity is measured on.",
        )


def replay_texts(context: StageContext, loaded: LanguageModel, most: int) -> Sequence[WeightedText]:
    """General text for the epochs to draw from, at most about as many texts as one takes."""
    settings = context.project.pretrain
    if not most:
        return []
    # Another seed than that of the anchors and of the texts that drift is bounded on.
    return general_text(
        context, loaded, settings.replay_text, min(most, MOST_SAMPLED), context.seed + 3
    )


def general_text(
    context: StageContext, loaded: LanguageModel, file: str, count: int, seed: int
) -> list[WeightedText]:
    """The passages of a file; without one so many that a causal model writes, or prose for a masked one."""
    if file:
        texts = general_texts(context.files[file])
    elif loaded.kind == "masked":
        texts = general_prose()
    else:
        texts = _sampled(context, loaded, count, seed)
    most = context.project.pretrain.max_tokens
    fitting = [_cut(loaded.tokenizer, text, most) for text in texts]
    if over := sum(map(operator.ne, texts, fitting)):
        context.console.line(
            f"{over} of {len(texts)} general texts are cut at pretrain.max_tokens = {most}"
        )
    return [WeightedText(text, 0, 1.0) for text in fitting]


def _cut(tokenizer: PreTrainedTokenizerBase, text: str, most: int) -> str:
    """The text, up to the last of so many tokens, those that the tokenizer adds counted."""
    encoded = tokenizer(text, return_offsets_mapping=True)
    over = len(encoded["input_ids"]) - most
    ends = sorted(end for _, end in encoded["offset_mapping"] if end)
    return text if over <= 0 else text[: ends[-1 - over]]


def _sampled(context: StageContext, loaded: LanguageModel, count: int, seed: int) -> list[str]:
    """What the model writes, as it is."""
    openings = [OPENINGS[number % len(OPENINGS)] for number in range(count)]
    with context.console.progress(
        "sampling general text", count * SAMPLED_TOKENS, "tokens"
    ) as advance:
        written = sample_texts(
            loaded.model, loaded.tokenizer, openings, SAMPLED_TOKENS, seed, advance
        )
    said = [str(loaded.tokenizer.decode(list(text), skip_special_tokens=True)) for text in written]
    return [text for text in said if text.strip()]


def drawn(texts: int, count: int, seed: int, stream: int, epoch: int) -> list[int]:
    """Numbers of that many texts, each at most once an epoch."""
    random = np.random.default_rng([seed, stream, epoch])
    chosen: list[int] = random.choice(texts, min(texts, count), replace=False).tolist()
    return chosen
