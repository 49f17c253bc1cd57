"""The split: no group in two pools, nothing of pool I left in the graph that training sees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking.name_groups import name_groups
from infact.kg.questions.splits import (
    AskableFact,
    PoolOverlapError,
    PoolSizes,
    askable_facts,
    assert_pools_disjoint,
    is_given_away,
    split_facts,
    subjects_of,
    withheld_rows,
)

SIZES = PoolSizes(taught=6, in_memory=6, inferable=4, practice=8)


def split(graph, relations, sizes=SIZES, seed=0):
    ids = [graph.relation_id[name] for name in relations]
    groups = name_groups(graph, subjects_of(graph, ids).tolist())
    facts, dropped = askable_facts(graph, ids, groups, 3, seed)
    pools = split_facts(facts, groups, sizes, seed)
    return groups, facts, dropped, pools


@pytest.fixture
def twins(small_graph):
    """Sixty things in two databases each, with two predicates, and an inverse of one of them."""
    triples, labels = [], {}
    for n in range(60):
        for base in ("x", "y"):
            labels[f"{base}{n}"] = f"Thing {chr(97 + n // 26)}{chr(97 + n % 26)}"
            triples += [
                (f"{base}{n}", "made_in", f"town{n % 15}"),
                (f"{base}{n}", "colour", f"colour{n % 12}"),
            ]
        triples.append((f"town{n % 15}", "makes", f"y{n}"))
    labels |= {f"town{n}": f"Town{n}" for n in range(15)}
    labels |= {f"colour{n}": f"Colour{n}" for n in range(12)}
    return small_graph(triples, labels)


def test_quotas_are_filled_and_spread_over_the_predicates(twins) -> None:
    _, _, _, pools = split(twins, ["made_in", "colour"])
    assert {pool: len(facts) for pool, facts in pools.items()} == SIZES.by_pool()
    for facts in pools.values():
        relations = [fact.relation for fact in facts]
        assert abs(relations.count(relations[0]) * 2 - len(facts)) <= 1


def test_a_group_is_in_one_pool_only(twins) -> None:
    groups, _, _, pools = split(twins, ["made_in", "colour"])
    owners = {}
    for pool, facts in pools.items():
        for fact in facts:
            assert owners.setdefault(twins.label(fact.subject), pool) == pool
            assert fact.group == groups.of(fact.subject)
            assert fact.asked in fact.objects


def test_one_seed_gives_one_split_and_another_seed_another(twins) -> None:
    assert split(twins, ["colour"], seed=3)[3] == split(twins, ["colour"], seed=3)[3]
    assert split(twins, ["colour"], seed=3)[3] != split(twins, ["colour"], seed=4)[3]


def test_withheld_holds_twins_and_inverse_relations(twins) -> None:
    groups, _, _, pools = split(twins, ["made_in"])
    withheld = set(withheld_rows(twins, pools["I"], groups).tolist())
    assert len(pools["I"]) == 4
    for fact in pools["I"]:
        place = twins.label(fact.subject)
        for row, (head, relation, tail) in enumerate(twins.triples.tolist()):
            pair = {head, tail}
            same_pair = fact.asked in pair and place in {twins.label(e) for e in pair}
            assert (row in withheld) >= same_pair, twins.relation_names[relation]


def test_withheld_leaves_everything_else(twins) -> None:
    groups, _, _, pools = split(twins, ["made_in"])
    withheld = withheld_rows(twins, pools["I"], groups)
    kept_back = {twins.label(fact.subject) for fact in pools["I"]}
    assert len(withheld) == 3 * len(kept_back)  # both twins' triple and one inverse
    assert withheld.dtype == np.int32
    assert (np.diff(withheld) > 0).all()
    for head, _, tail in twins.triples[withheld].tolist():
        assert kept_back & {twins.label(head), twins.label(tail)}
    assert len(withheld_rows(twins, [], groups)) == 0


def slow_withheld(graph, facts, groups):
    """The definition, read out: every triple against every fact."""
    found = set()
    for fact in facts:
        own = {
            row
            for row, (h, r, _) in enumerate(graph.triples.tolist())
            if groups.of(h) == groups.of(fact.subject) and r == fact.relation
        }
        objects = {groups.of(int(graph.triples[row, 2])) for row in own}
        subject = groups.of(fact.subject)
        found |= own | {
            row
            for row, (h, _, t) in enumerate(graph.triples.tolist())
            if (groups.of(h) == subject and groups.of(t) in objects)
            or (groups.of(t) == subject and groups.of(h) in objects)
        }
    return sorted(found)


entity = st.integers(0, 14)
triples = st.lists(st.tuples(entity, st.integers(0, 2), entity), min_size=1, max_size=60)


@settings(max_examples=200)
@given(triples, st.lists(st.integers(0, 9), min_size=15, max_size=15), st.integers(0, 3))
def test_any_graph_splits_without_overlap(small_graph, rows, names, seed) -> None:
    graph = small_graph(
        [(f"e{h}", f"r{r}", f"e{t}") for h, r, t in rows],
        {f"e{n}": f"Name{names[n]}" for n in range(15)},
    )
    relations = graph.relation_names
    groups, _, _, pools = split(graph, relations, PoolSizes(4, 3, 2, 3), seed)
    withheld = withheld_rows(graph, pools["I"], groups)
    assert withheld.tolist() == slow_withheld(graph, pools["I"], groups)
    assert_pools_disjoint(pools, groups, withheld, graph.triples)


def fact(subject: int, asked: int, relation: int = 0) -> AskableFact:
    return AskableFact(subject, relation, (asked,), asked, subject)


@pytest.mark.parametrize(
    ("pools", "withheld", "message"),
    [
        ({"T": [fact(0, 5)], "M": [fact(0, 6)]}, [], "is in T and M"),
        ({"I": [fact(0, 5)]}, [], "aren't withheld"),
        ({"T": [fact(1, 2)], "M": [fact(2, 5)]}, [], "a kept-back subject"),
        ({"P": [fact(0, 5)]}, [0], "are in pool P"),
    ],
)
def test_overlap_is_refused(small_graph, pools, withheld, message) -> None:
    graph = small_graph([("s0", "r", "z5")], {"s0": "S"})
    groups = name_groups(graph, [])
    triples = np.array([[0, 0, 5]], dtype=np.int32)
    with pytest.raises(PoolOverlapError, match=message):
        assert_pools_disjoint(pools, groups, np.array(withheld, dtype=np.int32), triples)


def test_unfit_facts_are_dropped_and_counted(small_graph) -> None:
    graph = small_graph(
        [
            ("bare", "r", "o1"),
            ("old", "r", "o1"),
            *[("many", "r", f"o{n}") for n in range(4)],
            ("to_bare", "r", "bare"),
            ("told", "r", "breast"),
            ("fine", "r", "o1"),
            ("fine", "r", "bare"),
        ],
        {
            **{f"o{n}": f"Object{n}" for n in range(4)},
            **{"old": "Old", "many": "Many", "to_bare": "To bare", "fine": "Fine"},
            **{"told": "Familial breast cancer", "breast": "Breast cancer"},
        },
        deprecated=["old"],
    )
    _, facts, dropped, _ = split(graph, ["r"])
    assert [graph.names[found.subject] for found in facts] == ["fine"]
    assert graph.names[facts[0].asked] == "o1"
    assert len(facts[0].objects) == 2
    assert dropped == {
        "subject has no label or is deprecated": 2,
        "more than 3 objects": 1,
        "no object has a label and is in use": 1,
        "the subject's name gives the answer away": 1,
    }


@pytest.mark.parametrize(
    ("answer", "subject", "given"),
    [
        ("Breast cancer", "Familial breast cancer", True),
        ("Gout, familial", "Gout", True),
        ("Autosomal recessive inheritance", "Deafness, autosomal recessive 12", True),
        ("Autosomal recessive inheritance", "Deafness 12", False),
        ("ART", "Heart disease", False),
        ("Lima", "Peru", False),
    ],
)
def test_answer_in_the_subjects_name_is_noticed(answer: str, subject: str, given: bool) -> None:
    assert is_given_away(answer, subject) is given
