import itertools

from hypothesis import example, given
from hypothesis import strategies as st
from infact.kg.questions.fact_prompt import FactLine, augmented_prompt
from infact.kg.questions.templates import question_prompt
from infact.pipeline.explanation.prompt_draws import LEAD_INS, asked_part, asked_words, prompt_draws

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12
).filter(lambda text: text.strip() == text != "")


def cut(text: str, stretch: tuple[int, int]) -> str:
    return text[stretch[0] : stretch[1]]


@example(["1", "1", "] 1."], "1", 0)
@given(st.lists(TEXTS, max_size=6), TEXTS, st.integers(0, 5))
def test_parts_are_where_they_stand_in_every_variant(
    told: list[str], asked: str, seed: int
) -> None:
    prompt = question_prompt(asked)
    lines = [FactLine(text, ()) for text in told]
    draws = prompt_draws(prompt, asked_words(prompt), lines, seed)
    assert len({draw.text for draw in draws}) == len(LEAD_INS)
    assert draws[0].text == augmented_prompt(lines, prompt, 10**6, len)[0]
    for lead_in, draw in zip(LEAD_INS, draws, strict=True):
        assert draw.text.startswith(lead_in)
        assert draw.text.endswith(prompt)
        assert cut(draw.text, draw.parts.question) == asked
        assert [cut(draw.text, word).strip() for word in draw.parts.words] == asked.split()
        assert len(draw.parts.facts) == len(told)
        for text, stretch in zip(told, draw.parts.facts, strict=True):
            line = cut(draw.text, stretch)
            assert line.startswith("[")
            assert f"] {text}." in line
            assert line.endswith("\n")
        for before, after in itertools.pairwise(sorted(draw.parts.facts)):
            assert before[1] == after[0]


def test_facts_come_in_other_orders_but_the_same_for_a_seed() -> None:
    lines = [FactLine(f"fact {number}", ()) for number in range(5)]
    draws = prompt_draws("Question: Who?\nAnswer:", (), lines, 1)
    orders = {tuple(sorted(range(5), key=lambda n, d=draw: d.parts.facts[n])) for draw in draws}
    assert len(orders) > 3
    assert draws == prompt_draws("Question: Who?\nAnswer:", (), lines, 1)


def test_a_prompt_to_complete_is_asked_whole_but_for_its_last_word() -> None:
    prompt = "The capital of Peru is"
    assert asked_part(prompt) == (0, len(prompt))
    words = [prompt[start:end] for start, end in asked_words(prompt)]
    assert words == ["The", " capital", " of", " Peru"]
