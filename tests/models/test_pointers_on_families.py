"""The strategies at the top over every family's own states: the base's to the bit without facts."""

from dataclasses import dataclass

import pytest
import torch
from infact.models.fact_memory import FactMemory
from infact.models.fusion_training import POINTERS
from infact.models.label_pointer import (
    FusionBatch,
    LabelPointer,
    PointerReadOut,
    PointerSizes,
    label_log_probabilities,
)
from infact.models.read_out import Positions
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .test_fused_model import CAUSAL, HIDDEN, MASKED, MEMORY, VECTOR, texts, tiny


@dataclass(frozen=True)
class Asked:
    """Every place of three texts: the base's states there, and what it writes next."""

    base: PreTrainedModel
    pointer: LabelPointer
    positions: Positions
    own: Tensor

    def table(self, memory: FactMemory) -> Tensor:
        return PointerReadOut(self.base, self.pointer.eval(), memory)(self.positions, self.own)


@pytest.fixture(params=[*CAUSAL, *MASKED])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=POINTERS)
def strategy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(family: str, strategy: str) -> Asked:
    base, given = tiny(family), texts()
    output = base(**given, output_hidden_states=True)
    torch.manual_seed(1)
    sizes = PointerSizes(HIDDEN, VECTOR, 8)
    pointer = POINTERS[strategy](sizes, torch.randn(3, HIDDEN), torch.randn(2, VECTOR))
    tokens = given["input_ids"]
    previous = torch.nn.functional.pad(tokens, (1, 0), value=-1)[:, :-1]
    request = torch.arange(3)[:, None].expand_as(tokens)
    positions = Positions(
        output.hidden_states[-1].flatten(0, 1),
        tokens.flatten(),
        previous.flatten(),
        request.flatten(),
    )
    return Asked(base, pointer, positions, output.logits.log_softmax(-1).flatten(0, 1))


def test_it_is_the_base_to_the_bit_without_facts_and_a_distribution_with_them(asked: Asked) -> None:
    table = asked.table(MEMORY)
    read = asked.positions.request < 2  # the third text has none
    assert torch.equal(table[~read], asked.own[~read])
    assert not torch.equal(table[read], asked.own[read])
    torch.testing.assert_close(table.exp().sum(dim=1), torch.ones(len(table)))


def test_a_request_reads_its_own_facts_alone(asked: Asked) -> None:
    together, rows = asked.table(MEMORY), asked.positions.request == 1
    others = MEMORY.select(torch.tensor([2, 1, 0]))
    torch.testing.assert_close(asked.table(others)[rows], together[rows])


def test_it_learns_to_copy(asked: Asked) -> None:
    """After twenty steps, the first text's places write the first label's first token."""
    positions = asked.positions.select(asked.positions.request == 0)
    own = asked.own[asked.positions.request == 0]
    target = torch.full((len(own),), 5)
    memory = MEMORY.select(positions.request)
    batch = FusionBatch(
        positions,
        asked.base.get_input_embeddings()(positions.current)[:, :HIDDEN],
        label_log_probabilities(own, memory),
        own[:, 5],
        target,
        memory,
    )
    asked.pointer.train()
    optimiser = torch.optim.AdamW(asked.pointer.parameters(), lr=1e-2)
    before = asked.pointer.loss(batch).item()
    for _ in range(20):
        optimiser.zero_grad()
        asked.pointer.loss(batch).backward()
        optimiser.step()
    assert all(weights.grad is not None for weights in asked.pointer.parameters())
    assert asked.pointer.loss(batch).item() < before - 0.5
    likeliest = asked.table(MEMORY)[asked.positions.request == 0].argmax(dim=1)
    assert (likeliest == 5).float().mean() > 0.5
