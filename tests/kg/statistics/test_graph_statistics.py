"""statistics.json of a small graph, as ingestion writes it."""

import json
from pathlib import Path
from typing import Any

import pytest
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

TURTLE = """
@prefix e: <http://e.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
e:Poet rdfs:subClassOf e:Person . e:Person rdfs:subClassOf e:Being . e:Poet rdfs:subClassOf e:Being .
e:parentOf rdfs:domain e:Person ; rdfs:range e:Poet ; rdfs:label "is parent of" .
e:age rdfs:domain e:Poet ; rdfs:range xsd:integer ; rdfs:label "age" .
e:note rdfs:range rdfs:Literal .
e:a a e:Poet ; rdfs:label "A"@en, "Ah"@de ; e:age 41, "young" ; e:parentOf e:b, e:c ; e:note "größer"@de .
e:b a e:Person ; rdfs:label "B"@en ; e:age 12 ; e:childOf e:a .
e:c e:childOf e:a ; e:parentOf e:c .
e:lonely e:note "alone" .
"""
EX = "http://e.org/"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "a.ttl").write_text(TURTLE, encoding="utf-8")
    out = folder / "out"
    ingest([Source(folder / "a.ttl", "a.ttl")], out)
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"store"}
    return json.loads((out / "statistics.json").read_text(encoding="utf-8"))


def entry(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in entries if item["iri"] == EX + name)


def test_the_keys_and_their_order(found: dict[str, Any]) -> None:
    assert list(found) == [
        "entities",
        "blank_nodes",
        "unlabelled",
        "deprecated",
        "relations",
        "triples",
        "literals",
        "literal_predicates",
        "names",
        "names_by_kind",
        "ambiguous_names",
        "degree",
        "types",
        "hierarchy",
        "by_relation",
        "by_literal_predicate",
        "suspicions",
        "literal_languages",
        "labels",
        "components",
    ]


def test_a_relation(found: dict[str, Any]) -> None:
    assert entry(found["by_relation"], "parentOf") == {
        "iri": EX + "parentOf",
        "label": "is parent of",
        "triples": 3,
        "subjects": 2,
        "objects": 2,
        "cardinality": "N:M",
        "objects_a_subject": {"mean": 1.5, "percentile_95": 2, "maximum": 2},
        "subjects_an_object": {"mean": 1.5, "percentile_95": 2, "maximum": 2},
        "functional": False,
        "inverse_functional": False,
        "loops": 1,
        "symmetric": 0,
        "subject_types": {
            "untyped": 1,
            "types": [{"iri": EX + "Poet", "entities": 1, "share": 0.5}],
        },
        "object_types": {
            "untyped": 1,
            "types": [{"iri": EX + "Person", "entities": 1, "share": 0.5}],
        },
        "domain": {"classes": [EX + "Person"], "conforming": 2},
        "range": {"classes": [EX + "Poet"], "conforming": 0},
    }
    child = entry(found["by_relation"], "childOf")
    assert (child["functional"], child["inverse_functional"]) == (True, False)
    assert (child["domain"], child["range"]) == (None, None)


def test_a_predicate_of_literals(found: dict[str, Any]) -> None:
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert entry(found["by_literal_predicate"], "age") == {
        "iri": EX + "age",
        "label": "age",
        "literals": 3,
        "subjects": 2,
        "distinct_values": 3,
        "longest": 5,
        "values_a_subject": {"mean": 1.5, "percentile_95": 2, "maximum": 2},
        "functional": False,
        "datatypes": {xsd + "integer": 2, xsd + "string": 1},
        "languages": {"": 3},
        "subject_types": {
            "untyped": 0,
            "types": [
                {"iri": EX + "Person", "entities": 1, "share": 0.5},
                {"iri": EX + "Poet", "entities": 1, "share": 0.5},
            ],
        },
        "domain": {"classes": [EX + "Poet"], "conforming": 2},
        "range": {"classes": [xsd + "integer"], "conforming": 2},
    }
    note = entry(found["by_literal_predicate"], "note")
    assert (note["label"], note["functional"], note["longest"]) == ("note", True, 6)
    assert note["range"]["conforming"] == 2
    assert note["languages"] == {"": 1, "de": 1}


def test_labels_components_and_hierarchy(found: dict[str, Any]) -> None:
    assert found["literal_languages"] == {"": 6, "de": 2, "en": 2}
    assert found["labels"]["languages"] == {"": 2, "en": 2, "de": 1}
    assert found["labels"]["labelled"] == 4
    # parentOf and Person, Poet, Being; age with xsd:integer and Poet; note with rdfs:Literal; a, b, c.
    assert found["components"] == {
        "number": 4,
        "isolated_entities": 1,
        "largest": [6, 3, 2, 1],
    }
    below = found["hierarchy"]["http://www.w3.org/2000/01/rdf-schema#subClassOf"]
    assert (below["two_step_paths"], below["two_step_paths_stated"]) == (1, 1)


def test_suspicions(tmp_path: Path) -> None:
    lines = []
    for n in range(6):
        lines += [f"e:t{n} e:near e:t{n + 10} . e:t{n + 10} e:near e:t{n} ."]
        lines += [f"e:t{n} e:over e:t{n + 20} . e:t{n + 20} e:under e:t{n} ."]
        lines += [f"e:t{n} e:above e:t{n + 20} . e:t{n % 2} e:all e:u{n // 2} ."]
    (tmp_path / "a.ttl").write_text(f"@prefix e: <{EX}> .\n" + "\n".join(lines))
    ingest([Source(tmp_path / "a.ttl", "a.ttl")], tmp_path / "out")
    text = (tmp_path / "out" / "statistics.json").read_text(encoding="utf-8")
    whole = {"shared": 6, "share_of_first": 1.0, "share_of_second": 1.0}
    assert json.loads(text)["suspicions"] == {
        "threshold": 0.8,
        "fewest_triples": 5,
        "pairs_not_compared": 0,
        "symmetric_relations": 1,
        "inverse_pairs": 2,
        "duplicate_pairs": 1,
        "cartesian_relations": 1,
        "symmetric": [{"iri": EX + "near", "triples": 12, "symmetric": 12, "share": 1.0}],
        "inverse": [
            {"first": EX + "above", "second": EX + "under", **whole},
            {"first": EX + "over", "second": EX + "under", **whole},
        ],
        "duplicate": [{"first": EX + "above", "second": EX + "over", **whole}],
        "cartesian": [{"iri": EX + "all", "triples": 6, "subjects": 2, "objects": 3, "share": 1.0}],
    }


@pytest.mark.parametrize(
    "line",
    [
        "<http://e.org/a> <http://e.org/p> <http://e.org/a> .\n",
        '<http://e.org/a> <http://e.org/p> "only literals" .\n',
    ],
)
def test_the_smallest_graphs(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.nt").write_text(line)
    ingest([Source(tmp_path / "a.nt", "a.nt")], tmp_path / "out")
    found = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert found["components"] == {"number": 1, "isolated_entities": 1, "largest": [1]}
    assert len(found["by_relation"]) + len(found["by_literal_predicate"]) == 1
