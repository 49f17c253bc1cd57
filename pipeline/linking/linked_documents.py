"""Documents with what people and the linker found in them, side by side."""

import statistics
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...kg.corpora.gold_entities import AnnotatedDocument, GoldSpan
from ...kg.linking.linker import Linker
from ...kg.linking.mentions import Mention
from ..console import Console

PASSES = 5
LONG_PASS = 5.0  # seconds; loading doesn't show in a pass that takes longer

Link = Callable[[str], Sequence[Mention]]


@dataclass(frozen=True, slots=True)
class LinkedSpan:
    """Characters [start, end) were linked to an entity.

    Attributes:
        score: the linker's, 0 to 1.
        name: the entity's name that matched.
        kind: of that name: label, exact, narrow, broad or related.
    """

    start: int
    end: int
    entity: int
    score: float
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A text, its gold spans that count, its NIL gold spans, and the links, each span and entity once."""

    id: str
    text: str
    gold: tuple[GoldSpan, ...]
    nil_gold: tuple[GoldSpan, ...]
    links: tuple[LinkedSpan, ...]


@dataclass(frozen=True)
class CountedGold:
    """The gold that counts.

    Attributes:
        documents: with spans whose entities are all among those linked to, and NIL spans.
        outside: gold mentions left out, since all their entities lie outside.
        outside_entities: those entities.
    """

    documents: tuple[AnnotatedDocument, ...]
    outside: int
    outside_entities: frozenset[int]


@dataclass(frozen=True)
class LinkedCorpus:
    """What one way of linking found, and how long that took.

    Attributes:
        nil: mentions without an entity.
        first_seconds: of the first pass over the documents, in which what is needed of the graph is loaded.
        seconds: of a later one, the median; of the first where that was a long one.
    """

    documents: tuple[LinkedDocument, ...]
    nil: int
    first_seconds: float
    seconds: float


def ways_to_link(linker: Linker) -> Mapping[str, Link]:
    """The ways of linking that are evaluated, by name: the one place that says which there are."""
    return {"longest": linker.link, "all": linker.link_all}


def counted_gold(
    documents: Iterable[AnnotatedDocument], wanted: Collection[int] | None
) -> CountedGold:
    """Leave out the gold mentions that can't be found, and count them.

    Args:
        documents: as they were annotated.
        wanted: the entities that are linked to; all where None.
    """
    outside, outside_entities, counted = 0, set[int](), []
    for document in documents:
        spans = []
        for span in document.spans:
            inside = tuple(each for each in span.entities if wanted is None or each in wanted)
            if span.entities and not inside:
                outside += 1
                outside_entities.update(span.entities)
            else:
                spans.append(GoldSpan(span.start, span.end, inside))
        counted.append(AnnotatedDocument(document.id, document.text, tuple(dict.fromkeys(spans))))
    return CountedGold(tuple(counted), outside, frozenset(outside_entities))


def link_gold(
    documents: Sequence[AnnotatedDocument], link: Link, way: str, console: Console
) -> LinkedCorpus:
    """Link every document's text, and time the linking alone."""
    linked, nil, first_seconds = [], 0, 0.0
    with console.progress(f"link ({way})", len(documents), "documents") as advance:
        for document in documents:
            started = time.perf_counter()
            mentions = link(document.text)
            first_seconds += time.perf_counter() - started
            links = linked_spans(mentions)
            nil += sum(mention.entity is None for mention in mentions)
            linked.append(beside(document, links))
            advance(1)
    seconds = later_seconds(documents, link) if first_seconds < LONG_PASS else first_seconds
    return LinkedCorpus(tuple(linked), nil, first_seconds, seconds)


def later_seconds(documents: Sequence[AnnotatedDocument], link: Link) -> float:
    """Median seconds of PASSES passes over documents that were linked before."""
    passes = []
    for _ in range(PASSES):
        started = time.perf_counter()
        for document in documents:
            link(document.text)
        passes.append(time.perf_counter() - started)
    return statistics.median(passes)


def beside(document: AnnotatedDocument, links: Iterable[LinkedSpan]) -> LinkedDocument:
    """The document with its links, gold told apart into entities and NIL."""
    first: dict[tuple[int, int, int], LinkedSpan] = {}
    for link in links:
        first.setdefault((link.start, link.end, link.entity), link)
    return LinkedDocument(
        document.id,
        document.text,
        tuple(span for span in document.spans if span.entities),
        tuple(span for span in document.spans if not span.entities),
        tuple(first.values()),
    )


def linked_spans(mentions: Iterable[Mention]) -> list[LinkedSpan]:
    """The mentions that have an entity, with the candidate that was chosen."""
    spans = []
    for mention in mentions:
        if mention.entity is None:
            continue
        chosen = next(each for each in mention.candidates if each.entity == mention.entity)
        spans.append(
            LinkedSpan(
                mention.start, mention.end, mention.entity, chosen.score, chosen.name, chosen.kind
            )
        )
    return spans
