"""What the base knows before it is taught: asked in training phrasings alone, and told by class."""

import json
from pathlib import Path

import pytest
from infact.models.language_model import LanguageModel
from infact.pipeline.console import Console
from infact.pipeline.training.screening import Screened, screen_facts, write_screening

FACTS = [
    {"fact": "a", "options": ["Oslo", "Lima"], "correct": 0, "aliases": ["Oslo"]},
    {"fact": "b", "options": ["Oslo", "Lima"], "correct": 1, "aliases": ["Lima"]},
]
QUESTIONS = {
    "a": ["The capital of Norway is", "Norway's capital:", "Capital of Norway:"],
    "b": ["The capital of Norway is", "Norway's capital:", "Capital of Norway:"],
}


@pytest.mark.parametrize(
    ("chosen", "said", "expected"),
    [
        (3, 0, "known"),
        (0, 3, "known"),
        (2, 0, "maybe"),
        (0, 1, "maybe"),
        (2, 2, "maybe"),
        (0, 0, "unknown"),
    ],
)
def test_classes(chosen: int, said: int, expected: str) -> None:
    assert Screened(3, chosen, said).knowledge == expected


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_of_two_options_one_is_chosen_in_every_phrasing(
    kind: str, tiny_model, tiny_tokenizer, tiny_masked: LanguageModel
) -> None:
    """Two facts that ask the same of the same options, and of which one alone can be right."""
    base = tiny_masked if kind == "masked" else LanguageModel(tiny_model, tiny_tokenizer, "causal")
    found = screen_facts(base, FACTS, QUESTIONS, 3, 0, Console())
    assert [each.asked for each in found] == [3, 3]
    assert found[0].chosen + found[1].chosen == 3
    assert [each.said for each in found] == [0, 0]  # a random model names no city
    assert found == screen_facts(base, FACTS, QUESTIONS, 3, 0, Console())


def test_no_more_is_asked_than_there_are_phrasings(tiny_masked: LanguageModel) -> None:
    found = screen_facts(tiny_masked, FACTS[:1], QUESTIONS, 9, 0, Console())
    assert found[0].asked == 3


def test_what_is_written_says_what_the_counts_come_to(tmp_path: Path) -> None:
    write_screening(tmp_path, {"a": Screened(2, 1, 0)})
    told = json.loads((tmp_path / "screening.json").read_text(encoding="utf-8"))
    assert told == {"a": {"asked": 2, "chosen": 1, "said": 0, "knowledge": "maybe"}}
