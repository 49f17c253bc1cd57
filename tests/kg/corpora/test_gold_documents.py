"""Gold files in three formats: what is read, what is refused, and that offsets are the annotator's."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.corpora.gold_blocks import read_blocks
from infact.kg.corpora.gold_documents import GoldFile, gold_error, read_gold_file
from infact.kg.corpora.gold_entries import Faults, Line, WrittenMention, checked_mention
from infact.kg.corpora.gold_pubtator import read_pubtator
from infact.kg.readers import sources
from infact.kg.readers.json_lines import LineError

BLOCKS = """7
Long 😀 fingers and a goitre.
7\t14\tfingers\tHP:1
21\t27\tgoitre\t-
21\t27\tgoitre

8

"""
PUBTATOR = """7|t|Long 😀 fingers.
7|a|And a goitre.
7\t7\t14\tfingers\tPhenotype\tHP:1|HP:2
7\t22\t28\tgoitre\tPhenotype\t-1
7\tCID\tHP:1\tHP:2

9|t|Only a title
"""


def read(tmp_path: Path, text: str | bytes, name: str = "gold.tsv") -> GoldFile:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_gold_file(path, name)


def surfaces(gold: GoldFile) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (document.id, document.text[mention.start : mention.end], mention.ids)
        for document in gold.documents
        for mention in document.mentions
    ]


def test_blocks_are_read(tmp_path):
    gold = read(tmp_path, BLOCKS)
    assert not gold.faults
    assert surfaces(gold) == [("7", "fingers", ("HP:1",)), ("7", "goitre", ())]
    assert gold.repeated == 1  # with "-" and without: NIL both times
    assert [(document.id, document.text) for document in gold.documents][1] == ("8", "")
    assert [mention.line for mention in gold.documents[0].mentions] == [3, 4]


def test_pubtator_is_read(tmp_path):
    gold = read(tmp_path, PUBTATOR)
    assert not gold.faults
    assert gold.documents[0].text == "Long 😀 fingers.\nAnd a goitre."
    assert surfaces(gold) == [("7", "fingers", ("HP:1|HP:2",)), ("7", "goitre", ())]
    assert gold.passed_over == 1
    assert gold.documents[1].text == "Only a title"


def test_json_lines_are_read(tmp_path):
    lines = [
        {
            "id": "7",
            "text": "Long 😀 fingers and\na goitre.",
            "mentions": [
                {"start": 7, "end": 14, "surface": "fingers", "id": "HP:1", "mine": True},
                {"start": 21, "end": 27, "ids": ["HP:2", "HP:3"]},
                {"start": 0, "end": 4, "id": None},
            ],
        },
        {"id": 8, "text": "", "mentions": []},
    ]
    gold = read(tmp_path, "\n\n".join(map(json.dumps, lines)) + "\n", "gold.jsonl")
    assert not gold.faults
    assert surfaces(gold) == [
        ("7", "fingers", ("HP:1",)),
        ("7", "goitre", ("HP:2", "HP:3")),
        ("7", "Long", ()),
    ]
    assert gold.documents[1].id == "8"


def test_windows_line_ends_mark_and_compression_change_nothing(tmp_path):
    plain = read(tmp_path, BLOCKS)
    windows = read(tmp_path, ("\ufeff" + BLOCKS.replace("\n", "\r\n")).encode())
    assert windows.documents == plain.documents
    assert read(tmp_path, gzip.compress(BLOCKS.encode()), "gold.gz").documents == plain.documents
    pubtator = read(tmp_path, PUBTATOR.replace("\n", "\r\n"))
    assert pubtator.documents == read(tmp_path, PUBTATOR).documents


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("7\nabc\n1\t9\tbc\tX:1\n", 3, "reach outside the text, which has 3 characters"),
        ("7\nabc\n2\t1\t\tX:1\n", 3, "are no span"),
        ("7\nabc\n1\t1\t\tX:1\n", 3, "are no span"),
        (
            "7\nabc abd\n0\t3\tabd\tX:1\n",
            3,
            "'abd', but the text has 'abc' at 0 to 3; it stands at 4",
        ),
        ("7\nabc\n-1\t1\ta\tX:1\n", 3, "'-1' is no offset"),
        ("7\nabc\n0\t٣\tabc\tX:1\n", 3, "is no offset"),
        ("7\nabc\n0\t3\n", 3, "has 2 cells"),
        ("7\nabc\n0\t3\tabc\tX:1\tX:2\n", 3, "has 5 cells"),
        ("7\nabc\n\n0\t3\tabc\tX:1\n", 4, "a block begins with a mention"),
        ("7\nabc\n\n7\nabd\n", 4, "'7' is already on line 1"),
        ("7|t|abc\n8\t0\t3\tabc\tD\tX:1\n", 2, "the document 7 stands above it"),
        ("7|t|abc\n7\t0\t3\tabc\n", 2, "has 4 cells"),
        ("7|t|abc\n7\t0x\t3\tabc\tD\tX:1\n", 2, "'0x' is no offset"),
        ("7|t|abc\n7|a|d\n7|a|e\n", 3, "two abstracts"),
        ('{"id": "7"}', 1, '"text" is missing'),
        ('{"id": "7", "text": "abc"}', 1, '"mentions" is missing'),
        ('{"id": "7", "text": "abc", "mentions": [{"start": "0", "end": 3}]}', 1, "start"),
        ('{"id": "7", "text": "abc", "mentions": [{"start": 0, "end": 4}]}', 1, "reach outside"),
        ('{"id": "7", "text": "abc", "mentions": [{"start": true, "end": 4}]}', 1, "start"),
        ('{"id": "7", "text": "abc", "mentions": [}', 1, "isn't JSON"),
        ('[{"id": "7", "text": "abc", "mentions": []}]', 1, "the line is not an object"),
    ],
)
def test_a_faulty_line_is_told_with_its_place(tmp_path, text, line, words):
    ((place, problem),) = read(tmp_path, text).faults
    assert place.split(":")[:2] == ["gold.tsv", str(line)]
    assert words in problem


def test_what_is_right_is_read_beside_what_is_faulty(tmp_path):
    gold = read(tmp_path, "7\nabc\n0\t9\tabc\tX:1\n0\t3\tabc\tX:1\n\n8\nabc\n1\t2\tb\tX:2\n")
    assert surfaces(gold) == [("7", "abc", ("X:1",)), ("8", "b", ("X:2",))]
    assert len(gold.faults) == 1


def test_faults_are_told_at_most_twenty_with_their_count(tmp_path):
    rows = "".join(f"{n}\t{n + 9}\tabc\tX:1\n" for n in range(30))
    error = gold_error(read(tmp_path, "7\nabc\n" + rows), [])
    assert error.what == "30 lines are faulty"
    assert error.where.count("gold.tsv:") == 20
    assert error.where.endswith("and 10 more")


@pytest.mark.parametrize("text", ["", "\n \n\n"])
def test_an_empty_file_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="no document"):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(UserError, match="not UTF-8") as caught:
        read(tmp_path, b"7\nabc\xff\n")
    assert caught.value.where == "gold.tsv:2"
    with pytest.raises(UserError, match="no such file"):
        read_gold_file(tmp_path / "absent.tsv", "absent.tsv")
    with pytest.raises(UserError, match="this is a folder"):
        read_gold_file(tmp_path, "gold")


def test_overlong_lines_and_files_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("infact.kg.corpora.gold_documents.MAX_TEXT", 100)
    ((place, problem),) = read(tmp_path, "7\nabc\n\n8\n" + "x" * 300 + "\n").faults
    assert place == "gold.tsv:5"
    assert "longer than" in problem
    monkeypatch.setattr("infact.kg.corpora.gold_documents.MAX_GOLD", 200)
    with pytest.raises(UserError, match="held in memory"):
        read(tmp_path, "7\n" + "x" * 90 + "\n\n8\n" + "x" * 90 + "\n\n9\n" + "x" * 90)
    assert sources.MAX_TEXT > 1000  # the limits above were this test's


# Any characters but those that end a line or part cells; a text that doesn't look like another format.
CHARACTERS = st.characters(exclude_characters="\n\r\t|{", exclude_categories=["Cs"])


@st.composite
def annotated(draw):
    """Documents of (text, [(start, end, id)]) with non-empty texts."""
    texts = draw(st.lists(st.text(CHARACTERS, min_size=1, max_size=40), min_size=1, max_size=4))
    documents = []
    for text in texts:
        spans = draw(
            st.lists(
                st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(
                    lambda span: span[0] < span[1]
                ),
                max_size=4,
                unique=True,
            )
        )
        documents.append((text, [(*span, f"X:{n}") for n, span in enumerate(spans)]))
    return documents


def as_blocks(documents):
    for number, (text, spans) in enumerate(documents):
        yield f"document {number}"
        yield text
        for start, end, id in spans:
            yield f"{start}\t{end}\t{text[start:end]}\t{id}"
        yield ""


def as_pubtator(documents):
    for number, (text, spans) in enumerate(documents):
        yield f"{number}|t|{text[:5]}"
        yield f"{number}|a|{text[5:]}"
        for start, end, id in spans:
            # The separator counts one character.
            first, last = (at + (at >= 5) for at in (start, end - 1))
            joined = f"{text[:5]}\n{text[5:]}"
            surface = joined[first : last + 1]
            if "\n" not in surface:
                yield f"{number}\t{first}\t{last + 1}\t{surface}\tT\t{id}"


def as_lines(texts):
    return [Line(number, text) for number, text in enumerate(texts, 1)]


@given(annotated())
def test_what_is_written_in_blocks_is_read_again(documents):
    faults = Faults()
    found = list(read_blocks(as_lines(as_blocks(documents)), faults))
    assert not faults.found
    assert [document.text for document in found] == [text for text, _ in documents]
    for document, (_, spans) in zip(found, documents, strict=True):
        assert [(m.start, m.end, *m.ids) for m in document.mentions] == spans


@given(annotated())
def test_offsets_in_pubtator_count_the_separator(documents):
    faults = Faults()
    found = list(read_pubtator(as_lines(as_pubtator(documents)), faults))
    assert not faults.found
    for document, (text, spans) in zip(found, documents, strict=True):
        ids = {id: text[start:end] for start, end, id in spans}
        for mention in document.mentions:
            assert document.text[mention.start : mention.end] == ids[mention.ids[0]]


@given(
    st.text(max_size=12),
    st.integers(-3, 15),
    st.integers(-3, 15),
    st.one_of(st.none(), st.text(max_size=3)),
)
def test_a_mention_is_accepted_only_where_it_stands(text, start, end, surface):
    written = WrittenMention(start, end, surface, ["X:1"], 1)
    stands = 0 <= start < end <= len(text) and surface in (None, text[start:end])
    if stands:
        assert checked_mention(written, text).end == end
    else:
        with pytest.raises(LineError):
            checked_mention(written, text)
