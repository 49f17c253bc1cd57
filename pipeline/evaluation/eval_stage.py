"""The eval stage: every arm answers the same questions; one row an answer, with costs and drift."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...models.base_model import resolve_precision
from ...models.language_model import load_language_model
from ...models.option_scoring import TreeStates
from ...models.read_out import own_read_out
from ...models.reading_window import check_window
from ..arms import FusedArm, Fusions, read_together
from ..fusion_memory import VARIANTS
from ..general_prose import general_texts
from ..graph_reader import GraphReader
from ..stages import StageContext
from ..training.teaching_run import write_json
from .adapted_arms import named_answers, stage_answers
from .answer_rows import ANSWERS_SCHEMA, answer_rows
from .arm_answers import ArmAnswers, without_words
from .asked_questions import AskedQuestion, asked_questions
from .base_arms import Evaluation, base_answers
from .costs import arm_costs
from .drift import Drift, ReadTexts, drift_of, read_texts, text_states, with_ratios
from .explained_facts import explanations
from .prompt_arms import prompt_answers


def run(context: StageContext) -> None:
    """Write answers.parquet, costs.json, perplexity.json, absent.json and explanations.json.

    Raises:
        UserError: there is nothing to ask; or a stage's model couldn't be loaded, once all others
            have been asked: their answers are kept for the next run.
    """
    settings, folder = context.project.eval, context.inputs["base"]
    dtype = resolve_precision(settings.precision)
    loaded = load_language_model(folder, None, dtype)
    base, tokenizer = loaded.model, loaded.tokenizer
    general = general_texts(context.files[context.project.facts.general_text])
    texts = read_texts(loaded.kind, tokenizer, general)
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    fusions = Fusions.of_stages(context.project, context.inputs, reader, context.seed)
    evaluation = Evaluation(context, tokenizer, _questions(context), fusions)
    prompts = [question.prompt for question in evaluation.questions]
    check_window(base, tokenizer, prompts, settings.max_new_tokens, "a question of the facts stage")
    answers = base_answers(evaluation, base)
    answers |= prompt_answers(evaluation, base, answers["base"])
    states = text_states(base, tokenizer, texts, settings.batch_tokens)
    drift = fused_drift(evaluation, base, states, texts)
    explained = explanations(evaluation, loaded)
    del base, loaded
    taught, taught_drift = stage_answers(evaluation, dtype, texts, states)
    named, absent = named_answers(evaluation, dtype)
    _check_all_asked(evaluation)
    answers |= {**taught, **named}
    costs = arm_costs(context.inputs, answers)
    answers |= {
        "link prediction": _link_prediction(context, evaluation.questions),
        "majority object": _majority(evaluation.unedited, reader),
    }
    rows = [row for arm, given in answers.items() for row in answer_rows(arm, context.seed, given)]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=ANSWERS_SCHEMA), context.work / "answers.parquet"
    )
    write_json(context.work / "perplexity.json", with_ratios({**drift, **taught_drift}))
    write_json(context.work / "costs.json", costs)
    write_json(context.work / "explanations.json", explained)
    write_json(context.work / "absent.json", [{"arm": of.arm, "why": of.why} for of in absent])


def fused_drift(
    evaluation: Evaluation, base: PreTrainedModel, states: TreeStates, texts: ReadTexts
) -> Drift:
    """What becomes of general text under the arms that leave the base's weights alone."""
    fusions, tokenizer = evaluation.fusions, evaluation.tokenizer
    fused = evaluation.attempt(
        (),
        fusions.folder,
        lambda: fusions.arms(base, tokenizer, texts.visible, VARIANTS, texts.texts),
    )
    arms = {"base": FusedArm(own_read_out), **(fused or {})}
    batch_tokens = evaluation.context.project.eval.batch_tokens
    drift: Drift = {}
    for names in read_together(arms):
        own, first = states, arms[names[0]]
        if first.reading is not None:
            read = texts if first.texts is None else texts.with_places(tokenizer, first.texts)
            with first.asked():
                own = text_states(base, tokenizer, read, batch_tokens)
        read_outs = {name: arms[name].read_out for name in names}
        drift |= drift_of(base, own, states.positions.hidden, read_outs)
    return drift


def _check_all_asked(evaluation: Evaluation) -> None:
    """Stop where a stage's model failed: a report without it would be kept though it was mended."""
    failed = evaluation.unasked
    if not failed:
        return
    names = " and ".join(dict.fromkeys(of.arm for of in failed))
    places = "\n".join(dict.fromkeys(f"{of.folder}: {of.why}" for of in failed))
    raise UserError(
        f"these arms can't be asked: {names}",
        places,
        "Delete the stage's folder and run again: it is made anew, and what the other arms answered "
        "is kept.",
    )


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
