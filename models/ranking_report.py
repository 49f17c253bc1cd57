"""What ranks say in parts: head and tail apart, by relation, by cardinality, and with ties at their ends.

A relation is 1-1, 1-N, N-1 or N-N by how many tails a head has on average and how many heads a tail has;
below 1.5 that is "1" (Bordes et al. 2013, section 4.3). Answers on the side of an N are harder, since
several are right and one is asked for, so a mean over all hides where a model fails.

Papers: Bordes et al. 2013, "Translating embeddings for modeling multi-relational data", NeurIPS.
Berrendorf et al. 2020, "On the ambiguity of rank-based evaluation of entity alignment or link
prediction methods".

Shapes: n ranked triples, m known ones, R relations.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .ranking import RankingMetrics, SideRanks, ranking_metrics

Cardinality = Literal["1-1", "1-N", "N-1", "N-N"]
CARDINALITIES: tuple[Cardinality, ...] = ("1-1", "1-N", "N-1", "N-N")
SEVERAL = 1.5  # answers on average from which a side is N; Bordes et al. 2013


@dataclass(frozen=True)
class SideMetrics:
    """Of heads, of tails, and of both together."""

    head: RankingMetrics
    tail: RankingMetrics
    both: RankingMetrics


@dataclass(frozen=True)
class RankingReport:
    """The ranks of one evaluation, summarised.

    Attributes:
        overall: by the realistic rank, as all parts are.
        optimistic, pessimistic: both sides, with ties won or lost.
        by_cardinality: the classes that have a triple.
        by_relation: the relations that have a triple, ascending.
    """

    overall: SideMetrics
    optimistic: RankingMetrics
    pessimistic: RankingMetrics
    by_cardinality: dict[Cardinality, SideMetrics]
    by_relation: dict[int, SideMetrics]


def ranking_report(
    ranks: SideRanks, relations: np.ndarray, classes: list[Cardinality]
) -> RankingReport:
    """Summarise ranks of n triples.

    Args:
        ranks: of `rank_triples`.
        relations: (n,) the triples' relations.
        classes: the class of each relation; see `cardinalities`.

    Raises:
        ValueError: there is no triple.
    """
    both = np.concatenate((ranks.head, ranks.tail))
    ties = np.concatenate((ranks.head_ties, ranks.tail_ties))
    of_class = np.array(classes)[relations]
    return RankingReport(
        overall=side_metrics(ranks, np.ones(len(relations), dtype=bool)),
        optimistic=ranking_metrics(both - ties / 2),
        pessimistic=ranking_metrics(both + ties / 2),
        by_cardinality={
            each: side_metrics(ranks, of_class == each)
            for each in CARDINALITIES
            if np.any(of_class == each)
        },
        by_relation={
            int(each): side_metrics(ranks, relations == each) for each in np.unique(relations)
        },
    )


def side_metrics(ranks: SideRanks, chosen: np.ndarray) -> SideMetrics:
    """Of the chosen triples, (n,) bool.

    Raises:
        ValueError: none is chosen.
    """
    head, tail = ranks.head[chosen], ranks.tail[chosen]
    return SideMetrics(
        ranking_metrics(head), ranking_metrics(tail), ranking_metrics(np.concatenate((head, tail)))
    )


def cardinalities(known: np.ndarray, relation_count: int) -> list[Cardinality]:
    """The class of each relation by all known triples (m, 3), each once; 1-1 where it has none."""
    triples = np.bincount(known[:, 1], minlength=relation_count)

    def mean_answers(end: int) -> np.ndarray:
        """Triples for each distinct (entity at that end, relation)."""
        asked = np.unique(known[:, end].astype(np.int64) * relation_count + known[:, 1])
        count = np.bincount(asked % relation_count, minlength=relation_count)
        return triples / np.maximum(count, 1)

    several_heads, several_tails = mean_answers(2) >= SEVERAL, mean_answers(0) >= SEVERAL
    places = 2 * several_heads + several_tails
    return [CARDINALITIES[place] for place in places.tolist()]
