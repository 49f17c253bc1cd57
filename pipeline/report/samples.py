"""Sample facts of each pool, drawn by the seed from what changed and what didn't."""

import html
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa

from ..measures.arm_roles import BASE, arm_kind
from ..measures.paired_answers import PoolAnswers
from ..words import clean_text
from .fact_chain import ChainSources, fact_chains

FACTS_PER_POOL = 40
SHOWN_CITATIONS = 5
CHANGES = ("gained", "lost", "kept", "missed")  # in the order of the draw
SAMPLE_BYTES = 1_000_000  # what all samples may add to the page, which is to stay below 2 MB
BYTES_A_FACT, BYTES_AN_ANSWER = 1_300, 150  # markup around the words, as the page writes it

Json = dict[str, Any]


def sample_facts(
    answers: pa.Table,
    sources: ChainSources,
    pools: Mapping[str, PoolAnswers],
    names: Sequence[str],
    primary: str,
    seed: int,
) -> dict[str, list[Json]]:
    """The facts by pool; each has its question, options, chain and every arm's answer.

    The draw is stratified: facts that the primary arm (or, where it wasn't asked, the first route)
    gained, lost, kept and missed take turns, each kind in random order. Each pool has an equal part
    of SAMPLE_BYTES and shows fewer than FACTS_PER_POOL where its texts are long, but at least one.
    Answers are those of each arm's first seed; changes go by most seeds.
    """
    drawn = {key: _draw(pool, names, primary, seed) for key, pool in pools.items()}
    wanted = {pools[key].questions[at][0] for key, places in drawn.items() for at in places}
    chains = fact_chains(sources, wanted)
    labels = _labels(sources.facts, wanted)
    allowed = SAMPLE_BYTES // max(1, len(pools))
    samples = {}
    for key, pool in pools.items():
        asked = [name for name in names if name in pool.rows]
        rows = {name: answers.take(pool.rows[name][drawn[key]]).to_pylist() for name in asked}
        described = (
            {
                **labels[pool.questions[at][0]],
                **_question(rows[BASE if BASE in asked else asked[0]][number]),
                **chains[pool.questions[at][0]],
                "stratum": _stratum(pool, names, primary, at),
                "answers": [_answer(pool, name, at, rows[name][number]) for name in asked],
            }
            for number, at in enumerate(drawn[key])
        )
        samples[key] = list(_within(described, allowed))
    return samples


def change_of(pool: PoolAnswers, arm: str, at: int) -> str | None:
    """What became of a question between the base and the arm; None for the base itself."""
    if arm == BASE or BASE not in pool.right:
        return None
    was, now = bool(pool.right[BASE][at] > 0.5), bool(pool.right[arm][at] > 0.5)
    return {(0, 1): "gained", (1, 0): "lost", (1, 1): "kept", (0, 0): "missed"}[was, now]


def _stratifying_arm(pool: PoolAnswers, names: Sequence[str], primary: str) -> str | None:
    if BASE not in pool.right:
        return None
    routes = (name for name in names if name in pool.right and arm_kind(name).role == "route")
    return primary if primary in pool.right else next(routes, None)


def _stratum(pool: PoolAnswers, names: Sequence[str], primary: str, at: int) -> Json | None:
    arm = _stratifying_arm(pool, names, primary)
    return None if arm is None else {"arm": clean_text(arm), "change": change_of(pool, arm, at)}


def _draw(pool: PoolAnswers, names: Sequence[str], primary: str, seed: int) -> list[int]:
    """Numbers of questions in the order of the draw."""
    arm = _stratifying_arm(pool, names, primary)
    changes = [
        None if arm is None else change_of(pool, arm, at) for at in range(len(pool.questions))
    ]
    random = np.random.default_rng(seed)
    strata = [
        random.permutation([at for at, found in enumerate(changes) if found == change]).tolist()
        for change in (CHANGES if any(changes) else (None,))
    ]
    turns = [at for turn in zip_longest(*strata) for at in turn if at is not None]
    return [int(at) for at in turns[:FACTS_PER_POOL]]


def _labels(facts: pa.Table, wanted: set[str]) -> dict[str, Json]:
    columns = facts.select(["fact", "subject_label", "relation_label", "answer"])
    return {
        row["fact"]: {
            "fact": clean_text(row["fact"]),
            "subject": clean_text(row["subject_label"] or ""),
            "relation": clean_text(row["relation_label"] or ""),
            "answer": clean_text(row["answer"]),
        }
        for row in columns.to_pylist()
        if row["fact"] in wanted
    }


def _question(row: Json) -> Json:
    return {
        "question": clean_text(row["prompt"] or ""),
        "options": [clean_text(option) for option in row["options"]],
        "correct": row["correct"],
    }


def _answer(pool: PoolAnswers, arm: str, at: int, given: Json) -> Json:
    options, chosen, generated = given["options"], given["chosen"], given["generated"]
    return {
        "arm": clean_text(arm),
        "chosen": clean_text(options[chosen]) if 0 <= chosen < len(options) else None,
        "right": given["right"],
        "change": change_of(pool, arm, at),
        "generated": None if generated is None else clean_text(generated),
        "generated_right": given["generated_right"],
        "outcome": given["outcome"],
        "cited": [clean_text(line) for line in (given["cited"] or ())[:SHOWN_CITATIONS]],
    }


def _within(samples: Iterator[Json], allowed: int) -> Iterator[Json]:
    """The samples that fit into so many bytes of the page; the first one always."""
    for number, sample in enumerate(samples):
        allowed -= page_bytes(sample)
        if allowed < 0 and number:
            return
        yield sample


def page_bytes(sample: Json) -> int:
    """About how much a sample adds to the page; a line read by several arms stands there once."""
    answers = sample["answers"]
    cited = {line for answer in answers for line in answer["cited"]}
    texts = [sample["question"], *sample["options"], *sample["sentences"], *cited]
    texts += [sample["answer"], sample["subject"], sample["source"], sample["relation"]]
    texts.append(sample["told_before"] or "")
    texts += [answer["chosen"] or "" for answer in answers]
    texts += [answer["generated"] or "" for answer in answers]
    texts += [answer["arm"] for answer in answers] * 2
    texts += list((sample["triple"] or {}).values())
    words = sum(len(html.escape(text).encode()) for text in texts)
    return words + BYTES_A_FACT + BYTES_AN_ANSWER * len(answers)
