"""The eval stage: every arm answers the same questions; one row an answer, with costs and drift."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError
from ..models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ..models.low_rank import load_adapted_model
from ..models.option_scoring import TreeStates, tree_states
from ..models.option_tree import merge_sequences
from ..models.read_out import ReadOut, own_read_out
from ..models.text_drift import text_drift
from .arm_answers import ANSWERS_SCHEMA, ArmAnswers, answer_arms, answer_rows
from .arms import Fusions, augmented
from .asked_questions import AskedQuestion, asked_questions
from .graph_reader import GraphReader
from .stages import StageContext
from .teaching_run import write_json

Rows = list[dict[str, object]]
ADAPTED = {"pretrained": "pretrain", "distilled": "distill"}  # arm: the stage that trained it


def run(context: StageContext) -> None:
    """Write answers.parquet, costs.json and perplexity.json."""
    settings, folder = context.project.eval, context.inputs["base"]
    dtype = resolve_precision(settings.precision)
    base, tokenizer = load_causal_model(folder, dtype), load_tokenizer(folder)
    questions = asked_questions(context.inputs["facts"], settings.pools)
    if not questions:
        raise UserError(
            "there is no question to ask",
            f"{context.project.file.name}:eval.pools",
            "Name a pool that has facts, or raise its size in [facts].",
        )
    texts = general_texts(context.files[context.project.facts.general_text])
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    fusions = Fusions(
        context.inputs["fuse"],
        reader,
        context.inputs["embed"],
        context.project.fuse.max_facts,
        context.seed,
    )
    answers = _base_answers(context, base, tokenizer, questions, fusions)
    drift, base_states = _base_drift(base, tokenizer, texts, fusions, settings.batch_tokens)
    del base
    for arm, stage in ADAPTED.items():
        model = load_adapted_model(folder, context.inputs[stage] / "adapter", dtype)
        prompts = [question.prompt for question in questions]
        answers |= answer_arms(
            model, tokenizer, questions, prompts, {arm: own_read_out}, settings, context.console
        )
        states = _text_states(model, tokenizer, texts, settings.batch_tokens)
        drift[arm] = _drift(model, states, base_states.positions.hidden, own_read_out)
    rows = [
        row
        for arm, given in answers.items()
        for row in answer_rows(arm, context.seed, questions, given)
    ]
    rows += _link_prediction(context, questions) + _majority(context, questions, reader)
    pq.write_table(
        pa.Table.from_pylist(rows, schema=ANSWERS_SCHEMA), context.work / "answers.parquet"
    )
    write_json(context.work / "perplexity.json", _with_ratios(drift))
    _write_costs(context, answers)


def general_texts(path: Path) -> list[str]:
    """The passages of general text, one a line."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _base_answers(
    context: StageContext,
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[AskedQuestion],
    fusions: Fusions,
) -> dict[str, ArmAnswers]:
    """Every arm that leaves the base's weights alone; prompts that nothing was added to aren't rerun."""
    settings, console = context.project.eval, context.console
    plain = [question.prompt for question in questions]
    read_outs = fusions.read_outs(base, tokenizer, plain)
    arms: dict[str, ReadOut] = {"base": own_read_out, **read_outs}
    answers = answer_arms(base, tokenizer, questions, plain, arms, settings, console)
    told, lines = augmented(fusions.reader, tokenizer, plain, fusions.max_facts)
    changed = [number for number, text in enumerate(told) if text != plain[number]]
    second: dict[str, ArmAnswers] = {}
    if changed:
        fused = fusions.read_outs(
            base, tokenizer, [plain[number] for number in changed], variants=("fused",)
        )
        second = answer_arms(
            base,
            tokenizer,
            [questions[number] for number in changed],
            [told[number] for number in changed],
            {"base + prompt": own_read_out, "fused + prompt": fused["fused"]},
            settings,
            console,
        )
    cited = [
        [fusions.reader.citation(fact) for line in told for fact in line.facts] for told in lines
    ]
    for arm, plain_arm in (("base + prompt", "base"), ("fused + prompt", "fused")):
        under = answers[plain_arm]
        merged = _overlay(under, second[arm], changed) if changed else under
        answers[arm] = replace(merged, cited=cited)
    return answers


