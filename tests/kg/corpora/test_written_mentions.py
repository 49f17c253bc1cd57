"""Mentions in every format: golden lines, and what other readers get back."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.corpora import docbin, written_mentions
from infact.kg.corpora.documents import Document, RejectedDocument
from infact.kg.corpora.pubtator_documents import pubtator_documents
from infact.kg.corpora.written_mentions import FORMATS, Linked
from infact.kg.linking.linked_columns import LINKED_SCHEMA
from infact.kg.linking.text_linking import TextLinking
from spacy.tokens import DocBin

from ...linked_graph import IRI

TEXTS = ("Gout (podagra)\nis no\tMercury.", "", "日本 and pseudo_gout \U0001f9ec gout")
JSONL = """\
{"document": "a", "source": "f:1", "characters": 29, "mentions": [\
{"start": 0, "end": 4, "surface": "Gout", "iri": "http://example.org/gout", "label": "Gout"}, \
{"start": 6, "end": 13, "surface": "podagra", "iri": "http://example.org/gout", "label": "Gout"}, \
{"start": 21, "end": 28, "surface": "Mercury", "iri": "http://example.org/mercury", "label": "Mercury"}]}
{"document": "b", "source": "f:2", "characters": 0, "mentions": []}
{"document": "c", "source": "f:3", "characters": 25, "mentions": [\
{"start": 0, "end": 2, "surface": "日本", "iri": "http://example.org/japan", "label": "日本"}, \
{"start": 14, "end": 18, "surface": "gout", "iri": "http://example.org/gout", "label": "Gout"}, \
{"start": 21, "end": 25, "surface": "gout", "iri": "http://example.org/gout", "label": "Gout"}]}
"""
PUBTATOR = """\
a|t|Gout (podagra)
a|a|is no Mercury.
a\t0\t4\tGout\tENTITY\thttp://example.org/gout
a\t6\t13\tpodagra\tENTITY\thttp://example.org/gout
a\t21\t28\tMercury\tENTITY\thttp://example.org/mercury

b|t|
b|a|

c|t|日本 and pseudo_gout \U0001f9ec gout
c|a|
c\t0\t2\t日本\tENTITY\thttp://example.org/japan
c\t14\t18\tgout\tENTITY\thttp://example.org/gout
c\t21\t25\tgout\tENTITY\thttp://example.org/gout

