"""A page of documents, their mentions and candidates: one file, no script, no request, all escaped.

Every mention is a line below its words. Mentions that overlap have lines at several heights, so each
can be followed from its first word to its last, also where one doesn't lie within the other.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...errors import UserError
from ...kg.corpora.documents import Document
from ...kg.corpora.mention_objects import mention_object
from ...kg.linking.long_texts import mentions_in
from ...kg.linking.mentions import Mention
from ...kg.linking.text_linking import TextLinking
from ..console import harmless
from ..pages.page_templates import page_file, page_templates
from ..words import clean_text, count
from .batches import Batch
from .written_whole import written_whole

MOST_DOCUMENTS = 100
MOST_CHARACTERS = 200_000  # of all texts on the page
LANES = 6  # heights that lines have; mentions beyond share the last one
STYLES = ("report.css", "mentions.css")
LINKS = ("http://", "https://")  # IRIs that a browser may open

Json = dict[str, Any]


class FirstDocuments:
    """The documents that a page shows, kept as they pass by: the first, up to the page's limits."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self.documents: list[Document] = []
        self.full = False
        self._characters = 0
        for document in documents:
            self._keep(document)

    def watched(self, stream: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches."""
        for batch in stream:
            for document in batch.documents:
                self._keep(document)
            yield batch

    def _keep(self, document: Document) -> None:
        left = MOST_CHARACTERS - self._characters
        self.full = self.full or not left or len(self.documents) >= MOST_DOCUMENTS
        if not self.full:
            shown = Document(document.name, document.text[:left], document.place)
            self.documents.append(shown)
            self._characters += len(shown.text)
            self.full = len(shown.text) < len(document.text)


def check_page(path: Path) -> None:
    """Raises UserError where no page can be written there."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError("no page can be written there", f"--page {path}", "name a file in a folder")


def write_page(path: Path, linking: TextLinking, first: FirstDocuments, total: int) -> None:
    """Link the documents and write the page, whole or not at all.

    Args:
        total: documents of the corpus, most of which aren't on the page as a rule.
    """
    documents = [
        (document, list(mentions_in(document.text, linking.find))) for document in first.documents
    ]
    page = render_page(documents, linking, first.full, total)
    with written_whole(path, "--page") as file:
        file.write(page)


def render_page(
    documents: Sequence[tuple[Document, Sequence[Mention]]],
    linking: TextLinking,
    cut: bool,
    total: int,
) -> str:
    """The whole page. `cut` tells that there is more text than these documents show."""
    style = "\n".join(page_file(name) for name in STYLES)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        page_templates((clean_text, count))
        .get_template("mentions.html.jinja")
        .render(
            documents=[
                {
                    "name": document.name,
                    "place": document.place,
                    "pieces": pieces(document.text, mentions),
                    "mentions": [_told(mention, linking) for mention in mentions],
                }
                for document, mentions in documents
            ],
            cut=cut,
            total=total,
            style=Markup(style),
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
            "form-action 'none'",
        )
    )


def pieces(text: str, mentions: Sequence[Mention]) -> list[Json]:
    """The text cut wherever a mention begins or ends.

    Args:
        mentions: sorted by start.

    Returns:
        For each piece its text, the lanes of the mentions that cover it, ascending, and the numbers
        (from 1) of those that end with it.
    """
    lanes = lanes_of(mentions)
    edges = sorted({0, len(text), *(m.start for m in mentions), *(m.end for m in mentions)})
    found: list[Json] = []
    open_ones: list[int] = []
    following = 0
    for start, end in pairwise(edges):
        while following < len(mentions) and mentions[following].start == start:
            open_ones.append(following)
            following += 1
        found.append(
            {
                "text": harmless(text[start:end]),
                "lanes": sorted({lanes[number] for number in open_ones}),
                "ends": [number + 1 for number in open_ones if mentions[number].end == end],
            }
        )
        open_ones = [number for number in open_ones if mentions[number].end > end]
    return found


def lanes_of(mentions: Sequence[Mention]) -> list[int]:
    """A lane, from 1, for each mention: no two that overlap share one, but for the last lane."""
    free_from = [0] * LANES
    lanes = []
    for mention in mentions:
        lane = next((n for n, end in enumerate(free_from) if end <= mention.start), LANES - 1)
        free_from[lane] = max(free_from[lane], mention.end)
        lanes.append(lane + 1)
    return lanes


def _told(mention: Mention, linking: TextLinking) -> Json:
    told = mention_object(mention, linking.graph)
    for each in (told, *told["candidates"]):
        each["link"] = bool(each["iri"]) and each["iri"].startswith(LINKS)
    return told
