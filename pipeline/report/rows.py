"""The answers themselves inside report.json: `rows`, compact, so that every number can be recomputed.

One block a pool, one column a property of its questions, and one block an arm and seed. Confidence
takes three digits a question, a free answer one letter; answered_pools.py reads them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...errors import UserError
from ..measures.paired_answers import PoolAnswers
from ..words import clean_text

UNCALIBRATED = ("link prediction", "majority object")  # their scores aren't log-probabilities
LETTERS = {"right": "r", "wrong": "w", "not attempted": "n", None: "-"}
SUREST = 999  # thousandths: three digits
LIST_DECIMALS = 4

Json = dict[str, Any]


def report_rows(
    answers: pa.Table,
    facts: pa.Table,
    pools: Mapping[str, PoolAnswers],
    knowledge: Mapping[str, str],
) -> Json:
    """All answers by pool.

    Args:
        answers: as answer_rows.py writes them.
        facts: facts.parquet of the facts stage.
        pools: the answers lined up.
        knowledge: by fact, what the base knew of it before it was taught; of the others nothing is told.

    Raises:
        UserError: a fact that was asked isn't among the facts.
    """
    places = {fact: row for row, fact in enumerate(facts["fact"].to_pylist())}
    return {key: _pool_rows(answers, facts, places, knowledge, pool) for key, pool in pools.items()}


def distinct_names(names: Iterable[str]) -> dict[str, str]:
    """Each name as a report may show it; names that would then read alike are numbered.

    >>> distinct_names(["a\\x00", "a", "b"])
    {'a\\x00': 'a', 'a': 'a (2)', 'b': 'b'}
    """
    shown: dict[str, str] = {}
    for name in names:
        clean, number = clean_text(name), 1
        label = clean
        while label in shown.values():
            number += 1
            label = f"{clean} ({number})"
        shown[name] = label
    return shown


def confidence(scores: Sequence[float], chosen: int) -> float:
    """The softmax of a question's scores over its options, at the chosen one."""
    shares = np.exp(np.array(scores) - max(scores))
    return float(shares[chosen] / shares.sum())


def _pool_rows(
    answers: pa.Table,
    facts: pa.Table,
    places: Mapping[str, int],
    knowledge: Mapping[str, str],
    pool: PoolAnswers,
) -> Json:
    first = next(iter(pool.rows.values()))
    asked = answers.select(["cluster", "relation_label", "options", "correct"]).take(first)
    about = facts.take(_fact_rows(pool, places))
    return {
        "facts": [clean_text(fact) for fact, _ in pool.questions],
        **_numbered("template", [template for _, template in pool.questions]),
        "clusters": np.unique(_words(asked["cluster"]), return_inverse=True)[1].tolist(),
        **_numbered("relation", _words(asked["relation_label"])),
        "degrees": [degree or 0 for degree in about["degree"].to_pylist()],
        **_numbered("language", _words(about["language"])),
        **_numbered("knowledge", [knowledge.get(fact, "") for fact, _ in pool.questions]),
        "options": [len(options) for options in asked["options"].to_pylist()],
        "correct": asked["correct"].to_pylist(),
        "before": [-1 if place is None else place for place in about["before"].to_pylist()],
        "objects": [max(1, len(names)) for names in about["object_names"].to_pylist()],
        "arms": {
            arm: [_seed_rows(answers, arm, seed, rows) for seed, rows in seeds.items()]
            for arm, seeds in pool.seed_rows.items()
        },
    }


def _fact_rows(pool: PoolAnswers, places: Mapping[str, int]) -> list[int]:
    missing = next((fact for fact, _ in pool.questions if fact not in places), None)
    if missing is not None:
        fix = "run `infact eval` again, on these facts"
        raise UserError("a fact that was asked isn't among the facts", f"fact {missing}", fix)
    return [places[fact] for fact, _ in pool.questions]


def _numbered(name: str, words: Sequence[str]) -> Json:
    """A column of words as numbers into a list of the words, in the order of their coming."""
    shown = distinct_names(dict.fromkeys(words))
    order = {word: number for number, word in enumerate(shown)}
    return {f"{name}s": [order[word] for word in words], f"{name}_names": list(shown.values())}


def _seed_rows(answers: pa.Table, arm: str, seed: int, rows: NDArray[np.intp]) -> Json:
    names = ["chosen", "scores", "outcome", "precision", "recall"]
    given = answers.select(names).take(rows)
    chosen = given["chosen"].to_pylist()
    return {
        "seed": seed,
        "chosen": chosen,
        "confidence": "" if arm in UNCALIBRATED else _digits(given["scores"].to_pylist(), chosen),
        "free": "".join(LETTERS[outcome] for outcome in given["outcome"].to_pylist()),
        "precision": _listed(given["precision"]),
        "recall": _listed(given["recall"]),
    }


def _digits(scores: Sequence[Sequence[float]], chosen: Sequence[int]) -> str:
    """Each question's confidence in thousandths."""
    shares = (confidence(values, place) for values, place in zip(scores, chosen, strict=True))
    return "".join(f"{min(SUREST, round(1000 * share)):03d}" for share in shares)


def _listed(column: pa.ChunkedArray) -> list[list[float]]:
    return [
        [number, round(value, LIST_DECIMALS)]
        for number, value in enumerate(column.to_pylist())
        if value is not None
    ]


def _words(column: pa.ChunkedArray) -> list[str]:
    return [word or "" for word in column.to_pylist()]
