"""General facts: the reader's errors, the questions made from them, and the shipped file."""

import json
from collections import Counter
from pathlib import Path

import infact
import pytest
from infact.errors import UserError
from infact.kg.questions.facts_file import read_facts_file
from infact.kg.questions.general_facts import general_facts

GENERAL = Path(infact.__file__).parent / "data" / "general"
GOOD = {
    "question": "What is the capital of Peru?",
    "answer": "Lima",
    "aliases": ["Ciudad de Lima"],
    "options": ["Lima", "Quito", "Bogotá"],
    "topic": "capital",
    "subject": "Peru",
}


def without(*keys: str, **changes: object) -> dict[str, object]:
    return {key: value for key, value in GOOD.items() if key not in keys} | changes


def read(tmp_path: Path, *rows: object):
    path = tmp_path / "facts.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_facts_file(path, "facts.jsonl")


def test_lines_are_numbered_and_blank_ones_skipped(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD, "", without("question", prompt="The capital of Peru is"))
    assert [number for number, _ in rows] == [1, 3]
    assert rows[1][1].prompt == "The capital of Peru is"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "isn't JSON"),
        ("[1]", "faulty"),
        (without("answer"), "answer"),
        (without("options"), "options"),
        (without(colour="red"), "colour"),
        (without("question"), "one of question, prompt and statement"),
        (without(prompt="The capital of Peru is"), "one of question, prompt and statement"),
        (without(question="What is the capital of Peru"), "question mark"),
        (without("question", prompt="The capital is "), "ends in a space"),
        (without(answer="Cuzco"), "isn't among the options"),
        (without(options=["Lima", "Quito", "Quito"]), "given twice"),
        (without(options=["Lima"]), "options"),
        (without(aliases=["Quito"]), "alias of the answer"),
        (GOOD, "asked twice"),
        (without("question", statement="The capital of Peru is"), "needs .* once"),
        (without("question", statement="[Y] is [Y]."), "needs .* once"),
    ],
)
def test_faulty_line_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, GOOD, row)
    assert "facts.jsonl:2" in error.value.where


def test_fact_and_its_question(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD, without("question", "subject", prompt="Peru is ruled from"))
    facts, questions = general_facts(rows, "package:x/facts.jsonl", 10, seed=0)
    assert [fact.pool for fact in facts] == ["U", "U"]
    assert facts[0].options[facts[0].correct] == "Lima"
    assert facts[0].aliases == ("Lima", "Ciudad de Lima")
    assert set(facts[0].options) == set(GOOD["options"])
    assert facts[0].option_entities == (-1, -1, -1)
    assert (facts[0].source, facts[0].line) == ("package:x/facts.jsonl", 1)
    assert [fact.cluster for fact in facts] == ["Peru", facts[1].fact]
    assert [row.prompt for row in questions] == [
        "Question: What is the capital of Peru?\nAnswer:",
        "Peru is ruled from",
    ]
    assert [(row.style, row.split) for row in questions] == [
        ("question", "test"),
        ("cloze", "test"),
    ]


def test_options_are_cut_to_the_number_asked_and_keep_the_answer(tmp_path: Path) -> None:
    rows = read(tmp_path, without(options=["Lima", *map(str, range(20))]))
    for seed in range(10):
        (fact,), _ = general_facts(rows, "f", 5, seed)
        assert len(set(fact.options)) == 5
        assert fact.options[fact.correct] == "Lima"
    orders = {general_facts(rows, "f", 5, seed)[0][0].options for seed in range(10)}
    assert len(orders) == 10


def test_shipped_facts_are_valid_and_many() -> None:
    rows = read_facts_file(GENERAL / "facts.jsonl", "facts.jsonl")
    assert len(rows) >= 240
    facts, _ = general_facts(rows, "facts.jsonl", 10, seed=0)
    assert len({fact.fact for fact in facts}) == len(facts)
    for (_, row), fact in zip(rows, facts, strict=True):
        assert len(row.options) >= 4
        folded = [option.casefold() for option in row.options]
        # Chemical symbols differ by case only between elements that aren't asked together.
        assert len(set(folded)) == len(folded), row
        assert row.answer in fact.options
        asked = (row.question or row.prompt or "").casefold()
        assert f" {row.answer.casefold()} " not in f" {asked} ", row
    answers = Counter(row.answer for _, row in rows)
    assert answers.most_common(1)[0][1] < len(rows) / 20


def test_shipped_text_has_enough_passages_for_perplexity() -> None:
    passages = (GENERAL / "text.txt").read_text(encoding="utf-8").splitlines()
    assert len(passages) >= 60
    assert len(set(passages)) == len(passages)
    assert sum(len(passage.split()) for passage in passages) >= 1400
    assert min(len(passage.split()) for passage in passages) >= 15
