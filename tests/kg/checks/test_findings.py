"""The table of findings, and profiles."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.checks.findings import (
    FINDING_SCHEMA,
    FINDINGS,
    LEVELS,
    by_rule,
    check_graph,
    counts,
    read_profile,
)
from infact.kg.checks.found import occurrences, places_of_equals
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
LINES = f"""<http://e/a> {LABEL} "one" .
<http://e/b> {LABEL} " two" .
<http://e/c> <http://e/knows> <http://e/d> .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("findings")
    (folder / "a.nt").write_text(LINES)
    ingest([Source(folder / "a.nt", "a.nt")], folder / "graph")
    return folder / "graph"


def test_ingest_writes_every_finding_with_its_place(graph):
    found = pq.read_table(graph / FINDINGS)
    assert found.schema.equals(FINDING_SCHEMA)
    rows = {(row["rule"], row["subject"], row["source"], row["line"]) for row in found.to_pylist()}
    assert rows == {
        ("label_whitespace", "http://e/b", "a.nt", 2),
        ("missing_label", "http://e/c", "a.nt", 3),
        *(
            ("missing_definition", f"http://e/{one}", "a.nt", line)
            for one, line in zip("abc", (1, 2, 3), strict=True)
        ),
    }
    padded = found.to_pylist()[0]
    assert (padded["level"], padded["entity"], padded["value"]) == ("ERROR", 1, " two")
    assert counts(found) == {"ERROR": 2, "WARN": 3, "INFO": 0}


def test_rules_are_told_worst_level_first(graph):
    told = [(level, rule, rows.num_rows) for level, rule, rows in by_rule(check_graph(graph))]
    assert told == [
        ("ERROR", "label_whitespace", 1),
        ("ERROR", "missing_label", 1),
        ("WARN", "missing_definition", 3),
    ]


def test_a_profile_changes_levels_and_leaves_rules_out(graph, tmp_path):
    profile = tmp_path / "profile.txt"
    profile.write_text("# ours\nINFO\tmissing_label\n\nERROR\tlabel_formatting  # tabs\n")
    asked = read_profile(profile)
    assert asked == {"missing_label": "INFO", "label_formatting": "ERROR"}
    assert counts(check_graph(graph, asked)) == {"ERROR": 0, "WARN": 0, "INFO": 1}
    assert check_graph(graph, {}).schema.equals(FINDING_SCHEMA)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ERROR\tmissing_lable\n", "there is no rule 'missing_lable'"),
        ("FATAL\tmissing_label\n", "the line isn't a level and a rule"),
        ("missing_label\n", "the line isn't a level and a rule"),
        ("INFO\tfile:own.rq\n", "there is no rule 'file:own.rq'"),
    ],
)
def test_a_faulty_profile_is_told_with_its_line(tmp_path, text, what):
    profile = tmp_path / "profile.txt"
    profile.write_text(f"WARN\tmissing_label\n{text}")
    with pytest.raises(UserError) as error:
        read_profile(profile)
    assert error.value.what == what
    assert error.value.where.startswith(f"{profile}:2")


def test_an_absent_or_binary_profile_is_told(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("absent", "binary"):
        with pytest.raises(UserError, match="can't be read"):
            read_profile(tmp_path / name)


def test_counts_name_every_level():
    assert counts(FINDING_SCHEMA.empty_table()) == dict.fromkeys(LEVELS, 0)
    assert by_rule(pa.Table.from_pylist([], schema=FINDING_SCHEMA)) == []


def test_occurrences_and_joins_equal_loops():
    random = np.random.default_rng(0)
    first, second = random.integers(0, 5, 50), random.integers(-3, 3, 50)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert occurrences(first, second).tolist() == [pairs.count(pair) for pair in pairs]
    left, right = places_of_equals(first, second)
    expected = {(i, j) for i in range(50) for j in range(50) if first[i] == second[j]}
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
    assert len(left) == len(expected)
