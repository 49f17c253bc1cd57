"""The report's numbers against plain recounts, and the mistakes it refuses."""

import json
from collections import defaultdict
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from infact.errors import UserError
from infact.pipeline import pages
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.targets import Target, check_targets

Json = dict[str, Any]


Answered = dict[tuple[str, str], dict[tuple[str, str], Json]]


@pytest.fixture(scope="module")
def answered(report_inputs: ReportInputs) -> Answered:
    """The rows by arm and pool, then by fact and phrasing."""
    found: Answered = defaultdict(dict)
    for row in report_inputs.answers.to_pylist():
        found[row["arm"], row["pool"]][row["fact"], row["template"]] = row
    return found


def arm_of(report: Json, name: str) -> Json:
    return next(arm for arm in report["arms"] if arm["name"] == name)


def without(inputs: ReportInputs, **values: str) -> ReportInputs:
    """The inputs without the answers that have all these values."""
    masks = [pc.equal(inputs.answers[column], value) for column, value in values.items()]
    dropped = masks[0]
    for mask in masks[1:]:
        dropped = pc.and_(dropped, mask)
    return replace(inputs, answers=inputs.answers.filter(pc.invert(dropped)))


def test_accuracy_is_the_share_of_right_answers(report: Json, answered: Answered) -> None:
    for arm in report["arms"]:
        for pool, found in arm["pools"].items():
            rows = answered[arm["name"], pool].values()
            right = [row["right"] for row in rows]
            assert found["n"] == len(right)
            assert found["accuracy"] == pytest.approx(sum(right) / len(right), abs=5e-5)
            assert found["low"] <= found["accuracy"] <= found["high"]


def test_free_answers_are_counted_where_they_were_asked(report: Json, answered: Answered) -> None:
    found = arm_of(report, "fused")["pools"]
    assert found["U"]["generation"] is None
    rows = list(answered["fused", "T"].values())
    free = found["T"]["generation"]
    assert free["accuracy"] == pytest.approx(
        np.mean([r["generated_right"] for r in rows]), abs=5e-5
    )
    differ = [row["generated_right"] != row["right"] for row in rows]
    assert free["disagreement"] == pytest.approx(np.mean(differ), abs=5e-5)


def test_comparisons_pair_question_by_question(report: Json, answered: Answered) -> None:
    for entry in report["comparisons"]:
        before = answered["base", entry["pool"]]
        after = answered[entry["arm"], entry["pool"]]
        pairs = [(before[asked]["right"], after[asked]["right"]) for asked in before]
        assert entry["gained"] == pairs.count((False, True))
        assert entry["lost"] == pairs.count((True, False))
        assert entry["kept"] == pairs.count((True, True))
        assert entry["missed"] == pairs.count((False, False))
        assert entry["holm_p"] >= entry["clustered_p"]
        assert entry["arm"] != "base again"


def test_arms_stand_in_the_order_of_the_experiment(report: Json) -> None:
    names = [arm["name"] for arm in report["arms"]]
    assert names[:3] == ["base", "base + prompt", "pretrained"]
    assert names[-2:] == ["link prediction", "majority object"]
    assert list(arm_of(report, "link prediction")["pools"]) == ["I"]
    assert [pool["pool"] for pool in report["pools"]] == list("TMISDU")


def test_a_control_has_a_share_of_the_real_gain(report: Json) -> None:
    shuffled = next(entry for entry in report["controls"] if entry["control"] == "shuffled graph")
    assert (shuffled["arm"], shuffled["pool"]) == ("fused", "M")
    accuracy = {
        name: arm_of(report, name)["pools"]["M"]["accuracy"]
        for name in ("base", "fused", "shuffled graph")
    }
    share = (accuracy["shuffled graph"] - accuracy["base"]) / (accuracy["fused"] - accuracy["base"])
    assert shuffled["share"] == pytest.approx(share, abs=2e-4)
    assert shuffled["beyond_chance"]


