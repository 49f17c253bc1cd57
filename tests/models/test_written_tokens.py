"""What raises a token's logit in the states of each family."""

import pytest
import torch
from infact.models.partial_passes import from_states, head_reading
from infact.models.written_tokens import written_tokens

from .test_fused_model import CAUSAL, HIDDEN, MASKED, WORDS, fused, reading, texts, tiny


@pytest.mark.parametrize("family", CAUSAL)
def test_a_causal_model_writes_by_its_output_embedding(family: str) -> None:
    model = tiny(family)
    tokens = torch.tensor([[3, 9], [4, 4]])
    assert torch.equal(written_tokens(model, tokens), model.get_output_embeddings().weight[tokens])


@pytest.mark.parametrize("family", MASKED)
def test_a_masked_models_states_are_moved_so_that_the_token_rises(family: str) -> None:
    """Measured by small steps on states that the mean wasn't taken over."""
    model = tiny(family)
    tokens = torch.arange(3, WORDS)
    states = torch.randn(200, HIDDEN, generator=torch.Generator().manual_seed(9))
    step = 1e-2

    def rise(directions: torch.Tensor) -> torch.Tensor:
        """(tokens,) mean rise of each token's logit along its own direction."""
        unit = torch.nn.functional.normalize(directions, dim=-1)
        found = []
        for token, direction in zip(tokens, unit, strict=True):
            row = model.get_output_embeddings().weight[token]
            moved = head_reading(model, states + step * direction) - head_reading(model, states)
            found.append((moved @ row).mean() / step)
        return torch.stack(found)

    found = rise(written_tokens(model, tokens))
    assert (found > 0).all()
    assert (found >= rise(model.get_output_embeddings().weight[tokens]) - 1e-4).float().mean() > 0.9


@pytest.mark.parametrize("family", MASKED)
def test_the_head_alone_gives_the_models_logits(family: str) -> None:
    model, given = tiny(family), texts()
    output = model(**given, output_hidden_states=True)
    with from_states(model, model.base_model(**given)[0]):
        assert torch.allclose(model(**given).logits, output.logits, atol=1e-5)


def test_it_is_the_same_within_a_session_and_without() -> None:
    model = fused("Bert")
    with reading(model):
        model(**texts())
    assert torch.equal(
        written_tokens(model.base, torch.arange(9)), written_tokens(tiny("Bert"), torch.arange(9))
    )
