"""Gold documents in PubTator's format (https://www.ncbi.nlm.nih.gov/research/pubtator3/tutorial).

`id|t|title`, `id|a|abstract`, then for each mention id, start, end, surface, type and identifier,
parted by tabs. The text is the title, one line end and the abstract: PubTator counts one character
between the two. Relations (the second cell is a word, not an offset) are passed over.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..readers.json_lines import LineError
from .gold_entries import Faults, GoldDocument, Line, WrittenMention, checked_document, offset

PASSAGE = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
BETWEEN = "\n"  # title and abstract


@dataclass
class _Open:
    """The document that is being read."""

    id: str
    line: int
    title: str = ""
    abstract: str | None = None
    mentions: list[WrittenMention] = field(default_factory=list)

    def closed(self, faults: Faults) -> GoldDocument:
        text = self.title if self.abstract is None else self.title + BETWEEN + self.abstract
        return checked_document(self.id, text, self.mentions, self.line, faults)


def read_pubtator(lines: Iterable[Line], faults: Faults) -> Iterator[GoldDocument]:
    """Yield the documents; empty lines between them may be missing."""
    document: _Open | None = None
    for line in lines:
        passage = PASSAGE.match(line.text)
        if passage is not None:
            id, kind, text = passage.groups()
            if document is not None and (kind == "t" or id != document.id):
                yield document.closed(faults)
                document = None
            if document is None:
                document = _Open(id, line.number)
            if kind == "t":
                document.title = text
            elif document.abstract is None:
                document.abstract = text
            else:
                faults.add(line.number, f"the document {id} has two abstracts")
        elif line.text.strip():
            try:
                _add(line, document, faults)
            except LineError as fault:
                faults.found.append((line.number, fault))
    if document is not None:
        yield document.closed(faults)


def _add(line: Line, document: _Open | None, faults: Faults) -> None:
    cells = line.text.split("\t")
    if document is None or cells[0] != document.id:
        above = "no document" if document is None else f"the document {document.id}"
        raise LineError(f"the line begins with {cells[0][:40]!r}, but {above} stands above it")
    if len(cells) >= 4 and cells[1][:1].isalpha():
        faults.passed_over += 1
        return
    if len(cells) < 5:
        raise LineError(
            f"the line has {len(cells)} cells parted by tabs; a mention has id, start, end, surface, "
            "type, identifier"
        )
    _, start, end, surface, _, *ids = cells
    document.mentions.append(
        WrittenMention(offset(start), offset(end), surface, ids[:1], line.number)
    )
