"""Killed, on a full disk, or with a broken model: the report comes out the same in the end."""

import json
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ..command_here import full_disk

FULL_AT = 30_000  # bytes of a file: room for the answers of an arm, and not for those of all
LIVES = (
    0,
    1,
    4,
)  # groups of arms that have been answered when a run dies: the first while it loads
MADE_AGAIN = ("eval", "report")


@pytest.fixture
def unevaluated(project: Path, finished: dict[str, Path]) -> Path:
    """A project file whose stages are all made but for eval and report."""
    file = project.with_name("again.toml")
    folder = project.parent / "again"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project.parent / "artifacts", folder)
    for stage in MADE_AGAIN:
        shutil.rmtree(folder / stage)
    text = project.read_text(encoding="utf-8").replace('"artifacts"', '"again"')
    file.write_text(text, encoding="utf-8")
    return file


def kept_answers(unevaluated: Path) -> list[Path]:
    """What an evaluation that isn't finished has on disk."""
    return list((unevaluated.parent / "again").glob("eval/*.partial/resume/answers/*.parquet"))


def read_report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    """The report less what is measured in seconds, milliseconds and bytes of memory."""
    kept = {key: value for key, value in report.items() if key not in ("verdict", "provenance")}
    kept["arms"] = [{**arm, "cost": None} for arm in report["arms"]]
    kept["verdict"] = {key: report["verdict"][key] for key in ("gained", "broke", "controls")}
    return kept


def test_killed_at_random_the_report_is_the_same(
    infact, unevaluated: Path, finished: dict[str, Path]
) -> None:
    for answered in LIVES:
        with infact.start(unevaluated, "report") as run:
            while len(kept_answers(unevaluated)) < answered and run.poll() is None:
                time.sleep(0.005)
            time.sleep(random.Random(answered).random() / 20)
            run.send_signal(signal.SIGKILL)
            run.communicate()
        assert run.returncode == -signal.SIGKILL, "it was done before it was killed"
        assert len(kept_answers(unevaluated)) >= answered
    done = infact(unevaluated, "report", "--json")
    assert done.returncode == 0, done.stderr
    again = read_report(Path(json.loads(done.stdout)["report"]))
    assert without_times(again) == without_times(read_report(finished["report"]))


def test_a_full_disk_is_said_and_what_was_answered_is_kept(
    infact, unevaluated: Path, finished: dict[str, Path]
) -> None:
    with full_disk(FULL_AT):
        full = infact(unevaluated, "eval")
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "free" in full.stderr.lower()
    kept = kept_answers(unevaluated)
    done = infact(unevaluated, "report", "--json")
    assert done.returncode == 0, done.stderr
    again = read_report(Path(json.loads(done.stdout)["report"]))
    assert without_times(again) == without_times(read_report(finished["report"]))
    assert kept, "the case needs a disk that holds some answers"


def test_a_broken_model_is_named_and_the_others_answers_are_kept(infact, unevaluated: Path) -> None:
    weights = next(
        (unevaluated.parent / "again" / "pretrain").glob("*/adapter/adapter_model.safetensors")
    )
    whole = weights.read_bytes()
    weights.write_bytes(whole[:200])
    failed = infact(unevaluated, "eval")
    assert failed.returncode == 2, failed.stderr
    assert "pretrained" in failed.stderr
    assert "distilled" not in failed.stderr
    assert str(weights.parent.name) in failed.stderr
    asked = {path.name.split("-")[0] for path in kept_answers(unevaluated)}
    assert {"base", "prompt", "distilled"} <= asked
    weights.write_bytes(whole)
    assert infact(unevaluated, "eval").returncode == 0


def test_a_further_model_that_cannot_be_loaded_is_absent_and_said(
    infact, unevaluated: Path, tiny_model_folder: Path
) -> None:
    broken = unevaluated.parent / "broken"
    shutil.copytree(tiny_model_folder, broken, dirs_exist_ok=True)
    (broken / "model.safetensors").write_bytes(b"cut off")
    text = unevaluated.read_text(encoding="utf-8")
    models = "".join(
        f'[[eval.model]]\nname = "{name}"\npath = "{path}"\n'
        for name, path in (("other", tiny_model_folder), ("broken one", broken))
    )
    unevaluated.write_text(f"{text}\n{models}", encoding="utf-8")
    done = infact(unevaluated, "report", "--json")
    assert done.returncode == 0, done.stderr
    report = read_report(Path(json.loads(done.stdout)["report"]))
    arms = {arm["name"]: arm for arm in report["arms"]}
    assert arms["other"]["pools"]["M"] == arms["base"]["pools"]["M"]
    assert [entry["arm"] for entry in report["absent"]] == ["broken one"]
