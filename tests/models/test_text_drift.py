import copy
import math

import pytest
import torch
from infact.models.option_scoring import tree_states
from infact.models.option_tree import merge_sequences
from infact.models.read_out import own_read_out
from infact.models.text_drift import text_drift

TEXTS = ("Oslo is the capital of Norway.", "The river rises in Germany, in Europe", "It is a gene.")


def ignore(_: int) -> None:
    pass


@pytest.fixture(scope="module")
def sequences(tiny_tokenizer) -> list[list[int]]:
    return tiny_tokenizer(list(TEXTS))["input_ids"]


def states_on(model, sequences):
    trees = [merge_sequences([tokens], [1]) for tokens in sequences]
    return tree_states(model, trees, 4096, ignore)


@pytest.fixture(scope="module")
def other(tiny_model):
    changed = copy.deepcopy(tiny_model)
    with torch.no_grad():
        changed.base_model.layers[0].mlp.down_proj.weight.mul_(1.5)
    return changed


def test_the_base_against_itself(tiny_model, sequences) -> None:
    states = states_on(tiny_model, sequences)
    drift = text_drift(tiny_model, states, states.positions.hidden, own_read_out)
    with torch.no_grad():
        total = sum(
            tiny_model(torch.tensor([tokens]), labels=torch.tensor([tokens])).loss.item()
            * (len(tokens) - 1)
            for tokens in sequences
        )
    count = sum(len(tokens) - 1 for tokens in sequences)
    assert drift.tokens == count
    assert drift.perplexity == pytest.approx(math.exp(total / count), rel=1e-4)
    assert drift.divergence == 0


def test_the_divergence_is_the_sum_over_the_vocabulary(tiny_model, other, sequences) -> None:
    base_hidden = states_on(tiny_model, sequences).positions.hidden
    drift = text_drift(other, states_on(other, sequences), base_hidden, own_read_out)
    divergences = []
    for tokens in sequences:
        with torch.no_grad():
            base, arm = (
                model(torch.tensor([tokens])).logits[0, :-1].double().log_softmax(-1)
                for model in (tiny_model, other)
            )
        divergences += (base.exp() * (base - arm)).sum(dim=1).tolist()
    assert drift.divergence == pytest.approx(sum(divergences) / len(divergences), rel=1e-3)
    assert drift.divergence > 0.001


def test_the_chunk_of_places_does_not_matter(tiny_model, other, sequences, monkeypatch) -> None:
    states, base = states_on(other, sequences), states_on(tiny_model, sequences)
    whole = text_drift(other, states, base.positions.hidden, own_read_out)
    monkeypatch.setattr("infact.models.text_drift.PLACES_AT_ONCE", 4)
    parts = text_drift(other, states, base.positions.hidden, own_read_out)
    assert parts.perplexity == pytest.approx(whole.perplexity, rel=1e-5)
    assert parts.divergence == pytest.approx(whole.divergence, rel=1e-4)


def test_the_arms_read_out_is_what_is_measured(tiny_model, sequences) -> None:
    states = states_on(tiny_model, sequences)
    flat = -math.log(400)
    drift = text_drift(
        tiny_model, states, states.positions.hidden, lambda _, own: torch.full_like(own, flat)
    )
    assert drift.perplexity == pytest.approx(400, rel=1e-4)
    assert drift.divergence > 0
