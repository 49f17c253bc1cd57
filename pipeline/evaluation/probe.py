"""`infact eval --model X --facts FILE`: one model on one file of facts, without a project.

A model chooses among each fact's options and, if it is a causal one, writes an answer of its own.
Results lie in a folder whose name is a digest of the model's files (weights, tokenizer, adapter and
its base), the facts and the graph, so a run that was cut off goes on to the same bytes, and a changed
model is never taken for the one that was asked. With `--json`:

    {"model", "kind": "causal" or "masked", "facts",
     "arms": [{"name": "base" or "base + prompt", "accuracy", "low", "high", "n",
               "relations": {name: {"accuracy", "low", "high", "n"}},
               "generation": {"n", "right", "wrong", "not_attempted",
                              "lists": {"n", "precision", "recall"} or null} or null}],
     "facts_per_second": only where something was asked,
     "rows": the JSON lines with every answer}

Intervals are of 95 %, clustered by subject; generation's numbers are shares of its n. A fact is asked
freely where the words before its answer name its subject or nothing follows it; lists are of the
facts with several true answers.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UserError
from ...kg.questions.bear import read_bear
from ...kg.questions.facts_file import read_facts_file
from ...kg.questions.probes import Probe, written_probe
from ...kg.readers.json_lines import fault_error
from .. import machine
from ..artifacts import Recipe, digest_of, file_digest, publish, read_manifest, work_folder
from ..console import Console
from ..disk_space import is_full
from .probe_result import Row, result_of
from .probe_rows import ROWS, Asking, ProbeArm, make_rows, read_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ..graph_reader import GraphReader

RESULT = "result.json"
OUT = Path("evaluations")
MAX_FACTS = 32  # of the graph, before a question
PRECISIONS = ("float32", "bfloat16", "auto")


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
    return [written_probe(fact, f"{name}:{line}") for line, fact in read_facts_file(path, name)]


def evaluate(asked: Asked, console: Console) -> None:
    """Ask every probe, write the rows, and print what share is right.

    Raises:
        UserError: the facts, the model or the graph can't be read; a wrong option is true by the
            graph; a question is too long for the model; the disk is full.
    """
    if asked.precision not in PRECISIONS:
        problem = f"there is no precision {asked.precision!r}"
        raise UserError(problem, "--precision", f"Name one of {', '.join(PRECISIONS)}.")
    probes = read_probes(asked.facts)
    reader = _open_graph(asked.graph, probes) if asked.graph else None
    recipe = _recipe(asked, probes, reader)
    folder = recipe.folder(asked.out)
    rate = None
    if read_manifest(folder) is None:
        with work_folder(asked.out, recipe, resumable=True) as work, _a_full_disk_told(work):
            rate = _ask(asked, probes, reader, work, console)
            publish(asked.out, recipe, {"packages": machine.package_versions()})
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    _show(result, folder, rate, console)


def _recipe(asked: Asked, probes: Sequence[Probe], reader: "GraphReader | None") -> Recipe:
    from ...models.language_model import model_folders  # heavy: after the facts have been read

    return Recipe(
        "eval",
        version=2,
        settings={"precision": asked.precision},
        seed=None,
        inputs={
            "model": digest_of([file_digest(of) for of in model_folders(asked.model, asked.base)]),
            "facts": digest_of([asdict(probe) for probe in probes]),
            "graph": file_digest(reader.graph.directory) if reader else "",
        },
    )


def _open_graph(folder: Path, probes: Sequence[Probe]) -> "GraphReader":
    """The graph, by which no wrong option is true."""
    from ...kg.questions.option_checks import true_options
    from ..graph_reader import GraphReader

    reader = GraphReader.of_graph(folder)
    faults = [
        (probe.source, f"the option {found.option!r} is true as well: {found.place}")
        for probe in probes
        for found in true_options(reader.graph, reader.retriever.linker, probe)
    ]
    if faults:
        raise fault_error(faults, "Take the options out, or leave --graph out.")
    return reader


@contextmanager
def _a_full_disk_told(work: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        fix = (
            "Free some space and run again: it goes on from there. Or name another disk with --out."
        )
        raise UserError("the disk is full", str(work), fix) from error


def _ask(
    asked: Asked,
    probes: Sequence[Probe],
    reader: "GraphReader | None",
    work: Path,
    console: Console,
) -> float | None:
    """Make rows and result in `work`; facts a second."""
    from ...models.base_model import resolve_precision
    from ...models.language_model import load_language_model

    loaded = load_language_model(asked.model, asked.base, resolve_precision(asked.precision))
    arms = _arms(probes, reader, loaded.tokenizer)
    rate = make_rows(Asking(loaded, probes, arms, work, asked.batch_tokens), console)
    rows = read_rows(work / ROWS)
    result = result_of(str(asked.model), loaded.kind, str(asked.facts), rows)
    (work / RESULT).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return rate


def _arms(
    probes: Sequence[Probe], reader: "GraphReader | None", tokenizer: "PreTrainedTokenizerBase"
) -> list[ProbeArm]:
    arms = [ProbeArm("base", [""] * len(probes), [()] * len(probes))]
    if reader is not None:
        from ..arms import augmented

        prompts = [probe.prompt for probe in probes]
        told, lines = augmented(reader, tokenizer, prompts, MAX_FACTS)
        contexts = [text.removesuffix(prompt) for text, prompt in zip(told, prompts, strict=True)]
        arms.append(ProbeArm("base + prompt", contexts, [reader.citations(of) for of in lines]))
    return arms


def _show(result: Row, folder: Path, rate: float | None, console: Console) -> None:
    for arm in result["arms"]:
        console.line(f"{arm['name']}: {_words(arm)}")
        for relation, found in arm["relations"].items():
            console.line(f"  {relation}: {_words(found)}")
        if arm["generation"] is not None:
            console.line(f"  written freely: {_freely(arm['generation'])}")
    console.line(f"{folder / ROWS}" + (f", {rate:.1f} facts a second" if rate else ", kept"))
    told = {**result, "rows": str(folder / ROWS)}
    console.result({**told, "facts_per_second": round(rate, 3)} if rate else told)


def _words(found: Row) -> str:
    ends = f"{found['low']:.1%} to {found['high']:.1%}"
    return f"{found['accuracy']:.1%} of {found['n']} right ({ends})"


def _freely(found: Row) -> str:
    words = f"{found['right']:.1%} of {found['n']} right, {found['wrong']:.1%} wrong, "
    words += f"{found['not_attempted']:.1%} not attempted"
    lists = found["lists"]
    if lists is not None and lists["precision"] is not None:
        words += f"; lists: precision {lists['precision']:.1%}, recall {lists['recall']:.1%}"
    return words
