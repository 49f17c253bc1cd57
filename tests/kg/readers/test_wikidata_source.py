"""Wikidata's dump to statements: the golden mapping, every line accounted for, no crash."""

import gzip
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg import vocabulary as v
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source, source_format
from infact.kg.readers.wikidata_source import wikidata_statements
from infact.kg.statements import LiteralTerm, Rejected, Statement

from ..test_ingest import balanced

WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"


def snak(name: str, datatype: str, kind: str, value: Any) -> dict[str, Any]:
    return {
        "snaktype": "value",
        "property": name,
        "hash": "ad7d38a03cdd40cdc373de0dc4e7b7fcbccb31d9",
        "datavalue": {"value": value, "type": kind},
        "datatype": datatype,
    }


def item_snak(name: str, number: int) -> dict[str, Any]:
    value = {"entity-type": "item", "numeric-id": number, "id": f"Q{number}"}
    return snak(name, "wikibase-item", "wikibase-entityid", value)


def claim(
    mainsnak: dict[str, Any], rank: str = "normal", qualifiers: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "mainsnak": mainsnak,
        "type": "statement",
        "qualifiers": qualifiers or {},
        "id": "Q42$F078E5B3-F9A8-480E-B7AC-D97778CBBEF9",
        "rank": rank,
        "references": [{"hash": "x", "snaks": {"P248": [item_snak("P248", 5375741)]}}],
    }


def terms(**texts: str) -> dict[str, Any]:
    tags = {language.replace("_", "-"): text for language, text in texts.items()}
    return {tag: {"language": tag, "value": text} for tag, text in tags.items()}


ADAMS: dict[str, Any] = {
    "type": "item",
    "id": "Q42",
    "labels": terms(en="Douglas Adams", zh_classical="道格拉斯·亞當斯", en_gb="D. Adams"),
    "descriptions": terms(en="English author 🚀"),
    "aliases": {"en": [{"language": "en", "value": "Douglas Noel Adams"}]},
    "claims": {
        "P31": [claim(item_snak("P31", 5))],
        "P69": [
            claim(item_snak("P69", 691283), "preferred", {"P582": []}),
            claim(item_snak("P69", 4961791)),
            claim(item_snak("P69", 5), "deprecated"),
        ],
        "P40": [claim({"snaktype": "novalue", "property": "P40", "datatype": "wikibase-item"})],
        "P22": [claim({"snaktype": "somevalue", "property": "P22", "datatype": "wikibase-item"})],
        "P214": [claim(snak("P214", "external-id", "string", "113230702"))],
    },
    "sitelinks": {"enwiki": {"site": "enwiki", "title": "Douglas Adams", "badges": []}},
    "lastrevid": 1,
}
INSTANCE_OF: dict[str, Any] = {
    "type": "property",
    "datatype": "wikibase-item",
    "id": "P31",
    "labels": terms(en="instance of"),
    "descriptions": [],  # as PHP writes an empty object
    "aliases": {"en": [{"language": "en", "value": "is a"}]},
    "claims": [],
}
LEXEME = {"type": "lexeme", "id": "L1", "lemmas": terms(en="x")}


def write(path: Path, text: str) -> Source:
    path.write_text(text, encoding="utf-8")
    return Source(path, path.name)


def dump(*entities: Any) -> str:
    return "[\n" + ",\n".join(json.dumps(entity) for entity in entities) + "\n]\n"


def said(text: str, language: str) -> LiteralTerm:
    return LiteralTerm(text, v.RDF_LANG_STRING, language)


