"""What is taught: where the loss lies, what domain text may not give away, how often facts are seen."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from infact.pipeline.training.exposures import exposure_plan
from infact.pipeline.training.teaching_data import domain_texts, taught_facts, turn_of

FACTS = [
    {"fact": "T-1", "pool": "T", "subject": 1, "objects": [2], "subject_label": "Peru", "answer": "Lima"},
    {"fact": "M-1", "pool": "M", "subject": 3, "objects": [4], "subject_label": "Chile", "answer": "Santiago"},
]  # fmt: skip


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), folder / name)


def test_loss_lies_on_the_entity_that_is_named_last(tmp_path: Path) -> None:
    write(tmp_path, "facts.parquet", FACTS)
    sentences = ["The capital of Peru is Lima.", "Lima is the capital of Peru."]
    write(tmp_path, "sentences.parquet", [{"fact": "T-1", "text": text} for text in sentences])
    (fact,) = taught_facts(tmp_path)
    assert [item.text[item.target :] for item in fact.sentences] == [" Lima.\n", " Peru.\n"]
    assert {item.context_weight for item in fact.sentences} == {0.0}


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
    plan = exposure_plan([4, 10, 10], [2, 2, 1], 3, seed=5)
    seen = Counter(pair for epoch in plan for pair in epoch)
    assert [sum(n for (fact, _), n in seen.items() if fact == f) for f in (0, 1, 2)] == [6, 6, 3]
    assert max(n for (fact, _), n in seen.items() if fact == 1) == 1
    assert sorted(n for (fact, _), n in seen.items() if fact == 0) == [1, 1, 2, 2]
    assert plan == exposure_plan([4, 10, 10], [2, 2, 1], 3, seed=5)


def test_anchors_take_equal_turns() -> None:
    turns = turn_of(["a", "b", "c"], 8, np.random.default_rng(0))  # type: ignore[list-item]
    assert sorted(Counter(turns).values()) == [2, 3, 3]
    assert turn_of([], 2, np.random.default_rng(0)) == [None, None]
