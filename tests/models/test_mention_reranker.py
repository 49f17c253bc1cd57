"""The re-ranker beside its formula in plain mathematics; training, choice of epochs and calibration."""

import math

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.models.mention_reranker import NOTHING, SPEED, CandidateLists, MentionReranker, Turn
from infact.models.reranker_training import (
    RerankerExamples,
    calibrate,
    mean_loss,
    reranker_loss,
    scores_of,
    train_reranker,
)
from torch import nn

WIDTH = 8


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def random_model(seed: int) -> MentionReranker:
    """With no weight at its first value."""
    model = MentionReranker(WIDTH, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.2 * torch.randn(value.shape, generator=generator))
    return model.eval()  # nothing left out


def random_lists(count: int, candidates: int, seed: int) -> tuple[torch.Tensor, CandidateLists]:
    """Mentions with 1 to `candidates` candidates, each with 1 to 3 names, and who is right."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((40, WIDTH))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    there = random.integers(1, candidates + 1, count)
    names = random.integers(0, 40, (count, candidates, 3))
    names[np.arange(3) >= random.integers(1, 4, (count, candidates, 1))] = NOTHING
    descriptions = random.integers(0, 40, (count, candidates))
    absent = np.arange(candidates) >= there[:, None]
    names[absent], descriptions[absent] = NOTHING, NOTHING
    scores = random.dirichlet(np.ones(candidates + 1), count)
    lists = CandidateLists(
        random.integers(0, 40, count).astype(np.int32),
        random.integers(0, 40, count).astype(np.int32),
        names.astype(np.int32),
        descriptions.astype(np.int32),
        random.integers(0, 6, (count, candidates)).astype(np.int32),
        np.log(scores).astype(np.float32),
        random.integers(0, there + 1),
    )
    return torch.from_numpy(vectors), lists


def turned(turn: Turn, vector: np.ndarray) -> np.ndarray:
    """A v = v + W v + U gelu(√D V v + b), brought to length 1."""
    w, v, u = (each.weight.detach().numpy() for each in (turn.straight, turn.inner, turn.outer))
    inner = math.sqrt(WIDTH) * v @ vector + turn.inner.bias.detach().numpy()
    bent = np.array([each * 0.5 * (1 + math.erf(each / math.sqrt(2))) for each in inner])
    return unit(vector + w @ vector + u @ bent)


def plain_probabilities(
    model: MentionReranker, vectors: np.ndarray, lists: CandidateLists, row: int
) -> list[float]:
    """The docstring's formula for one mention, NIL first; without candidates that aren't there."""
    alpha, greatest, mean, described, nil = (SPEED * model.weights).tolist()
    kinds = (SPEED * model.of_kinds).tolist()
    m = turned(model.of_names, vectors[lists.mention[row]])
    x = turned(model.of_descriptions, vectors[lists.context[row]])
    shift, temperature = float(model.nil_shift), float(model.temperature)
    scores = [alpha * lists.log_scores[row, 0] + nil + shift]
    for place, told in enumerate(lists.descriptions[row]):
        if told == NOTHING:
            continue
        cosines = [
            float(m @ turned(model.of_names, vectors[name]))
            for name in lists.names[row, place]
            if name != NOTHING
        ]
        scores.append(
            alpha * lists.log_scores[row, 1 + place]
            + kinds[lists.kinds[row, place]]
            + greatest * max(cosines)
            + mean * sum(cosines) / len(cosines)
            + described * float(x @ turned(model.of_descriptions, vectors[told]))
        )
    powers = [math.exp(score / temperature) for score in scores]
    return [power / sum(powers) for power in powers]


def test_probabilities_are_the_formula():
    model = random_model(1)
    model.nil_shift.fill_(0.3)
    model.temperature.fill_(1.7)
    vectors, lists = random_lists(20, 4, 2)
    with torch.no_grad():
        found = model.log_probabilities(vectors, lists).exp().numpy()
    plain = vectors.float().numpy().astype(float)
    for row in range(len(lists)):
        expected = plain_probabilities(model, plain, lists, row)
        np.testing.assert_allclose(found[row, : len(expected)], expected, atol=1e-5)
        assert not found[row, len(expected) :].any()


def test_untrained_it_is_the_cosine_beside_the_linker():
    vectors, lists = random_lists(10, 3, 3)
    model = MentionReranker(WIDTH)
    plain = vectors.float().numpy()
    with torch.no_grad():
        found = model(vectors, lists).numpy()
    cosines = [
        max(unit(plain[lists.mention[row]]) @ unit(plain[n]) for n in lists.names[row, 0] if n >= 0)
        for row in range(10)
    ]
    np.testing.assert_allclose(
        found[:, 1], lists.log_scores[:, 1] + 5 * np.array(cosines), atol=1e-4
    )


def test_the_loss_has_a_gradient_where_candidates_are_missing():
    model = random_model(4)
    vectors, lists = random_lists(30, 5, 5)
    reranker_loss(model, vectors, lists).backward()
    for value in model.parameters():
        assert value.grad is not None
        assert value.grad.isfinite().all()


def test_candidates_in_another_order_have_the_same_scores():
    model = random_model(6)
    vectors, lists = random_lists(12, 4, 7)
    order = np.array([2, 0, 3, 1])
    other = CandidateLists(
        lists.mention,
        lists.context,
        lists.names[:, order],
        lists.descriptions[:, order],
        lists.kinds[:, order],
        lists.log_scores[:, np.concatenate([[0], 1 + order])],
    )
    with torch.no_grad():
        torch.testing.assert_close(
            model(vectors, other)[:, 1:], model(vectors, lists)[:, 1 + order]
        )


def test_calibration_makes_the_loss_least_and_scores_as_often_right_as_they_say():
    vectors, lists = random_lists(4000, 3, 8)
    model = random_model(9)
    scores = scores_of(model, vectors, lists).double()
    random = np.random.default_rng(10)
    told = (scores / 3.0).softmax(1).numpy()  # the truth is drawn by a flatter distribution
    truth = np.array([random.choice(4, p=row / row.sum()) for row in told])
    lists = CandidateLists(**{**vars(lists), "truth": truth})
    before = mean_loss(model, vectors, lists)
    after = calibrate(model, vectors, lists)
    assert after < before
    assert float(model.temperature) == pytest.approx(3.0, abs=0.4)
    loss = nn.functional.nll_loss(
        model.log_probabilities(vectors, lists), torch.from_numpy(lists.truth)
    )
    assert float(loss.detach()) == pytest.approx(after, abs=1e-4)


def test_few_examples_that_are_all_told_rightly_make_nothing_certain():
    vectors, lists = random_lists(20, 3, 11)
    model = random_model(12)
    told = scores_of(model, vectors, lists).argmax(dim=1).numpy()
    calibrate(model, vectors, CandidateLists(**{**vars(lists), "truth": told}))
    assert 0.2 < float(model.temperature) < 1.0


def learnable(count: int, seed: int) -> tuple[torch.Tensor, CandidateLists]:
    """Lists in which the candidate whose name is the mention's opposite is right."""
    random = np.random.default_rng(seed)
    vectors = np.random.default_rng(0).standard_normal((20, WIDTH))
    vectors = np.concatenate([vectors, -vectors])
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    mention = random.integers(0, 20, count)
    truth = random.integers(1, 4, count)
    names = random.integers(0, 20, (count, 3, 1))
    names[np.arange(count), truth - 1, 0] = mention + 20
    lists = CandidateLists(
        mention.astype(np.int32),
        mention.astype(np.int32),
        names.astype(np.int32),
        names[:, :, 0].astype(np.int32),
        np.zeros((count, 3), np.int32),
        np.log(np.full((count, 4), 0.25, np.float32)),
        truth,
    )
    return torch.from_numpy(vectors), lists


