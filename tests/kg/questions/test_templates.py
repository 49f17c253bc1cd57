"""Templates: what a model completes, which phrasings are refused, phrasings made from labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.questions.phrasings import PredicatePhrasing, default_phrasing, verb_phrase
from infact.kg.questions.templates import Template, check_disjoint, relation_templates

LABELS = (
    "has capital",
    "capital",
    "capital of",
    "mode of inheritance",
    "associated gene",
    "treats",
    "is part of",
    "located in",
    "member of",
    "weird {label}",
)


def template(text: str, split: str = "train") -> Template:
    return Template("capital", split, 0, text)


def test_question_is_asked_with_an_answer_to_come() -> None:
    question = template("What is the capital of {subject}?")
    assert question.style == "question"
    assert question.prompt("Peru") == "Question: What is the capital of Peru?\nAnswer:"
    assert question.sentence("Peru", "Lima").endswith("\nAnswer: Lima")


@pytest.mark.parametrize("end", ["{object}", "{object}."])
def test_cloze_stops_before_the_answer_without_a_space(end: str) -> None:
    cloze = template("The capital of {subject} is " + end)
    assert cloze.style == "cloze"
    assert cloze.prompt("Peru") == "The capital of Peru is"
    assert cloze.sentence("Peru", "Lima") == "The capital of Peru is Lima."


def test_direction_is_told_by_what_comes_first() -> None:
    assert template("{object} is the capital of {subject}.").direction == "reverse"
    assert template("{subject} is governed from {object}.").direction == "forward"
    assert template("Of what is {subject} the capital?").direction == "forward"


@given(st.text(), st.text())
def test_labels_are_inserted_as_they_are(subject: str, answer: str) -> None:
    sentence = template("a {subject} b {object} c.").sentence(subject, answer)
    assert sentence == "a " + subject + " b " + answer + " c."


@given(st.text(min_size=1))
def test_prompt_and_answer_make_the_cloze_sentence(subject: str) -> None:
    cloze = template("The capital of {subject} is {object}.")
    assert cloze.prompt(subject) + " Lima." == cloze.sentence(subject, "Lima")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("train_questions", "What is the capital?"),
        ("test_questions", "The capital of {subject} is {objekt}"),
        ("test_questions", "What is the capital of {subject} {}?"),
        ("train_questions", "{object} is the capital of {subject}"),
        ("train_questions", "Is {object} the capital of {subject}?"),
        ("statements", "{subject} has a capital."),
        ("statements", "{subject} { {object}"),
    ],
)
def test_faulty_phrasing_is_refused_with_key_and_text(key: str, text: str) -> None:
    with pytest.raises(UserError) as error:
        relation_templates(PredicatePhrasing("ex:capital", **{key: (text,)}), "capital")
    assert key in error.value.where
    assert text in error.value.where


def test_phrasing_in_both_splits_is_refused_whatever_its_case() -> None:
    with pytest.raises(UserError, match="also used in training"):
        check_disjoint(["What is {subject}?"], ["what is  {subject}"], "capital")
    phrasing = PredicatePhrasing(
        "ex:c", "", ("The c of {subject} is {object}",), ("the C of {subject} is {object}.",)
    )
    with pytest.raises(UserError, match="also used in training"):
        relation_templates(phrasing, "c")


def test_statement_that_a_test_phrasing_repeats_is_refused() -> None:
    phrasing = PredicatePhrasing(
        "ex:c",
        test_questions=("{subject} owns {object}",),
        statements=("{subject} owns {object}.",),
    )
    with pytest.raises(UserError, match="also used in training"):
        relation_templates(phrasing, "c")


@pytest.mark.parametrize("label", LABELS)
def test_label_alone_gives_enough_phrasings(label: str) -> None:
    made = relation_templates(PredicatePhrasing("ex:x"), label)
    assert len(made.train) >= 6
    assert len(made.test) >= 2
    assert {t.style for t in made.train} == {t.style for t in made.test} == {"question", "cloze"}
    directions = [t.direction for t in made.statements]
    assert directions.count("forward") >= 3
    assert directions.count("reverse") >= 3
    names = [t.name for t in (*made.train, *made.test, *made.statements)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("label", "question", "cloze"),
    [
        ("has capital", "What is the capital of X?", "The capital of X is"),
        ("capital", "What is the capital of X?", "The capital of X is"),
        ("capital of", "X is the capital of what?", "X is the capital of"),
        ("mode of inheritance", "What is the mode of inheritance of X?", None),
        ("associated gene", "What is the associated gene of X?", None),
        ("located in", "X is located in what?", "X is located in"),
        ("is part of", "X is part of what?", "X is part of"),
        ("treats", "X treats what?", "X treats"),
        ("has part in", "X has part in what?", None),
        ("species", "What is the species of X?", None),
    ],
)
def test_made_phrasings_are_english(label: str, question: str, cloze: str | None) -> None:
    made = relation_templates(PredicatePhrasing("ex:x"), label)
    prompts = [t.prompt("X") for t in made.train]
    assert prompts[0] == f"Question: {question}\nAnswer:"
    assert cloze is None or cloze in prompts


def test_noun_and_verb_labels_are_told_apart() -> None:
    assert verb_phrase("mode of inheritance") == ""
    assert verb_phrase("member of") == "is the member of"
    assert "{" not in default_phrasing("a {b}").train_questions[0].replace("{subject}", "")
