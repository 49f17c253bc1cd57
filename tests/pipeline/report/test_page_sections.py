"""Consistency, edits, slices, lists and curves against plain loops over the answers."""

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.measures.arm_roles import in_order
from infact.pipeline.measures.slice_accuracies import MOST_RELATIONS, slice_accuracies
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.tables import tables
from infact.pipeline.report.training_curves import training_curves
from infact.pipeline.report.trust import trust_sentences
from infact.pipeline.words import percent

Json = dict[str, Any]
EMPTY = ("seeds", "explained_facts", "explained_layers")  # nothing of the kind in the fixture


@pytest.fixture(scope="module")
def rows(report_inputs: ReportInputs) -> list[Json]:
    return report_inputs.answers.to_pylist()


def of(report: Json, section: str, **wanted: str) -> Json:
    return next(e for e in report[section] if all(e[k] == v for k, v in wanted.items()))


def test_consistency_is_the_share_of_pairs_with_one_choice(report: Json, rows: list[Json]) -> None:
    assert {entry["pool"] for entry in report["consistency"]} == {"M"}
    for entry in report["consistency"]:
        by_fact: dict[str, list[Json]] = defaultdict(list)
        for row in rows:
            if (row["arm"], row["pool"]) == (entry["arm"], "M"):
                by_fact[row["fact"]].append(row)
        pairs = [pair for own in by_fact.values() for pair in combinations(own, 2)]
        same = np.mean([a["chosen"] == b["chosen"] for a, b in pairs])
        both = np.mean([a["right"] and b["right"] for a, b in pairs])
        right = [[row["right"] for row in own] for own in by_fact.values()]
        assert entry["same_choice"] == pytest.approx(same, abs=5e-5)
        assert entry["low"] <= entry["same_choice"] <= entry["high"]
        assert entry["both_right"] == pytest.approx(both, abs=5e-5)
        assert entry["all_right"] == pytest.approx(np.mean([all(own) for own in right]), abs=5e-5)
        assert entry["any_right"] == pytest.approx(np.mean([any(own) for own in right]), abs=5e-5)
        assert entry["facts"] == len(by_fact) == 200


def test_phrasings_are_listed_and_their_spread_is_within_a_relation(
    report: Json, rows: list[Json]
) -> None:
    entry = of(report, "consistency", arm="fused", pool="M")
    own = [row for row in rows if (row["arm"], row["pool"]) == ("fused", "M")]
    right: dict[str, list[bool]] = defaultdict(list)
    for row in own:
        right[row["template"]].append(row["right"])
    assert entry["phrasings"] == len(right)
    for listed in entry["by_phrasing"]:
        assert listed["n"] == len(right[listed["template"]])
        assert listed["accuracy"] == pytest.approx(np.mean(right[listed["template"]]), abs=5e-5)
    spreads = [
        abs(np.mean(right[f"{relation}/test/0"]) - np.mean(right[f"{relation}/test/1"]))
        for relation in {row["relation_label"] for row in own}
    ]
    assert entry["spread"] == pytest.approx(np.mean(spreads), abs=5e-5)


def test_edits_are_followed_stayed_with_or_returned_from(report: Json, rows: list[Json]) -> None:
    facts = {row["fact"]: row for row in rows if row["arm"] == "base" and row["pool"] == "D"}
    for entry in report["edits"]:
        own = [row for row in rows if row["arm"] == entry["arm"]]
        swapped = [row for row in own if row["pool"] == "S"]
        assert entry["followed"]["share"] == pytest.approx(
            np.mean([row["right"] for row in swapped]), abs=5e-5
        )
        stayed = np.mean([row["chosen"] == (row["correct"] + 4) % 10 for row in swapped])
        assert entry["stayed"]["share"] == pytest.approx(stayed, abs=5e-5)
        if entry["arm"] == "base":
            assert entry["returned"] is None
            continue
        as_base = [r["chosen"] == facts[r["fact"]]["chosen"] for r in own if r["pool"] == "D"]
        assert entry["returned"]["share"] == pytest.approx(np.mean(as_base), abs=5e-5)
    assert [entry["arm"] for entry in report["edits"]] == [
        "base",
        "base + prompt",
        "pretrained",
        "fused",
    ]


def test_each_seed_returns_to_the_base_with_its_own_seed(report_inputs: ReportInputs) -> None:
    """Where the base has but one seed, to that."""
    answers = report_inputs.answers
    fused = [row for row in answers.to_pylist() if row["arm"] == "fused"]
    other = [{**row, "seed": 1, "chosen": row["correct"], "right": True} for row in fused]
    more = pa.concat_tables([answers, pa.Table.from_pylist(other, schema=answers.schema)])
    entry = of(build_report(replace(report_inputs, answers=more)), "edits", arm="fused")
    base = {row["fact"]: row["chosen"] for row in answers.to_pylist() if row["arm"] == "base"}
    seen = [row["chosen"] == base[row["fact"]] for row in (*fused, *other) if row["pool"] == "D"]
    assert entry["returned"]["share"] == pytest.approx(np.mean(seen), abs=5e-5)


