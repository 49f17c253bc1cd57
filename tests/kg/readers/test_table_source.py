import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source, TripleTemplate
from infact.kg.readers.table_source import table_statements
from infact.kg.statements import LiteralTerm, Rejected, Statement

EX = "http://e.org/"
PREFIXES = Prefixes({"ex": EX})
STRING = "http://www.w3.org/2001/XMLSchema#string"


def read(
    path: Path, content: str, *templates: TripleTemplate, comment: str = ""
) -> list[Statement | Rejected]:
    path.write_bytes(content.encode())
    source = Source(path, path.name, comment=comment, triples=templates)
    return list(table_statements(source, PREFIXES))


def test_templates_conditions_comments_and_counts(tmp_path: Path) -> None:
    table = "#made by hand\n#today\nid\tname\tkind\tnot\nex:1\tOne\tP\t\n1\tOne\tP\t\nex:1\t one \tI\t\nex:2\tTwo\tP\tNOT\nex:1\tOne\tP\t\n"
    found = read(
        tmp_path / "a.tsv",
        table,
        TripleTemplate(
            "{id}", "ex:of", object="ex:k{kind}_x", where={"kind": "P"}, where_not={"not": ("NOT",)}
        ),
        TripleTemplate(
            "{id}", "rdfs:label", literal="<{name}>", language="EN", where={"kind": ("P", "I")}
        ),
        comment="#",
    )
    rejected = [item for item in found if isinstance(item, Rejected)]
    assert [(item.line, item.text) for item in rejected] == [(5, "1\tOne\tP\t")] * 2
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    lang = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
    assert [item for item in found if isinstance(item, Statement)] == [
        Statement(EX + "1", EX + "of", EX + "kP_x", 4, 2),
        Statement(EX + "1", label, LiteralTerm("<One>", lang, "en"), 4, 2),
        Statement(EX + "1", label, LiteralTerm("<one>", lang, "en"), 6, 1),
        Statement(EX + "2", label, LiteralTerm("<Two>", lang, "en"), 7, 1),
    ]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("ex:1", "cells"),
        ("ex:1,a,b", "cells"),
        ("ex:1,", "empty"),
        (" ,a", "empty"),
        ("no:1,a", "no"),
        ("ex:a b,a", "IRI"),
        ('"ex:1,a', "end of data"),
        ('"ex:1"x,a', "expected"),
    ],
)
def test_bad_rows_are_rejected_with_line_and_reason(tmp_path: Path, row: str, word: str) -> None:
    found = read(
        tmp_path / "a.csv",
        f"id,name\nex:0,zero\n\n{row}\n",
        TripleTemplate("{id}", "rdfs:label", literal="{name}"),
    )
    (rejected,) = (item for item in found if isinstance(item, Rejected))
    assert rejected.line == 4
    assert word in rejected.reason
    assert sum(isinstance(item, Statement) for item in found) == 1


def test_csv_quotes_and_tsv_does_not(tmp_path: Path) -> None:
    template = TripleTemplate("{id}", "rdfs:label", literal="{name}")
    quoted = read(tmp_path / "a.csv", '\ufeffid,name\nex:1,"a, ""b""\nc"\nex:2,d\n', template)
    assert [(item[2].value, item.line) for item in quoted] == [('a, "b"\nc', 2), ("d", 4)]  # type: ignore[union-attr]
    plain = read(tmp_path / "a.tsv", 'id\tname\nex:1\t"a\nex:2\tb\n', template)
    assert [item[2].value for item in plain] == ['"a', "b"]  # type: ignore[union-attr]


@pytest.mark.parametrize("column", ["nmae", "where"])
def test_a_missing_column_names_the_nearest_and_all(tmp_path: Path, column: str) -> None:
    with pytest.raises(UserError) as raised:
        read(
            tmp_path / "a.csv",
            "id,name\nex:1,a\n",
            TripleTemplate("{id}", "rdfs:label", literal="{name}", where={column: "x"}),
        )
    assert column in raised.value.what
    assert raised.value.where == "a.csv"
    assert "its columns are id, name" in raised.value.fix
    assert ("did you mean 'name'" in raised.value.fix) == (column == "nmae")


@pytest.mark.parametrize(
    ("template", "content"),
    [
        (TripleTemplate("{id}", "rdfs:label"), "id\n"),
        (TripleTemplate("{id}", "rdfs:label", object="a", literal="b"), "id\n"),
        (TripleTemplate("ex:1", "rdfs:label", literal="b"), "id\n"),
        (TripleTemplate("{id}", "rdfs:label", literal="b", language="no such"), "id\n"),
        (TripleTemplate("{id}", "rdfs:label", literal="b", datatype="nope:x"), "id\n"),
        (TripleTemplate("{id}", "rdfs:label", literal="b"), ""),
    ],
)
def test_mistakes_in_templates(tmp_path: Path, template: TripleTemplate, content: str) -> None:
    with pytest.raises(UserError):
        read(tmp_path / "a.csv", content, template)


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["1", "2", "", "é"]), cells, st.sampled_from("PIC")), max_size=30
    )
)
def test_same_as_a_plain_loop(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("id", "name", "kind"), *rows])
    template = TripleTemplate("ex:{id}", "rdfs:label", literal="{name}", where={"kind": ("P", "I")})
    kinds = TripleTemplate("ex:{id}", "ex:kind", object="ex:{kind}")
    found = read(tmp_path_factory.mktemp("csv") / "a.csv", text.getvalue(), template, kinds)

    expected: dict[tuple[str, str, str], list[int]] = {}
    rejected = []
    for line, (number, name, kind) in enumerate(rows, start=2):
        if kind in "PI":
            if number and name.strip():
                expected.setdefault((EX + number, "label", name.strip()), []).append(line)
            else:
                rejected.append(line)
        if number:
            expected.setdefault((EX + number, "kind", EX + kind), []).append(line)
        else:
            rejected.append(line)
    got = {
        (
            item.subject,
            item.predicate.split("/")[-1].split("#")[-1],
            item.object if isinstance(item.object, str) else item.object.value,
        ): (item.line, item.times)
        for item in found
        if isinstance(item, Statement)
    }
    assert got == {key: (lines[0], len(lines)) for key, lines in expected.items()}
    assert [item.line for item in found if isinstance(item, Rejected)] == rejected
