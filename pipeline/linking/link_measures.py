"""Precision, recall and F1 of links, by four rules of when a link is right.

    mentions      a gold mention has exactly this span, and this entity
    overlaps      a gold mention shares a character with the span, and has this entity
    documents     the set of entities of a text, wherever they stand
    hierarchical  as documents, each set extended by the ancestors of its entities

Counts are summed over documents (micro). Of a gold mention with several entities any is right; where
sets are compared, it stands for the one that was linked in the text, else for its first.
Hierarchical precision is the sum over documents of |L ∩ G| / sum of |L|, recall / sum of |G|, with L
and G the extended sets; the top of the hierarchy, which is above everything, is left out of the
extension (Kiritchenko, Matwin and Famili 2005, "Functional annotation of genes using hierarchical text
categorization"). Intervals are percentiles of a cluster bootstrap over documents.

Legend: d documents, b resamples.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...kg.corpora.gold_entities import GoldSpan
from ...kg.hierarchy import Hierarchy
from ..measures.cluster_bootstrap import RESAMPLES, cluster_bootstrap_means
from ..measures.statistics import interval_ends
from .linked_documents import LinkedDocument, LinkedSpan

SEED = 0  # of the bootstrap's draws

Counts = NDArray[np.float64]
Extend = Callable[[int], Collection[int]]


@dataclass(frozen=True)
class Share:
    """A share with the ends of its 95 % interval; all None where nothing was counted."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LinkMeasure:
    """One rule's figures.

    Attributes:
        gold: what was to be found.
        linked: what was linked.
        found: of gold.
        right: of what was linked; equal to `found` unless a gold mention has several entities.
    """

    precision: Share
    recall: Share
    f1: Share
    gold: int
    linked: int
    found: int
    right: int


def mention_counts(documents: Iterable[LinkedDocument]) -> Counts:
    """(d, 4) right, linked, found, gold by exact span and entity."""
    return _table(_mention_row(document) for document in documents)


def overlap_counts(documents: Iterable[LinkedDocument]) -> Counts:
    """(d, 4) right, linked, found, gold by overlapping span and entity."""
    return _table(_overlap_row(document) for document in documents)


def document_counts(documents: Iterable[LinkedDocument]) -> Counts:
    """(d, 4) right, linked, found, gold by the text's set of entities."""
    return _table(_set_row(*entity_sets(document)) for document in documents)


def hierarchical_counts(documents: Iterable[LinkedDocument], extend: Extend) -> Counts:
    """(d, 4) right, linked, found, gold by sets extended by ancestors.

    Args:
        documents: those linked.
        extend: an entity → its ancestors that count, without the top.
    """
    rows = []
    for document in documents:
        linked, gold = (
            {above for entity in entities for above in (entity, *extend(entity))}
            for entities in entity_sets(document)
        )
        rows.append(_set_row(linked, gold))
    return _table(rows)


def ancestors_below(hierarchy: Hierarchy, root: int | None) -> Extend:
    """Ancestors strictly below the root; without one, those that have something above them."""
    below = None if root is None else hierarchy.below(root) - {root}

    def extend(entity: int) -> Collection[int]:
        above = hierarchy.ancestors(entity)
        if below is not None:
            return above & below
        return [each for each in above if not hierarchy.is_top(each)]

    return extend


def entity_sets(document: LinkedDocument) -> tuple[set[int], set[int]]:
    """The entities linked in a text, and the gold ones."""
    linked = {link.entity for link in document.links}
    gold = {
        next((entity for entity in span.entities if entity in linked), span.entities[0])
        for span in document.gold
    }
    return linked, gold


def link_measure(counts: Counts, seed: int = SEED, resamples: int = RESAMPLES) -> LinkMeasure:
    """Precision, recall and F1 of the summed counts, with intervals.

    Args:
        counts: (d, 4) right, linked, found, gold.
        seed: of the draws.
        resamples: draws of whole documents, b.

    Raises:
        ValueError: there is no document.
    """
    if len(counts) == 0:
        raise ValueError("a measure needs at least one document")
    right, linked, found, gold = counts.sum(axis=0)
    shares = _shares(counts.sum(axis=0)[None])[0]  # (3,)
    if len(counts) == 1:  # one document tells nothing about others
        ends = np.array([[0.0] * 3, [1.0] * 3])
    else:
        draws = _shares(cluster_bootstrap_means(counts.T, np.arange(len(counts)), seed, resamples))
        ends = np.array([_quantiles(draws[:, place]) for place in range(3)]).T
    precision, recall, f1 = (
        Share(float(share), float(low), float(high))
        if np.isfinite(share)
        else Share(None, None, None)
        for share, low, high in zip(shares, *ends, strict=True)
    )
    return LinkMeasure(precision, recall, f1, int(gold), int(linked), int(found), int(right))


def is_right(link: LinkedSpan, gold: Sequence[GoldSpan]) -> bool:
    """True where a gold mention has the link's span and entity."""
    return any(
        span.start == link.start and span.end == link.end and link.entity in span.entities
        for span in gold
    )


def overlap(one: LinkedSpan | GoldSpan, other: LinkedSpan | GoldSpan) -> bool:
    """True where two spans share a character."""
    return one.start < other.end and other.start < one.end


def _shares(sums: Counts) -> Counts:
    """(b, 3) precision, recall, F1 of (b, 4) sums; not a number where nothing was counted."""
    right, linked, found, gold = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / linked, found / gold
        both = 2 * precision * recall / (precision + recall)
    # Nothing linked, or nothing right, among gold that is there: F1 is 0 and no unknown.
    f1 = np.where((right + found == 0) & (linked + gold > 0), 0.0, both)
    return np.stack([precision, recall, f1], axis=1)


def _quantiles(draws: Counts) -> Counts:
    finite = draws[np.isfinite(draws)]
    return np.quantile(finite, interval_ends()) if len(finite) else np.full(2, np.nan)


def _mention_row(document: LinkedDocument) -> tuple[int, int, int, int]:
    linked = {(link.start, link.end, link.entity) for link in document.links}
    keys = [[(span.start, span.end, entity) for entity in span.entities] for span in document.gold]
    gold = {key for several in keys for key in several}
    found = sum(any(key in linked for key in several) for several in keys)
    return len(linked & gold), len(linked), found, len(keys)


def _overlap_row(document: LinkedDocument) -> tuple[int, int, int, int]:
    right = sum(
        any(overlap(link, span) and link.entity in span.entities for span in document.gold)
        for link in document.links
    )
    found = sum(
        any(overlap(link, span) and link.entity in span.entities for link in document.links)
        for span in document.gold
    )
    return right, len(document.links), found, len(document.gold)


def _set_row(linked: set[int], gold: set[int]) -> tuple[int, int, int, int]:
    both = len(linked & gold)
    return both, len(linked), both, len(gold)


def _table(rows: Iterable[tuple[int, int, int, int]]) -> Counts:
    return np.array(list(rows), dtype=float).reshape(-1, 4)
