"""The rows of `infact eval --model X --facts FILE`: one an arm and probe, written as they are made.

Rows go to disk in chunks of a fixed size, so whatever ends a run, the next one finds whole chunks,
cuts off what follows them and makes the rest in the same batches: the same bytes.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UserError
from ...kg.questions.probes import Probe
from ..artifacts import RESUME
from ..console import Console

if TYPE_CHECKING:
    from ...models.language_model import LanguageModel
    from ...models.pass_costs import PassCosts

Row = dict[str, Any]

ROWS, COSTS = "rows.jsonl", "costs.json"
PROBES_AT_ONCE = 64  # between two writes to disk
PROMPTS_AT_ONCE = 32  # answered freely in one batch
MAX_NEW_TOKENS = 16  # of a free answer


@dataclass(frozen=True)
class ProbeArm:
    """One way of asking all probes.

    Attributes:
        name: of the arm.
        contexts: what the model reads before each probe.
        cited: for each probe, the facts that are in its context.
    """

    name: str
    contexts: Sequence[str]
    cited: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Asking:
    """What is asked of which model, and where its answers go.

    Attributes:
        loaded: the model.
        probes: what is asked.
        arms: how.
        work: folder for the rows.
        batch_tokens: padded tokens of one forward pass.
    """

    loaded: "LanguageModel"
    probes: Sequence[Probe]
    arms: Sequence[ProbeArm]
    work: Path
    batch_tokens: int

    @property
    def chunks(self) -> list[tuple[ProbeArm, range]]:
        """An arm and the probes that it is asked at once, in the order of the rows."""
        ends = range(0, len(self.probes), PROBES_AT_ONCE)
        count = len(self.probes)
        return [
            (arm, range(start, min(start + PROBES_AT_ONCE, count)))
            for arm in self.arms
            for start in ends
        ]


def make_rows(asking: Asking, console: Console) -> float | None:
    """Append the rows that `asking.work` lacks; facts a second, None where it lacked none.

    Raises:
        UserError: a question is longer than the model reads.
    """
    path = asking.work / ROWS
    chunks = asking.chunks
    left = chunks[_keep_whole_chunks(path, chunks, asking.probes) :]
    if not left:
        return None
    costs = _costs(asking) if asking.loaded.kind == "causal" else None
    total = sum(len(numbers) for _, numbers in left)
    started = time.monotonic()
    asked = " and ".join(dict.fromkeys(arm.name for arm, _ in left))
    with console.progress(f"asking {asked}", total, "facts") as advance, path.open("ab") as file:
        for arm, numbers in left:
            rows = _chunk_rows(asking, arm, numbers, costs)
            file.write("".join(map(_line, rows)).encode())
            file.flush()
            os.fsync(file.fileno())
            advance(len(numbers))
    return total / (time.monotonic() - started)


def read_rows(path: Path) -> list[Row]:
    """The rows of a finished file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _keep_whole_chunks(
    path: Path, chunks: Sequence[tuple[ProbeArm, range]], probes: Sequence[Probe]
) -> int:
    """How many first chunks the file holds; what follows them is cut off."""
    if not path.exists():
        return 0
    whole = size = 0
    with path.open("rb") as file:
        for arm, numbers in chunks:
            lines = [file.readline() for _ in numbers]
            expected = [(arm.name, probes[number].probe) for number in numbers]
            if list(map(_asked_in, lines)) != expected:
                break
            whole += 1
            size += sum(map(len, lines))
    os.truncate(path, size)  # needs no room on the disk
    return whole


def _asked_in(line: bytes) -> tuple[str, str] | None:
    """Arm and probe of a line; None where it was cut off."""
    try:
        row = json.loads(line)
        return (row["arm"], row["probe"]) if line.endswith(b"\n") else None
    except (ValueError, KeyError, TypeError):
        return None


def _costs(asking: Asking) -> "PassCosts":
    """What a pass costs, as found by the run that began: ways of scoring differ in the last digits."""
    from ...models.exact_ways import exact_ways
    from ...models.pass_costs import PassCosts, costs_for, estimated_costs

    path = asking.work / RESUME / COSTS
    if path.exists():
        return PassCosts(**json.loads(path.read_text(encoding="utf-8")))
    model = asking.loaded.model
    if "tree" in exact_ways(model):
        costs = costs_for(model, _planned_tokens(asking))
    else:
        costs = estimated_costs(model)  # there is one way, whatever it costs
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(costs)), encoding="utf-8")
    os.replace(unfinished, path)
    return costs


