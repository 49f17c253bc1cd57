"""Sample facts: a seeded stratified draw within a budget, each with the chain from triple to answers."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from infact.kg.questions.facts import fact_id
from infact.pipeline.report.fact_chain import SHOWN_SENTENCES, ChainSources, fact_chains
from infact.pipeline.report.page import render_page
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.samples import (
    CHANGES,
    FACTS_PER_POOL,
    SAMPLE_BYTES,
    page_bytes,
)

Json = dict[str, Any]
SUBJECT, PREDICATE = "https://example.org/Marfan", "https://example.org/gene"


def chain_rows() -> list[Json]:
    """A taught fact, the same asked from the object's side, an edited, a deleted and a general one."""
    taught = fact_id("T", SUBJECT, PREDICATE)
    common = {
        "predicate_iri": PREDICATE,
        "options": ["FBN1", "PAX6"],
        "source": "genes.tsv",
        "line": 7,
    }
    graph = {**common, "subject_iri": SUBJECT, "option_entities": [1, 2], "correct": 0}
    turned = {**common, "subject_iri": "https://example.org/FBN1", "option_entities": [0, 2]}
    return [
        {**graph, "fact": taught, "pool": "T", "before": -1},
        {**turned, "fact": "R-1", "pool": "R", "correct": 0, "before": -1},
        {**graph, "fact": "S-1", "pool": "S", "correct": 1, "before": 0},
        {**graph, "fact": "D-1", "pool": "D", "before": 0},
        {
            **common,
            **{"fact": "U-1", "pool": "U", "subject_iri": "", "predicate_iri": ""},
            **{"option_entities": [-1, -1], "correct": 0, "before": -1, "line": 0},
        },
    ]


@pytest.fixture(scope="module")
def chains() -> dict[str, Json]:
    taught = fact_id("T", SUBJECT, PREDICATE)
    sentences = [
        {"fact": fact, "template": str(number), "direction": "forward", "text": f"{fact} {number}"}
        for fact in (taught, "T-other")
        for number in range(6)
    ]
    sources = ChainSources(
        facts=pa.Table.from_pylist(chain_rows()),
        sentences=pa.Table.from_pylist(sentences),
        exposures={taught: 24, "T-other": 3},
        entities=pa.table({"iri": [SUBJECT, "https://example.org/FBN1", "https://example.org/P"]}),
    )
    return fact_chains(sources, [row["fact"] for row in chain_rows()])


def test_a_taught_fact_is_followed_from_triple_to_training(chains: dict[str, Json]) -> None:
    taught = fact_id("T", SUBJECT, PREDICATE)
    assert chains[taught] == {
        "triple": {
            "subject": SUBJECT,
            "predicate": PREDICATE,
            "object": "https://example.org/FBN1",
        },
        "told_before": None,
        "source": "genes.tsv",
        "line": 7,
        "sentences": [f"{taught} {number}" for number in range(SHOWN_SENTENCES)],
        "sentence_count": 6,
        "shown": 24,
    }


def test_a_reversed_fact_has_the_triple_and_the_training_of_the_fact_it_turns_round(
    chains: dict[str, Json],
) -> None:
    taught = chains[fact_id("T", SUBJECT, PREDICATE)]
    assert chains["R-1"] == taught


def test_an_edited_fact_tells_what_the_graph_said_before(chains: dict[str, Json]) -> None:
    assert chains["S-1"]["triple"]["object"] == "https://example.org/P"
    assert (chains["S-1"]["told_before"], chains["D-1"]["told_before"]) == ("FBN1", "FBN1")
    assert chains["S-1"]["shown"] is None
    assert chains["S-1"]["sentence_count"] == 0


def test_a_general_fact_has_no_triple(chains: dict[str, Json]) -> None:
    assert chains["U-1"]["triple"] is None
    assert chains["U-1"]["source"] == "genes.tsv"


def changes_in(report: Json, pool: str, arm: str) -> Counter[str]:
    """How many questions changed in which way, as the report's comparison counts them."""
    entry = next(e for e in report["comparisons"] if (e["arm"], e["pool"]) == (arm, pool))
    return Counter({change: entry[change] for change in CHANGES})


