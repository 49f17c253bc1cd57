"""Aliases held out: which, how they are passed over, and the baseline against a plain formula."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking.linking_scores import NameRow, fold_text
from infact.kg.linking.mentions import Candidate
from infact.pipeline.console import Console
from infact.pipeline.linking.held_out_names import (
    HeldOutName,
    held_out_names,
    held_out_recall,
    place_of,
    sampled,
)
from infact.pipeline.linking.name_retrieval import NameRetrieval, n_grams

NAMES = [
    (0, "Kidney", "label"),
    (0, "kidneys", "exact"),  # folds as the label
    (0, "renal organ", "exact"),
    (0, "Renal organs", "related"),  # folds as the one before
    (0, "ren", "related"),
    (1, "Spleen", "label"),
    (1, "spleens", "exact"),  # nothing else is left
    (2, "milt", "exact"),  # without a label
    (2, "soft roe", "exact"),
    (3, "Gone", "label"),
    (3, "departed", "exact"),  # deprecated
    (4, "Dash", "label"),
    (4, "—", "exact"),  # no word
]


class Graph:
    """What holding out reads of a graph."""

    names_table = pa.table(
        dict(zip(("entity", "name", "kind"), zip(*NAMES, strict=True), strict=True))
    )
    entities_table = pa.table({"deprecated": [False, False, False, True, False]})


def row(entity, text):
    return NameRow(entity, text, "exact", False, False)


def candidate(entity, name):
    return Candidate(entity, 0.5, name, "exact")


def test_aliases_that_leave_another_name_are_held_out():
    found = [(name.entity, name.name) for name in held_out_names(Graph())]
    assert found == [(0, "renal organ"), (0, "ren"), (2, "milt"), (2, "soft roe")]
    assert [name.entity for name in held_out_names(Graph(), {2})] == [2, 2]


MILT = HeldOutName(2, "milt", "exact", fold_text("milt"))


@pytest.mark.parametrize(
    ("candidates", "place"),
    [
        ([(2, "milt"), (2, "Milts"), (1, "milt")], 0),  # all of them are the name held out
        ([(2, "milt"), (2, "soft roe")], 1),
        ([(2, "milt"), (1, "milk"), (2, "soft roe")], 2),
        ([(1, "milt"), (2, "soft roe")], 1),  # another's name that folds so is held out as well
        ([(1, "milk"), (1, "milks"), (2, "soft roe")], 2),  # an entity takes one place
        ([(entity, "milk") for entity in range(3, 7)] + [(2, "roe")], 5),
        ([(entity, "milk") for entity in range(3, 8)] + [(2, "roe")], None),
        ([], 0),
    ],
)
def test_the_place_is_that_of_the_best_name_left(candidates, place):
    assert place_of(MILT, (candidate(*each) for each in candidates)) == place


def test_candidates_are_read_only_as_far_as_needed():
    def endless():
        for entity in range(3, 8):
            yield candidate(entity, "milk")
        pytest.fail("five entities were enough")

    assert place_of(MILT, endless()) is None


def test_recall_is_the_share_of_aliases():
    names = held_out_names(Graph())
    answers = {
        "renal organ": [(0, "renal organ"), (0, "Kidney")],
        "ren": [(1, "Spleen"), (0, "Kidney")],
        "milt": [],
        "soft roe": [(1, "Spleen")],
    }
    found = held_out_recall(
        names, lambda text: [candidate(*each) for each in answers[text]], Console()
    )
    assert (found.at[1].estimate, found.at[5].estimate) == (1 / 4, 2 / 4)
    assert found.at[1].clusters == 2
    assert found.without_candidates == 1
    assert found.by_kind["related"][5].estimate == 1
    assert found.by_kind["exact"][1].n == 3
    with pytest.raises(ValueError, match="no alias"):
        held_out_recall([], lambda text: [], Console())


def test_a_sample_is_drawn_by_its_seed():
    names = [HeldOutName(n, str(n), "exact", (str(n),)) for n in range(100)]
    some = sampled(names, 10, 0)
    assert some == sampled(names, 10, 0) != sampled(names, 10, 1)
    assert [name.entity for name in some] == sorted(name.entity for name in some)
    assert sampled(names, 100, 0) == names


TEXTS = st.text("abc é", max_size=8)


@settings(max_examples=60)
@given(st.lists(TEXTS.filter(str.strip), min_size=1, max_size=8), TEXTS)
def test_the_baseline_is_the_cosine_of_weighted_n_grams(names, text):
    retrieval = NameRetrieval.build([row(entity, name) for entity, name in enumerate(names)])
    frequency = Counter(gram for name in names for gram in set(n_grams(name)))

    def vector(text):
        counts = Counter(gram for gram in n_grams(text) if gram in frequency)
        return {
            gram: (1 + math.log(count)) * (math.log((1 + len(names)) / (1 + frequency[gram])) + 1)
            for gram, count in counts.items()
        }

    def cosine(one, other):
        product = sum(weight * other.get(gram, 0) for gram, weight in one.items())
        lengths = [math.sqrt(sum(w * w for w in each.values())) for each in (one, other)]
        return product / math.prod(lengths) if all(lengths) else 0.0

    expected = [cosine(vector(text), vector(name)) for name in names]
    assert retrieval.scores(text) == pytest.approx(expected)
    found = [each.entity for each in retrieval.candidates(text)]
    assert sorted(found) == [entity for entity, score in enumerate(expected) if score > 0]
    ranked = [retrieval.scores(text)[entity] for entity in found]
    assert ranked == sorted(ranked, reverse=True)


def test_all_names_come_however_many(monkeypatch):
    monkeypatch.setattr("infact.pipeline.linking.name_retrieval.FIRST_SORTED", 3)
    names = [f"toe {'x' * n}" for n in range(20)]
    retrieval = NameRetrieval.build([row(entity, name) for entity, name in enumerate(names)])
    found = list(retrieval.candidates("toe"))
    assert len(found) == 20
    scores = [each.score for each in found]
    assert np.all(np.diff(scores) <= 1e-12)
    with pytest.raises(ValueError, match="no name"):
        NameRetrieval.build([])


def test_the_baseline_finds_what_is_spelt_alike():
    retrieval = NameRetrieval.build([row(n, name) for n, (_, name, _) in enumerate(NAMES)])
    assert next(iter(retrieval.candidates("renal orgn"))).name == "renal organ"
