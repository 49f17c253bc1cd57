"""`infact status` says what would run, and why, in words."""

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from infact.pipeline import cli
from infact.pipeline.artifacts import Recipe, partial_folder, read_manifest
from infact.pipeline.console import Console
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import run_stages
from infact.pipeline.stages import Stage, StageContext, recipe
from infact.pipeline.status import StageStatus, differences, print_status, stage_statuses

RECIPE = Recipe("toy", 1, {"rate": 0.1}, 0, {"ingest": "ab", "file a.ttl": "cd"})


def write(context: StageContext) -> None:
    source = context.files.get("graph.ttl")
    (context.work / "out.txt").write_text(source.read_text() if source else "trained")


WRITE = f"{__name__}:write"
TOY_STAGES = (
    Stage("ingest", "", 1, WRITE, files=lambda project: ("graph.ttl",), seeded=False),
    Stage(
        "pretrain",
        "",
        1,
        WRITE,
        inputs=("ingest",),
        settings=lambda project: project.pretrain.model_dump(mode="json"),
        resumable=True,
    ),
    Stage("eval", "", 1, WRITE, inputs=("pretrain", "ingest")),
)


def project_in(folder: Path, text: str = "", source: str = "A") -> Project:
    (folder / "graph.ttl").write_text(source)
    file = folder / "infact.toml"
    file.write_text(f'{text}\n[[source]]\npath = "graph.ttl"\n')
    return load_project(file)


def statuses(project: Project) -> dict[str, tuple[str, str]]:
    found = stage_statuses(project, TOY_STAGES)
    return {status.stage: (status.state, status.reason) for status in found}


def make_all(project: Project) -> None:
    run_stages(project, ["eval"], Console(), TOY_STAGES)


def test_nothing_made(tmp_path: Path) -> None:
    assert statuses(project_in(tmp_path)) == {
        "ingest": ("run", "never made"),
        "pretrain": ("waits", "for ingest"),
        "eval": ("waits", "for pretrain, ingest"),
    }


def test_everything_kept(tmp_path: Path) -> None:
    make_all(project_in(tmp_path))
    assert {state for state, _ in statuses(project_in(tmp_path)).values()} == {"kept"}


def test_changed_learning_rate(tmp_path: Path) -> None:
    make_all(project_in(tmp_path, "[pretrain]\nlearning_rate = 3e-4"))
    found = statuses(project_in(tmp_path, "[pretrain]\nlearning_rate = 1e-4"))
    assert found["ingest"][0] == "kept"
    assert found["pretrain"] == ("run", "learning_rate 3e-4 → 1e-4")
    assert found["eval"] == ("waits", "for pretrain")


def test_changed_source(tmp_path: Path) -> None:
    make_all(project_in(tmp_path))
    found = statuses(project_in(tmp_path, source="B"))
    assert found["ingest"] == ("run", "file graph.ttl changed")
    run_stages(project_in(tmp_path, source="B"), ["ingest"], Console(), TOY_STAGES)
    found = statuses(project_in(tmp_path, source="B"))
    assert found["pretrain"] == ("run", "ingest output changed")


def test_missing_source_waits_with_the_reason(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    (tmp_path / "graph.ttl").unlink()
    state, reason = statuses(project)["ingest"]
    assert state == "waits"
    assert reason.startswith("graph.ttl doesn't exist: ")


def test_compares_with_the_newest(tmp_path: Path) -> None:
    for rate in ("1e-3", "2e-3"):
        make_all(project_in(tmp_path, f"[pretrain]\nlearning_rate = {rate}"))
    found = statuses(project_in(tmp_path, "[pretrain]\nlearning_rate = 3e-3"))
    assert found["pretrain"] == ("run", "learning_rate 0.002 → 0.003")


def test_interrupted_and_damaged(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    make_all(project)
    (manifest,) = (tmp_path / "artifacts" / "eval").rglob("manifest.json")
    (manifest.parent / "out.txt").unlink()
    assert statuses(project)["eval"] == ("run", "a file of it has gone or its manifest is damaged")

    changed = project_in(tmp_path, "[pretrain]\nrank = 4")
    made_from = recipe(TOY_STAGES[0], changed, {})
    ingest = read_manifest(made_from.folder(changed.artifacts_folder))
    assert ingest is not None
    made_from = recipe(TOY_STAGES[1], changed, {"ingest": ingest})
    partial_folder(changed.artifacts_folder, made_from).mkdir()
    expected = ("run", "rank 32 → 4; continues the run that was cut off")
    assert statuses(changed)["pretrain"] == expected


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (RECIPE, []),
        (replace(RECIPE, version=2), ["version 1 → 2"]),
        (replace(RECIPE, seed=None), ["seed 0 → none"]),
        (replace(RECIPE, settings={"rate": 2.5e-5}), ["rate 0.1 → 2.5e-5"]),
        (replace(RECIPE, settings={"rate": [1]}), ["rate changed"]),
        (replace(RECIPE, settings={"rate": 0.1, "on": True}), ["on none → true"]),
        (
            replace(RECIPE, inputs={"ingest": "xx", "file b.ttl": "cd"}),
            ["file a.ttl is no longer read", "file b.ttl is read now", "ingest output changed"],
        ),
    ],
)
def test_differences_in_words(other: Recipe, words: list[str]) -> None:
    assert differences(RECIPE, other) == words


