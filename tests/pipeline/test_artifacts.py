"""Artifacts: keys, publication, locks, and what a kill or a full disk leaves behind."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.pipeline.artifacts import (
    Recipe,
    file_digest,
    newest_manifest,
    partial_folder,
    publish,
    read_manifest,
    work_folder,
)

RECIPE = Recipe("toy", 1, {"rate": 0.1, "names": ["a"]}, 0, {"ingest": "ab"})


def make(artifacts: Path, recipe: Recipe = RECIPE, text: str = "x") -> Path:
    with work_folder(artifacts, recipe, resumable=False) as work:
        (work / "out.txt").write_text(text)
        publish(artifacts, recipe, {})
    return recipe.folder(artifacts)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, stage="toy2"),
        replace(RECIPE, version=2),
        replace(RECIPE, settings={"rate": 0.2, "names": ["a"]}),
        replace(RECIPE, seed=1),
        replace(RECIPE, seed=None),
        replace(RECIPE, inputs={"ingest": "cd"}),
        replace(RECIPE, inputs={}),
    ],
)
def test_key_depends_on_every_part(other: Recipe) -> None:
    assert other.key != RECIPE.key
    assert len(other.key) == 16


@given(st.permutations(["rate", "names", "epochs"]))
def test_key_ignores_the_order_of_settings(order: list[str]) -> None:
    values = {"rate": 0.1, "names": ["a"], "epochs": 3}
    shuffled = replace(RECIPE, settings={name: values[name] for name in order})
    assert shuffled.key == replace(RECIPE, settings=values).key


def test_key_is_pinned() -> None:
    # A change here means that every artifact of every user is made again.
    assert Recipe("toy", 1, {"rate": 0.1}, 0, {}).key == "391d9a6cbe664173"


def test_publish_and_read_back(tmp_path: Path) -> None:
    folder = make(tmp_path)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert asdict(manifest.recipe) == asdict(RECIPE)
    assert manifest.outputs == {"out.txt": file_digest(folder / "out.txt")}
    assert sorted(path.name for path in folder.parent.iterdir()) == [RECIPE.key]


def test_same_outputs_same_digest_wherever_and_whenever(tmp_path: Path) -> None:
    one = read_manifest(make(tmp_path / "a"))
    two = read_manifest(make(tmp_path / "b", replace(RECIPE, seed=5)))
    three = read_manifest(make(tmp_path / "c", text="y"))
    assert one is not None
    assert two is not None
    assert three is not None
    assert one.digest == two.digest != three.digest


def test_store_and_log_are_not_digested_and_resume_is_dropped(tmp_path: Path) -> None:
    with work_folder(tmp_path, RECIPE, resumable=False) as work:
        for name in ("store", "log", "resume", "kept"):
            (work / name).mkdir()
            (work / name / "file").write_text(name)
        manifest = publish(tmp_path, RECIPE, {})
    assert list(manifest.outputs) == ["kept/file"]
    assert sorted(path.name for path in RECIPE.folder(tmp_path).iterdir()) == [
        "kept",
        "log",
        "manifest.json",
        "store",
    ]


@pytest.mark.parametrize("damage", ["no manifest", "half manifest", "not ours", "output gone"])
def test_damaged_folders_are_not_artifacts_and_are_replaced(tmp_path: Path, damage: str) -> None:
    folder = make(tmp_path)
    match damage:
        case "no manifest":
            (folder / "manifest.json").unlink()
        case "half manifest":
            text = (folder / "manifest.json").read_text()
            (folder / "manifest.json").write_text(text[: len(text) // 2])
        case "not ours":
            (folder / "manifest.json").write_text("[]")
        case _:
            (folder / "out.txt").unlink()
    assert read_manifest(folder) is None
    assert newest_manifest(tmp_path, "toy") is None
    assert read_manifest(make(tmp_path)) is not None


def test_failure_leaves_nothing_unless_resumable(tmp_path: Path) -> None:
    def fail(resumable: bool) -> None:
        with work_folder(tmp_path, RECIPE, resumable) as work:
            (work / "half.txt").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(resumable=False)
    assert list((tmp_path / "toy").iterdir()) == []
    with pytest.raises(ZeroDivisionError):
        fail(resumable=True)
    with work_folder(tmp_path, RECIPE, resumable=True) as work:
        assert (work / "half.txt").read_text() == "half"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
    ids=["python", "rust"],
)
def test_full_disk_is_a_user_error_and_leaves_no_half(tmp_path: Path, error: Exception) -> None:
    def fill_disk() -> None:
        with work_folder(tmp_path, RECIPE, resumable=False) as work:
            (work / "half.txt").write_text("half")
            raise error

    with pytest.raises(UserError, match="no disk space") as caught:
        fill_disk()
    assert "artifacts" in caught.value.fix
    assert list((tmp_path / "toy").iterdir()) == []


def test_two_runs_do_not_share_a_work_folder(tmp_path: Path) -> None:
    with (
        work_folder(tmp_path, RECIPE, resumable=True),
        pytest.raises(UserError, match="another run") as caught,
        work_folder(tmp_path, RECIPE, resumable=True),
    ):
        pytest.fail("entered twice")
    assert str(os.getpid()) in caught.value.fix
    with work_folder(tmp_path, RECIPE, resumable=True):
        pass  # free again


TOY_RUN = """
    import os, signal, sys
    from pathlib import Path
    from infact.pipeline.artifacts import Recipe, work_folder, publish

    artifacts, moment, resumable = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
    recipe = Recipe("toy", 1, {"rate": 0.1, "names": ["a"]}, 0, {"ingest": "ab"})

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before rename":
        Path.rename = die
    if moment == "before manifest":
        import json
        json.dump = die
    with work_folder(artifacts, recipe, resumable) as work:
        (work / "out.txt").write_text("half")
        if moment == "working":
            die()
        publish(artifacts, recipe, {})
"""


@pytest.mark.parametrize("moment", ["working", "before manifest", "before rename"])
@pytest.mark.parametrize("resumable", [False, True])
def test_kill_leaves_no_artifact_and_a_stale_lock(
    tmp_path: Path, moment: str, resumable: bool
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(TOY_RUN), tmp_path, moment, str(resumable)]
    killed = subprocess.run(command, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert partial_folder(tmp_path, RECIPE).is_dir()
    assert (tmp_path / "toy" / f"{RECIPE.key}.lock").exists()
    assert read_manifest(RECIPE.folder(tmp_path)) is None
    assert newest_manifest(tmp_path, "toy") is None
    with work_folder(tmp_path, RECIPE, resumable) as work:
        assert (work / "out.txt").exists() == resumable
        (work / "out.txt").write_text("whole")
        publish(tmp_path, RECIPE, {})
    assert (RECIPE.folder(tmp_path) / "out.txt").read_text() == "whole"
