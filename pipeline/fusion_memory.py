"""From a question to what a fused model may read: linked facts as token ids, and their controls."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..kg.questions.predicted_facts import PredictedFact
from ..models.fact_memory import TokenFact, random_facts, shuffled_objects
from ..models.label_tokens import label_end, label_tokens
from ..models.language_model import Kind
from .graph_reader import GraphReader

# The fused arm and its controls: the same architecture, data and steps, other memories.
FUSED = "fused"
VARIANTS = (FUSED, "random vectors", "shuffled graph")


@dataclass(frozen=True)
class QuestionFacts:
    """What a question may read: facts, and for each the character after its entity's mention.

    Attributes:
        left_out: how many more facts there are than it may read.
    """

    facts: list[TokenFact]
    ends: list[int]
    left_out: int = 0


@dataclass
class MemoryWriter:
    """Writes token facts for questions; remembers label tokens.

    Attributes:
        reader: the graph.
        tokenizer: of the language model.
        vector_rows: entity to its row in the object vectors.
        max_facts: stated facts that a question may have, and as many predicted ones.
        kind: of the language model.
    """

    reader: GraphReader
    tokenizer: PreTrainedTokenizerBase
    vector_rows: dict[int, int]
    max_facts: int
    kind: Kind
    _labels: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def question_facts(self, question: str) -> QuestionFacts:
        """The facts of the entities that `question` mentions."""
        found = self.reader.memory_facts(question, self.max_facts)
        facts = [
            TokenFact(
                fact.relation,
                self.vector_rows.get(fact.object, -1),
                self._label(fact.object),
                math.log(fact.probability) if isinstance(fact, PredictedFact) else 0.0,
            )
            for fact in found.facts
        ]
        return QuestionFacts(facts, list(found.facts.values()), found.left_out)

    def labels_of_rows(self) -> dict[int, tuple[int, ...]]:
        """By row of the object vectors, its entity's label tokens without those that end it."""
        end = len(self.label_end)
        labels = {row: self._label(own) for own, row in self.vector_rows.items() if own >= 0}
        return {row: label[: len(label) - end] for row, label in labels.items() if len(label) > end}

    @property
    def label_end(self) -> tuple[int, ...]:
        """The tokens that end every label."""
        return label_end(self.tokenizer, self.kind)

    def _label(self, entity: int) -> tuple[int, ...]:
        if entity not in self._labels:
            label = self.reader.graph.label(entity)
            self._labels[entity] = label_tokens(self.tokenizer, label, self.kind)
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
        return random_facts(requests, len(writer.tokenizer), writer.label_end, seed)
    return requests


def variant_vectors(variant: str, vectors: Tensor, seed: int) -> Tensor:
    """`vectors`, or for the random control numbers of the same mean and spread."""
    if variant != "random vectors":
        return vectors
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(vectors.shape, generator=generator) * vectors.std() + vectors.mean()
