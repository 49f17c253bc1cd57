"""Vectors of texts and mentions beside the mean of states computed one text at a time."""

import shutil

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.models.text_encoder import LONGEST, TextEncoder
from transformers import AutoModel, AutoTokenizer

TEXTS = ["a kidney", "the renal cyst of it", "x", "a kidney", "word " * 200]


def silent(done: int) -> None:
    pass


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder):
    return TextEncoder(tiny_encoder_folder)


@pytest.fixture(scope="module")
def reference(tiny_encoder_folder):
    """Ids and last states of one text."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder_folder)
    model = AutoModel.from_pretrained(tiny_encoder_folder).eval()

    def states(text):
        read = tokenizer(
            text, return_tensors="pt", truncation=True, max_length=LONGEST,
            return_offsets_mapping=True,
        )  # fmt: skip
        offsets = read.pop("offset_mapping")[0].tolist()
        with torch.no_grad():
            return offsets, model(**read).last_hidden_state[0].numpy()

    return states


def test_a_text_is_the_mean_of_its_states_whatever_it_is_read_with(encoder, reference):
    told = []
    found = encoder.vectors(TEXTS, told.append)
    assert sum(told) == len(TEXTS)
    assert np.array_equal(found[0], found[3])
    for text, vector in zip(TEXTS, found, strict=True):
        mean = reference(text)[1].mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=2e-3)
        np.testing.assert_allclose(vector, encoder.vectors([text], silent)[0], atol=1e-3)


def test_a_mention_is_the_mean_over_its_own_tokens(encoder, reference):
    sentence = "the renal cyst, and the 肾 kidney of it"
    parts = ("renal cyst", "肾 kidney")
    spans = [(sentence.index(part), sentence.index(part) + len(part)) for part in parts]
    found = encoder.mention_vectors([sentence, sentence], spans, silent)
    offsets, states = reference(sentence)
    for (start, end), vector in zip(spans, found, strict=True):
        own = [at for at, (a, b) in enumerate(offsets) if b > a and a < end and b > start]
        assert own
        assert any(at not in own for at in range(len(states)))
        mean = states[own].mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=2e-3)


def test_a_mention_beyond_what_is_read_has_the_sentence_s_vector(encoder):
    sentence = "word " * 400 + "kidney"
    (found,) = encoder.mention_vectors([sentence], [(2000, 2006)], silent)
    assert np.linalg.norm(found.astype(float)) == pytest.approx(1.0, abs=1e-2)


def test_no_folder_and_damaged_weights_are_told(tiny_encoder_folder, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        TextEncoder(tmp_path / "nowhere")
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_encoder_folder, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="can't be read"):
        TextEncoder(damaged)
