"""Taught facts held against a newer graph, case by case."""

from collections.abc import Mapping, Sequence

import pytest
from infact.kg.linking.name_groups import name_groups
from infact.kg.questions.changed_facts import NO_ENTITY, FactChanges, added_facts, fact_changes
from infact.kg.questions.splits import askable_facts, subjects_of

LABELS = {
    "no": "Norway", "fi": "Finland", "pe": "Peru", "it": "Italy", "ch": "Chad",
    "oslo": "Oslo", "bergen": "Bergen", "lima": "Lima", "rome": "Rome", "turku": "Turku",
    "helsinki": "Helsinki", "moroni": "Moroni",
}  # fmt: skip
OLD = [
    ("no", "capital", "oslo"),
    ("fi", "capital", "turku"),
    ("pe", "capital", "lima"),
    ("it", "capital", "rome"),
    ("it", "city", "rome"),
]


def taught(graph, *names: str) -> list[dict[str, object]]:
    """Rows of facts.parquet about these countries' capitals."""
    rows = []
    for name in names:
        objects = graph.objects(graph.id[name], graph.relation_id["capital"]).tolist()
        rows.append(
            {
                "fact": f"T-{name}",
                "subject_iri": graph.iri(graph.id[name]),
                "predicate_iri": "http://example.org/capital",
                "subject_label": graph.label(graph.id[name]),
                "objects": objects,
                "answer": graph.label(objects[0]),
                "option_entities": objects,
                "correct": 0,
            }
        )
    return rows


def askable(graph):
    relations = [graph.relation_id["capital"]]
    groups = name_groups(graph, subjects_of(graph, relations).tolist())
    return askable_facts(graph, relations, groups, 4, 0)[0]


@pytest.fixture
def compared(small_graph):
    def compare(
        triples: Sequence[tuple[str, str, str]], labels: Mapping[str, str] = LABELS
    ) -> tuple[FactChanges, object]:
        older, newer = small_graph(OLD, LABELS), small_graph(triples, labels)
        rows = taught(older, "no", "fi", "pe", "it")
        return fact_changes(rows, older, newer, askable(newer), 4), newer

    return compare


def names(graph, changes) -> list[tuple[str, str, str | None]]:
    return [
        (
            graph.names[each.fact.subject],
            graph.names[each.fact.asked],
            None if each.before == NO_ENTITY else graph.names[each.before],
        )
        for each in changes
    ]


def test_the_same_graph_changes_nothing(compared) -> None:
    found, _ = compared(OLD)
    assert found.unchanged == ["T-no", "T-fi", "T-pe", "T-it"]
    assert not found.changed
    assert not found.removed


def test_another_object_is_a_change_and_none_is_a_removal(compared) -> None:
    triples = [("no", "capital", "bergen"), ("fi", "capital", "turku"), ("it", "capital", "rome")]
    found, newer = compared([*triples, ("it", "city", "oslo")])
    assert names(newer, found.changed) == [("no", "bergen", "oslo")]
    assert found.removed == ["T-pe"]
    assert found.unchanged == ["T-fi", "T-it"]


def test_an_object_that_is_gone_from_the_graph_has_no_number(compared) -> None:
    found, newer = compared([("fi", "capital", "helsinki"), *OLD[2:]], {**LABELS, "oslo": "Oslo"})
    assert names(newer, found.changed) == [("fi", "helsinki", "turku")]
    without = {name: label for name, label in LABELS.items() if name != "turku"}
    found, newer = compared([("fi", "capital", "helsinki"), *OLD[2:]], without)
    assert names(newer, found.changed) == [("fi", "helsinki", None)]


def test_a_further_object_changes_nothing_and_one_fewer_teaches_nothing(
    small_graph, compared
) -> None:
    found, _ = compared([*OLD, ("no", "capital", "bergen")])
    assert "T-no" in found.unchanged
    older = small_graph([*OLD, ("no", "capital", "bergen")], LABELS)
    rows = taught(older, "no")
    kept = [triple for triple in older.triples.tolist() if triple[2] == rows[0]["objects"][1]]
    assert kept
    newer = small_graph([("no", "capital", older.names[rows[0]["objects"][1]]), *OLD[1:]], LABELS)
    found = fact_changes(rows, older, newer, askable(newer), 4)
    assert found.removed == ["T-no"]


@pytest.mark.parametrize("renamed", [{"oslo": "Kristiania"}, {"no": "Noreg"}])
def test_another_label_is_a_change_without_what_was_true(compared, renamed) -> None:
    found, newer = compared(OLD, LABELS | renamed)
    assert names(newer, found.changed) == [("no", "oslo", None)]
    assert found.unchanged == ["T-fi", "T-pe", "T-it"]


def test_what_is_new_is_drawn_but_for_reserved_subjects(small_graph) -> None:
    older = small_graph(OLD, LABELS)
    triples = [*OLD, ("ch", "capital", "moroni"), ("oslo", "capital", "bergen")]
    newer = small_graph(triples, LABELS)
    found = added_facts(older, newer, askable(newer), set(), 9, 0)
    assert names(newer, found) == [("ch", "moroni", None), ("oslo", "bergen", None)]
    reserved = {"http://example.org/ch"}
    found = added_facts(older, newer, askable(newer), reserved, 9, 0)
    assert names(newer, found) == [("oslo", "bergen", None)]
    assert len(added_facts(older, newer, askable(newer), set(), 1, 0)) == 1
    assert not added_facts(older, newer, askable(newer), set(), 0, 0)
