"""Fusion that reads a modality of the user's own beside the graph's and its texts'."""

import json
from pathlib import Path

import numpy as np
from infact.kg.graph import KnowledgeGraph
from safetensors.torch import load_file

from .conftest import Infact

COUNTRIES = "https://example.org/countries/"


def with_vectors(project: Path, name: str, vectors: str) -> Path:
    """A project file beside `project`, invariant fusion over these vectors."""
    file = project.with_name(f"{name}.toml")
    text = project.read_text(encoding="utf-8")
    fuse = f'[fuse]\nstrategy = "invariant"\nvectors = {vectors}\n'
    assert "[fuse]\n" in text
    file.write_text(text.replace("[fuse]\n", fuse), encoding="utf-8")
    return file


def test_a_second_modality_is_read(
    project: Path, finished: dict[str, Path], infact: Infact
) -> None:
    names = [f"{COUNTRIES}{name}" for name in ("Tallinn", "Tirana", "nowhere")]
    numbers = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    np.savez(project.with_name("colours.npz"), entity=np.array(names), vector=numbers)
    file = with_vectors(project, "colours", '["graph", "label", "colours.npz"]')
    done = infact(file, "fuse", "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["fuse"])
    assert "1 of 3 entities aren't in the graph" in done.stderr
    found = load_file(folder / "vectors.safetensors")
    embedded = load_file(finished["embed"] / "vectors.safetensors")["entity"].shape[1]
    keys = load_file(folder / "fused.safetensors")["relation_keys"].shape[1]
    assert found["entity"].shape[1] == embedded + keys + 2
    graph = KnowledgeGraph.open(finished["ingest"])
    for name, expected in (("Tallinn", [2**0.5, 0.0]), ("Tirana", [0.0, 2**0.5]), ("euro", [0, 0])):
        row = found["entity_ids"].tolist().index(graph.entity(COUNTRIES + name))
        np.testing.assert_allclose(found["entity"][row, -2:], expected, rtol=1e-5)
    told = infact(file, "ask", "What is the capital of Estonia?", "--json")
    assert told.returncode == 0, told.stderr
    arms = {item["arm"]: item for item in json.loads(told.stdout)["answers"]}
    assert arms["fused"]["cited"]


def test_without_vectors_relations_and_labels_are_left(project: Path, finished, infact) -> None:
    done = infact(with_vectors(project, "none", "[]"), "fuse", "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["fuse"])
    losses = json.loads((folder / "training.json").read_text())
    for variant in ("fused", "random vectors", "shuffled graph"):
        assert np.isfinite(losses[variant]["losses"]).all()


def test_a_faulty_file_is_told_in_three_lines(project: Path, finished, infact) -> None:
    path = project.with_name("short.npz")
    np.savez(path, entity=np.array([COUNTRIES + "Tallinn"]), vector=np.ones((2, 3)))
    done = infact(with_vectors(project, "short", '"short.npz"'), "fuse")
    assert done.returncode == 2
    assert "one row is needed for each entity" in done.stderr
    assert "short.npz" in done.stderr
    assert "Traceback" not in done.stderr
    missing = infact(with_vectors(project, "missing", '"gone.npz"'), "fuse")
    assert missing.returncode == 2
    assert "gone.npz" in missing.stderr


def test_layers_that_would_be_ignored_are_refused(project: Path, finished, infact) -> None:
    file = with_vectors(project, "layered", '"graph"\nlayers = [1]')
    done = infact(file, "fuse")
    assert done.returncode == 2
    assert "invariant fusion reads at the top, and behind no block" in done.stderr
