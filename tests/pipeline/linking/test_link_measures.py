"""Measures against plain counting, slices and errors on cases that can be checked by eye."""

import csv
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.corpora.gold_entities import AnnotatedDocument, GoldSpan
from infact.kg.hierarchy import Hierarchy
from infact.pipeline.linking.link_errors import link_errors, write_link_errors
from infact.pipeline.linking.link_evaluation import link_measures
from infact.pipeline.linking.link_measures import (
    ancestors_below,
    document_counts,
    hierarchical_counts,
    link_measure,
    mention_counts,
    overlap_counts,
)
from infact.pipeline.linking.link_slices import SurfaceNames, precision_by_kind, recall_slices
from infact.pipeline.linking.linked_documents import LinkedSpan, beside, counted_gold

TEXT = "large spleens and a spleen"


def link(start, end, entity, score=0.9, kind="label"):
    return LinkedSpan(start, end, entity, score, f"name {entity}", kind)


def document(gold, links, id="7", text=TEXT):
    spans = tuple(GoldSpan(start, end, tuple(entities)) for start, end, *entities in gold)
    return beside(AnnotatedDocument(id, text, spans), links)


def figures(measure):
    return measure.right, measure.linked, measure.found, measure.gold


# Gold: large spleens = 1, spleens = 2, spleen = 2. Found: spleens = 2, spleen = 3.
SPLEENS = document([(0, 13, 1), (6, 13, 2), (20, 26, 2)], [link(6, 13, 2), link(20, 26, 3)])


def test_the_four_rules_differ():
    measures = link_measures([SPLEENS], lambda entity: {9} if entity in (2, 3) else set())
    assert figures(measures["mentions"]) == (1, 2, 1, 3)
    assert figures(measures["overlaps"]) == (1, 2, 1, 3)
    assert figures(measures["documents"]) == (1, 2, 1, 2)  # {2, 3} and {1, 2}
    assert figures(measures["hierarchical"]) == (2, 3, 2, 3)  # {2, 3, 9} and {1, 2, 9}
    assert measures["mentions"].f1.estimate == pytest.approx(2 * 1 / (2 + 3))
    assert "hierarchical" not in link_measures([SPLEENS], None)


def test_an_overlap_is_enough_for_the_second_rule():
    found = document([(0, 13, 1)], [link(6, 13, 1), link(13, 17, 1)])
    assert mention_counts([found]).tolist() == [[0, 2, 0, 1]]
    assert overlap_counts([found]).tolist() == [[1, 2, 1, 1]]  # side by side is no overlap


def test_of_several_entities_any_is_right():
    found = document([(0, 13, 1, 2), (20, 26, 3, 4)], [link(0, 13, 2)])
    assert mention_counts([found]).tolist() == [[1, 1, 1, 2]]
    assert document_counts([found]).tolist() == [[1, 1, 1, 2]]  # {2} and {2, 3}


def test_nothing_linked_is_no_precision_and_no_f1():
    measure = link_measure(mention_counts([document([(0, 13, 1)], [])]))
    assert (measure.precision.estimate, measure.recall.estimate, measure.f1.estimate) == (
        None,
        0,
        0,
    )
    empty = link_measure(mention_counts([document([], [])]))
    assert empty.f1.estimate is None
    with pytest.raises(ValueError, match="one document"):
        link_measure(mention_counts([]))


def test_one_document_tells_nothing_of_others():
    f1 = link_measure(mention_counts([SPLEENS])).f1
    assert (f1.low, f1.high) == (0, 1)


def test_intervals_are_of_draws_of_whole_documents():
    right, wrong = document([(0, 5, 1)], [link(0, 5, 1)]), document([(0, 5, 1)], [link(0, 5, 2)])
    documents = [right] * 30 + [wrong] * 10
    measure = link_measure(mention_counts(documents))
    random = np.random.default_rng(1)
    draws = [random.choice([1.0] * 30 + [0.0] * 10, 40).mean() for _ in range(4000)]
    low, high = np.quantile(draws, [0.025, 0.975])
    assert measure.f1.estimate == 0.75
    assert measure.f1.low == pytest.approx(low, abs=0.03)
    assert measure.f1.high == pytest.approx(high, abs=0.03)
    # The same links in fewer documents, which differ from each other, tell less.
    crowded = [
        document(
            [(n, n + 1, 1) for n in range(10)],
            [link(n, n + 1, 1 if at < 3 else 2) for n in range(10)],
        )
        for at in range(4)
    ]
    wider = link_measure(mention_counts(crowded)).f1
    assert wider.estimate == 0.75
    assert wider.high - wider.low > 1.5 * (measure.f1.high - measure.f1.low)


