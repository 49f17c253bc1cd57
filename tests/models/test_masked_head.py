"""A head for an encoder without one: it is trained, and nothing else of the model is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from infact.models.masked_head import (
    HeadlessEncoder,
    MaskedTokens,
    head_loss,
    load_encoder,
    masked_copy,
    masked_tokens,
    train_head,
)
from infact.models.training import TrainingSettings
from transformers import BertModel

TEXTS = [
    "Paris is the capital of France.",
    "Oslo is the capital of Norway, a country of Europe.",
] * 8


def ignore(_: int) -> None:
    pass


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> HeadlessEncoder:
    return load_encoder(tiny_encoder_folder, seed=0)


def trained(encoder: HeadlessEncoder, folder: Path) -> tuple[float, float]:
    """The loss on the training tokens before and after."""
    tokens = masked_tokens(encoder, TEXTS, 0, ignore)
    with torch.no_grad():
        before = head_loss(encoder.model, tokens).item()
    settings = TrainingSettings(1e-2, 10)
    train_head(encoder, tokens, settings, 0, folder / "head.safetensors", ignore)
    with torch.no_grad():
        return before, head_loss(encoder.model, tokens).item()


def test_training_lowers_the_loss_and_leaves_the_encoder_as_it_was(
    encoder: HeadlessEncoder, tiny_encoder_folder: Path, tmp_path: Path
) -> None:
    assert all("predictions" in name for name in encoder.lacking)
    before, after = trained(encoder, tmp_path)
    assert after < before - 1
    own = BertModel.from_pretrained(tiny_encoder_folder).state_dict()
    kept = encoder.model.base_model.state_dict()
    assert all(torch.equal(tensor, own[name]) for name, tensor in kept.items())
    output, given = (
        encoder.model.get_output_embeddings(),
        encoder.model.get_input_embeddings(),
    )
    assert output.weight is given.weight


def test_it_is_the_same_head_again_by_its_seed(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((0, 0, 1)):
        encoder = load_encoder(tiny_encoder_folder, seed)
        folder = tmp_path / str(number)
        folder.mkdir()
        trained(encoder, folder)
        found.append([encoder.model.get_parameter(name) for name in encoder.lacking])
    first, again, other = found
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, other))


def test_a_model_with_its_head_lacks_nothing(tiny_masked_folder: Path) -> None:
    assert load_encoder(tiny_masked_folder, 0).lacking == ()


def test_a_drawn_token_is_masked_with_the_rest_of_its_word(encoder: HeadlessEncoder) -> None:
    tokenizer, text = encoder.tokenizer, TEXTS[1]
    encoded = tokenizer(text)
    tokens, words = encoded["input_ids"], encoded.word_ids()
    drawn = 0
    for seed in range(20):
        copy = masked_copy(tokenizer, text, np.random.default_rng(seed))
        drawn += len(copy.places)
        assert list(copy.targets) == [tokens[place] for place in copy.places]
        for place, token in enumerate(tokens):
            earlier = [at for at in copy.places if at <= place and words[at] == words[place]]
            assert copy.tokens[place] == (tokenizer.mask_token_id if earlier else token)
    assert 0.08 < drawn / (20 * len(tokens)) < 0.25


def test_the_loss_is_that_of_the_whole_model(encoder: HeadlessEncoder) -> None:
    tokenizer = encoder.tokenizer
    tokens = masked_tokens(encoder, TEXTS[:1], 0, ignore)
    copy = masked_copy(tokenizer, TEXTS[0], np.random.default_rng([0, 59]))
    with torch.no_grad():
        logits = encoder.model(input_ids=torch.tensor([copy.tokens])).logits[0]
        chances = logits.log_softmax(-1)
        expected = -torch.stack(
            [chances[place, token] for place, token in zip(copy.places, copy.targets, strict=True)]
        ).mean()
        found = head_loss(encoder.model, MaskedTokens(tokens.hidden, tokens.targets))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
