"""Group sizes against dictionaries of lists."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.statistics.fan_out import FanOut, fan_out, group_sizes

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=60)


@settings(deadline=None)
@given(rows)
def test_groups_maximum_and_percentile(statements: list[tuple[int, int]]) -> None:
    counts = Counter(statements)
    for predicate in range(4):
        ends = np.array([end for p, end in statements if p == predicate], np.int32)
        at, sizes = group_sizes(np.array_split(ends, 3), entities=6)
        own = {end: count for (p, end), count in counts.items() if p == predicate}
        assert at.tolist() == sorted(own)
        assert dict(zip(at.tolist(), sizes.tolist(), strict=True)) == own
        if own:
            size = fan_out(sizes)
            every = sorted(own.values())
            enough = [s for s in every if 100 * sum(x <= s for x in every) >= 95 * len(every)]
            mean = round(sum(every) / len(every), 4)
            assert size == FanOut(mean, min(enough), max(every))


def test_the_percentile_leaves_one_in_twenty_out() -> None:
    sizes = np.array([1] * 19 + [10], np.int32)
    assert fan_out(sizes) == FanOut(1.45, 1, 10)
    assert fan_out(sizes[1:]) == FanOut(1.4737, 10, 10)
