"""How likely each entity is the one that a mention stands for.

The logit of a candidate adds what kind of name matched, how exactly the text spells that name, how
often the graph speaks of the entity (the magnitude of its degree, so that a score doesn't change by
a triple more) and how much of the sentence is found among the entity's neighbours and in its
definition. NIL, "none of these", is one more outcome of the softmax.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..graph import KnowledgeGraph
from ..questions.function_words import FUNCTION_WORDS, ORDER_STOP_WORDS
from .folding import case_fold, fold_word, split_words

KIND_LOGITS = {"label": 3.0, "exact": 2.8, "narrow": 1.8, "broad": 1.2, "related": 1.2}
OTHER_KIND_LOGIT = 1.0
# How exactly the text spells the name. Rounded so that scores are as often right as they say on
# 22 abstracts with other annotators' mentions: benchmarks/link.py.
SAME_SPELLING, SAME_BUT_CASE, FOLDED, REORDERED, REWORDED = 1.0, 0.9, -0.3, -0.3, -0.7
PRIOR_WEIGHT = 0.5  # times the binary digits of the degree over those of the largest one
CONTEXT_WEIGHT = 2.0  # times n / (n + 2) for n shared words
NIL_LOGIT = 2.5
MAX_NEIGHBOURS = 200  # of one entity, read for its context


@dataclass(frozen=True, slots=True)
class NameRow:
    """One name of one entity, as the matcher returns it."""

    entity: int
    text: str
    kind: str
    cased: bool  # matches only as it is written
    deprecated: bool


@dataclass(frozen=True)
class CandidateScorer:
    """Scores the names that matched; reads the graph only where more than one entity competes."""

    graph: KnowledgeGraph
    largest_degree: int
    context_words: dict[int, frozenset[str]] = field(default_factory=dict)

    def logit(self, row: NameRow, surface: str, context: Collection[str]) -> float:
        """Unnormalised log-probability that `surface`, among `context` words, means this name."""
        prior = self.magnitude(row.entity) / self.largest_degree.bit_length()
        shared = len(self.words_about(row.entity).intersection(context)) if context else 0
        return (
            KIND_LOGITS.get(row.kind, OTHER_KIND_LOGIT)
            + spelling_logit(row.text, surface)
            + PRIOR_WEIGHT * prior
            + CONTEXT_WEIGHT * shared / (shared + 2)
        )

    def magnitude(self, entity: int) -> int:
        """Binary digits of the entity's degree: 0 for none, 1 for 1, 2 for 2 and 3, 3 for 4 to 7."""
        return self.graph.degree(entity).bit_length()

    def words_about(self, entity: int) -> frozenset[str]:
        """Folded words of the entity's literals and of its neighbours' labels."""
        known = self.context_words.get(entity)
        if known is None:
            texts = texts_about(self.graph, entity)
            known = frozenset(word for text in texts for word in content_words(text))
            self.context_words[entity] = known
        return known


def texts_about(graph: KnowledgeGraph, entity: int) -> list[str]:
    """The entity's literals and its neighbours' labels."""
    triples = graph.triples
    neighbours = [int(triples[row, 2]) for row in graph.outgoing(entity)[:MAX_NEIGHBOURS]]
    neighbours += [int(triples[row, 0]) for row in graph.incoming(entity)[:MAX_NEIGHBOURS]]
    texts = [graph.label(neighbour) for neighbour in neighbours]
    return texts + [literal.value for literal in graph.literals(entity)]


def spelling_logit(name: str, surface: str) -> float:
    """How exactly the surface spells the name."""
    if surface == name:
        return SAME_SPELLING
    if case_fold(surface) == case_fold(name):
        return SAME_BUT_CASE
    folded_surface, folded_name = fold_text(surface), fold_text(name)
    if folded_surface == folded_name:
        return FOLDED
    same_words = set(folded_surface) - ORDER_STOP_WORDS == set(folded_name) - ORDER_STOP_WORDS
    return REORDERED if same_words else REWORDED


def softmax_with_nil(logits: Sequence[float]) -> list[float]:
    """Probabilities of the candidates when NIL, at NIL_LOGIT, competes with them; sum below 1."""
    largest = max(NIL_LOGIT, *logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = math.fsum(powers) + math.exp(NIL_LOGIT - largest)
    return [power / total for power in powers]


def content_words(text: str) -> list[str]:
    """Folded words of a text, function words left out."""
    return [word for word in map(content_word, split_words(text).raw) if word]


@lru_cache(maxsize=200_000)
def content_word(word: str) -> str:
    """A word folded; nothing for a function word."""
    return "" if word.lower() in FUNCTION_WORDS else fold_word(word)


@lru_cache(maxsize=100_000)
def fold_text(text: str) -> tuple[str, ...]:
    """Folded words of a text in order."""
    return tuple(map(fold_word, split_words(text).raw))


def is_cased_name(name: str) -> bool:
    """True for names such as AR, CAT, mTOR: one short word that is known by its capitals.

    Longer words, and words with a digit (BRCA1), are no ordinary words and match in any case.
    """
    return len(name) <= 6 and name.isalpha() and any(letter.isupper() for letter in name[1:])
