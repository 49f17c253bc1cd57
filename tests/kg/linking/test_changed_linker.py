"""What a changed graph changes in a text's links: against linking the text anew."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking import common_names, name_variants, word_forms
from infact.kg.linking.changed_linker import ChangedLinker
from infact.kg.linking.changed_names import GONE
from infact.kg.linking.changes import Change, ChangeKind
from infact.kg.linking.linker import Linker
from infact.kg.linking.mentions import Mention
from infact.kg.vocabulary import RDFS

from .test_linker import SmallGraph

EXAMPLES = int(os.environ.get("INFACT_EXAMPLES", "400"))
SUBCLASS = RDFS + "subClassOf"
KINDS = ("label", "exact", "broad")
WORDS = [
    "red",
    "blood",
    "cell",
    "cells",
    "kidney",
    "renal",
    "cyst",
    "cysts",
    "cystic",
    "of",
    "the",
    "skin",
    "and",
    "a",
    "big",
    "old",
    "cold",
    "sore",
]


class Entity(NamedTuple):
    names: tuple[tuple[str, str], ...]  # text, kind
    above: frozenset[int] = frozenset()
    joined: frozenset[int] = frozenset()
    deprecated: bool = False
    text: str = ""


class Graph(SmallGraph):
    """Entities of the same number are the same, wherever they stand in the graph."""

    def __init__(self, entities: Mapping[int, Entity], same_degrees: bool = False) -> None:
        present = sorted(entities)
        row = {number: at for at, number in enumerate(present)}
        names = [(row[n], text, kind) for n in present for text, kind in entities[n].names]
        triples = [
            (row[number], relation, row[other])
            for number in present
            for relation, others in enumerate((entities[number].above, entities[number].joined))
            for other in sorted(others)
            if other in row
        ]
        super().__init__(
            names or [(0, "nothing", "label")],
            triples,
            frozenset(row[number] for number in present if entities[number].deprecated),
            {row[number]: entities[number].text for number in present if entities[number].text},
            (SUBCLASS, "http://example.org/joined"),
        )
        if same_degrees:
            ones = pa.array([1] * len(self.entities_table), pa.int32())
            self.entities_table = self.entities_table.set_column(1, "degree", ones)
        count = len(self.entities_table)
        iris = [f"http://example.org/{number:03}" for number in present][:count]
        iris += [f"http://example.org/none/{n}" for n in range(count - len(iris))]
        self.entities_table = self.entities_table.append_column("iri", pa.array(iris))

    def iri(self, entity: int) -> str:
        found: str = self.entities_table["iri"][entity].as_py()
        return found


# Few enough words that names teach forms of words, and words that are taken for each other.
PAIRS = [
    f"{one} {other}" for one in ("kidney", "renal", "skin") for other in ("cyst", "cystic", "cell")
]
names = st.tuples(
    st.sampled_from(PAIRS) | st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
    st.sampled_from(KINDS),
)
PIECES = (*PAIRS, *WORDS, "cysst", "kidneys", "(", ")", ",", ".")
texts = st.lists(st.sampled_from(PIECES), max_size=14)
entities = st.builds(
    Entity,
    st.lists(names, min_size=1, max_size=3, unique=True).map(tuple),
    st.frozensets(st.integers(0, 7), max_size=2),
    st.frozensets(st.integers(0, 7), max_size=3),
    st.booleans(),
    texts.map(" ".join),
)
graphs = st.dictionaries(st.integers(0, 7), entities, min_size=1, max_size=8)


class Versions(NamedTuple):
    """A graph, what it has become, and a text of its words."""

    old: dict[int, Entity]
    new: dict[int, Entity]
    text: str


@st.composite
def versions(draw: st.DrawFn) -> Versions:
    """A graph changed in a few places."""
    old = draw(graphs)
    new = dict(old)
    for number, entity in draw(st.dictionaries(st.integers(0, 7), entities, max_size=2)).items():
        if number not in new or draw(st.booleans()):
            new[number] = entity
            continue
        field = draw(st.sampled_from([*Entity._fields, "names", "above"]))
        new[number] = new[number]._replace(**{field: getattr(entity, field)})
    for number in draw(st.frozensets(st.sampled_from(sorted(new)), max_size=1)):
        del new[number]
    known = sorted({name for each in (*old.values(), *new.values()) for name, _ in each.names})
    said = draw(st.lists(st.sampled_from([*known, *PIECES]), max_size=6))
    return Versions(old, new, " ".join(said))


def told(mention: Mention, graph: Graph) -> tuple[object, ...]:
    """A mention without the numbers of entities."""
    named = [(graph.iri(each.entity), *rest(each)) for each in mention.candidates if not each.near]
    entity = None if mention.entity is None else graph.iri(mention.entity)
    return mention.start, mention.end, mention.surface, entity, named


def rest(candidate: object) -> tuple[object, ...]:
    return candidate.score, candidate.name, candidate.kind  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _rules_of_one_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs teach as large ones do: endings, substitutions and common words."""
    monkeypatch.setattr(word_forms, "MIN_STEMS", 1)
    monkeypatch.setattr(name_variants, "MIN_ENTITIES", 1)
    monkeypatch.setattr(common_names, "MIN_TEXTS", 1)
    monkeypatch.setattr(common_names, "MIN_LENGTH", 1)


