import copy
import math
from collections import Counter

import pytest
import torch
from infact.models.anchors import AnchoredBatch, anchor_batches, anchored_loss, sample_texts
from infact.models.language_model_loss import anchor_divergence
from infact.models.predicted_texts import PredictedText, continued_text

OPENINGS = ("The capital", "Oslo", "It is a", "Lima")


def ignore(_: int) -> None:
    pass


def whole(*tokens: int) -> PredictedText:
    return continued_text(tokens, (1.0,) * len(tokens))


def test_samples_continue_their_openings_and_depend_on_the_seed(tiny_model, tiny_tokenizer) -> None:
    found = sample_texts(tiny_model, tiny_tokenizer, OPENINGS, 6, 0, ignore)
    for opening, tokens in zip(OPENINGS, found, strict=True):
        asked = tuple(tiny_tokenizer(opening)["input_ids"])
        assert tokens[: len(asked)] == asked
        assert len(tokens) == len(asked) + 6
    assert found == sample_texts(tiny_model, tiny_tokenizer, OPENINGS, 6, 0, ignore)
    assert found != sample_texts(tiny_model, tiny_tokenizer, OPENINGS, 6, 1, ignore)


def test_samples_follow_the_models_distribution(tiny_model, tiny_tokenizer) -> None:
    """The second sampled token too, which comes from the cache: its mean log-likelihood."""
    count = 3000
    found = sample_texts(tiny_model, tiny_tokenizer, ["Oslo"] * count, 2, 0, ignore)
    with torch.no_grad():
        table = tiny_model(torch.tensor(found)).logits.double().log_softmax(-1)
    for place in (1, 2):
        tokens = torch.tensor(found)[:, -place]
        at = table[:, -place - 1]
        said = at.gather(1, tokens[:, None]).mean().item()
        entropy = (at.exp() * at).sum(dim=1).mean().item()
        spread = ((at.exp() * at**2).sum(dim=1).mean().item() - entropy**2) ** 0.5
        assert said == pytest.approx(entropy, abs=5 * spread / math.sqrt(count))
    first = Counter(row[-2] for row in found)
    assert len(first) > 20


def test_base_states_are_kept_where_a_token_counts(tiny_model) -> None:
    texts = [whole(5, 6, 7, 8), whole(9, 10), whole(11, 12, 13)]
    batches = anchor_batches(tiny_model, texts, 2, 0)
    assert [len(batch.texts.tokens) for batch in batches] == [2, 1]
    assert sum(len(batch.base) for batch in batches) == sum(len(row) - 1 for row in texts)
    for batch in batches:
        divergence = anchor_divergence(tiny_model, batch.texts, batch.base)
        assert abs(divergence.item()) < 1e-6


def test_what_the_frozen_blocks_give_is_kept(tiny_model) -> None:
    texts = [whole(5, 6, 7, 8), whole(9, 10), whole(11, 12, 13)]
    model = copy.deepcopy(tiny_model)
    kept, run = anchor_batches(model, texts, 3, 0, 1), anchor_batches(model, texts, 3, 0)
    torch.testing.assert_close(kept[0].base, run[0].base)
    with torch.no_grad():
        model.base_model.layers[1].mlp.up_proj.weight.mul_(3)
    found, expected = (
        anchor_divergence(model, batch.texts, batch.base).item() for (batch,) in (kept, run)
    )
    assert expected > 1e-4
    assert found == pytest.approx(expected, rel=1e-3)
    with torch.no_grad():  # what lies below is never run again
        model.base_model.layers[0].mlp.up_proj.weight.mul_(3)
    assert anchor_divergence(model, kept[0].texts, kept[0].base).item() == found


def test_a_model_in_training_is_pulled_back_by_them(tiny_model) -> None:
    model = copy.deepcopy(tiny_model)
    weight = model.base_model.layers[1].mlp.up_proj.weight.requires_grad_(True)
    (anchor,) = anchor_batches(model, [whole(5, 6, 7, 8)], 2, 0)
    shifted = type(anchor)(anchor.texts, anchor.base.flip(0))
    anchored_loss(lambda model, taught: torch.tensor(0.0), weight=1)(
        model, AnchoredBatch(None, shifted)
    ).backward()
    assert weight.grad.abs().max() > 0


def test_the_anchor_is_added_with_its_weight(tiny_model) -> None:
    (anchor,) = anchor_batches(tiny_model, [whole(5, 6, 7, 8)], 2, 0)
    shifted = type(anchor)(anchor.texts, anchor.base.flip(0))
    divergence = anchor_divergence(tiny_model, shifted.texts, shifted.base).item()
    total = anchored_loss(lambda model, taught: torch.tensor(float(taught)), weight=0.5)
    assert total(tiny_model, AnchoredBatch(2, None)).item() == 2
    found = total(tiny_model, AnchoredBatch(2, shifted)).item()
    assert found == pytest.approx(2 + 0.5 * divergence, rel=1e-5)
    assert divergence > 0.01
