"""`infact eval --model X --facts FILE`: one model on one file of facts, without a project.

Rows go to disk as they are made. They lie in a folder whose name is a digest of the model's weights,
the facts and the graph, so a run that was cut off goes on, and a changed model is never taken for
the one that was asked.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..kg.bear import read_bear
from ..kg.facts_file import read_facts_file
from ..kg.probes import Probe, written_probe
from . import machine
from .artifacts import Recipe, digest_of, file_digest, publish, read_manifest, work_folder
from .console import Console
from .statistics import accuracy_interval

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = dict[str, Any]

PROBES_AT_ONCE = 128  # between two writes to disk
ROWS, RESULT = "rows.jsonl", "result.json"
OUT = Path("evaluations")
MAX_FACTS = 32  # of the graph, before a question


@dataclass(frozen=True)
class Asked:
    """What is asked of which model.

    Attributes:
        model: folder of weights or of an adapter.
        base: folder of the adapter's base; None for the one that it names.
        facts: JSONL file or BEAR folder.
        graph: folder of an ingested graph, whose facts are put before the questions; or None.
        out: folder for results.
        precision: "float32", "bfloat16" or "auto".
        batch_tokens: padded tokens of one forward pass.
    """

    model: Path
    facts: Path
    base: Path | None = None
    graph: Path | None = None
    out: Path = OUT
    precision: str = "float32"
    batch_tokens: int = 2048


def read_probes(path: Path) -> list[Probe]:
    """Read a JSONL file of facts, or a folder laid out as BEAR is.

    Raises:
        UserError: there is nothing there, or a line is faulty.
    """
    if path.is_dir():
        return read_bear(path)
    name = str(path)
    probes = [written_probe(fact, f"{name}:{line}") for line, fact in read_facts_file(path, name)]
    if not probes:
        raise UserError("there is no fact in the file", name, "Write one JSON object a line.")
    return probes


def evaluate(asked: Asked, console: Console) -> None:
    """Score every probe, write the rows, and print what share is right."""
    probes = read_probes(asked.facts)
    from ..models.language_model import model_folders  # heavy: after the facts have been read

    recipe = Recipe(
        "eval",
        version=1,
        settings={"precision": asked.precision},
        seed=None,
        inputs={
            "model": digest_of([file_digest(of) for of in model_folders(asked.model, asked.base)]),
            "facts": digest_of([asdict(probe) for probe in probes]),
            "graph": file_digest(asked.graph) if asked.graph else "",
        },
    )
    folder = recipe.folder(asked.out)
    seconds = 0.0
    if read_manifest(folder) is None:
        with work_folder(asked.out, recipe, resumable=True) as work:
            started = time.monotonic()
            asked_now = _make_rows(asked, probes, work, console)
            seconds = time.monotonic() - started
            result = _result(asked, _whole_rows(work / ROWS))
            (work / RESULT).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            publish(asked.out, recipe, {"packages": machine.package_versions()})
    else:
        asked_now = 0
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    rate = asked_now / seconds if asked_now else None
    _show(result, folder, rate, console)


def _make_rows(asked: Asked, probes: Sequence[Probe], work: Path, console: Console) -> int:
    """Append the rows that `work` lacks; how many there were."""
    from ..models.base_model import resolve_precision
    from ..models.language_model import load_language_model
    from ..models.masked_scoring import pseudo_log_likelihoods
    from ..models.statement_scoring import statement_log_likelihoods

    path = work / ROWS
    kept = _whole_rows(path)
    path.write_text("".join(_line(row) for row in kept), encoding="utf-8")  # less a cut-off line
    done = {(row["arm"], row["probe"]) for row in kept}
    loaded = load_language_model(asked.model, asked.base, resolve_precision(asked.precision))
    score = pseudo_log_likelihoods if loaded.kind == "masked" else statement_log_likelihoods
    made = 0
    for arm, contexts, cited in _arms(asked, probes, loaded.tokenizer):
        left = [n for n, probe in enumerate(probes) if (arm, probe.probe) not in done]
        with (
            console.progress(f"asking {arm}", len(left), "facts") as advance,
            path.open("a", encoding="utf-8") as file,
        ):
            for start in range(0, len(left), PROBES_AT_ONCE):
                numbers = left[start : start + PROBES_AT_ONCE]
                scores = score(
                    loaded.model,
                    loaded.tokenizer,
                    [probes[number].statements for number in numbers],
                    [contexts[number] for number in numbers],
                    asked.batch_tokens,
                )
                for number, of in zip(numbers, scores, strict=True):
                    file.write(_line(_row(arm, probes[number], of, cited[number])))
                file.flush()
                os.fsync(file.fileno())
                advance(len(numbers))
        made += len(left)
    return made


def _arms(
    asked: Asked, probes: Sequence[Probe], tokenizer: "PreTrainedTokenizerBase"
) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Each arm's name, what it reads before each probe, and the facts cited there."""
    yield "base", [""] * len(probes), [[] for _ in probes]
    if asked.graph is None:
        return
    from .arms import augmented
    from .graph_reader import GraphReader

    reader = GraphReader.of_graph(asked.graph)
    prompts = [probe.prompt for probe in probes]
    told, lines = augmented(reader, tokenizer, prompts, MAX_FACTS)
    contexts = [text.removesuffix(prompt) for text, prompt in zip(told, prompts, strict=True)]
    cited = [[reader.citation(fact) for line in told for fact in line.facts] for told in lines]
    yield "base + prompt", contexts, cited


def _row(arm: str, probe: Probe, scores: np.ndarray, cited: list[str]) -> Row:
    chosen = int(scores.argmax())
    return {
        "arm": arm,
        "probe": probe.probe,
        "relation": probe.relation,
        "subject": probe.subject,
        "cluster": probe.cluster,
        "options": list(probe.options),
        "scores": [round(float(score), 5) for score in scores],
        "chosen": chosen,
        "correct": probe.correct,
        "right": chosen == probe.correct,
        "cited": cited,
        "source": probe.source,
    }


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _whole_rows(path: Path) -> list[Row]:
    """The rows of a file, less a last one that a kill cut off."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _result(asked: Asked, rows: Sequence[Row]) -> Row:
    arms = []
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        relations = {
            relation: _accuracy([row for row in own if row["relation"] == relation])
            for relation in dict.fromkeys(row["relation"] for row in own)
        }
        arms.append({"name": arm, **_accuracy(own), "relations": relations})
    return {"model": str(asked.model), "facts": str(asked.facts), "arms": arms}


def _accuracy(rows: Sequence[Row]) -> Row:
    """Accuracy with its 95 % interval, clustered by subject."""
    right = np.array([row["right"] for row in rows], dtype=float)
    found = accuracy_interval(right, np.array([row["cluster"] for row in rows]))
    ends = {"accuracy": found.estimate, "low": found.low, "high": found.high}
    return {**{name: round(value, 6) for name, value in ends.items()}, "n": found.n}


def _show(result: Row, folder: Path, rate: float | None, console: Console) -> None:
    for arm in result["arms"]:
        console.line(f"{arm['name']}: {_words(arm)}")
        for relation, found in arm["relations"].items():
            console.line(f"  {relation}: {_words(found)}")
    console.line(f"{folder / ROWS}" + (f", {rate:.1f} facts a second" if rate else ", kept"))
    told = {**result, "rows": str(folder / ROWS)}
    console.result({**told, "facts_per_second": round(rate, 3)} if rate else told)


def _words(found: Row) -> str:
    ends = f"{found['low']:.1%} to {found['high']:.1%}"
    return f"{found['accuracy']:.1%} of {found['n']} right ({ends})"
