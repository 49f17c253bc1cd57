"""Mentions in spaCy's DocBin (https://spacy.io/api/docbin): what `spacy train` and `Corpus` read.

Each Doc has `spans["infact_linker"]` as the pipeline component sets them (linked mentions, whose `kb_id_`
is the entity's IRI), and `user_data["infact"]`: a JSON text with the document's id and source and every
mention, NIL too, with its exact offsets and candidates. Words are cut by spaCy's multi-language
tokenizer; a mention inside a word takes the whole word in `spans`.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..graph import KnowledgeGraph
from ..linking.mentions import Mention
from .documents import Document, RejectedDocument
from .mention_objects import mention_object

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

USER_DATA = "infact"
MAX_CHARACTERS = 100_000_000  # of all texts: a DocBin is written and read whole
MAX_DOC = 5_000_000  # characters of one: a spaCy Doc takes a hundred bytes and more a word


def write_docbin(
    linked: Iterable[tuple[Document, Iterable[Mention]]], graph: KnowledgeGraph, file: IO[bytes]
) -> list[RejectedDocument]:
    """Write one DocBin.

    Returns:
        Documents that are too long for a spaCy Doc.
    """
    from spacy.tokens import DocBin

    docs, rejected = DocBin(attrs=["ORTH"], store_user_data=True), []
    for document, mentions in linked:
        if len(document.text) > MAX_DOC:
            reason = f"it is longer than {MAX_DOC:,} characters, too long for a spaCy Doc"
            rejected.append(RejectedDocument(document.place, reason))
        else:
            docs.add(_doc(document, mentions, graph))
    file.write(docs.to_bytes())
    return rejected


def join_docbins(parts: Path, lengths: Iterable[int], finished: Path) -> None:
    """DocBins as one, which is held in memory whole."""
    from spacy.tokens import DocBin

    whole = DocBin(attrs=["ORTH"], store_user_data=True)
    with parts.open("rb") as file:
        for length in lengths:
            whole.merge(DocBin(store_user_data=True).from_bytes(file.read(length)))
    finished.write_bytes(whole.to_bytes())


def _doc(document: Document, mentions: Iterable[Mention], graph: KnowledgeGraph) -> "Doc":
    from ..linking.spacy_component import SPANS_KEY, linked_span

    doc = _blank().tokenizer(document.text)
    objects, spans = [], []
    for mention in mentions:
        objects.append(mention_object(mention, graph))
        if mention.entity is not None:
            spans.append(linked_span(doc, mention.start, mention.end, graph.iri(mention.entity)))
    doc.spans[SPANS_KEY] = spans
    told = {"document": document.name, "source": document.place, "mentions": objects}
    # As text: msgpack, which DocBin uses, gives lists back as tuples.
    doc.user_data[USER_DATA] = json.dumps(told, ensure_ascii=False)
    return doc


@cache
def _blank() -> "Language":
    import spacy

    return spacy.blank("xx")
