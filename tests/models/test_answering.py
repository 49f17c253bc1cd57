import numpy as np
import pytest
import torch
from infact.models.answering import answer_questions
from infact.models.generation import generate_greedy
from infact.models.option_scoring import option_scores, tree_states
from infact.models.option_tree import build_option_tree
from infact.models.posed_questions import Posed
from infact.models.prompt_reading import WORTH_SHARING, last_states, read_prompts, shared_beginning
from infact.models.read_out import Positions, own_read_out
from transformers import DynamicCache

FACTS = "Facts: " + " ".join(f"[{n}] The gene is associated with the syndrome." for n in range(6))
ASKED = (
    ("The capital of France is", ("Paris", "Oslo", "Lima")),
    ("Oslo", ("is the capital of Norway", "is the river")),
    ("Question: In which country does the river rise? Answer:", ("Peru", "Lima", "France")),
    ("Lima, capital of:", ("Peru", "Norway")),
)


def ignore(_: int) -> None:
    pass


def posed(context: str = "") -> list[Posed]:
    return [
        Posed(f"{context} {prompt}".strip(), options, number, freely=number != 1)
        for number, (prompt, options) in enumerate(ASKED)
    ]


def upside_down(positions: Positions, own: torch.Tensor) -> torch.Tensor:
    """A read-out that knows where it is: the request's number and the last two tokens matter."""
    shift = positions.request + positions.current + 3 * positions.previous
    rolled = [row.roll(int(by)) for row, by in zip(own, shift, strict=True)]
    return torch.stack(rolled)


@pytest.mark.parametrize("batch_tokens", [1, 60, 10_000])
@pytest.mark.parametrize("context", ["", FACTS])
def test_answers_are_those_of_reading_each_prompt_twice(
    tiny_model, tiny_tokenizer, batch_tokens: int, context: str
) -> None:
    questions = posed(context) * 3  # enough prompts that begin alike
    read_outs = [own_read_out, upside_down]
    found = answer_questions(
        tiny_model, tiny_tokenizer, questions, read_outs, 6, batch_tokens, ignore
    )
    trees = [build_option_tree(tiny_tokenizer, q.prompt, q.options) for q in questions]
    states = tree_states(tiny_model, trees, 10_000, ignore)
    states = states.asked_as(torch.tensor([q.request for q in questions]))
    scores = option_scores(tiny_model, states, trees, read_outs)
    prompts, requests = [q.prompt for q in questions], [q.request for q in questions]
    texts = generate_greedy(tiny_model, tiny_tokenizer, prompts, requests, read_outs, 6, 1, ignore)
    for arm, of_arm in enumerate(found):
        for number, answered in enumerate(of_arm):
            assert np.allclose(answered.scores, scores[arm][number], atol=1e-4)
            expected = texts[arm][number] if questions[number].freely else None
            assert answered.text == expected
            assert answered.tokens == len(tiny_tokenizer(prompts[number])["input_ids"])


def test_a_silent_read_out_chooses_alike_and_writes_nothing(tiny_model, tiny_tokenizer) -> None:
    questions, read_outs = posed(""), [upside_down, own_read_out]
    both, silent = (
        answer_questions(tiny_model, tiny_tokenizer, questions, read_outs, 6, 10_000, ignore, quiet)
        for quiet in ((), (0,))
    )
    for first, second in zip(both[0], silent[0], strict=True):
        assert second.text is None
        assert np.array_equal(first.scores, second.scores)
    assert [given.text for given in both[1]] == [given.text for given in silent[1]]
    assert any(given.text is not None for given in both[0])


def test_a_tokenizer_that_joins_prompt_and_option(tiny_model, spanning_tokenizer) -> None:
    questions = [Posed("The capital", ("of France", "Oslo"), 0, freely=True)]
    found = answer_questions(
        tiny_model, spanning_tokenizer, questions, [own_read_out], 3, 99, ignore
    )
    tree = build_option_tree(spanning_tokenizer, *(questions[0].prompt, questions[0].options))
    states = tree_states(tiny_model, [tree], 99, ignore)
    expected = option_scores(tiny_model, states, [tree], [own_read_out])[0][0]
    assert np.allclose(found[0][0].scores, expected, atol=1e-5)


def test_options_of_one_token_need_no_second_pass(tiny_model, tiny_tokenizer) -> None:
    passes: list[int] = []
    handle = tiny_model.base_model.register_forward_hook(lambda *_: passes.append(1))
    try:
        single = [t for t in ("a", "b", "c") if len(tiny_tokenizer(" " + t)["input_ids"]) == 1]
        assert len(single) > 1, "the case needs options of one token"
        questions = [Posed("The capital of France is", tuple(single), 0, freely=False)]
        answer_questions(tiny_model, tiny_tokenizer, questions, [own_read_out], 3, 99, ignore)
    finally:
        handle.remove()
    assert len(passes) == 1


def test_a_shared_beginning_is_read_once_and_changes_nothing(tiny_model) -> None:
    begin = [int(n) for n in torch.arange(WORTH_SHARING + 3) % 50 + 3]
    rows = [[*begin, 5], [*begin, 9, 8, 7], [*begin, 4, 4]]
    assert shared_beginning(rows) == len(begin)
    read = read_prompts(tiny_model, rows, padding=0)
    for number, row in enumerate(rows):
        tokens = torch.tensor([row])
        cache = DynamicCache(config=tiny_model.config)
        alone = last_states(tiny_model, tokens, torch.ones_like(tokens), cache)
        assert torch.allclose(read.hidden[number], alone[0], atol=1e-5)
    assert read.current.tolist() == [5, 7, 4]
    assert read.previous.tolist() == [begin[-1], 8, 4]


@pytest.mark.parametrize("rows", [[[1, 2, 3]], [[1] * 40, [1] * 40], [[2, 1], [3, 1]]])
def test_each_prompt_keeps_a_token_of_its_own(rows: list[list[int]]) -> None:
    shared = shared_beginning(rows)
    assert shared == 0 if len(rows) == 1 else shared < min(map(len, rows))


def almost_equal(positions: Positions, own: torch.Tensor) -> torch.Tensor:
    """Every token about as likely as any other, in an order that the last bits decide."""
    return -5.0 + 1e-5 * torch.sin(own * 1e6)


def test_batches_change_neither_choice_nor_words(tiny_model, tiny_tokenizer, monkeypatch) -> None:
    texts = ["The capital of France is", "Oslo", "Lima, capital of:", FACTS, f"{FACTS} Oslo is"]
    options = ("Paris", "Oslo", "Lima", "Peru", "Norway", "France")
    questions = [Posed(text, options, n, freely=True) for n, text in enumerate(texts * 2)]

    def found() -> set[tuple[object, ...]]:
        answers = [
            answer_questions(
                tiny_model, tiny_tokenizer, questions, [almost_equal], 5, size, ignore
            )[0]
            for size in (1, 90, 10_000)
        ]
        return {
            tuple((int(given.scores.argmax()), given.text) for given in of_size)
            for of_size in answers
        }

    assert len(found()) == 1
    monkeypatch.setattr("infact.models.answering.settle_near_ties", lambda scores, *_: scores)
    monkeypatch.setattr("infact.models.generation.tolerance_of", lambda dtype: -1.0)
    assert len(found()) > 1, "the case needs choices that rounding decides"
