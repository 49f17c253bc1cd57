import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from infact.models.masked_scoring import masked_rows
from infact.models.predicted_texts import PredictedText, collate_predicted
from infact.models.teacher_cache import (
    Lesson,
    cache_teacher,
    collate_taught,
    distillation_loss,
    tail_log_mass,
)

VOCABULARY, TEMPERATURE = 400, 2.0
LESSONS = (
    Lesson(
        "Facts: Oslo, capital of: Norway.\n\n",
        ("Which city is the capital of Norway?", "Oslo is the capital of"),
        ("Oslo", "Norway"),
    ),
    Lesson("", ("Lima, capital of:",), ("Peru",)),
)


def ignore(_: int) -> None:
    pass


@pytest.fixture(scope="module")
def student(tiny_model):
    other = copy.deepcopy(tiny_model)
    with torch.no_grad():
        other.base_model.layers[1].mlp.down_proj.weight.mul_(2)
    return other


def taught(model, tokenizer, top_k: int, batch_tokens: int = 4096):
    return cache_teacher(model, tokenizer, LESSONS, TEMPERATURE, top_k, batch_tokens, ignore)


@torch.no_grad()
def softened(model, tokens: list[int], start: int, temperature: float):
    """(A, V) log-probabilities after each place that predicts a token from `start` on."""
    logits = model(torch.tensor([tokens])).logits[0].double() / temperature
    return logits.log_softmax(-1)[start - 1 : -1]


def plain_tables(model, tokenizer, temperature: float, told: bool):
    """The distributions on every answer, each question run alone."""
    tables = []
    for lesson in LESSONS:
        for prompt, answer in zip(lesson.prompts, lesson.answers, strict=True):
            before = (lesson.context if told else "") + prompt
            tokens = tokenizer(f"{before} {answer}\n")["input_ids"]
            start = len(tokenizer(before)["input_ids"])
            tables.append(softened(model, tokens, start, temperature))
    return torch.cat(tables)


@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_the_cache_is_what_the_teacher_says_after_the_context(
    tiny_model, tiny_tokenizer, batch_tokens
) -> None:
    rows = taught(tiny_model, tiny_tokenizer, VOCABULARY, batch_tokens)
    batch = collate_taught(rows, collate_predicted)
    found = torch.empty(batch.chances.shape).scatter_(1, batch.kept, batch.chances)
    expected = plain_tables(tiny_model, tiny_tokenizer, TEMPERATURE, told=True)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


def test_the_student_reads_no_context(tiny_model, tiny_tokenizer) -> None:
    rows = taught(tiny_model, tiny_tokenizer, 4)
    texts = [tiny_tokenizer.decode(row.text.tokens) for row in rows]
    assert texts == [
        "Which city is the capital of Norway? Oslo\n",
        "Oslo is the capital of Norway\n",
        "Lima, capital of: Peru\n",
    ]
    answers = [tiny_tokenizer.decode(row.text.targets) for row in rows]
    assert answers == [" Oslo\n", " Norway\n", " Peru\n"]


def test_with_the_whole_vocabulary_it_is_the_plain_divergence(
    tiny_model, student, tiny_tokenizer
) -> None:
    batch = collate_taught(taught(tiny_model, tiny_tokenizer, VOCABULARY), collate_predicted)
    found = distillation_loss(student, batch, TEMPERATURE).item()
    teacher = plain_tables(tiny_model, tiny_tokenizer, TEMPERATURE, told=True)
    own = plain_tables(student, tiny_tokenizer, TEMPERATURE, told=False)
    expected = (teacher.exp() * (teacher - own)).sum(dim=1).mean() * TEMPERATURE**2
    assert found == pytest.approx(expected.item(), rel=1e-3)
    assert found > 0.01


def test_the_tail_bucket_conserves_mass(tiny_model, student, tiny_tokenizer) -> None:
    batch = collate_taught(taught(tiny_model, tiny_tokenizer, 8), collate_predicted)
    tail = tail_log_mass(batch.chances)
    total = batch.chances.exp().sum(dim=1) + tail.squeeze(1).exp()
    torch.testing.assert_close(total, torch.ones(len(total)), rtol=0, atol=1e-5)
    teacher = plain_tables(tiny_model, tiny_tokenizer, TEMPERATURE, told=True).exp()
    own = plain_tables(student, tiny_tokenizer, TEMPERATURE, told=False).exp()
    expected = 0.0
    for kept, said, guessed in zip(batch.kept, teacher, own, strict=True):
        pairs = [(said[token].item(), guessed[token].item()) for token in kept]
        pairs.append((1 - sum(p for p, _ in pairs), 1 - sum(q for _, q in pairs)))
        expected += sum(p * torch.log(torch.tensor(p / q)).item() for p, q in pairs)
    found = distillation_loss(student, batch, TEMPERATURE).item()
    assert found == pytest.approx(TEMPERATURE**2 * expected / len(teacher), rel=1e-3)


