"""The evaluation of links in lines for the terminal, and the tables that the page has too."""

from collections.abc import Iterator
from typing import Any

from ..report.table import ABSENT, Table
from ..report.terminal_table import terminal_table
from .link_evaluation import MEASURES

RULES = {
    "mentions": "exact span and entity",
    "overlaps": "overlapping span and entity",
    "documents": "entities of a text",
    "hierarchical": "entities of a text with their ancestors",
}
SLICES = {
    "exact": "a name of its entity, case aside",
    "variant": "folds to a name of its entity",
    "unseen synonym": "is no name of its entity",
    "nested": "inside a longer gold mention",
    "homonym": "a name of several entities",
    "NIL": "nothing of the graph is meant: not linked",
}
SWEEP_ADVICE = (
    "Choose a threshold on development documents only: figures at a threshold that was chosen on "
    "these documents say nothing of others."
)
ORIGIN = (
    "Intervals hold {confidence:.0%}: a bootstrap over whole documents for measures ({resamples:,} "
    "draws, seed {seed}), Wilson's at the documents' effective size for slices."
)

Json = dict[str, Any]


def evaluation_lines(document: Json) -> Iterator[str]:
    """All lines, of a document made by link_evaluation.evaluation_document."""
    yield from head_lines(document)
    yield ""
    yield from terminal_table(measure_table(document)).splitlines()
    yield ""
    yield from terminal_table(slice_table(document)).splitlines()
    bins = reliability_table(document)
    if bins.rows:
        yield ""
        yield from terminal_table(bins).splitlines()
    for way in ways(document):
        if document[way]["ece"] is not None:
            yield calibration_words(document, way)
    for way in ways(document):
        if document[way]["sweep"]:
            yield ""
            yield from terminal_table(sweep_table(document, way)).splitlines()
    if document[document["way"]]["sweep"]:
        yield SWEEP_ADVICE
    yield ORIGIN.format_map(document)


def ways(document: Json) -> list[str]:
    """The ways of linking, the main one first."""
    main = document["way"]
    others = (way for way in ("longest", "all") if way in document and way != main)
    return [main, *others]


def head_lines(document: Json) -> Iterator[str]:
    """What was linked to what, and what of the gold doesn't count."""
    root = document["root"]
    below = f" below {root['label']}" if root else ""
    nil = f", {document['gold_nil']:,} of nothing in the graph" if document["gold_nil"] else ""
    yield (
        f"{_counted(document['document_count'], 'document')}, "
        f"{_counted(document['gold_mentions'], 'gold mention')}{nil}; "
        f"linked to {document['entities']:,} entities{below}"
    )
    if document["gold_outside_root"]:
        named = ", ".join(each["label"] for each in document["outside_root"])
        count = _counted(document["gold_outside_root"], "gold mention")
        yield f"not counted, as outside what lies below the root: {count} ({named})"
    if document["gold_repeated"]:
        yield f"said again in the file, and counted once: {_counted(document['gold_repeated'], 'gold mention')}"
    if document["lines_passed_over"]:
        yield f"passed over: {_counted(document['lines_passed_over'], 'line')} of relations"
    if document["common_words"]:
        count = _counted(document["common_words"], "name")
        named = ", ".join(document["commonest"])
        yield f"left unlinked, as common words of the graph's own texts: {count} ({named})"
    rates = ", ".join(
        f"{document[way]['documents_per_second']:,.0f} documents a second ({way})"
        for way in ways(document)
    )
    yield f"index ready in {document['index_seconds']:.1f} s; {rates}"


def measure_table(document: Json) -> Table:
    """Precision, recall and F1 of each way by each rule."""
    rows = []
    for way in ways(document):
        for name in MEASURES:
            measure = document[way][name]
            if measure is not None:
                figures = [_share(measure, key) for key in ("precision", "recall", "f1")]
                counts = [f"{measure[key]:,}" for key in ("gold", "linked", "right")]
                rows.append((way, name, RULES[name], *figures, *counts))
    head = ("way", "measure", "right is", "precision", "recall", "F1", "gold", "linked", "right")
    return Table(head, tuple(rows), text_columns=3)


def slice_table(document: Json) -> Table:
    """Recall by what the gold surface is, then precision by the kind of the name that matched."""
    rows = []
    for way in ways(document):
        slices = document[way]["slices"]
        for name, share in slices["recall"].items():
            rows.append((way, "recall", name, SLICES[name], *_sliced(share)))
        for name, share in slices["precision"].items():
            rows.append((way, "precision", name, "kind of the name that matched", *_sliced(share)))
    return Table(("way", "of", "slice", "", "share", "n"), tuple(rows), text_columns=4)


def reliability_table(document: Json) -> Table:
    """The bins of scores, with a bar of how often each was right."""
    rows = []
    for way in ways(document):
        for each in document[way]["reliability"]:
            span = f"{each['low']:.3f}–{each['high']:.3f}"
            bar = "█" * round(20 * each["accuracy"])
            row = (f"{each['confidence']:.3f}", f"{each['accuracy']:.3f}", f"{each['n']:,}")
            rows.append((way, span, bar, *row))
    return Table(("way", "score", "", "mean", "right", "n"), tuple(rows), text_columns=3)


def sweep_table(document: Json, way: str) -> Table:
    """Mention measures when links below a score are taken for NIL."""
    rows = tuple(
        (
            f"≥ {each['score']:.3f}",
            *(_share(each, key) for key in ("precision", "recall", "f1")),
            f"{each['linked']:,}",
        )
        for each in document[way]["sweep"]
    )
    return Table((f"score ({way})", "precision", "recall", "F1", "linked"), rows)


def calibration_words(document: Json, way: str) -> str:
    """The expected calibration error in words."""
    low, high = document[way]["ece_interval"]
    bins = len(document[way]["reliability"])
    return (
        f"expected calibration error ({way}): {document[way]['ece']:.3f} ({low:.3f}–{high:.3f}), "
        f"{bins} bins of about equal numbers of links"
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _share(measure: Json, key: str) -> str:
    if measure[key] is None:
        return ABSENT
    low, high = measure[f"{key}_interval"]
    return f"{measure[key]:.3f} ({low:.3f}–{high:.3f})"


def _sliced(share: Json | None) -> tuple[str, str]:
    if share is None:
        return ABSENT, "0"
    low, high = share["interval"]
    return f"{share['share']:.3f} ({low:.3f}–{high:.3f})", f"{share['n']:,}"
