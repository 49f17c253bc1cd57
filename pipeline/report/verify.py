"""`infact verify report.json`: does every number of a report follow from the answers in it?

All that derived.py makes is made again from `rows`, without a model, and compared. Costs,
perplexity, training curves, findings and provenance are taken as they were recorded; nothing can be recomputed
from them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..artifacts import file_digest
from ..console import Console
from ..measures.answered_pools import FIX, AnsweredPool, read_rows
from .derived import Declared, derive
from .document import REPORT_JSON, read_report
from .targets import MEASURES, Target

LAST_DECIMAL = 1.01e-4  # what rounding on another machine may change in the report's fourth decimal
CLOSE, TINY = 1e-6, 1e-12  # of p values and variances, which stand there in full
SHOWN = 40
# What an entry of a list is known by, in the order in which a person would name it.
NAMES = ("name", "by", "value", "control", "arm", "measure", "pool", "against", "template")
DIGEST = "sha256"
UNSAID = ("pools",)  # between an arm and its pools

Json = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """An entry that doesn't follow: where it stands in words, what it says, what the rows give."""

    where: str
    report: Any
    rows: Any

    def __str__(self) -> str:
        given = "it has" if self.where.endswith(DIGEST) else "rows give"
        return f"{self.where}: report says {_words(self.report)}, {given} {_words(self.rows)}"


def verify(path: Path, console: Console) -> bool:
    """Print whether every number follows, or each that doesn't; whether all do.

    Args:
        path: report.json, or a folder that holds it.
        console: for the words.

    Raises:
        UserError: it isn't a report in this format, or its rows contradict themselves.
    """
    path = path / REPORT_JSON if path.is_dir() else path
    report = read_report(path)
    pools = read_rows(report.get("rows"))
    answers = sum(len(p.facts) * len(seeds) for p in pools.values() for seeds in p.arms.values())
    found = [*differences(report, pools), *_changed_files(report, path.parent)]
    for difference in found[:SHOWN]:
        console.line(str(difference))
    if len(found) > SHOWN:
        console.line(f"… and {len(found) - SHOWN} more; --json lists them all")
    if found:
        console.line(
            f"{len(found)} entries don't follow from the {answers:,} answers in the report"
        )
    else:
        console.line(f"every number follows from {answers:,} answers")
    console.result(
        {"follows": not found, "answers": answers, "differences": [asdict(one) for one in found]}
    )
    return not found


def differences(report: Json, pools: Mapping[str, AnsweredPool]) -> Iterator[Difference]:
    """Each entry of a report that doesn't follow from its rows."""
    for section, derived in derive(pools, _declared(report)).items():
        if section not in report:
            yield Difference(section, "nothing", derived)
        else:
            yield from _compare((section,), report[section], derived)
    yield from _sample_differences(report, pools)


def _compare(where: tuple[str, ...], report: Any, rows: Any) -> Iterator[Difference]:
    if isinstance(rows, dict) and isinstance(report, dict):
        for key in dict.fromkeys((*rows, *report)):
            place = where if key in UNSAID else (*where, str(key))
            if key in rows and key in report:
                yield from _compare(place, report[key], rows[key])
            else:
                yield Difference(_path(place), report.get(key, "nothing"), rows.get(key, "nothing"))
    elif isinstance(rows, list) and isinstance(report, list):
        yield from _compare_lists(where, report, rows)
    elif not _agree(where[-1], report, rows):
        yield Difference(_path(where), report, rows)


def _compare_lists(
    where: tuple[str, ...], report: list[Any], rows: list[Any]
) -> Iterator[Difference]:
    """Entries with names are compared by name, others by place."""
    said, given = _by_name(report), _by_name(rows)
    for name in dict.fromkeys((*given, *said)):
        place = (*where, name)
        if name in said and name in given:
            yield from _compare(place, said[name], given[name])
        else:
            found = (said.get(name, "nothing"), given.get(name, "nothing"))
            yield Difference(_path(place), *found)
    if list(said) != list(given) and set(said) == set(given):
        yield Difference(_path(where), f"the order {list(said)}", f"the order {list(given)}")


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, entry in enumerate(entries, start=1):
        table = entry if isinstance(entry, dict) else {}
        known = [table[key] for key in NAMES if table.get(key) and isinstance(table[key], str)]
        name = " / ".join(known) or f"number {number}"
        named[name if name not in named else f"{name} ({number})"] = entry
    return named