def test_training_learns_and_keeps_the_epoch_that_validates_best(tmp_path):
    vectors, training = learnable(600, 1)
    _, validation = learnable(200, 2)
    untrained = mean_loss(MentionReranker(WIDTH), vectors, validation)
    model, record = train_reranker(
        RerankerExamples(vectors, training, validation), 0.01, 4, 0, tmp_path, lambda rows: None
    )
    assert min(record.validation_losses) < 0.5 * untrained
    assert record.validation_losses[record.epochs - 1] == min(record.validation_losses)
    model.temperature.fill_(1.0)
    model.nil_shift.fill_(0.0)
    kept = mean_loss(model, vectors, validation)
    assert kept == pytest.approx(min(record.validation_losses), abs=1e-6)


def test_training_that_was_cut_off_goes_on_to_the_same_bytes(tmp_path):
    vectors, training = learnable(600, 3)
    _, validation = learnable(100, 4)
    examples = RerankerExamples(vectors, training, validation)

    def trained(folder, advance=lambda rows: None):
        folder.mkdir(exist_ok=True)
        return train_reranker(examples, 0.01, 3, 5, folder, advance)

    whole, record = trained(tmp_path / "whole")
    seen = 0

    def until_the_second_epoch(rows):
        nonlocal seen
        seen += rows
        if seen > 900:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", until_the_second_epoch)
    again, record_again = trained(tmp_path / "cut")
    assert record_again == record
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_training_that_diverges_is_told(tmp_path):
    vectors, lists = learnable(300, 6)
    with pytest.raises(UserError, match="diverged"):
        train_reranker(
            RerankerExamples(vectors, lists, lists), 1e30, 3, 0, tmp_path, lambda rows: None
        )
