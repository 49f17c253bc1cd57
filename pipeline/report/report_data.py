"""The report as data: answers, costs, facts and manifests become one JSON-able dictionary.

The page, the Markdown and the table on the terminal only write what stands here, so they can't
disagree. Shares are rounded to four decimals once, here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ..artifacts import Manifest
from ..measures.answered_pools import read_rows
from ..measures.arm_roles import in_order
from ..measures.paired_answers import align_answers
from ..words import clean_text
from .derived import Declared, derive
from .document import FORMAT
from .explanations import shown_explanations
from .fact_chain import ChainSources
from .graph_checks import describe_findings
from .provenance import describe_environment, describe_provenance
from .rows import distinct_names, report_rows
from .samples import sample_facts
from .targets import Target
from .teaching import describe_teaching
from .training_curves import Curves

Json = dict[str, Any]


@dataclass(frozen=True)
class ReportInputs:
    """What a report is made from.

    Args:
        title: the project's name.
        answers: answers.parquet of the eval stage.
        facts: facts.parquet of the facts stage.
        costs: costs.json, by arm.
        perplexity: perplexity.json, by arm.
        sources: sources.json of the graph.
        manifests: of the stages that led here, by stage.
        model: the base model as the project file names it.
        primary: arm and pool of the comparison that counts as the result.
        seed: of the bootstrap and of the sample facts.
        targets: what the run is held to.
        sentences: sentences.parquet of the facts stage.
        exposures: exposures.json of the pretrain stage: how often each fact was shown.
        screening: screening.json of the pretrain stage: what the base knew of each taught fact.
        scale: scale.json of the pretrain stage, where drift was bounded.
        sentence_pairs: sentence_pairs.json of the pretrain stage, where pairs were taught.
        entities: column iri of the graph's entities; row number = entity.
        curves: losses of each training, by stage.
        absent: absent.json of the eval stage: arms that couldn't be asked, and why.
        explanations: explanations.json of the eval stage: what arms read for a few facts.
        findings: of the graph, by rules and shapes; None where it wasn't checked.
        shapes: names of the shapes files that it was held to.
    """

    title: str
    answers: pa.Table
    facts: pa.Table
    costs: Mapping[str, Json]
    perplexity: Mapping[str, Json]
    sources: Sequence[Json]
    manifests: Mapping[str, Manifest]
    model: str
    primary: tuple[str, str]
    seed: int
    targets: tuple[Target, ...] = ()
    sentences: pa.Table | None = None
    exposures: Mapping[str, int] = field(default_factory=dict)
    screening: Mapping[str, Json] = field(default_factory=dict)
    scale: Mapping[str, Any] | None = None
    sentence_pairs: Mapping[str, int] | None = None
    entities: pa.Table | None = None
    curves: Curves = field(default_factory=dict)
    absent: Sequence[Json] = ()
    explanations: Sequence[Json] = ()
    findings: pa.Table | None = None
    shapes: Sequence[str] = ()


def build_report(inputs: ReportInputs) -> Json:
    """Everything that the report says, in numbers and sentences.

    Raises:
        UserError: arms answered different facts (see paired_answers.py).
    """
    inputs = _with_clean_arms(inputs)
    aligned = align_answers(inputs.answers)
    names = in_order(list(dict.fromkeys(arm for pool in aligned.values() for arm in pool.right)))
    knowledge = {fact: str(of["knowledge"]) for fact, of in inputs.screening.items()}
    rows = report_rows(inputs.answers, inputs.facts, aligned, knowledge)
    chain = ChainSources(inputs.facts, inputs.sentences, inputs.exposures, inputs.entities)
    return {
        "format": FORMAT,
        "title": clean_text(inputs.title),
        **derive(read_rows(rows), declared_by(inputs)),
        "samples": sample_facts(
            inputs.answers, chain, aligned, names, inputs.primary[0], inputs.seed
        ),
        "provenance": describe_provenance(
            inputs.sources, inputs.manifests, inputs.model, inputs.seed
        ),
        "environment": describe_environment(inputs.manifests),
        "findings": describe_findings(inputs.findings, inputs.shapes),
        "curves": dict(inputs.curves),
        "teaching": describe_teaching(
            inputs.exposures, inputs.screening, inputs.scale, inputs.sentence_pairs
        ),
        "explanations": shown_explanations(inputs.explanations),
        "rows": rows,
    }


def declared_by(inputs: ReportInputs) -> Declared:
    """What the numbers follow from besides the answers."""
    return Declared(
        primary=inputs.primary,
        targets=inputs.targets,
        seed=inputs.seed,
        costs=inputs.costs,
        perplexity=inputs.perplexity,
        absent=[
            {"arm": clean_text(entry["arm"]), "why": clean_text(entry["why"])}
            for entry in inputs.absent
        ],
    )


def _with_clean_arms(inputs: ReportInputs) -> ReportInputs:
    """The inputs with every arm named as the report may show it."""
    arms = inputs.answers["arm"].to_pylist()
    shown = distinct_names(dict.fromkeys(arms))
    column = pa.array([shown[arm] for arm in arms], pa.string())
    place = inputs.answers.schema.get_field_index("arm")
    return replace(
        inputs,
        answers=inputs.answers.set_column(place, "arm", column),
        costs={shown.get(arm, clean_text(arm)): cost for arm, cost in inputs.costs.items()},
        perplexity={shown.get(arm, clean_text(arm)): of for arm, of in inputs.perplexity.items()},
    )
