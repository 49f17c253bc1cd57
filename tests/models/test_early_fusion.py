"""Early fusion held against plain loops, and against the base that reads what is laid down."""

import pytest
import torch
from infact.models.early_fusion import EarlyFusion
from infact.models.fact_states import FactStates
from infact.models.fact_vectors import fact_vectors
from infact.models.fused_model import FusedModel
from infact.models.fusion_session import TextRun
from infact.models.fusion_strategy import FusionSizes
from infact.models.label_map import LabelMap
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .test_fused_model import CAUSAL, HIDDEN, MASKED, MEMORY, PLACE, VECTOR, tiny

SIZES = FusionSizes(HIDDEN, VECTOR, layers=(), heads=2, key=4)
READ_FROM = torch.tensor([[1, 4], [3, 0], [0, 0]])  # the first row's facts follow each other


def fusion(trained: bool) -> EarlyFusion:
    torch.manual_seed(1)
    made = EarlyFusion(SIZES, torch.randn(3, HIDDEN), torch.randn(2, VECTOR))
    made.place.fill_(PLACE)
    if trained:
        torch.nn.init.normal_(made.none)
        torch.nn.init.normal_(made.doubt)
    return made


def placed() -> Tensor:
    """(3, 9) texts: the first has places for both facts and one more, the last for a fact it lacks."""
    ids = torch.randint(3, 61, (3, 9), generator=torch.Generator().manual_seed(2))
    ids[0, 2:8] = ids[1, 4:9] = ids[2, 3:5] = PLACE
    return ids


@torch.no_grad()
def laid(base: PreTrainedModel, made: EarlyFusion, ids: Tensor) -> Tensor:
    """The module's formula, place by place."""
    embed = base.get_input_embeddings()
    found = embed(ids).clone()
    found[ids == PLACE] = made.none
    for row in range(3):
        for fact in range(MEMORY.relation.shape[1]):
            label = [int(token) for token in MEMORY.label[row, fact] if token >= 0]
            if not label:
                continue
            embedded = embed(torch.tensor(label))
            key = made.relation_keys[MEMORY.relation[row, fact]]
            told = made.relation_value(key / key.square().mean().sqrt())
            if MEMORY.vector[row, fact] >= 0:
                vector = made.object_vectors[MEMORY.vector[row, fact]]
                told += made.vector_value.weight @ (vector / vector.square().mean().sqrt())
            told += (1 - MEMORY.weight[row, fact].exp()) * made.doubt
            length = embedded.square().mean(dim=1).sqrt().mean()
            first = int(READ_FROM[row, fact]) + 1
            found[row, first] = length * told / told.square().mean().sqrt()
            for number, embedding in enumerate(embedded, start=first + 1):
                found[row, number] = embedding
    return found


@torch.no_grad()
def test_what_stands_at_the_places_is_what_plain_loops_lay_there() -> None:
    base, made, ids = tiny("Llama"), fusion(trained=True), placed()
    vectors = fact_vectors(MEMORY, READ_FROM, made.relation_keys, made.object_vectors, base)
    padded = torch.cat([torch.zeros(3, 2, dtype=torch.long), ids], dim=1)
    embedded = base.get_input_embeddings()(padded)
    places = torch.arange(11).expand(3, 11) - 2
    run = TextRun(places, padded, padded, torch.arange(3), FactStates(MEMORY))
    found = made.at_input(embedded, run, made.prepare(vectors))
    torch.testing.assert_close(found[:, 2:], laid(base, made, ids), atol=1e-5, rtol=1e-5)
    assert torch.equal(found[:, :2], embedded[:, :2])


@torch.no_grad()
@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_the_base_reads_what_is_laid_down_as_it_reads_its_own_tokens(family: str) -> None:
    made, ids = fusion(trained=True), placed()
    given = {"attention_mask": torch.ones_like(ids)}
    expected = tiny(family)(inputs_embeds=laid(tiny(family), made, ids), **given).logits
    model = FusedModel(tiny(family), made)
    with model.session(MEMORY, READ_FROM):
        found = model(input_ids=ids, **given).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("family", CAUSAL)
def test_a_label_is_to_the_bit_what_its_own_tokens_are(family: str) -> None:
    """What a fact tells is laid as the embedding of a token, too: then nothing is left but tokens."""
    ids, base, made = placed(), tiny(family), fusion(trained=False)
    embedding = base.get_input_embeddings()(torch.tensor([7]))[0]
    made.start_from(PLACE, embedding, LabelMap(torch.zeros(HIDDEN, HIDDEN), embedding, 1.0))
    prepared = made.prepare_memory(MEMORY, READ_FROM, base)
    assert torch.equal(
        prepared.values[0, 0, 1:3], base.get_input_embeddings()(MEMORY.label[0, 0, :2])
    )
    model = FusedModel(base, made)
    spelled = ids.clone()
    spelled[2, 3:5] = 7  # places that no fact fills
    with model.session(MEMORY, READ_FROM):
        found = model(input_ids=ids).logits[2]
        assert torch.equal(found, model(input_ids=spelled).logits[2])


@torch.no_grad()
def test_vectors_are_laid_where_the_map_says_as_far_as_it_explains() -> None:
    made = fusion(trained=False)
    relations = LabelMap(torch.ones(HIDDEN, HIDDEN), torch.arange(float(HIDDEN)), 0.9)
    vectors = LabelMap(torch.full((HIDDEN, VECTOR), 2.0), torch.ones(HIDDEN), 0.25)
    made.start_from(PLACE, torch.zeros(HIDDEN), relations, vectors)
    assert made.vector_value(torch.ones(VECTOR)).tolist() == [VECTOR / 2] * HIDDEN
    assert made.relation_value(torch.ones(HIDDEN)).tolist() == [HIDDEN + i for i in range(HIDDEN)]
    made.start_from(PLACE, torch.zeros(HIDDEN), relations, None)
    assert not made.vector_value.weight.any()


def test_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="behind no block"):
        EarlyFusion(
            FusionSizes(HIDDEN, VECTOR, (0,)), torch.randn(3, HIDDEN), torch.randn(2, VECTOR)
        )
