"""Training the student: which blocks it begins with, what it reads, and how near it comes to its teacher."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...kg.questions.pools import TAUGHT, UNTOUCHED
from ...models.base_model import choose_training_attention, load_tokenizer
from ...models.language_model import LanguageModel, kind_of, load_language_model
from ...models.option_scoring import TreeStates, scored_log_probabilities
from ...models.predicted_texts import (
    PredictedBatch,
    PredictedText,
    WeightedText,
    collate_predicted,
    predicted_part,
)
from ...models.read_out import own_read_out
from ...models.shrunk_model import evenly, shrunk_model
from ...models.size_distillation import SizeStudent, SizeWeights, size_distillation_loss
from ...models.taught_weights import load_taught_model
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings, train
from ...models.transformer_blocks import transformer_blocks
from ..evaluation.asked_questions import asked_questions
from ..evaluation.drift import read_texts
from ..evaluation.examination import Asked, Examination, Examined, drawn_questions
from ..general_prose import general_texts
from ..stages import StageContext
from ..training.predicted_forms import forms_of
from ..training.replay import drawn, general_text
from ..training.taught_epochs import LONGEST_DOMAIN_TEXT
from ..training.teaching_data import domain_texts, taught_facts
from ..training.teaching_run import write_json
from .shrink import TEACHERS

CHECKPOINT_STEPS = 100
Epoch = list[PredictedBatch]


def run(context: StageContext) -> None:
    """Write model/, training.json and shrink.json.

    Raises:
        UserError: the student has another tokenizer or as many blocks as its teacher; or see
            `size_distillation_loss`.
    """
    settings, folder = context.project.shrink, context.inputs["base"]
    torch.manual_seed(context.seed)
    taught_model = _teacher(context)
    teacher = LanguageModel(taught_model, load_tokenizer(folder), kind_of(taught_model))
    student, layers = _student(context, teacher)
    examination = _examination(context, teacher)
    first = examination.examine(teacher, context.console, "the teacher")
    for model in (teacher.model, student):
        choose_training_attention(model)
    taught = SizeStudent(student, teacher.model, layers)
    epochs = _epochs(context, teacher)
    weights = SizeWeights(settings.temperature, settings.hidden_weight, settings.relation_weight)

    def loss(model: SizeStudent, batch: PredictedBatch) -> torch.Tensor:
        return size_distillation_loss(model, teacher.model, batch, weights)

    total = sum(batch.size for epoch in epochs for batch in epoch)
    with context.console.progress("training the student", total, "tokens") as advance:
        record = train(
            taught,
            Curriculum(epochs.__getitem__, lambda batch: batch.size, predicted_part),
            loss,
            TrainingSettings(
                settings.learning_rate, settings.epochs, checkpoint_steps=CHECKPOINT_STEPS
            ),
            context.checkpoint("student"),
            advance,
            context.team,
        )
    student.eval().requires_grad_(False)
    student.save_pretrained(context.work / "model")
    teacher.tokenizer.save_pretrained(context.work / "model")
    write_json(
        context.work / "training.json",
        {"steps": record.steps, "tokens": record.units, "losses": record.losses},
    )
    second = examination.examine(replace(teacher, model=student), context.console, "the student")
    write_json(
        context.work / "shrink.json",
        {
            "teacher": _described(teacher.model, first),
            "student": {**_described(student, second), "blocks_of_the_teacher": list(layers)},
            "asked": examination.compared(first, second, context.seed),
            "general_text": {
                "teacher": _perplexity(teacher.model, first.general),
                "student": _perplexity(student, second.general),
            },
        },
    )


def _teacher(context: StageContext) -> PreTrainedModel:
    stage, base = TEACHERS[context.project.shrink.teacher], context.inputs["base"]
    if stage == "base":
        return load_language_model(base, None, torch.float32).model
    return load_taught_model(base, context.inputs[stage] / "adapter", torch.float32)


def _student(
    context: StageContext, teacher: LanguageModel
) -> tuple[PreTrainedModel, tuple[int, ...]]:
    """The student before it is taught, and for each of its blocks one of the teacher's."""
    settings, file = context.project.shrink, context.project.file.name
    count = len(transformer_blocks(teacher.model))
    if settings.student:
        folder = context.files[settings.student]
        given = load_language_model(folder, None, torch.float32)
        _check_tokenizers(teacher.tokenizer, given.tokenizer, folder, file)
        own = len(transformer_blocks(given.model))
        return given.model, evenly(count, min(own, count)) + (count - 1,) * max(0, own - count)
    kept = settings.layers or math.ceil(count / 2)
    if kept >= count:
        raise UserError(
            f"a student of {kept} blocks is no smaller than its teacher, which has {count}",
            f"{file}:shrink.layers",
            f"Name 1 to {count - 1}, or 0 for half of them.",
        )
    return shrunk_model(teacher.model, evenly(count, kept)), evenly(count, kept)


def _check_tokenizers(
    teacher: PreTrainedTokenizerBase, student: PreTrainedTokenizerBase, folder: Path, file: str
) -> None:
    """Raises UserError where a token of one is another of the other: their distributions can't be compared."""
    if teacher.get_vocab() == student.get_vocab():
        return
    sizes = f"{len(student):,} tokens, the teacher's {len(teacher):,}"
    raise UserError(
        f"the student has another tokenizer than its teacher: {sizes}",
        f"{file}:shrink.student ({folder.name})",
        "Name a student with the teacher's tokenizer, or none: one is made of the teacher's blocks.",
    )


def _examination(context: StageContext, teacher: LanguageModel) -> Examination:
    folder, seed = context.inputs["facts"], context.seed
    asked = [
        Asked(kind, drawn_questions(asked_questions(folder, (pool,)), seed))
        for kind, pool in (("taught", TAUGHT), ("untouched", UNTOUCHED))
    ]
    general = general_texts(context.files[context.project.facts.general_text])
    texts = read_texts(teacher.kind, teacher.tokenizer, general)
    return Examination(asked, texts, context.project.eval.batch_tokens)


def _epochs(context: StageContext, teacher: LanguageModel) -> list[Epoch]:
    """General text, domain text and texts of the taught facts, as many of each as the project says."""
    settings, facts = context.project.shrink, context.inputs["facts"]
    forms = forms_of(teacher, context.project.pretrain)
    told = [
        WeightedText(text.text, 0, 1.0, text.mentions)
        for fact in taught_facts(facts)
        for text in fact.texts
    ]
    general = general_text(context, teacher, settings.text, settings.texts, context.seed + 4)
    domain = domain_texts(facts, context.inputs["link"], LONGEST_DOMAIN_TEXT)
    kinds = [forms.prepared(texts) for texts in (general, domain, told)]
    epochs = []
    for number in range(settings.epochs):
        random = np.random.default_rng([context.seed, 131, number])
        rows: list[PredictedText] = [
            forms.of_text(texts[index], random)
            for stream, texts in enumerate(kinds, start=137)
            for index in drawn(len(texts), settings.texts, context.seed, stream, number)
        ]
        rows = [row for row in rows if row.places]
        groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
        epochs.append([collate_predicted([rows[index] for index in group]) for group in groups])
    return epochs


def _described(model: PreTrainedModel, found: Examined) -> dict[str, object]:
    return {
        "layers": len(transformer_blocks(model)),
        "parameters": sum(value.numel() for value in model.parameters()),
        "milliseconds": round(found.milliseconds, 2),
    }


def _perplexity(model: PreTrainedModel, states: TreeStates) -> float:
    """Of general text, by the model's own head."""
    (scores,) = scored_log_probabilities(model, states, [own_read_out])
    return float((-scores.mean()).exp())
