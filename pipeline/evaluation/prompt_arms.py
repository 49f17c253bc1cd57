"""Other ways of asking the base, as baselines and controls: what prompts alone can do.

Few-shot, calibrated by a content-free prompt, a learned soft prompt, text retrieval by BM25 and by a
sentence encoder; the options without any question; and the base again, in other batches.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from transformers.modeling_utils import PreTrainedModel

from ...kg.questions.few_shot import WorkedExample, choose_examples, few_shot_prompt
from ...kg.questions.pools import PRACTICE
from ...models.answering import answer_questions
from ...models.base_model import resolve_precision
from ...models.language_model import load_language_model
from ...models.posed_questions import Posed
from ...models.read_out import own_read_out
from ...models.soft_prompt import SoftPrompted, with_soft_prompt
from ..training.teaching_data import facts_of_pools, training_prompts
from .arm_answers import ArmAnswers, ArmGroup, answer_group, without_words
from .asked_questions import AskedQuestion
from .base_arms import Answers, Evaluation
from .retrieval_arms import BM25, DENSE, retrieved_answers

CONTENT_FREE = "N/A"  # in place of the subject (Zhao et al. 2021)
NOTHING_ASKED = "Answer:"
OPTIONS_AT_ONCE = 64


def prompt_answers(evaluation: Evaluation, base: PreTrainedModel, plain: ArmAnswers) -> Answers:
    """The baselines that the project names, on the pools that it names.

    Args:
        evaluation: what is asked.
        base: the base model.
        plain: the base's own answers to all questions.
    """
    settings = evaluation.context.project.eval
    places = [n for n, q in enumerate(plain.questions) if q.pool in settings.prompt_pools]
    questions = [plain.questions[number] for number in places]
    arms = settings.prompt_arms
    answers: Answers = {}
    if not questions:
        return answers
    if "few-shot" in arms:
        answers |= _few_shot(evaluation, base, questions)
    if "calibrated" in arms:
        scores = [plain.scores[number] for number in places]
        answers["calibrated"] = _calibrated(evaluation, base, questions, scores)
    if "soft prompt" in arms:
        answers |= _soft_prompt(evaluation, questions)
    if "options alone" in arms:
        answers["options alone"] = _options_alone(evaluation, base, questions)
    if "base again" in arms:
        answers |= _again(evaluation, base, questions)
    if {BM25, DENSE} & set(arms):
        answers |= retrieved_answers(evaluation, base, questions)
    return answers


def _few_shot(
    evaluation: Evaluation, base: PreTrainedModel, questions: Sequence[AskedQuestion]
) -> Answers:
    context = evaluation.context
    drawn = choose_examples(
        worked_examples(context.inputs["facts"]), context.project.eval.shots, context.seed
    )
    prompts = [few_shot_prompt(drawn, q.relation_label, q.prompt) for q in questions]
    return evaluation.ask(
        base, ArmGroup("few-shot", questions, prompts, {"few-shot": own_read_out})
    )


def worked_examples(facts_folder: Path) -> list[WorkedExample]:
    """The practice facts in their training phrasings."""
    facts = facts_of_pools(facts_folder, (PRACTICE,))
    return [
        WorkedExample(facts[fact]["relation_label"], fact, prompt, facts[fact]["answer"])
        for fact, prompts in training_prompts(facts_folder, facts).items()
        for prompt in prompts
    ]


def _soft_prompt(evaluation: Evaluation, questions: Sequence[AskedQuestion]) -> Answers:
    context, arm = evaluation.context, "soft prompt"
    folder, adapter = context.inputs["base"], context.inputs["prompt"] / "adapter"
    dtype = resolve_precision(context.project.eval.precision)

    def load() -> SoftPrompted:
        base = load_language_model(folder, None, dtype)
        return with_soft_prompt(base.model, base.tokenizer, adapter)

    loaded = evaluation.attempt([arm], adapter, load)
    if loaded is None:
        return {}
    plain = [question.prompt for question in questions]
    read = [loaded.opening + prompt for prompt in plain]
    group = ArmGroup("soft-prompt", questions, read, {arm: own_read_out})
    found = replace(evaluation, tokenizer=loaded.tokenizer).ask(loaded.model, group)
    return {arm: replace(found[arm], prompts=plain)}


def _options_alone(
    evaluation: Evaluation, base: PreTrainedModel, questions: Sequence[AskedQuestion]
) -> ArmAnswers:
    """Control: the likeliest option where nothing is asked, as a biased choice of options would show."""
    known = _option_scores(
        evaluation, base, [NOTHING_ASKED] * len(questions), [q.options for q in questions]
    )
    scores = [np.array([known[NOTHING_ASKED, option] for option in q.options]) for q in questions]
    return without_words(questions, scores)


def _again(
    evaluation: Evaluation, base: PreTrainedModel, questions: Sequence[AskedQuestion]
) -> Answers:
    """Control: the base on the same questions the other way round, in batches of another size."""
    turned = list(reversed(questions))
    context = evaluation.context
    settings = context.project.eval
    smaller = settings.model_copy(update={"batch_tokens": max(1, settings.batch_tokens // 3)})
    prompts = [question.prompt for question in turned]
    group = ArmGroup("base-again", turned, prompts, {"base again": own_read_out})
    return answer_group(
        base, evaluation.tokenizer, group, smaller, evaluation.folder, context.console
    )


def _calibrated(
    evaluation: Evaluation,
    base: PreTrainedModel,
    questions: Sequence[AskedQuestion],
    scores: Sequence[np.ndarray],
) -> ArmAnswers:
    """The base's scores less those of the same options after a prompt that asks of nothing."""
    prompts = [content_free(question) for question in questions]
    known = _option_scores(evaluation, base, prompts, [q.options for q in questions])
    calibrated = [
        own - np.array([known[prompt, option] for option in question.options])
        for own, prompt, question in zip(scores, prompts, questions, strict=True)
    ]
    return without_words(questions, calibrated)


def content_free(question: AskedQuestion) -> str:
    """The question's prompt with nothing in place of its subject.

    A question whose words don't hold its subject has nothing to leave out; it is asked of nothing
    as a whole.
    """
    if question.subject_label and question.subject_label in question.prompt:
        return question.prompt.replace(question.subject_label, CONTENT_FREE)
    return f"Question: {CONTENT_FREE}\nAnswer:"


def _option_scores(
    evaluation: Evaluation,
    base: PreTrainedModel,
    prompts: Sequence[str],
    options: Sequence[Sequence[str]],
) -> dict[tuple[str, str], float]:
    """Each option's score after each of its prompts, every pair once."""
    wanted: dict[str, dict[str, None]] = {}
    for prompt, given in zip(prompts, options, strict=True):
        wanted.setdefault(prompt, {}).update(dict.fromkeys(given))
    posed = [
        Posed(prompt, tuple(list(given)[start : start + OPTIONS_AT_ONCE]), 0, freely=False)
        for prompt, given in wanted.items()
        for start in range(0, len(given), OPTIONS_AT_ONCE)
    ]
    settings = evaluation.context.project.eval
    with evaluation.context.console.progress("calibrating", len(posed), "prompts") as advance:
        answered = answer_questions(
            base, evaluation.tokenizer, posed, [own_read_out], 1, settings.batch_tokens, advance
        )[0]
    return {
        (item.prompt, option): float(score)
        for item, found in zip(posed, answered, strict=True)
        for option, score in zip(item.options, found.scores, strict=True)
    }
