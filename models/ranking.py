"""Filtered ranking: how high does a model place the entity that is missing from a triple?

For (h, r, ?) all entities are scored, those known to be right in any split are taken out (Bordes
et al. 2013), and the true tail's place among the rest is its rank; (?, r, t) likewise.

Ties count half, the *realistic* rank (Berrendorf et al. 2020), the mean of the two extremes:

    optimistic = 1 + #{scores > true}     pessimistic = optimistic + #{others with scores == true}
    rank = optimistic + ties / 2

so a model that scores everything alike gets the rank of chance, not 1.

When it misleads: a true triple that the graph lacks counts as an error; ranks depend on the number
of candidates, so figures compare over one entity set only.

Papers: Bordes et al. 2013, "Translating embeddings for modeling multi-relational data", NeurIPS.
Berrendorf et al. 2020, "On the ambiguity of rank-based evaluation of entity alignment or link
prediction methods".

Shapes: n triples, B triples of a batch, E entities.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

Scorer = Callable[[Tensor, Tensor], Tensor]
"""Scores of all entities: (entities (B,), relations (B,)) -> (B, E), on the processor."""


@dataclass(frozen=True)
class RankingMetrics:
    """Means over ranked queries: shares are 0 … 1, ranks start at 1."""

    mean_reciprocal_rank: float
    hits_at_1: float
    hits_at_3: float
    hits_at_10: float
    mean_rank: float
    count: int


@dataclass(frozen=True)
class SideRanks:
    """Realistic ranks of each triple's head and tail, float64 (n,), in the order of the triples.

    `head_ties` and `tail_ties`, int64 (n,), are how many others score the same: the optimistic rank is
    half of them lower, the pessimistic one half of them higher.
    """

    head: np.ndarray
    tail: np.ndarray
    head_ties: np.ndarray
    tail_ties: np.ndarray


@dataclass(frozen=True)
class KnownTails:
    """Tails of every known (head, relation), as compressed sparse rows.

    `keys` (m,) is the sorted head * relation_count + relation of each known triple, `tails` (m,)
    runs beside it.
    """

    keys: np.ndarray
    tails: np.ndarray
    relation_count: int

    @classmethod
    def of(cls, triples: np.ndarray) -> "KnownTails":
        """From triples (m, 3) in any order."""
        relation_count = int(triples[:, 1].max(initial=-1)) + 1
        keys = triples[:, 0].astype(np.int64) * relation_count + triples[:, 1]
        width = int(triples[:, 2].max(initial=0)) + 1
        # One number a triple is sorted faster than two, and each is there once.
        joined = np.sort(keys * width + triples[:, 2])
        joined = joined[np.diff(joined, prepend=-1) != 0]
        return cls(joined // width, joined % width, relation_count)

    def places(self, heads: np.ndarray, relations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row in the batch and known tail, one pair for each known tail of each query (B,)."""
        keys = heads.astype(np.int64) * self.relation_count + relations
        starts = np.searchsorted(self.keys, keys, side="left")
        lengths = np.searchsorted(self.keys, keys, side="right") - starts
        lengths[relations >= self.relation_count] = 0  # their keys would be another head's
        rows = np.repeat(np.arange(len(keys)), lengths)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return rows, self.tails[np.repeat(starts, lengths) + within]


def rank_triples(
    tail_scores: Scorer,
    head_scores: Scorer,
    triples: np.ndarray,
    known: np.ndarray,
    batch_size: int,
    advance: Callable[[int], None],
) -> SideRanks:
    """Rank each triple's tail and head, filtered by `known`.

    Args:
        tail_scores: called with heads and relations.
        head_scores: called with tails and relations.
        triples: (n, 3), those to rank.
        known: (m, 3), all that are true in any split; whether `triples` are among them is the same.
        batch_size: B; memory is a few times B * E float32.
        advance: told of each ranked side, so 2n in all.

    Raises:
        ValueError: a score is NaN or infinite, for which no rank is honest.
    """
    reverse = [2, 1, 0]
    head, head_ties = rank_tails(
        head_scores, triples[:, reverse], KnownTails.of(known[:, reverse]), batch_size, advance
    )
    tail, tail_ties = rank_tails(tail_scores, triples, KnownTails.of(known), batch_size, advance)
    return SideRanks(head, tail, head_ties, tail_ties)


@torch.inference_mode()
def rank_tails(
    score: Scorer,
    triples: np.ndarray,
    known: KnownTails,
    batch_size: int,
    advance: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Realistic ranks, and how many others score the same."""
    # Triples that ask the same lie side by side, so that each question of a batch is scored once.
    order = np.lexsort((triples[:, 0], triples[:, 1]))
    ranks, all_ties = np.empty(len(triples)), np.empty(len(triples), dtype=np.int64)
    for start in range(0, len(triples), batch_size):
        own = order[start : start + batch_size]
        heads, relations, tails = triples[own].astype(np.int64).T
        first = np.diff(heads, prepend=-1).astype(bool) | np.diff(relations, prepend=-1).astype(
            bool
        )
        found = score(torch.tensor(heads[first]), torch.tensor(relations[first]))
        if not torch.isfinite(found.sum()):
            raise ValueError("a score is NaN or infinite: training diverged")
        scores, row = found.numpy(), np.cumsum(first) - 1
        true = scores[row, tails]
        triple, filtered = known.places(heads, relations)
        others = filtered != tails[triple]  # a triple doesn't compete with itself
        triple, passed = triple[others], scores[row[triple[others]], filtered[others]]
        if len(scores) < len(tails):
            scores = scores[row]
        # numpy counts a row of truths several times faster than torch does.
        above = np.count_nonzero(scores > true[:, None], axis=1)
        above -= np.bincount(triple[passed > true[triple]], minlength=len(tails))
        ties = np.count_nonzero(scores == true[:, None], axis=1) - 1  # less itself
        ties -= np.bincount(triple[passed == true[triple]], minlength=len(tails))
        ranks[own], all_ties[own] = 1 + above + ties / 2, ties
        advance(len(heads))
    return ranks, all_ties


def ranking_metrics(ranks: np.ndarray) -> RankingMetrics:
    """Summary of ranks (n,).

    Raises:
        ValueError: there are no ranks; a mean over nothing would read as a result.
    """
    if not len(ranks):
        raise ValueError("no ranks to summarise")
    return RankingMetrics(
        mean_reciprocal_rank=float(np.mean(1 / ranks)),
        hits_at_1=float(np.mean(ranks <= 1)),
        hits_at_3=float(np.mean(ranks <= 3)),
        hits_at_10=float(np.mean(ranks <= 10)),
        mean_rank=float(np.mean(ranks)),
        count=len(ranks),
    )


def tail_frequencies(triples: np.ndarray, entity_count: int, relation_count: int) -> Scorer:
    """The baseline that ignores the question's entity: how often each tail stands with a relation.

    Given triples with head and tail exchanged, it scores heads by the same rule.
    """
    ones = np.ones(len(triples), dtype=np.float32)
    shape = (relation_count, entity_count)
    counts = csr_array((ones, (triples[:, 1], triples[:, 2])), shape=shape)

    def scores(heads: Tensor, relations: Tensor) -> Tensor:
        return torch.from_numpy(counts[relations.numpy()].toarray())

    return scores
