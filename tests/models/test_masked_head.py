"""A head for an encoder without one: it is trained, and nothing else of the model is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from infact.models.masked_head import (
    DrawnTokens,
    HeadlessEncoder,
    drawn_texts,
    drawn_tokens,
    head_loss,
    load_encoder,
    masked_copy,
    train_head,
    vocabulary_rows,
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
    tokens = drawn_tokens(encoder.model, drawn_texts(encoder.tokenizer, TEXTS, 0), ignore)
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


def test_a_drawn_token_is_masked_with_the_rest_of_its_word_or_stays(
    encoder: HeadlessEncoder,
) -> None:
    tokenizer, text = encoder.tokenizer, TEXTS[1]
    encoded = tokenizer(text)
    tokens, words = encoded["input_ids"], encoded.word_ids()
    drawn, visible = 0, 0
    for seed in range(200):
        copy = masked_copy(tokenizer, text, np.random.default_rng(seed))
        drawn += len(copy.places)
        assert list(copy.targets) == [tokens[place] for place in copy.places]
        masked = [place for place, token in enumerate(copy.tokens) if token != tokens[place]]
        assert all(copy.tokens[place] == tokenizer.mask_token_id for place in masked)
        # Where a token is masked, it or an earlier one of its word was drawn, and so are later ones.
        for place in masked:
            own = [at for at, word in enumerate(words) if word == words[place]]
            assert any(at in copy.places for at in own if at <= place)
            assert all(at in masked for at in own if at >= place)
        visible += len(set(copy.places) - set(masked))
    assert 0.1 < drawn / (200 * len(tokens)) < 0.2
    assert 0.03 < visible / drawn < 0.2


def test_the_vocabulary_is_read_once(encoder: HeadlessEncoder) -> None:
    tokenizer = encoder.tokenizer
    rows = vocabulary_rows(tokenizer, np.random.default_rng(0))
    read = [token for row in rows for token in row.targets]
    special = set(tokenizer.all_special_ids)
    assert sorted(read) == sorted(set(range(len(tokenizer))) - special)
    for row in rows:
        assert [row.tokens[place] for place in row.places] == list(row.targets)
        rest = [token for place, token in enumerate(row.tokens) if place not in row.places]
        assert rest == tokenizer("")["input_ids"]


def test_the_loss_is_that_of_the_whole_model(encoder: HeadlessEncoder) -> None:
    copy = masked_copy(encoder.tokenizer, TEXTS[0], np.random.default_rng([0, 59]))
    tokens = drawn_tokens(encoder.model, [copy], ignore)
    with torch.no_grad():
        logits = encoder.model(input_ids=torch.tensor([copy.tokens])).logits[0]
        chances = logits.log_softmax(-1)
        expected = -torch.stack(
            [chances[place, token] for place, token in zip(copy.places, copy.targets, strict=True)]
        ).mean()
        found = head_loss(encoder.model, DrawnTokens(tokens.hidden, tokens.targets))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