def _overlay(under: ArmAnswers, over: ArmAnswers, places: Sequence[int]) -> ArmAnswers:
    """`under` with the answers at `places` taken from `over`; its costs are `over`'s."""
    scores, generated = list(under.scores), list(under.generated)
    prompts = list(under.prompts)
    for number, place in enumerate(places):
        scores[place], generated[place] = over.scores[number], over.generated[number]
        prompts[place] = over.prompts[number]
    return replace(over, scores=scores, generated=generated, prompts=prompts)


def _text_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    batch_tokens: int,
) -> TreeStates:
    """States at every place of every text."""
    trees = [merge_sequences([tokens], [1]) for tokens in tokenizer(list(texts))["input_ids"]]
    return tree_states(model, trees, batch_tokens, lambda done: None)


def _base_drift(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    fusions: Fusions,
    batch_tokens: int,
) -> tuple[dict[str, dict[str, float]], TreeStates]:
    """Drift of the base and the fused arms on general text, each text read with what it links to."""
    states = _text_states(base, tokenizer, texts, batch_tokens)
    hidden = states.positions.hidden
    read_outs: Mapping[str, ReadOut] = {
        "base": own_read_out,
        **fusions.read_outs(base, tokenizer, texts),
    }
    return {arm: _drift(base, states, hidden, arm_of) for arm, arm_of in read_outs.items()}, states


def _drift(
    model: PreTrainedModel, states: TreeStates, base_hidden: Tensor, read_out: ReadOut
) -> dict[str, float]:
    drift = text_drift(model, states, base_hidden, read_out)
    return {"perplexity": drift.perplexity, "kl": drift.divergence, "tokens": drift.tokens}


def _with_ratios(drift: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    base = drift["base"]["perplexity"]
    return {arm: {**found, "ratio": found["perplexity"] / base} for arm, found in drift.items()}


def _link_prediction(context: StageContext, questions: Sequence[AskedQuestion]) -> Rows:
    """Graph embeddings' answers to the inferable facts."""
    table = pq.read_table(context.inputs["embed"] / "predictions.parquet").to_pylist()
    scores = {row["fact"]: np.array(row["scores"]) for row in table}
    asked = [question for question in questions if question.fact in scores]
    return _without_words("link prediction", context.seed, asked, [scores[q.fact] for q in asked])


def _majority(
    context: StageContext, questions: Sequence[AskedQuestion], reader: GraphReader
) -> Rows:
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
    return _without_words("majority object", context.seed, asked, counts)


def _without_words(
    arm: str, seed: int, questions: Sequence[AskedQuestion], scores: Sequence[np.ndarray]
) -> Rows:
    prompts = [question.prompt for question in questions]
    return answer_rows(arm, seed, questions, ArmAnswers(scores, [None] * len(prompts), prompts))


def _write_costs(context: StageContext, answers: Mapping[str, ArmAnswers]) -> None:
    """Training and asking costs of each arm."""
    fusion = _read(context.inputs["fuse"] / "training.json")
    fusion_seconds = _read(context.inputs["fuse"] / "log" / "training.json")["seconds"]
    costs: dict[str, dict[str, float | None]] = {}
    for arm, given in answers.items():
        trained: dict[str, float] = {}
        name = arm.removesuffix(" + prompt")
        if name in fusion_seconds:
            trained = {
                "train_seconds": fusion_seconds[name],
                "train_tokens": fusion["tokens"],
                "trained_parameters": fusion[name]["trained_parameters"],
            }
        if arm in ADAPTED:
            trained = _training_cost(context, arm)
        costs[arm] = {
            "train_seconds": trained.get("train_seconds", 0),
            "train_tokens": trained.get("train_tokens", 0),
            "trained_parameters": trained.get("trained_parameters", 0),
            "milliseconds_per_question": given.milliseconds,
            "prompt_tokens_per_question": given.tokens,
        }
    write_json(context.work / "costs.json", costs)


def _training_cost(context: StageContext, arm: str) -> dict[str, float]:
    """The stage's own cost; distillation starts from the pretrained model and includes its cost."""
    stages = ["pretrain", "distill"] if arm == "distilled" else ["pretrain"]
    records = [_read(context.inputs[stage] / "training.json") for stage in stages]
    seconds = [
        _read(context.inputs[stage] / "log" / "training.json")["seconds"] for stage in stages
    ]
    return {
        "train_seconds": sum(seconds),
        "train_tokens": sum(record["tokens"] for record in records),
        "trained_parameters": records[-1]["trained_parameters"],
    }


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