def check(
    old: Mapping[int, Entity],
    new: Mapping[int, Entity],
    text: str,
    way: str,
    same_degrees: bool = True,
) -> list[Change]:
    """The changes; where there are none, linking anew gives what was kept."""
    graphs = Graph(old, same_degrees), Graph(new, same_degrees)
    linkers = [Linker.build(graph) for graph in graphs]  # type: ignore[arg-type]
    before, after = (getattr(linker, way)(text) for linker in linkers)
    changed = ChangedLinker(*linkers)
    changes = changed.changes(text, before, nested=way == "link_all")
    if not changes:
        kept = [told(changed.kept(mention), graphs[1]) for mention in before]
        assert kept == [told(mention, graphs[1]) for mention in after]
    return changes


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    versions(),
    st.sampled_from(["link", "link_all", "link_all"]),
    st.sampled_from([True, True, False]),
)
def test_a_text_without_changes_is_linked_as_it_was(
    versions: Versions, way: str, same_degrees: bool
) -> None:
    check(*versions, way, same_degrees)


@settings(max_examples=100, deadline=None)
@given(graphs, texts.map(" ".join))
def test_an_unchanged_graph_changes_nothing(graph: dict[int, Entity], text: str) -> None:
    assert check(graph, graph, text, "link_all") == []


KIDNEY = Entity((("Kidney", "label"),))
CYST = Entity((("Kidney cyst", "label"),))
BASE = {0: KIDNEY, 1: CYST, 2: Entity((("Skin", "label"),))}
TEXT = "A kidney cyst of the skin."


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({**BASE, 3: Entity((("Gout", "label"),))}, []),
        ({**BASE, 3: Entity((("Red skin", "label"),))}, []),
        (
            {**BASE, 3: Entity((("Cyst of skin", "label"),))},
            [Change(ChangeKind.NAME_ADDED, "Cyst of skin", "http://example.org/003")],
        ),
        (
            {0: KIDNEY, 1: CYST},
            [Change(ChangeKind.NAME_GONE, "Skin", "http://example.org/002")],
        ),
        (
            {**BASE, 0: Entity((("Kidney", "exact"),))},
            [Change(ChangeKind.NAME_CHANGED, "Kidney", "http://example.org/000")],
        ),
        (
            {**BASE, 0: KIDNEY._replace(deprecated=True)},
            [Change(ChangeKind.NAME_CHANGED, "Kidney", "http://example.org/000")],
        ),
    ],
)
def test_the_changes_are_told(now: dict[int, Entity], expected: list[Change]) -> None:
    assert check(BASE, now, TEXT, "link_all") == expected


def test_words_taken_for_each_other_are_told() -> None:
    teaching = Entity((("Kidney cyst", "label"), ("Renal cyst", "exact")))
    old = {0: teaching, 1: Entity((("Kidney cell", "label"),))}
    unlearnt = {**old, 0: Entity(teaching.names[:1])}
    changes = check(old, unlearnt, "a renal cell", "link")
    assert [(change.kind, change.about) for change in changes] == [
        (ChangeKind.SUBSTITUTION, "kidney, renal")
    ]
    assert check(old, unlearnt, "a renal. Cell", "link") == []
    changes = check({0: teaching}, old, "a renal cell", "link")
    assert [(change.kind, change.about) for change in changes] == [
        (ChangeKind.NAME_ADDED, "Kidney cell")
    ]


