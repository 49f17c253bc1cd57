"""Group sizes against dictionaries of lists."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.fan_out import fan_out

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=60)


@settings(deadline=None)
@given(rows)
def test_groups_maximum_and_percentile(statements: list[tuple[int, int]]) -> None:
    predicates, ends = np.array(statements, np.int32).reshape(-1, 2).T
    found = fan_out(ends, predicates, entities=6, predicate_count=4)
    counts = Counter(statements)
    groups = zip(found.predicate.tolist(), found.end.tolist(), strict=True)
    assert dict(zip(groups, found.size.tolist(), strict=True)) == counts
    for predicate in range(4):
        sizes = sorted(count for (p, _), count in counts.items() if p == predicate)
        assert found.groups[predicate] == len(sizes)
        assert found.maximum[predicate] == max(sizes, default=0)
        assert sorted(found.size[found.rows(predicate)]) == sizes
        enough = [s for s in sizes if 100 * sum(x <= s for x in sizes) >= 95 * len(sizes)]
        assert found.percentile[predicate] == min(enough, default=0)


def test_the_percentile_leaves_one_in_twenty_out() -> None:
    # Entity 0 has ten objects, the 19 others one each: 95 % have one.
    ends = np.array([0] * 10 + list(range(1, 20)), np.int32)
    found = fan_out(ends, np.zeros(29, np.int32), entities=20, predicate_count=1)
    assert found.described(0, 29) == {"mean": 1.45, "percentile_95": 1, "maximum": 10}
