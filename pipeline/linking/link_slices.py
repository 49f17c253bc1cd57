"""Which gold mentions are found and which not: recall by how the surface relates to the graph's names.

Every gold mention with an entity is in exactly one of the first three slices and may be in the others:

    exact            its surface is a name of its entity, case aside
    variant          it folds to a name of its entity (plural, spelling, accents, hyphens)
    unseen synonym   it is no name of its entity
    nested           it lies inside a longer gold mention
    homonym          it folds to a name of more than one entity that is linked to
    NIL              nothing of the graph is meant; right where its very span isn't linked

The first three, and homonyms, are told apart as in BELB (Garda et al. 2023). Precision is sliced by
the kind of the name that matched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...kg.corpora.gold_entities import GoldSpan
from ...kg.graph import KnowledgeGraph
from ...kg.linking.folding import case_fold
from ...kg.linking.linking_scores import fold_text
from ...kg.names import NAME_KINDS
from ..measures.statistics import Interval, accuracy_interval
from .link_measures import is_right
from .linked_documents import LinkedDocument

RECALL_SLICES = ("exact", "variant", "unseen synonym", "nested", "homonym", "NIL")

Slices = Mapping[str, Interval | None]


@dataclass(frozen=True)
class SurfaceNames:
    """How gold surfaces relate to the names of a graph.

    Attributes:
        bearers: folded surface → how many entities that are linked to have a name that folds so.
    """

    graph: KnowledgeGraph
    bearers: Mapping[tuple[str, ...], int]

    @classmethod
    def gather(
        cls,
        graph: KnowledgeGraph,
        documents: Iterable[LinkedDocument],
        wanted: Collection[int] | None,
    ) -> "SurfaceNames":
        """Count the bearers of the documents' gold surfaces among the entities wanted (None: all)."""
        surfaces = {
            fold_text(document.text[span.start : span.end])
            for document in documents
            for span in document.gold
        }
        bearers: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        names = graph.names_table
        columns = (names[column].to_pylist() for column in ("entity", "name"))
        for entity, name in zip(*columns, strict=True):
            if (wanted is None or entity in wanted) and (key := fold_text(name)) in surfaces:
                bearers[key].add(entity)
        return cls(graph, {key: len(entities) for key, entities in bearers.items()})

    def slice_of(self, surface: str, entities: Iterable[int]) -> str:
        """exact, variant or unseen synonym."""
        names = [name.text for entity in entities for name in self.graph.names_of(entity)]
        if case_fold(surface) in map(case_fold, names):
            return "exact"
        key = fold_text(surface)
        return "variant" if any(fold_text(name) == key for name in names) else "unseen synonym"

    def is_homonym(self, surface: str) -> bool:
        return self.bearers.get(fold_text(surface), 0) > 1


def recall_slices(documents: Sequence[LinkedDocument], names: SurfaceNames) -> Slices:
    """Recall of each slice with its interval; None for a slice without gold mentions."""
    outcomes: dict[str, list[tuple[str, bool]]] = {name: [] for name in RECALL_SLICES}
    for document in documents:
        linked = {(link.start, link.end): set[int]() for link in document.links}
        for link in document.links:
            linked[link.start, link.end].add(link.entity)
        for span in document.gold:
            surface = document.text[span.start : span.end]
            found = not linked.get((span.start, span.end), set()).isdisjoint(span.entities)
            outcome = (document.id, found)
            outcomes[names.slice_of(surface, span.entities)].append(outcome)
            if is_nested(span, (*document.gold, *document.nil_gold)):
                outcomes["nested"].append(outcome)
            if names.is_homonym(surface):
                outcomes["homonym"].append(outcome)
        for span in document.nil_gold:
            outcomes["NIL"].append((document.id, (span.start, span.end) not in linked))
    return {name: _interval(found) for name, found in outcomes.items()}


def precision_by_kind(documents: Sequence[LinkedDocument]) -> Slices:
    """Precision of links by the kind of name that matched, kinds in the house's order."""
    outcomes: dict[str, list[tuple[str, bool]]] = {kind: [] for kind in NAME_KINDS}
    for document in documents:
        for link in document.links:
            outcome = (document.id, is_right(link, document.gold))
            outcomes.setdefault(link.kind, []).append(outcome)
    return {kind: _interval(found) for kind, found in outcomes.items() if found}


def is_nested(span: GoldSpan, gold: Iterable[GoldSpan]) -> bool:
    """True for a span inside a longer gold span."""
    return any(
        other.start <= span.start
        and span.end <= other.end
        and other.end - other.start > span.end - span.start
        for other in gold
    )


def _interval(outcomes: Sequence[tuple[str, bool]]) -> Interval | None:
    if not outcomes:
        return None
    documents, found = zip(*outcomes, strict=True)
    return accuracy_interval(np.array(found, dtype=float), np.array(documents))
