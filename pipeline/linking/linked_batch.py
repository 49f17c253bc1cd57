"""One batch linked and written, by whichever process does it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...kg.corpora.documents import Document, RejectedDocument
from ...kg.corpora.written_mentions import FORMATS, Linked
from ...kg.linking.long_texts import mentions_in
from ...kg.linking.mentions import Mention
from ...kg.linking.text_linking import TextLinking
from .. import machine
from .batches import Batch


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
    """

    digest: str
    bytes: int = 0
    documents: int = 0
    characters: int = 0
    mentions: int = 0
    linked: int = 0
    rejected: list[RejectedDocument] = field(default_factory=list)
    peak_bytes: int = 0


def link_batch(linking: TextLinking, batch: Batch, format: str, part: Path) -> LinkedBatch:
    """Link the documents of a batch and write its part of the output.

    Args:
        format: a key of FORMATS.
        part: file to make.
    """
    made = LinkedBatch(batch.digest, rejected=list(batch.rejected))
    with part.open("wb") as file:
        linked = _linked(linking, batch.documents, made)
        unfit = FORMATS[format].write(linked, linking.graph, file)
        made.bytes = file.tell()
    made.documents = len(batch.documents) - len(unfit)
    places = {item.place for item in unfit}
    made.characters = sum(
        len(each.text) for each in batch.documents if not places or each.place not in places
    )
    made.rejected += unfit
    made.peak_bytes = machine.peak_memory_bytes()
    return made


def _linked(
    linking: TextLinking, documents: Iterable[Document], made: LinkedBatch
) -> Iterator[Linked]:
    for document in documents:
        yield document, _counted(mentions_in(document.text, linking.find), made)


def _counted(mentions: Iterator[Mention], made: LinkedBatch) -> Iterator[Mention]:
    for mention in mentions:
        made.mentions += 1
        made.linked += mention.entity is not None
        yield mention
