"""The least-squares map of vectors to labels, held against what it is to find and to minimise."""

import pytest
import torch
from infact.models.label_map import RIDGE, label_map, mean_embeddings

from .test_fused_model import HIDDEN, tiny


def scaled(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.square().mean(dim=-1, keepdim=True).sqrt()


@pytest.fixture
def vectors() -> torch.Tensor:
    return torch.randn(200, 6, generator=torch.Generator().manual_seed(0))


def test_a_label_is_the_mean_of_its_tokens() -> None:
    base, labels = tiny("Llama"), [(5, 6, 7), (9,)]
    table = base.get_input_embeddings().weight
    expected = [scaled(table[list(label)]).mean(dim=0) for label in labels]
    torch.testing.assert_close(mean_embeddings(base, labels), torch.stack(expected))


def test_a_map_that_is_there_is_found(vectors) -> None:
    generator = torch.Generator().manual_seed(1)
    weight, bias = torch.randn(3, 6, generator=generator), torch.randn(3, generator=generator)
    found = label_map(vectors, scaled(vectors) @ weight.T + bias)
    assert found.explained > 0.99
    torch.testing.assert_close(found.weight, weight, atol=0.1, rtol=0.1)
    torch.testing.assert_close(found.bias, bias, atol=0.1, rtol=0.1)


def test_it_is_the_least_of_its_formula(vectors) -> None:
    embeddings = torch.randn(200, HIDDEN, generator=torch.Generator().manual_seed(1))
    found = label_map(vectors, embeddings)
    weight, bias = found.weight.requires_grad_(), found.bias.requires_grad_()
    missed = scaled(vectors) @ weight.T + bias - embeddings
    loss = missed.square().sum() + RIDGE * len(vectors) * weight.square().sum()
    for gradient in torch.autograd.grad(loss, (weight, bias)):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-2, rtol=0)


def test_vectors_that_tell_nothing_explain_nothing(vectors) -> None:
    embeddings = torch.randn(200, HIDDEN, generator=torch.Generator().manual_seed(1))
    assert -0.2 < label_map(vectors, embeddings).explained < 0.05
