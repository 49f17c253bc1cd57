"""Embeddings that begin at texts, and vectors of entities that training hasn't seen."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from infact.kg.graph import KnowledgeGraph
from infact.models.embedding_files import load_vectors
from infact.models.text_encoder import TextEncoder
from infact.pipeline.console import Console
from infact.pipeline.embedding.entity_texts import NamedEncoder, entity_texts, text_vectors
from infact.pipeline.embedding.new_entities import FOLDS, read_text_map

from ...command_here import command_here
from .conftest import IRI, ingested, world

SKOS = "<http://www.w3.org/2004/02/skos/core#definition>"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
DEFINED = f'<{IRI}c0> {SKOS} "A city\\nby the sea." .\n'


def said(folder: Path, *words: str, status: int = 0) -> str:
    done = command_here(*words, folder=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("told") / "graph", world(), DEFINED)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph with an entity more, and one more that has no text."""
    more = f'<{IRI}new> {LABEL} "Person 99" .\n<{IRI}p00> <{IRI}knows> <{IRI}mute> .\n'
    return ingested(tmp_path_factory.mktemp("newer") / "graph", world(), DEFINED + more)


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
    graph: Path,
    settings_file: Path,
    tiny_encoder_folder: Path,
) -> Path:
    """With `v`, vectors that began at texts, and `plain`, those that didn't."""
    folder = tmp_path_factory.mktemp("made")
    words = ("embed", "--graph", str(graph), "--settings", str(settings_file))
    said(folder, *words, "--encoder", str(tiny_encoder_folder), "--out", "v")
    said(folder, *words, "--out", "plain")
    return folder


def test_texts_are_labels_and_definitions_alone(graph: Path) -> None:
    opened = KnowledgeGraph.open(graph)
    numbers = [opened.entity(IRI + name) for name in ("p07", "c0", "n0")]
    assert entity_texts(opened, numbers) == ["Person 07", "A city by the sea.", ""]


def test_an_entity_without_text_has_zeros(graph: Path, tiny_encoder_folder: Path) -> None:
    opened = KnowledgeGraph.open(graph)
    numbers = [opened.entity(IRI + name) for name in ("n0", "p07")]
    encoder = NamedEncoder.of(str(tiny_encoder_folder))
    found = text_vectors(opened, numbers, encoder, Console())
    assert not found[0].any()
    alone = TextEncoder(tiny_encoder_folder).vectors(["Person 07"], lambda count: None)
    np.testing.assert_allclose(found[1], alone[0], atol=1e-3)


def test_the_map_fits_the_vectors(made: Path, graph: Path) -> None:
    found = read_text_map(made / "v")
    assert found is not None
    text_map, encoder = found
    model, ids, _ = load_vectors(made / "v/vectors.safetensors")
    texts = text_vectors(KnowledgeGraph.open(graph), ids.tolist(), encoder, Console())
    told = texts.any(axis=1)
    vectors = model.entity.detach().numpy()[told]
    left = ((text_map.vectors(texts[told]) - vectors) ** 2).sum()
    assert left <= ((vectors - vectors.mean(axis=0)) ** 2).sum() * (1 + 1e-6)
    assert read_text_map(made / "plain") is None


def test_how_good_it_is_is_measured(made: Path) -> None:
    metrics = json.loads((made / "v/metrics.json").read_text())["new_entities"]
    assert metrics["entities_with_text"] == 49 >= 2 * FOLDS
    assert set(metrics["tail"]) == {"from_text", "trained", "frequency_in_relation"}
    assert all(of["count"] == metrics["triples"] > 0 for of in metrics["tail"].values())
    assert "new_entities" not in json.loads((made / "plain/metrics.json").read_text())


def test_a_start_at_texts_is_another_start(made: Path) -> None:
    first, other = (load_vectors(made / name / "vectors.safetensors")[0] for name in ("v", "plain"))
    assert not torch.equal(first.entity, other.entity)


