"""What is taught: where the loss lies, what domain text may not give away, how often facts are seen."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from hypothesis import given
from hypothesis import strategies as st
from infact.models.anchors import AnchorBatch
from infact.models.predicted_texts import collate_predicted, continued_text
from infact.pipeline.training.exposures import (
    PROFILE,
    ExposureShares,
    TextsOfFact,
    exposure_plan,
)
from infact.pipeline.training.teaching_data import (
    ANCHOR_PLACES,
    domain_texts,
    taught_facts,
    turn_of,
)

FACTS = [
    {"fact": "T-1", "pool": "T", "subject": 1, "objects": [2], "subject_label": "Peru", "answer": "Lima"},
    {"fact": "M-1", "pool": "M", "subject": 3, "objects": [4], "subject_label": "Chile", "answer": "Santiago"},
]  # fmt: skip


PLACES = 8


def _anchor(number: int) -> AnchorBatch:
    """Whose base states tell its number, and their place."""
    text = continued_text(range(PLACES + 1), (1.0,) * (PLACES + 1))
    base = torch.stack([torch.full((PLACES,), number), torch.arange(PLACES)], dim=1)
    return AnchorBatch(collate_predicted([text]), base)


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), folder / name)


def test_loss_lies_on_the_entity_that_is_named_last(tmp_path: Path) -> None:
    write(tmp_path, "facts.parquet", FACTS)
    sentences = ["The capital of Peru is Lima.", "Lima is the capital of Peru."]
    write(tmp_path, "sentences.parquet", [{"fact": "T-1", "text": text} for text in sentences])
    asked = [("train", "Capital of Peru?"), ("test", "Which city governs Peru?")]
    questions = [{"fact": "T-1", "split": split, "prompt": prompt} for split, prompt in asked]
    write(tmp_path, "questions.parquet", questions)
    (fact,) = taught_facts(tmp_path)
    assert [item.text[item.target :] for item in fact.sentences] == [" Lima.\n", " Peru.\n"]
    assert [item.text[item.target :] for item in fact.questions] == [" Lima\n"]
    for item in fact.texts:
        assert item.context_weight == 0.0
        assert [item.text[start:end] in ("Lima", "Peru") for start, end in item.mentions] == [True]


def test_domain_text_that_gives_a_memory_fact_away_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "facts.parquet", FACTS)
    texts = {
        "leak": "Santiago is in Chile.",
        "subject alone": "Chile borders Peru.",
        "taught": "Lima is in Peru.",
    }
    mentions = {"leak": (3, 4), "subject alone": (3, 1), "taught": (1, 2)}
    write(
        tmp_path,
        "documents.parquet",
        [{"document": name, "text": text, "entity": 9} for name, text in texts.items()],
    )
    write(
        tmp_path,
        "mentions.parquet",
        [
            {"document": name, "entity": entity, "start": 0, "end": 3}
            for name in texts
            for entity in mentions[name]
        ],
    )
    kept = [item.text for item in domain_texts(tmp_path, tmp_path, 400)]
    assert kept == [texts["subject alone"], texts["taught"]]


def test_every_fact_is_seen_as_often_as_planned_and_no_sentence_early_again() -> None:
    counts = [TextsOfFact(4, 3), TextsOfFact(10, 3), TextsOfFact(10, 0)]
    plan = exposure_plan(counts, [2, 2, 1], ExposureShares(0.0), 3, seed=5)
    seen = Counter(pair for epoch in plan for pair in epoch)
    assert [sum(n for (fact, _), n in seen.items() if fact == f) for f in (0, 1, 2)] == [6, 6, 3]
    assert max(n for (fact, _), n in seen.items() if fact == 1) == 1
    assert sorted(n for (fact, _), n in seen.items() if fact == 0) == [1, 1, 2, 2]
    assert plan == exposure_plan(counts, [2, 2, 1], ExposureShares(0.0), 3, seed=5)


@given(st.integers(1, 5), st.integers(0, 4), st.integers(1, 5), st.floats(0, 0.95))
def test_a_share_of_the_exposures_are_questions(
    sentences: int, questions: int, phrasings: int, share: float
) -> None:
    texts = [TextsOfFact(sentences, questions)]
    epochs = exposure_plan(texts, [phrasings], ExposureShares(share), 4, seed=1)
    plan, total = [text for epoch in epochs for _, text in epoch], 4 * phrasings
    asked = Counter(text for text in plan if text >= sentences)
    told = Counter(text for text in plan if text < sentences)
    assert asked.total() == (int(total * share) if questions else 0)
    assert asked.total() + told.total() == total
    for seen, there in ((asked, questions), (told, sentences)):
        times = [*seen.values(), *[0] * (there - len(seen))]
        assert not times or max(times) - min(times) <= 1


@given(st.integers(1, 5), st.integers(1, 5), st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_share_of_the_exposures_are_profiles(
    questions: int, phrasings: int, asked: float, profiles: float
) -> None:
    texts = [TextsOfFact(3, questions, profiled) for profiled in (True, False)]
    plan = exposure_plan(texts, [phrasings] * 2, ExposureShares(asked, profiles), 4, seed=1)
    found = [[text for epoch in plan for of, text in epoch if of == fact] for fact in (0, 1)]
    told = found[0].count(PROFILE)
    assert told == int(4 * phrasings * profiles)
    assert PROFILE not in found[1]
    rest = [text for text in found[0] if text != PROFILE]
    assert sum(text >= 3 for text in rest) == int(len(rest) * asked)
    alone = exposure_plan(texts, [phrasings] * 2, ExposureShares(asked), 4, seed=1)
    assert rest == [text for epoch in alone for of, text in epoch if of == 0][: len(rest)]


def test_a_step_looks_at_some_of_an_anchors_places() -> None:
    turns = turn_of([_anchor(0)], 200, np.random.default_rng(0))
    seen: Counter[int] = Counter()
    for turn in turns:
        assert turn is not None
        places = turn.base[:, 1]
        assert len(places) == ANCHOR_PLACES * PLACES
        assert torch.equal(turn.texts.at.places, places)
        assert torch.equal(turn.texts.targets, places + 1)
        seen.update(places.tolist())
    assert min(seen[place] for place in range(PLACES)) > 25


def test_anchors_take_equal_turns() -> None:
    anchors = [_anchor(number) for number in range(3)]
    turns = turn_of(anchors, 8, np.random.default_rng(0))
    assert all(turn is not None for turn in turns)
    assert sorted(Counter(int(turn.base[0, 0]) for turn in turns if turn).values()) == [2, 3, 3]
    assert turn_of([], 2, np.random.default_rng(0)) == [None, None]
