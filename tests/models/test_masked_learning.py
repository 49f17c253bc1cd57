"""Attention fusion within a masked model learns to copy labels, which its head turns before it reads them."""

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from infact.models.attention_fusion import AttentionFusion
from infact.models.fact_memory import TokenFact
from infact.models.fused_model import FusedModel
from infact.models.fused_text_loss import practice_loss
from infact.models.fusion_strategy import FusionSizes
from infact.models.fusion_training import text_keys
from infact.models.label_tokens import label_tokens
from infact.models.language_model import LanguageModel
from infact.models.practice_batches import drawn_batch, practice_states
from infact.models.practice_texts import PracticeText, epoch_of_texts, practice_texts
from infact.models.training import Curriculum, TrainingSettings, train

from .conftest import RELATIONS, World
from .test_fused_answering import COUNT
from .test_practice_texts import ignore, read


@pytest.fixture(scope="module")
def calm(tiny_masked: LanguageModel) -> LanguageModel:
    """A base whose states tell the current token clearly, as random layers at full size do not."""
    model = copy.deepcopy(tiny_masked.model)
    with torch.no_grad():
        for layer in model.base_model.encoder.layer:
            layer.attention.output.dense.weight.mul_(0.1)
            layer.output.dense.weight.mul_(0.1)
    return replace(tiny_masked, model=model)


def practised(base: LanguageModel, world: World) -> list[PracticeText]:
    """The world's questions with labels as the masked model's tokenizer has them."""
    names, texts = len(RELATIONS), []
    for number, (prompt, answer) in enumerate(zip(world.prompts, world.answers, strict=True)):
        labels = world.answers[number - number % names :][:names]
        facts = [
            TokenFact(relation, -1, label_tokens(base.tokenizer, label, "masked"))
            for relation, label in enumerate(labels)
        ]
        placed = read("attention", base.tokenizer, prompt, facts)
        texts += practice_texts("masked", base.tokenizer, placed, answer, facts, number % names)
    return texts[:COUNT]


def test_it_learns_to_copy(calm: LanguageModel, world: World, tmp_path: Path) -> None:
    """Copied as the output embedding has them, the loss ends at 4.4; not as far as the head needs, at 3.0."""
    texts = practised(calm, world)
    states = practice_states(calm.model, texts, 0, 4096, ignore)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        keys = text_keys(calm.model, calm.tokenizer, RELATIONS)
        sizes = FusionSizes(keys.shape[1], 4, (0, 1), heads=2, key=32)
        model = FusedModel(calm.model, AttentionFusion(sizes, keys, torch.zeros(1, 4)))
        record = train(
            model.fusion,
            Curriculum(
                partial(epoch_of_texts, texts, states.run_lengths(texts), 32, 0.1, 0),
                lambda draw: 1,
            ),
            lambda _, draw: practice_loss(model, drawn_batch(texts, states, draw)),
            TrainingSettings(learning_rate=2e-2, epochs=8, checkpoint_steps=10**9),
            tmp_path / "c.safetensors",
            ignore,
        )
    assert record.losses[-1] < 2.75