"""
SCORED = re.compile(r', "score": [0-9.]+, "candidates": \[[^]]*\]')


def linked(linking: TextLinking, texts: Sequence[str] = TEXTS) -> list[Linked]:
    documents = [
        Document(name, text, f"f:{place}")
        for place, (name, text) in enumerate(zip("abcdefghij", texts, strict=False), 1)
    ]
    return [(document, linking.find(document.text)) for document in documents]


def written(linking: TextLinking, format: str, folder: Path, batches: list[list[Linked]]) -> Path:
    """The finished file of some batches."""
    parts, lengths = folder / "parts", []
    with parts.open("wb") as file:
        for batch in batches:
            start = file.tell()
            assert FORMATS[format].write(batch, linking.graph, file) == []
            lengths.append(file.tell() - start)
    finished = folder / f"finished{FORMATS[format].suffix}"
    FORMATS[format].join(parts, lengths, finished)
    return finished


def test_json_lines(linking: TextLinking, tmp_path: Path) -> None:
    text = written(linking, "jsonl", tmp_path, [linked(linking)]).read_text(encoding="utf-8")
    assert SCORED.sub("", text) == JSONL
    mention = json.loads(text.splitlines()[0])["mentions"][2]
    assert [each["iri"] for each in mention["candidates"]] == [IRI + "mercury", IRI + "metal"]
    best = mention["candidates"][0]
    assert (best["score"], best["name"], best["kind"]) == (mention["score"], "Mercury", "label")


def test_pubtator(linking: TextLinking, tmp_path: Path) -> None:
    path = written(linking, "pubtator", tmp_path, [linked(linking)])
    assert path.read_text(encoding="utf-8") == PUBTATOR


def test_a_mention_without_an_entity_is_nil(linking: TextLinking) -> None:
    rows = linked(linking, ["all Mercury"])
    (document, mentions) = rows[0]
    (mention,) = mentions
    nil = [(document, [replace(mention, entity=None)])]
    for format, words in (
        ("jsonl", b'"iri": null, "label": null, "score": null, "candidates": [{'),
        ("pubtator", b"a\t4\t11\tMercury\tENTITY\t-\n"),
    ):
        file = io.BytesIO()
        FORMATS[format].write(nil, linking.graph, file)
        assert words in file.getvalue()


@settings(deadline=None)
@given(text=st.text(st.sampled_from("gout \n\r\t\u2028\x0b日本\U0001f9ec.Mercury"), max_size=60))
def test_offsets_hold_in_what_pubtators_reader_gets(linking: TextLinking, text: str) -> None:
    file = io.BytesIO()
    rows = linked(linking, [text])
    FORMATS["pubtator"].write(rows, linking.graph, file)
    file.seek(0)
    (document,) = pubtator_documents(file, "p")
    assert isinstance(document, Document)
    plain = document.text.ljust(len(text))
    for line in file.getvalue().decode().split("\n"):
        if line.count("\t") == 5:
            _, start, end, surface, _, _ = line.split("\t")
            assert " ".join(plain[int(start) : int(end)].split("\n")) == surface
    assert len(plain) == max(len(text), len(document.text))


@pytest.mark.parametrize("name", ["", "a|b", "a\tb", "a\u2028b"])
def test_an_id_that_pubtator_cannot_hold_is_rejected(linking: TextLinking, name: str) -> None:
    file = io.BytesIO()
    rejected = FORMATS["pubtator"].write([(Document(name, "x", "f:1"), [])], linking.graph, file)
    assert rejected == [RejectedDocument("f:1", f"the id {name!r} can't be written in PubTator")]
    assert file.getvalue() == b""


@pytest.mark.parametrize("rows", [1, 2, 8192])
def test_columns_are_those_of_the_objects(
    linking: TextLinking, tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written_mentions, "ROWS", rows)
    monkeypatch.setattr(written_mentions, "ROW_GROUP", rows)
    all_rows = linked(linking)
    path = written(linking, "parquet", tmp_path, [all_rows[:1], [], all_rows[1:]])
    graph = linking.graph

    def told(entity: int, score: float, **more: object) -> dict[str, object]:
        iri, label = graph.iri(entity), graph.label(entity)
        return {"entity": entity, "iri": iri, "label": label, "score": score, **more}

    expected = [
        {
            "document": document.name,
            "source": document.place,
            "start": mention.start,
            "end": mention.end,
            "surface": document.text[mention.start : mention.end],
            **told(mention.entity, mention.candidates[0].score),
            "candidates": [
                told(each.entity, each.score, name=each.name, kind=each.kind, near=each.near)
                for each in mention.candidates
            ],
        }
        for document, mentions in all_rows
        for mention in mentions
        if mention.entity is not None
    ]
    assert pq.read_table(path).equals(pa.Table.from_pylist(expected, schema=LINKED_SCHEMA))


def test_docbin_is_read_by_spacy(linking: TextLinking, tmp_path: Path) -> None:
    rows = linked(linking)
    path = written(linking, "spacy", tmp_path, [rows[:1], rows[1:]])
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    assert [doc.text for doc in docs] == list(TEXTS)
    spans = [[(span.text, span.kb_id_) for span in doc.spans["infact_linker"]] for doc in docs]
    assert spans[1] == []
    assert spans[2] == [
        ("日本", IRI + "japan"),
        ("pseudo_gout", IRI + "gout"),
        ("gout", IRI + "gout"),
    ]
    told = json.loads(docs[2].user_data["infact"])
    assert (told["document"], told["source"]) == ("c", "f:3")
    assert [mention["start"] for mention in told["mentions"]] == [0, 14, 21]


def test_a_text_too_long_for_a_doc_is_rejected(
    linking: TextLinking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docbin, "MAX_DOC", 10)
    (rejected,) = FORMATS["spacy"].write(linked(linking)[:1], linking.graph, io.BytesIO())
    assert "too long for a spaCy Doc" in rejected.reason
