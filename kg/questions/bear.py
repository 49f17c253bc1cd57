"""BEAR data sets (Wiland et al. 2024), as lm-pub-quiz reads them: templates, instances, answer spaces.

A folder holds `metadata_relations.json`, {relation: {"templates": ["[X] is … [Y].", …],
"answer_space_labels": […], "answer_space_ids": […]}}, and `<relation>.jsonl`, a line an instance with
`sub_label`, `obj_id` and `obj_label`. Where a relation has no answer space, the objects of its
instances are one. The first letter of a filled template is written large, as lm-pub-quiz does. A
relation may give itself a name, {"relation": "…"}; else its file's name is it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import UserError
from ..readers.json_lines import (
    LineError,
    fault_error,
    filled_lines,
    model_fault,
    parse_json,
    parse_line,
    read_text,
)
from .facts_file import SLOT, plain
from .probes import Probe, capitalised, fill_slot

METADATA = "metadata_relations.json"
SUBJECT = "[X]"
INSTANCE = 'Write {"sub_label": "…", "obj_label": "…", "obj_id": "…"}.'
Label = Annotated[str, Field(min_length=1)]
Place = str  # file and line


class BearRelation(BaseModel):
    """What the metadata say of a relation."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    templates: tuple[str, ...] = ()
    answer_space_labels: tuple[Label, ...] | None = None
    answer_space_ids: tuple[str, ...] | None = None
    relation: str = ""