def _agree(key: str, report: Any, rows: Any) -> bool:
    if isinstance(rows, float) and type(report) in (int, float):
        in_full = key.endswith("_p") or key == "between"
        least = TINY if in_full else LAST_DECIMAL
        return math.isclose(report, rows, rel_tol=CLOSE, abs_tol=least)
    return type(report) is type(rows) and bool(report == rows)


def _path(where: Sequence[str]) -> str:
    return " / ".join(where)


def _words(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{len(value)} entries"
    return "nothing" if value is None else str(value)


def _declared(report: Json) -> Declared:
    """What the report says was declared and recorded.

    Raises:
        UserError: that part can't be read.
    """
    try:
        primary = report["primary"]
        return Declared(
            primary=(str(primary["arm"]), str(primary["pool"])),
            targets=tuple(
                _target(check) for check in report["checks"] if check["measure"] in MEASURES
            ),
            seed=abs(int(report["provenance"]["seed"])),
            costs=_recorded(report["arms"], "cost"),
            perplexity=_recorded(report["arms"], "perplexity"),
            absent=[{"arm": str(e["arm"]), "why": str(e["why"])} for e in report["absent"]],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"what the run declared can't be read: {type(error).__name__} {error}"
        raise UserError(problem, "primary, checks, absent, provenance, arms", FIX) from None


def _target(check: Json) -> Target:
    target = Target(**{field.name: check[field.name] for field in fields(Target)})
    for bound in (target.at_least, target.at_most):
        if bound is not None and type(bound) not in (int, float):
            raise ValueError(f"{bound!r} isn't a bound")
    return target


def _recorded(arms: Sequence[Json], key: str) -> dict[str, Json]:
    """A recorded table of each arm; its values are numbers or missing.

    Raises:
        ValueError: they aren't.
    """
    found = {str(arm["name"]): arm[key] for arm in arms if arm[key] is not None}
    for arm, table in found.items():
        needed = {"ratio": None} if key == "perplexity" else {}
        for name, value in {**needed, **table}.items():
            if type(value) not in (int, float) and (value is not None or name in needed):
                raise ValueError(f"{name} of {arm} isn't a number")
    return found


def _sample_differences(report: Json, pools: Mapping[str, AnsweredPool]) -> Iterator[Difference]:
    """Sample facts whose answers are called right or wrong otherwise than in all the fact's rows."""
    try:
        for key, group in report["samples"].items():
            for sample in group:
                yield from _sample_difference(f"samples / {key}", sample, pools[key])
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"a sample fact can't be read: {error}", "samples", FIX) from None


def _sample_difference(where: str, sample: Json, pool: AnsweredPool) -> Iterator[Difference]:
    numbers = [at for at, fact in enumerate(pool.facts) if fact == sample["fact"]]
    for answer in sample["answers"]:
        right = pool.arms[answer["arm"]][0].right[numbers]
        if answer["right"] not in right.astype(bool).tolist():
            said, given = (f"right: {value}" for value in (answer["right"], not answer["right"]))
            place = f"{where} / {sample['fact']} / {answer['arm']}"
            yield Difference(place, said, given if numbers else "no such fact")


def _changed_files(report: Json, folder: Path) -> Iterator[Difference]:
    """Files beside the report whose bytes aren't those that the report names."""
    files = report.get("files")
    for name, digest in files.items() if isinstance(files, dict) else ():
        path = folder / Path(name).name
        if path.is_file() and file_digest(path) != digest:
            yield Difference(f"{path.name} / {DIGEST}", digest, file_digest(path))
