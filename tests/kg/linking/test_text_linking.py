"""Linking to a part of a graph, and graphs in which there is nothing to look for."""

from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.ingest import ingest
from infact.kg.linking.text_linking import LinkerSettings, open_linking
from infact.kg.readers.sources import Source

from ...linked_graph import IRI, make_graph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("linked") / "graph")


def iris(folder: Path, text: str, *roots: str) -> list[str]:
    linking = open_linking(LinkerSettings(folder, tuple(IRI + root for root in roots)))
    return [
        linking.graph.iri(mention.entity).removeprefix(IRI)
        for mention in linking.find(text)
        if mention.entity is not None
    ]


def test_entities_below_a_root_alone(folder: Path) -> None:
    text = "gout on Mercury, a planet, in joint disease with long slender fingers"
    assert iris(folder, text) == ["gout", "mercury", "planet", "joint", "disease", "fingers"]
    assert iris(folder, text, "disease") == ["gout", "joint", "disease", "fingers"]
    assert iris(folder, text, "joint", "planet") == ["gout", "mercury", "planet", "joint"]


def test_a_relation_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match="no triple of the graph has the predicate"):
        open_linking(LinkerSettings(folder, (IRI + "gout",), IRI + "partOf"))


def test_a_graph_without_names_is_told(tmp_path: Path) -> None:
    source = tmp_path / "a.nt"
    source.write_text("<http://e/a> <http://e/p> <http://e/b> .\n")
    (tmp_path / "graph").mkdir()
    ingest([Source(source, "a.nt")], tmp_path / "graph")
    with pytest.raises(UserError, match="no names to look for"):
        open_linking(LinkerSettings(tmp_path / "graph"))


def test_each_mention_has_as_many_candidates_as_are_asked_for(folder: Path) -> None:
    (few,) = open_linking(LinkerSettings(folder)).find("long slender fingers")
    (many,) = open_linking(LinkerSettings(folder, candidates=2)).find("long slender fingers")
    assert many.entity == few.entity
    assert many.candidates[: len(few.candidates)] == few.candidates
    assert len(many.candidates) >= len(few.candidates)
