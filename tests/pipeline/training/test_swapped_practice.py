"""Practice facts told otherwise: the graph says the new object alone, and the answer follows it."""

from pathlib import Path

import pytest
from infact.kg.questions.pools import PRACTICE
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.training.fusion_practice import PracticeQuestion
from infact.pipeline.training.swapped_practice import swapped_practice
from infact.pipeline.training.teaching_data import facts_of_pools

from ..test_facts_stage import run_in


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return run_in(tmp_path_factory.mktemp("countries"))


@pytest.fixture(scope="module")
def reader(folders: dict[str, Path]) -> GraphReader:
    return GraphReader.open(folders["ingest"], folders["facts"])


@pytest.fixture(scope="module")
def facts(folders: dict[str, Path]) -> dict[str, dict]:
    return facts_of_pools(folders["facts"], (PRACTICE,))


def told(reader: GraphReader, fact: dict) -> set[int]:
    return {
        known.object
        for known in reader.retriever.about(fact["subject"])
        if known.relation == fact["relation"]
    }


def test_a_swapped_fact_is_told_and_asked_with_its_new_object_alone(reader, facts) -> None:
    swapped = swapped_practice(reader, facts, 0.5, seed=0)
    assert len(swapped.answers) == len(facts) / 2
    for identity, fact in facts.items():
        if identity in swapped.answers:
            (new,) = told(swapped.reader, fact)
            assert new not in fact["objects"]
            assert new in fact["option_entities"]
            assert swapped.answers[identity] == reader.graph.label(new)
        else:
            assert told(swapped.reader, fact) == told(reader, fact) >= set(fact["objects"])


def test_questions_about_swapped_facts_have_the_new_answer(reader, facts) -> None:
    swapped = swapped_practice(reader, facts, 0.5, seed=0)
    asked = [PracticeQuestion(fact, "?", facts[fact]["answer"], 0) for fact in sorted(facts)]
    for before, after in zip(asked, swapped.asked(asked), strict=True):
        assert after.swapped == (before.fact in swapped.answers)
        assert after.answer == swapped.answers.get(before.fact, before.answer)
        assert (after.answer == before.answer) == (not after.swapped)


def test_the_draw_is_the_seed_s_and_nothing_is_swapped_unasked(reader, facts) -> None:
    first = swapped_practice(reader, facts, 0.5, seed=0).answers
    assert swapped_practice(reader, facts, 0.5, seed=0).answers == first
    assert any(swapped_practice(reader, facts, 0.5, seed=of).answers != first for of in (1, 2, 3))
    assert len(swapped_practice(reader, facts, 1.0, seed=0).answers) == len(facts)
    nothing = swapped_practice(reader, facts, 0.0, seed=0)
    assert nothing.reader is reader
    assert not nothing.answers
