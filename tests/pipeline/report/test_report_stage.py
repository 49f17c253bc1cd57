"""The report stage: every file that it writes, and that they agree."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.questions.verbalise import sentences_table
from infact.pipeline.artifacts import Manifest, Recipe, file_digest, partial_folder, publish
from infact.pipeline.console import Console
from infact.pipeline.project import Project, load_project
from infact.pipeline.report.answers_csv import ANSWERS_CSV
from infact.pipeline.report.report_data import ReportInputs
from infact.pipeline.report.report_stage import run
from infact.pipeline.report.verify import verify
from infact.pipeline.run import run_stages
from infact.pipeline.stage_list import STAGES
from infact.pipeline.stages import StageContext, recipe


@pytest.fixture
def context(
    report_inputs: ReportInputs,
    tmp_path: Path,
    report_context: Callable[[Mapping[str, Path]], StageContext],
) -> StageContext:
    files = {
        "eval": {
            "costs.json": json.dumps(report_inputs.costs),
            "perplexity.json": json.dumps(report_inputs.perplexity),
            "explanations.json": "[]",
            "absent.json": '[{"arm": "soft prompt", "why": "no <b>weights</b>\\u202e"}]',
        },
        "facts": {},
        "ingest": {"sources.json": json.dumps(list(report_inputs.sources))},
        "pretrain": {
            "exposures.json": "{}",
            "screening.json": "{}",
            "training.json": '{"losses": [2.0, 1.0]}',
        },
    }
    inputs = {}
    for stage, texts in files.items():
        recipe = Recipe(stage, 1, {}, 0, {})
        work = partial_folder(tmp_path, recipe)
        work.mkdir(parents=True)
        for name, text in texts.items():
            (work / name).write_text(text)
        if stage == "eval":
            pq.write_table(report_inputs.answers, work / "answers.parquet")
        elif stage == "facts":
            pq.write_table(report_inputs.facts, work / "facts.parquet")
            pq.write_table(sentences_table([]), work / "sentences.parquet")
        elif stage == "ingest":
            pq.write_table(pa.table({"iri": ["https://example.org/1"]}), work / "entities.parquet")
        packages = {"python": "3.12.1", "numpy": "2.4"}
        publish(tmp_path, recipe, {"packages": packages, "device": "a processor"})
        inputs[stage] = recipe.folder(tmp_path)
    return report_context(inputs)


def test_the_stage_writes_a_report_that_verifies(
    context: StageContext, capsys: pytest.CaptureFixture[str]
) -> None:
    run(context)
    written = {path.name for path in context.work.iterdir()}
    assert written == {"report.json", "report.html", "report.md", ANSWERS_CSV}
    capsys.readouterr()
    assert verify(context.work, Console())
    assert capsys.readouterr().out == "every number follows from 8,360 answers\n"


def test_the_report_names_absent_arms_curves_and_environment(context: StageContext) -> None:
    run(context)
    report = json.loads((context.work / "report.json").read_text())
    assert report["absent"] == [{"arm": "soft prompt", "why": "no <b>weights</b>"}]
    assert report["curves"] == {"pretrain": [{"name": "pretrain", "losses": [2.0, 1.0]}]}
    assert report["environment"]["python"] == "3.12.1"
    assert report["environment"]["packages"] == {"numpy": "2.4"}
    assert report["environment"]["device"] == "a processor"


def test_the_answers_stand_beside_the_report_under_their_digest(context: StageContext) -> None:
    run(context)
    path = context.work / ANSWERS_CSV
    report = json.loads((context.work / "report.json").read_text())
    assert report["files"] == {ANSWERS_CSV: file_digest(path)}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [row["right"] == "right" for row in rows if (row["arm"], row["pool"]) == ("fused", "T")]
    fused = next(arm for arm in report["arms"] if arm["name"] == "fused")
    assert sum(right) / len(right) == pytest.approx(fused["pools"]["T"]["accuracy"], abs=5e-5)


SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .
ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:knows ; sh:property [ sh:path ex:age ; sh:minCount 1 ] .
"""
PROJECT = '[graph]\nshapes = ["shapes.ttl"]\n[[source]]\npath = "a.nt"\n'


def project_in(folder: Path, text: str = PROJECT, shapes: str = SHAPES) -> Project:
    (folder / "a.nt").write_text("<http://e/a> <http://e/knows> <http://e/b> .\n")
    (folder / "shapes.ttl").write_text(shapes)
    (folder / "infact.toml").write_text(text)
    return load_project(folder / "infact.toml")


def test_the_graph_is_held_to_the_projects_shapes(context: StageContext, tmp_path: Path) -> None:
    run(context)
    without = json.loads((context.work / "report.json").read_text())["findings"]
    made = run_stages(project_in(tmp_path), ["ingest"], Console())["ingest"]
    shaped = replace(
        context,
        inputs={**context.inputs, "ingest": made},
        files={"shapes.ttl": tmp_path / "shapes.ttl"},
    )
    run(shaped)
    report = json.loads((context.work / "report.json").read_text())
    assert without is None
    assert report["findings"]["shapes"] == ["shapes.ttl"]
    (found,) = (rule for rule in report["findings"]["rules"] if "shape" in rule)
    assert (found["rule"], found["shape"]) == ("MinCountConstraintComponent", "http://e/S")
    assert found["examples"][0]["subject"] == "http://e/a"
    assert {"missing_label", "missing_definition"} <= {
        rule["rule"] for rule in report["findings"]["rules"]
    }


def test_shapes_make_a_new_report_and_nothing_else(tmp_path: Path) -> None:
    def recipes(project: Project) -> dict[str, Recipe]:
        upstream = {stage.name: Manifest(Recipe("", 1, {}, 0, {}), {}, {}) for stage in STAGES}
        return {
            stage.name: recipe(stage, project, upstream)
            for stage in STAGES
            if stage.name in ("ingest", "facts", "report")
        }

    without = recipes(project_in(tmp_path, '[[source]]\npath = "a.nt"\n'))
    named = recipes(project_in(tmp_path))
    changed = recipes(project_in(tmp_path, shapes=SHAPES.replace("1", "2")))
    for one, other in ((without, named), (named, changed)):
        assert {name for name in one if one[name] != other[name]} == {"report"}


@pytest.mark.parametrize("fault", ["no shapes", SHAPES.replace("1", '"x"')])
def test_faulty_shapes_are_told_before_anything_is_made(tmp_path: Path, fault: str) -> None:
    text = PROJECT + '[model]\nbase = "a.nt"\n[facts]\ngeneral = []\n'
    with pytest.raises(UserError) as caught:
        run_stages(project_in(tmp_path, text, fault), ["report"], Console())
    assert caught.value.where.startswith("shapes.ttl")
    assert not (tmp_path / "artifacts").exists()


def test_the_same_answers_give_the_same_bytes(context: StageContext) -> None:
    run(context)
    names = ("report.json", "report.md", ANSWERS_CSV)
    first = [(context.work / name).read_bytes() for name in names]
    run(context)
    assert [(context.work / name).read_bytes() for name in names] == first
