import pytest
import torch
from infact.errors import UserError
from infact.models.low_rank import (
    add_low_rank_adapters,
    mlp_linear_names,
    trained_parameters,
)
from transformers import (
    FNetConfig,
    FNetForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

RANK, LAYERS, WIDTH, MLP_WIDTH = 2, 4, 16, 24


def llama() -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50,
            hidden_size=WIDTH,
            intermediate_size=MLP_WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=2,
        )
    )


def gpt2() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_embd=WIDTH, n_inner=MLP_WIDTH, n_layer=LAYERS, n_head=2)
    )


FAMILIES = [
    (llama, "model.layers.", ["mlp.down_proj", "mlp.gate_proj", "mlp.up_proj"]),
    (gpt2, "transformer.h.", ["mlp.c_fc", "mlp.c_proj"]),
]


@pytest.mark.parametrize(("build", "blocks", "names"), FAMILIES)
def test_the_mlps_linears_are_found(build, blocks, names) -> None:
    assert mlp_linear_names(build()) == names


@pytest.mark.parametrize(("build", "blocks", "names"), FAMILIES)
def test_adapters_sit_on_the_upper_layers_mlps_alone(build, blocks, names) -> None:
    adapted = add_low_rank_adapters(build().requires_grad_(False), RANK, upper_layers=2)
    trained = {name for name, value in adapted.named_parameters() if value.requires_grad}
    expected = {
        f"base_model.model.{blocks}{layer}.{name}.lora_{side}.default.weight"
        for layer in (2, 3)
        for name in names
        for side in "AB"
    }
    assert trained == expected
    assert trained_parameters(adapted) == 2 * len(names) * RANK * (WIDTH + MLP_WIDTH)


@pytest.mark.parametrize(("build", "blocks", "names"), FAMILIES)
def test_new_adapters_change_nothing(build, blocks, names) -> None:
    model, tokens = build().eval(), torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        before = model(tokens).logits
        after = add_low_rank_adapters(model, RANK, upper_layers=2)(tokens).logits
    assert torch.equal(before, after)


def test_more_upper_layers_than_there_are_means_all() -> None:
    adapted = add_low_rank_adapters(llama(), RANK, upper_layers=99)
    assert trained_parameters(adapted) == LAYERS * 3 * RANK * (WIDTH + MLP_WIDTH)


def test_a_family_without_attention_is_refused() -> None:
    config = FNetConfig(vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=2)
    with pytest.raises(UserError, match="no list of 2 blocks with attention"):
        add_low_rank_adapters(FNetForMaskedLM(config), 2, 1)