def test_slices_add_up_to_the_pool(report: Json) -> None:
    for pool in report["pools"]:
        for by in ("relation", "degree", "language"):
            rows = [r for r in report["slices"] if (r["pool"], r["by"]) == (pool["pool"], by)]
            if by == "degree" and pool["pool"] == "U":  # no graph tells a degree there
                assert rows == []
                continue
            assert sum(row["n"] for row in rows) == pool["questions"]
            right = sum(row["n"] * row["arms"]["base"]["accuracy"] for row in rows)
            whole = arm_of(report, "base")["pools"][pool["pool"]]["accuracy"]
            assert right / pool["questions"] == pytest.approx(whole, abs=2e-4)


def test_samples_show_every_arm_with_source_and_line(report: Json) -> None:
    for pool, samples in report["samples"].items():
        answered = [arm["name"] for arm in report["arms"] if pool in arm["pools"]]
        for sample in samples:
            assert [answer["arm"] for answer in sample["answers"]] == answered
            assert sample["source"].endswith("hp.obo")
            assert sample["line"] >= 1200
            for answer in sample["answers"]:
                assert (answer["chosen"] == sample["answer"]) == answer["right"]


def test_labels_hold_no_control_or_bidirectional_characters(report: Json) -> None:
    text = json.dumps(report, ensure_ascii=False)
    assert not set(text) & set("\u202e\u202c\u2066\u2069\x00\x1b\x07")
    assert "متلازمة" in text or "תסמונת" in text or "Disease" in text


def test_same_inputs_give_the_same_report(report: Json, report_inputs: ReportInputs) -> None:
    order = np.random.default_rng(0).permutation(report_inputs.answers.num_rows)
    shuffled = replace(report_inputs, answers=report_inputs.answers.take(order))
    assert build_report(shuffled) == report


def test_the_verdict_is_written_from_the_numbers(report: Json) -> None:
    verdict = report["verdict"]
    accuracy = arm_of(report, "fused")["pools"]["M"]["accuracy"]
    assert f"{accuracy * 100:.1f}" in verdict["headline"]
    assert "beyond every control" in verdict["headline"]
    assert report["seed_words"] == "one seed"


def test_the_smallest_detectable_difference_stands_beside_the_result(report: Json) -> None:
    main = next(
        entry for entry in report["comparisons"] if (entry["arm"], entry["pool"]) == ("fused", "M")
    )
    assert f"a difference of {main['detectable'] * 100:.1f} points" in report["verdict"]["headline"]


def with_columns(inputs: ReportInputs, **columns: list[Any]) -> ReportInputs:
    """The inputs with other columns in the answers."""
    answers = inputs.answers
    for name, values in columns.items():
        field = answers.schema.field(name)
        place = answers.schema.get_field_index(name)
        answers = answers.set_column(place, field, pa.array(values, field.type))
    return replace(inputs, answers=answers)


def test_a_gain_that_a_control_reaches_is_not_praised(
    report_inputs: ReportInputs, answered: Answered
) -> None:
    real = answered["fused", "M"]
    given = [
        real[row["fact"], row["template"]] if row["arm"] == "random vectors" else row
        for row in report_inputs.answers.to_pylist()
    ]
    columns = {name: [row[name] for row in given] for name in ("chosen", "right")}
    verdict = build_report(with_columns(report_inputs, **columns))["verdict"]
    assert "A control comes too near: it reaches 100.0" in verdict["headline"]


