"""`infact compare`: runs paired on what both asked, whether reports or single evaluations."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from infact.errors import UserError
from infact.pipeline.cli import app
from infact.pipeline.console import Console
from infact.pipeline.evaluation.probe import Asked, evaluate
from infact.pipeline.report.answered_runs import ROWS
from infact.pipeline.report.document import report_document
from typer.testing import CliRunner

Json = dict[str, Any]
FACTS = Path(__file__).parents[3] / "data/general/facts.jsonl"


def compared(*words: str) -> Json:
    done = CliRunner().invoke(app, ["compare", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def write(folder: Path, report: Json) -> str:
    folder.mkdir()
    (folder / "report.json").write_text(report_document(report))
    return str(folder)


@pytest.fixture
def first(report: Json, tmp_path: Path) -> str:
    return write(tmp_path / "first", report)


@pytest.fixture
def better(report: Json) -> Json:
    """The same run, but that fused has three more of pool M right and one of pool U less."""
    changed = copy.deepcopy(report)
    for pool, count, right in (("M", 3, False), ("U", 1, True)):
        rows = changed["rows"][pool]
        given = rows["arms"]["fused"][0]
        places = [
            at
            for at, place in enumerate(given["chosen"])
            if (place == rows["correct"][at]) == right
        ]
        for at in places[:count]:
            given["chosen"][at] = (rows["correct"][at] + int(right)) % 10
    return changed


def test_two_reports_are_paired_question_by_question(
    first: str, better: Json, report: Json, tmp_path: Path
) -> None:
    result = compared(first, write(tmp_path / "second", better))
    found = {(one["pool"], one["arm_a"]): one for one in result["comparisons"]}
    assert {one["arm_a"] == one["arm_b"] for one in result["comparisons"]} == {True}
    assert len(found) == sum(len(arm["pools"]) for arm in report["arms"])
    memory = found["M", "fused"]
    assert (memory["gained"], memory["lost"]) == (3, 0)
    assert len(memory["gained_facts"]) <= 3
    assert memory["difference"] == pytest.approx(3 / 400, abs=5e-5)
    assert memory["low"] <= memory["difference"] <= memory["high"]
    general = found["U", "fused"]
    assert (general["gained"], general["lost"]) == (0, 1)
    assert general["lost_facts"][0].startswith("U-")
    assert found["M", "base"]["difference"] == 0
    for one in found.values():
        assert one["gained"] + one["kept"] + one["lost"] + one["missed"] == one["n"]
        assert one["holm_p"] >= one["clustered_p"]


def test_comparing_two_arms_of_a_report_repeats_its_own_comparison(
    first: str, report: Json
) -> None:
    result = compared(first, "--arm-a", "base", "--arm-b", "fused")
    for one in result["comparisons"]:
        own = next(
            entry
            for entry in report["comparisons"]
            if (entry["arm"], entry["pool"]) == ("fused", one["pool"])
        )
        for key in ("difference", "low", "high", "gained", "kept", "lost", "missed", "mcnemar_p"):
            assert one[key] == own[key]


def test_only_questions_that_both_asked_alike_are_compared(
    first: str, report: Json, tmp_path: Path
) -> None:
    second = copy.deepcopy(report)
    rows = second["rows"]["T"]
    rows["facts"][0] = "T-other"
    rows["options"][5] = 11
    result = compared(first, write(tmp_path / "second", second))
    told = next(pool for pool in result["questions"] if pool["pool"] == "T")
    assert told == {
        "pool": "T",
        "shared": 198,
        "other_options": 1,
        "only_first": 1,
        "only_second": 1,
    }
    assert {one["n"] for one in result["comparisons"] if one["pool"] == "T"} == {198}


def test_the_table_and_the_facts_are_printed(first: str, better: Json, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", first, write(tmp_path / "second", better)])
    lines = done.stdout.splitlines()
    assert "M: 400 questions in both" in lines
    row = next(line for line in lines if line.startswith("M     fused  "))
    assert "+0.8" in row
    assert any(line.startswith("U, fused: lost U-") for line in lines)


def test_many_changed_facts_are_cut_short(first: str, report: Json) -> None:
    done = CliRunner().invoke(app, ["compare", first, "--arm-a", "base", "--arm-b", "fused"])
    gained = next(line for line in done.stdout.splitlines() if ": gained T-" in line)
    assert gained.count("T-") == 10
    wins = next(e for e in report["comparisons"] if (e["arm"], e["pool"]) == ("fused", "T"))
    assert gained.endswith(f"and {wins['gained'] - 10} more")


def test_several_seeds_count_by_their_share(first: str, report: Json, tmp_path: Path) -> None:
    second = copy.deepcopy(report)
    seeds = second["rows"]["M"]["arms"]["fused"]
    wrong = [(place + 1) % 10 for place in second["rows"]["M"]["correct"]]
    seeds.append({**seeds[0], "seed": 1, "chosen": wrong})
    result = compared(first, write(tmp_path / "second", second), "--arm-a", "fused")
    one = next(one for one in result["comparisons"] if one["pool"] == "M")
    assert one["accuracy_b"] == pytest.approx(one["accuracy_a"] / 2, abs=1e-4)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """The folder of a real `infact eval`, on a few general facts."""
    folder = tmp_path_factory.mktemp("evaluated")
    facts = folder / "facts.jsonl"
    facts.write_text("".join(FACTS.read_text(encoding="utf-8").splitlines(keepends=True)[:24]))
    asked = Asked(tiny_model_folder, facts, out=folder / "out")
    evaluate(asked, Console())
    (rows,) = asked.out.glob(f"*/*/{ROWS}")
    return rows.parent


def changed_copy(folder: Path, to: Path, wrong: int) -> Path:
    """The evaluation with so many of its answers made wrong."""
    rows = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    for row in [row for row in rows if row["right"]][:wrong]:
        row["right"] = False
    to.mkdir()
    (to / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (to / "manifest.json").write_text("{}")
    return to


def test_two_evaluations_are_paired(evaluated: Path, tmp_path: Path) -> None:
    result = compared(str(evaluated), str(changed_copy(evaluated, tmp_path / "b", 2)))
    (one,) = result["comparisons"]
    assert (one["pool"], one["arm_a"], one["lost"], one["gained"]) == ("facts", "base", 2, 0)
    rows = [json.loads(line) for line in (evaluated / ROWS).read_text().splitlines()]
    assert one["n"] == len(rows)
    assert one["accuracy_a"] == pytest.approx(np.mean([row["right"] for row in rows]), abs=5e-5)
    assert set(one["lost_facts"]) <= {row["probe"] for row in rows}


def test_another_set_of_options_is_left_out(evaluated: Path, tmp_path: Path) -> None:
    other = changed_copy(evaluated, tmp_path / "b", 0)
    rows = [json.loads(line) for line in (other / ROWS).read_text().splitlines()]
    rows[0]["options"][0] += " or so"
    (other / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (told,) = compared(str(evaluated), str(other))["questions"]
    assert (told["shared"], told["other_options"]) == (len(rows) - 1, 1)


def refused(message: str, *words: str) -> UserError:
    with pytest.raises(UserError, match=message) as caught:
        CliRunner().invoke(app, ["compare", *words], catch_exceptions=False)
    return caught.value


def test_runs_without_anything_in_common_are_refused(
    first: str, report: Json, evaluated: Path, tmp_path: Path
) -> None:
    refused("no question in common", first, str(evaluated))
    second = copy.deepcopy(report)
    for rows in second["rows"].values():
        rows["arms"] = {"other": rows["arms"].get("base") or next(iter(rows["arms"].values()))}
    error = refused("no arm of the same name", first, write(tmp_path / "second", second))
    assert "B has other" in error.where
    refused("no arms fused and miracle", first, "--arm-a", "fused", "--arm-b", "miracle")
    refused("compared with itself", first, first)


def test_what_is_no_run_is_refused(first: str, evaluated: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    refused("no run in this folder", str(empty), first)
    refused("can't be read", first, str(tmp_path / "missing.json"))
    unfinished = changed_copy(evaluated, tmp_path / "u", 0)
    (unfinished / "manifest.json").unlink()
    refused("isn't finished", first, str(unfinished))
    for text, message in (
        ("{", "isn't JSON"),
        ('{"arm": "base"}', "lacks"),
        ("[1]", "lacks"),
        ("", "no answers"),
    ):
        broken = changed_copy(evaluated, tmp_path / f"b{len(text)}", 0)
        (broken / ROWS).write_text(text + "\n" if text else "")
        error = refused(message, first, str(broken))
        assert text == "" or error.where.endswith(f"{ROWS}:1")


def test_labels_from_a_file_do_not_steer_the_terminal(evaluated: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (evaluated / ROWS).read_text().splitlines()]
    for row in rows:
        row["probe"] = "\x1b[31m[red]" + row["probe"]
    for folder, right in (("a", False), ("b", True)):
        (tmp_path / folder).mkdir()
        text = "".join(json.dumps({**row, "right": right}) + "\n" for row in rows)
        (tmp_path / folder / ROWS).write_text(text)
        (tmp_path / folder / "manifest.json").write_text("{}")
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert "gained [31m[red]" in done.stdout
    assert "\x1b" not in done.stdout
