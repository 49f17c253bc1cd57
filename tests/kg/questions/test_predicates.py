"""The default rule for predicates: what it takes, what it leaves, and in which order."""

import pytest
from infact.errors import UserError
from infact.kg.questions.predicates import PredicateRule, choose_predicates

RULE = PredicateRule()


def graph_of(small_graph, *relations: tuple[str, int, int, int]):
    """One (name, subjects, distinct objects, objects a subject) for each predicate."""
    triples = [
        (f"s{n}", name, f"{name}_o{(n * fan_out + turn) % objects}")
        for name, subjects, objects, fan_out in relations
        for n in range(subjects)
        for turn in range(fan_out)
    ]
    named = {x for h, _, t in triples for x in (h, t)}
    return small_graph(triples, {x: x for x in named if not x.startswith("bare")})


def chosen(graph, hierarchy=(), max_objects=3, rule=RULE):
    found = choose_predicates(graph, hierarchy, max_objects, rule)
    return [graph.relation_names[relation] for relation in found]


def test_fit_predicates_come_by_fan_out_then_subjects(small_graph) -> None:
    graph = graph_of(
        small_graph,
        ("two_each", 40, 20, 2),
        ("one_each", 30, 15, 1),
        ("one_each_more", 40, 15, 1),
    )
    assert chosen(graph) == ["one_each_more", "one_each", "two_each"]
    assert chosen(graph, rule=PredicateRule(at_most=1)) == ["one_each_more"]


@pytest.mark.parametrize(
    "unfit",
    [
        ("few_subjects", 19, 15, 1),
        ("few_objects", 40, 9, 1),
        ("fans_out", 40, 30, 4),
        ("bare", 40, 20, 1),
        ("a", 40, 20, 1),
    ],
)
def test_unfit_predicates_are_left(small_graph, unfit) -> None:
    graph = graph_of(small_graph, ("good", 20, 10, 1), unfit)
    assert chosen(graph) == ["good"]


def test_hierarchy_is_left(small_graph) -> None:
    graph = graph_of(small_graph, ("good", 20, 10, 1), ("broader", 40, 20, 1))
    assert chosen(graph, hierarchy=(graph.relation_id["broader"],)) == ["good"]


def test_objects_are_counted_by_type(small_graph) -> None:
    base = [(f"s{n}", "r", f"o{n % 16}") for n in range(40)]
    types = [(f"o{n}", "a", f"kind{n % 2}") for n in range(16)]
    labels = {x: x for h, _, t in base for x in (h, t)}
    assert chosen(small_graph(base, labels)) == ["r"]
    with pytest.raises(UserError, match="8 objects of one type"):
        chosen(small_graph([*base, *types], labels))


def test_no_fit_predicate_names_the_nearest(small_graph) -> None:
    graph = graph_of(small_graph, ("near", 19, 9, 1), ("far", 2, 1, 1))
    with pytest.raises(UserError) as error:
        chosen(graph)
    assert error.value.where.startswith("http://example.org/near: 19 labelled subjects, 9 objects")
    assert "facts.predicate" in error.value.fix
