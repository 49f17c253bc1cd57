"""The rows of a report: written, read again, refused where they contradict themselves."""

import copy
import json
from typing import Any

import numpy as np
import pytest
from infact.errors import UserError
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.report.report_data import ReportInputs
from infact.pipeline.report.rows import confidence, distinct_names
from scipy.special import softmax

Json = dict[str, Any]


def test_rows_are_the_answers(report: Json, report_inputs: ReportInputs) -> None:
    pools = read_rows(json.loads(json.dumps(report["rows"])))
    seen = 0
    places = {
        key: {q: n for n, q in enumerate(zip(pool.facts, pool.templates.tolist(), strict=True))}
        for key, pool in pools.items()
    }
    for row in report_inputs.answers.to_pylist():
        pool = pools[row["pool"]]
        at = places[row["pool"]][row["fact"], row["template"]]
        (given,) = pool.arms[row["arm"]]
        assert (given.chosen[at], given.right[at]) == (row["chosen"], row["right"])
        assert pool.options[at] == len(row["options"])
        letters = {"right": "r", "wrong": "w", "not attempted": "n", None: "-"}
        assert given.free[at] == letters[row["outcome"]]
        for values, name in ((given.precision, "precision"), (given.recall, "recall")):
            assert values[at] == pytest.approx(
                np.nan if row[name] is None else row[name], nan_ok=True
            )
        if row["arm"] in {"majority object", "link prediction"}:
            assert given.confidence is None
        else:
            assert given.confidence is not None
            share = softmax(row["scores"])[row["chosen"]]
            assert given.confidence[at] == pytest.approx(min(0.999, share), abs=6e-4)
        seen += 1
    assert seen == sum(len(p.facts) * len(p.arms) for p in pools.values())


def test_rows_keep_what_slices_and_edits_need(report: Json, report_inputs: ReportInputs) -> None:
    facts = {row["fact"]: row for row in report_inputs.facts.to_pylist()}
    for pool in read_rows(report["rows"]).values():
        for at, fact in enumerate(pool.facts):
            about = facts[fact]
            assert pool.degrees[at] == about["degree"]
            assert pool.languages[at] == about["language"]
            known = report_inputs.screening.get(fact, {"knowledge": ""})
            assert pool.knowledge[at] == known["knowledge"]
            assert pool.before[at] == about["before"]
            assert pool.objects[at] == len(about["object_names"])


def test_slices_tell_what_was_known_before_apart(report: Json) -> None:
    pool = read_rows(report["rows"])["T"]
    found = [row for row in report["slices"] if row["by"] == "knowledge"]
    assert [(row["pool"], row["value"]) for row in found] == [
        ("T", "known"),
        ("T", "maybe"),
        ("T", "unknown"),
    ]
    for row in found:
        own = pool.knowledge == row["value"]
        assert row["n"] == own.sum() > 0
        right = pool.right("pretrained")[own].mean()
        assert row["arms"]["pretrained"]["accuracy"] == pytest.approx(right, abs=1e-4)


def test_subjects_that_share_a_cluster_share_a_number(report: Json) -> None:
    for pool in read_rows(report["rows"]).values():
        counts = np.bincount(pool.clusters)
        assert set(counts) == {len(pool.facts) // len(counts)}


def test_confidence_is_the_softmax_even_of_very_small_scores() -> None:
    scores = [-900.0, -901.5, -1200.0]
    assert confidence(scores, 1) == pytest.approx(softmax(scores)[1])


def test_names_that_read_alike_are_numbered() -> None:
    found = distinct_names(["x" * 300, "x" * 400, "y"])
    assert len(set(found.values())) == 3


FAULTS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("clusters",), [1], "one number for each"),
    (("facts",), "all", "list of names"),
    (("correct", 3), 99, "isn't among the options"),
    (("before", 0), -2, "too small"),
    (("options", 0), 0, "too small"),
    (("degrees", 0), 1.5, "whole numbers"),
    (("degrees", 0), True, "whole numbers"),
    (("templates", 2), 9, "no such number"),
    (("language_names",), None, "list of words"),
    (("arms",), {}, "no arm"),
    (("arms", "fused"), [], "list by seed"),
    (("arms", "fused", 0, "seed"), "0", "whole number"),
    (("arms", "fused", 0, "chosen", 5), 10, "isn't among the options"),
    (("arms", "fused", 0, "chosen", 5), -1, "too small"),
    (("arms", "fused", 0, "confidence"), "97", "3 digits"),
    (("arms", "fused", 0, "free"), "r", "one letter"),
    (("arms", "fused", 0, "precision"), [[0, 1.5]], "isn't a share"),
    (("arms", "fused", 0, "recall"), [[4000, 0.5]], "no such question"),
    (("arms", "fused", 0, "recall"), [[0]], "list of question and value"),
    (("arms", "fused", 0, "recall"), [[0, float("nan")]], "isn't a share"),
]


@pytest.mark.parametrize(("place", "value", "message"), FAULTS)
def test_rows_that_contradict_themselves_are_refused(
    report: Json, place: tuple[Any, ...], value: Any, message: str
) -> None:
    rows = copy.deepcopy(report["rows"])
    target = rows["M"]
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    with pytest.raises(UserError, match=message) as caught:
        read_rows(rows)
    assert caught.value.where.startswith("rows / M")


def test_letters_where_digits_should_be_are_refused(report: Json) -> None:
    rows = copy.deepcopy(report["rows"])
    given = rows["M"]["arms"]["fused"][0]
    given["confidence"] = "²" + given["confidence"][1:]
    with pytest.raises(UserError, match="other than digits"):
        read_rows(rows)


def test_a_question_or_a_seed_twice_is_refused(report: Json) -> None:
    rows = copy.deepcopy(report["rows"])
    rows["T"]["arms"]["fused"] *= 2
    with pytest.raises(UserError, match="seed stands there twice"):
        read_rows(rows)
    rows = copy.deepcopy(report["rows"])
    rows["T"]["facts"][1], rows["T"]["templates"][1] = (
        rows["T"]["facts"][0],
        rows["T"]["templates"][0],
    )
    with pytest.raises(UserError, match="question stands there twice"):
        read_rows(rows)


@pytest.mark.parametrize("rows", [None, {}, [], "rows"])
def test_no_rows_are_refused(rows: Any) -> None:
    with pytest.raises(UserError, match="no rows"):
        read_rows(rows)