def test_nested_settings_are_named_by_their_place() -> None:
    old = replace(RECIPE, settings={"graph": {"strict": False, "hierarchy": ["a"]}})
    new = replace(RECIPE, settings={"graph": {"strict": True, "hierarchy": ["b"]}})
    assert differences(old, new) == ["graph.hierarchy changed", "graph.strict false → true"]


def test_printed_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = project_in(tmp_path, '[model]\nbase = "graph.ttl"')
    print_status(project, Console())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ingest    run    never made"
    assert lines[2] == "facts     waits  for ingest"
    print_status(project, Console(json_wanted=True))
    document = json.loads(capsys.readouterr().out)
    assert [StageStatus(**entry) for entry in document] == stage_statuses(project)


def graph_in(folder: Path, triples: int) -> Path:
    """The ingest artifact of a project with so many statements."""
    (folder / "infact.toml").write_text('[[source]]\npath = "a.nt"\n')
    lines = (f"<http://e/0> <http://e/p> <http://e/{number}> .\n" for number in range(triples))
    (folder / "a.nt").write_text("".join(lines))
    return run_stages(load_project(folder / "infact.toml"), ["ingest"], Console())["ingest"]


def ingest_status(folder: Path) -> StageStatus:
    return stage_statuses(load_project(folder / "infact.toml"))[0]


def test_counts_of_the_graph_before_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "with a blank"
    folder.mkdir()
    old = graph_in(folder, 3)
    assert ingest_status(folder).since is None
    new = graph_in(folder, 1200)
    capsys.readouterr()
    project = load_project(folder / "infact.toml")
    print_status(project, Console())
    kept, since, base = capsys.readouterr().out.splitlines()[:3]
    assert kept == f"ingest    kept   {new}"
    assert base.startswith("base ")
    words, _, command = since.partition("; see: ")
    assert words == f"          since {old.name[:8]}: 3 → 1,200 entities, 3 → 1,200 triples"
    assert shlex.split(command) == ["infact", "diff", str(old), str(new)]
    print_status(project, Console(json_wanted=True))
    first, *others = json.loads(capsys.readouterr().out)
    counts = {"entities": [3, 1200], "triples": [3, 1200]}
    assert first["since"] == {"older": str(old), "newer": str(new), "counts": counts}
    assert not any("since" in entry for entry in others)
    # The command that it names is one.
    monkeypatch.setattr("sys.argv", shlex.split(command))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code


def test_equal_counts_are_said_to_be_the_same(tmp_path: Path) -> None:
    old = graph_in(tmp_path, 3)
    (tmp_path / "a.nt").write_text((tmp_path / "a.nt").read_text().replace("/p>", "/q>"))
    project = load_project(tmp_path / "infact.toml")
    new = run_stages(project, ["ingest"], Console())["ingest"]
    assert str(ingest_status(tmp_path).since) == (
        f"since {old.name[:8]}: the same counts; see: infact diff {old} {new}"
    )


def test_only_an_older_and_whole_graph_is_compared_with(tmp_path: Path) -> None:
    first, second, third = (graph_in(tmp_path, triples) for triples in (2, 3, 4))
    for age, folder in enumerate((third, second, first)):
        os.utime(folder, ns=(0, 10**18 - age * 10**9))
    assert ingest_status(tmp_path).since.older == str(second)  # type: ignore[union-attr]
    (second / "relations.parquet").unlink()
    assert ingest_status(tmp_path).since.older == str(first)  # type: ignore[union-attr]
    (first / "statistics.json").write_text("[]")
    assert ingest_status(tmp_path).since is None
    assert graph_in(tmp_path, 2) == first
    assert ingest_status(tmp_path).since is None  # the others are newer


def test_a_graph_that_has_to_be_made_is_compared_with_nothing(tmp_path: Path) -> None:
    graph_in(tmp_path, 2)
    graph_in(tmp_path, 3)
    (tmp_path / "a.nt").write_text("<http://e/0> <http://e/p> <http://e/1> .\n")
    assert (ingest_status(tmp_path).state, ingest_status(tmp_path).since) == ("run", None)