def test_lists_have_precision_where_something_is_listed(report: Json, rows: list[Json]) -> None:
    for arm in ("base", "fused"):
        own = [
            row
            for row in rows
            if (row["arm"], row["pool"]) == (arm, "T") and row["recall"] is not None
        ]
        found = of(report, "arms", name=arm)["pools"]["T"]["generation"]["lists"]
        listed = [row["precision"] for row in own if row["precision"] is not None]
        assert len(listed) < len(own) == found["n"]
        assert found["precision"] == pytest.approx(np.mean(listed), abs=5e-5)
        assert found["recall"] == pytest.approx(np.mean([row["recall"] for row in own]), abs=5e-5)
        f1 = [
            2 * p * r / (p + r) if p and r else 0.0
            for p, r in ((row["precision"], row["recall"]) for row in own)
        ]
        assert found["f1"] == pytest.approx(np.mean(f1), abs=5e-5)


def test_free_answers_are_right_wrong_or_not_attempted(report: Json, rows: list[Json]) -> None:
    found = of(report, "arms", name="fused")["pools"]["T"]["generation"]
    outcomes = [r["outcome"] for r in rows if (r["arm"], r["pool"]) == ("fused", "T")]
    for key, outcome in (
        ("right", "right"),
        ("wrong", "wrong"),
        ("not_attempted", "not attempted"),
    ):
        assert found[key] == pytest.approx(outcomes.count(outcome) / len(outcomes), abs=5e-5)
    assert found["right"] == found["accuracy"]


def test_calibration_is_told_where_scores_are_log_probabilities(report: Json) -> None:
    for arm in report["arms"]:
        for pool, found in arm["pools"].items():
            untold = arm["name"] in {"majority object", "link prediction"} or pool == "D"
            assert (found["calibration"] is None) == untold
            if found["calibration"]:
                curve = found["calibration"]["risk_coverage"]
                assert curve[-1]["coverage"] == 1
                assert curve[-1]["risk"] == pytest.approx(1 - found["accuracy"], abs=1e-4)
                assert sum(entry["n"] for entry in found["calibration"]["bins"]) == found["n"]


def test_degrees_are_cut_into_bands_that_hold_every_known_degree(report: Json) -> None:
    values = dict.fromkeys(row["value"] for row in report["slices"] if row["by"] == "degree")
    ends = [[int(end) for end in value.split("–")] for value in values]
    assert [band[0] for band in ends] == [1, *(band[-1] + 1 for band in ends[:-1])]
    assert ends[-1][-1] == 23
    assert len(ends) == 4


def test_one_language_makes_no_slice(report_inputs: ReportInputs) -> None:
    facts = report_inputs.facts
    told = ["en" if word else "" for word in facts["language"].to_pylist()]
    place = facts.schema.get_field_index("language")
    report = build_report(
        replace(report_inputs, facts=facts.set_column(place, "language", pa.array(told)))
    )
    assert {row["by"] for row in report["slices"]} == {"relation", "degree", "knowledge"}
    assert tables(report)["languages"].rows == ()


def test_relations_beyond_the_largest_share_one_slice(report: Json) -> None:
    rows = {"U": dict(report["rows"]["U"])}
    n = len(rows["U"]["facts"])
    rows["U"]["relations"] = [min(at, 59) for at in range(n)]
    rows["U"]["relation_names"] = [f"relation {number:02}" for number in range(60)]
    found = slice_accuracies(read_rows(rows), in_order(list(rows["U"]["arms"])))
    assert len(found) == MOST_RELATIONS
    assert found[0]["value"] == "relation 59"
    assert found[-1]["value"] == f"{60 - MOST_RELATIONS + 1} other relations"
    assert sum(row["n"] for row in found) == n


def test_curves_are_read_from_the_stages_that_trained(tmp_path: Path) -> None:
    texts = {
        "pretrain": '{"losses": [2.0, 1.12345678], "tokens": 5}',
        "fuse": '{"fused": {"losses": [1.0]}, "random vectors": {"losses": [3.0]}, "places": 7}',
        "embed": '{"entities": 3}',
    }
    folders = {name: tmp_path / name for name in (*texts, "link")}
    for name, folder in folders.items():
        folder.mkdir()
        if name in texts:
            (folder / "training.json").write_text(texts[name])
    assert training_curves(folders) == {
        "pretrain": [{"name": "pretrain", "losses": [2.0, 1.123457]}],
        "fuse": [
            {"name": "fused", "losses": [1.0]},
            {"name": "random vectors", "losses": [3.0]},
        ],
    }


def test_every_table_of_the_fixture_says_something(report: Json) -> None:
    for name, table in tables(report).items():
        assert (name in EMPTY) == (table.rows == ()), name
        assert all(len(row) == len(table.head) for row in table.rows)
        assert all(cell for row in table.rows for cell in row)


def test_the_verdict_speaks_of_edits_phrasings_and_confidence(report: Json) -> None:
    text = " ".join(report["verdict"]["further"])
    edits = of(report, "edits", arm="fused")
    assert f"{edits['followed']['share'] * 100:.1f}" in text
    same = of(report, "consistency", arm="fused", pool="M")["same_choice"]
    assert f"same option in {same * 100:.1f}" in text
    error = of(report, "arms", name="fused")["pools"]["M"]["calibration"]["ece"]
    assert f"calibration error is {error * 100:.1f} points" in text


def test_consistency_of_another_pool_is_told_where_the_results_pool_has_none(report: Json) -> None:
    asked = [{**entry, "pool": "T"} for entry in report["consistency"]]
    told = " ".join(trust_sentences({**report, "consistency": asked}))
    same = of({"consistency": asked}, "consistency", arm="fused", pool="T")["same_choice"]
    assert f"in pool T fused chooses the same option in {percent(same)}" in told
    assert "phrasings" not in " ".join(trust_sentences({**report, "consistency": []}))