def test_an_item_is_mapped_as_wikidatas_truthy_statements(tmp_path: Path) -> None:
    found = list(wikidata_statements(write(tmp_path / "d.json", dump(ADAMS))))
    subject = WD + "Q42"
    assert [item for item in found if isinstance(item, Statement)] == [
        Statement(subject, v.RDFS_LABEL, said("Douglas Adams", "en"), 2),
        Statement(subject, v.RDFS_LABEL, said("道格拉斯·亞當斯", "lzh"), 2),
        Statement(subject, v.RDFS_LABEL, said("D. Adams", "en-gb"), 2),
        Statement(subject, v.SKOS + "altLabel", said("Douglas Noel Adams", "en"), 2),
        Statement(subject, "http://schema.org/description", said("English author 🚀", "en"), 2),
        Statement(subject, WDT + "P31", WD + "Q5", 2),
        Statement(subject, v.RDF_TYPE, WD + "Q5", 2),
        Statement(subject, WDT + "P69", WD + "Q691283", 2),
        Statement(subject, WDT + "P214", LiteralTerm("113230702", v.XSD_STRING, ""), 2),
    ]
    assert [item.reason for item in found if isinstance(item, Rejected)] == [
        "a claim of preferred rank stands beside it",
        "deprecated rank",
        "there is no value (novalue)",
        "the value is unknown (somevalue)",
    ]


def test_the_normal_claims_are_left_out_where_the_preferred_one_has_no_value(
    tmp_path: Path,
) -> None:
    unknown = {"snaktype": "somevalue", "property": "P69", "datatype": "wikibase-item"}
    claims = {"P69": [claim(item_snak("P69", 1)), claim(unknown, "preferred")]}
    entity = {"type": "item", "id": "Q1", "claims": claims}
    found = list(wikidata_statements(write(tmp_path / "d.json", dump(entity))))
    assert [type(item) for item in found] == [Rejected, Rejected]


def test_a_propertys_label_names_its_direct_predicate_too(tmp_path: Path) -> None:
    source = write(tmp_path / "d.json", dump(INSTANCE_OF, ADAMS))
    label = said("instance of", "en")
    assert [item for item in wikidata_statements(source) if item[1:3] == (v.RDFS_LABEL, label)] == [
        Statement(WD + "P31", v.RDFS_LABEL, label, 2),
        Statement(WDT + "P31", v.RDFS_LABEL, label, 2),
    ]
    ingest([source], tmp_path / "graph")
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert "instance of" in {relation.label for relation in graph.relations}
    assert balanced(json.loads((tmp_path / "graph" / "sources.json").read_text()))


def test_faulty_lines_are_rejected_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infact.kg.readers.wikidata_source.MAX_LINE", 2000)
    good = json.dumps(INSTANCE_OF)
    lines = [
        "[",
        '{"type": "item",,',
        "12,",
        json.dumps(LEXEME) + ",",
        '{"type": "item", "id": "P1"},',
        '{"type": "item", "id": "Q1", "labels": []},',
        '{"type": "item", "id": "Q1", "labels": {"en": {"language": "en", "value": "\\ud83d"}}},',
        "[" * 1900,
        '"' + "x" * 3000 + '"',
        "",
        good + ",",
        "]",
    ]
    found = list(wikidata_statements(write(tmp_path / "d.json", "\n".join(lines))))
    told = {item.line: item.reason for item in found if isinstance(item, Rejected)}
    assert told == {
        2: "not an entity in JSON: Expecting property name enclosed in double quotes",
        3: "not an entity in JSON: it is no object",
        4: "items and properties are read, and this is of type 'lexeme'",
        5: "this is no id of an entity of type 'item'",
        6: "nothing is said of the entity",
        7: told[7],
        8: told[8],
        9: "the line is longer than 2,000 bytes",
    }
    assert "surrogates not allowed" in told[7]
    assert [item.line for item in found if isinstance(item, Statement)] == [11, 11, 11]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"labels": 5}, "labels: 'language' is missing, or not what it should be"),
        ({"labels": {"en": "x"}}, "labels: 'language' is missing, or not what it should be"),
        (
            {"labels": terms(**{"no tag": "x"})},
            "labels: 'no tag' is no language tag",
        ),
        ({"claims": {"X1": []}}, "these are no claims of a property"),
        ({"claims": {"P1": [5]}}, "the claim has no rank"),
        ({"claims": {"P1": [{"rank": "normal"}]}}, "'mainsnak' is missing, or not what it"),
        ({"claims": {"P1": [claim({"snaktype": "value"})]}}, "'datavalue' is missing"),
        (
            {"claims": {"P1": [claim(snak("P1", "string", "string", 5))]}},
            "'value' is missing, or not what it should be",
        ),
        (
            {"claims": {"P1": [claim(snak("P1", "new", "novelty", {}))]}},
            "values of type 'novelty' are not read",
        ),
    ],
)
def test_a_faulty_part_is_rejected_alone(tmp_path: Path, part: Any, reason: str) -> None:
    entity = {"type": "item", "id": "Q1", "descriptions": terms(en="x"), **part}
    found = list(wikidata_statements(write(tmp_path / "d.json", dump(entity))))
    rejected = [item for item in found if isinstance(item, Rejected)]
    assert [item.line for item in found] == [2, 2]
    assert len(rejected) == 1
    assert reason in rejected[0].reason


