"""The questions of an evaluation with their facts, in one fixed order for every arm."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq


@dataclass(frozen=True)
class AskedQuestion:
    """One (fact, template) pair.

    `options[correct]` is the answer; `aliases` name all true objects, `object_names` do object by
    object. `again` says that the fact is asked in another phrasing before this one.
    """

    pool: str
    fact: str
    template: str
    cluster: str
    subject: int
    relation: int
    relation_label: str
    subject_label: str
    prompt: str
    options: tuple[str, ...]
    option_entities: tuple[int, ...]
    correct: int
    aliases: tuple[str, ...]
    object_names: tuple[tuple[str, ...], ...]
    again: bool


def asked_questions(facts_folder: Path, pools: tuple[str, ...]) -> list[AskedQuestion]:
    """Every test question of `pools`, by pool and fact; a fact's phrasings in the file's order."""
    facts = {row["fact"]: row for row in pq.read_table(facts_folder / "facts.parquet").to_pylist()}
    asked: list[AskedQuestion] = []
    seen: set[str] = set()
    for row in pq.read_table(facts_folder / "questions.parquet").to_pylist():
        fact = facts[row["fact"]]
        if row["split"] == "test" and fact["pool"] in pools:
            asked.append(
                AskedQuestion(
                    pool=fact["pool"],
                    fact=row["fact"],
                    template=row["template"],
                    cluster=fact["cluster"],
                    subject=fact["subject"],
                    relation=fact["relation"],
                    relation_label=fact["relation_label"],
                    subject_label=fact["subject_label"],
                    prompt=row["prompt"],
                    options=tuple(fact["options"]),
                    option_entities=tuple(fact["option_entities"]),
                    correct=fact["correct"],
                    aliases=tuple(fact["aliases"]),
                    object_names=tuple(tuple(names) for names in fact["object_names"]),
                    again=row["fact"] in seen,
                )
            )
            seen.add(row["fact"])
    return sorted(asked, key=lambda item: (pools.index(item.pool), item.fact))
