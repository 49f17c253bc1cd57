"""The page and the terminal's line: every character of the text, every mention, nothing that steers."""

import base64
import hashlib
import io
import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.corpora.documents import Document
from infact.kg.linking.mentions import Candidate, Mention
from infact.kg.linking.text_linking import LinkerSettings, TextLinking
from infact.pipeline.console import Console, harmless
from infact.pipeline.linking import mentions_page
from infact.pipeline.linking.batches import batches
from infact.pipeline.linking.mentions_page import (
    FirstDocuments,
    lanes_of,
    pieces,
    render_page,
    write_page,
)
from infact.pipeline.linking.shown_text import marked, show_text
from rich.console import Console as Terminal

from ...linked_graph import IRI

HOSTILE = "<script>alert(1)</script> gout \x1b[31m \u202egout & 'x' \"y\""


@st.composite
def overlapping(draw: st.DrawFn) -> tuple[str, list[Mention]]:
    """A text with mentions anywhere, sorted as the linker sorts them."""
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
    spans = draw(
        st.sets(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=6)
    )
    real = sorted(((s, e) for s, e in spans if s < e), key=lambda span: (span[0], -span[1]))
    return text, [Mention(s, e, text[s:e], 0, (Candidate(0, 0.9, "n", "label"),)) for s, e in real]


@settings(deadline=None)
@given(drawn=overlapping())
def test_pieces_are_the_text_and_cover_each_mention(drawn: tuple[str, list[Mention]]) -> None:
    text, mentions = drawn
    found = pieces(text, mentions)
    assert "".join(piece["text"] for piece in found) == harmless(text)
    lanes = lanes_of(mentions)
    covered = dict.fromkeys(range(len(mentions)), "")
    place = 0
    edges = sorted({0, len(text), *(m.start for m in mentions), *(m.end for m in mentions)})
    for piece, end in zip(found, edges[1:], strict=True):
        over = [n for n, m in enumerate(mentions) if m.start <= place and end <= m.end]
        assert piece["lanes"] == sorted({lanes[n] for n in over})
        assert piece["ends"] == [n + 1 for n in over if mentions[n].end == end]
        for number in over:
            covered[number] += text[place:end]
        place = end
    assert list(covered.values()) == [mention.surface for mention in mentions]


@settings(deadline=None)
@given(drawn=overlapping())
def test_mentions_that_overlap_have_lanes_of_their_own(drawn: tuple[str, list[Mention]]) -> None:
    _, mentions = drawn
    lanes = lanes_of(mentions)
    for one, first in enumerate(mentions):
        for other, second in enumerate(mentions[:one]):
            if first.start < second.end and lanes[one] == lanes[other]:
                assert lanes[one] == mentions_page.LANES


def page_of(linking: TextLinking, text: str) -> str:
    document = Document(HOSTILE, text, "<b>place</b>")
    return render_page([(document, linking.find(text))], linking, False, 1)


def test_nothing_from_a_text_is_markup(linking: TextLinking) -> None:
    page = page_of(linking, HOSTILE)
    assert "<script" not in page
    assert "<b>" not in page
    assert not re.search("[\x00-\x08\x1b\u202e]", page)
    assert " style=" not in page
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)"', page) == [IRI + "gout"] * 2
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert unescape(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    (style,) = re.findall("<style>(.*)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in unescape(policy)


def test_only_addresses_of_the_web_are_links(
    linking: TextLinking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking.graph, "iri", lambda entity: "javascript:alert(1)")
    page = page_of(linking, "gout")
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


def test_numbers_lead_from_words_to_candidates_and_back(linking: TextLinking) -> None:
    page = page_of(linking, "Mercury and gout")
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets
    assert {"d1m1", "d1w1", "d1m2", "d1w2"} <= targets
    assert "2 candidates" in page
    assert IRI + "metal" in page


def test_the_first_documents_up_to_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions_page, "MOST_DOCUMENTS", 3)
    monkeypatch.setattr(mentions_page, "MOST_CHARACTERS", 10)
    documents = [Document(str(n), "abcd", "") for n in range(9)]
    first = FirstDocuments()
    assert [b.number for b in first.watched(batches(documents))] == [0]
    assert [document.text for document in first.documents] == ["abcd", "abcd", "ab"]
    assert first.full
    assert [d.text for d in FirstDocuments(documents[:2]).documents] == ["abcd", "abcd"]


def test_a_page_is_written_whole(linking: TextLinking, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(path, linking, FirstDocuments([Document("a", "gout", "a")]), 5)
    assert "1 of 5 documents" in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


# The terminal's line.


def spans_of(text: str, *spans: tuple[int, int]) -> list[Mention]:
    return [Mention(s, e, text[s:e], None, ()) for s, e in spans]


@pytest.mark.parametrize(
    ("spans", "line"),
    [
        ((), "a b c"),
        (((0, 1),), "[a → NIL] b c"),
        (((0, 5), (2, 3)), "[a [b → NIL] c → NIL]"),
        (((0, 5), (0, 1)), "[[a → NIL] b c → NIL]"),
        (((0, 3), (2, 5)), "[a [b → NIL] c → NIL]"),
        (((4, 5),), "a b [c → NIL]"),
    ],
)
def test_mentions_stand_in_brackets(
    linking: TextLinking, spans: tuple[tuple[int, int], ...], line: str
) -> None:
    assert marked("a b c", spans_of("a b c", *spans), linking.graph).plain == line


@settings(deadline=None)
@given(drawn=overlapping())
def test_the_line_without_its_marks_is_the_text(
    linking: TextLinking, drawn: tuple[str, list[Mention]]
) -> None:
    text, mentions = drawn
    line = marked(text, mentions, linking.graph).plain
    mark = f" → {linking.graph.label(0)} {linking.graph.iri(0)}]"
    assert line.count(mark) >= len(mentions)
    assert line.count("[") >= len(mentions)
    assert not re.search("[\r\n\x1b\u202e]", line)
    plain = marked(text, [], linking.graph).plain
    assert "".join(line.replace(mark, "").split("[")) == "".join(plain.split("["))


def test_colour_only_where_there_is_a_terminal(linking: TextLinking) -> None:
    line = marked("gout", linking.find("gout"), linking.graph)
    coloured, plain = io.StringIO(), io.StringIO()
    Terminal(file=coloured, force_terminal=True, color_system="standard").print(line)
    Terminal(file=plain).print(line, soft_wrap=True)
    assert "\x1b[" in coloured.getvalue()
    assert plain.getvalue() == f"[gout → Gout {IRI}gout]\n"


def test_a_hostile_text_is_shown_harmless(
    graph_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    show_text(LinkerSettings(graph_folder), HOSTILE + "\nend", tmp_path / "p.html", Console())
    assert capsys.readouterr().out == (
        f"<script>alert(1)</script> [gout → Gout {IRI}gout] \\x1b[31m "
        f"\\u202e[gout → Gout {IRI}gout] & 'x' \"y\" end\n"
    )
    assert "<script" not in (tmp_path / "p.html").read_text(encoding="utf-8")
    with pytest.raises(UserError, match="no page can be written"):
        show_text(LinkerSettings(graph_folder), "x", tmp_path, Console())
