"""`infact export`: the questions for other harnesses, and as a facts file."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from ...errors import UserError
from ...kg.graph_records import Origin
from ...kg.questions.bear_writer import write_bear
from ...kg.questions.facts_writer import facts_lines
from ...kg.questions.pools import ASKED, EDITED
from ...kg.questions.probes import Probe
from ..console import Console
from ..run import existing_artifacts
from .asked_questions import AskedQuestion, asked_questions
from .lm_eval_tasks import write_lm_eval
from .probe import read_probes

if TYPE_CHECKING:
    from ..project import Project

Pools = Mapping[str, Sequence[Probe]]


@dataclass(frozen=True)
class Export:
    """What is written where.

    Attributes:
        name: what the questions are called as a whole.
        pools: probes by pool letter; one pool "" where there are none.
        format: "lm-eval", "bear" or "jsonl".
        out: folder to make; it must not hold anything yet.
    """

    name: str
    pools: Pools
    format: str
    out: Path


def facts_to_export(facts: Path, format: str, out: Path) -> Export:
    """The facts of a facts file or a BEAR folder.

    Raises:
        UserError: they are faulty.
    """
    _check_format(format)
    name = facts.absolute().name.split(".")[0] or "facts"
    return Export(name, {"": read_probes(facts)}, format, out)


def project_to_export(project: "Project", format: str, out: Path, pools: Sequence[str]) -> Export:
    """The test questions of a project.

    Args:
        project: its facts stage must have been run.
        format: see `Export`.
        out: see `Export`.
        pools: letters; if there are none, all that have questions but those of an edited graph,
            which nobody else reads.

    Raises:
        UserError: the stage hasn't been run, or a pool has no questions.
    """
    _check_format(format)
    folder = existing_artifacts(project, ["facts"])["facts"]
    facts = pq.read_table(folder / "facts.parquet", columns=["fact", "pool", "source", "line"])
    rows = facts.to_pylist()
    places = {row["fact"]: Origin(row["source"], row["line"]).place for row in rows}
    probes: dict[str, list[Probe]] = {}
    for question in asked_questions(folder, ASKED):
        probe = question_probe(question, places[question.fact])
        probes.setdefault(question.pool, []).append(probe)
    if unknown := [pool for pool in pools if pool not in probes]:
        problem = f"no test question is in pool {unknown[0]!r}"
        raise UserError(problem, "--pools", f"Choose among {', '.join(probes)}.")
    wanted = pools or [pool for pool in ASKED if pool not in EDITED]
    chosen = {pool: probes[pool] for pool in probes if pool in wanted}
    return Export(project.name, chosen, format, out)


def question_probe(question: AskedQuestion, source: str) -> Probe:
    """A project's question, as an evaluation on its own asks it: the answer completes the prompt."""
    before = f"{question.prompt} "
    name = f"{question.fact}/{question.template}"
    return Probe(
        probe=name,
        relation=question.relation_label,
        subject=question.subject_label,
        cluster=question.subject_label or name,
        prompt=before.rstrip(" "),
        before=before,
        after="",
        statements=tuple(f"{before}{option}" for option in question.options),
        options=question.options,
        correct=question.correct,
        aliases=question.aliases,
        source=source,
    )


def write_export(export: Export, console: Console) -> None:
    """Write the folder whole or not at all, and say how it is used.

    Raises:
        UserError: the folder isn't empty or can't be written, or the format can't hold a question.
    """
    with _new_folder(export.out) as folder:
        lines = FORMATS[export.format](export, folder)
    count = sum(len(probes) for probes in export.pools.values())
    console.line(f"{count} questions are in {export.out}")
    for line in lines:
        console.line(line)
    console.result(
        {
            "folder": str(export.out),
            "format": export.format,
            "questions": {pool or "all": len(probes) for pool, probes in export.pools.items()},
            "notes": lines,
        }
    )


def _write_lm_eval(export: Export, folder: Path) -> list[str]:
    groups = write_lm_eval(export.name, export.pools, folder)
    return [
        f"groups: {', '.join(groups)}",
        # Where a tokenizer has a token for the beginning, infact reads it before every text.
        "run: lm_eval --model hf --model_args pretrained=MODEL,add_bos_token=True "
        f"--include_path {export.out} --tasks {groups[0]}",
    ]


def _write_bear(export: Export, folder: Path) -> list[str]:
    lines = []
    for pool, probes in export.pools.items():
        own = folder / pool
        own.mkdir(exist_ok=True)
        made = write_bear(probes, own)
        lines.append(f"{export.out / pool}: {made.relations} relations")
        if made.capitalised:
            lines.append(
                f"{made.capitalised} questions begin with a small letter, which BEAR's readers "
                "make large; lm-pub-quiz keeps it with Evaluator.from_model(…, capitalize=False)"
            )
    return [*lines, f'read it with: lm_pub_quiz.Dataset.from_path("{export.out / pool}")']


def _write_jsonl(export: Export, folder: Path) -> list[str]:
    lines = []
    for pool, probes in export.pools.items():
        name = f"{pool or 'facts'}.jsonl"
        written, repeats = facts_lines(probes)
        (folder / name).write_text("".join(written), encoding="utf-8")
        lines.append(f"{export.out / name}: {len(written)} facts")
        if repeats:
            lines.append(f"{repeats} questions only repeat another: each is written once")
    return lines


FORMATS: Mapping[str, Callable[[Export, Path], list[str]]] = {
    "lm-eval": _write_lm_eval,
    "bear": _write_bear,
    "jsonl": _write_jsonl,
}


def _check_format(format: str) -> None:
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise UserError(f"the format {format!r} is not known", "--format", f"Choose among {known}.")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name when all is written."""
    work = out.with_name(f"{out.name}.partial")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            problem = "the folder for the export holds something already"
            raise UserError(problem, str(out), "Name a new folder with --out.")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        yield work
        if out.exists():
            out.rmdir()
        work.rename(out)
    except OSError as error:
        problem = f"the export can't be written: {error.strerror or error}"
        raise UserError(problem, str(out), "Free some space, or name another folder.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