def test_seeds_are_averaged_and_their_spread_told(
    report: Json, report_inputs: ReportInputs
) -> None:
    rows = report_inputs.answers.to_pylist()
    wrong = with_columns(
        report_inputs,
        right=[False] * len(rows),
        chosen=[(row["correct"] + 1) % 10 for row in rows],
        seed=[1] * len(rows),
    )
    answers = pa.concat_tables([report_inputs.answers, wrong.answers])
    both = build_report(replace(report_inputs, answers=answers))
    assert both["seed_words"] == "2 seeds"
    assert not any("luck of training" in sentence for sentence in both["limitations"])
    for arm, alone in zip(both["arms"], report["arms"], strict=True):
        for pool, found in arm["pools"].items():
            accuracy = alone["pools"][pool]["accuracy"]
            assert found["accuracy"] == pytest.approx(accuracy / 2, abs=1e-4)
            assert found["seed_deviation"] == pytest.approx(accuracy / 2**0.5, abs=1e-4)
            assert 0 <= found["seed_variance"]["share"] <= 1
            assert alone["pools"][pool]["seed_variance"] is None


def test_a_base_that_answers_otherwise_when_asked_again_is_a_warning(
    report: Json, report_inputs: ReportInputs
) -> None:
    assert {entry["changed"] for entry in report["repeat"]} == {0}
    assert any("same answer to all" in sentence for sentence in report["verdict"]["further"])
    rows = report_inputs.answers.to_pylist()
    at = next(n for n, row in enumerate(rows) if row["arm"] == "base again" and row["right"])
    columns = {name: [row[name] for row in rows] for name in ("chosen", "right")}
    columns["chosen"][at], columns["right"][at] = (rows[at]["correct"] + 1) % 10, False
    changed = build_report(with_columns(report_inputs, **columns))
    assert sum(entry["changed"] for entry in changed["repeat"]) == 1
    assert "Warning: asked a second time" in changed["verdict"]["headline"]
    assert "1 of 920 questions" in changed["verdict"]["warnings"][0]


def test_an_absent_arm_is_named_with_its_reason(report: Json) -> None:
    assert report["absent"] == [{"arm": "soft prompt", "why": "its weights lack a prompt encoder"}]
    assert "Soft prompt is absent" in report["verdict"]["headline"]


