"""Gold identifiers in every form that stands for an entity, and those that stand for none."""

import pytest
from infact.kg.corpora.gold_documents import GoldFile
from infact.kg.corpora.gold_entities import GoldIdentifiers, gold_entities
from infact.kg.corpora.gold_entries import GoldDocument, GoldMention
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.json_lines import LineError
from infact.kg.readers.sources import Source

OBO = """format-version: 1.2

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000002
name: Goiter
alt_id: HP:0000012
alt_id: HP:0000020
is_a: HP:0000001

[Term]
id: HP:0000003
name: Arachnodactyly
alt_id: HP:0000020
is_a: HP:0000001

[Term]
id: HP:0000004
name: obsolete Struma
is_obsolete: true
replaced_by: HP:0000002
"""
TTL = """@prefix a: <http://a.org/> . @prefix b: <http://b.org/x,y;> . @prefix c: <http://c.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
a:D1 rdfs:label "one" . a:D2 rdfs:label "two" . c:D2 rdfs:label "other two" . b:D3 rdfs:label "three" .
"""
GOITER = "http://purl.obolibrary.org/obo/HP_0000002"
LONG = "http://purl.obolibrary.org/obo/HP_0000003"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("gold")
    (folder / "a.obo").write_text(OBO, encoding="utf-8")
    (folder / "b.ttl").write_text(TTL, encoding="utf-8")
    ingest([Source(folder / name, name) for name in ("a.obo", "b.ttl")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


@pytest.fixture(scope="module")
def identifiers(graph: KnowledgeGraph) -> GoldIdentifiers:
    return GoldIdentifiers(graph, Prefixes({"a": "http://a.org/"}))


@pytest.mark.parametrize(
    ("id", "iris"),
    [
        (GOITER, [GOITER]),
        (f"<{GOITER}>", [GOITER]),
        ("HP:0000002", [GOITER]),
        ("HP_0000002", [GOITER]),
        ("HP:0000012", [GOITER]),  # alternative
        ("HP:0000004", [GOITER]),  # replaced
        ("HP:0000002|HP:0000003", [GOITER, LONG]),
        ("HP:0000002; HP:0000012", [GOITER]),
        ("a:D1", ["http://a.org/D1"]),
        ("D1", ["http://a.org/D1"]),
        ("D1,HP:0000003", ["http://a.org/D1", LONG]),
        ("http://b.org/x,y;D3", ["http://b.org/x,y;D3"]),  # separators of its own
    ],
)
def test_identifiers_stand_for_entities(graph, identifiers, id, iris):
    assert [graph.iri(entity) for entity in identifiers.entities(id)] == iris


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("HP:0000099", "the graph has no entity 'HP:0000099'"),
        ("http://a.org/D9", "has no entity"),
        ("D9", "has no entity 'D9'"),
        ("D1|D9", "has no entity 'D9'"),
        ("zz:D1", "--prefix zz=IRI"),
        ("HP:0000020", "2 entities have the alternative id"),
        ("D2", "2 entities are called 'D2'"),
    ],
)
def test_others_are_told(identifiers, id, words):
    for _ in range(2):  # the second answer is a kept one
        with pytest.raises(LineError, match=words.replace("|", r"\|")):
            identifiers.entities(id)


def test_a_file_keeps_what_is_known_and_tells_the_rest(graph):
    mentions = (
        GoldMention(0, 3, ("HP:0000012", "HP:0000002"), 3),
        GoldMention(1, 2, ("HP:0000099",), 4),
        GoldMention(2, 3, (), 5),
    )
    gold = GoldFile("gold.tsv", (GoldDocument("7", "abc", mentions, 1),), (), 0, 0)
    (document,), faults = gold_entities(gold, graph, Prefixes({}))
    assert [(span.start, span.end, len(span.entities)) for span in document.spans] == [
        (0, 3, 1),
        (2, 3, 0),
    ]
    assert faults == [("gold.tsv:4", "the graph has no entity 'HP:0000099'")]
