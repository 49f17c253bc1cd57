"""The nearest names, against the cosine written out; candidates beyond the names that match."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.linker import Linker
from infact.kg.linking.near_names import TRANSLATED_WEIGHT, NearNames

from .test_linker import SmallGraph

WORDS = 6
NAMES = st.lists(st.frozensets(st.integers(0, WORDS - 1), max_size=4), min_size=1, max_size=8)
TABLE = {0: ((1, 0.5), (2, 0.9)), 3: ((0, 0.1),)}


@given(NAMES, st.lists(st.integers(0, WORDS - 1), max_size=4, unique=True))
def test_names_are_ranked_by_the_cosine(names: list[frozenset[int]], query: list[int]) -> None:
    frequency = [sum(word in name for name in names) for word in range(WORDS)]
    rarity = [math.log(1 + len(names) / max(1, count)) for count in frequency]
    weights = {word: rarity[word] for word in query if frequency[word]}
    for word in tuple(weights):
        for other, probability in TABLE.get(word, ()):
            weight = min(1, TRANSLATED_WEIGHT + probability) * rarity[word]
            weights[other] = max(weights.get(other, 0), weight)
    norm = math.sqrt(sum(rarity[word] ** 2 for word in query))
    cosines = {
        number: sum(weights.get(word, 0) * rarity[word] for word in name)
        / (norm * math.sqrt(sum(rarity[word] ** 2 for word in name)))
        for number, name in enumerate(names)
        if name & weights.keys()
    }
    found = NearNames(names, WORDS, TABLE).nearest(query, len(names))
    assert dict(found) == pytest.approx(cosines)
    assert [cosine for _, cosine in found] == sorted((c for _, c in found), reverse=True)


def test_common_words_count_where_rarer_ones_found_names(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [frozenset([0, 1]), frozenset([0, 2]), frozenset([0, 3])]
    monkeypatch.setattr("infact.kg.linking.near_names.COMMON", 2)
    near = NearNames(names, WORDS, {})
    assert [number for number, _ in near.nearest([0, 2], 5)] == [1]
    assert [number for number, _ in near.nearest([0], 5)] == [0, 1, 2], "no rarer word is there"


def linker() -> Linker:
    names = ["kidney cyst", "kidney stone", "liver cyst", "brain cyst", "bone cyst", "gout"]
    return Linker.build(SmallGraph([(entity, name, "label") for entity, name in enumerate(names)]))


def test_a_mention_gets_the_entities_of_near_names_and_keeps_its_scores() -> None:
    links = linker()
    (mention,) = links.link("a kidney cyst")
    filled = links.with_candidates(mention, 5)
    assert filled.entity == mention.entity == 0
    assert filled.candidates[0] == mention.candidates[0]
    assert len(filled.candidates) == 5
    assert len({candidate.entity for candidate in filled.candidates}) == 5
    assert 5 not in [candidate.entity for candidate in filled.candidates], "gout shares no word"
    scores = [candidate.score for candidate in filled.candidates]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) < 1
    assert links.with_candidates(mention, 1) == mention


def test_candidates_of_a_text_that_is_no_name() -> None:
    links = linker()
    assert links.candidates("stone of the kidney", 3)[0].entity == 1
    assert links.candidates("stony kidney", 2)[0].name == "kidney cyst"
    assert links.candidates("unheard of", 3) == ()
    assert links.candidates("", 3) == ()
