"""Costs of a pass, fitted to times that are made up and to those of a real model."""

import pytest
import torch
from infact.models import pass_costs
from infact.models.pass_costs import (
    CALIBRATION_TOKENS,
    TIMED,
    WORTH_MEASURING,
    PassCosts,
    costs_for,
    estimated_costs,
    measure_costs,
)
from transformers import LlamaConfig, LlamaForCausalLM


@pytest.mark.parametrize("real", [PassCosts(0.03, 1e-3, 4e-7), PassCosts(2e-3, 1e-5, 0.0)])
def test_costs_are_found_again_in_times_that_follow_them(
    tiny_model, monkeypatch, real: PassCosts
) -> None:
    monkeypatch.setattr(
        pass_costs,
        "_seconds",
        lambda model, rows, length: real.seconds(1, rows * length, rows * length**2),
    )
    found = measure_costs(tiny_model)
    assert found.per_pass == pytest.approx(real.per_pass, rel=1e-6)
    assert found.per_token == pytest.approx(real.per_token, rel=1e-6)
    assert found.per_pair == pytest.approx(real.per_pair, rel=1e-4, abs=1e-12)


def test_the_faster_of_the_rounds_counts(tiny_model, monkeypatch) -> None:
    real = PassCosts(0.03, 1e-3, 4e-7)
    calls: list[int] = []

    def disturbed(model, rows: int, length: int) -> float:
        calls.append(rows)
        slow = 10.0 if len(calls) % (len(TIMED) + 2) == 0 else 1.0
        return slow * real.seconds(1, rows * length, rows * length**2)

    monkeypatch.setattr(pass_costs, "_seconds", disturbed)
    assert measure_costs(tiny_model).per_token == pytest.approx(real.per_token, rel=1e-6)


def test_times_that_say_nothing_are_not_believed(tiny_model, monkeypatch) -> None:
    monkeypatch.setattr(pass_costs, "_seconds", lambda model, rows, length: 1.0)
    assert measure_costs(tiny_model) == estimated_costs(tiny_model)


def test_a_real_model_can_be_measured(tiny_model) -> None:
    found = measure_costs(tiny_model)
    assert found.per_pass > 0
    assert found.per_token > 0
    assert found.per_pair >= 0


def test_a_token_costs_its_weights_and_not_its_embeddings() -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    costs = []
    for tied in (True, False):
        config = LlamaConfig(
            vocab_size=500, intermediate_size=32, tie_word_embeddings=tied, **sizes
        )
        model = LlamaForCausalLM(config)
        blocks = sum(part.numel() for part in model.model.layers.parameters())
        blocks += model.model.norm.weight.numel()
        costs.append(estimated_costs(model))
        assert costs[-1].per_token == pytest.approx(blocks / 1e11)
    assert costs[0] == costs[1]


def test_only_much_work_is_worth_measuring_for(tiny_model, monkeypatch) -> None:
    measured = PassCosts(1.0, 2.0, 3.0)
    monkeypatch.setattr(pass_costs, "measure_costs", lambda model: measured)
    enough = WORTH_MEASURING * CALIBRATION_TOKENS
    assert costs_for(tiny_model, enough) == measured
    assert costs_for(tiny_model, enough - 1) == estimated_costs(tiny_model)
    assert torch.is_grad_enabled()
