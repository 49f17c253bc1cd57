"""What went wrong, one row each: links that aren't right, and gold mentions that weren't found.

    wrong entity     a gold mention has this span and another entity
    false positive   no gold mention has this span
    miss             a gold mention that isn't found, and whose span has no wrong entity

A link beside a gold mention of the same entity (`spleen` for `enlarged spleen`) is a false positive
and the mention a miss; the column `beside` names the other of the two.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ...kg.corpora.gold_entities import GoldSpan
from ...kg.graph import KnowledgeGraph
from .link_measures import is_right, overlap
from .linked_documents import LinkedDocument, LinkedSpan
from .written_whole import written_whole

CONTEXT = 60  # characters on either side
ORDER = {"wrong entity": 0, "false positive": 1, "miss": 2}
Spans = Sequence[LinkedSpan] | Sequence[GoldSpan]


@dataclass(frozen=True)
class LinkError:
    """One row; the fields are the columns. Several entities of one mention are parted by ` | `."""

    error: str
    document: str
    start: int
    end: int
    surface: str
    gold: str
    gold_label: str
    linked: str
    linked_label: str
    score: str
    name: str
    kind: str
    beside: str
    context: str


def link_errors(documents: Iterable[LinkedDocument], graph: KnowledgeGraph) -> Iterator[LinkError]:
    """Yield every error, document by document, from left to right."""
    for document in documents:
        gold_at = _by_span(document.gold)
        linked_at = _by_span(document.links)
        rows: list[LinkError] = []
        for link in document.links:
            if not is_right(link, document.gold):
                gold = gold_at.get((link.start, link.end), ())
                kind = "wrong entity" if gold else "false positive"
                rows.append(_row(kind, document, link, gold, [link], graph))
        for span in document.gold:
            links = linked_at.get((span.start, span.end), ())
            # A wrong entity is told once, with what was meant.
            if all(is_right(link, document.gold) for link in links) and not any(
                link.entity in span.entities for link in links
            ):
                rows.append(_row("miss", document, span, [span], (), graph))
        yield from sorted(rows, key=lambda row: (row.start, row.end, ORDER[row.error]))


def write_link_errors(errors: Iterable[LinkError], path: Path) -> int:
    """Write the rows as TSV, whole or not at all; return how many.

    Raises:
        UserError: the file can't be written.
    """
    count = 0
    with written_whole(path, "--errors") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([field.name for field in fields(LinkError)])
        for error in errors:
            writer.writerow(map(_cell, astuple(error)))
            count += 1
    return count


def _row(
    kind: str,
    document: LinkedDocument,
    at: LinkedSpan | GoldSpan,
    gold: Sequence[GoldSpan],
    links: Sequence[LinkedSpan],
    graph: KnowledgeGraph,
) -> LinkError:
    meant = list(dict.fromkeys(entity for span in gold for entity in span.entities))
    linked = [link.entity for link in links]
    others: Spans = document.links if kind == "miss" else document.gold
    link = links[0] if links else None
    return LinkError(
        error=kind,
        document=document.id,
        start=at.start,
        end=at.end,
        surface=document.text[at.start : at.end],
        gold=" | ".join(map(graph.iri, meant)),
        gold_label=" | ".join(map(graph.label, meant)),
        linked=" | ".join(map(graph.iri, linked)),
        linked_label=" | ".join(map(graph.label, linked)),
        score=f"{link.score:.3f}" if link else "",
        name=link.name if link else "",
        kind=link.kind if link else "",
        beside=" | ".join(_beside(at, others, document.text, graph)),
        context=_context(document.text, at.start, at.end),
    )


def _beside(
    at: LinkedSpan | GoldSpan, others: Spans, text: str, graph: KnowledgeGraph
) -> Iterator[str]:
    """Surface and labels of the other side's spans that overlap this one without being it."""
    for other in others:
        if overlap(at, other) and (other.start, other.end) != (at.start, at.end):
            entities = other.entities if isinstance(other, GoldSpan) else (other.entity,)
            yield f"{text[other.start : other.end]} = {' / '.join(map(graph.label, entities))}"


def _context(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    return f"{before}⟦{text[start:end]}⟧{after}"


def _by_span(spans: Iterable[GoldSpan] | Iterable[LinkedSpan]) -> dict[tuple[int, int], list]:
    found: dict[tuple[int, int], list] = {}
    for span in spans:
        found.setdefault((span.start, span.end), []).append(span)
    return found


def _cell(value: object) -> str:
    """One line of visible text: a cell with line ends or control characters breaks tables."""
    return " ".join("".join(each if each.isprintable() else " " for each in str(value)).split())
