"""Documents read from every format are the original texts; what can't be read is told, the rest read."""

import bz2
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.corpora import json_documents, read_documents
from infact.kg.corpora.corpus_files import CorpusFile, corpus_files
from infact.kg.corpora.documents import Document, Fields, RejectedDocument
from infact.kg.corpora.json_documents import json_documents as read_json
from infact.kg.corpora.pubtator_documents import pubtator_documents

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def read(path: Path, fields: Fields | None = None) -> list[tuple[str, str]]:
    """(id, text) of documents, ("rejected at …", reason) of the others."""
    found = []
    for file in corpus_files([str(path)]):
        assert isinstance(file, CorpusFile)
        for item in read_documents.read_documents(file, fields or Fields()):
            if isinstance(item, Document):
                found.append((item.name, item.text))
            else:
                found.append(
                    (f"rejected at {item.place.replace(str(path), path.name)}", item.reason)
                )
    return found


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(data)
    return sink.getvalue().to_pybytes()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard,
}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_line_ends_and_marks_of_a_text_are_kept(tmp_path: Path, suffix: str) -> None:
    text = "\ufeffone\r\ntwo\rthree\n\n\u2028 \U0001f9ec\u0301 end"
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(COMPRESS[suffix](text.encode()))
    assert read(path) == [(f"a.txt{suffix}", text)]


@pytest.mark.parametrize("suffix", COMPRESS)
def test_json_lines_compressed_or_not(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(COMPRESS[suffix](b'{"id": 1, "text": "gout"}\r\n\n{"text": ""}'))
    assert read(path) == [("1", "gout"), (f"{path}:3", "")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"caf\xe9", "it is not UTF-8: byte 3 is 0xe9"),
        (b"\xff\xfeg\0o\0", "it is not UTF-8: byte 0 is 0xff"),
        (b"gout\0", "it is binary: byte 4 is zero"),
    ],
)
def test_a_binary_file_is_rejected_and_the_next_is_read(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "b.txt").write_bytes(b"")
    assert read(tmp_path) == [(f"rejected at {tmp_path.name}/a.txt", reason), ("b.txt", "")]


@settings(deadline=None)
@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=5), ascii_only=st.booleans())
def test_json_lines_give_back_what_was_written(
    rows: list[tuple[str, str]], ascii_only: bool
) -> None:
    lines = [json.dumps({"n": n, "t": t}, ensure_ascii=ascii_only) for n, t in rows]
    file = io.BytesIO("\n".join(lines).encode())
    found = list(read_json(file, "f", Fields("t", "n")))
    assert found == [Document(n, t, f"f:{place}") for place, (n, t) in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"text": "a"', "this isn't JSON"),
        (b"[1]", "no object"),
        (b'{"title": "a", "body": "b"}', "there is no 'text'; it has title, body"),
        (b'{"text": 3}', "'text' is no text but a number"),
        (b'{"text": null}', "'text' is no text but null"),
        (b'{"text": "a", "id": [1]}', "'id' is no text but a list"),
        (b'{"text": "a", "id": true}', "'id' is no text but true or false"),
        (b'{"text": "a", "text": "b"}', "given twice"),
        (b'{"text": "\\ud800"}', "half of a surrogate pair"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_line_is_rejected_and_the_rest_goes_on(line: bytes, words: str) -> None:
    file = io.BytesIO(b'\xef\xbb\xbf{"text": "a"}\n' + line + b'\n{"text": "\\ud83d\\ude00"}\n')
    first, bad, last = read_json(file, "f", Fields())
    assert (first, last) == (Document("f:1", "a", "f:1"), Document("f:3", "😀", "f:3"))
    assert isinstance(bad, RejectedDocument)
    assert bad.place == "f:2"
    assert words in bad.reason


def test_a_line_over_the_limit_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (json_documents, __import__("infact.kg.corpora.documents", fromlist=["x"])):
        monkeypatch.setattr(module, "MAX_DOCUMENT", 100)
    file = io.BytesIO(b'{"text": "%s"}\n{"text": "a"}' % (b"a" * 200))
    first, second = read_json(file, "f", Fields())
    assert first == RejectedDocument("f:1", "it is longer than 100 bytes")
    assert second == Document("f:2", "a", "f:2")


def test_a_file_that_breaks_off_is_rejected_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    lines = b"".join(b'{"text": "%s"}\n' % os.urandom(50_000).hex().encode() for _ in range(60))
    whole = gzip.compress(lines)
    path.write_bytes(whole[: len(whole) // 2])
    found = read(path)
    assert len(found) > 5
    assert [name for name, _ in found if name.startswith("rejected")] == ["rejected at a.jsonl.gz"]
    assert "can't be decompressed" in found[-1][1]


@settings(deadline=None)
@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_parquet_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    names, texts = [[row[place] for row in rows] for place in (0, 1)]
    columns = {"n": pa.array(names, pa.string()), "t": pa.array(texts, pa.large_string())}
    pq.write_table(pa.table({"other": [0] * len(rows), **columns}), path)
    assert read(path, Fields("t", "n")) == rows


def test_rows_that_hold_no_text_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    raw = pa.array([b"gout", b"\xff", None, b"ok"], pa.binary())
    broken = pa.StringArray.from_buffers(4, *raw.buffers()[1:], raw.buffers()[0])
    pq.write_table(pa.table({"text": broken, "id": [1, 2, 3, None]}), path)
    assert read(path) == [
        ("1", "gout"),
        ("rejected at a.parquet:2", "it is not UTF-8: byte 0"),
        ("rejected at a.parquet:3", "'text' is no text but null"),
        (f"{path}:4", "ok"),
    ]
    pq.write_table(pa.table({"text": raw}), path)
    assert [reason for _, reason in read(path)] == [
        "gout",
        "it is not UTF-8: byte 0 is 0xff",
        "'text' is no text but null",
        "ok",
    ]


def test_parquet_that_is_none_or_has_other_columns_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "b.parquet")
    (first, reason), second = read(tmp_path)
    assert first.endswith("a.parquet")
    assert "as Parquet" in reason
    assert second[1] == "there is no column 'text'; it has body"


PUBTATOR = """\
1|t|Gout.
1|a|A case of podagra.
1\t0\t4\tGout\tDisease\tD1

2|t|Only a title
3|t|No blank | line before
3|a|
a stray line

4|a|no title

5|t|Last
6|a|of another
5\t0\t4\tLast
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_pubtator(end: str) -> None:
    file = io.BytesIO(PUBTATOR.replace("\n", end).encode())
    assert list(pubtator_documents(file, "p")) == [
        Document("1", "Gout.\nA case of podagra.", "p:1"),
        Document("2", "Only a title", "p:5"),
        RejectedDocument("p:6", "line 8: neither id|t|title, id|a|abstract nor an annotation"),
        RejectedDocument("p:10", "line 10: the document doesn't begin with id|t|title"),
        RejectedDocument("p:12", "line 13: the id is '6', and above it was '5'"),
    ]
