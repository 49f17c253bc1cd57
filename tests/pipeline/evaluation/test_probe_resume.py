"""A standalone evaluation that is cut off: by a kill at any moment, a full disk or Ctrl-C."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.pipeline.console import Console
from infact.pipeline.evaluation import probe_rows
from infact.pipeline.evaluation.probe import RESULT, Asked, evaluate
from infact.pipeline.evaluation.probe_rows import PROBES_AT_ONCE, ROWS

from ...command_here import command_here, full_disk
from ...conftest import COMMAND

COUNTRIES = ("Peru", "Norway", "France", "Germany", "Africa", "Europe", "Marfan")
CITIES = ["Oslo", "Lima", "Paris", "the river", "a gene"]
KILLS = 3
PATIENCE = 120  # seconds for what takes five on a quiet machine


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """Enough facts for four chunks."""
    path = tmp_path / "facts.jsonl"
    lines = [
        {
            "prompt": f"The capital of {country} in the year {year} is",
            "answer": CITIES[year % len(CITIES)],
            "options": CITIES,
            "topic": country,
        }
        for country in COUNTRIES
        for year in range(1900, 1900 + 3 * PROBES_AT_ONCE // len(COUNTRIES) + 3)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def evaluated(model: Path, facts: Path, out: Path) -> dict[str, bytes]:
    """The bytes that an evaluation ends with."""
    evaluate(Asked(model, facts, out=out), Console())
    (rows,) = out.glob(f"*/*/{ROWS}")
    return {name: (rows.parent / name).read_bytes() for name in (ROWS, RESULT)}


def words_of(model: Path, facts: Path, out: Path) -> list[str]:
    return ["eval", "--model", str(model), "--facts", str(facts), "--out", str(out)]


def start(model: Path, facts: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *words_of(model, facts, out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def wait_for_rows(run: subprocess.Popen, out: Path, size: int) -> None:
    """Until so many bytes of rows are on disk, or the run has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and run.poll() is None:
        if any(path.stat().st_size >= size for path in out.glob(f"*/*.partial/{ROWS}")):
            return
        time.sleep(0.005)


@pytest.mark.parametrize("seed", range(12))
def test_rows_cut_off_anywhere_are_made_again_to_the_byte(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, seed: int, monkeypatch
) -> None:
    monkeypatch.setattr(probe_rows, "PROBES_AT_ONCE", 3)
    facts.write_text("".join(facts.read_text().splitlines(keepends=True)[:8]))
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    (folder,) = (tmp_path / "whole" / "eval").iterdir()
    partial = tmp_path / "cut" / "eval" / f"{folder.name}.partial"
    partial.mkdir(parents=True)
    cut = random.Random(seed).randrange(len(whole[ROWS]) + 1)
    spoilt = b"" if seed % 2 else b"\0\0\0\n"
    (partial / ROWS).write_bytes(whole[ROWS][:cut] + spoilt)
    assert evaluated(tiny_model_folder, facts, tmp_path / "cut") == whole


def test_chunks_that_are_whole_are_not_asked_again(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, monkeypatch
) -> None:
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    (folder,) = (tmp_path / "whole" / "eval").iterdir()
    partial = tmp_path / "cut" / "eval" / f"{folder.name}.partial"
    partial.mkdir(parents=True)
    lines = whole[ROWS].splitlines(keepends=True)
    (partial / ROWS).write_bytes(b"".join(lines[: 2 * PROBES_AT_ONCE + 5]))
    asked: list[range] = []
    make = probe_rows._chunk_rows
    monkeypatch.setattr(
        probe_rows,
        "_chunk_rows",
        lambda asking, arm, numbers, costs: (
            asked.append(numbers) or make(asking, arm, numbers, costs)
        ),
    )
    assert evaluated(tiny_model_folder, facts, tmp_path / "cut") == whole
    assert [numbers.start for numbers in asked] == [2 * PROBES_AT_ONCE, 3 * PROBES_AT_ONCE]


def test_a_run_goes_on_with_the_costs_that_it_began_with(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, monkeypatch
) -> None:
    """Costs choose the way of scoring, which shows in the last digits."""
    costs = {"per_pass": 3.0, "per_token": 2.0, "per_pair": 1.0}
    with monkeypatch.context() as patch:
        patch.setattr(probe_rows, "_chunk_rows", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            evaluate(Asked(tiny_model_folder, facts, out=tmp_path), Console())
    (kept,) = tmp_path.glob("*/*.partial/resume/costs.json")
    kept.write_text(json.dumps(costs))
    used: list[dict] = []
    make = probe_rows._chunk_rows
    monkeypatch.setattr(
        probe_rows,
        "_chunk_rows",
        lambda asking, arm, numbers, given: (
            used.append(vars(given)) or make(asking, arm, numbers, given)
        ),
    )
    evaluate(Asked(tiny_model_folder, facts, out=tmp_path), Console())
    assert used == [costs] * 4


def power_cut(*_) -> None:
    raise RuntimeError("power cut")


def test_killed_at_random_the_results_are_the_same(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    moments = random.Random(0)
    out = tmp_path / "killed"
    for _ in range(KILLS):
        run = start(tiny_model_folder, facts, out)
        wait_for_rows(run, out, moments.randrange(len(whole[ROWS])))
        time.sleep(moments.random() / 20)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    assert evaluated(tiny_model_folder, facts, out) == whole


def test_a_full_disk_is_said_and_the_next_run_goes_on(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    out = tmp_path / "full"
    room = len(whole[ROWS]) * 2 // 3
    with full_disk(room):
        done = command_here(*words_of(tiny_model_folder, facts, out), folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    what, where, fix = done.stderr.strip().splitlines()[-3:]
    assert what == "the disk is full"
    assert str(out) in where
    assert "Free some space" in fix
    assert "--out" in fix
    (rows,) = out.glob(f"*/*.partial/{ROWS}")
    assert rows.stat().st_size == room, "the case needs a disk that holds some of the rows"
    assert evaluated(tiny_model_folder, facts, out) == whole


def test_a_disk_without_room_for_the_result_is_said_too(
    tmp_path: Path, facts: Path, tiny_model_folder: Path, monkeypatch
) -> None:
    def full(*_) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("infact.pipeline.evaluation.probe.publish", full)
        with pytest.raises(UserError, match="the disk is full") as error:
            evaluate(Asked(tiny_model_folder, facts, out=tmp_path / "full"), Console())
    assert "--out" in error.value.fix
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    assert evaluated(tiny_model_folder, facts, tmp_path / "full") == whole


def test_stopped_by_hand_it_says_so_and_goes_on(
    tmp_path: Path, facts: Path, tiny_model_folder: Path
) -> None:
    whole = evaluated(tiny_model_folder, facts, tmp_path / "whole")
    out = tmp_path / "stopped"
    run = start(tiny_model_folder, facts, out)
    wait_for_rows(run, out, 1)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate()
    assert run.returncode == 130, error
    assert "the next run resumes" in error
    assert "Traceback" not in error
    assert evaluated(tiny_model_folder, facts, out) == whole
