"""Alternative and replaced identifiers: chains, cycles, and the same answer from OBO and OWL."""

from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg import vocabulary as v
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source
from infact.kg.views.entity_card import entity_card, find_entity

from .readers.obo_and_owl import OBO_TEXT, OWL_TEXT

E = "http://e.org/"
PREFIXES = Prefixes({"e": E})
TURTLE = f"""@prefix e: <{E}> . @prefix rdfs: <{v.RDFS}> . @prefix owl: <{v.OWL}> .
@prefix oio: <{v.OBO_IN_OWL}> . @prefix obo: <{v.OBO}> . @prefix dcterms: <{v.DCTERMS}> .
e:now rdfs:label "now" ; oio:hasAlternativeId "e:old", "e:bare", "4711", "e:named", "e:live" .
e:x e:points e:bare .
e:named rdfs:label "named" ; owl:deprecated true .
e:live rdfs:label "live" .
e:one rdfs:label "one" ; owl:deprecated true ; obo:IAO_0100001 e:two .
e:two owl:deprecated true ; obo:IAO_0100001 "e:three" ; rdfs:label "two" .
e:three rdfs:label "three" ; dcterms:isReplacedBy e:now .
e:a obo:IAO_0100001 e:b . e:b obo:IAO_0100001 e:a . e:c obo:IAO_0100001 e:a .
e:self obo:IAO_0100001 e:self .
e:split owl:deprecated true ; obo:IAO_0100001 e:now, e:live ; oio:consider "e:x", e:c .
e:lost owl:deprecated true ; obo:IAO_0100001 "e:nowhere" .
e:twice rdfs:label "twice" ; oio:hasAlternativeId "e:both" .
e:again rdfs:label "again" ; oio:hasAlternativeId "e:both" .
"""


def graph_of(folder: Path, name: str, content: str) -> KnowledgeGraph:
    (folder / name).write_text(content, encoding="utf-8")
    ingest([Source(folder / name, name)], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    return graph_of(tmp_path_factory.mktemp("ids"), "a.ttl", TURTLE)


@pytest.mark.parametrize(
    ("asked", "entity", "by", "via", "consider"),
    [
        ("e:now", "now", "itself", (), ()),
        (E + "old", "now", "alternative id", ("old",), ()),
        ("e:bare", "now", "alternative id", ("bare",), ()),
        ("4711", "now", "alternative id", ("4711",), ()),
        ("e:named", "now", "alternative id", ("named",), ()),
        ("e:live", "live", "itself", (), ()),
        ("e:one", "now", "replaced by", ("one", "two", "three"), ()),
        ("e:a", "a", "itself", (), ("b",)),
        ("e:b", "b", "itself", (), ("a",)),
        ("e:c", "a", "replaced by", ("c",), ("b",)),
        ("e:self", "self", "itself", (), ()),
        ("e:split", "split", "itself", (), ("live", "now", "c", "x")),
        ("e:lost", "lost", "itself", (), ("nowhere",)),
    ],
)
def test_what_an_identifier_stands_for(
    graph: KnowledgeGraph,
    asked: str,
    entity: str,
    by: str,
    via: tuple[str, ...],
    consider: tuple[str, ...],
) -> None:
    found = graph.resolve(asked, PREFIXES)
    assert found is not None
    short = [tuple(iri.removeprefix(E) for iri in iris) for iris in (found.via, found.consider)]
    assert graph.iri(found.entity) == E + entity
    assert (found.by, *short) == (by, via, consider)
    again = graph.resolve(graph.iri(found.entity), PREFIXES)
    assert again is not None
    assert again.entity == found.entity


def test_unknown_and_ambiguous_ids(graph: KnowledgeGraph) -> None:
    assert graph.resolve("e:nothing", PREFIXES) is None
    with pytest.raises(UserError, match="2 entities have the alternative id"):
        graph.resolve("e:both", PREFIXES)


def test_a_card_is_found_by_alternative_id_and_tells_what_replaced_it(
    graph: KnowledgeGraph,
) -> None:
    assert find_entity(graph, "e:old", PREFIXES).by == "alternative id"
    out_of_use = find_entity(graph, "e:one", PREFIXES)
    assert graph.iri(out_of_use.entity) == E + "one"
    card = entity_card(graph, out_of_use.entity, 5, PREFIXES)
    assert card.replaced_by is not None
    assert (card.replaced_by.iri, card.replaced_by.label) == (E + "now", "now")
    split = entity_card(graph, graph.entity(E + "split"), 5, PREFIXES)
    assert split.replaced_by is None
    assert [other.label for other in split.consider] == ["live", "now", "c", "x"]


@pytest.mark.parametrize(("name", "content"), [("hp.obo", OBO_TEXT), ("hp.owl", OWL_TEXT)])
def test_obo_and_owl_resolve_alike(tmp_path: Path, name: str, content: str) -> None:
    graph = graph_of(tmp_path, name, content)
    told = {}
    for asked in ("HP:0001505", "HP:0001511", "HP:0004322", "HP:0001166"):
        found = graph.resolve(asked, Prefixes())
        assert found is not None
        iris = [iri.rpartition("_")[2] for iri in found.consider]
        told[asked] = (graph.label(found.entity), found.by, iris)
    assert told == {
        "HP:0001505": ("Arachnodactyly", "alternative id", []),
        "HP:0001511": ("Phenotypic abnormality", "replaced by", []),
        "HP:0004322": ("obsolete Short stature", "itself", ["0000118"]),
        "HP:0001166": ("Arachnodactyly", "itself", []),
    }
    shown = find_entity(graph, "HP:0001505", Prefixes())
    assert graph.label(shown.entity) == "Arachnodactyly"