class BearInstance(BaseModel):
    """One line of a relation's file; an object without an id is known by its label."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    sub_label: str  # empty once in BEAR-big, as published
    obj_label: Label
    obj_id: str | None = None

    @property
    def answer(self) -> str:
        """The id by which the answer space knows the object."""
        return self.obj_label if self.obj_id is None else self.obj_id


def read_bear(folder: Path) -> list[Probe]:
    """Every instance of every relation in every template, in the order of the files.

    A relation that only the metadata name has no instances: so in BEAR-big, as published.

    Raises:
        UserError: a file is missing or faulty; a template lacks a slot; an answer space holds a label
            twice; or, all faulty instances told at once, an instance's object isn't in the answer
            space, or it is given twice, or has two answers.
    """
    relations = _read_relations(folder)
    probes: list[Probe] = []
    faults: list[tuple[str, str]] = []
    for code, relation in relations.items():
        rows, unread = _read_instances(folder / f"{code}.jsonl")
        space = _answer_space(relation, rows, f"{folder / METADATA}:{code}")
        faults += [*unread, *_instance_faults(rows, space)]
        if not faults:
            for place, row in rows:
                probes += _probes(code, relation, row, space, place)
    if faults:
        raise fault_error(faults, INSTANCE)
    if not probes:
        raise UserError("there is no fact in the folder", str(folder), "Add instances.")
    return probes


def _read_relations(folder: Path) -> dict[str, BearRelation]:
    """The relations that have a file, by its name."""
    path = folder / METADATA
    if not path.exists():
        fix = f"A BEAR folder holds {METADATA}; a single file of facts is read as JSON lines."
        raise UserError(f"the folder has no {METADATA}", str(folder), fix)
    relations = dict(_told_relations(path))
    files = {file.name.removesuffix(".jsonl") for file in folder.glob("*.jsonl")}
    if untold := sorted(files - set(relations)):
        problem = f"{METADATA} doesn't name the relation {untold[0]}"
        raise UserError(problem, str(folder / f"{untold[0]}.jsonl"), "Name it, or move the file.")
    if not files and relations:
        place = folder / f"{next(iter(relations))}.jsonl"
        raise UserError("the relation's instances are missing", str(place), "Add the file.")
    return {code: relation for code, relation in relations.items() if code in files}


def _told_relations(path: Path) -> Iterator[tuple[str, BearRelation]]:
    try:
        metadata = parse_json(read_text(path, str(path)))
    except LineError as error:
        raise UserError(error.problem, str(path), "Mend the file.") from None
    if not isinstance(metadata, dict):
        raise UserError("this isn't a JSON object", str(path), "Write {relation: {…}, …}.")
    for code, told in metadata.items():
        place = f"{path}:{code}"
        if Path(code).name != code:  # it would lead out of the folder
            raise UserError(f"{code!r} is no file's name", place, "Rename the relation.")
        yield code, _relation(told, place)


def _relation(told: Any, place: Place) -> BearRelation:
    try:
        relation = BearRelation.model_validate(told)
    except ValidationError as error:
        raise UserError(model_fault(error).problem, place, "Mend the file.") from None
    if not relation.templates:
        raise UserError("the relation has no template", place, 'Add "templates".')
    for template in relation.templates:
        for slot in (SUBJECT, SLOT):
            if template.count(slot) != 1:
                problem = f"the template {template!r} needs {slot} once"
                raise UserError(problem, place, f"{SUBJECT} is the subject, {SLOT} the answer.")
    return relation


def _read_instances(path: Path) -> tuple[list[tuple[Place, BearInstance]], list[tuple[Place, str]]]:
    """The instances, and the faults of the lines that are none."""
    rows, faults = [], []
    for number, line in filled_lines(path, str(path)):
        place = f"{path}:{number}"
        try:
            rows.append((place, BearInstance.model_validate(parse_line(line))))
        except LineError as error:
            faults.append(error.at(place))
        except ValidationError as error:
            faults.append(model_fault(error).at(place))
    return rows, faults


def _answer_space(
    relation: BearRelation, rows: list[tuple[Place, BearInstance]], place: Place
) -> dict[str, str]:
    """Label of each answer by its id, in order."""
    ids, labels = relation.answer_space_ids, relation.answer_space_labels
    if ids is None or labels is None:
        space: dict[str, str] = {}
        for _, row in rows:
            space.setdefault(row.answer, row.obj_label)
    else:
        if len(ids) != len(labels):
            problem = f"the answer space has {len(ids)} ids and {len(labels)} labels"
            raise UserError(problem, place, "Give each answer one of both.")
        space = dict(zip(ids, labels, strict=True))
        if len(space) < len(ids):
            twice = next(key for key in ids if ids.count(key) > 1)
            raise UserError(
                f"the answer space holds the id {twice!r} twice", place, "Take one out."
            )
    seen: set[str] = set()
    for label in space.values():
        if plain(label) in seen:
            problem = f"the answer space holds {label!r} twice: no model could tell them apart"
            raise UserError(problem, place, "Rename or merge them.")
        seen.add(plain(label))
    return space


def _instance_faults(
    rows: list[tuple[Place, BearInstance]], space: dict[str, str]
) -> Iterator[tuple[Place, str]]:
    first: dict[str, tuple[Place, BearInstance]] = {}
    for place, row in rows:
        earlier, same = first.setdefault(row.sub_label, (place, row))
        if row.answer not in space:
            yield place, f"the object {row.answer!r} is not in the answer space"
        elif space[row.answer] != row.obj_label:
            known = space[row.answer]
            yield place, f"the object is {row.obj_label!r} here and {known!r} in the answer space"
        elif earlier != place and same.answer == row.answer:
            yield place, f"the instance is given twice, first in {earlier}"
        elif earlier != place:
            told = f"{same.obj_label!r} in {earlier} and {row.obj_label!r}"
            yield place, f"the subject has two answers, {told}: both are true, and options"


def _probes(
    code: str, relation: BearRelation, row: BearInstance, space: dict[str, str], place: Place
) -> Iterator[Probe]:
    options = tuple(space.values())
    for number, template in enumerate(relation.templates):
        before, after = (text.replace(SUBJECT, row.sub_label) for text in template.split(SLOT))
        name = f"{code}/{number}/{row.sub_label}/{row.answer}"
        yield Probe(
            probe=name,
            relation=relation.relation or code,
            subject=row.sub_label,
            cluster=row.sub_label or name,
            prompt=capitalised(before.rstrip(" ")),
            before=capitalised(before),
            after=after,
            statements=tuple(capitalised(text) for text in fill_slot(before, options, after)),
            options=options,
            correct=list(space).index(row.answer),
            aliases=(),
            source=place,
        )
