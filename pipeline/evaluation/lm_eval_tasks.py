"""Questions as tasks of lm-evaluation-harness: YAML and JSON lines in one folder.

A task is one relation's questions; groups gather tasks. Every text is a field of its question and the
YAML names fields only, so nothing in a label is read as a template. A question's context is what
stands before its answer; a choice is the option with all that follows, the space before it included,
so context and choice together are the statement that infact scores, and the verdicts are the same
where the tokenizer's token for the beginning is read too (`add_bos_token=True`).
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ...kg.questions.probes import Probe
from ...kg.questions.safe_names import safe_names

DEFAULTS = "infact_defaults"  # no .yaml: it is no task of its own
LOADER = "infact_questions"
LOADER_CODE = Path(__file__).with_name("lm_eval_questions.py")
LONGEST_ALIAS = 60  # characters of a label in a table of results
FIRST_WORD = re.compile(r"^\s*\S+(?=\s)")  # with something behind it
VERSION = 1.0  # of the tasks; results name it
ACCURACY = {"metric": "acc", "aggregation": "mean", "higher_is_better": True}


class FunctionName(str):
    """A function that the harness is to import: `!function module.name` in YAML."""


class TaskDumper(yaml.SafeDumper):
    """YAML with `!function`."""


TaskDumper.add_representer(
    FunctionName, lambda dumper, name: dumper.represent_scalar("!function", str(name))
)


def write_lm_eval(name: str, pools: Mapping[str, Sequence[Probe]], folder: Path) -> list[str]:
    """Write tasks and groups into an empty folder; the name of the group of all, then of its groups.

    Args:
        name: what the questions are called as a whole.
        pools: probes by pool; a single pool "" makes no group of its own.
        folder: an empty one.
    """
    whole = f"infact_{safe_names([name])[name]}"
    shutil.copyfile(LOADER_CODE, folder / f"{LOADER}.py")
    _write_yaml(folder / DEFAULTS, _defaults())
    groups = []
    for pool, probes in pools.items():
        group = f"{whole}_{pool}" if pool else whole
        tasks = _write_tasks(group, probes, folder)
        # Pools ask different things: an accuracy over all of them would mean nothing.
        averaged = {"aggregate_metric_list": [{"metric": "acc", "weight_by_size": True}]}
        _write_group(folder, group, tasks, averaged)
        groups.append(group)
    if groups != [whole]:
        _write_group(folder, whole, groups, {})
        return [whole, *groups]
    return groups


def _defaults() -> dict[str, Any]:
    return {
        "custom_dataset": FunctionName(f"{LOADER}.load"),
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "context",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "metric_list": [ACCURACY],
        "metadata": {"version": VERSION},
    }


def _write_tasks(group: str, probes: Sequence[Probe], folder: Path) -> list[str]:
    """One task for each relation, in the order in which they come; their names."""
    names = safe_names(probe.relation for probe in probes)
    tasks = []
    for relation, name in names.items():
        task = f"{group}_{name}"
        own = [_question(probe) for probe in probes if probe.relation == relation]
        with (folder / f"{task}.jsonl").open("x", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
        told = {
            "include": DEFAULTS,
            "task": task,
            "task_alias": " ".join(relation.split())[:LONGEST_ALIAS],
            "dataset_kwargs": {"questions_file": f"{task}.jsonl"},
        }
        _write_yaml(folder / f"{task}.yaml", told)
        tasks.append(task)
    return tasks


def _question(probe: Probe) -> dict[str, Any]:
    context = _context(probe)
    return {
        "id": probe.probe,
        "context": context,
        "choices": [statement[len(context) :] for statement in probe.statements],
        "answer": probe.correct,
        "options": list(probe.options),
        "relation": probe.relation,
        "subject": probe.subject,
        "source": probe.source,
    }


def _context(probe: Probe) -> str:
    """What is read before the choices: the prompt; where there is none, the word that all begin with.

    Nothing where even their first words differ: then the harness puts the beginning or end token
    there, and so does infact.
    """
    found = [FIRST_WORD.match(text) for text in probe.statements]
    words = {match[0] if match else "" for match in found}
    shared = words.pop() if len(words) == 1 else ""
    return probe.prompt if shared and probe.prompt.strip() else shared


def _write_group(folder: Path, group: str, members: Sequence[str], more: dict[str, Any]) -> None:
    told = {"group": group, "task": list(members), **more, "metadata": {"version": VERSION}}
    _write_yaml(folder / f"{group}.yaml", told)


def _write_yaml(path: Path, told: dict[str, Any]) -> None:
    with path.open("x", encoding="utf-8") as file:
        yaml.dump(told, file, TaskDumper, sort_keys=False, allow_unicode=True)
