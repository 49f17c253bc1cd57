"""Early fusion held against plain loops."""

import math

import pytest
import torch
from infact.models.early_fusion import GATE_SCALE, LABEL_TOKENS, PLACES, EarlyFusion
from infact.models.fact_memory import PADDING
from infact.models.fact_states import FactStates
from infact.models.fact_vectors import fact_vectors
from infact.models.fused_model import FusedModel
from infact.models.fusion_session import TextRun
from infact.models.fusion_strategy import FusionSizes
from infact.models.label_map import LabelMap

from .test_fused_model import HIDDEN, MEMORY, VECTOR, texts, tiny

SIZES = FusionSizes(HIDDEN, VECTOR, layers=(), heads=2, key=4)


def fusion(trained: bool) -> EarlyFusion:
    torch.manual_seed(1)
    made = EarlyFusion(SIZES, torch.randn(3, HIDDEN), torch.randn(2, VECTOR))
    if trained:
        torch.nn.init.normal_(made.gate)
        torch.nn.init.normal_(made.null)
    return made


@torch.no_grad()
def test_what_is_added_is_what_plain_loops_add() -> None:
    base, made = tiny("Llama"), fusion(trained=True)
    read_from = torch.tensor([[4, 2], [0, 0], [0, 0]])
    vectors = fact_vectors(MEMORY, read_from, made.relation_keys, made.object_vectors, base)
    places = torch.arange(9).expand(3, 9) - torch.tensor([[0], [2], [0]])  # padded on the left
    embedded = torch.randn(3, 9, HIDDEN)
    found = made.at_input(
        embedded, TextRun(places, None, torch.arange(3), FactStates(MEMORY)), made.prepare(vectors)
    )
    expected = embedded.clone()
    for row in range(3):
        for at in range(9):
            scores, values, first = [], [], 0
            for fact in range(vectors.tokens.shape[1]):
                since = int(places[row, at]) - int(read_from[row, fact])
                if not 0 <= since < PLACES:
                    continue
                laid = made.vector_value(vectors.vector[row, fact])
                slots = [(0, laid / laid.square().mean().sqrt())] * int(
                    MEMORY.vector[row, fact] >= 0
                )
                for token in range(vectors.tokens.shape[2]):
                    if vectors.tokens[row, fact, token] != PADDING:
                        place = min(1 + token, LABEL_TOKENS)
                        slots.append((place, vectors.label[row, fact, token]))
                for place, value in slots:
                    key = (
                        made.relation_key(vectors.relation[row, fact])
                        + made.vector_key(vectors.vector[row, fact])
                        + made.place_key.weight[place]
                    )
                    scores.append(made.query[since] @ key / math.sqrt(8) + MEMORY.weight[row, fact])
                    values.append(value)
                    first = max(first, since)
            if not scores:
                continue
            null = made.query[first] @ made.null / math.sqrt(8)
            weights = torch.stack([null, *scores]).softmax(0)[1:]
            mixed = sum(weight * value for weight, value in zip(weights, values, strict=True))
            length = embedded[row, at].square().mean().sqrt()
            expected[row, at] += length * GATE_SCALE * made.gate * mixed
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found, embedded)


@torch.no_grad()
def test_vectors_are_laid_where_the_map_says() -> None:
    made = fusion(trained=False)
    made.start_from(LabelMap(torch.ones(HIDDEN, VECTOR), torch.arange(float(HIDDEN)), 0.5))
    assert made.vector_value(torch.ones(VECTOR)).tolist() == [VECTOR + i for i in range(HIDDEN)]


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_text_is_read_from_its_first_block(layer: int) -> None:
    """An adapter that reads at the input has no block behind which it reads."""
    model = FusedModel(tiny("Llama"), fusion(trained=True))
    assert model.fusion.layers == ()
    ran = []
    block = model.base.base_model.layers[layer]
    handle = block.register_forward_hook(lambda module, given, output: ran.append(output))
    with model.session(MEMORY):
        model(**texts())
    model(**texts())
    handle.remove()
    assert not torch.allclose(ran[0][:2], ran[1][:2])


def test_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="behind no block"):
        EarlyFusion(
            FusionSizes(HIDDEN, VECTOR, (0,)), torch.randn(3, HIDDEN), torch.randn(2, VECTOR)
        )
