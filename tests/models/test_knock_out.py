"""Knock-outs against a plain loop: one row, no cache, masks written cell by cell."""

from copy import deepcopy

import infact.models.knock_out as knock_out
import pytest
import torch
from infact.errors import UserError
from infact.models.altered_blocks import altered_blocks
from infact.models.answered_prompt import AnsweredPrompt, answered_prompt
from infact.models.attention_weights import read_answer, span_attention, weights_returned
from infact.models.knock_out import LayerBlocked, LayerSkipped, SpanBlocked, knocked_out_scores
from infact.models.read_out import own_read_out
from infact.models.transformer_blocks import transformer_blocks
from torch import nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaForCausalLM,
)

PROMPT = "Facts:\n[1] Oslo, capital of: Norway.\n\nQuestion: Which city is it?\nAnswer:"
ANSWER = "Oslo and Lima"
LEAST = torch.finfo(torch.float32).min
FACT = (PROMPT.index("[1]"), PROMPT.index("Question"))
WORD = (PROMPT.index("city"), PROMPT.index("city") + 4)


@pytest.fixture(scope="module")
def model(tiny_model):
    """One like the shared one, with three layers."""
    config = deepcopy(tiny_model.config)
    config.num_hidden_layers = 3
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = LlamaForCausalLM(config).eval().requires_grad_(False)
    model.set_attn_implementation("eager")
    return model


@pytest.fixture(scope="module")
def answered(tiny_tokenizer) -> AnsweredPrompt:
    return answered_prompt(tiny_tokenizer, PROMPT, ANSWER, [FACT, WORD])


def plain_score(model, answered: AnsweredPrompt, knocked=None) -> float:
    """The answer's log-probability with each layer's mask written by a loop over its cells."""
    tokens, inner = answered.tokens, model.model
    places = range(len(tokens))
    hidden = inner.embed_tokens(torch.tensor([tokens]))
    turned = inner.rotary_emb(hidden, position_ids=torch.tensor([places]))
    for layer, block in enumerate(inner.layers):
        mask = [
            [LEAST if key > query or _hides(knocked, layer, query, key) else 0.0 for key in places]
            for query in places
        ]
        after = block(hidden, attention_mask=torch.tensor([[mask]]), position_embeddings=turned)
        if isinstance(knocked, LayerSkipped) and knocked.layer == layer:
            after[:, knocked.since :] = hidden[:, knocked.since :]
        hidden = after
    logits = model.lm_head(inner.norm(hidden))[0].log_softmax(dim=-1)
    return sum(
        logits[place - 1, tokens[place]].item() for place in range(answered.first, len(tokens))
    )


def _hides(knocked, layer: int, query: int, key: int) -> bool:
    if isinstance(knocked, SpanBlocked):
        return key in knocked.tokens and query not in knocked.tokens
    if isinstance(knocked, LayerBlocked):
        return (
            layer == knocked.layer
            and key in knocked.tokens
            and query not in knocked.tokens
            and query >= knocked.since
        )
    return False


def every_kind(answered: AnsweredPrompt) -> list:
    fact, word = answered.spans
    since = answered.answering
    return [
        SpanBlocked(word),
        LayerSkipped(1, since),
        SpanBlocked(fact),
        LayerBlocked(0, fact, since),
        LayerBlocked(2, (*fact, *word), since),
        SpanBlocked(tuple(sorted((*fact, *word)))),
        LayerSkipped(0, since),
        LayerBlocked(1, word, 3),
        LayerSkipped(2, 0),
        SpanBlocked((0,)),
        SpanBlocked((answered.first,)),
    ]


@pytest.fixture(scope="module")
def expected(model, answered) -> torch.Tensor:
    return torch.tensor(
        [plain_score(model, answered, one) for one in [None, *every_kind(answered)]]
    )


@pytest.mark.parametrize("tokens_at_once", [1, 256, 10_000])
def test_knock_outs_equal_the_plain_loop(
    model, answered, expected, tokens_at_once, monkeypatch
) -> None:
    monkeypatch.setattr(knock_out, "TOKENS_AT_ONCE", tokens_at_once)
    knock_outs = every_kind(answered)
    reading = read_answer(model, answered)
    scores = knocked_out_scores(model, reading, knock_outs, [own_read_out])[0]
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)
    changes = (scores[1:] - scores[0]).abs()
    assert (changes > 1e-3).all(), "each of these is something that the answer reads"


def test_what_the_answer_cannot_see_has_no_effect_at_all(model, answered) -> None:
    last = len(answered.tokens) - 1
    unseen = [
        SpanBlocked((last,)),
        SpanBlocked((last - 1,)),
        SpanBlocked(()),
        LayerBlocked(1, (last,), answered.answering),
        LayerBlocked(1, (), answered.answering),
        LayerSkipped(1, last),
    ]
    reading = read_answer(model, answered)
    seen = SpanBlocked(answered.spans[0])
    scores = knocked_out_scores(model, reading, [*unseen, seen], [own_read_out])[0]
    assert (scores[1:-1] == scores[0]).all()
    assert scores[-1] != scores[0]


