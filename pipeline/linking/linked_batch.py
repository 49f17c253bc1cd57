"""One batch linked and written, by whichever process does it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...kg.corpora.documents import Document, RejectedDocument
from ...kg.corpora.written_mentions import FORMATS, Linked
from ...kg.linking.linked_columns import linked_mentions
from ...kg.linking.long_texts import mentions_in
from ...kg.linking.mentions import Mention
from ...kg.linking.text_linking import TextLinking
from .. import machine
from .batches import Batch
from .former_links import FormerBatch
from .listed_documents import ListedDocument
from .refresh import Refresh, RefreshCounts, Row


@dataclass
class LinkedBatch:
    """What became of a batch: its part of the output, and what is counted of it.

    Attributes:
        digest: of the batch, as `Batch.digest`.
        bytes: of its part.
        documents, characters, mentions, linked: counted of documents that were written; mentions that
            aren't linked are NIL.
        rejected: documents that couldn't be read, or written in this format.
        peak_bytes: the most memory that its process has had so far; recorded alone.
        listed: the documents that were written.
        refreshed: what became of those that were linked before; None where none was asked for.
        changes: of their mentions; see `refresh.changed_mentions`.
    """

    digest: str
    bytes: int = 0
    documents: int = 0
    characters: int = 0
    mentions: int = 0
    linked: int = 0
    rejected: list[RejectedDocument] = field(default_factory=list)
    peak_bytes: int = 0
    listed: list[ListedDocument] = field(default_factory=list)
    refreshed: RefreshCounts | None = None
    changes: list[Row] = field(default_factory=list)

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> "LinkedBatch":
        """What `dataclasses.asdict` made JSON of."""
        counts = row["refreshed"]
        made = {
            "rejected": [RejectedDocument(**item) for item in row["rejected"]],
            "listed": [ListedDocument(*item) for item in row["listed"]],
            "refreshed": None if counts is None else RefreshCounts(**counts),
        }
        return cls(**{**row, **made})


@dataclass(frozen=True)
class BatchLinker:
    """What links batches: a graph's linking, and the refresh of an earlier one where it was asked for."""

    linking: TextLinking
    refresh: Refresh | None = None


def link_batch(
    linker: BatchLinker, batch: Batch, former: FormerBatch | None, format: str, part: Path
) -> LinkedBatch:
    """Link the documents of a batch and write its part of the output.

    Args:
        former: what an earlier run found in them, for the linker's refresh.
        format: a key of FORMATS.
        part: file to make.
    """
    made = LinkedBatch(batch.digest, rejected=list(batch.rejected))
    counted: dict[str, Counter[bool]] = {}  # place of each document → its mentions, linked or not
    with part.open("wb") as file:
        if linker.refresh is None or former is None:
            found = _linked(linker.linking, batch.documents)
        else:
            found = _refreshed(linker, linker.refresh, batch.documents, former, made)
        unfit = FORMATS[format].write(_counted(found, counted), linker.linking.graph, file)
        made.bytes = file.tell()
    places = {item.place for item in unfit}
    for document, text in zip(batch.documents, batch.texts, strict=True):
        if document.place not in places:
            _list(document, text, counted[document.place], made)
    made.documents = len(made.listed)
    made.rejected += unfit
    made.peak_bytes = machine.peak_memory_bytes()
    return made


def _linked(linking: TextLinking, documents: Iterable[Document]) -> Iterator[Linked]:
    for document in documents:
        yield document, mentions_in(document.text, linking.find)


def _refreshed(
    linker: BatchLinker,
    refresh: Refresh,
    documents: Sequence[Document],
    former: FormerBatch,
    made: LinkedBatch,
) -> Iterator[Linked]:
    counts = made.refreshed = RefreshCounts()
    start = 0
    for document, count in zip(documents, former.counts, strict=True):
        place = {"document": document.name, "source": document.place}
        if count is None:
            counts.new += 1
            made.changes.append({**place, "change": "new text"})
            yield from _linked(linker.linking, [document])
            continue
        before = linked_mentions(former.rows.slice(start, count))
        start += count
        mentions, changes = refresh.mentions(document.text, before, counts)
        made.changes += [{**place, **change} for change in changes]
        yield document, mentions


def _counted(found: Iterable[Linked], counted: dict[str, Counter[bool]]) -> Iterator[Linked]:
    for document, mentions in found:
        counter = counted[document.place] = Counter()
        yield document, _counting(mentions, counter)


def _counting(mentions: Iterable[Mention], counter: Counter[bool]) -> Iterator[Mention]:
    for mention in mentions:
        counter[mention.entity is not None] += 1
        yield mention


def _list(document: Document, text: str, counter: Counter[bool], made: LinkedBatch) -> None:
    characters, mentions, linked = len(document.text), counter.total(), counter[True]
    made.listed.append(
        ListedDocument(document.name, document.place, text, characters, mentions, linked)
    )
    made.characters += characters
    made.mentions += mentions
    made.linked += linked
