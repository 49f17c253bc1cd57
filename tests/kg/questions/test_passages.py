import math
import re
from collections import Counter

import pytest
from infact.kg.questions.fact_prompt import FactLine
from infact.kg.questions.passages import Passages, bm25_ranking, passages_of, subjects_to_tell

TEXTS = (
    "Marfan syndrome, associated gene: FBN1",
    "Marfan syndrome, mode of inheritance: Autosomal dominant inheritance",
    "Stickler syndrome, associated gene: COL2A1",
    "Peru, capital: Lima",
    "Norway, capital: Oslo; Oslo",
)
PASSAGES = Passages(tuple(FactLine(text, ()) for text in TEXTS))


def bm25(query: str, text: str) -> float:
    """Lucene's form: idf · tf / (tf + k1 (1 − b + b · length / mean length))."""
    words = [re.findall(r"\b\w\w+\b", t.lower()) for t in TEXTS]
    stop = {"of", "the", "what", "is"}
    kept = [[word for word in of if word not in stop] for of in words]
    own = kept[TEXTS.index(text)]
    mean = sum(map(len, kept)) / len(kept)
    total = 0.0
    for word in set(re.findall(r"\b\w\w+\b", query.lower())) - stop:
        having = sum(word in of for of in kept)
        idf = math.log(1 + (len(kept) - having + 0.5) / (having + 0.5))
        count = Counter(own)[word]
        total += idf * count / (count + 1.5 * (1 - 0.75 + 0.75 * len(own) / mean))
    return total


@pytest.mark.parametrize(
    "query", ["gene of Marfan syndrome", "capital Norway Oslo", "What is the capital of Peru?"]
)
def test_ranking_is_that_of_the_formula(query: str) -> None:
    ranked = bm25_ranking(PASSAGES, [query], depth=2)[0].tolist()
    expected = sorted(range(len(TEXTS)), key=lambda n: -bm25(query, TEXTS[n]))[:2]
    assert ranked == expected


def test_all_asked_subjects_are_told_and_others_fill_up() -> None:
    told = subjects_to_tell([5, 3, 5], others=range(100), most=10, seed=0)
    assert told[:2] == (5, 3)
    assert len(set(told)) == len(told) == 10
    assert subjects_to_tell([5, 3], range(100), 10, 0) == told
    assert subjects_to_tell([5, 3], range(100), 10, 1) != told
    assert subjects_to_tell([4, 5, 6], range(100), most=1, seed=0) == (4, 5, 6)


def test_passages_are_the_lines_in_the_order_of_subjects() -> None:
    found = passages_of([2, 1], lambda entity: [FactLine(f"{entity}a", ()), FactLine("b", ())])
    assert found.texts == ["2a", "b", "1a", "b"]
