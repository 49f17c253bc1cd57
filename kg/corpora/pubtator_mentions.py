"""Mentions in PubTator's lines: `id|t|title`, `id|a|abstract`, then one tab-separated line a mention.

The title is the text up to its first line end. All other line ends and tabs become blanks, one for one,
so every offset is that of the original text.
"""

import re
from collections.abc import Iterable
from typing import IO

from ..graph import KnowledgeGraph
from ..linking.mentions import Mention
from .documents import Document, RejectedDocument

NIL = "-"  # PubTator's word for a mention without an identifier
TYPE = "ENTITY"
# Whatever some reader takes for the end of a line or a field (str.splitlines, and the tab).
BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
UNFIT = re.compile("[|\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


def write_pubtator(
    linked: Iterable[tuple[Document, Iterable[Mention]]], graph: KnowledgeGraph, file: IO[bytes]
) -> list[RejectedDocument]:
    """Write documents with the chosen entity of each mention; candidates have no place in the format.

    Returns:
        Documents whose id can't be written: it is empty or holds `|`, a tab or a line end.
    """
    rejected = []
    for document, mentions in linked:
        name = document.name
        if not name or UNFIT.search(name):
            reason = f"the id {name[:100]!r} can't be written in PubTator"
            rejected.append(RejectedDocument(document.place, reason))
            continue
        title, _, abstract = document.text.partition("\n")
        file.write(f"{name}|t|{_on_one_line(title)}\n".encode())
        file.write(f"{name}|a|{_on_one_line(abstract)}\n".encode())
        for mention in mentions:
            iri = NIL if mention.entity is None else graph.iri(mention.entity)
            place = f"{name}\t{mention.start}\t{mention.end}"
            file.write(f"{place}\t{_on_one_line(mention.surface)}\t{TYPE}\t{iri}\n".encode())
        file.write(b"\n")
    return rejected


def _on_one_line(text: str) -> str:
    return BREAKS.sub(" ", text)
