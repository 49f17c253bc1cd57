"""One run by several processes: the same artifacts, one voice, and an end for all when one ends."""

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.models.process_team import ConnectionLostError, Word
from infact.pipeline.artifacts import read_manifest
from infact.pipeline.console import Console
from infact.pipeline.following import follow
from infact.pipeline.project import load_project
from infact.pipeline.run import run_stages
from infact.pipeline.several_processes import ONLY_ONE
from infact.pipeline.stages import StageContext
from safetensors import safe_open
from safetensors.torch import load_file

from ..conftest import COMMAND
from ..launched_processes import LONGEST_SECONDS, free_port, launched

LAUNCH = [
    *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
    *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
]


def test_accelerate_launch_pretrains_as_one_process_does(
    tiny_countries: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Also with a batch of the epoch's end that has fewer texts than there are processes."""
    (tmp_path / "one").mkdir()
    file = tiny_countries(tmp_path / "one")
    text = file.read_text(encoding="utf-8")
    short = text.replace(
        "epochs = 2\nbatch_size = 8\nmax_tokens", "epochs = 1\nbatch_size = 7\nmax_tokens"
    )
    assert short != text
    file.write_text(short, encoding="utf-8")
    alone = run_stages(load_project(file), ["pretrain"], Console())["pretrain"]
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    there = tmp_path / "two" / alone.relative_to(tmp_path / "one")
    shutil.rmtree(there)
    port = ["--main_process_port", str(free_port()), "-m", "infact"]
    done = subprocess.run(
        [*LAUNCH, *port, "pretrain", "-c", str(tmp_path / "two" / file.name)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line.split()[:2] for line in done.stdout.splitlines()]
    assert said.count(["pretrain", "run"]) == said.count(["base", "kept"]) == 1
    assert "training is shared by 2 processes" in done.stdout
    assert {path.name for path in there.parent.iterdir()} == {
        there.name
    }  # neither partial nor lock
    assert read_manifest(there) is not None
    for name in ("exposures.json", "screening.json"):
        assert (there / name).read_bytes() == (alone / name).read_bytes()
    records = [json.loads((each / "training.json").read_text()) for each in (there, alone)]
    for record in records:
        record["losses"] = [round(loss, 4) for loss in record["losses"]]
    assert records[0] == records[1]
    adapter = "adapter/adapter_model.safetensors"
    found, expected = load_file(there / adapter), load_file(alone / adapter)
    assert found.keys() == expected.keys()
    assert max(value.abs().max() for value in expected.values()) > 0.01
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=0, msg=name)


# A command with one stage that trains, in which something goes wrong.
TOY = """
    import itertools, os, signal, sys

    import torch
    from infact.errors import UserError
    from infact.models.training import Curriculum, TrainingSettings, train
    from infact.pipeline import cli, command_options, embed_command
    from infact.pipeline.console import Console
    from infact.pipeline.run import run_stages
    from infact.pipeline.stages import Stage
    from torch import nn
    from torch.nn import functional

    WRONG = (os.environ.get("WRONG"), os.environ.get("RANK", "0"))

    def toy(context):
        context.console.line("said by a stage")
        print("and by a library", file=sys.stderr)
        model, steps = nn.Linear(4, 1), itertools.count(1)
        nn.init.constant_(model.weight, 0.1)
        nn.init.constant_(model.bias, 0.0)

        def loss(model, rows):
            step = next(steps)
            if step == 5 and WRONG == ("killed", "0"):
                os.kill(os.getpid(), signal.SIGKILL)
            if step == 5 and WRONG == ("other mistake", "1"):
                raise UserError("a mistake", "somewhere", "Mend it.")
            value = functional.mse_loss(model(rows)[:, 0], rows.sum(1), reduction="sum") / 8
            return value * torch.nan if step == 5 and WRONG == ("diverging", "0") else value

        train(
            model,
            Curriculum(
                lambda number: torch.ones(6, 8, 4).cumsum(1).unbind(),
                len,
                lambda rows, number, count: rows[number::count],
            ),
            loss,
            TrainingSettings(1e-1, epochs=2, checkpoint_steps=2),
            context.checkpoint("toy"),
            lambda count: None,
            context.team,
        )
        (context.work / "weights.txt").write_text(" ".join(map(str, model.weight[0].tolist())))

    def run_targets(targets, config, json):
        stage = Stage("embed", "", 1, "__main__:toy", resumable=True, shared=lambda project: True)
        project = command_options.load_chosen_project(config)
        run_stages(project, targets, Console(json), (stage,))

    if __name__ == "__main__":
        embed_command.run_targets = run_targets
        cli.main()
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with it and a project."""
    (tmp_path / "graph.ttl").touch()
    (tmp_path / "infact.toml").write_text('[[source]]\npath = "graph.ttl"\n')
    (tmp_path / "toy.py").write_text(textwrap.dedent(TOY))
    return tmp_path


def run_toy(
    toy: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> list[subprocess.CompletedProcess[str]]:
    monkeypatch.setenv("WRONG", wrong)
    return launched([sys.executable, "toy.py", "embed"], 2, toy)


def test_a_mistake_within_training_is_told_once_and_ends_all(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for the next weights then."""
    main, other = run_toy(toy, monkeypatch, "diverging")
    assert main.returncode == 2
    assert "Traceback" not in main.stderr
    assert main.stderr.count("Training diverged") == 1
    assert main.stdout.count("said by a stage") == 1
    assert (other.returncode, other.stdout, other.stderr) == (0, "", "")


def test_a_mistake_that_another_process_alone_comes_upon_ends_all(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, other = run_toy(toy, monkeypatch, "other mistake")
    assert (main.returncode, other.returncode) == (2, 2)
    assert other.stderr.splitlines() == ["a mistake", "somewhere", "Mend it."]
    assert "another process of this run has ended" in main.stderr


def test_when_the_main_process_is_killed_the_others_end_and_one_alone_resumes(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, other = run_toy(toy, monkeypatch, "killed")
    assert main.returncode == -signal.SIGKILL
    assert (other.returncode, other.stdout, other.stderr) == (0, "", "")
    (work,) = toy.glob("artifacts/embed/*.partial")
    with safe_open(work / "resume" / "toy.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["progress"])["steps"] == 4
    monkeypatch.setenv("WRONG", "")
    train = runpy.run_path(str(toy / "toy.py"))["toy"]
    project = load_project(toy / "infact.toml")
    for folder in (work, toy):  # resumed, and unbroken
        train(StageContext(project, folder, {}, 0, Console()))
    resumed, unbroken = (np.loadtxt(folder / "weights.txt") for folder in (work, toy))
    assert abs(unbroken - 0.1).max() > 0.01
    np.testing.assert_allclose(resumed, unbroken, atol=1e-6)


@dataclass
class ToldTeam:
    """A follower that hears these words, and then that the main process has ended."""

    words: list[Word]

    def hear(self) -> Word:
        if not self.words:
            raise ConnectionLostError
        return self.words.pop(0)


def mistaken(context: StageContext) -> None:
    context.console.line("said by a stage")
    (context.work / "kept").touch()
    raise UserError("a mistake", str(context.work))


def test_a_mistake_that_all_come_upon_before_training_is_told_by_the_main_process(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    stage = {
        "stage": [__name__, "mistaken"],
        "project": [str(toy / "infact.toml"), str(toy / "artifacts")],
        "inputs": {},
        "seed": 0,
        "files": {},
    }
    follow(ToldTeam([stage]))  # type: ignore[arg-type]
    # The main process goes on to train: it has met no mistake.
    with pytest.raises(UserError, match="a mistake") as caught:
        follow(ToldTeam([stage, {"training": ""}]))  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")
    assert not Path(caught.value.where).exists()
    assert not (toy / "artifacts").exists()


def test_one_process_where_more_were_wanted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`accelerate launch --cpu --num_processes 2` leaves an address to meet at, and starts one."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_PORT", "29500")
    done = subprocess.run([*COMMAND, "init"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ONLY_ONE + "\n"
    monkeypatch.delenv("MASTER_PORT")
    again = subprocess.run([*COMMAND, "status"], cwd=tmp_path, capture_output=True, text=True)
    assert ONLY_ONE not in again.stderr