def test_gained_lost_kept_and_missed_take_turns_until_none_is_left(report: Json) -> None:
    for pool, samples in report["samples"].items():
        arms = {sample["stratum"]["arm"] for sample in samples}
        assert len(arms) == 1
        left = changes_in(report, pool, arms.pop())
        kinds = [sample["stratum"]["change"] for sample in samples]
        assert len(kinds) == min(FACTS_PER_POOL, left.total())
        wanted: list[str] = []
        while len(wanted) < len(kinds):
            wanted += [change for change in CHANGES if left[change] > 0]
            left.subtract(CHANGES)
        assert kinds == wanted[: len(kinds)]


def test_pools_are_drawn_by_the_primary_arm_or_else_by_their_first_route(
    report: Json, report_inputs: ReportInputs
) -> None:
    assert {s["stratum"]["arm"] for group in report["samples"].values() for s in group} == {"fused"}
    other = build_report(replace(report_inputs, primary=("distilled", "T")))
    arms = {pool: group[0]["stratum"]["arm"] for pool, group in other["samples"].items()}
    assert arms["T"] == "distilled"
    assert arms["S"] == "pretrained"


def test_changes_of_answers_are_the_comparisons(report: Json) -> None:
    for samples in report["samples"].values():
        for sample in samples:
            base, *others = sample["answers"]
            assert base["change"] is None
            for answer in others:
                words = {"gained": (0, 1), "lost": (1, 0), "kept": (1, 1), "missed": (0, 0)}
                assert words[answer["change"]] == (base["right"], answer["right"])


def test_the_seed_draws_and_nothing_else(report: Json, report_inputs: ReportInputs) -> None:
    def facts(found: Json) -> list[str]:
        return [sample["fact"] for group in found["samples"].values() for sample in group]

    assert facts(build_report(report_inputs)) == facts(report)
    assert facts(build_report(replace(report_inputs, seed=1))) != facts(report)


def test_without_a_base_facts_are_drawn_by_chance_alone(report_inputs: ReportInputs) -> None:
    alone = report_inputs.answers.filter(pa.compute.equal(report_inputs.answers["arm"], "fused"))
    found = build_report(replace(report_inputs, answers=alone))
    assert all(sample["stratum"] is None for group in found["samples"].values() for sample in group)
    assert all(len(group) == FACTS_PER_POOL for group in found["samples"].values())
    assert "chance alone" in render_page(found)


@pytest.mark.parametrize("text", ["a", "aorta & <é>", '"' * 240, "סינדרום " * 30])
def test_the_budget_counts_what_the_page_writes(report: Json, text: str) -> None:
    sample = report["samples"]["T"][0]
    poor = {**report, "samples": {pool: [] for pool in report["samples"]}}
    filled = {
        **sample,
        **dict.fromkeys(("question", "answer", "source", "subject"), text),
        "options": [text] * 10,
        "sentences": [text] * 4,
        "answers": [{**answer, "chosen": text, "generated": text} for answer in sample["answers"]],
    }
    rich = {**poor, "samples": {**poor["samples"], "T": [filled]}}
    grown = len(render_page(rich).encode()) - len(render_page(poor).encode())
    assert grown <= page_bytes(filled) <= 2.5 * grown


def test_long_texts_leave_room_for_fewer_facts(report_inputs: ReportInputs) -> None:
    answers = report_inputs.answers
    words = ['"' * 230 + fact for fact in answers["fact"].to_pylist()]
    place = answers.schema.get_field_index("generated")
    found = build_report(
        replace(report_inputs, answers=answers.set_column(place, "generated", pa.array(words)))
    )
    spent = {pool: sum(map(page_bytes, group)) for pool, group in found["samples"].items()}
    assert sum(spent.values()) <= SAMPLE_BYTES
    assert all(len(group) > 0 for group in found["samples"].values())
    assert min(len(group) for group in found["samples"].values()) < FACTS_PER_POOL
    shown = Counter(sample["stratum"]["change"] for sample in found["samples"]["U"])
    assert set(shown) == set(CHANGES)
