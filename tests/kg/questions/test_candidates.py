"""Distractors: of the answer's type and false in the whole graph, against a slow definition."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking.name_groups import fold_name, name_groups
from infact.kg.questions.candidates import CandidatePool
from infact.kg.questions.splits import AskableFact


def draw(graph, subject, asked, count=9, seed=0, subjects=()):
    relation = graph.relation_id["r"]
    hierarchy = tuple(graph.relation_id[name] for name in ["up"] if name in graph.relation_id)
    groups = name_groups(graph, [graph.id[name] for name in (subject, *subjects)])
    pool = CandidatePool(graph, relation, hierarchy, groups)
    objects = tuple(graph.objects(graph.id[subject], relation).tolist())
    fact = AskableFact(graph.id[subject], relation, objects, graph.id[asked], 0)
    drawn = pool.distractors(fact, count, np.random.default_rng(seed))
    return [graph.names[entity] for entity in drawn]


def test_true_of_a_twin_is_no_distractor(small_graph) -> None:
    graph = small_graph(
        [("s1", "r", "a"), ("s2", "r", "b"), ("other", "r", "c")],
        {"s1": "Same", "s2": "same", "other": "Other", "a": "A", "b": "B", "c": "C"},
    )
    assert draw(graph, "s1", "a", subjects=["s2"]) == ["c"]
    assert sorted(draw(graph, "s1", "a")) == ["b", "c"]


def test_broader_and_narrower_than_a_true_object_are_no_distractors(small_graph) -> None:
    up = [("child", "up", "true"), ("true", "up", "parent"), ("parent", "up", "top")]
    cycle = [("top", "up", "parent")]
    objects = ["child", "true", "parent", "top", "aside"]
    graph = small_graph(
        [("s", "r", "true"), *[("other", "r", name) for name in objects], *up, *cycle],
        {name: name for name in (*objects, "s", "other")},
    )
    assert draw(graph, "s", "true") == ["aside"]


def test_names_of_true_objects_and_repeated_names_are_left_out(small_graph) -> None:
    others = {"b": "ALPHA", "c": "Beta", "d": "Beta", "e": "Known as", "f": "s!", "g": "x"}
    graph = small_graph(
        [("s", "r", "a"), *[("other", "r", name) for name in others], ("other", "r", "bare")],
        {"s": "S", "other": "Other", "a": "Alpha", **others},
        exact={"a": ["known as"]},
        deprecated=["g"],
    )
    drawn = draw(graph, "s", "a")
    assert [graph.labels[name] for name in drawn] == ["Beta"]


def test_distractors_share_a_type_with_the_answer(small_graph) -> None:
    types = {"a": "Town", "b": "Town", "c": "River", "d": "River"}
    graph = small_graph(
        [
            ("s", "r", "a"),
            ("s", "r", "untyped"),
            *[("other", "r", name) for name in types],
            *[(name, "a", kind) for name, kind in types.items()],
        ],
        {name: name for name in ("s", "other", "untyped", *types)},
    )
    assert draw(graph, "s", "a") == ["b"]


def test_fewer_than_asked_when_there_are_not_enough(small_graph) -> None:
    graph = small_graph([("s", "r", "a")], {"s": "S", "a": "A"})
    assert draw(graph, "s", "a") == []


def test_draw_is_seeded_and_uniform_over_distinct_objects(small_graph) -> None:
    # One object is a thousandfold commoner than the others, and drawn no oftener.
    names = [f"o{n}" for n in range(10)]
    triples = [("s", "r", "o0"), *[("t", "r", name) for name in names]]
    triples += [(f"u{n}", "r", "o1") for n in range(200)]
    graph = small_graph(triples, {name: name for name in (*names, "s", "t")})
    assert draw(graph, "s", "o0", 3, seed=5) == draw(graph, "s", "o0", 3, seed=5)
    counts = Counter(name for seed in range(300) for name in draw(graph, "s", "o0", 3, seed=seed))
    assert set(counts) == set(names[1:])
    assert max(counts.values()) < 1.6 * min(counts.values())


entity = st.integers(0, 7)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(entity, st.sampled_from(["r", "up", "a"]), entity), max_size=40),
    st.lists(st.sampled_from(["n1", "N1", "n2", "n3", "n4", "n5"]), min_size=8, max_size=8),
)
def test_every_distractor_is_false_by_the_definition(small_graph, rows, labels) -> None:
    graph = small_graph(
        [("e0", "r", "e1"), *[(f"e{h}", r, f"e{t}") for h, r, t in rows]],
        {f"e{n}": label for n, label in enumerate(labels)},
    )
    drawn = draw(graph, "e0", "e1", subjects=["e2", "e3"])
    triples = {
        (graph.names[h], graph.names[t], graph.relation_names[r])
        for h, r, t in graph.triples.tolist()
    }
    label = dict(zip([f"e{n}" for n in range(8)], map(fold_name, labels), strict=True))
    same = {n for n in ("e0", "e2", "e3") if label[n] == label["e0"]}
    true = {t for h, t, r in triples if r == "r" and h in same}
    below = {(h, t) for h, t, r in triples if r == "up"}
    for _ in label:
        below |= {(a, d) for a, b in below for c, d in below if b == c}
    expected = set()
    kinds = {n: {t for h, t, r in triples if r == "a" and h == n} for n in label}
    for name in {t for _, t, r in triples if r == "r"} - true - {"e0"}:
        related = any((name, t) in below or (t, name) in below for t in true)
        typed = not kinds["e1"] or kinds["e1"] & kinds[name]
        if typed and not related and label[name] not in {label[t] for t in true | {"e0"}}:
            expected.add(label[name])
    assert {label[name] for name in drawn} == expected
    assert len(drawn) == len(expected)
