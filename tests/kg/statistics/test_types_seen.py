"""Types at the ends of predicates, declared domains and label coverage, against plain sets."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.statistics.count_matrix import count_matrix, frequent
from infact.kg.statistics.coverage import label_coverage
from infact.kg.statistics.fan_out import group_sizes
from infact.kg.statistics.literal_statistics import most_frequent
from infact.kg.statistics.types_seen import (
    COMMON,
    EntityTypes,
    conforming,
    declared_classes,
    types_seen,
)

ENTITIES, CLASSES, PREDICATES = 8, 4, 3  # entities 0 … 3 are the classes
IRIS = pa.chunked_array([[f"e:{number}" for number in range(5)], ["e:5", "e:6", "e:7"]])
class_ = st.integers(0, CLASSES - 1)
entity = st.integers(0, ENTITIES - 1)
type_pairs = st.sets(st.tuples(entity, class_), max_size=20)
subclass_pairs = st.sets(st.tuples(class_, class_), max_size=6)
statements = st.sets(st.tuples(entity, st.integers(0, PREDICATES - 1), entity), max_size=40)


def array(rows: set[tuple[int, ...]], width: int) -> np.ndarray:
    return np.array(sorted(rows), np.int32).reshape(-1, width)


def plain_below(class_: int, subclasses: set[tuple[int, int]]) -> set[int]:
    below, size = {class_}, 0
    while len(below) > size:
        size = len(below)
        below |= {narrower for narrower, broader in subclasses if broader in below}
    return below


@settings(deadline=None)
@given(type_pairs, subclass_pairs, statements, st.sets(class_, min_size=1))
def test_types_and_conformity(
    pairs: set[tuple[int, int]],
    subclasses: set[tuple[int, int]],
    triples: set[tuple[int, int, int]],
    asked: set[int],
) -> None:
    types = EntityTypes(array(pairs, 2), IRIS, array(subclasses, 2))
    rows = array(triples, 3)
    for number in {relation for _, relation, _ in triples}:
        at, sizes = group_sizes([rows[rows[:, 1] == number, 2]], ENTITIES)
        seen = types_seen(types, at)
        objects = {t for _, r, t in triples if r == number}
        assert seen["untyped"] == sum(all(e != t for e, _ in pairs) for t in objects)
        counts = Counter(type_ for e, type_ in pairs if e in objects)
        common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMON]
        assert seen["types"] == [
            {"iri": f"e:{type_}", "entities": n, "share": round(n / len(objects), 4)}
            for type_, n in common
        ]
        declared = [(number, f"e:{number}") for number in asked]
        fitting = {
            e
            for e in range(ENTITIES)
            if all(
                any((e, narrower) in pairs for narrower in plain_below(c, subclasses))
                for c in asked
            )
        }
        assert conforming(types, at, sizes, declared) == {
            "classes": sorted(iri for _, iri in declared),
            "conforming": sum(r == number and t in fitting for _, r, t in triples),
        }


def test_what_is_not_checked() -> None:
    types = EntityTypes(array({(4, 0)}, 2), IRIS, array(set(), 2))
    rows = group_sizes([np.array([4, 5, 5], np.int32)], ENTITIES)
    assert conforming(types, *rows, []) is None
    expression = [(0, "e:0"), (7, "_:union")]
    assert conforming(types, *rows, expression) == {"classes": ["e:0"], "conforming": None}
    thing = "http://www.w3.org/2002/07/owl#Thing"
    assert conforming(types, *rows, [(6, thing)]) == {"classes": [thing], "conforming": 3}
    unused = [(6, "e:6")]
    assert conforming(types, *rows, unused) == {"classes": ["e:6"], "conforming": 0}


def test_declared_classes() -> None:
    assert declared_classes(array({(5, 0), (5, 2), (6, 3)}, 2), IRIS) == {
        "e:5": [(0, "e:0"), (2, "e:2")],
        "e:6": [(3, "e:3")],
    }
    assert declared_classes(array(set(), 2), IRIS) == {}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=30))
def test_count_matrix(pairs: list[tuple[int, int]]) -> None:
    rows, columns = np.array(pairs, np.int32).reshape(-1, 2).T
    counts = count_matrix(rows, columns, (3, 5))
    for row, dense in enumerate(counts.toarray()):
        plain = Counter(column for r, column in pairs if r == row)
        ordered = sorted(plain.items(), key=lambda item: (-item[1], item[0]))
        assert frequent(dense, 2) == ordered[:2]


names = st.lists(
    st.tuples(entity, st.sampled_from(["label", "exact"]), st.sampled_from(["", "de", "en"])),
    max_size=30,
)


@settings(deadline=None)
@given(names, type_pairs, st.integers(1, 5))
def test_label_coverage(
    rows: list[tuple[int, str, str]], pairs: set[tuple[int, int]], at_once: int
) -> None:
    rows = sorted(rows)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    schema = pa.schema({"entity": pa.int32(), "kind": pa.string(), "language": pa.string()})
    having = {(e, tag) for e, kind, tag in rows if kind == "label"}
    labelled = {e for e, _ in having}
    flags = np.isin(np.arange(ENTITIES), sorted(labelled))
    types = EntityTypes(array(pairs, 2), IRIS, array(set(), 2))
    table = pa.table(columns, schema=schema)
    pieces = [table.slice(start, at_once) for start in range(0, len(table), at_once)]
    found = label_coverage(pieces, flags, types)
    assert found["labelled"] == len(labelled)
    assert found["share"] == round(len(labelled) / ENTITIES, 4)
    of_names = dict.fromkeys({tag for *_, tag in rows}, 0)  # synonyms' languages too
    assert found["languages"] == of_names | Counter(tag for _, tag in having)
    of_type = {c: {e for e, type_ in pairs if type_ == c} for c in range(CLASSES)}
    order = sorted((c for c in of_type if of_type[c]), key=lambda c: (-len(of_type[c]), c))
    assert [item["iri"] for item in found["types"]] == [f"e:{c}" for c in order]
    for item, c in zip(found["types"], order, strict=True):
        assert (item["entities"], item["labelled"]) == (
            len(of_type[c]),
            len(of_type[c] & labelled),
        )
        assert item["languages"] == Counter(tag for e, tag in having if e in of_type[c])


def test_most_frequent() -> None:
    assert list(most_frequent({"": 1, "de": 0, "en": 2, "fr": 1})) == ["en", "", "fr"]
