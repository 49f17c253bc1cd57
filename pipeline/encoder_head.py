"""The head of a base that came as a text encoder: trained on general text before anything is measured.

Its text is the machine's own (see `general_prose`): nothing of the project's, so that neither its facts
nor the general text on which arms are compared teach the head.
"""

import json
import platform

import torch

from ..models.masked_head import (
    HeadlessEncoder,
    drawn_texts,
    drawn_tokens,
    load_encoder,
    train_head,
)
from ..models.next_sentence import load_next_sentence_head, save_with_head
from ..models.training import TrainingSettings
from .general_prose import general_prose
from .stages import StageContext

# The base is keyed by its files and not by the project's seed.
SEED = 0
# Chosen by the loss on 60 held-out paragraphs of the same text.
SETTINGS = TrainingSettings(learning_rate=5e-3, epochs=3, checkpoint_steps=10**9)
RECORD = "head.json"


def give_head(context: StageContext) -> None:
    """Train what the masked model in the stage's folder lacks of its head; a whole one stays as it is."""
    encoder = load_encoder(context.work, SEED)
    if not encoder.lacking:
        return
    console, texts = context.console, general_prose()
    words = sum(len(text.split()) for text in texts)
    console.line(
        f"the encoder has no trained head: training one on {words:,} words of Python's documentation, "
        "the encoder frozen"
    )
    drawn = drawn_texts(encoder.tokenizer, texts, SEED)
    with console.progress("reading general text", len(drawn), "texts") as advance:
        tokens = drawn_tokens(encoder.model, drawn, advance)
    total = SETTINGS.epochs * len(tokens)
    with console.progress("training the head", total, "tokens") as advance:
        record = train_head(encoder, tokens, SETTINGS, SEED, context.checkpoint("head"), advance)
    console.line(f"head: loss by epoch {', '.join(f'{loss:.3f}' for loss in record.losses)}")
    _save(context, encoder, record.losses, len(tokens))


def _save(
    context: StageContext, encoder: HeadlessEncoder, losses: tuple[float, ...], tokens: int
) -> None:
    other = load_next_sentence_head(context.work, torch.float32)
    for weights in context.work.glob("*.safetensors"):
        weights.unlink()  # the encoder's own, which are written again with the head
    if other is None:
        encoder.model.save_pretrained(context.work)
    else:
        save_with_head(encoder.model, other, context.work)
    told = {
        "trained": list(encoder.lacking),
        "text": f"Python {platform.python_version()}'s documentation",
        "drawn_tokens": tokens,
        "losses": losses,
    }
    (context.work / RECORD).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
