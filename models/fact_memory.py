"""Facts as tensors: what a fused model may read for each question.

A fact is a relation (a row of a key table), an object's vector, the token ids of the object's label,
and how likely it is to be true. Nothing else of a triple reaches the model, so editing the graph edits
the memory.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
        weight: log of the probability that the fact is true, in nats; 0 for one that the graph states.
    """

    relation: int
    vector: int
    label: tuple[int, ...]
    weight: float = 0.0


@dataclass(frozen=True)
class FactMemory:
    """Facts of R requests. Shapes: R requests, F facts of the fullest, L label tokens of the longest.

    Attributes:
        relation: (R, F) relation key rows, -1 in padding.
        vector: (R, F) object vector rows, -1 where there is none.
        label: (R, F, L) label token ids, -1 in padding.
        weight: (R, F) log-probabilities, added to the scores by which facts are read; 0 in padding.
    """

    relation: Tensor
    vector: Tensor
    label: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.relation)

    def select(self, requests: Tensor) -> FactMemory:
        """The memories of `requests`, in that order."""
        return FactMemory(
            self.relation[requests],
            self.vector[requests],
            self.label[requests],
            self.weight[requests],
        )


def build_fact_memory(requests: Sequence[Sequence[TokenFact]]) -> FactMemory:
    """Pad the facts of each request; a request may have none."""
    facts = max(1, max((len(request) for request in requests), default=1))
    tokens = max([1, *(len(fact.label) for request in requests for fact in request)])
    relation = np.full((len(requests), facts), PADDING, dtype=np.int64)
    vector = np.full((len(requests), facts), PADDING, dtype=np.int64)
    label = np.full((len(requests), facts, tokens), PADDING, dtype=np.int64)
    weight = np.zeros((len(requests), facts), dtype=np.float32)
    for row, request in enumerate(requests):
        for column, fact in enumerate(request):
            relation[row, column] = fact.relation
            vector[row, column] = fact.vector
            label[row, column, : len(fact.label)] = fact.label
            weight[row, column] = fact.weight
    return FactMemory(*(torch.from_numpy(array) for array in (relation, vector, label, weight)))


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
    """Control: the same facts with wrong objects, each another fact's of the same relation.

    A relation's facts are laid in a circle at random, and each takes the object of the next one that
    its request doesn't hold: a permutation alone would leave some facts true, and where all are held,
    none is wrong. Weights stay where they are: a stated fact's stand-in is stated.
    """
    random = np.random.default_rng(seed)
    by_relation: dict[int, list[TokenFact]] = {}
    for fact in sorted({fact for request in requests for fact in request}, key=_order):
        by_relation.setdefault(fact.relation, []).append(fact)
    circles = {
        relation: [facts[index] for index in random.permutation(len(facts))]
        for relation, facts in by_relation.items()
    }
    places = {fact: place for circle in circles.values() for place, fact in enumerate(circle)}

    def stand_in(fact: TokenFact, held: Collection[tuple[int, ...]]) -> TokenFact:
        circle, place = circles[fact.relation], places[fact] + 1
        following = (circle[(place + step) % len(circle)] for step in range(len(circle)))
        wrong = next((other for other in following if other.label not in held), fact)
        return replace(wrong, weight=fact.weight)

    shuffled = []
    for request in requests:
        held: dict[int, set[tuple[int, ...]]] = {}
        for fact in request:
            held.setdefault(fact.relation, set()).add(fact.label)
        shuffled.append([stand_in(fact, held[fact.relation]) for fact in request])
    return shuffled


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
            fact.weight,
        )
        for fact in sorted({fact for request in requests for fact in request}, key=_order)
    }
    return [[stand_in[fact] for fact in request] for request in requests]


def _order(fact: TokenFact) -> tuple[int, int, tuple[int, ...], float]:
    return fact.relation, fact.vector, fact.label, fact.weight
