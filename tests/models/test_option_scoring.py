from functools import partial

import numpy as np
import pytest
import torch
from infact.models.option_scoring import (
    batches_by_length,
    option_scores,
    scored_log_probabilities,
    tree_states,
)
from infact.models.option_tree import build_option_tree, merge_sequences, shared_length
from infact.models.read_out import own_read_out

QUESTIONS = (
    ("The capital of France is", ("Paris", "Paris Texas", "Par", "Oslo", "Lima")),
    ("Which city is the capital of Norway?", ("Oslo", "Oslo city")),
    ("Oslo:", ("Norway", "a country in Europe", "1")),
    ("The gene FBN1 is associated with", ("Marfan syndrome", "Marfan", "ängström 🙂")),
)


def ignore(_: int) -> None:
    pass


@torch.no_grad()
def one_by_one(model, tokenizer, prompt: str, options) -> list[float]:
    """Each option's log-probability by the plain model, one text at a time."""
    alone = tokenizer(prompt)["input_ids"]
    texts = [tokenizer(f"{prompt} {option}")["input_ids"] for option in options]
    seam = min(shared_length(alone, tokens) for tokens in texts)
    scores = []
    for tokens in texts:
        table = model(torch.tensor([tokens])).logits[0].double().log_softmax(-1)
        scores.append(sum(table[at - 1, tokens[at]].item() for at in range(seam, len(tokens))))
    return scores


def tree_scores(model, tokenizer, batch_tokens: int, questions=QUESTIONS) -> list[np.ndarray]:
    trees = [build_option_tree(tokenizer, prompt, options) for prompt, options in questions]
    states = tree_states(model, trees, batch_tokens, ignore)
    return option_scores(model, states, trees, [own_read_out])[0]


@pytest.mark.parametrize("batch_tokens", [1, 60, 4096])
def test_scores_are_those_of_each_option_alone(tiny_model, tiny_tokenizer, batch_tokens) -> None:
    scores = tree_scores(tiny_model, tiny_tokenizer, batch_tokens)
    for (prompt, options), found in zip(QUESTIONS, scores, strict=True):
        expected = one_by_one(tiny_model, tiny_tokenizer, prompt, options)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_tokens_that_merge_across_the_seam(tiny_model, spanning_tokenizer) -> None:
    questions = (("The capital", ("of France", "Oslo", "of")), ("Paris.", ("Which city", "It is")))
    seams = [
        len(spanning_tokenizer(prompt)["input_ids"])
        - shared_length(
            spanning_tokenizer(prompt)["input_ids"],
            spanning_tokenizer(f"{prompt} {options[0]}")["input_ids"],
        )
        for prompt, options in questions
    ]
    assert max(seams) > 0, "the case needs a merge"
    scores = tree_scores(tiny_model, spanning_tokenizer, 4096, questions)
    for (prompt, options), found in zip(questions, scores, strict=True):
        expected = one_by_one(tiny_model, spanning_tokenizer, prompt, options)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_places_know_their_token_the_one_before_and_their_question(tiny_model) -> None:
    trees = [
        merge_sequences([[5, 6, 7], [5, 6, 8, 9]], [2, 2]),
        merge_sequences([[3, 4]], [1]),
    ]
    states = tree_states(tiny_model, trees, 4096, ignore)
    places = states.positions
    found = set(
        zip(
            places.request.tolist(),
            places.previous.tolist(),
            places.current.tolist(),
            strict=True,
        )
    )
    assert found == {(0, 5, 6), (0, 6, 8), (1, -1, 3)}
    assert len(places) == 3, "a place that predicts two options' tokens is kept once"


def test_hidden_states_are_the_models(tiny_model) -> None:
    tree = merge_sequences([[5, 6, 7, 9], [5, 6, 8, 9]], [1, 1])
    states = tree_states(tiny_model, [tree], 4096, ignore)
    with torch.no_grad():
        plain = tiny_model.base_model(torch.tensor([[5, 6, 8]])).last_hidden_state[0]
    for token, row in ((5, 0), (6, 1), (8, 2)):
        at = states.positions.current.tolist().index(token)
        torch.testing.assert_close(states.positions.hidden[at], plain[row], rtol=1e-4, atol=1e-5)


def test_read_outs_share_states_and_keep_apart(tiny_model, tiny_tokenizer) -> None:
    trees = [build_option_tree(tiny_tokenizer, *QUESTIONS[0])]
    states = tree_states(tiny_model, trees, 4096, ignore)
    flat = lambda positions, own: torch.full_like(own, -1.5)  # noqa: E731
    own, constant = option_scores(tiny_model, states, trees, [own_read_out, flat])
    assert constant[0].tolist() == [-1.5 * len(path) for path in trees[0].paths]
    np.testing.assert_array_equal(
        own[0], option_scores(tiny_model, states, trees, [own_read_out])[0][0]
    )


def test_the_chunk_of_places_does_not_matter(tiny_model, tiny_tokenizer, monkeypatch) -> None:
    trees = [build_option_tree(tiny_tokenizer, *question) for question in QUESTIONS]
    states = tree_states(tiny_model, trees, 4096, ignore)
    score = partial(scored_log_probabilities, tiny_model, states, [own_read_out])
    (whole,) = score()
    monkeypatch.setattr("infact.models.option_scoring.PLACES_AT_ONCE", 3)
    (parts,) = score()
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-5)


def test_batches_hold_every_tree_once_within_the_limit() -> None:
    trees = [merge_sequences([list(range(length))], [1]) for length in (3, 9, 2, 5, 5, 30)]
    batches = batches_by_length(trees, batch_tokens=20)
    assert sorted(number for batch in batches for number in batch) == list(range(6))
    for batch in batches:
        padded = max(len(trees[number]) for number in batch) * len(batch)
        assert padded <= 20 or len(batch) == 1


def test_progress_counts_every_tree(tiny_model, tiny_tokenizer) -> None:
    trees = [build_option_tree(tiny_tokenizer, *question) for question in QUESTIONS]
    done: list[int] = []
    tree_states(tiny_model, trees, 60, done.append)
    assert sum(done) == len(trees)
    assert len(done) > 1
