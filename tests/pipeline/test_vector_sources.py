from pathlib import Path

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source
from infact.pipeline.console import Console
from infact.pipeline.vector_sources import (
    EntityVectors,
    file_vectors,
    joined,
    load_vectors,
    save_vectors,
    vectors_in,
)

E = "http://example.org/"
TURTLE = f"""
@prefix e: <{E}> .
e:a e:knows e:b . e:b e:knows e:c .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("graph")
    source = folder / "people.ttl"
    source.write_text(TURTLE, encoding="utf-8")
    ingest([Source(source, "people.ttl")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


def written(folder: Path, names: object, vectors: object) -> Path:
    path = folder / "images.npz"
    np.savez(path, entity=np.array(names), vector=np.array(vectors))
    return path


def test_rows_of_a_file_are_those_of_its_entities(graph, tmp_path, capsys) -> None:
    names = [E + "c", E + "stranger", E + "a"]
    path = written(tmp_path, names, [[1.0, 2.0], [9.0, 9.0], [3.0, 4.0]])
    found = file_vectors(path, graph, Console())
    assert [graph.iri(entity) for entity in found.entities] == [E + "a", E + "c"]
    assert found.vectors.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert "1 of 3 entities aren't in the graph" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("names", "vectors", "said"),
    [
        ([E + "a", E + "b"], [[1.0]], "one row is needed for each entity"),
        ([E + "a"], [1.0], "one row is needed for each entity"),
        ([E + "a", E + "b"], [[1.0], [np.nan]], f"row 1, of {E}b, holds a number"),
        ([E + "a", E + "b"], [[np.inf], [1.0]], f"row 0, of {E}a, holds a number"),
        ([E + "a", E + "a"], [[1.0], [2.0]], "named more than once"),
        ([E + "x"], [[1.0]], "none of its 1 entities is in the graph"),
        ([1, 2], [[1.0], [2.0]], "entity is of int64"),
        ([E + "a"], [["red"]], "vector of <U3"),
    ],
)
def test_a_faulty_file_is_named_with_what_is_wrong(graph, tmp_path, names, vectors, said) -> None:
    with pytest.raises(UserError, match=r"images\.npz") as caught:
        file_vectors(written(tmp_path, names, vectors), graph, Console())
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_a_file_of_another_kind_is_named(graph, tmp_path, content) -> None:
    path = tmp_path / "images.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="can't be read"):
        file_vectors(path, graph, Console())


def test_a_single_array_is_no_such_file(graph, tmp_path) -> None:
    path = tmp_path / "images.npz"
    with path.open("wb") as file:
        np.save(file, np.ones((2, 2)))
    with pytest.raises(UserError, match="can't be read"):
        file_vectors(path, graph, Console())


def test_parts_stand_side_by_side_on_one_scale() -> None:
    first = EntityVectors(torch.tensor([[3.0, 4.0], [0.0, 100.0]]), np.array([2, 5]))
    second = EntityVectors(torch.tensor([[7.0]]), np.array([3]))
    both = joined([first, second])
    assert both.entities.tolist() == [2, 3, 5]
    lengths = both.vectors.square().sum(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([2.0, 1.0, 2.0]))
    assert both.vectors[0].tolist() == pytest.approx([0.6 * 2**0.5, 0.8 * 2**0.5, 0.0])
    assert both.vectors[1].tolist() == [0.0, 0.0, 1.0]
    assert both.rows == {2: 0, 3: 1, 5: 2}


def test_of_no_source_no_entity_has_a_vector() -> None:
    none = joined([])
    assert not none.vectors.any()
    assert torch.isfinite(none.vectors.std()), "the random control draws by it"
    assert not set(none.rows) & set(range(10))


def test_what_is_saved_comes_back(tmp_path) -> None:
    kept = EntityVectors(torch.tensor([[1.0, 2.0]]), np.array([7]))
    save_vectors(kept, tmp_path / "vectors.safetensors")
    found = load_vectors(tmp_path / "vectors.safetensors")
    assert torch.equal(found.vectors, kept.vectors)
    assert found.rows == {7: 0}


def test_vectors_go_with_their_entities_into_a_changed_graph(graph, tmp_path) -> None:
    """a is gone, aa is new before b: the numbers of b and c are others."""
    source = tmp_path / "changed.ttl"
    source.write_text(f"@prefix e: <{E}> . e:c e:knows e:aa . e:b e:knows e:aab .", "utf-8")
    ingest([Source(source, "changed.ttl")], tmp_path / "graph")
    now = KnowledgeGraph.open(tmp_path / "graph")
    trained = EntityVectors(torch.tensor([[1.0], [2.0], [3.0]]), np.arange(3))
    found = vectors_in(trained, graph, now)
    assert {now.iri(entity): found.vectors[row].item() for entity, row in found.rows.items()} == {
        E + "b": 2.0,
        E + "c": 3.0,
    }
    assert vectors_in(trained, graph, graph) is trained
    assert vectors_in(joined([]), graph, now).vectors.shape == (1, 2)