SPANS = st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(0, 3))


@given(st.lists(st.tuples(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6)), min_size=1))
def test_measures_are_what_plain_counting_gives(pairs):
    """With one entity a mention, as the definitions read: intersections of sets."""
    documents, mentions, sets, tables = [], [0, 0, 0], [0, 0, 0], []
    parents = {3: 2, 2: 1, 1: 0}
    above = {0: set(), 1: set(), 2: {1}, 3: {2, 1}}  # without the top, 0
    for gold_spans, link_spans in pairs:
        gold = {(start, start + length, entity) for start, length, entity in gold_spans}
        linked = {(start, start + length, entity) for start, length, entity in link_spans}
        documents.append(document(sorted(gold), [link(*each) for each in sorted(linked)]))
        for into, found, meant in (
            (mentions, linked, gold),
            (sets, {e for *_, e in linked}, {e for *_, e in gold}),
        ):
            for place, count in enumerate((found & meant, found, meant)):
                into[place] += len(count)
        extended = [
            {each for *_, entity in side for each in (entity, *above[entity])}
            for side in (linked, gold)
        ]
        tables.append([len(extended[0] & extended[1]), *map(len, extended)])
    hierarchy = Hierarchy(graph_of(parents), [0])
    found = link_measures(documents, ancestors_below(hierarchy, None))
    assert figures(found["mentions"]) == (mentions[0], mentions[1], mentions[0], mentions[2])
    assert figures(found["documents"]) == (sets[0], sets[1], sets[0], sets[2])
    right, linked, gold = map(sum, zip(*tables, strict=True))
    assert figures(found["hierarchical"]) == (right, linked, right, gold)
    if mentions[1] + mentions[2]:
        f1 = Fraction(2 * mentions[0], mentions[1] + mentions[2])
        assert found["mentions"].f1.estimate == pytest.approx(float(f1))


class TriplesAlone:
    """What a hierarchy reads of a graph."""

    def __init__(self, triples):
        self.triples = triples

    def objects(self, subject, relation):
        rows = (self.triples[:, 0] == subject) & (self.triples[:, 1] == relation)
        return self.triples[rows, 2]


def graph_of(parents):
    triples = np.array(sorted((child, 0, parent) for child, parent in parents.items()))
    return TriplesAlone(triples.reshape(-1, 3))


def test_ancestors_stop_below_the_root_and_survive_circles():
    #    0 ← 1 ← 2 ← 3 → 4, and 5 ⇄ 6 → 0
    triples = [
        (1, 0, 0),
        (2, 0, 1),
        (3, 0, 2),
        (3, 0, 4),
        (5, 0, 6),
        (6, 0, 5),
        (6, 0, 0),
        (4, 1, 0),
    ]
    hierarchy = Hierarchy(TriplesAlone(np.array(sorted(triples))), [0])
    assert hierarchy.ancestors(3) == {0, 1, 2, 4}
    assert hierarchy.ancestors(5) == {0, 5, 6}
    assert hierarchy.below(1) == {1, 2, 3}
    assert hierarchy.below(5) == {5, 6}
    assert set(ancestors_below(hierarchy, None)(3)) == {1, 2}  # 0 and 4 are tops
    assert set(ancestors_below(hierarchy, 1)(3)) == {2}


def test_hierarchical_counts_an_entity_that_is_the_top_itself():
    counts = hierarchical_counts([document([(0, 5, 0)], [link(0, 5, 0)])], lambda entity: ())
    assert counts.tolist() == [[1, 1, 1, 1]]


def test_gold_outside_the_root_is_left_out_and_counted():
    spans = (
        GoldSpan(0, 5, (1,)),
        GoldSpan(0, 6, (1, 2)),
        GoldSpan(1, 5, (2, 3)),
        GoldSpan(2, 5, ()),
    )
    gold = counted_gold([AnnotatedDocument("7", TEXT, spans)], {1})
    assert gold.documents[0].spans == (
        GoldSpan(0, 5, (1,)),
        GoldSpan(0, 6, (1,)),
        GoldSpan(2, 5, ()),
    )
    assert (gold.outside, gold.outside_entities) == (1, {2, 3})
    assert counted_gold([AnnotatedDocument("7", TEXT, spans)], None).outside == 0


