"""Arms explained: weights and effects over neutral variants of one prompt, as a dictionary for JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...kg.questions.fact_prompt import FactLine
from ...models.answer_explanation import AnswerExplanation, explain_answer
from ...models.attention_weights import weights_returned
from ...models.read_out import own_read_out
from ..arms import FusedArm, Fusions, augmented, read_together
from ..fusion_memory import FUSED
from ..graph_reader import GraphReader
from ..measures.effects import Effect, mean_effects
from ..words import clean_text
from .memory_facts import TracedFact, memory_part
from .prompt_draws import PromptDraw
from .written_effects import DIGITS, rounded, written

Json = dict[str, Any]


@dataclass(frozen=True)
class TracedArm:
    """An arm to be explained.

    Attributes:
        name: of the arm.
        read: how it is asked, given the text that the model reads.
        facts: what it is given: the lines of its prompt, or the slots of its memory.
        lines: those that stand in its prompt.
    """

    name: str
    read: Callable[[str], FusedArm]
    facts: tuple[TracedFact, ...] = ()
    lines: tuple[FactLine, ...] = ()


def plain_arms(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    fusions: Fusions | None,
) -> list[TracedArm]:
    """The arms that get no fact in the prompt: base, and fused where it was trained."""
    arms = [TracedArm("base", _own)]
    if fusions is not None:
        reader, known = fusions.reader, fusions

        def read(text: str) -> FusedArm:
            return known.arms(model, tokenizer, [prompt], (FUSED,), [text])[FUSED]

        facts = tuple(
            TracedFact(reader.in_words(fact), (reader.citation(fact),))
            for fact in fusions.writer(model, tokenizer).question_facts(prompt).read
        )
        if facts:
            arms.append(TracedArm("fused", read, facts))
    return arms


def _own(text: str) -> FusedArm:
    return FusedArm(own_read_out)


def prompt_arm(
    reader: GraphReader, tokenizer: PreTrainedTokenizerBase, prompt: str, limit: int
) -> tuple[TracedArm, str] | None:
    """The base with facts in its prompt, and that prompt; None where the graph has none to tell."""
    texts, lines = augmented(reader, tokenizer, [prompt], limit)
    if not lines[0]:
        return None
    facts = tuple(TracedFact(line.text, tuple(reader.citations([line]))) for line in lines[0])
    return TracedArm("base + prompt", _own, facts, lines[0]), texts[0]


def explain_arms(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    words: Sequence[str],
    draws: Sequence[PromptDraw],
    answer: str,
    arms: Sequence[TracedArm],
    advance: Callable[[int], None],
) -> list[Json]:
    """What each arm attended to, each weight beside its effect; see `words`.

    Args:
        model: the base.
        tokenizer: its tokenizer.
        words: of the question, in the order of each draw's.
        draws: variants of the prompt, with or without facts as all `arms` get it.
        answer: what is explained.
        arms: that read these prompts.
        advance: called with the number of variants just done.
    """
    found: dict[str, list[tuple[AnswerExplanation, int]]] = {arm.name: [] for arm in arms}
    with weights_returned(model):
        for draw in draws:
            asked = {arm.name: arm.read(draw.text) for arm in arms}
            for names in read_together(asked):
                first = asked[names[0]]
                read = first.text(draw.text)
                explained = explain_answer(
                    model,
                    tokenizer,
                    read.text,
                    answer,
                    draw.parts.moved(read.moved),
                    [asked[name].read_out for name in names],
                    first.reading,
                )
                for row, name in enumerate(names):
                    found[name].append((explained, row))
            advance(1)
    return [
        _described(arm, own[0][1], answer, words, [explained for explained, _ in own])
        for arm, own in zip(arms, found.values(), strict=True)
    ]


def _described(
    arm: TracedArm,
    number: int,
    answer: str,
    words: Sequence[str],
    found: Sequence[AnswerExplanation],
) -> Json:
    """One arm; `number` is its row in the explanations."""

    def effects(values: Sequence[Tensor]) -> list[Effect]:
        return mean_effects(np.stack([value.reshape(-1).numpy() for value in values]))

    spans = effects([each.spans[number] for each in found])
    attention = np.mean([each.attention.numpy() for each in found], axis=0)  # (L, S)
    named = [
        {**_weighed(text, attention[:, at]), **written(spans[at])}
        for at, text in enumerate([*words, *(line.text for line in arm.lines)])
    ]
    for entry, fact in zip(named[len(words) :], arm.facts, strict=False):
        entry["cited"] = [clean_text(line) for line in fact.cited]
    memory = memory_part(arm.facts, [each.memories[number] for each in found])
    (score,) = effects([each.scores[number] for each in found])
    question, told = effects(
        [each.spans.new_tensor([each.question[number], each.facts[number]]) for each in found]
    )
    return {
        "arm": arm.name,
        "answer": clean_text(answer),
        "log_probability": rounded(score),
        "question": written(question),
        "all_facts": written(told) if arm.lines else None,
        "words": named[: len(words)],
        "facts": named[len(words) :],
        "base_weight": None,
        "reading_layers": [],
        **(memory or {}),
        "layers": _layers(arm, number, found, effects),
    }


def _layers(
    arm: TracedArm,
    number: int,
    found: Sequence[AnswerExplanation],
    effects: Callable[[Sequence[Tensor]], list[Effect]],
) -> list[Json]:
    skipped = effects([each.skipped[number] for each in found])
    blocked = effects([each.blocked[number] for each in found])
    on_facts = np.mean([each.on_facts.numpy() for each in found], axis=0)
    on_question = np.mean([each.on_question.numpy() for each in found], axis=0)
    return [
        {
            "layer": layer + 1,
            "on_facts": round(float(on_facts[layer]), DIGITS),
            "on_question": round(float(on_question[layer]), DIGITS),
            "on_rest": round(float(1 - on_facts[layer] - on_question[layer]), DIGITS),
            **(written(blocked[layer]) if arm.lines else written(None)),
            "skipped": written(skipped[layer]),
        }
        for layer in range(len(skipped))
    ]


def _weighed(text: str, by_layer: np.ndarray) -> Json:
    return {
        "text": clean_text(text),
        "attention": round(float(by_layer.mean()), DIGITS),
        "by_layer": [round(float(weight), DIGITS) for weight in by_layer],
    }
