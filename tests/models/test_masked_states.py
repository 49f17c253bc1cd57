"""States at masked tokens of every masked family, held against passes of single rows."""

import pytest
import torch
from infact.models.fused_model import FusedModel
from infact.models.fusion_session import reading_of
from infact.models.label_tokens import label_end, label_tokens
from infact.models.language_model import LanguageModel
from infact.models.masked_scoring import MaskedRow
from infact.models.masked_states import answer_rows, masked_states
from infact.models.option_scoring import scored_log_probabilities
from infact.models.read_out import own_read_out
from torch import nn

from .test_fused_model import MASKED, MEMORY, WORDS, fused, reading, tiny

MASK = 4


def rows() -> list[MaskedRow]:
    """Of three lengths; the second and the third differ in their target alone, and so do two others."""
    generator = torch.Generator().manual_seed(5)
    found = []
    for length, place, targets in ((9, 4, (7,)), (6, 2, (8, 9)), (7, 6, (10, 11))):
        tokens = torch.randint(5, WORDS, (length,), generator=generator).tolist()
        tokens[place] = MASK
        found += [MaskedRow(tuple(tokens), place, target) for target in targets]
    return found


@pytest.mark.parametrize("batch_tokens", [8, 64])
@pytest.mark.parametrize("family", MASKED)
def test_they_give_the_log_probabilities_of_single_passes(family: str, batch_tokens: int) -> None:
    model, asked = tiny(family), rows()
    done: list[int] = []
    requests = [0, 1, 1, 2, 0]
    states = masked_states(model, asked, requests, batch_tokens, done.append)
    assert len(states.positions) == 4  # rows 1 and 2 are one; 3 and 4 are different requests'
    assert sum(done) == 3
    (found,) = scored_log_probabilities(model, states, [own_read_out])
    for number, row in enumerate(asked):
        logits = model(input_ids=torch.tensor([row.tokens])).logits[0, row.place]
        expected = logits.log_softmax(-1)[row.target]
        torch.testing.assert_close(found[number], expected, atol=1e-5, rtol=1e-4)
        at = states.scored_row[number]
        assert states.positions.current[at] == row.tokens[row.place - 1]
        assert states.positions.previous[at] == row.tokens[row.place - 2]
        assert states.positions.request[at] == requests[number]


@pytest.mark.parametrize("strategy", ["attention", "interactive", "early"])
def test_rows_read_the_facts_of_their_requests(strategy: str) -> None:
    model, asked, requests = fused("Bert", strategy), rows(), [0, 1, 1, 2, 0]
    with reading(model):
        states = masked_states(model.base, asked, requests, 64, lambda done: None)
    (found,) = scored_log_probabilities(model.base, states, [own_read_out])
    plain = tiny("Bert")
    for number, (row, request) in enumerate(zip(asked, requests, strict=True)):
        tokens = torch.tensor([row.tokens])
        with reading(model, [request]):
            logits = model(input_ids=tokens).logits[0, row.place]
        expected = logits.log_softmax(-1)[row.target]
        torch.testing.assert_close(found[number], expected, atol=1e-4, rtol=1e-4)
        own = plain(input_ids=tokens).logits[0, row.place].log_softmax(-1)[row.target]
        assert torch.allclose(found[number], own, atol=1e-5) == (request == 2)  # it has no facts


def test_a_label_is_gone_on_with_from_the_token_to_the_left() -> None:
    model = fused("Bert")
    seen = []

    def watch(module: nn.Module, given: object, output: object) -> None:
        reading = reading_of(model.fusion)
        assert reading is not None
        seen.append(reading.run.tokens)

    tokens = torch.tensor([[5, 6, MASK, 7]]).expand(3, -1)
    handle = model.base.bert.encoder.layer[1].register_forward_hook(watch)
    with reading(model):
        model(input_ids=tokens)
    handle.remove()
    (read,) = seen
    assert read is not None
    assert read[:, 1:].equal(tokens[:, :-1])
    assert not (read[:, :1] == MEMORY.label.flatten()).any()


def test_an_answer_is_masked_word_by_word_from_the_left(tiny_masked: LanguageModel) -> None:
    tokenizer = tiny_masked.tokenizer
    prompt, answer = "The capital of Norway is", "Oslo Bergen"
    whole = tokenizer(f"{prompt} {answer}")
    tokens, words = whole["input_ids"], whole.word_ids()
    first = len(tokenizer(prompt)["input_ids"]) - 1
    found = answer_rows(tokenizer, prompt, answer)
    assert [row.place for row in found] == list(range(first, len(tokens) - 1))
    assert [row.target for row in found] == tokens[first:-1]
    assert len(found) > len(answer.split())
    for row in found:
        for place, token in enumerate(row.tokens):
            hidden = place >= row.place and words[place] == words[row.place]
            assert token == (tokenizer.mask_token_id if hidden else tokens[place])


def test_a_label_ends_as_an_answer_does(tiny_masked: LanguageModel, tiny_tokenizer) -> None:
    masked = label_tokens(tiny_masked.tokenizer, "Oslo", "masked")
    rows = answer_rows(tiny_masked.tokenizer, "Norway, capital", "Oslo")
    assert masked == tuple(row.target for row in rows)
    assert label_end(tiny_masked.tokenizer, "masked") == ()
    causal = label_tokens(tiny_tokenizer, "Oslo", "causal")
    assert tiny_tokenizer.decode(causal) == " Oslo\n"
    assert causal[-1:] == label_end(tiny_tokenizer, "causal")


def test_the_model_is_the_bases_to_the_bit_until_it_is_trained() -> None:
    asked = rows()
    plain = masked_states(tiny("Bert"), asked, [0, 1, 1, 2, 0], 64, lambda done: None)
    model: FusedModel = fused("Bert", trained=False)
    with reading(model):
        states = masked_states(model.base, asked, [0, 1, 1, 2, 0], 64, lambda done: None)
    assert torch.equal(states.positions.hidden, plain.positions.hidden)
