"""`infact verify`: what follows from the rows passes, what was changed by hand is named."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from infact.errors import UserError
from infact.pipeline.artifacts import file_digest
from infact.pipeline.cli import app
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.report.answers_csv import ANSWERS_CSV, answers_csv
from infact.pipeline.report.document import read_report, report_document
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.verify import differences
from typer.testing import CliRunner

from ..conftest import make_inputs

Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("_no_garbage_collection")


def arm(report: Json, name: str) -> Json:
    return next(entry for entry in report["arms"] if entry["name"] == name)


def entry(report: Json, section: str, **wanted: str) -> Json:
    return next(e for e in report[section] if all(e[k] == v for k, v in wanted.items()))


def found_in(report: Json) -> list[str]:
    return [str(difference) for difference in differences(report, read_rows(report["rows"]))]


def test_a_report_as_it_was_written_follows(report: Json) -> None:
    assert found_in(json.loads(report_document(report))) == []


def test_several_seeds_follow_too() -> None:
    report = build_report(make_inputs(seeds=(0, 1, 2)))
    assert found_in(json.loads(report_document(report))) == []
    shares = [e["seed_variance"]["share"] for a in report["arms"] for e in a["pools"].values()]
    assert max(shares) > 0.2
    assert any("from seed to seed" in sentence for sentence in report["verdict"]["further"])


def _set(*path: Any, value: Any) -> Callable[[Json], None]:
    def change(report: Json) -> None:
        target: Any = report
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


def _accuracy(report: Json) -> None:
    arm(report, "fused")["pools"]["M"]["accuracy"] = 0.99


def _lost(report: Json) -> None:
    entry(report, "comparisons", arm="pretrained", pool="U")["lost"] = 0


def _p_value(report: Json) -> None:
    entry(report, "comparisons", arm="pretrained", pool="U")["holm_p"] = 0.00001


def _called(report: Json) -> None:
    entry(report, "controls", arm="fused", control="shuffled graph")["beyond_chance"] = False


def _share(report: Json) -> None:
    entry(report, "controls", arm="fused", control="majority object")["share"] = 0.01


def _met(report: Json) -> None:
    entry(report, "checks", measure="consistency")["met"] = True


def _bound(report: Json) -> None:
    entry(report, "checks", measure="gain")["at_least"] = 0.1


def _followed(report: Json) -> None:
    entry(report, "edits", arm="fused")["followed"]["share"] = 1.0


def _calibrated(report: Json) -> None:
    arm(report, "fused")["pools"]["T"]["calibration"]["ece"] = 0.0


def _bin(report: Json) -> None:
    arm(report, "fused")["pools"]["T"]["calibration"]["bins"][2]["n"] += 1


def _consistent(report: Json) -> None:
    entry(report, "consistency", arm="base")["same_choice"] = 1.0


def _slice(report: Json) -> None:
    entry(report, "slices", by="language", value="de", pool="M")["arms"]["base"]["high"] = 1.0


def _extra_arm(report: Json) -> None:
    report["arms"].append({**arm(report, "fused"), "name": "miracle"})


def _no_arm(report: Json) -> None:
    report["arms"].remove(arm(report, "random vectors"))


def _order(report: Json) -> None:
    report["arms"].reverse()


def _no_section(report: Json) -> None:
    del report["edits"]


def _headline(report: Json) -> None:
    report["verdict"]["headline"] = report["verdict"]["headline"].replace("90", "99")


def _sentence(report: Json) -> None:
    report["verdict"]["broke"]["sentences"][0] = "Nothing was lost."


def _warning(report: Json) -> None:
    report["absent"] = []


def _sample(report: Json) -> None:
    answer = report["samples"]["T"][0]["answers"][0]
    answer["right"] = not answer["right"]


CHANGES: list[tuple[Callable[[Json], None], str]] = [
    (_accuracy, "arms / fused / M / accuracy: report says 0.99, rows give 0.9025"),
    (_lost, "comparisons / pretrained / U / lost: report says 0, rows give"),
    (_p_value, "comparisons / pretrained / U / holm_p: report says 1e-05"),
    (_called, "controls / shuffled graph / fused / M / beyond_chance: report says False"),
    (_share, "controls / majority object / fused / M / share: report says 0.01"),
    (_met, "checks / fused / consistency / M / base / met: report says True, rows give False"),
    (_bound, "primary / declared: report says"),
    (_followed, "edits / fused / followed / share: report says 1.0"),
    (_calibrated, "arms / fused / T / calibration / ece: report says 0.0"),
    (_bin, "arms / fused / T / calibration / bins / number 3 / n: report says"),
    (_consistent, "consistency / base / M / same_choice: report says 1.0"),
    (_slice, "slices / language / de / M / arms / base / high: report says 1.0"),
    (_extra_arm, "arms / miracle: report says 6 entries, rows give nothing"),
    (_no_arm, "arms / random vectors: report says nothing, rows give 6 entries"),
    (_order, "arms: report says the order"),
    (_no_section, "edits: report says nothing"),
    (_headline, "verdict / headline: report says Fused answers 99.2"),
    (_sentence, "verdict / broke / sentences / number 1: report says Nothing was lost."),
    (_warning, "verdict / headline: report says"),
    (_sample, "samples / T / T-"),
    (_set("confidence", value=0.99), "confidence: report says 0.99, rows give 0.95"),
    (_set("seed_words", value="9 seeds"), "seed_words: report says 9 seeds, rows give one seed"),
    (_set("limitations", value=[]), "limitations / number 1: report says nothing"),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_what_was_changed_by_hand_is_named(
    report: Json, change: Callable[[Json], None], expected: str
) -> None:
    changed = copy.deepcopy(report)
    change(changed)
    found = found_in(changed)
    assert any(line.startswith(expected) for line in found), found


def test_one_number_changed_is_one_line(report: Json) -> None:
    changed = copy.deepcopy(report)
    _lost(changed)
    assert len(found_in(changed)) == 1


def test_a_flipped_answer_shows_in_all_that_is_made_from_it(report: Json) -> None:
    changed = copy.deepcopy(report)
    rows = changed["rows"]["M"]
    given = rows["arms"]["fused"][0]
    at = next(n for n, place in enumerate(given["chosen"]) if place != rows["correct"][n])
    given["chosen"][at] = rows["correct"][at]
    found = found_in(changed)
    assert any(line.startswith("arms / fused / M / accuracy") for line in found)
    assert any(line.startswith("comparisons / fused / M / gained") for line in found)
    assert any(line.startswith("verdict / headline") for line in found)


@pytest.fixture
def folder(report: Json, report_inputs: ReportInputs, tmp_path: Path) -> Path:
    (tmp_path / ANSWERS_CSV).write_text(answers_csv(report_inputs.answers, report_inputs.facts))
    files = {ANSWERS_CSV: file_digest(tmp_path / ANSWERS_CSV)}
    (tmp_path / "report.json").write_text(report_document({**report, "files": files}))
    return tmp_path


def test_the_command_says_that_all_follows(folder: Path) -> None:
    done = CliRunner().invoke(app, ["verify", str(folder)])
    assert (done.exit_code, done.stdout) == (0, "every number follows from 8,360 answers\n")


def test_the_command_names_differences_and_fails(folder: Path) -> None:
    report = read_report(folder / "report.json")
    _accuracy(report)
    (folder / "report.json").write_text(report_document(report))
    with (folder / ANSWERS_CSV).open("a") as file:
        file.write("one more\n")
    done = CliRunner().invoke(app, ["verify", str(folder / "report.json"), "--json"])
    assert done.exit_code == 1
    result = json.loads(done.stdout)
    assert not result["follows"]
    assert [one["where"] for one in result["differences"]] == [
        "arms / fused / M / accuracy",
        "answers.csv / sha256",
    ]
    assert "2 entries don't follow" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "isn't JSON"),
        ("\ufeff", "isn't JSON"),
        ("[" * 100_000, "isn't JSON"),
        ("[]", "isn't a report"),
        ('{"format": "infact report 1"}', "infact report 1"),
        ('{"format": "infact report 3"}', "no rows"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        CliRunner().invoke(app, ["verify", str(path)], catch_exceptions=False)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read"):
        CliRunner().invoke(app, ["verify", str(tmp_path)], catch_exceptions=False)
    (tmp_path / "report.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="isn't JSON"):
        CliRunner().invoke(app, ["verify", str(tmp_path)], catch_exceptions=False)


@pytest.mark.parametrize(
    "change",
    [
        _set("primary", value=None),
        _set("checks", 0, "at_least", value="much"),
        _set("arms", 0, "cost", value={"train_seconds": "long"}),
        _set("arms", 0, "perplexity", value={}),
        _set("provenance", "seed", value="x"),
        _set("samples", "T", value=[1]),
        _set("absent", value=[{}]),
    ],
)
def test_declarations_of_another_kind_are_refused_in_words(
    report: Json, change: Callable[[Json], None]
) -> None:
    changed = copy.deepcopy(report)
    change(changed)
    with pytest.raises(UserError, match="can't be read"):
        found_in(changed)
