"""From a question to what a fused model may read: linked facts as token ids, and their controls."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..kg.questions.predicted_facts import PredictedFact
from ..kg.questions.retrieval import RetrievedFact
from ..models.fact_memory import TokenFact, random_facts, shuffled_objects
from ..models.fusion_adapter import STRATEGIES
from ..models.label_tokens import label_end, label_tokens
from ..models.language_model import Kind
from ..models.placed_texts import places_of_fact
from .graph_reader import GraphReader

# The fused arm and its controls: the same architecture, data and steps, other memories.
FUSED = "fused"
VARIANTS = (FUSED, "random vectors", "shuffled graph")
MOST_PLACES = 64  # that a question's facts may take in its text: half of what a prompt has for them
Told = RetrievedFact | PredictedFact


@dataclass(frozen=True)
class QuestionFacts:
    """What a question may read: facts, and for each the character after its entity's mention.

    Attributes:
        read: the same facts as the graph has them.
        left_out: how many more facts there are than it may read.
    """

    facts: list[TokenFact]
    ends: list[int]
    read: list[Told]
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
        most_places: that its facts may take in its text; None where they stand in a memory beside it.
    """

    reader: GraphReader
    tokenizer: PreTrainedTokenizerBase
    vector_rows: dict[int, int]
    max_facts: int
    kind: Kind
    most_places: int | None = None
    _labels: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def question_facts(self, question: str) -> QuestionFacts:
        """The facts of the entities that `question` mentions, as many as there is room for."""
        found = self.reader.memory_facts(question, self.max_facts)
        kept, room = list[tuple[Told, TokenFact]](), self.most_places
        for fact in found.facts:
            told = self._token_fact(fact)
            if room is not None:
                if places_of_fact(told) > room:
                    continue
                room -= places_of_fact(told)
            kept.append((fact, told))
        return QuestionFacts(
            [told for _, told in kept],
            [found.facts[fact] for fact, _ in kept],
            [fact for fact, _ in kept],
            found.left_out + len(found.facts) - len(kept),
        )

    @property
    def room(self) -> str:
        """What bounds a question's facts, in words."""
        bound = f"max_facts = {self.max_facts}"
        return bound if self.most_places is None else f"{bound} and {self.most_places} places"

    def _token_fact(self, fact: Told) -> TokenFact:
        return TokenFact(
            fact.relation,
            self.vector_rows.get(fact.object, -1),
            self._label(fact.object),
            math.log(fact.probability) if isinstance(fact, PredictedFact) else 0.0,
        )

    def labels_of_rows(self) -> dict[int, tuple[int, ...]]:
        """By row of the object vectors, its entity's label tokens without those that end it."""
        end = len(self.label_end)
        labels = {row: self._label(own) for own, row in self.vector_rows.items() if own >= 0}
        return {row: label[: len(label) - end] for row, label in labels.items() if len(label) > end}

    @property
    def label_end(self) -> tuple[int, ...]:
        """The tokens that end every label; none where labels stand in the text."""
        return label_end(self.tokenizer, self.kind) if self.most_places is None else ()

    def _label(self, entity: int) -> tuple[int, ...]:
        if entity not in self._labels:
            label = self.reader.graph.label(entity)
            tokens = label_tokens(self.tokenizer, label, self.kind)
            ending = label_end(self.tokenizer, self.kind)
            self._labels[entity] = tokens[: len(tokens) - len(ending)] + self.label_end
        return self._labels[entity]


def stand_in_text(strategy: str) -> bool:
    """Whether the strategy's facts have places of their own in the text."""
    return strategy in STRATEGIES and STRATEGIES[strategy].own_places


def most_places(strategy: str) -> int | None:
    """See `MemoryWriter`."""
    return MOST_PLACES if stand_in_text(strategy) else None


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
