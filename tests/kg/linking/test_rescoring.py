"""Which mentions are scored again, what the scoring function is told, and what its scores decide."""

import pytest
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.linking.entity_texts import entity_texts
from infact.kg.linking.graph_without_names import GraphWithoutNames
from infact.kg.linking.linker import MIN_SCORE, Linker
from infact.kg.linking.linking_scores import fold_text
from infact.kg.linking.mentions import Candidate, Mention
from infact.kg.linking.rescoring import AROUND, COMPETING, Rescoring
from infact.kg.readers.sources import Source

TURTLE = """\
@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:planet rdfs:label "Mercury" ; skos:definition "It is nearest to the sun." .
ex:metal rdfs:label "Mercury" ; rdfs:subClassOf ex:element .
ex:element rdfs:label "Chemical element" .
ex:cyst rdfs:label "Kidney cyst" ; skos:altLabel "Cyst of the kidney" , "Renal cyst" .
ex:stone rdfs:label "Kidney stone" .
ex:gone rdfs:label "Kidney gravel" ; <http://www.w3.org/2002/07/owl#deprecated> true .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rescored") / "graph"
    source = folder.with_suffix(".ttl")
    source.write_text(TURTLE, encoding="utf-8")
    folder.mkdir()
    ingest([Source(source, "small.ttl")], folder)
    return KnowledgeGraph.open(folder)


@pytest.fixture(scope="module")
def linker(graph):
    return Linker.build(graph)


def number(graph, name):
    return graph.entity(f"http://example.org/{name}")


def favouring(entity, asked=None):
    """Scores by which that entity is nearly certain; what it was asked is put into `asked`."""

    def score(opened):
        if asked is not None:
            asked.extend(opened)
        return [[0.9 if c.entity == entity else 0.01 for c in each.candidates] for each in opened]

    return score


def nobody(opened):
    return [[0.1 * MIN_SCORE] * len(each.candidates) for each in opened]


def test_a_name_that_one_entity_bears_is_left_to_the_linker(graph, linker):
    def never(opened):
        raise AssertionError(opened)

    text = "A kidney stone and renal cysts."
    assert linker.rescored(never).link_all(text) == linker.link_all(text)
    assert linker.rescored(never).candidates("kidney stone", 2) == linker.candidates(
        "kidney stone", 2
    )


@pytest.mark.parametrize("name", ["planet", "metal"])
def test_homonyms_are_settled_by_the_scores(graph, linker, name):
    asked = []
    text = "First of all. They saw Mercury at dawn! And then no more."
    (mention,) = linker.rescored(favouring(number(graph, name), asked)).link(text)
    assert mention.entity == number(graph, name)
    assert (mention.surface, mention.candidates[0].score) == ("Mercury", 0.9)
    (opened,) = asked
    assert opened.sentence == "They saw Mercury at dawn!"
    assert opened.sentence[opened.start : opened.end] == "Mercury"
    assert {each.entity for each in opened.candidates} >= {
        number(graph, "planet"),
        number(graph, "metal"),
    }


def test_what_no_score_speaks_for_is_nil(linker):
    (mention,) = linker.rescored(nobody).link("They saw Mercury.")
    assert mention.entity is None
    assert mention.candidates


def test_a_text_that_is_no_name_has_the_scored_entities_of_near_names(graph, linker):
    found = linker.rescored(favouring(number(graph, "cyst"))).candidates("polycystic kidney", 3)
    assert (found[0].entity, found[0].score) == (number(graph, "cyst"), 0.9)
    assert len({each.entity for each in found}) == len(found)
    assert linker.rescored(nobody).candidates("nothing of the sort", 3) == ()


def test_nil_for_another_reason_stays_nil(linker):
    rescoring = Rescoring(favouring(0), lambda text, found, count: tuple(found), MIN_SCORE)
    likely = (Candidate(0, 0.5, "Cat", "label"), Candidate(1, 0.3, "Cat", "label"))
    unlikely = tuple(Candidate(n, 0.15, "Cat", "label") for n in range(4))
    assert not rescoring.is_open(Mention(0, 3, "cat", None, likely))
    assert rescoring.is_open(Mention(0, 3, "cat", 0, likely))
    assert rescoring.is_open(Mention(0, 3, "cat", None, unlikely))
    assert not rescoring.is_open(Mention(0, 3, "cat", 0, likely[:1]))
    assert rescoring.is_open(Mention(0, 4, "kitty", 0, likely[:1]))


def test_a_sentence_is_cut_to_what_is_near_its_mention(graph, linker):
    asked = []
    text = "word " * 300 + "Mercury" + " word" * 300
    linker.rescored(favouring(number(graph, "metal"), asked)).link(text)
    (opened,) = asked
    assert opened.sentence[opened.start : opened.end] == "Mercury"
    assert len(opened.sentence) == 2 * AROUND + len("Mercury")
    assert len(opened.candidates) <= COMPETING


def test_a_mention_that_passes_words_over_is_left_alone(graph, linker):
    asked = []
    rescored = linker.rescored(favouring(number(graph, "stone"), asked))
    text = "Liver or kidney cysts, a renal large cyst."
    mentions = linker.link_all(text)
    assert any(each.surface == "renal large cyst" for each in mentions)
    assert rescored.link_all(text) == mentions
    assert not asked


def test_abbreviations_follow_their_long_form(graph, linker):
    text = "The cyst of kidney (COK) grew. The COK was large."
    asked = []
    mentions = linker.rescored(favouring(number(graph, "cyst"), asked)).link(text)
    short = [each for each in mentions if each.surface == "COK"]
    assert short
    assert all(each.entity == number(graph, "cyst") for each in short)
    assert "COK" not in {each.surface for each in asked}


def test_texts_of_entities(graph):
    texts = entity_texts(graph)
    cyst, metal, planet = (number(graph, name) for name in ("cyst", "metal", "planet"))
    assert sorted(texts.names[cyst]) == ["Cyst of the kidney", "Kidney cyst", "Renal cyst"]
    assert texts.descriptions[metal] == "Mercury; Chemical element"
    assert texts.descriptions[planet] == "Mercury; It is nearest to the sun."
    assert texts.defined == 1
    assert texts.texts() == sorted(set(texts.texts()))
    assert set(entity_texts(graph, [cyst]).names) == {cyst}


def test_a_graph_without_names_lacks_them_alone(graph):
    without = GraphWithoutNames(graph, {fold_text("Renal cysts"), fold_text("mercury")})
    left = set(graph.names_table["name"].to_pylist()) - set(without.names_table["name"].to_pylist())
    assert left == {"Renal cyst", "Mercury"}
    assert without.entity_count == graph.entity_count
