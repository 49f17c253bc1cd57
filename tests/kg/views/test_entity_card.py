import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source
from infact.kg.views.entity_card import entity_card, find_entity

LINES = """<http://e/a> <http://www.w3.org/2000/01/rdf-schema#label> "Rome" .
<http://e/b> <http://www.w3.org/2000/01/rdf-schema#label> "Italy" .
<http://e/c> <http://www.w3.org/2000/01/rdf-schema#label> "rome" .
<http://e/d> <http://www.w3.org/2004/02/skos/core#altLabel> "Italia"@it .
<http://e/a> <http://e/capital_of> <http://e/b> .
<http://e/a> <http://e/founded> "-752" .
<http://e/d> <http://e/same> <http://e/a> .
<http://e/c> <http://e/same> <http://e/a> .
"""
PREFIXES = Prefixes({"e": "http://e/"})


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("card")
    (folder / "a.nt").write_text(LINES)
    ingest([Source(folder / "a.nt", "a.nt")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


def test_a_card_tells_both_directions_and_where_it_was_read(graph: KnowledgeGraph) -> None:
    card = entity_card(graph, graph.entity("http://e/a"), 1, PREFIXES)
    assert (card.label, card.degree, card.deprecated) == ("Rome", 3, False)
    (out,) = card.outgoing
    assert (out.label, out.count, out.neighbours[0].label) == ("capital of", 1, "Italy")
    assert (out.neighbours[0].origin.source, out.neighbours[0].origin.line) == ("a.nt", 5)
    (into,) = card.incoming
    assert (into.relation, into.count, len(into.neighbours)) == ("http://e/same", 2, 1)
    assert "-752" in [literal.value for literal in card.literals]


@pytest.mark.parametrize(
    ("asked", "iri"),
    [
        ("http://e/a", "http://e/a"),
        ("e:b", "http://e/b"),
        ("ITALY", "http://e/b"),
        ("italia", "http://e/d"),
    ],
)
def test_an_entity_is_found_by_iri_short_form_and_name(
    graph: KnowledgeGraph, asked: str, iri: str
) -> None:
    assert graph.iri(find_entity(graph, asked, PREFIXES).entity) == iri


def test_a_name_of_several_entities_names_them_all(graph: KnowledgeGraph) -> None:
    with pytest.raises(UserError, match="2 entities are called 'Rome'") as caught:
        find_entity(graph, "Rome", PREFIXES)
    assert "e:a (Rome), e:c (rome)" in str(caught.value)


def test_an_unknown_name_tells_the_nearest(graph: KnowledgeGraph) -> None:
    with pytest.raises(UserError, match="did you mean http://e/b"):
        find_entity(graph, "Itally", PREFIXES)
