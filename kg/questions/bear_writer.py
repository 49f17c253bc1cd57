"""Probes as a BEAR folder, whose readers ask the same statements of the same options.

BEAR has one answer space a relation and asks every instance in every template. Probes of one relation
that don't share both become relations of their own, `<relation>-1`, `<relation>-2` and so on, whose
metadata name the relation that they are part of: `get_metrics("accuracy", accumulate="relation")` of
lm-pub-quiz puts them together again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import UserError
from .bear import METADATA, SUBJECT
from .facts_file import SLOT
from .probes import Probe, capitalised
from .safe_names import safe_names


@dataclass(frozen=True)
class BearFolder:
    """What was written: how many relations, and how many probes had their first letter made large."""

    relations: int
    capitalised: int


@dataclass(frozen=True)
class _Instance:
    """A probe as BEAR has it: a subject put into a template."""

    probe: Probe
    template: str
    subject: str

    @property
    def key(self) -> tuple[str, frozenset[str], str, str]:
        """What it shares with the same fact in other templates."""
        options = frozenset(self.probe.options)
        return self.probe.relation, options, self.subject, self.probe.answer


@dataclass(frozen=True)
class _Relation:
    """Facts that share an answer space and templates; `facts[i][j]` is fact i in template j."""

    facts: list[list[_Instance]]

    @property
    def label(self) -> str:
        return self.facts[0][0].probe.relation

    @property
    def has_numbers_for_subjects(self) -> bool:
        """pandas, with which lm-pub-quiz reads instances, would make 7 of "007"."""
        return all(_is_number(fact[0].subject) for fact in self.facts)

    @property
    def probes(self) -> list[Probe]:
        return [instance.probe for fact in self.facts for instance in fact]


def write_bear(probes: Sequence[Probe], folder: Path) -> BearFolder:
    """Write `metadata_relations.json` and a file of instances for each relation.

    Args:
        probes: any, also with options of their own.
        folder: an empty one.

    Raises:
        UserError: a probe can't be said in BEAR: it repeats an option, holds a slot's mark or nothing
            but a number beside its answer, or differs from one of another answer by large letters.
    """
    relations: list[_Relation] = []
    for relation in _relations(probes, _with_subject):
        if relation.has_numbers_for_subjects:
            relations += _relations(relation.probes, _with_text)
        else:
            relations.append(relation)
    metadata = {}
    for code, relation in _codes(relations).items():
        if relation.has_numbers_for_subjects:
            raise _unsayable(relation.probes[0], "it holds nothing but a number beside its answer")
        metadata[code], rows = _written(relation)
        # ASCII, because lm-pub-quiz opens files in whatever encoding the machine prefers.
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{code}.jsonl").write_text(lines, encoding="ascii")
    (folder / METADATA).write_text(json.dumps(metadata, indent=1) + "\n", encoding="ascii")
    small = sum(any(s != capitalised(s) for s in probe.statements) for probe in probes)
    return BearFolder(len(metadata), small)


def _relations(probes: Iterable[Probe], place: Callable[[Probe], _Instance]) -> list[_Relation]:
    """The fewest relations that ask nothing else, each fact's templates in one order."""
    facts: dict[Any, list[_Instance]] = {}
    for probe in probes:
        if len(set(probe.options)) < len(probe.options):
            raise _unsayable(probe, "it gives an option twice")
        instance = place(probe)
        facts.setdefault(instance.key, []).append(instance)
    found: dict[Any, list[list[_Instance]]] = {}
    for (relation, options, _, _), asked in facts.items():
        asked.sort(key=lambda instance: instance.template)
        templates = tuple(instance.template for instance in asked)
        found.setdefault((relation, options, templates), []).append(asked)
    for group in found.values():
        for subject, count in Counter(asked[0].subject for asked in group).items():
            if count > 1:
                probe = next(asked[0].probe for asked in group if asked[0].subject == subject)
                raise _unsayable(probe, "but for large letters, another asks the same")
    return [_Relation(group) for group in found.values()]


def _with_subject(probe: Probe) -> _Instance:
    """The subject's place in the text is the slot, if it stands there just once."""
    before, subject = probe.before, probe.subject
    if subject and before.startswith(capitalised(subject)):
        before = subject + before.removeprefix(capitalised(subject))
    if subject and before.count(subject) + probe.after.count(subject) == 1:
        around = (text.replace(subject, SUBJECT) for text in (before, probe.after))
        template = SLOT.join(around)
        if _has_each_slot_once(template):
            return _Instance(probe, template, subject)
    return _with_text(probe)


def _with_text(probe: Probe) -> _Instance:
    """The whole text before the answer, or behind it, goes where BEAR has the subject."""
    if probe.prompt.strip():
        gap = probe.before.removeprefix(probe.prompt)
        template, text = f"{SUBJECT}{gap}{SLOT}{probe.after}", probe.prompt
    else:
        template, text = f"{probe.before}{SLOT}{SUBJECT}", probe.after
    if not _has_each_slot_once(template):
        raise _unsayable(probe, f"{SUBJECT} or {SLOT} stands beside its answer")
    return _Instance(probe, template, text)


def _has_each_slot_once(template: str) -> bool:
    return template.count(SUBJECT) == 1 and template.count(SLOT) == 1


def _codes(relations: Sequence[_Relation]) -> dict[str, _Relation]:
    """The relations by the names of their files."""
    names = safe_names(relation.label for relation in relations)
    parts: dict[str, list[_Relation]] = {}
    for relation in relations:
        parts.setdefault(names[relation.label], []).append(relation)
    return {
        name if len(group) == 1 else f"{name}-{number}": relation
        for name, group in parts.items()
        for number, relation in enumerate(group, start=1)
    }


def _written(relation: _Relation) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The metadata and the rows. Ids hold letters, so that pandas doesn't take them for numbers."""
    first = relation.facts[0]
    ids = {option: f"answer-{n}" for n, option in enumerate(first[0].probe.options, start=1)}
    rows = [
        {
            "sub_label": fact[0].subject,
            "obj_id": ids[fact[0].probe.answer],
            "obj_label": fact[0].probe.answer,
            "probes": [instance.probe.probe for instance in fact],
        }
        for fact in relation.facts
    ]
    metadata = {
        "templates": [instance.template for instance in first],
        "answer_space_labels": list(ids),
        "answer_space_ids": list(ids.values()),
        "relation": relation.label,
    }
    return metadata, rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unsayable(probe: Probe, why: str) -> UserError:
    fix = "Change the fact, or export it as lm-eval or jsonl."
    return UserError(f"BEAR can't ask {probe.probe!r}: {why}", probe.source, fix)
