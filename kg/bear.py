"""BEAR data sets (Wiland et al. 2024), as lm-pub-quiz reads them: templates, instances, answer spaces.

A folder holds `metadata_relations.json`, {relation: {"templates": ["[X] is … [Y].", …],
"answer_space_labels": […], "answer_space_ids": […]}}, and `<relation>.jsonl`, a line an instance with
`sub_label`, `obj_id` and `obj_label`. Where a relation has no answer space, the objects of its
instances are one. The first letter of a filled template is written large, as lm-pub-quiz does.
"""

import json
from pathlib import Path
from typing import Any

from ..errors import UserError
from .facts_file import SLOT
from .probes import Probe, fill_slot
from .sources import Source, examine

METADATA = "metadata_relations.json"
SUBJECT = "[X]"


def read_bear(folder: Path) -> list[Probe]:
    """Every instance of every relation in every template, in the order of the files.

    Raises:
        UserError: a file is missing or faulty; a template lacks a slot; an instance's object isn't in
            the answer space; an answer space holds a label twice.
    """
    metadata = _read_metadata(folder)
    probes = []
    for relation, told in metadata.items():
        templates = told.get("templates", [])
        place = f"{folder / METADATA}:{relation}"
        if not templates:
            raise UserError(f"the relation {relation} has no template", place, 'Add "templates".')
        for template in templates:
            _check_template(template, place)
        rows = _read_instances(folder / f"{relation}.jsonl")
        space = _answer_space(told, [row for _, row in rows], place)
        for place_of_row, row in rows:
            if row["obj_id"] not in space:
                problem = f"the object {row['obj_id']} is not in the answer space of {relation}"
                raise UserError(problem, place_of_row, f"Add it to {METADATA}.")
            probes += [
                _probe(relation, number, template, row, space, place_of_row)
                for number, template in enumerate(templates)
            ]
    if not probes:
        raise UserError("there is no fact in the folder", str(folder), "Add instances.")
    return probes


def _read_metadata(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / METADATA
    if not path.exists():
        fix = f"A BEAR folder holds {METADATA}; a single file of facts is read as JSON lines."
        raise UserError(f"the folder has no {METADATA}", str(folder), fix)
    examine(Source(path, str(path)))
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, ValueError) as error:
        raise UserError(f"this isn't JSON: {error}", str(path), "Mend the file.") from None


def _check_template(template: str, place: str) -> None:
    for slot in (SUBJECT, SLOT):
        if template.count(slot) != 1:
            problem = f"the template {template!r} needs {slot} once"
            raise UserError(problem, place, f"{SUBJECT} is the subject, {SLOT} the answer.")


def _read_instances(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Where each instance stands, and it; an object without an id is known by its label."""
    if not path.exists():
        raise UserError("the relation's instances are missing", str(path), "Add the file.")
    examine(Source(path, str(path)))
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{path}:{number}"
                rows.append((place, _parse(line, place)))
    return rows


def _parse(line: str, place: str) -> dict[str, str]:
    try:
        row = json.loads(line)
        found = {key: str(row[key]) for key in ("sub_label", "obj_label")}
        return {**found, "obj_id": str(row.get("obj_id", found["obj_label"]))}
    except json.JSONDecodeError as error:
        problem = f"this line isn't JSON: {error.msg}"
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"this line has no {error}" if isinstance(error, KeyError) else "not an object"
    raise UserError(problem, place, 'Write {"sub_label": "…", "obj_label": "…", "obj_id": "…"}.')


def _answer_space(told: dict[str, Any], rows: list[dict[str, str]], place: str) -> dict[str, str]:
    """Label of each answer by its id, in order."""
    if "answer_space_labels" in told and "answer_space_ids" in told:
        ids, labels = told["answer_space_ids"], told["answer_space_labels"]
        if len(ids) != len(labels):
            problem = f"the answer space has {len(ids)} ids and {len(labels)} labels"
            raise UserError(problem, place, "Give each answer one of both.")
        space = {str(key): str(label) for key, label in zip(ids, labels, strict=True)}
    else:
        space = {}
        for row in rows:
            space.setdefault(row["obj_id"], row["obj_label"])
    twice = sorted({label for label in space.values() if list(space.values()).count(label) > 1})
    if twice:
        problem = f"the answer space holds {twice[0]!r} twice: no model could tell them apart"
        raise UserError(problem, place, "Rename or merge them.")
    return space


def _probe(
    relation: str,
    number: int,
    template: str,
    row: dict[str, str],
    space: dict[str, str],
    place: str,
) -> Probe:
    subject = row["sub_label"]
    before, after = (part.replace(SUBJECT, subject) for part in template.split(SLOT))
    options = tuple(space.values())
    statements = tuple(_capitalised(text) for text in fill_slot(before, options, after))
    return Probe(
        probe=f"{relation}/{number}/{subject}/{row['obj_id']}",
        relation=relation,
        subject=subject,
        cluster=subject,
        prompt=_capitalised(before.rstrip(" ")),
        statements=statements,
        options=options,
        correct=list(space).index(row["obj_id"]),
        aliases=(),
        source=place,
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
