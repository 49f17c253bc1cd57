import re

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.questions.fact_prompt import FactLine, as_told, augmented_prompt, fact_lines
from infact.kg.questions.retrieval import RetrievedFact

LABELS = ("Marfan syndrome", "FBN1", "tall stature", "lens luxation", "Loeys-Dietz", "TGFBR1")
RELATIONS = {0: "phenotype", 1: "associated gene"}
FACTS = (
    RetrievedFact(10, 0, 0, 2),
    RetrievedFact(11, 0, 1, 1),
    RetrievedFact(12, 0, 0, 3),
    RetrievedFact(13, 4, 1, 5),
)
PROMPT = "Question: Which gene is it? Answer:"


class Graph:
    def label(self, entity: int) -> str:
        return LABELS[entity]


def lines(question: str, facts=FACTS) -> list[FactLine]:
    return fact_lines(Graph(), RELATIONS, facts, question)


def words(text: str) -> int:
    return len(text.split())


def test_one_line_tells_a_subject_and_relation_with_all_objects() -> None:
    found = lines("What about it?")
    assert [line.text for line in found] == [
        "Marfan syndrome, phenotype: tall stature; lens luxation",
        "Marfan syndrome, associated gene: FBN1",
        "Loeys-Dietz, associated gene: TGFBR1",
    ]
    assert found[0].facts == (FACTS[0], FACTS[2])


def test_the_questions_own_words_come_first_whatever_their_case() -> None:
    assert [line.facts[0].row for line in lines("Which GENE is mutated?")] == [11, 13, 10]


def test_lines_are_numbered_before_the_prompt() -> None:
    prompt, cited = augmented_prompt(lines(PROMPT), PROMPT, 99, words)
    assert prompt == (
        "Facts:\n"
        "[1] Marfan syndrome, associated gene: FBN1.\n"
        "[2] Loeys-Dietz, associated gene: TGFBR1.\n"
        "[3] Marfan syndrome, phenotype: tall stature; lens luxation.\n"
        f"\n{PROMPT}"
    )
    assert cited == tuple(lines(PROMPT))


def test_a_silent_graph_leaves_the_prompt_as_it_was() -> None:
    assert lines(PROMPT, facts=()) == []
    assert augmented_prompt([], PROMPT, 99, words) == (PROMPT, ())


def test_a_budget_too_small_for_any_line_leaves_the_prompt_as_it_was() -> None:
    assert augmented_prompt(lines(PROMPT), PROMPT, 3, words) == (PROMPT, ())


def test_a_line_too_long_is_left_out_and_a_shorter_one_still_told() -> None:
    many = FactLine("a " * 50 + "end", (FACTS[0],))
    short = FactLine("b c", (FACTS[1],))
    prompt, cited = augmented_prompt([many, short], PROMPT, 10, words)
    assert cited == (short,)
    assert "[1] b c.\n" in prompt


@given(st.lists(st.text("ab ", min_size=1, max_size=30), max_size=6), st.integers(0, 40))
def test_prompts_keep_the_budget_and_cite_what_they_tell(texts: list[str], budget: int) -> None:
    given_lines = [FactLine(text, (FACTS[0],)) for text in texts]
    prompt, cited = augmented_prompt(given_lines, PROMPT, budget, len)
    assert prompt.endswith(PROMPT)
    before = prompt.removesuffix(PROMPT).removesuffix("\n")
    assert len(before) <= budget
    told = re.findall(r"^\[(\d+)\] (.*)\.$", before, flags=re.MULTILINE)
    assert told == [(str(number), line.text) for number, line in enumerate(cited, start=1)]
    kept = iter(given_lines)
    assert all(any(line is other for other in kept) for line in cited), "in their order"


@given(st.text(alphabet="QuestionAnswerFacts: qaf"))
def test_no_label_lays_out_a_question_of_its_own(label: str) -> None:
    told = as_told(f"{label} Question: Who? ANSWER : me. facts:")
    assert not re.search(r"\b(facts|question|answer)\s*:", told, re.IGNORECASE)
    assert as_told("HLA-B27: associated, type 2") == "HLA-B27: associated, type 2"
