"""The eval stage: every arm answers the same questions; one row an answer, with costs and drift."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import UserError
from ..models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ..models.low_rank import load_adapted_model
from ..models.read_out import ReadOut, own_read_out
from .answer_rows import ANSWERS_SCHEMA, answer_rows
from .arm_answers import ArmAnswers, without_words
from .arms import Fusions
from .asked_questions import AskedQuestion, asked_questions
from .eval_arms import Evaluation, adapted_answers, base_answers
from .eval_costs import ADAPTED, arm_costs
from .eval_drift import adapted_drift, drift_of, general_texts, text_states, with_ratios
from .graph_reader import GraphReader
from .prompt_arms import prompt_answers
from .stages import StageContext
from .teaching_run import write_json


def run(context: StageContext) -> None:
    """Write answers.parquet, costs.json and perplexity.json."""
    settings, folder = context.project.eval, context.inputs["base"]
    dtype = resolve_precision(settings.precision)
    base, tokenizer = load_causal_model(folder, dtype), load_tokenizer(folder)
    questions = _questions(context)
    texts = general_texts(context.files[context.project.facts.general_text])
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    limit = context.project.fuse.max_facts
    embed = context.inputs["embed"]
    fusions = Fusions(context.inputs["fuse"], reader, embed, limit, context.seed)
    evaluation = Evaluation(context, tokenizer, questions, fusions)
    answers = base_answers(evaluation, base)
    answers |= prompt_answers(evaluation, base, answers["base"])
    states = text_states(base, tokenizer, texts, settings.batch_tokens)
    base_hidden = states.positions.hidden
    read_outs: dict[str, ReadOut] = {
        "base": own_read_out,
        **fusions.read_outs(base, tokenizer, texts),
    }
    drift = drift_of(base, states, base_hidden, read_outs)
    del base
    for arm, stage in ADAPTED.items():
        model = load_adapted_model(folder, context.inputs[stage] / "adapter", dtype)
        answers |= adapted_answers(evaluation, model, arm)
        states = text_states(model, tokenizer, texts, settings.batch_tokens)
        drift |= adapted_drift(model, states, base_hidden, arm)
    costs = arm_costs(context.inputs, answers)
    answers |= {
        "link prediction": _link_prediction(context, questions),
        "majority object": _majority(questions, reader),
    }
    rows = [row for arm, given in answers.items() for row in answer_rows(arm, context.seed, given)]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=ANSWERS_SCHEMA), context.work / "answers.parquet"
    )
    write_json(context.work / "perplexity.json", with_ratios(drift))
    write_json(context.work / "costs.json", costs)


def _questions(context: StageContext) -> list[AskedQuestion]:
    questions = asked_questions(context.inputs["facts"], context.project.eval.pools)
    if not questions:
        raise UserError(
            "there is no question to ask",
            f"{context.project.file.name}:eval.pools",
            "Name a pool that has facts, or raise its size in [facts].",
        )
    return questions


def _link_prediction(context: StageContext, questions: Sequence[AskedQuestion]) -> ArmAnswers:
    """Graph embeddings' answers to the inferable facts."""
    table = pq.read_table(context.inputs["embed"] / "predictions.parquet").to_pylist()
    scores = {row["fact"]: np.array(row["scores"]) for row in table}
    asked = [question for question in questions if question.fact in scores]
    return without_words(asked, [scores[question.fact] for question in asked])


def _majority(questions: Sequence[AskedQuestion], reader: GraphReader) -> ArmAnswers:
    """The option that most subjects of the relation have, without reading the question."""
    asked = [question for question in questions if question.relation >= 0]
    counts = [
        np.array(
            [
                len(reader.graph.subjects(question.relation, entity))
                for entity in question.option_entities
            ],
            dtype=float,
        )
        for question in asked
    ]
    return without_words(asked, counts)