def test_the_declared_digest_changes_with_what_was_declared(
    report: Json, report_inputs: ReportInputs
) -> None:
    document = {
        "arm": "fused",
        "pool": "M",
        "base": "base",
        "measure": "accuracy",
        "targets": [vars(target) for target in report_inputs.targets],
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert report["primary"]["declared"] == sha256(text.encode()).hexdigest()[:16]
    looser = replace(report_inputs, targets=report_inputs.targets[1:])
    assert build_report(looser)["primary"]["declared"] != report["primary"]["declared"]


def test_arms_whose_names_read_alike_stay_apart(report_inputs: ReportInputs) -> None:
    names = [
        "base\u200b" if name == "pretrained" else name
        for name in report_inputs.answers["arm"].to_pylist()
    ]
    arms = [arm["name"] for arm in build_report(with_columns(report_inputs, arm=names))["arms"]]
    assert "base" in arms
    assert "base (2)" in arms


def test_a_row_that_contradicts_itself_is_refused(report_inputs: ReportInputs) -> None:
    rows = report_inputs.answers.to_pylist()
    right = [row["right"] for row in rows]
    right[7] = not right[7]
    with pytest.raises(UserError, match="contradicts") as caught:
        build_report(with_columns(report_inputs, right=right))
    assert "row 7" in caught.value.where


def test_phrasings_of_a_fact_with_different_options_are_refused(
    report_inputs: ReportInputs,
) -> None:
    options = [
        list(reversed(row["options"])) if row["template"].endswith("/1") else row["options"]
        for row in report_inputs.answers.to_pylist()
    ]
    with pytest.raises(UserError, match="phrasings have different options"):
        build_report(with_columns(report_inputs, options=options))


def test_the_report_keeps_to_its_published_schema(report: Json) -> None:
    path = Path(pages.__file__).with_name("report.schema.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert [error.json_path for error in validator.iter_errors(report)] == []
    assert set(report) | {"files"} == set(schema["properties"])
    broken = {**report, "confidence": 0.5, "absent": [{"arm": "x"}]}
    found = {error.json_path for error in validator.iter_errors(broken)}
    assert found == {"$.confidence", "$.absent[0]"}


def test_an_arm_that_skipped_a_fact_is_refused(report_inputs: ReportInputs) -> None:
    fact = report_inputs.facts["fact"][3].as_py()
    with pytest.raises(UserError, match="different facts") as caught:
        build_report(without(report_inputs, arm="pretrained", fact=fact))
    assert fact in caught.value.where
    assert "pretrained" in caught.value.where


def test_an_arm_that_answered_a_fact_more_is_refused(report_inputs: ReportInputs) -> None:
    fact = report_inputs.facts["fact"][3].as_py()
    with pytest.raises(UserError, match="different facts"):
        build_report(without(report_inputs, arm="base", fact=fact))


def test_an_answer_to_an_unknown_fact_is_refused(report_inputs: ReportInputs) -> None:
    facts = report_inputs.facts.slice(1)
    with pytest.raises(UserError, match="isn't among the facts") as caught:
        build_report(replace(report_inputs, facts=facts))
    assert report_inputs.facts["fact"][0].as_py() in caught.value.where


def test_an_arm_that_answered_twice_is_refused(report_inputs: ReportInputs) -> None:
    answers = pa.concat_tables([report_inputs.answers, report_inputs.answers.slice(5, 1)])
    with pytest.raises(UserError, match="twice"):
        build_report(replace(report_inputs, answers=answers))


def test_arms_with_different_options_are_refused(report_inputs: ReportInputs) -> None:
    rows = report_inputs.answers.to_pylist()
    rows[-1]["options"] = list(reversed(rows[-1]["options"]))
    with pytest.raises(UserError, match="different options"):
        build_report(replace(report_inputs, answers=pa.Table.from_pylist(rows)))


def test_no_answers_are_refused(report_inputs: ReportInputs) -> None:
    with pytest.raises(UserError, match="no answers"):
        build_report(replace(report_inputs, answers=report_inputs.answers.slice(0, 0)))


def test_a_whole_pool_or_arm_may_be_absent(report_inputs: ReportInputs) -> None:
    report = build_report(without(without(report_inputs, pool="U"), arm="random vectors"))
    assert [pool["pool"] for pool in report["pools"]] == list("TMISD")
    assert "general facts weren't asked" in report["verdict"]["broke"]["unit"]
    assert (
        "no control"
        in build_report(without(report_inputs, pool="M"))["verdict"]["controls"]["unit"]
    )
    no_base = build_report(without(report_inputs, arm="base"))
    assert no_base["comparisons"] == []


def test_targets_are_met_missed_or_not_measured(report: Json) -> None:
    gain = arm_of(report, "fused")["pools"]["M"]["accuracy"]
    gain = round(gain - arm_of(report, "base")["pools"]["M"]["accuracy"], 4)
    checks = check_targets(
        report,
        (
            Target("fused", "gain", pool="M", at_least=gain),
            Target("fused", "gain", pool="M", at_most=gain - 0.001),
            Target("nobody", "gain", pool="M", at_least=0.0),
            Target("pretrained", "perplexity ratio", at_most=1.02),
            Target("fused", "latency ratio", at_most=1.05),
            Target("fused", "followed", at_least=0.5),
            Target("fused", "returned", pool="D", at_least=0.99),
            Target("fused", "consistency", pool="T", at_least=0.5),
        ),
    )
    assert [check["met"] for check in checks[:5]] == [True, False, None, True, False]
    assert [check["met"] for check in checks[5:]] == [True, False, None]
    assert [check["value"] for check in checks[:5]] == [
        gain,
        gain,
        None,
        1.014,
        pytest.approx(45 / 42, abs=1e-4),
    ]


def test_the_report_is_plain_json(report: Json) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
