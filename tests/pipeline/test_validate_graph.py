"""`infact validate` and the findings of `infact ingest`, as a user runs them."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from infact.pipeline import cli
from infact.pipeline.graph_findings import in_words, passes

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix ex: <http://e/> .
ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:knows ; sh:severity sh:Warning ;
  sh:property [ sh:path ex:age ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "no \\u202eage" ] .
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    (tmp_path / "a.nt").write_text(
        f'<http://e/a> {LABEL} " one\\ttab" .\n<http://e/b> {LABEL} "\\u202etwo" .\n'
        "<http://e/b> <http://e/knows> <http://e/a> .\n",
        encoding="utf-8",
    )
    assert infact("ingest", str(tmp_path / "a.nt"), "--out", str(tmp_path / "graph")) == 0
    return tmp_path / "graph"


def infact(*arguments: str) -> int:
    """The command's exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["infact", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 1), ("warn", 1), ("info", 1), ("never", 0), ("worst", 2)]
)
def test_the_exit_status_says_how_bad(graph: Path, fail_on: str, status: int) -> None:
    assert infact("validate", "--graph", str(graph), "--fail-on", fail_on) == status


def test_without_the_level_in_question_it_passes(graph: Path, tmp_path: Path) -> None:
    (tmp_path / "profile.txt").write_text("INFO\tlabel_whitespace\n")
    arguments = ("validate", "--graph", str(graph), "--profile", str(tmp_path / "profile.txt"))
    assert infact(*arguments) == 0
    assert infact(*arguments, "--fail-on", "warn") == 0
    assert infact(*arguments, "--fail-on", "info") == 1


def test_the_table_counts_by_rule_and_names_places(
    graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    capsys.readouterr()
    infact("validate", "--graph", str(graph), "--shapes", str(tmp_path / "shapes.ttl"))
    out = capsys.readouterr().out
    assert "ERROR label_whitespace: 1" in out
    assert "WARN missing_definition: 2" in out
    assert "WARN MinCountConstraintComponent: 1" in out
    assert f"{tmp_path}/a.nt:1" in out
    assert "\u202e" not in out
    assert out.endswith("2 errors, 3 warnings, 0 infos\n")


def test_json_csv_and_tsv_hold_every_finding(
    graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(form: str) -> str:
        capsys.readouterr()
        infact("validate", "--graph", str(graph), "--format", form)
        return capsys.readouterr().out

    told = json.loads(printed("json"))
    assert told["counts"] == {"ERROR": 2, "WARN": 2, "INFO": 0}
    assert {row["rule"] for row in told["findings"]} == {
        *("label_whitespace", "label_formatting", "missing_definition"),
    }
    for form, separator in (("csv", ","), ("tsv", "\t")):
        rows: Sequence[dict[str, str]] = list(
            csv.DictReader(io.StringIO(printed(form)), delimiter=separator)
        )
        assert [row["rule"] for row in rows] == [row["rule"] for row in told["findings"]]
        assert "tab" in rows[0]["value"]


def test_findings_go_into_a_file(
    graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "findings.json"
    arguments = ("validate", "--graph", str(graph), "--format", "json", "--out")
    assert infact(*arguments, str(out)) == 1
    assert json.loads(out.read_text(encoding="utf-8"))["counts"]["ERROR"] == 2
    assert infact(*arguments, str(tmp_path / "absent" / "x")) == 2
    assert "can't be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("--format", "xml"), ("--profile", "absent"), ("--shapes", "absent.ttl")]
)
def test_what_cannot_be_done_is_status_2(graph: Path, arguments: tuple[str, str]) -> None:
    assert infact("validate", "--graph", str(graph), *arguments) == 2


def test_ingest_says_and_counts_findings_and_can_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "a.nt", tmp_path / "graph"
    file.write_text(f'<http://e/a> {LABEL} " one" .\n')
    arguments = ("ingest", str(file), "--out", str(out))
    assert infact(*arguments) == 0
    told = f"findings: 1 error, 1 warning, 0 infos; see: infact validate --graph {out}"
    assert told in capsys.readouterr().out
    assert infact(*arguments, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["findings"] == {"ERROR": 1, "WARN": 1, "INFO": 0}
    assert infact(*arguments, "--fail-on", "error") == 1
    assert infact(*arguments, "--fail-on", "worst") == 2


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.nt").write_text(
        f'<http://e/a> {LABEL} "one" .\n<http://e/a> <http://e/knows> "b" .\n'
    )
    (tmp_path / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    file = tmp_path / "infact.toml"
    file.write_text('[graph]\nshapes = ["shapes.ttl"]\n[[source]]\npath = "a.nt"\n')
    assert infact("ingest", "-c", str(file)) == 0
    return file


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    infact("validate", *arguments, "--format", "json")
    return [row["rule"] for row in json.loads(capsys.readouterr().out)["findings"]]


def test_a_project_is_held_to_its_shapes_and_to_more(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = tmp_path / "more.ttl"
    more.write_text(SHAPES.replace("minCount 1", "hasValue 7"))
    config, own = ("-c", str(project)), "MinCountConstraintComponent"
    assert rules(capsys, *config) == ["missing_definition", own]
    # Named again, they aren't asked again.
    again = rules(capsys, *config, "--shapes", str(tmp_path / "shapes.ttl"))
    assert again == ["missing_definition", own]
    both = rules(capsys, *config, "--shapes", str(more))
    assert both == ["missing_definition", own, "HasValueConstraintComponent"]
    (folder,) = (tmp_path / "artifacts" / "ingest").iterdir()
    assert rules(capsys, "--graph", str(folder), *config) == ["missing_definition"]


def test_faulty_shapes_of_a_project_are_told_by_its_name_for_them(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shapes.ttl").write_text("@prefix : <http://e/> .\n:a :b\n")
    capsys.readouterr()
    assert infact("validate", "-c", str(project)) == 2
    assert "\nshapes.ttl:2" in capsys.readouterr().err
    # Other commands don't read them.
    assert infact("query", "ASK {}", "-c", str(project)) == 0
    (tmp_path / "shapes.ttl").unlink()
    assert infact("show", "one", "-c", str(project)) == 0
    assert infact("validate", "-c", str(project)) == 2
    assert "shapes.ttl doesn't exist" in capsys.readouterr().err


@pytest.mark.parametrize("level", ["ERROR", "WARN", "INFO"])
def test_a_level_fails_itself_and_milder_thresholds(level: str) -> None:
    order = ["ERROR", "WARN", "INFO"]
    found = {one: int(one == level) for one in order}
    for asked in order:
        assert passes(found, asked.lower()) == (order.index(level) > order.index(asked))
    assert passes(found, "never")


def test_counts_in_words() -> None:
    assert in_words({"ERROR": 1, "WARN": 1200, "INFO": 0}) == "1 error, 1,200 warnings, 0 infos"
