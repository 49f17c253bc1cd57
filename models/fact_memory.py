"""Facts as tensors: what a fused model may read for each question.

A fact is a relation (a row of a key table), an object's vector and the token ids of the object's
label. Nothing else of a triple reaches the model, so editing the graph edits the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

PADDING = -1


@dataclass(frozen=True)
class TokenFact:
    """One fact before padding.

    Attributes:
        relation: row of the relation key table.
        vector: row of the object vector table; -1 for an object without a vector.
        label: token ids of the object's label as it would follow a space, and of the line end.
    """

    relation: int
    vector: int
    label: tuple[int, ...]


@dataclass(frozen=True)
class FactMemory:
    """Facts of R requests. Shapes: R requests, F facts of the fullest, L label tokens of the longest.

    Attributes:
        relation: (R, F) relation key rows, -1 in padding.
        vector: (R, F) object vector rows, -1 where there is none.
        label: (R, F, L) label token ids, -1 in padding.
    """

    relation: Tensor
    vector: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.relation)

    def select(self, requests: Tensor) -> FactMemory:
        """The memories of `requests`, in that order."""
        return FactMemory(self.relation[requests], self.vector[requests], self.label[requests])


def build_fact_memory(requests: Sequence[Sequence[TokenFact]]) -> FactMemory:
    """Pad the facts of each request; a request may have none."""
    facts = max(1, max((len(request) for request in requests), default=1))
    tokens = max([1, *(len(fact.label) for request in requests for fact in request)])
    relation = np.full((len(requests), facts), PADDING, dtype=np.int64)
    vector = np.full((len(requests), facts), PADDING, dtype=np.int64)
    label = np.full((len(requests), facts, tokens), PADDING, dtype=np.int64)
    for row, request in enumerate(requests):
        for column, fact in enumerate(request):
            relation[row, column] = fact.relation
            vector[row, column] = fact.vector
            label[row, column, : len(fact.label)] = fact.label
    return FactMemory(torch.from_numpy(relation), torch.from_numpy(vector), torch.from_numpy(label))


def drop_facts(memory: FactMemory, share: float, generator: torch.Generator) -> FactMemory:
    """Hide a random `share` of the facts, and all facts of a tenth of the requests (fact dropout)."""
    hidden = torch.rand(memory.relation.shape, generator=generator) < share
    hidden |= torch.rand(len(memory), 1, generator=generator) < 0.1
    return replace(
        memory,
        relation=memory.relation.masked_fill(hidden, PADDING),
        label=memory.label.masked_fill(hidden[:, :, None], PADDING),
    )


def shuffled_objects(requests: Sequence[Sequence[TokenFact]], seed: int) -> list[list[TokenFact]]:
    """Control: the same facts with objects permuted among all facts of a relation."""
    random = np.random.default_rng(seed)
    by_relation: dict[int, list[TokenFact]] = {}
    for fact in sorted({fact for request in requests for fact in request}, key=_order):
        by_relation.setdefault(fact.relation, []).append(fact)
    stand_in = {}
    for facts in by_relation.values():
        for fact, index in zip(facts, random.permutation(len(facts)), strict=True):
            stand_in[fact] = facts[index]
    return [[stand_in[fact] for fact in request] for request in requests]


def random_facts(
    requests: Sequence[Sequence[TokenFact]], vocabulary: int, end: Sequence[int], seed: int
) -> list[list[TokenFact]]:
    """Control: as many facts, with label tokens at random; keys and vectors are to be random too.

    Args:
        requests: facts of each.
        vocabulary: of the tokenizer.
        end: the tokens that end each label, which stay.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    stand_in = {
        fact: TokenFact(
            fact.relation,
            fact.vector,
            (*random.integers(0, vocabulary, len(fact.label) - len(end)).tolist(), *end),
        )
        for fact in sorted({fact for request in requests for fact in request}, key=_order)
    }
    return [[stand_in[fact] for fact in request] for request in requests]


def _order(fact: TokenFact) -> tuple[int, int, tuple[int, ...]]:
    return fact.relation, fact.vector, fact.label
