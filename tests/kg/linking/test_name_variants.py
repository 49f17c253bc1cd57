"""Word substitutions learned from names, against counting by hand."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.name_variants import MIN_ENTITIES, learn_substitutions, variants

BAG = st.lists(st.integers(0, 5), min_size=2, max_size=3, unique=True).map(
    lambda words: tuple(sorted(words))
)


@given(st.lists(st.lists(BAG, max_size=4), max_size=12))
def test_pairs_that_enough_entities_attest(entities: list[list[tuple[int, ...]]]) -> None:
    learned = learn_substitutions(entities)
    for one, other in combinations(range(6), 2):
        attesting = sum(
            any(
                set(first) - set(second) == {one} and set(second) - set(first) == {other}
                for first in bags
                for second in bags
            )
            for bags in entities
        )
        assert (other in learned.get(one, ())) == (attesting >= MIN_ENTITIES)
        assert (one in learned.get(other, ())) == (attesting >= MIN_ENTITIES)


def test_variants_replace_one_word_at_a_time() -> None:
    assert set(variants((1, 2), {1: (5, 6), 2: (0,)})) == {(2, 5), (2, 6), (0, 1)}
    assert list(variants((1, 2), {1: (2,)})) == []