class Named:
    """What slices and errors read of a graph: names of entities."""

    def __init__(self, names):
        self.names = names
        pairs = [(entity, name) for entity, own in names.items() for name in own]
        columns = {"entity": [each for each, _ in pairs], "name": [name for _, name in pairs]}
        self.names_table = {
            column: SimpleNamespace(to_pylist=lambda values=values: values)
            for column, values in columns.items()
        }

    def names_of(self, entity):
        return [SimpleNamespace(text=text) for text in self.names[entity]]

    def label(self, entity):
        return self.names[entity][0]

    def iri(self, entity):
        return f"http://e.org/{entity}"


NAMED = Named({1: ["Splenomegaly"], 2: ["Spleen"], 3: ["spleen", "milt"], 4: ["Large"]})


def test_slices_say_what_is_found():
    gold = [(0, 13, 1), (6, 13, 2), (20, 26, 2), (0, 5), (14, 17)]
    links = [link(6, 13, 2), link(20, 26, 3, kind="exact"), link(0, 5, 4)]
    documents = [document(gold, links)]
    names = SurfaceNames.gather(NAMED, documents, None)
    found = recall_slices(documents, names)
    assert {name: share and (share.estimate, share.n) for name, share in found.items()} == {
        "exact": (0, 1),  # spleen
        "variant": (1, 1),  # spleens
        "unseen synonym": (0, 1),  # large spleens
        "nested": (1, 1),
        "homonym": (0.5, 2),
        "NIL": (0.5, 2),
    }
    kinds = precision_by_kind(documents)
    assert [(kind, kinds[kind].estimate, kinds[kind].n) for kind in kinds] == [
        ("label", 0.5, 2),
        ("exact", 0, 1),
    ]
    # Among 1 and 2 alone, no name is one of two.
    alone = recall_slices(documents, SurfaceNames.gather(NAMED, documents, {1, 2}))
    assert alone["homonym"] is None


def test_every_error_is_one_row():
    gold = [(0, 13, 1), (6, 13, 2), (20, 26, 2)]
    links = [link(0, 5, 4), link(6, 13, 2), link(20, 26, 3)]
    rows = list(link_errors([document(gold, links)], NAMED))
    assert [(row.error, row.surface, row.gold_label, row.linked_label) for row in rows] == [
        ("false positive", "large", "", "Large"),
        ("miss", "large spleens", "Splenomegaly", ""),
        ("wrong entity", "spleen", "Spleen", "spleen"),
    ]
    assert rows[0].beside == "large spleens = Splenomegaly"
    assert rows[1].beside == "large = Large | spleens = Spleen"
    assert rows[2].context == "large spleens and a ⟦spleen⟧"


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6))
def test_errors_add_up(gold_spans, link_spans):
    """Wrong and false links are those that aren't right; misses and wrong ones hold all not found."""
    gold = sorted({(start, start + length, entity) for start, length, entity in gold_spans})
    links = sorted({(start, start + length, entity) for start, length, entity in link_spans})
    found = document(gold, [link(*each) for each in links])
    graph = Named({entity: [f"name {entity}"] for entity in range(4)})
    rows = list(link_errors([found], graph))
    right, linked, hit, meant = mention_counts([found])[0]
    assert sum(row.error != "miss" for row in rows) == linked - right
    wrong_spans = {(row.start, row.end) for row in rows if row.error == "wrong entity"}
    missed = [each for each in gold if each not in links]
    assert len(missed) == meant - hit
    misses = [(row.start, row.end) for row in rows if row.error == "miss"]
    assert sorted(misses) == sorted(each[:2] for each in missed if each[:2] not in wrong_spans)


def test_errors_are_written_whole_and_in_one_line_each(tmp_path):
    text = "a\tlarge\n\x1b[31mspleen"
    found = document([(2, 7, 1)], [link(13, 19, 2)], text=text)
    path = tmp_path / "errors.tsv"
    assert write_link_errors(link_errors([found], NAMED), path) == 2
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["error"] for row in rows] == ["miss", "false positive"]
    assert rows[0]["context"] == "a ⟦large⟧ [31mspleen"
    assert len(path.read_bytes().splitlines()) == 3
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UserError, match="can't be written"):
        write_link_errors([], tmp_path / "absent" / "errors.tsv")