def test_skipping_a_layer_everywhere_is_a_model_without_it(model, answered) -> None:
    skipped = [LayerSkipped(layer, 0) for layer in range(3)]
    scores = knocked_out_scores(model, read_answer(model, answered), skipped, [own_read_out])[0]
    for layer in range(3):
        shorter = deepcopy(model)
        del shorter.model.layers[layer]
        shorter.config.num_hidden_layers = 2
        logits = shorter(input_ids=torch.tensor([answered.tokens]), use_cache=False).logits[0]
        table = logits.log_softmax(dim=-1)
        places = range(answered.answering, len(answered.tokens) - 1)
        expected = sum(table[at, answered.tokens[at + 1]].item() for at in places)
        assert scores[1 + layer].item() == pytest.approx(expected, abs=1e-4)


def test_attention_is_the_models_own_and_sums_to_one(model, answered) -> None:
    reading = read_answer(model, answered)
    own = model(
        input_ids=torch.tensor([answered.tokens[:-1]]), output_attentions=True, use_cache=False
    ).attentions
    expected = torch.stack([layer[0].mean(dim=0)[answered.answering :] for layer in own])
    torch.testing.assert_close(reading.attention, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        reading.attention.sum(dim=2), torch.ones(3, len(answered.targets)), rtol=1e-5, atol=1e-5
    )
    everything = [
        answered.spans[0],
        sorted({*range(len(answered.tokens) - 1)} - {*answered.spans[0]}),
    ]
    shares = span_attention(reading.attention, everything)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3), rtol=1e-5, atol=1e-5)
    assert shares[1, 0].item() == pytest.approx(
        sum(expected[1, :, at].mean().item() for at in answered.spans[0]), rel=1e-4
    )


def test_a_cache_is_not_used_up(model, answered) -> None:
    reading = read_answer(model, answered)
    knock_outs = every_kind(answered)
    first = knocked_out_scores(model, reading, knock_outs, [own_read_out])
    again = knocked_out_scores(model, reading, knock_outs, [own_read_out])
    assert torch.equal(first, again)
    assert reading.cache.get_seq_length() == len(answered.tokens) - 1


FAMILIES = {
    "gpt2": lambda size: GPT2LMHeadModel(
        GPT2Config(vocab_size=size, n_embd=32, n_layer=1, n_head=4, n_positions=256)
    ),
    "gpt-neox": lambda size: GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=size,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=4,
        )
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_other_families_are_blocked_and_skipped_too(family: str, tiny_tokenizer, answered) -> None:
    """In a model of one layer nothing but the answering places' own attention counts."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other = FAMILIES[family](len(tiny_tokenizer)).eval()
    fact, since = answered.spans[0], answered.answering
    with weights_returned(other):
        reading = read_answer(other, answered)
        knock_outs = [SpanBlocked(fact), LayerBlocked(0, fact, since), LayerSkipped(0, since)]
        scores = knocked_out_scores(other, reading, knock_outs, [own_read_out])[0]
    assert scores[1].item() == pytest.approx(scores[2].item(), abs=1e-5)
    assert abs(scores[1] - scores[0]) > 1e-4
    assert abs(scores[3] - scores[0]) > 1e-4


def hooks_of(model) -> list[list[object]]:
    """Of every module; the library leaves some of its own once weights were asked for."""
    return [[*part._forward_hooks, *part._forward_pre_hooks] for part in model.modules()]


def test_hooks_and_attention_are_put_back(tiny_model, answered) -> None:
    before, hooks = tiny_model.config._attn_implementation, hooks_of(tiny_model)
    knocks = torch.ones(1, 1, 1, dtype=torch.bool)
    with (
        pytest.raises(RuntimeError),
        weights_returned(tiny_model),
        altered_blocks(tiny_model, {0: knocks}, {1: knocks[0]}),
    ):
        raise RuntimeError
    assert tiny_model.config._attn_implementation == before
    assert hooks_of(tiny_model) == hooks


def test_a_mask_that_never_arrives_is_an_error(model) -> None:
    with (
        pytest.raises(ValueError, match=r"layers \[1\] took no mask"),
        altered_blocks(model, {1: torch.ones(1, 1, 1, dtype=torch.bool)}, {}),
    ):
        pass


def test_a_model_without_blocks_is_refused(tiny_model) -> None:
    odd = nn.Module()
    odd.config = tiny_model.config
    with pytest.raises(UserError, match="no list of 2 blocks"):
        transformer_blocks(odd)
