from itertools import pairwise

import pytest
import torch
from infact.models.generation import generate_answers, generate_greedy
from infact.models.read_out import Positions, own_read_out
from transformers import AutoModelForCausalLM, BloomConfig, MambaConfig

PROMPTS = (
    "The capital of France is",
    "Oslo",
    "Question: In which country does the river rise? Answer:",
    "Lima, capital of:",
    "The gene FBN1 is associated with Marfan syndrome, and",
)


def ignore(_: int) -> None:
    pass


def by_transformers(model, tokenizer, prompts, new_tokens: int) -> list[str]:
    """What generate() gives, up to the first line end."""
    encoded = tokenizer(list(prompts), return_tensors="pt", padding=True, padding_side="left")
    output = model.generate(
        input_ids=encoded["input_ids"],
        attention_mask=encoded["attention_mask"],
        do_sample=False,
        max_new_tokens=new_tokens,
    )
    texts = tokenizer.batch_decode(
        output[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True
    )
    return [text.lstrip().split("\n")[0].strip() for text in texts]


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_ragged_batch_is_what_transformers_generates(
    tiny_model, tiny_tokenizer, batch_size
) -> None:
    found = generate_greedy(
        tiny_model,
        tiny_tokenizer,
        PROMPTS,
        range(len(PROMPTS)),
        [own_read_out],
        24,
        batch_size,
        ignore,
    )[0]
    assert found == by_transformers(tiny_model, tiny_tokenizer, PROMPTS, 24)
    assert len(set(found)) > 2, "the case needs answers that differ"


class Script:
    """A read-out that writes a given continuation for each request, and records its places."""

    def __init__(self, continuations: list[list[int]], vocabulary: int) -> None:
        self.left = [list(tokens) for tokens in continuations]
        self.vocabulary = vocabulary
        self.seen: list[list[tuple[int, int]]] = [[] for _ in continuations]

    def __call__(self, positions: Positions, own: torch.Tensor) -> torch.Tensor:
        table = torch.full((len(positions), self.vocabulary), -9.0)
        for row, request in enumerate(positions.request.tolist()):
            place = (positions.previous[row].item(), positions.current[row].item())
            self.seen[request].append(place)
            table[row, self.left[request].pop(0)] = 0.0
        return table


def scripted(model, tokenizer, prompts: list[str], texts: list[str], new_tokens: int):
    end = [tokenizer.eos_token_id]
    script = Script(
        [tokenizer(text)["input_ids"] + end * new_tokens for text in texts], len(tokenizer)
    )
    answers = generate_greedy(
        model, tokenizer, prompts, range(len(prompts)), [script], new_tokens, 8, ignore
    )
    return answers[0], script


def test_an_answer_ends_at_its_line_end(tiny_model, tiny_tokenizer) -> None:
    texts = [" Paris\nOslo\n", "\n Lima\nPeru", " no line end", "", " a\n"]
    answers, script = scripted(tiny_model, tiny_tokenizer, list(PROMPTS), texts, 20)
    assert answers == ["Paris", "Lima", "no line end", "", "a"]
    to_line_end = len(tiny_tokenizer(" Paris\n")["input_ids"])
    assert len(script.seen[0]) == to_line_end, "a finished text leaves the batch"


def test_an_answer_is_cut_at_the_most_tokens(tiny_model, tiny_tokenizer) -> None:
    text = " The capital of Norway is the city of Oslo"
    answers, _ = scripted(tiny_model, tiny_tokenizer, ["Oslo"], [text], 3)
    tokens = tiny_tokenizer(text)["input_ids"][:3]
    assert answers == [tiny_tokenizer.decode(tokens).strip()]


def test_the_read_out_is_told_each_places_tokens(tiny_model, tiny_tokenizer) -> None:
    prompts, texts = list(PROMPTS), [" Paris", " a\n", " Peru and Lima", "\nOslo", " it"]
    _, script = scripted(tiny_model, tiny_tokenizer, prompts, texts, 20)
    for prompt, text, seen in zip(prompts, texts, script.seen, strict=True):
        asked = tiny_tokenizer(prompt)["input_ids"]
        whole = [-1, *asked, *tiny_tokenizer(text)["input_ids"]]
        places = list(pairwise(whole))[len(asked) - 1 :]
        assert seen == places[: len(seen)]
        assert len(seen) >= len(places) - 1


def test_states_do_not_depend_on_the_batch(tiny_model, tiny_tokenizer) -> None:
    """When some texts have ended, the others' caches are still their own."""
    long, short = PROMPTS[:2]  # the shorter is first in the batch, and ends first
    kept: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    line_end = tiny_tokenizer("\n")["input_ids"][0]

    def first_ends_soon(positions: Positions, own: torch.Tensor) -> torch.Tensor:
        table = own.clone()
        for row, request in enumerate(positions.request.tolist()):
            kept.setdefault(request, []).append(own[row])
            if request == 0 and len(kept[0]) == 3:
                table[row, line_end] = 1.0
        return table

    generate_greedy(
        tiny_model, tiny_tokenizer, [short, long], [0, 1], [first_ends_soon], 8, 2, ignore
    )
    together = torch.stack(kept.pop(1))
    kept[0], kept[1] = [], []
    generate_greedy(tiny_model, tiny_tokenizer, [long], [1], [first_ends_soon], 8, 1, ignore)
    torch.testing.assert_close(together, torch.stack(kept[1]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("batch_size", [2, 8])
def test_read_outs_asked_together_answer_as_each_alone(
    tiny_model, tiny_tokenizer, batch_size
) -> None:
    texts = [[" Paris\n", " a", "\nLima\n", "", " it"], [" b\n", " c d e", " f", " g\n", ""]]
    end = [tiny_tokenizer.eos_token_id] * 24

    def scripts() -> list[Script]:
        encoded = [[tiny_tokenizer(text)["input_ids"] + end for text in of] for of in texts]
        return [Script(of, len(tiny_tokenizer)) for of in encoded]

    def asked(read_outs, size: int) -> list[list[str]]:
        return generate_greedy(
            tiny_model, tiny_tokenizer, PROMPTS, range(5), read_outs, 24, size, ignore
        )

    first, second = scripts()
    found = asked([first, own_read_out, second], batch_size)
    assert [found[0], found[2]] == [[text.strip() for text in of] for of in texts]
    assert found[1] == asked([own_read_out], 1)[0]
    alone = scripts()
    for script in alone:
        asked([script], 1)
    assert [first.seen, second.seen] == [script.seen for script in alone]


def test_progress_counts_every_prompt(tiny_model, tiny_tokenizer) -> None:
    done: list[int] = []
    generate_greedy(
        tiny_model, tiny_tokenizer, PROMPTS, range(5), [own_read_out], 2, 2, done.append
    )
    assert done == [2, 2, 1]


def test_read_outs_that_agree_write_one_text_until_they_part(tiny_model, tiny_tokenizer) -> None:
    """Three read-outs, of which one leaves the others at its fourth token."""
    rows: list[int] = []
    steps = {"odd": 0}

    def odd_later(positions: Positions, own: torch.Tensor) -> torch.Tensor:
        steps["odd"] += 1
        return own.roll(1, dims=-1) if steps["odd"] > 3 else own

    handle = tiny_model.base_model.register_forward_hook(
        lambda module, given, output: rows.append(len(output.last_hidden_state))
    )
    read_outs = [own_read_out, odd_later, own_read_out]
    try:
        found = generate_greedy(
            tiny_model, tiny_tokenizer, PROMPTS[:1], [0], read_outs, 8, 1, ignore
        )
    finally:
        handle.remove()
    assert found[0] == found[2] != found[1]
    assert rows[:4] == [1, 1, 1, 1], "the prompt and three tokens that all agree on"
    assert rows[4] == 2


@pytest.mark.parametrize(
    "config",
    [
        BloomConfig(hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3),
        MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=4, initializer_range=0.3),
        None,
    ],
)
def test_every_architecture_writes_what_transformers_generates(
    tiny_model, tiny_tokenizer, config
) -> None:
    model = tiny_model
    if config is not None:
        config.vocab_size = len(tiny_tokenizer)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config).eval()
    found = generate_answers(model, tiny_tokenizer, PROMPTS, 8, 3)
    alone = [by_transformers(model, tiny_tokenizer, [prompt], 8)[0] for prompt in PROMPTS]
    assert found == alone
    assert len(set(found)) > 2, "the case needs answers that differ"
