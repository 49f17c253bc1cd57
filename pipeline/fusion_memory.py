"""From a question to what a fused model may read: linked facts as token ids, and their controls."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..models.fact_memory import TokenFact, random_facts, shuffled_objects
from .graph_reader import GraphReader

# The fused arm and its controls: the same architecture, data and steps, other memories.
FUSED = "fused"
VARIANTS = (FUSED, "random vectors", "shuffled graph")


@dataclass(frozen=True)
class QuestionFacts:
    """What a question may read: facts, and for each the character after its entity's mention."""

    facts: list[TokenFact]
    ends: list[int]


@dataclass
class MemoryWriter:
    """Writes token facts for questions; remembers label tokens.

    Attributes:
        reader: the graph.
        tokenizer: of the language model.
        vector_rows: entity to its row in the object vectors.
        max_facts: facts a question may have.
    """

    reader: GraphReader
    tokenizer: PreTrainedTokenizerBase
    vector_rows: dict[int, int]
    max_facts: int
    _labels: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def question_facts(self, question: str) -> QuestionFacts:
        """The facts of the entities that `question` mentions."""
        found = self.reader.retriever.mentioned_facts(question, self.max_facts)
        facts = [
            TokenFact(
                fact.relation, self.vector_rows.get(fact.object, -1), self._label(fact.object)
            )
            for fact in found
        ]
        return QuestionFacts(facts, list(found.values()))

    def labels_of_rows(self) -> dict[int, tuple[int, ...]]:
        """By row of the object vectors, its entity's label tokens without the line end."""
        written = {row: self._label(own)[:-1] for own, row in self.vector_rows.items() if own >= 0}
        return {row: label for row, label in written.items() if label}

    @property
    def line_end(self) -> int:
        """The token that ends an answer."""
        return int(self.tokenizer("\n")["input_ids"][-1])

    def _label(self, entity: int) -> tuple[int, ...]:
        if entity not in self._labels:
            text = f" {self.reader.graph.label(entity)}\n"
            self._labels[entity] = tuple(self.tokenizer(text)["input_ids"])
        return self._labels[entity]


def file_name(variant: str) -> str:
    """Of one of `VARIANTS` in the fuse stage's folder."""
    return variant.replace(" ", "-")


def variant_facts(
    variant: str, requests: list[list[TokenFact]], writer: MemoryWriter, seed: int
) -> list[list[TokenFact]]:
    """The memories of one of `VARIANTS`."""
    if variant == "shuffled graph":
        return shuffled_objects(requests, seed)
    if variant == "random vectors":
        return random_facts(requests, len(writer.tokenizer), writer.line_end, seed)
    return requests


def variant_vectors(variant: str, vectors: Tensor, seed: int) -> Tensor:
    """`vectors`, or for the random control numbers of the same mean and spread."""
    if variant != "random vectors":
        return vectors
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(vectors.shape, generator=generator) * vectors.std() + vectors.mean()
