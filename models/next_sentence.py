"""Next-sentence prediction: does the second of two sentences follow the first? (Devlin et al. 2019)

    loss = mean −log p(x_n | pair with N tokens masked) + mean −log p(class | the same pair)

which is that of Hugging Face's ...ForPreTraining. The head is the pooler (a linear layer and tanh over the
first token's state) and a linear layer of two classes; BERT and its next of kin have one. It stays as the
base has it, like the output embedding: what is learnt then lies in the encoder, and the base's head reads
it. It fails where the pairs can be told by their topic alone: then topic is all that is learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForNextSentencePrediction
from transformers.modeling_utils import PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES,
)

from .base_model import read_weights
from .language_model_loss import weighted_cross_entropy, weighted_mean
from .option_rows import batches_of_rows
from .partial_passes import from_states, logits_at_places
from .predicted_texts import PredictedBatch
from .sentence_pairs import PairBatch, PredictedPair, collate_pairs

BATCH_TOKENS = 4096  # of a pass without gradients


class NextSentenceHead(nn.Module):
    """From a pair's states to logits of FOLLOWS and OTHER; frozen.

    Args:
        pooler: from (B, T, D) states to (B, D).
        classifier: from (B, D) to (B, 2).
        encoder: what a checkpoint calls the encoder.
    """

    def __init__(self, pooler: nn.Module, classifier: nn.Module, encoder: str) -> None:
        super().__init__()
        self.pooler, self.classifier, self._encoder = pooler, classifier, encoder
        self.eval().requires_grad_(False)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, 2) float32 logits of (B, T, D) final states."""
        logits: Tensor = self.classifier(self.pooler(hidden))
        return logits.float()

    def checkpoint_weights(self) -> dict[str, Tensor]:
        """By the names that Hugging Face gives them in a whole model."""
        parts = ((f"{self._encoder}.pooler", self.pooler), ("cls", self.classifier))
        return {
            f"{prefix}.{name}": value
            for prefix, part in parts
            for name, value in part.state_dict().items()
        }


def load_next_sentence_head(folder: Path, dtype: torch.dtype) -> NextSentenceHead | None:
    """The head in a folder of weights; None where its family has none, or the folder lacks its weights."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type not in MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES:
        return None
    model, missing = read_weights(AutoModelForNextSentencePrediction, folder, dtype)
    head = NextSentenceHead(model.base_model.pooler, model.cls, model.base_model_prefix)
    return None if head.checkpoint_weights().keys() & missing else head


def save_with_head(model: PreTrainedModel, head: NextSentenceHead, folder: Path) -> None:
    """A masked model and the head as one checkpoint, as ...ForPreTraining is saved."""
    model.save_pretrained(folder, state_dict={**model.state_dict(), **head.checkpoint_weights()})


def sentence_pair_loss(model: PreTrainedModel, head: NextSentenceHead, batch: PairBatch) -> Tensor:
    """Mean negative log-likelihood of the masked tokens, plus that of the classes; see `weighted_cross_entropy`.

    Args:
        model: a masked language model.
        head: that of the model's base.
        batch: pairs, each with at least one token to predict.
    """
    texts, hidden = batch.texts, pair_states(model, batch)
    with from_states(model, hidden):
        logits = logits_at_places(model, texts.tokens, texts.mask, texts.at)
    told = functional.cross_entropy(head(hidden), batch.classes, reduction="sum")
    return weighted_mean(logits, texts) + told / len(texts.whole)


def pair_states(model: PreTrainedModel, batch: PairBatch) -> Tensor:
    """(B, T, D) final states of the pairs, each sentence's tokens of a type of their own."""
    texts = batch.texts
    hidden: Tensor = model.base_model(
        input_ids=texts.tokens, attention_mask=texts.mask, token_type_ids=batch.types
    )[0]
    return hidden


def text_or_pair_loss(
    head: NextSentenceHead | None,
) -> Callable[[PreTrainedModel, PredictedBatch | PairBatch], Tensor]:
    """The loss of a batch of texts, or of pairs, for which there must be a head."""

    def loss(model: PreTrainedModel, batch: PredictedBatch | PairBatch) -> Tensor:
        if isinstance(batch, PredictedBatch):
            return weighted_cross_entropy(model, batch)
        assert head is not None, "pairs are taught by a head"
        return sentence_pair_loss(model, head, batch)

    return loss


@torch.inference_mode()
def rightly_told(
    model: PreTrainedModel, head: NextSentenceHead, pairs: Sequence[PredictedPair]
) -> int:
    """Of how many pairs the head's likelier class is theirs."""
    right = 0
    for numbers in batches_of_rows([len(pair) for pair in pairs], BATCH_TOKENS):
        batch = collate_pairs([pairs[number] for number in numbers])
        right += int((head(pair_states(model, batch)).argmax(-1) == batch.classes).sum())
    return right