def test_the_content_tells_a_dump_in_its_shapes_compressed_or_not(tmp_path: Path) -> None:
    lines = "\n".join(map(json.dumps, (ADAMS, INSTANCE_OF)))
    one_line = json.dumps([ADAMS])
    shapes = {
        "a.json": dump(ADAMS, INSTANCE_OF),
        "b.jsonl": lines,
        "c.json": one_line,
        "d": "\ufeff" + lines,
    }
    for name, text in shapes.items():
        source = write(tmp_path / name, text)
        assert source_format(source) == "wikidata", name
        assert not any(
            "JSON" in item.reason
            for item in wikidata_statements(source)
            if isinstance(item, Rejected)
        ), name
    packed = tmp_path / "latest-all.json.gz"
    packed.write_bytes(gzip.compress(shapes["a.json"].encode()))
    assert source_format(Source(packed, "p")) == "wikidata"
    plain = list(wikidata_statements(Source(tmp_path / "a.json", "a")))
    assert list(wikidata_statements(Source(packed, "p"))) == plain


@pytest.mark.parametrize("text", ['{"type": "item"}', '{"id": "Q1", "type": "person"}', "[1]"])
def test_other_json_is_not_taken_for_wikidata(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="the format 'json' is not known"):
        source_format(write(tmp_path / "x.json", text))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["en", "value", "+1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["language", "value", "mainsnak", "rank", "en", "P31", "datavalue"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
SPOILT = st.fixed_dictionaries(
    {"type": st.sampled_from(["item", "property"]) | JSON, "id": st.sampled_from(["Q1", "P1"])},
    optional={"labels": JSON, "aliases": JSON, "descriptions": JSON, "claims": JSON},
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(SPOILT.map(json.dumps), JSON.map(json.dumps), st.text('[]{},"1 ', max_size=5))
    )
)
def test_every_line_gives_a_statement_or_a_rejection(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("wikidata") / "d.json"
    content = "\n".join(lines).encode()
    path.write_bytes(content)
    told = {item.line for item in wikidata_statements(Source(path, "d"))}
    numbered = enumerate(content.split(b"\n"), 1)
    brackets = (b"", b"[", b"]", b",")
    assert told == {n for n, line in numbered if line.strip() not in brackets}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3000))
def test_any_bytes_are_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int
) -> None:
    path = tmp_path_factory.mktemp("wikidata") / "d.json"
    whole = dump(ADAMS, INSTANCE_OF).encode()
    path.write_bytes(whole[:place] + content + whole[place + len(content) :])
    # They may begin as a compressed file does.
    with suppress(UserError):
        list(wikidata_statements(Source(path, "d")))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from('\n\x00|:<>é\u2028 \\"7')), max_size=4)
)
def test_a_spoilt_dumps_counts_balance(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, str]]
) -> None:
    letters = list(dump(ADAMS, INSTANCE_OF))
    for place, letter in spoilt:
        letters[place % len(letters)] = letter
    folder = tmp_path_factory.mktemp("spoilt")
    source = write(folder / "d.json", "".join(letters))
    try:
        ingest([replace(source, format="wikidata")], folder / "graph")
    except UserError:  # both lines are spoilt
        return
    assert balanced(json.loads((folder / "graph" / "sources.json").read_text()))
