"""`infact export`: each format reads back, a project's questions and a user's facts alike."""

import json
import shutil
from pathlib import Path
from typing import Any

import infact
import pytest
import yaml
from infact.errors import UserError
from infact.kg.questions.bear import read_bear
from infact.kg.questions.probes import Probe
from infact.pipeline.cli import app
from infact.pipeline.console import Console
from infact.pipeline.evaluation.asked_questions import asked_questions
from infact.pipeline.evaluation.export import (
    facts_to_export,
    project_to_export,
    question_probe,
    write_export,
)
from infact.pipeline.evaluation.lm_eval_tasks import LONGEST_ALIAS
from infact.pipeline.evaluation.probe import read_probes
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import run_stages
from typer.testing import CliRunner

DATA = Path(infact.__file__).parent / "data"
TOPICS = ("{{7*7}}", "!!python/name:os.system\n- x: [", "capital", "long " * 30)
FACTS: tuple[dict[str, Any], ...] = (
    {"question": "Who {{7*7}} Peru?", "answer": "Lima", "subject": "Peru"},
    {"prompt": "The river rises in", "answer": "Oslo"},
    {"statement": "The capital, [Y], is a city.", "answer": "Lima"},
    {"statement": "[Y] lies in Europe.", "answer": "Oslo"},
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facts") / "made_up.jsonl"
    options = ["Oslo", "Lima", "{% raw %}"]
    told = (
        {**fact, "options": options, "topic": topic}
        for fact, topic in zip(FACTS, TOPICS, strict=True)
    )
    path.write_text("".join(json.dumps(fact) + "\n" for fact in told), encoding="utf-8")
    return path


def exported(facts: Path, format: str, folder: Path) -> Path:
    write_export(facts_to_export(facts, format, folder), Console())
    return folder


def test_a_facts_file_reads_back_as_it_was(tmp_path: Path, facts: Path) -> None:
    folder = exported(facts, "jsonl", tmp_path / "out")
    assert without_places(read_probes(folder / "facts.jsonl")) == without_places(read_probes(facts))


def test_a_bear_folder_goes_through_every_format(tmp_path: Path, facts: Path) -> None:
    bear = exported(facts, "bear", tmp_path / "bear")
    statements = [set(probe.statements) for probe in read_bear(bear)]
    again = exported(bear, "bear", tmp_path / "again")
    assert [set(probe.statements) for probe in read_bear(again)] == statements
    lines = exported(bear, "jsonl", tmp_path / "jsonl") / "facts.jsonl"
    assert [set(probe.statements) for probe in read_probes(lines)] == statements
    tasks = exported(bear, "lm-eval", tmp_path / "tasks").glob("*.jsonl")
    rows = [json.loads(line) for task in tasks for line in task.read_text().splitlines()]
    texts = [{row["context"] + choice for choice in row["choices"]} for row in rows]
    assert sorted(map(sorted, texts)) == sorted(map(sorted, statements))


def without_places(probes: list[Probe]) -> list[dict[str, Any]]:
    return [{key: value for key, value in vars(p).items() if key != "source"} for p in probes]


def test_yaml_holds_no_label_but_as_a_short_line(tmp_path: Path, facts: Path) -> None:
    folder = exported(facts, "lm-eval", tmp_path / "tasks")
    tasks = [yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")]
    aliases = [task["task_alias"] for task in tasks if "task" in task and "include" in task]
    shown = [" ".join(topic.split())[:LONGEST_ALIAS] for topic in TOPICS]
    assert sorted(aliases) == sorted(shown)
    written = {value for task in tasks for value in map(str, task.values())}
    assert not any("Lima" in value or "Peru" in value for value in written)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project") / "countries"  # artifacts lie beside it
    folder.mkdir()
    for name in ("countries.ttl", "infact.toml"):
        shutil.copy(DATA / "countries" / name, folder)
    project = load_project(folder / "infact.toml")
    run_stages(project, ["facts"], Console())
    return project


def facts_folder(project: Project) -> Path:
    (folder,) = (project.artifacts_folder / "facts").iterdir()
    return folder


def test_all_test_questions_of_a_project_read_back(tmp_path: Path, project: Project) -> None:
    export = project_to_export(project, "jsonl", tmp_path / "out", ())
    write_export(export, Console())
    tests = asked_questions(facts_folder(project), ("T", "M", "I", "R", "H", "U"))
    assert sum(len(probes) for probes in export.pools.values()) == len(tests)
    for pool, probes in export.pools.items():
        found = read_probes(tmp_path / "out" / f"{pool}.jsonl")
        for own, read in zip(probes, found, strict=True):
            assert (own.probe, own.statements, own.answer) == (
                read.probe,
                read.statements,
                read.answer,
            )
            assert (own.relation, own.subject, own.aliases) == (
                read.relation,
                read.subject,
                read.aliases,
            )


def test_questions_of_an_edited_graph_are_exported_only_when_asked_for(project: Project) -> None:
    assert not {"S", "D"} & set(project_to_export(project, "jsonl", Path("unused"), ()).pools)
    assert set(project_to_export(project, "jsonl", Path("unused"), ["S"]).pools) == {"S"}


def test_a_projects_probe_names_its_fact_and_where_it_was_read(project: Project) -> None:
    export = project_to_export(project, "jsonl", Path("unused"), ["T"])
    (question, *_) = asked_questions(facts_folder(project), ("T",))
    probe = question_probe(question, "countries.ttl:7")
    assert probe.probe == f"{question.fact}/{question.template}"
    assert probe.statements[question.correct].endswith(f" {question.options[question.correct]}")
    assert all(p.source.startswith("countries.ttl") for p in export.pools["T"])


@pytest.mark.parametrize("format", ["lm-eval", "bear", "jsonl"])
def test_chosen_pools_are_written_apart(tmp_path: Path, project: Project, format: str) -> None:
    words = ["export", "-c", str(project.file), "--format", format, "--pools", "M, T", "--json"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert list(told["questions"]) == ["T", "M"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    if format == "lm-eval":
        group = yaml.safe_load((tmp_path / "out" / "infact_Countries.yaml").read_text())
        assert group["task"] == ["infact_Countries_T", "infact_Countries_M"]
        assert "aggregate_metric_list" not in group
        assert {f"{name}.yaml" for name in group["task"]} <= names
    else:
        assert names == ({"T", "M"} if format == "bear" else {"T.jsonl", "M.jsonl"})
    for pool, count in told["questions"].items():
        if format == "bear":
            assert len(read_bear(tmp_path / "out" / pool)) == count


def test_a_pool_without_questions_is_named(project: Project) -> None:
    with pytest.raises(UserError, match="no test question is in pool 'X'") as error:
        project_to_export(project, "jsonl", Path("unused"), ["T", "X"])
    assert "T, M" in error.value.fix


def test_a_project_without_facts_says_what_to_run(tmp_path: Path, project: Project) -> None:
    fresh = load_project(project.file, tmp_path)
    with pytest.raises(UserError, match="hasn't been run") as error:
        project_to_export(fresh, "jsonl", tmp_path / "out", ())
    assert "infact " in error.value.fix


def test_an_unknown_format_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="format 'yaml' is not known"):
        facts_to_export(tmp_path / "nothing", "yaml", tmp_path / "out")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, facts: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(UserError, match="holds something already"):
        exported(facts, "jsonl", tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine"]


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    fact = {"statement": "7 [Y]", "answer": "a", "options": ["a", "b"], "topic": "t"}
    path.write_text(json.dumps(fact))
    with pytest.raises(UserError, match="BEAR can't ask"):
        exported(path, "bear", tmp_path / "out")
    assert [found.name for found in tmp_path.iterdir()] == ["facts.jsonl"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, facts: Path) -> None:
    with pytest.raises(UserError, match="can't be written") as error:
        exported(facts, "jsonl", facts / "below a file")
    assert error.value.where == str(facts / "below a file")


@pytest.mark.parametrize("more", [["-c", "infact.toml"], ["--pools", "T"]])
def test_facts_need_no_project(tmp_path: Path, facts: Path, more: list[str]) -> None:
    words = ["export", "--facts", str(facts), "--format", "jsonl", "--out", str(tmp_path / "o")]
    with pytest.raises(UserError, match="is given with --facts"):
        CliRunner().invoke(app, [*words, *more], catch_exceptions=False)
