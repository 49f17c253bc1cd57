"""Statement log-likelihoods against running each statement whole."""

import pytest
import torch
from infact.models.statement_scoring import statement_log_likelihoods, statement_tree

GROUPS = (
    ("Oslo is the capital of Norway.", "Lima is the capital of Norway.", "It is Lima."),
    ("The capital of France is Paris, it is.", "The capital of France is Peru, it is."),
)


@torch.no_grad()
def whole(model, tokenizer, text: str) -> float:
    """log p of every token of `text` after the beginning-of-text token."""
    tokens = [tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]
    if tokenizer.bos_token_id is None:
        tokens = tokens[1:]
    table = model(torch.tensor([tokens])).logits[0].double().log_softmax(-1)
    return sum(table[place, token].item() for place, token in enumerate(tokens[1:]))


@pytest.fixture(params=[True, False])
def tokenizer(request, tiny_tokenizer):
    """With and without a token for the beginning."""
    kept = tiny_tokenizer.bos_token
    tiny_tokenizer.bos_token = tiny_tokenizer.eos_token if request.param else None
    yield tiny_tokenizer
    tiny_tokenizer.bos_token = kept


@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_differences_are_those_of_whole_statements(tiny_model, tokenizer, batch_tokens) -> None:
    groups = GROUPS if tokenizer.bos_token else GROUPS[1:]  # without it nothing predicts "Oslo"
    found = statement_log_likelihoods(
        tiny_model, tokenizer, groups, [""] * len(groups), batch_tokens
    )
    for group, scores in zip(groups, found, strict=True):
        expected = [whole(tiny_model, tokenizer, text) for text in group]
        shared = expected[0] - scores[0]
        assert (scores + shared).tolist() == pytest.approx(expected, rel=1e-4)


def test_a_context_comes_before_each_statement(tiny_model, tiny_tokenizer) -> None:
    context = "Facts: Oslo, capital of: Norway.\n\n"
    (found,) = statement_log_likelihoods(tiny_model, tiny_tokenizer, GROUPS[:1], [context], 64)
    expected = [whole(tiny_model, tiny_tokenizer, context + text) for text in GROUPS[0]]
    assert (found - found[0]).tolist() == pytest.approx(
        [score - expected[0] for score in expected], rel=1e-4, abs=1e-4
    )


def test_only_what_differs_is_scored(tiny_tokenizer) -> None:
    tree = statement_tree(tiny_tokenizer, GROUPS[1], "")
    scored = [[tree.tokens[node] for node in path] for path in tree.paths]
    texts = [tiny_tokenizer.decode(tokens) for tokens in scored]
    assert all(text.endswith(", it is.") and "capital" not in text for text in texts)


def test_options_that_are_the_same_tokens_tie_and_the_first_is_chosen(
    tiny_model, tiny_tokenizer
) -> None:
    same = ("Oslo is the capital.", "Oslo is the capital.")
    (alike, mixed) = statement_log_likelihoods(
        tiny_model, tiny_tokenizer, [same, (*same, "Lima is it.", *same)], ["", ""], 64
    )
    assert alike.tolist() == [0.0, 0.0]
    assert mixed[0] == mixed[1] == mixed[3] == mixed[4]
    assert mixed.argmax() in (0, 2)


@pytest.mark.parametrize("batch_tokens", [16, 60])
def test_a_question_of_many_options_is_scored_in_parts(
    tiny_model, tiny_tokenizer, batch_tokens: int
) -> None:
    cities = (
        "Oslo",
        "Lima",
        "Paris",
        "Peru",
        "Norway",
        "Marfan",
        "Africa",
        "gene",
        "franc",
        "river",
    )
    texts = [f"The capital of {city} is {other}." for city in cities for other in cities]
    (parts,) = statement_log_likelihoods(tiny_model, tiny_tokenizer, [texts], [""], batch_tokens)
    (whole,) = statement_log_likelihoods(tiny_model, tiny_tokenizer, [texts], [""], 100_000)
    assert parts.tolist() == pytest.approx(whole.tolist(), rel=1e-4)
    assert parts.argmax() == whole.argmax()
    assert whole.std() > 1