def test_a_word_that_becomes_another_words_form_is_told() -> None:
    old = {0: Entity((("Cyst wall", "label"), ("Cystic wall", "exact"))), 1: CYST}
    new = {**old, 0: Entity((("Cyst wall", "label"), ("Cystic big hole", "exact")))}
    changes = check(old, new, "cystic kidney", "link")
    assert [change.kind for change in changes] == [ChangeKind.WORD]


def test_an_entity_that_shares_a_name_is_asked_for_its_context() -> None:
    old = {0: Entity((("Cold", "label"),), text="a temperature"), 1: Entity((("Cold", "exact"),))}
    new = {**old, 1: old[1]._replace(text="a sore of the skin")}
    expected = [Change(ChangeKind.CONTEXT, "", "http://example.org/001")]
    assert check(old, new, "a cold", "link") == expected
    assert check(old, new, "a sore", "link") == []
    alone = {0: KIDNEY}
    assert check(alone, {0: KIDNEY._replace(text="an organ")}, "kidney", "link") == []


def test_an_entity_that_shares_a_name_is_asked_for_its_neighbours() -> None:
    beside = {2: Entity((("Gout", "exact"),)), 3: Entity((("Podagra", "exact"),))}  # no labels
    cold = Entity((("Cold", "label"),))
    old = {0: cold._replace(joined=frozenset({2})), 1: cold, **beside}
    new = {**old, 0: cold._replace(joined=frozenset({3}))}
    changes = check(old, new, "a cold and gout", "link")
    assert [change.kind for change in changes] == [ChangeKind.CONTEXT]


def test_a_hierarchy_changes_what_stands_inside_another_mention() -> None:
    degrees = Entity((), joined=frozenset({0, 9}))  # so that their magnitude stays
    top = {8: degrees, 9: Entity((("Thing", "label"),))}
    old = {**top, 0: KIDNEY._replace(above=frozenset({9})), 1: CYST._replace(above=frozenset({0}))}
    new = {**old, 1: CYST._replace(above=frozenset({9}))}
    changes = check(old, new, "kidney cyst", "link_all")
    assert [change.kind for change in changes] == [ChangeKind.HIERARCHY]
    assert changes[0].about == "Kidney, Kidney cyst"
    assert check(old, new, "kidney and cyst", "link_all") == []
    assert check(old, new, "kidney cyst", "link") == []


def test_a_degree_counts_by_its_magnitude() -> None:
    def joined(count: int) -> dict[int, Entity]:
        others = frozenset(range(1, 1 + count))
        return {0: KIDNEY._replace(joined=others), **{n: Entity(()) for n in others}}

    kinds = [change.kind for change in check(joined(3), joined(4), "kidney", "link", False)]
    assert set(kinds) == {ChangeKind.LARGEST_DEGREE, ChangeKind.DEGREE}
    assert check(joined(2), joined(3), "kidney", "link", False) == []


def test_entities_are_found_by_their_iris() -> None:
    old, new = Graph({1: KIDNEY, 2: CYST}), Graph({0: BASE[2], 2: CYST})
    changed = ChangedLinker(Linker.build(old), Linker.build(new))  # type: ignore[arg-type]
    assert np.array_equal(changed.numbers, [GONE, 1])


def test_near_names_are_left_to_be_filled_in() -> None:
    graph = Graph(BASE)
    linker = Linker.build(graph)  # type: ignore[arg-type]
    mention = linker.with_candidates(linker.link("kidney cyst")[0], 3)
    kept = ChangedLinker(linker, linker).kept(mention)
    assert [each.near for each in mention.candidates] == [False, True]
    assert kept == replace(mention, candidates=mention.candidates[:1])


def test_of_all_versions_some_change_links() -> None:
    """The property above would hold if nothing were ever linked."""

    def linked(sequence: Sequence[str]) -> int:
        graph = Graph(BASE)
        return len(Linker.build(graph).link_all(" ".join(sequence)))  # type: ignore[arg-type]

    assert linked(["kidney", "cyst"]) == 2
