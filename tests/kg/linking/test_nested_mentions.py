"""Mentions inside others, homonyms settled by the document, and all mentions as against the longest."""

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.hierarchy import HIERARCHY, Hierarchy
from infact.kg.linking.linker import Linker

from .test_linker import PIECES, VARIED, SmallGraph, found

LABELS = ["hearing loss", "sensorineural hearing loss", "cold sore", "cold", "illness", "kidney"]
LABELS += ["kidney cyst"]
NAMES = [(entity, label, "label") for entity, label in enumerate(LABELS)]
BROADER = [(0, 0, 4), (1, 0, 0), (2, 0, 4), (3, 0, 4), (6, 0, 4)]


def linker() -> Linker:
    return Linker.build(SmallGraph(NAMES, triples=sorted(BROADER), relations=HIERARCHY[:1]))


def test_what_is_above_and_what_is_unlike() -> None:
    hierarchy = Hierarchy(SmallGraph(NAMES, triples=sorted(BROADER), relations=HIERARCHY[:1]), [0])
    assert hierarchy.ancestors(1) == {0, 4}
    assert hierarchy.ancestors(4) == frozenset()
    assert hierarchy.unlike(3, 2)
    assert not hierarchy.unlike(0, 1), "above it"
    assert not hierarchy.unlike(5, 6), "in no common hierarchy"


def test_a_loop_in_the_hierarchy_ends() -> None:
    loop = SmallGraph(NAMES[:3], triples=[(0, 0, 1), (1, 0, 2), (2, 0, 0)], relations=HIERARCHY[:1])
    assert Hierarchy(loop, [0]).ancestors(0) == {0, 1, 2}


def test_broader_mentions_stay_and_words_of_another_sense_are_nil() -> None:
    links = linker()
    assert found(links.link_all("sensorineural hearing loss")) == [
        ("sensorineural hearing loss", 1),
        ("hearing loss", 0),
    ]
    assert found(links.link_all("a kidney cyst")) == [("kidney cyst", 6), ("kidney", 5)]
    mentions = links.link_all("a cold sore and a cold")
    assert found(mentions)[1:] == [("cold", None), ("cold", 3)]
    assert mentions[1].candidates, "what it might have been is kept"


def test_members_of_a_coordination_are_mentions_of_their_own() -> None:
    names = [
        (0, "aplastic nails", "label"),
        (1, "hypoplastic nails", "label"),
        (2, "nails", "label"),
    ]
    graph = SmallGraph(names, triples=[(0, 0, 2), (1, 0, 2)], relations=HIERARCHY[:1])
    assert found(Linker.build(graph).link_all("aplastic or hypoplastic nails")) == [
        ("aplastic or hypoplastic nails", 0),
        ("hypoplastic nails", 1),
        ("nails", 2),
    ]


def test_longest_mentions_leave_nested_ones_out() -> None:
    assert found(linker().link("sensorineural hearing loss")) == [("sensorineural hearing loss", 1)]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_all_mentions_are_pieces_of_the_text_in_order(text: str) -> None:
    mentions = VARIED.link_all(text)
    spans = [(mention.start, -mention.end) for mention in mentions]
    assert spans == sorted(set(spans))
    assert all(text[each.start : each.end] == each.surface != "" for each in mentions)
    for longest in VARIED.link(text):
        around = [each for each in mentions if each.start <= longest.start < each.end]
        assert around, "a longest mention that is not among all of them"


def test_the_document_settles_a_homonym() -> None:
    names = [(0, "Mercury", "label"), (1, "Mercury", "label"), (2, "Venus", "label")]
    graph = SmallGraph([*names, (3, "Lead", "label")], triples=[(0, 0, 2), (1, 0, 3)])
    links = Linker.build(graph)
    assert links.link("Mercury is small. Something else. Venus is not.")[0].entity == 0
    assert links.link("Mercury is heavy. Something else. Lead is too.")[0].entity == 1
    scores = [candidate.score for candidate in links.link("Mercury. Venus.")[0].candidates]
    assert 0 < sum(scores) < 1
