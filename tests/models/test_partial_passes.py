"""A part of a pass gives what the whole pass gives, for every family."""

from dataclasses import replace

import pytest
import torch
import transformers
from infact.errors import UserError
from infact.models.partial_passes import Places, from_block, logits_at_places, run_once
from infact.models.read_out import next_token_log_probabilities
from infact.models.transformer_blocks import transformer_blocks

from .test_fused_model import CAUSAL, MASKED, fused, reading, texts, tiny

AT = Places(torch.tensor([0, 1, 1, 2]), torch.tensor([3, 0, 5, 8]))


@pytest.fixture(params=[*CAUSAL, *MASKED])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def padded() -> tuple[torch.Tensor, torch.Tensor]:
    tokens = texts()["input_ids"]
    mask = torch.ones_like(tokens)
    mask[1, 6:] = 0
    return tokens.masked_fill(mask == 0, 0), mask


def test_a_pass_goes_on_from_a_block(family: str) -> None:
    model, (tokens, mask) = fused(family), padded()
    with reading(model):
        expected = model(input_ids=tokens, attention_mask=mask).logits
    bottom, _ = run_once(model.base, 0, tokens, mask, AT)
    other = replace(bottom, hidden=torch.randn(bottom.hidden.shape))
    found = []
    for given in (bottom, other):
        with reading(model), from_block(model.base, given):
            found.append(model(input_ids=tokens, attention_mask=mask).logits)
    kept = mask.bool()
    torch.testing.assert_close(found[0][kept], expected[kept], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found[1][kept], expected[kept], atol=1e-3)
    assert torch.equal(model(input_ids=tokens).logits, tiny(family)(input_ids=tokens).logits)


def test_the_blocks_before_rest(family: str) -> None:
    model, (tokens, mask) = tiny(family), padded()
    bottom, _ = run_once(model, 1, tokens, mask, AT)
    ran = []
    inner = next(transformer_blocks(model)[0].children())
    handle = inner.register_forward_hook(lambda *given: ran.append(given))
    with from_block(model, bottom):
        model(input_ids=tokens, attention_mask=mask)
    assert not ran
    model(input_ids=tokens, attention_mask=mask)
    assert ran
    handle.remove()


def test_a_family_whose_head_is_no_module_of_its_own_is_refused() -> None:
    config = transformers.MobileBertConfig(
        vocab_size=64,
        hidden_size=16,
        embedding_size=16,
        intermediate_size=16,
        true_hidden_size=16,
        intra_bottleneck_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    model = transformers.MobileBertForMaskedLM(config).eval()
    with pytest.raises(UserError, match="MobileBertForMaskedLM doesn't run"):
        logits_at_places(model, *padded(), AT)


def test_the_head_sees_chosen_places_alone(family: str) -> None:
    model, (tokens, mask) = tiny(family), padded()
    expected = model(input_ids=tokens, attention_mask=mask).logits
    wanted = expected[AT.rows, AT.places].float()
    found = logits_at_places(model, tokens, mask, AT)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    _, read = run_once(model, 0, tokens, mask, AT)
    found = next_token_log_probabilities(model, read)
    torch.testing.assert_close(found, wanted.log_softmax(-1), atol=1e-5, rtol=1e-4)
    assert torch.equal(model(input_ids=tokens, attention_mask=mask).logits, expected)
