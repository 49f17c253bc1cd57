"""A small graph on disk whose names are looked for in texts."""

from pathlib import Path

import pytest
from infact.kg.ingest import ingest
from infact.kg.linking.text_linking import LinkerSettings, TextLinking, open_linking
from infact.kg.readers.sources import Source

TURTLE = """\
@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:disease rdfs:label "Disease" .
ex:gout rdfs:label "Gout" ; skos:altLabel "Podagra" ; rdfs:subClassOf ex:joint .
ex:joint rdfs:label "Joint disease" ; rdfs:subClassOf ex:disease .
ex:mercury rdfs:label "Mercury" ; rdfs:subClassOf ex:planet .
ex:metal rdfs:label "Mercury" ; rdfs:comment "A metal." .
ex:planet rdfs:label "Planet" .
ex:fingers rdfs:label "Long slender fingers" ; rdfs:subClassOf ex:disease .
ex:japan rdfs:label "日本" .
"""
IRI = "http://example.org/"


def make_graph(folder: Path, turtle: str = TURTLE) -> Path:
    """Ingest it into a folder."""
    source = folder.with_suffix(".ttl")
    source.write_text(turtle, encoding="utf-8")
    folder.mkdir()
    ingest([Source(source, "small.ttl")], folder)
    return folder


@pytest.fixture(scope="session")
def graph_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("linked") / "graph")


@pytest.fixture(scope="session")
def linking(graph_folder: Path) -> TextLinking:
    return open_linking(LinkerSettings(graph_folder))
