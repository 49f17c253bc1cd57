"""`infact compare A B`: two runs on the questions that both asked, paired question by question."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from ..console import Console
from ..measures.arm_roles import in_order
from ..measures.numbers import rounded
from ..measures.statistics import Call, PairedComparison, make_calls, paired_comparison
from ..words import bare_percent, clean_text, count, p_value, points, shorten, span
from .answered_runs import Question, RunPool, read_run
from .table import Table
from .terminal_table import terminal_table

SEED = 0  # of the bootstrap; the same runs give the same intervals
SHOWN = 10  # gained and lost facts of each comparison
LONGEST_FACT = 60  # characters
ROUNDED = ("difference", "low", "high", "detectable")

Json = dict[str, Any]
Runs = tuple[Mapping[str, RunPool], Mapping[str, RunPool]]


@dataclass(frozen=True)
class SharedQuestions:
    """The questions of a pool that both runs asked with the same options, and what else each asked."""

    pool: str
    shared: tuple[Question, ...]
    other_options: int
    only_first: int
    only_second: int


@dataclass(frozen=True)
class ComparedArms:
    """An arm of the first run against one of the second in a pool."""

    pool: str
    first: str
    second: str
    accuracy_first: float
    accuracy_second: float
    found: PairedComparison
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def compare(first: Path, second: Path, arms: tuple[str, str], console: Console) -> None:
    """Print every pool and arm that both runs have, the second minus the first.

    Args:
        first: report.json, its folder, or a folder of `infact eval --model … --facts …`.
        second: the same.
        arms: which arm of each; empty for every arm under the same name.
        console: for the words.

    Raises:
        UserError: one isn't a run, or they have nothing in common.
    """
    if first.resolve() == second.resolve() and arms[0] == arms[1]:
        fix = "name two runs, or one run with --arm-a and --arm-b"
        raise UserError("a run is compared with itself", str(first), fix)
    runs = read_run(first), read_run(second)
    where = f"{first} and {second}"
    shared = _shared(runs, where)
    compared = _compared(runs, shared, arms, where)
    calls = make_calls([_decided_by(entry.found) for entry in compared])
    console.line(f"A  {first}\nB  {second}\n")
    for pool in shared:
        console.line(_shared_words(pool))
    console.line(f"\n{terminal_table(_table(compared, calls))}")
    for entry in compared:
        _list_facts(entry, console)
    console.result(
        {
            "first": str(first),
            "second": str(second),
            "questions": [{**asdict(pool), "shared": len(pool.shared)} for pool in shared],
            "comparisons": [_entry(*both) for both in zip(compared, calls, strict=True)],
        }
    )


def _decided_by(found: PairedComparison) -> tuple[float, float, float]:
    return found.clustered_p, rounded(found.low), rounded(found.high)


def _shared(runs: Runs, where: str) -> list[SharedQuestions]:
    first, second = runs
    found = [_shared_questions(key, first[key], second[key]) for key in first if key in second]
    found = [pool for pool in found if pool.shared]
    if not found:
        pools = " and ".join(", ".join(run) for run in runs)
        problem = f"the runs have no question in common (pools {pools})"
        raise UserError(problem, where, "compare runs on the same facts and phrasings")
    return found


def _shared_questions(pool: str, first: RunPool, second: RunPool) -> SharedQuestions:
    both = [question for question in first.places if question in second.places]
    same = tuple(
        question
        for question in both
        if first.options[first.places[question]] == second.options[second.places[question]]
    )
    return SharedQuestions(
        pool=pool,
        shared=same,
        other_options=len(both) - len(same),
        only_first=len(first.places) - len(both),
        only_second=len(second.places) - len(both),
    )


def _compared(
    runs: Runs, shared: list[SharedQuestions], arms: tuple[str, str], where: str
) -> list[ComparedArms]:
    known = [{arm for pool in run.values() for arm in pool.right} for run in runs]
    pairs = [arms] if all(arms) else [(arm, arm) for arm in in_order(sorted(known[0] & known[1]))]
    compared = [
        _compared_arms(pool, runs, pair)
        for pool in shared
        for pair in pairs
        if pair[0] in runs[0][pool.pool].right and pair[1] in runs[1][pool.pool].right
    ]
    if not compared:
        has = "; ".join(
            f"{run} has {', '.join(in_order(sorted(names)))}"
            for run, names in zip("AB", known, strict=True)
        )
        wanted = f"arms {arms[0]} and {arms[1]}" if all(arms) else "arm of the same name"
        problem = f"the runs have no {wanted} in a pool that both asked"
        raise UserError(problem, f"{where}: {has}", "name one of each with --arm-a and --arm-b")
    return compared


def _compared_arms(pool: SharedQuestions, runs: Runs, arms: tuple[str, str]) -> ComparedArms:
    first, second = (run[pool.pool] for run in runs)
    rows = [[of.places[question] for question in pool.shared] for of in (first, second)]
    before, after = first.right[arms[0]][rows[0]], second.right[arms[1]][rows[1]]
    was, now = before > 0.5, after > 0.5
    facts = np.array([fact for fact, _ in pool.shared])
    return ComparedArms(
        pool=pool.pool,
        first=arms[0],
        second=arms[1],
        accuracy_first=float(before.mean()),
        accuracy_second=float(after.mean()),
        found=paired_comparison(before, after, first.clusters[rows[0]], SEED),
        gained=tuple(dict.fromkeys(facts[~was & now].tolist())),
        lost=tuple(dict.fromkeys(facts[was & ~now].tolist())),
    )


def _shared_words(pool: SharedQuestions) -> str:
    rest = (
        (pool.only_first, "only in A"),
        (pool.only_second, "only in B"),
        (pool.other_options, "asked with other options, left out"),
    )
    words = "".join(f"; {count(number)} {what}" for number, what in rest if number)
    return f"{pool.pool}: {count(len(pool.shared))} questions in both{words}"


def _arms_words(entry: ComparedArms) -> str:
    return entry.first if entry.first == entry.second else f"{entry.first} → {entry.second}"


def _table(compared: list[ComparedArms], calls: list[Call]) -> Table:
    head = (
        *("pool", "arm", "A, %", "B, %", "B − A, points", "95 % interval", "gained", "kept"),
        *("lost", "never right", "McNemar p", "p by subject", "Holm p", "beyond chance"),
        "detectable",
    )
    rows = tuple(
        (
            entry.pool,
            clean_text(_arms_words(entry)),
            bare_percent(entry.accuracy_first),
            bare_percent(entry.accuracy_second),
            points(entry.found.difference),
            span(entry.found.low, entry.found.high),
            *(count(number) for number in (entry.found.gained, entry.found.kept)),
            *(count(number) for number in (entry.found.lost, entry.found.missed)),
            *(p_value(p) for p in (entry.found.mcnemar_p, entry.found.clustered_p, call.holm_p)),
            "yes" if call.beyond_chance else "no",
            bare_percent(entry.found.detectable),
        )
        for entry, call in zip(compared, calls, strict=True)
    )
    return Table(head, rows, text_columns=2)


def _list_facts(entry: ComparedArms, console: Console) -> None:
    for what, facts in (("gained", entry.gained), ("lost", entry.lost)):
        if facts:
            more = f" and {count(len(facts) - SHOWN)} more" if len(facts) > SHOWN else ""
            named = ", ".join(shorten(clean_text(fact), LONGEST_FACT) for fact in facts[:SHOWN])
            console.line(f"{entry.pool}, {_arms_words(entry)}: {what} {named}{more}")


def _entry(entry: ComparedArms, call: Call) -> Json:
    found = asdict(entry.found)
    return {
        "pool": entry.pool,
        "arm_a": entry.first,
        "arm_b": entry.second,
        "accuracy_a": rounded(entry.accuracy_first),
        "accuracy_b": rounded(entry.accuracy_second),
        **{key: rounded(value) if key in ROUNDED else value for key, value in found.items()},
        **asdict(call),
        "gained_facts": list(entry.gained),
        "lost_facts": list(entry.lost),
    }
