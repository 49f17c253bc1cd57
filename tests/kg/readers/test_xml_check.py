"""XML in parts before it is parsed: no part ends within a comment, and none is cut in a tag."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.readers import xml_check
from infact.kg.readers.sources import Source

SOURCE = Source(Path("a.rdf"), "a.rdf")
ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
pieces = st.sampled_from(
    [*ENDS, *ENDS.values(), b"<!-->", b"<a>", b"</a>", b"<", b">", b"-", b"]", b"?", b"x\n"]
)


def opened(text: bytes) -> Iterator[tuple[int, int]]:
    """Octet by octet: where comments and the like begin and end (exclusive; past the text: never)."""
    at = 0
    while at < len(text):
        start = next((start for start in ENDS if text.startswith(start, at)), b"")
        if not start:
            at += 1
            continue
        end = at + len(start)
        while end <= len(text) and not text.startswith(ENDS[start], end):
            end += 1
        end += len(ENDS[start])
        yield at, end
        at = end


@given(st.lists(pieces, max_size=20).map(b"".join), st.integers(1, 9))
@example(b"<!--></a>-->", 5)
def test_no_part_ends_within_a_comment(text: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_check, "BLOCK", block)
        parts = list(xml_check.whole_tags(io.BytesIO(text), SOURCE))
    assert b"".join(parts) == text
    at = 0
    for part in parts[:-1]:
        at += len(part)
        assert not any(start < at < end for start, end in opened(text))


@pytest.mark.parametrize("start", ENDS)
def test_the_bound_on_a_comment(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_check, "MAX_TEXT", 100)
    monkeypatch.setattr(xml_check, "BLOCK", 10)
    rest = b"<a/>" * 50
    for length in (100, 102):
        text = start + b"x" * (length - len(start) - len(ENDS[start])) + ENDS[start]
        file = io.BytesIO(text + rest)
        if length > 100:
            with pytest.raises(UserError, match="longer"):
                list(xml_check.whole_tags(file, SOURCE))
        else:
            assert b"".join(xml_check.whole_tags(file, SOURCE)) == text + rest