def test_kept_tokens_are_the_likeliest(tiny_model, tiny_tokenizer) -> None:
    batch = collate_taught(taught(tiny_model, tiny_tokenizer, 8), collate_predicted)
    expected = plain_tables(tiny_model, tiny_tokenizer, TEMPERATURE, told=True).topk(8).indices
    assert batch.kept.tolist() == expected.tolist()


def test_cross_entropy_is_mixed_in(tiny_model, student, tiny_tokenizer) -> None:
    batch = collate_taught(taught(tiny_model, tiny_tokenizer, 8), collate_predicted)
    labels = torch.full_like(batch.texts.tokens, -100)
    labels[batch.texts.at.rows, batch.texts.at.places + 1] = batch.texts.targets
    with torch.no_grad():
        answer = student(batch.texts.tokens, attention_mask=batch.texts.mask, labels=labels).loss
    soft, mixed, hard = (
        distillation_loss(
            student, replace(batch, weights=torch.full_like(batch.weights, weight)), TEMPERATURE
        ).item()
        for weight in (1, 0.75, 0)
    )
    assert hard == pytest.approx(answer.item(), rel=1e-5)
    assert mixed == pytest.approx(0.75 * soft + 0.25 * hard, rel=1e-5)


def test_each_lesson_has_its_own_weight(tiny_model, student, tiny_tokenizer) -> None:
    def loss(lessons) -> float:
        rows = cache_teacher(tiny_model, tiny_tokenizer, lessons, TEMPERATURE, 8, 4096, ignore)
        return distillation_loss(
            student, collate_taught(rows, collate_predicted), TEMPERATURE
        ).item()

    trusted, doubted = LESSONS[0], replace(LESSONS[1], weight=0.0)
    places = [
        sum(len(tiny_tokenizer(f" {answer}\n")["input_ids"]) for answer in lesson.answers)
        for lesson in (trusted, doubted)
    ]
    expected = np.average([loss([trusted]), loss([doubted])], weights=places)
    assert loss([trusted, doubted]) == pytest.approx(expected, rel=1e-4)
    assert loss([doubted]) != pytest.approx(loss([LESSONS[1]]), rel=0.1)


def test_a_teacher_without_context_teaches_itself_nothing(tiny_model, tiny_tokenizer) -> None:
    lessons = [Lesson("", lesson.prompts, lesson.answers) for lesson in LESSONS]
    rows = cache_teacher(tiny_model, tiny_tokenizer, lessons, TEMPERATURE, 16, 4096, ignore)
    loss = distillation_loss(tiny_model, collate_taught(rows, collate_predicted), TEMPERATURE)
    assert abs(loss.item()) < 1e-5


def test_a_masked_teacher_says_what_it_says_of_each_masked_token(tiny_masked) -> None:
    """Against the plain model, a text at a time: with the context it teaches, without it is taught."""
    model, tokenizer = tiny_masked.model, tiny_masked.tokenizer
    taught = cache_teacher(model, tokenizer, LESSONS, TEMPERATURE, 9, 64, ignore)
    expected = [
        (told, plain, lesson.weight)
        for lesson in LESSONS
        for prompt, answer in zip(lesson.prompts, lesson.answers, strict=True)
        for told, plain in zip(
            masked_rows(tokenizer, answer, f"{lesson.context}{prompt} "),
            masked_rows(tokenizer, answer, f"{prompt} "),
            strict=True,
        )
    ]
    for found, (told, plain, weight) in zip(taught, expected, strict=True):
        assert found.text == PredictedText(plain.tokens, (plain.place,), (plain.target,), (1.0,))
        assert found.weight == weight
        with torch.no_grad():
            logits = model(torch.tensor([told.tokens])).logits[0, told.place]
        best = (logits / TEMPERATURE).log_softmax(-1).topk(9)
        assert found.kept[0].tolist() == best.indices.tolist()
        np.testing.assert_allclose(found.chances[0], best.values, atol=1e-4)
