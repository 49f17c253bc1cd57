"""Arms with weights of their own: the stages' adapters, and further models that the project names."""

from dataclasses import replace
from pathlib import Path

import torch
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...models.language_model import LanguageModel, load_language_model
from ...models.option_scoring import TreeStates
from ...models.taught_weights import load_taught_model
from .base_arms import Answers, Evaluation, Unasked, adapted_answers
from .drift import Drift, ReadTexts, adapted_drift, text_states

ADAPTED = {"pretrained": "pretrain", "distilled": "distill"}  # arm: the stage that trained it


def stage_answers(
    evaluation: Evaluation, dtype: torch.dtype, texts: ReadTexts, base: TreeStates
) -> tuple[Answers, Drift]:
    """What the taught models answer, and what became of general text under them.

    Args:
        evaluation: what is asked.
        dtype: of the weights.
        texts: general text.
        base: the base's states on it.
    """
    context = evaluation.context
    answers: Answers = {}
    drift: Drift = {}
    for arm, stage in ADAPTED.items():
        adapter = context.inputs[stage] / "adapter"

        def load(adapter: Path = adapter) -> PreTrainedModel:
            return load_taught_model(context.inputs["base"], adapter, dtype)

        model = evaluation.attempt([arm], adapter, load)
        if model is not None:
            answers |= adapted_answers(evaluation, model, arm)
            batch_tokens = context.project.eval.batch_tokens
            states = text_states(model, evaluation.tokenizer, texts, batch_tokens)
            drift |= adapted_drift(model, states, base.positions.hidden, arm)
    return answers, drift


def named_answers(evaluation: Evaluation, dtype: torch.dtype) -> tuple[Answers, list[Unasked]]:
    """What the project's further models answer, and which of them couldn't be loaded.

    These fail for good: their files are part of the stage's key, so a mended one is asked anew.
    """
    answers: Answers = {}
    context = evaluation.context
    own = replace(evaluation, unasked=[])
    for number, named in enumerate(context.project.eval.model, start=1):
        folder = context.files[named.path]

        def load(folder: Path = folder) -> LanguageModel:
            loaded = load_language_model(folder, None, dtype)
            if loaded.kind == "masked":
                fix = "infact eval --model asks it by itself."
                raise UserError("A masked model can't complete a prompt.", str(folder), fix)
            return loaded

        loaded = own.attempt([named.name], folder, load)
        if loaded is not None:
            name = f"model-{number}"  # of its files: a model may be called anything
            asked = replace(own, tokenizer=loaded.tokenizer)
            answers[named.name] = adapted_answers(asked, loaded.model, name)[name]
    return answers, own.unasked
