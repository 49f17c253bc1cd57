"""Documents in batches: what is linked at once, written at once, and resumed from."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...kg.corpora.documents import Document, RejectedDocument

BATCH_CHARACTERS = 1 << 18  # a quarter of a second's work
BATCH_DOCUMENTS = 500
DIGEST_BYTES = 16


@dataclass(frozen=True)
class Batch:
    """Documents that follow each other.

    Attributes:
        number: of the batch, from 0.
        documents: whose characters, but for the last one, are fewer than BATCH_CHARACTERS.
        rejected: what couldn't be read among them.
        characters: of all their texts.
        texts: digest of each document's text.
        digest: of ids, places and texts, and of the rejections.
    """

    number: int
    documents: tuple[Document, ...]
    rejected: tuple[RejectedDocument, ...]
    characters: int
    texts: tuple[str, ...]
    digest: str


def batches(read: Iterable[Document | RejectedDocument]) -> Iterator[Batch]:
    """The same documents always make the same batches."""
    documents: list[Document] = []
    rejected: list[RejectedDocument] = []
    number = characters = 0
    for item in read:
        if isinstance(item, Document):
            documents.append(item)
            characters += len(item.text)
        else:
            rejected.append(item)
        if characters >= BATCH_CHARACTERS or len(documents) + len(rejected) >= BATCH_DOCUMENTS:
            yield _batch(number, documents, rejected, characters)
            documents, rejected = [], []
            number, characters = number + 1, 0
    if documents or rejected:
        yield _batch(number, documents, rejected, characters)


def _batch(
    number: int, documents: list[Document], rejected: list[RejectedDocument], characters: int
) -> Batch:
    texts = tuple(text_digest(document.text) for document in documents)
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for document, text in zip(documents, texts, strict=True):
        _add(digest, document.name, document.place, text)
    for item in rejected:
        _add(digest, item.place, item.reason)
    return Batch(number, tuple(documents), tuple(rejected), characters, texts, digest.hexdigest())


def text_digest(text: str) -> str:
    """What a text is known by, in hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def _add(digest: "hashlib.blake2b", *texts: str) -> None:
    for text in texts:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
