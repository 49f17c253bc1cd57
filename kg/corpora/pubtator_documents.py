"""Documents from PubTator (Wei et al. 2013, doi:10.1093/nar/gkt441): `id|t|title`, `id|a|abstract`.

Sections are one line each and are joined by a line end, as PubTator counts offsets: the abstract begins
one character after the title. Annotations that are there already are read past.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from ..readers.bounded_lines import bounded_lines
from .documents import MAX_DOCUMENT, Document, DocumentError, RejectedDocument, as_text

SECTION = re.compile(r"([^|\t]+)\|([A-Za-z])\|(.*)", re.DOTALL)


@dataclass
class _Open:
    """A document whose end isn't seen yet."""

    name: str = ""
    place: str = ""
    sections: list[str] = field(default_factory=list)
    fault: str = ""

    def closed(self) -> Iterator[Document | RejectedDocument]:
        if self.fault:
            yield RejectedDocument(self.place, self.fault)
        elif self.place:
            sections = self.sections if self.sections[-1] else self.sections[:-1]
            yield Document(self.name, "\n".join(sections or [""]), self.place)


def pubtator_documents(file: IO[bytes], name: str) -> Iterator[Document | RejectedDocument]:
    """The documents, which blank lines part. `name` is the file's, for places.

    A document with a line that is neither a section nor an annotation of its own is rejected whole.
    """
    now, size = _Open(), 0
    for number, line in bounded_lines(file, MAX_DOCUMENT):
        if not line.strip():
            yield from now.closed()
            now, size = _Open(), 0
            continue
        size += len(line)
        place = f"{name}:{number}"
        try:
            text = as_text(line.removesuffix(b"\r")).removeprefix("\ufeff" if number == 1 else "")
            found = SECTION.fullmatch(text)
            if found and found[2] == "t" and now.place:  # no blank line before it
                yield from now.closed()
                now, size = _Open(), len(line)
            _take(now, found, text, place)
            if size > MAX_DOCUMENT:
                raise DocumentError(f"it is longer than {MAX_DOCUMENT:,} bytes")
        except DocumentError as fault:
            now.place = now.place or place
            now.sections.clear()
            now.fault = now.fault or f"line {number}: {fault}"
    yield from now.closed()


def _take(now: _Open, found: re.Match[str] | None, text: str, place: str) -> None:
    if now.fault:
        return
    if found is None:
        if not now.place or text.partition("\t")[0] != now.name:
            raise DocumentError("neither id|t|title, id|a|abstract nor an annotation")
        return
    if not now.place:
        now.name, now.place = found[1], place
        if found[2] != "t":
            raise DocumentError("the document doesn't begin with id|t|title")
    elif found[1] != now.name:
        raise DocumentError(f"the id is {found[1]!r}, and above it was {now.name!r}"[:300])
    now.sections.append(found[3])
