"""The distill stage: context distillation. The teacher reads the graph's facts, the student doesn't."""

from functools import partial

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..kg.fact_prompt import FactLine, augmented_prompt
from ..models.anchors import AnchorBatch, AnchoredBatch, anchored_loss
from ..models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ..models.low_rank import load_for_more_training
from ..models.option_scoring import option_scores, tree_states
from ..models.option_tree import build_option_tree
from ..models.read_out import own_read_out
from ..models.teacher_cache import (
    Lesson,
    TaughtBatch,
    TaughtRow,
    cache_teacher,
    collate_taught,
    distillation_loss,
)
from ..models.token_batches import shuffled_batches
from ..models.training import Curriculum, TrainingSettings
from .graph_reader import GraphReader
from .settings import DistillTable
from .stages import StageContext
from .teaching_data import make_anchors, turn_of
from .teaching_run import teach, write_json

TEACHER_BATCH_TOKENS = 2048
GATE_FACTS = 60  # asked of the teacher before it may teach; ± 6 points at 90 %


def run(context: StageContext) -> None:
    """Write adapter/, training.json and gate.json."""
    settings, base_folder = context.project.distill, context.inputs["base"]
    torch.manual_seed(context.seed)
    precision = resolve_precision(context.project.model.precision)
    base, tokenizer = load_causal_model(base_folder, precision), load_tokenizer(base_folder)
    facts = [
        fact
        for fact in pq.read_table(context.inputs["facts"] / "facts.parquet").to_pylist()
        if fact["pool"] == "T"
    ]
    contexts = teacher_contexts(context, tokenizer, facts)
    questions = _training_questions(context, {fact["fact"] for fact in facts})
    accuracy = teacher_accuracy(base, tokenizer, facts[:GATE_FACTS], contexts, questions)
    write_json(context.work / "gate.json", {"accuracy": accuracy, "facts": len(facts[:GATE_FACTS])})
    context.console.line(f"the teacher answers {accuracy:.0%} of facts with them in its prompt")
    rows = _teach_rows(context, base, tokenizer, facts, contexts, questions)
    anchors: list[AnchorBatch] = []
    if settings.anchor_weight:
        count = context.project.pretrain.anchor_texts
        anchors = make_anchors(base, tokenizer, count, context.seed + 1, context.console)
    epochs = [
        _epoch(rows, anchors, settings, np.random.default_rng([context.seed, 19, number]))
        for number in range(settings.epochs)
    ]
    del base
    loss = partial(
        distillation_loss,
        temperature=settings.temperature,
        cross_entropy_weight=settings.cross_entropy_weight,
    )
    adapter = context.inputs["pretrain"] / "adapter"
    teach(
        context,
        load_for_more_training(base_folder, adapter, precision),
        Curriculum(epochs.__getitem__, lambda batch: int(batch.taught.texts.mask.sum())),
        anchored_loss(loss, settings.anchor_weight),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )


def teacher_contexts(
    context: StageContext, tokenizer: PreTrainedTokenizerBase, facts: list[dict]
) -> list[str]:
    """For each fact, what the teacher reads: its entity's facts among those of other entities."""
    settings = context.project.distill
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    random = np.random.default_rng([context.seed, 23])
    own = [_own_lines(reader, fact) for fact in facts]
    contexts = []

    def count_tokens(text: str) -> int:
        return len(tokenizer(text)["input_ids"])

    for number, lines in enumerate(own):
        others = [own[index][0] for index in random.permutation(len(own)) if index != number]
        told = [*lines, *others[: settings.distractors]]
        mixed = [lines[0], *(told[1 + index] for index in random.permutation(len(told) - 1))]
        # The fact's own line is first in line for the budget, and anywhere in the text.
        _, kept = augmented_prompt(
            mixed[: settings.context_lines], "", settings.context_tokens, count_tokens
        )
        shuffled = [kept[index] for index in random.permutation(len(kept))]
        text, _ = augmented_prompt(shuffled, "", 2 * settings.context_tokens, count_tokens)
        contexts.append(text)
    return contexts


def _own_lines(reader: GraphReader, fact: dict) -> list[FactLine]:
    """Lines about the fact's subject, the line that holds the fact first."""
    lines = reader.lines(reader.retriever.about(fact["subject"]), "")
    return sorted(
        lines, key=lambda line: all(told.relation != fact["relation"] for told in line.facts)
    )


def _training_questions(context: StageContext, wanted: set[str]) -> dict[str, list[str]]:
    """Training prompts of each taught fact."""
    prompts: dict[str, list[str]] = {}
    for row in pq.read_table(context.inputs["facts"] / "questions.parquet").to_pylist():
        if row["split"] == "train" and row["fact"] in wanted:
            prompts.setdefault(row["fact"], []).append(row["prompt"])
    return prompts


def teacher_accuracy(
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    facts: list[dict],
    contexts: list[str],
    questions: dict[str, list[str]],
) -> float:
    """The gate: share of facts that the teacher gets right among options with its context."""
    trees = [
        build_option_tree(tokenizer, text + questions[fact["fact"]][0], fact["options"])
        for fact, text in zip(facts, contexts, strict=False)
    ]
    states = tree_states(teacher, trees, TEACHER_BATCH_TOKENS, lambda done: None)
    scores = option_scores(teacher, states, trees, [own_read_out])[0]
    right = [
        int(score.argmax()) == fact["correct"] for score, fact in zip(scores, facts, strict=True)
    ]
    return float(np.mean(right))


def _teach_rows(
    context: StageContext,
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    facts: list[dict],
    contexts: list[str],
    questions: dict[str, list[str]],
) -> list[TaughtRow]:
    """The teacher's cached distributions on `phrasings` questions of each fact."""
    settings = context.project.distill
    lessons = []
    for number, (fact, text) in enumerate(zip(facts, contexts, strict=True)):
        prompts = questions[fact["fact"]]
        order = np.random.default_rng([context.seed, 29, number]).permutation(len(prompts))
        chosen = tuple(prompts[index] for index in order[: settings.phrasings])
        lessons.append(Lesson(text, chosen, (fact["answer"],) * len(chosen)))
    with context.console.progress("asking the teacher", len(lessons), "facts") as advance:
        return cache_teacher(
            teacher,
            tokenizer,
            lessons,
            settings.temperature,
            settings.top_k,
            TEACHER_BATCH_TOKENS,
            advance,
        )


def _epoch(
    rows: list[TaughtRow],
    anchors: list[AnchorBatch],
    settings: DistillTable,
    random: np.random.Generator,
) -> list[AnchoredBatch[TaughtBatch]]:
    groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
    turns = turn_of(anchors, len(groups), random)
    return [
        AnchoredBatch(collate_taught([rows[index] for index in group], padding=0), anchor)
        for group, anchor in zip(groups, turns, strict=True)
    ]