def test_a_new_entity_is_predicted_for_by_its_text(made: Path, newer: Path) -> None:
    words = ("predict", "Person 99", "lives_in", "--vectors", "v", "--graph", str(newer))
    told = json.loads(said(made, *words, "--json"))
    assert told["entity"] == {"name": f"{IRI}new", "label": "Person 99", "from_text": True}
    model, *_ = load_vectors(made / "v/vectors.safetensors")
    found = read_text_map(made / "v")
    assert found is not None
    opened = KnowledgeGraph.open(newer)
    texts = text_vectors(opened, [opened.entity(f"{IRI}new")], found[1], Console())
    vector = torch.from_numpy(found[0].vectors(texts))
    assert len(told["tails"]) == 8
    assert all(tail["known"] is None for tail in told["tails"])
    relations = json.loads(said(made, *words, "--json"))["relation"]["name"]
    assert relations == f"{IRI}lives_in"
    rows = _rows(made / "v/entities.parquet")
    relation = _rows(made / "v/relations.parquet")[f"{IRI}lives_in"]
    with torch.inference_mode():
        queries = model.queries(vector, model.relations(torch.tensor([relation])))
        scores = model.scores(queries, model.entity)[0].tolist()
    for tail in told["tails"]:
        assert tail["score"] == pytest.approx(scores[rows[tail["name"]]], abs=1e-5)
    assert "from its text" in said(made, *words)


def _rows(path: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    return {name: row for row, name in enumerate(pq.read_table(path)["name"].to_pylist())}


def test_a_known_entity_has_its_own_vector(made: Path, newer: Path) -> None:
    words = ("predict", "Person 07", "lives_in", "--vectors", "v", "--json")
    alone, in_graph = json.loads(said(made, *words)), said(made, *words, "--graph", str(newer))
    assert json.loads(in_graph) == alone
    assert alone["entity"]["from_text"] is False


def test_what_is_like_a_new_entity(made: Path, newer: Path) -> None:
    words = ("show", "Person 99", "--graph", str(newer), "--similar", "3", "--vectors", "v")
    told = json.loads(said(made, *words, "--json"))["similar"]
    assert len(told) == 3
    assert told == sorted(told, key=lambda each: -each["cosine"])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("predict", f"{IRI}mute", "lives_in", "--vectors", "v", "--graph", "NEWER"), "no text"),
        (
            ("predict", "Person 99", "lives_in", "--vectors", "plain", "--graph", "NEWER"),
            "--encoder",
        ),
        (("predict", "Person 99", "lives_in", "--graph", "NEWER"), "--graph is given without"),
        (("embed", "--triples", "t", "--out", "w", "--encoder", "e"), "given with --triples"),
        (
            ("embed", "--graph", "NEWER", "--out", "w", "--encoder", "nowhere"),
            "nowhere doesn't exist",
        ),
    ],
)
def test_what_is_refused(made: Path, newer: Path, words: tuple[str, ...], problem: str) -> None:
    given = [str(newer) if word == "NEWER" else word for word in words]
    assert problem in said(made, *given, status=2)


def test_another_encoder_in_its_place_is_told(
    made: Path, newer: Path, tmp_path: Path, settings_file: Path, tiny_encoder_folder: Path
) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder_folder, encoder)
    words = ("--graph", str(newer), "--settings", str(settings_file), "--out", "v")
    said(tmp_path, "embed", *words, "--encoder", str(encoder))
    (encoder / "config.json").write_text((encoder / "config.json").read_text() + "\n")
    asked = ("predict", "Person 99", "lives_in", "--vectors", "v", "--graph", str(newer))
    assert "isn't the encoder" in said(tmp_path, *asked, status=2)
    (tmp_path / "v/text_map.safetensors").write_bytes(b"damaged")
    assert "can't be read" in said(tmp_path, *asked, status=2)
