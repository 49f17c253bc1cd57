import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.models.answered_prompt import answered_prompt

PROMPT = "Question: Which city is the capital of Norway?\nAnswer:"


def test_spans_hold_their_words_with_the_space_before(tiny_tokenizer) -> None:
    start = PROMPT.index("capital")
    stretches = [(start, start + len("capital")), (0, len("Question:"))]
    answered = answered_prompt(tiny_tokenizer, PROMPT, "Oslo", stretches)
    told = [tiny_tokenizer.decode([answered.tokens[at] for at in span]) for span in answered.spans]
    assert told == [" capital", "Question:"]
    assert tiny_tokenizer.decode(list(answered.targets)) == " Oslo"
    assert answered.answering == answered.first - 1


@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    answer=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10),
    cut=st.integers(0, 30),
)
def test_stretches_that_cut_the_prompt_cut_its_tokens(
    tiny_tokenizer, prompt: str, answer: str, cut: int
) -> None:
    cut = min(cut, len(prompt))
    answered = answered_prompt(tiny_tokenizer, prompt, answer, [(0, cut), (cut, len(prompt))])
    first, second = answered.spans
    assert sorted({*first, *second}) == list(range(answered.first))
    assert not set(first) & set(second)
    assert answered.tokens == tuple(tiny_tokenizer(f"{prompt} {answer}")["input_ids"])


def test_a_token_over_the_seam_is_scored_with_the_answer(spanning_tokenizer) -> None:
    answered = answered_prompt(spanning_tokenizer, "The capital of France is", "Paris", [])
    alone = spanning_tokenizer("The capital of France is")["input_ids"]
    assert list(answered.tokens[: answered.first]) == alone[: answered.first]
    assert answered.first <= len(alone)


def test_an_answer_without_a_token_is_refused(tiny_tokenizer) -> None:
    with pytest.raises(ValueError, match="a token each"):
        answered_prompt(tiny_tokenizer, "", "Oslo", [])
