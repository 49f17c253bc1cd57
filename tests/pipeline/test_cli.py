"""The command line: exit statuses, what is printed where, and what isn't imported."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from infact.pipeline import cli, command_options
from infact.pipeline.stage_list import STAGES

from ..conftest import COMMAND

HEAVY = ["torch", "transformers", "pyarrow", "spacy", "pydantic", "rdflib", "pyoxigraph", "numpy"]


def infact(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
        import sys
        from infact.pipeline.cli import main
        sys.argv = ["infact", "--help"]
        try:
            main()
        finally:
            print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    for name in [*(stage.name for stage in STAGES), "init", "run", "status", "ask"]:
        assert f" {name} " in done.stdout


def test_user_error_is_three_lines_and_status_2(tmp_path: Path) -> None:
    done = infact(tmp_path, "status", "--config", "nowhere.toml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "there is no project file here",
        str(tmp_path.resolve() / "nowhere.toml"),
        "write one with `infact init`, or name another with --config",
    ]


def test_unknown_option_is_status_2_without_traceback(tmp_path: Path) -> None:
    done = infact(tmp_path, "run", "--cofnig", "x")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_init_then_status(tmp_path: Path) -> None:
    assert infact(tmp_path, "init").returncode == 0
    again = infact(tmp_path, "init")
    assert again.returncode == 2
    assert "already" in again.stderr
    done = infact(tmp_path, "status", "-c", "infact.toml", "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert [entry["stage"] for entry in document] == [stage.name for stage in STAGES]
    assert document[0]["state"] == "waits"  # graph.ttl isn't there


def test_stage_command_names_a_missing_source(tmp_path: Path) -> None:
    infact(tmp_path, "init")
    done = infact(tmp_path, "facts", "-c", "infact.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("graph.ttl doesn't exist\n")
    assert not (tmp_path / "artifacts").exists()


def test_ctrl_c_is_one_line_and_status_130(tmp_path: Path) -> None:
    code = """
        import sys, time
        from infact.pipeline import cli, command_options
        from infact.pipeline import project
        def load_project(*arguments, **names):
            print("ready", flush=True)
            time.sleep(60)
        project.load_project = load_project
        sys.argv = ["infact", "status", "-c", "infact.toml"]
        cli.main()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    os.kill(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert errors == f"\n{cli.STOPPED}\n"


def test_default_project_is_the_one_here_else_the_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packaged = command_options.load_chosen_project(None)
    assert packaged.file == command_options.PACKAGED_CONFIG
    assert packaged.artifacts_folder == tmp_path.resolve() / "artifacts" / "hpo"
    here = tmp_path / command_options.DEFAULT_CONFIG
    here.parent.mkdir(parents=True)
    here.write_text('[[source]]\npath = "graph.ttl"\n')
    assert command_options.load_chosen_project(None).file == here.resolve()
