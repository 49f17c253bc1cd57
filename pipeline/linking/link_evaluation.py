"""The results of evaluating links, and the one document from which words, page and JSON are made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...kg.graph import KnowledgeGraph
from ..measures.cluster_bootstrap import RESAMPLES
from ..measures.statistics import CONFIDENCE, Interval
from .link_measures import (
    SEED,
    Extend,
    LinkMeasure,
    document_counts,
    hierarchical_counts,
    link_measure,
    mention_counts,
    overlap_counts,
)
from .link_slices import Slices, SurfaceNames, precision_by_kind, recall_slices
from .linked_documents import CountedGold, LinkedCorpus, LinkedDocument
from .score_reliability import Reliability, Threshold, reliability, sweep

MEASURES = ("mentions", "overlaps", "documents", "hierarchical")
MAX_NAMED = 10  # entities or names told by name

Json = dict[str, Any]


@dataclass(frozen=True)
class WayEvaluation:
    """What one way of linking found.

    Attributes:
        links: mentions with an entity; `nil` those without.
        first_seconds: of the first pass over the documents; `seconds` of a later one.
        measures: by the names of MEASURES; without hierarchical where the graph has no hierarchy.
        reliability: None where nothing was linked.
        sweep: None where it wasn't asked for.
    """

    documents: int
    characters: int
    links: int
    nil: int
    first_seconds: float
    seconds: float
    measures: Mapping[str, LinkMeasure]
    recall: Slices
    precision: Slices
    reliability: Reliability | None
    sweep: Sequence[Threshold] | None


@dataclass(frozen=True)
class LinkEvaluation:
    """All results.

    Attributes:
        root: its IRI and label.
        passed_over: lines of the gold file; `repeated` are mentions of it.
        common_words: names that the linker leaves alone, the most frequent in the graph's texts first.
        index_seconds: until the linker stood ready, its index read or made.
    """

    gold_file: str
    root: tuple[str, str] | None
    entities: int
    gold: CountedGold
    passed_over: int
    repeated: int
    common_words: tuple[str, ...]
    index_seconds: float
    main_way: str
    ways: Mapping[str, WayEvaluation]


def link_measures(
    documents: Sequence[LinkedDocument], extend: Extend | None
) -> dict[str, LinkMeasure]:
    """The measures by name; hierarchical where an entity's ancestors are given."""
    counts = {
        "mentions": mention_counts(documents),
        "overlaps": overlap_counts(documents),
        "documents": document_counts(documents),
    }
    if extend is not None:
        counts["hierarchical"] = hierarchical_counts(documents, extend)
    return {name: link_measure(table) for name, table in counts.items()}


def way_evaluation(
    corpus: LinkedCorpus, extend: Extend | None, names: SurfaceNames, sweep_wanted: bool
) -> WayEvaluation:
    """Measure what one way of linking found."""
    documents = corpus.documents
    return WayEvaluation(
        documents=len(documents),
        characters=sum(len(document.text) for document in documents),
        links=sum(len(document.links) for document in documents),
        nil=corpus.nil,
        first_seconds=corpus.first_seconds,
        seconds=corpus.seconds,
        measures=link_measures(documents, extend),
        recall=recall_slices(documents, names),
        precision=precision_by_kind(documents),
        reliability=reliability(documents),
        sweep=sweep(documents) if sweep_wanted else None,
    )


def evaluation_document(evaluation: LinkEvaluation, graph: KnowledgeGraph) -> Json:
    """The results as JSON.

    Returns:
        the main way's measures at the top; every way with all it has under its name; counts.
        Intervals are [low, high]; what can't be computed is null.
    """
    ways = {way: _way(found) for way, found in evaluation.ways.items()}
    main = evaluation.ways[evaluation.main_way]
    spans = [span for document in evaluation.gold.documents for span in document.spans]
    outside = sorted(evaluation.gold.outside_entities)
    return {
        "gold_file": evaluation.gold_file,
        "document_count": main.documents,
        "characters": main.characters,
        "gold_mentions": sum(bool(span.entities) for span in spans),
        "gold_nil": sum(not span.entities for span in spans),
        "gold_outside_root": evaluation.gold.outside,
        "outside_root": [
            {"iri": graph.iri(each), "label": graph.label(each)} for each in outside[:MAX_NAMED]
        ],
        "gold_repeated": evaluation.repeated,
        "lines_passed_over": evaluation.passed_over,
        "root": None
        if evaluation.root is None
        else dict(zip(("iri", "label"), evaluation.root, strict=True)),
        "entities": evaluation.entities,
        "common_words": len(evaluation.common_words),
        "commonest": list(evaluation.common_words[:MAX_NAMED]),
        "index_seconds": round(evaluation.index_seconds, 3),
        "way": evaluation.main_way,
        **{
            key: ways[evaluation.main_way][key]
            for key in ("linked", "nil", "documents_per_second", *MEASURES, "slices", "ece")
        },
        **ways,
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "seed": SEED,
    }


def _way(found: WayEvaluation) -> Json:
    measured = found.reliability
    return {
        "linked": found.links,
        "nil": found.nil,
        "first_pass_seconds": round(found.first_seconds, 4),
        "seconds": round(found.seconds, 4),
        "documents_per_second": round(found.documents / max(found.seconds, 1e-9), 1),
        **{
            name: _measure(found.measures[name]) if name in found.measures else None
            for name in MEASURES
        },
        "slices": {
            "recall": {name: _interval(share) for name, share in found.recall.items()},
            "precision": {name: _interval(share) for name, share in found.precision.items()},
        },
        "ece": measured.error.estimate if measured else None,
        "ece_interval": [measured.error.low, measured.error.high] if measured else None,
        "reliability": [asdict(each) for each in measured.bins] if measured else [],
        "sweep": None
        if found.sweep is None
        else [{"score": each.score, **_measure(each.measure)} for each in found.sweep],
    }


def _measure(measure: LinkMeasure) -> Json:
    found: Json = {}
    for name in ("precision", "recall", "f1"):
        share = getattr(measure, name)
        found[name] = share.estimate
        found[f"{name}_interval"] = None if share.low is None else [share.low, share.high]
    counts = ("gold", "found", "linked", "right")
    return found | {name: getattr(measure, name) for name in counts}


def _interval(share: Interval | None) -> Json | None:
    if share is None:
        return None
    return {"share": share.estimate, "interval": [share.low, share.high], "n": share.n}
