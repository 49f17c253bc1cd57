"""`infact link --text "…"`: one line with its mentions, in colour where there is a terminal."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console as Terminal
from rich.text import Text

from ...kg.corpora.documents import Document
from ...kg.corpora.mention_objects import mention_object
from ...kg.graph import KnowledgeGraph
from ...kg.linking.long_texts import mentions_in
from ...kg.linking.mentions import Mention
from ...kg.linking.text_linking import LinkerSettings
from ..console import Console, harmless
from .mentions_page import FirstDocuments, check_page, write_page
from .reranked_linking import open_reranked

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")  # of mentions within each other
NIL = "NIL"
LINE_ENDS = re.compile("[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")  # of str.splitlines


def show_text(
    settings: LinkerSettings,
    text: str,
    page: Path | None,
    console: Console,
    reranker: Path | None = None,
) -> None:
    """Link one text, print it, and write the page that was asked for.

    Raises:
        UserError: there is no graph, nothing to look for in it, or no place for the page.
    """
    if page is not None:
        check_page(page)
    linking = open_reranked(settings, reranker, 1, console)
    mentions = list(mentions_in(text, linking.find))
    console.result(
        {"text": text, "mentions": [mention_object(each, linking.graph) for each in mentions]}
    )
    if not console.json_wanted:
        terminal = Terminal(file=console.stream, highlight=False, markup=False, emoji=False)
        terminal.print(marked(text, mentions, linking.graph), soft_wrap=True)
    if page is not None:
        write_page(page, linking, FirstDocuments([Document("text", text, "text")]), 1)


def marked(text: str, mentions: Sequence[Mention], graph: KnowledgeGraph) -> Text:
    """The text on one line, each mention in brackets, and before the closing one its entity.

    Args:
        mentions: sorted by start, then the longer first.
    """
    shown = Text()
    open_ones: list[tuple[Mention, str]] = []
    place = following = 0
    while following < len(mentions) or open_ones:
        ends = [mention.end for mention, _ in open_ones]
        starts = [mentions[following].start] if following < len(mentions) else []
        edge = min(ends + starts)
        shown.append(_on_one_line(text[place:edge]), open_ones[-1][1] if open_ones else "")
        place = edge
        for mention, colour in reversed([each for each in open_ones if each[0].end == edge]):
            open_ones.remove((mention, colour))
            shown.append(f" → {_entity(mention, graph)}]", f"dim {colour}")
        while following < len(mentions) and mentions[following].start == edge:
            colour = COLOURS[len(open_ones) % len(COLOURS)]
            open_ones.append((mentions[following], colour))
            shown.append("[", f"dim {colour}")
            following += 1
    return shown.append(_on_one_line(text[place:]))


def _entity(mention: Mention, graph: KnowledgeGraph) -> str:
    if mention.entity is None:
        return NIL
    return _on_one_line(f"{graph.label(mention.entity)} {graph.iri(mention.entity)}")


def _on_one_line(text: str) -> str:
    return harmless(LINE_ENDS.sub(" ", text))
