"""The runner on toy stages: order, what is kept, what a stage is given, kill and resume."""

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.pipeline.artifacts import read_manifest
from infact.pipeline.console import Console
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts, run_stages
from infact.pipeline.stage_list import STAGES
from infact.pipeline.stages import Stage, StageContext, with_upstream

CONSOLE = Console()
ran: list[str] = []


def copy_source(context: StageContext) -> None:
    ran.append("first")
    (context.work / "out.txt").write_text(context.files["graph.ttl"].read_text().lower())


def add_rate(context: StageContext) -> None:
    ran.append("second")
    text = (context.inputs["first"] / "out.txt").read_text()
    (context.work / "out.txt").write_text(f"{text} {context.project.embed.learning_rate}")


def count_letters(context: StageContext) -> None:
    ran.append("third")
    text = (context.inputs["second"] / "out.txt").read_text()
    (context.work / "out.txt").write_text(f"{len(text)} {context.seed}")


TOY_STAGES = (
    Stage("first", "", 1, f"{__name__}:copy_source", files=lambda project: ("graph.ttl",)),
    Stage(
        "second",
        "",
        1,
        f"{__name__}:add_rate",
        inputs=("first",),
        settings=lambda project: project.embed.model_dump(mode="json"),
    ),
    Stage("third", "", 1, f"{__name__}:count_letters", inputs=("second",)),
)


def project_in(folder: Path, text: str = "", source: str = "A") -> Project:
    (folder / "graph.ttl").write_text(source)
    file = folder / "infact.toml"
    file.write_text(f'{text}\n[[source]]\npath = "graph.ttl"\n')
    return load_project(file)


def run(project: Project, *targets: str) -> list[str]:
    ran.clear()
    run_stages(project, targets, CONSOLE, TOY_STAGES)
    return list(ran)


def test_runs_what_is_needed_and_keeps_it(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    assert run(project, "second") == ["first", "second"]
    assert run(project, "third") == ["third"]
    assert run(project, "first", "second", "third") == []


def test_folders_are_returned_in_order(tmp_path: Path) -> None:
    folders = run_stages(project_in(tmp_path), ["third"], CONSOLE, TOY_STAGES)
    assert list(folders) == ["first", "second", "third"]
    assert (folders["third"] / "out.txt").read_text() == "5 0"


def test_a_setting_runs_its_stage_and_those_below_a_changed_output(tmp_path: Path) -> None:
    run(project_in(tmp_path), "third")
    changed = project_in(tmp_path, "[embed]\nlearning_rate = 0.5")
    assert run(changed, "third") == ["second", "third"]
    assert run(project_in(tmp_path), "third") == []  # the older artifacts are still there


def test_equal_output_stops_the_chain(tmp_path: Path) -> None:
    run(project_in(tmp_path, source="A"), "third")
    # Another source, but the first stage writes the same: nothing below it is new.
    assert run(project_in(tmp_path, source="a"), "third") == ["first"]


def test_moved_project_keeps_everything(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    run(project_in(tmp_path / "old"), "third")
    (tmp_path / "old").rename(tmp_path / "new")
    assert run(load_project(tmp_path / "new" / "infact.toml"), "third") == []


def test_seed_is_in_the_key(tmp_path: Path) -> None:
    run(project_in(tmp_path), "third")
    reseeded = project_in(tmp_path, "[project]\nseed = 1")
    assert run(reseeded, "third") == ["first", "second", "third"]
    unseeded = tuple(replace(stage, seeded=False) for stage in TOY_STAGES)
    run_stages(reseeded, ["second"], CONSOLE, unseeded)
    ran.clear()
    run_stages(project_in(tmp_path), ["second"], CONSOLE, unseeded)
    assert ran == []


def test_existing_artifacts_make_nothing(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    with pytest.raises(UserError, match="first hasn't been run"):
        existing_artifacts(project, ["second"], TOY_STAGES)
    folders = run_stages(project, ["second"], CONSOLE, TOY_STAGES)
    assert existing_artifacts(project, ["second"], TOY_STAGES) == folders


def test_manifest_records_but_does_not_key_the_machine(tmp_path: Path) -> None:
    folder = run_stages(project_in(tmp_path), ["first"], CONSOLE, TOY_STAGES)["first"]
    manifest = read_manifest(folder)
    assert manifest is not None
    assert {"seconds", "device", "packages", "peak_memory_bytes", "code"} <= set(manifest.recorded)
    assert "torch" in manifest.recorded["packages"]
    assert str(tmp_path) not in (folder / "manifest.json").read_text()


def test_stages_are_in_order_and_closed() -> None:
    names = [stage.name for stage in STAGES]
    for position, stage in enumerate(STAGES):
        assert set(stage.inputs) <= set(names[:position]), stage.name
    assert [stage.name for stage in with_upstream(["report"], STAGES)] == names
    assert [stage.name for stage in with_upstream(["embed"], STAGES)] == [
        "ingest",
        "facts",
        "embed",
    ]


SLOW_RUN = """
    import sys, time
    from pathlib import Path
    from infact.pipeline.console import Console
    from infact.pipeline.project import load_project
    from infact.pipeline.run import run_stages
    from infact.pipeline.stages import Stage

    def slow(context):
        steps = context.work / "resume" / "steps"
        steps.parent.mkdir(exist_ok=True)
        done = int(steps.read_text()) if steps.exists() else 0
        print("from", done, flush=True)
        for step in range(done, 4):
            (context.work / "out.txt").write_text("step " * step)
            steps.write_text(str(step + 1))
            print("step", flush=True)
            if sys.argv[2] == "slow":
                time.sleep(60 if step == 2 else 0)

    sys.modules["toy"] = sys.modules["__main__"]
    stages = (Stage("slow", "", 1, "toy:slow", resumable=True),)
    run_stages(load_project(Path(sys.argv[1])), ["slow"], Console(), stages)
"""


def test_killed_stage_is_not_taken_for_whole_and_resumes(tmp_path: Path) -> None:
    file = project_in(tmp_path).file
    command = [sys.executable, "-c", textwrap.dedent(SLOW_RUN), str(file)]
    running = subprocess.Popen([*command, "slow"], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    steps = 0
    while steps < 3:
        steps += running.stdout.readline() == "step\n"
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert not list((tmp_path / "artifacts").rglob("manifest.json"))
    resumed = subprocess.run([*command, "fast"], check=True, capture_output=True, text=True)
    assert "from 3\n" in resumed.stdout
    (manifest,) = (tmp_path / "artifacts").rglob("manifest.json")
    assert (manifest.parent / "out.txt").read_text() == "step " * 3
    assert not (manifest.parent / "resume").exists()
    assert [path.name for path in manifest.parent.parent.iterdir()] == [manifest.parent.name]