def _planned_tokens(asking: Asking) -> int:
    """About how many tokens all arms' trees have, by the first probes of the longest prompts."""
    from ...models.statement_scoring import statement_tree

    sample = asking.probes[:PROBES_AT_ONCE]
    trees = [
        statement_tree(asking.loaded.tokenizer, probe.statements, context)
        for probe, context in zip(sample, asking.arms[-1].contexts, strict=False)
    ]
    tokens = sum(len(tree.inner) for tree in trees) / len(sample)
    return int(tokens * len(asking.probes) * len(asking.arms))


def _chunk_rows(
    asking: Asking,
    arm: ProbeArm,
    numbers: range,
    costs: "PassCosts | None",
) -> Iterator[Row]:
    probes = [asking.probes[number] for number in numbers]
    contexts = [arm.contexts[number] for number in numbers]
    _check_lengths(asking.loaded, probes, contexts)
    scores = _option_scores(asking, probes, contexts, costs)
    written = _free_answers(asking.loaded, probes, contexts)
    for number, of, text in zip(numbers, scores, written, strict=True):
        yield _row(arm, asking.probes[number], of, text, arm.cited[number])


def _check_lengths(
    loaded: "LanguageModel", probes: Sequence[Probe], contexts: Sequence[str]
) -> None:
    for probe, context in zip(probes, contexts, strict=True):
        texts = [context + statement for statement in probe.statements]
        longest = max(map(len, loaded.tokenizer(texts)["input_ids"]))
        if loaded.window is not None and longest > loaded.window:
            problem = f"the question has {longest} tokens, and the model reads {loaded.window}"
            raise UserError(problem, probe.source, "Shorten it.")


def _option_scores(
    asking: Asking,
    probes: Sequence[Probe],
    contexts: Sequence[str],
    costs: "PassCosts | None",
) -> list[np.ndarray]:
    from ...models.masked_scoring import pseudo_log_likelihoods
    from ...models.statement_scoring import statement_log_likelihoods

    loaded, limit = asking.loaded, asking.batch_tokens
    statements = [probe.statements for probe in probes]
    if loaded.kind == "masked":
        return pseudo_log_likelihoods(loaded.model, loaded.tokenizer, statements, contexts, limit)
    return statement_log_likelihoods(
        loaded.model, loaded.tokenizer, statements, contexts, limit, costs
    )


def _free_answers(
    loaded: "LanguageModel", probes: Sequence[Probe], contexts: Sequence[str]
) -> list[str | None]:
    """What a causal model writes after each prompt; None where a prompt alone asks for nothing."""
    from ...models.generation import generate_answers

    answers: list[str | None] = [None] * len(probes)
    if loaded.kind == "masked":
        return answers
    asked = [place for place, probe in enumerate(probes) if asks_freely(probe)]
    prompts = [contexts[place] + probes[place].prompt for place in asked]
    texts = generate_answers(
        loaded.model, loaded.tokenizer, prompts, MAX_NEW_TOKENS, PROMPTS_AT_ONCE
    )
    for place, text in zip(asked, texts, strict=True):
        answers[place] = text
    return answers


def asks_freely(probe: Probe) -> bool:
    """Whether what stands before the answer asks for it: it names the subject, or all is said there."""
    if not probe.prompt.strip():
        return False
    ended = not any(character.isalnum() for character in probe.after)
    return ended or bool(probe.subject and probe.subject in probe.prompt)


def _row(
    arm: ProbeArm,
    probe: Probe,
    scores: np.ndarray,
    written: str | None,
    cited: Sequence[str],
) -> Row:
    from .answer_rows import free_answer

    objects = [(probe.answer, *probe.aliases), *probe.also]
    chosen = int(scores.argmax())
    return {
        "arm": arm.name,
        "probe": probe.probe,
        "relation": probe.relation,
        "subject": probe.subject,
        "cluster": probe.cluster,
        "options": list(probe.options),
        "scores": [round(float(score), 5) for score in scores],
        "chosen": chosen,
        "correct": probe.correct,
        "right": chosen == probe.correct,
        **free_answer(written, [name for names in objects for name in names], objects),
        "cited": list(cited),
        "source": probe.source,
    }


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
