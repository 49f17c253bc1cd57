from pathlib import Path

import pytest
import torch
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.language_model import load_language_model
from infact.models.low_rank import trained_parameters
from infact.models.masked_scoring import pseudo_log_likelihoods
from infact.models.masked_texts import answered_texts
from infact.models.option_scoring import option_scores, tree_states
from infact.models.option_tree import build_option_tree
from infact.models.predicted_texts import WeightedText, collate_predicted, continued_texts
from infact.models.read_out import own_read_out
from infact.models.soft_prompt import (
    add_soft_prompt,
    soft_prompt_loss,
    special_beginning,
    with_soft_prompt,
)
from peft import PeftModel

LENGTH = 5
TEXTS = ("The capital of France is Paris.\n", "Question: In which country? Answer: Peru\n")


@pytest.fixture
def wrapped(tiny_model_folder: Path) -> PeftModel:
    return add_soft_prompt(load_causal_model(tiny_model_folder, torch.float32), LENGTH, seed=1)


def test_only_the_vectors_are_trained(wrapped: PeftModel) -> None:
    assert trained_parameters(wrapped) == LENGTH * wrapped.get_base_model().config.hidden_size


def test_vectors_begin_as_embeddings_of_tokens_drawn_by_the_seed(
    wrapped: PeftModel, tiny_model_folder: Path
) -> None:
    again = add_soft_prompt(load_causal_model(tiny_model_folder, torch.float32), LENGTH, seed=1)
    other = add_soft_prompt(load_causal_model(tiny_model_folder, torch.float32), LENGTH, seed=2)
    table = wrapped.get_base_model().get_input_embeddings().weight
    vectors = wrapped.get_prompt(1)[0]
    assert all((table == vector).all(dim=1).any() for vector in vectors)
    assert torch.equal(vectors, again.get_prompt(1)[0])
    assert not torch.equal(vectors, other.get_prompt(1)[0])


def test_loss_is_that_of_pefts_own_forward_pass(wrapped: PeftModel, tiny_tokenizer) -> None:
    weighted = [WeightedText(text, len(text) // 2, 0.0) for text in TEXTS]
    batch = collate_predicted(continued_texts(tiny_tokenizer, weighted, 99))
    output = wrapped(input_ids=batch.tokens, attention_mask=batch.mask)
    chances = output.logits[:, LENGTH:].log_softmax(-1)[batch.at.rows, batch.at.places]
    expected = -chances.gather(1, batch.targets[:, None]).mean()
    loss = soft_prompt_loss(wrapped, batch, beginning=0)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    loss.backward()
    vectors = next(value for value in wrapped.parameters() if value.requires_grad)
    assert vectors.grad.abs().sum() > 0


def test_saved_vectors_are_read_as_tokens(
    wrapped: PeftModel, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """Scores of options after the opening are those of PEFT's model after the vectors."""
    wrapped.save_pretrained(tmp_path)
    tokenizer = load_tokenizer(tiny_model_folder)
    loaded = with_soft_prompt(
        load_causal_model(tiny_model_folder, torch.float32), tokenizer, tmp_path
    )
    prompt, options = "The capital of Norway is", ("Oslo", "Paris in France")
    tree = build_option_tree(loaded.tokenizer, loaded.opening + prompt, options)
    states = tree_states(loaded.model, [tree], 999, lambda done: None)
    found = option_scores(loaded.model, states, [tree], [own_read_out])[0][0]
    plain = load_tokenizer(tiny_model_folder)
    alone = len(plain(prompt)["input_ids"])
    for option, score in zip(options, found, strict=True):
        tokens = torch.tensor([plain(f"{prompt} {option}")["input_ids"]])
        with torch.no_grad():
            logits = wrapped(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
        chances = logits[0, LENGTH:].log_softmax(-1)
        expected = sum(
            chances[place - 1, tokens[0, place]].item() for place in range(alone, tokens.shape[1])
        )
        assert score == pytest.approx(expected, abs=1e-4)


def test_what_can_be_answered_stays_as_it_was(
    wrapped: PeftModel, tiny_model_folder: Path, tmp_path: Path
) -> None:
    wrapped.save_pretrained(tmp_path)
    model = load_causal_model(tiny_model_folder, torch.float32)
    tokens = torch.tensor([[5, 6, 7]])
    before = model(tokens).logits
    loaded = with_soft_prompt(model, load_tokenizer(tiny_model_folder), tmp_path)
    assert torch.equal(loaded.model(tokens).logits, before)


def test_a_masked_model_is_asked_as_it_was_trained(
    tiny_masked_folder: Path, tmp_path: Path
) -> None:
    """The vectors come behind its special token, in training and as tokens of their own."""
    base = load_language_model(tiny_masked_folder, None, torch.float32)
    wrapped = add_soft_prompt(base.model, LENGTH, seed=1)
    prompt, answer = "The capital of Norway is", "Oslo"
    texts = answered_texts(base.tokenizer, [WeightedText(f"{prompt} {answer}", 24, 0.0)], 99)
    beginning = special_beginning(base.tokenizer)
    assert beginning == 1
    loss = soft_prompt_loss(wrapped, collate_predicted(texts), beginning)
    loss.backward()
    wrapped.save_pretrained(tmp_path)
    again = load_language_model(tiny_masked_folder, None, torch.float32)
    loaded = with_soft_prompt(again.model, again.tokenizer, tmp_path)
    ((score,),) = pseudo_log_likelihoods(
        loaded.model, loaded.tokenizer, [(answer,)], [f"{loaded.opening}{prompt} "], 999
    )
    assert score == pytest.approx(-loss.item() * len(texts), abs=1e-3)
