from pathlib import Path

from infact.kg.definitions import definitions
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

TURTLE = """
@prefix e: <http://example.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix obo: <http://purl.obolibrary.org/obo/> .
e:bone e:near e:skin ; skos:definition "Os"@la , "Hard tissue."@en-gb ; skos:note "No definition." .
e:skin obo:IAO_0000115 "Outer tissue." ; skos:definition "Another outer tissue." .
e:heart e:near e:bone ; e:weight 300 .
"""


def test_the_first_in_order_of_languages_and_predicates(tmp_path: Path) -> None:
    source = tmp_path / "body.ttl"
    source.write_text(TURTLE, encoding="utf-8")
    ingest([Source(source, "body.ttl")], tmp_path / "graph")
    graph = KnowledgeGraph.open(tmp_path / "graph")
    names = ("skin", "heart", "bone")
    entities = [graph.entity(f"http://example.org/{name}") for name in names]
    assert definitions(graph, entities) == ["Outer tissue.", "", "Hard tissue."]
    assert definitions(graph, entities[1:2]) == [""]
