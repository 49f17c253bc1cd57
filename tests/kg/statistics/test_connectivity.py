"""Components against a plain union of sets; histogram and hubs against sorting."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.statistics.connectivity import LARGEST, components, degree_histogram, hubs

entity = st.integers(0, 9)


@settings(deadline=None)
@given(
    st.lists(st.tuples(entity, st.integers(0, 2), entity), max_size=20),
    st.booleans(),
    st.integers(1, 4),
)
def test_components(triples: list[tuple[int, int, int]], all_join: bool, slices: int) -> None:
    sets = [{number} for number in range(10)]
    for h, r, t in triples:
        if r != 1 or all_join:
            joined = sets[h] | sets[t]
            for member in joined:
                sets[member] = joined
    sizes = sorted((len(each) for each in {id(s): s for s in sets}.values()), reverse=True)
    rows = np.array(triples, np.int32).reshape(-1, 3)
    assert components(np.array_split(rows, slices), 10, None if all_join else 1) == {
        "number": len(sizes),
        "isolated_entities": sizes.count(1),
        "largest": sizes[:LARGEST],
    }


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=50))
def test_degrees(degrees: list[int]) -> None:
    histogram = degree_histogram(np.array(degrees, np.int32))
    for name, count in histogram.items():
        low, _, high = name.partition("-")
        assert count == sum(int(low) <= degree <= int(high or low) for degree in degrees)
    assert sum(histogram.values()) == len(degrees)
    table = {"iri": pa.array([f"e{n:03}" for n in range(len(degrees))]), "label": pa.array(degrees)}
    found = hubs(np.array(degrees, np.int32), table)
    by_degree = sorted(range(len(degrees)), key=lambda n: (-degrees[n], n))[:LARGEST]
    assert [item["iri"] for item in found] == [f"e{n:03}" for n in by_degree]
    assert Counter(item["degree"] == item["label"] for item in found) == {True: len(found)}
