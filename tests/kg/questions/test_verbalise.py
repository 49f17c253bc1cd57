"""Sentences and questions: which pool gets which text, in which phrasing."""

from collections import Counter

import pytest
from infact.kg.linking.name_groups import name_groups
from infact.kg.questions.candidates import CandidatePool
from infact.kg.questions.facts import FACTS_SCHEMA, Fact, build_facts, fact_id, facts_table
from infact.kg.questions.phrasings import PredicatePhrasing
from infact.kg.questions.splits import AskableFact
from infact.kg.questions.templates import relation_templates
from infact.kg.questions.verbalise import (
    questions_table,
    sentences_table,
    training_questions,
    training_sentences,
    unseen_questions,
)

TEMPLATES = {
    0: relation_templates(
        PredicatePhrasing(
            "ex:capital",
            "",
            ("What is the capital of {subject}?", "The capital of {subject} is {object}"),
            (
                "{subject} is ruled from {object}.",
                "Which city rules {subject}?",
                "{subject}: {object}",
            ),
            ("{subject} has the capital {object}.", "{object} is the capital of {subject}."),
        ),
        "capital",
    )
}


def fact(pool: str, number: int) -> Fact:
    return Fact(
        fact=fact_id(pool, f"ex:s{number}", "ex:capital"),
        pool=pool,
        cluster=f"ex:s{number}",
        subject=number,
        subject_iri=f"ex:s{number}",
        subject_label=f"Land {number}",
        relation=0,
        predicate_iri="ex:capital",
        relation_label="capital",
        objects=(100 + number,),
        answer=f"Town {number}",
        aliases=(f"Town {number}",),
        object_names=((f"Town {number}",),),
        options=(f"Town {number}", "Other"),
        option_entities=(100 + number, 99),
        correct=0,
        before=-1,
        degree=1,
        language="en",
        source="a.ttl",
        line=number,
    )


FACTS = [fact(pool, n) for n, pool in enumerate("T" * 30 + "M" * 31 + "I" * 5 + "P" * 7)]


def test_only_taught_facts_are_told_and_in_both_directions() -> None:
    sentences = training_sentences(FACTS, TEMPLATES)
    assert len(sentences) == 30 * 4
    assert {row.fact[0] for row in sentences} == {"T"}
    assert Counter(row.direction for row in sentences) == {"forward": 90, "reverse": 30}
    first = [row.text for row in sentences if row.fact == FACTS[0].fact]
    assert first == [
        "Question: What is the capital of Land 0?\nAnswer: Town 0",
        "The capital of Land 0 is Town 0.",
        "Land 0 has the capital Town 0.",
        "Town 0 is the capital of Land 0.",
    ]


def test_taught_and_practised_facts_are_asked_in_training_phrasings() -> None:
    questions = training_questions(FACTS, TEMPLATES)
    assert Counter(row.fact[0] for row in questions) == {"T": 60, "P": 14}
    assert {row.split for row in questions} == {"train"}


@pytest.mark.parametrize("per_fact", [1, 2, 3, 9])
def test_unseen_questions_are_spread_evenly(per_fact: int) -> None:
    questions = unseen_questions(FACTS, TEMPLATES, dict.fromkeys("TMI", per_fact))
    asked = min(per_fact, 3)
    counts = Counter(row.fact for row in questions)
    assert set(counts.values()) == {asked}
    assert len(counts) == 66
    first = list({row.fact: row for row in reversed(questions)}.values())
    for pool in "TMI":
        for rows in (questions, first):
            uses = Counter(row.template for row in rows if row.fact[0] == pool)
            assert max(uses.values()) - min(uses.values()) <= 1
    pairs = [(row.fact, row.template) for row in questions]
    assert len(set(pairs)) == len(pairs)


def test_a_pool_is_asked_in_as_many_phrasings_as_is_said() -> None:
    questions = unseen_questions(FACTS, TEMPLATES, {"M": 2})
    assert Counter(row.fact[0] for row in questions) == {"T": 30, "M": 62, "I": 5}


def test_practice_facts_are_never_asked_in_evaluation() -> None:
    assert "P" not in {
        row.fact[0] for row in unseen_questions(FACTS, TEMPLATES, dict.fromkeys("TMIP", 3))
    }


def test_no_training_text_holds_a_test_prompt() -> None:
    told = {row.text for row in training_sentences(FACTS, TEMPLATES)}
    trained = {row.prompt for row in training_questions(FACTS, TEMPLATES)}
    for row in unseen_questions(FACTS, TEMPLATES, dict.fromkeys("TMIP", 3)):
        assert row.prompt not in trained
        assert not any(text.startswith(row.prompt) for text in told)


def test_order_of_facts_does_not_change_their_questions() -> None:
    forward = unseen_questions(FACTS, TEMPLATES, {})
    backward = unseen_questions(FACTS[::-1], TEMPLATES, {})
    assert sorted(forward, key=str) == sorted(backward, key=str)


def test_tables_have_the_columns_and_rows() -> None:
    table = facts_table(FACTS)
    assert table.schema == FACTS_SCHEMA
    assert table.to_pylist()[3]["objects"] == [103]
    questions = unseen_questions(FACTS, TEMPLATES, {})
    assert questions_table(questions).column_names == [
        "fact",
        "template",
        "split",
        "style",
        "prompt",
    ]
    assert sentences_table(training_sentences(FACTS, TEMPLATES)).num_rows == 120
    assert facts_table([]).num_rows == 0


def test_built_fact_has_answer_options_aliases_and_origin(small_graph) -> None:
    graph = small_graph(
        [("s", "r", "a"), ("s", "r", "b"), ("t", "r", "c"), ("u", "r", "d")],
        {"s": "S", "t": "T", "u": "s", **{x: x.upper() for x in "abcd"}},
        exact={"a": ["Aa"], "b": ["Bb"]},
        related={"a": ["no alias"]},
    )
    groups = name_groups(graph, [graph.id[x] for x in "stu"])
    s, a, b = graph.id["s"], graph.id["a"], graph.id["b"]
    askable = AskableFact(s, 0, (a, b), b, groups.of(s))
    candidates = {0: CandidatePool(graph, 0, (), groups)}
    (built,), dropped = build_facts(graph, {"T": [askable]}, candidates, {0: "r"}, 10, 0)
    assert not dropped
    assert (built.answer, built.subject_label, built.relation_label) == ("B", "S", "r")
    assert built.options[built.correct] == "B"
    assert built.option_entities[built.correct] == b
    assert set(built.options) == {"B", "C"}  # D is true of u, which is called the same
    assert built.aliases == ("A", "B", "D", "Aa", "Bb")
    assert (built.source, built.line) == ("small.ttl", 2)
    assert built.fact == fact_id("T", "http://example.org/s", "http://example.org/r")


def test_fact_without_a_wrong_answer_is_dropped_and_counted(small_graph) -> None:
    graph = small_graph([("t", "r", "c")], {"t": "T", "c": "C"})
    candidates = {0: CandidatePool(graph, 0, (), name_groups(graph, []))}
    only = AskableFact(graph.id["t"], 0, (graph.id["c"],), graph.id["c"], graph.id["t"])
    facts, dropped = build_facts(graph, {"T": [only]}, candidates, {0: "r"}, 10, 0)
    assert not facts
    assert dropped == {"no wrong answer of the same type": 1}
