"""Texts that no fact bears on: whole paragraphs, read with a practice question's facts from some word on."""

from collections import Counter

import pytest
from infact.pipeline.general_prose import general_prose
from infact.pipeline.training.fusion_practice import PracticeQuestion
from infact.pipeline.training.unrelated_texts import unrelated_texts

QUESTIONS = [PracticeQuestion(str(number), f"Which {number}?", "?", 0) for number in range(5)]


@pytest.mark.parametrize("seed", range(3))
def test_a_text_is_a_paragraph_whose_end_is_predicted(seed: int) -> None:
    known = set(general_prose())
    for text in unrelated_texts(QUESTIONS, 60, seed):
        assert f"{text.prompt} {text.answer}" in known
        assert len(text.answer.split()) == 6
        assert text.reads in QUESTIONS
        assert 0 < text.mentioned <= len(text.prompt)
        assert (text.prompt + " ")[text.mentioned] == " "
        assert text.relation not in {question.relation for question in QUESTIONS}


def test_no_paragraph_comes_again_before_all_have_come() -> None:
    most = len(general_prose())
    texts = unrelated_texts(QUESTIONS, most + most // 2, 0)
    times = Counter(f"{text.prompt} {text.answer}" for text in texts)
    assert len(times) == most
    assert set(times.values()) == {1, 2}


def test_the_draw_is_the_seed_s() -> None:
    assert unrelated_texts(QUESTIONS, 20, 1) == unrelated_texts(QUESTIONS, 20, 1)
    assert unrelated_texts(QUESTIONS, 20, 1) != unrelated_texts(QUESTIONS, 20, 2)
    assert unrelated_texts(QUESTIONS, 0, 1) == []
