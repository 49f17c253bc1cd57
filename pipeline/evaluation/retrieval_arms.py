"""Retrieval as users know it: the graph's lines as text, the best by BM25 or by a sentence encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from transformers.modeling_utils import PreTrainedModel

from ...kg.questions.fact_prompt import FactLine, augmented_prompt
from ...kg.questions.passages import Passages, bm25_ranking, passages_of, subjects_to_tell
from ...models.read_out import own_read_out
from ...models.sentence_vectors import dense_ranking
from ..arms import PROMPT_TOKENS
from .arm_answers import ArmGroup
from .asked_questions import AskedQuestion
from .base_arms import Answers, Evaluation

BM25, DENSE = "BM25", "dense retrieval"
DEPTH = 16  # passages of a ranking that are tried for the prompt


def retrieved_answers(
    evaluation: Evaluation, base: PreTrainedModel, questions: Sequence[AskedQuestion]
) -> Answers:
    """The base with the best-ranked lines before each question, as many as the prompt arm may have."""
    passages = _passages(evaluation)
    queries = [question.prompt for question in questions]
    answers: Answers = {}
    for arm, ranking in _rankings(evaluation, passages, queries):
        told = [
            _told(evaluation, [passages.lines[at] for at in row], query)
            for row, query in zip(ranking, queries, strict=True)
        ]
        prompts = [text for text, _ in told]
        group = ArmGroup(arm.replace(" ", "-"), questions, prompts, {arm: own_read_out})
        cited = [evaluation.reader.citations(lines) for _, lines in told]
        found = evaluation.ask(base, group)
        answers |= {name: replace(given, cited=cited) for name, given in found.items()}
    return answers


def _passages(evaluation: Evaluation) -> Passages:
    """What a prompt would tell about each subject of an asked relation, less what is withheld."""
    settings, seed = evaluation.context.project.eval, evaluation.context.seed
    reader, limit = evaluation.reader, evaluation.fusions.max_facts
    relations = list(reader.relation_labels)
    rows = np.isin(reader.graph.triples[:, 1], relations)
    others = np.unique(reader.graph.triples[rows, 0]).tolist()
    asked = [question.subject for question in evaluation.questions if question.subject >= 0]
    subjects = subjects_to_tell(asked, others, settings.passages, seed)
    passages = passages_of(subjects, lambda entity: reader.about(entity, limit))
    evaluation.context.console.line(
        f"retrieval searches {len(passages.lines)} lines about {len(subjects)} subjects"
    )
    return passages


def _rankings(
    evaluation: Evaluation, passages: Passages, queries: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    context = evaluation.context
    settings = context.project.eval
    if BM25 in settings.prompt_arms:
        yield BM25, bm25_ranking(passages, queries, DEPTH)
    if DENSE in settings.prompt_arms:
        encoder = context.files[settings.encoder]
        with context.console.progress("encoding", len(passages.lines), "lines") as advance:
            ranking = dense_ranking(encoder, passages.texts, queries, DEPTH, advance)
        yield DENSE, ranking


def _told(
    evaluation: Evaluation, lines: Sequence[FactLine], prompt: str
) -> tuple[str, tuple[FactLine, ...]]:
    return augmented_prompt(
        lines, prompt, PROMPT_TOKENS, lambda text: len(evaluation.tokenizer(text)["input_ids"])
    )
