"""Wrong options that the graph knows to be right: such a question punishes a true answer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..graph import KnowledgeGraph
from ..graph_records import Origin
from ..linking.linker import Linker
from ..linking.name_groups import fold_name
from .probes import Probe
from .retrieval import ALSO_MEANT

NAMING_KINDS = ("label", "exact")  # a broad, narrow or related name is of another thing


@dataclass(frozen=True)
class TrueOption:
    """An option beside the answer that the graph has in the answer's place.

    Attributes:
        option: as the question spells it.
        row: of the graph's triples, the one that says so.
        origin: where that was read first.
    """

    option: str
    row: int
    origin: Origin

    @property
    def place(self) -> str:
        """Source and line, as messages spell them."""
        return self.origin.place


class _Role(NamedTuple):
    """How an entity stands to another: by which relation, and whether it is the triple's tail."""

    relation: int
    is_tail: bool


def true_options(graph: KnowledgeGraph, linker: Linker, probe: Probe) -> list[TrueOption]:
    """The options that are true as well, as far as the graph can tell.

    The graph can tell where just one thing that the question mentions has facts with the answer (a
    thing may be several entities of one name). An option is true as well when it stands to that
    thing in every relation in which the answer does, so that a second relation between thing and
    answer makes no option true by itself. An option that is another name of the answer's entity is
    one, too.

    Args:
        graph: its triples and where they were read.
        linker: over the same graph.
        probe: a question with options.

    Returns:
        in the order of the options; empty where all is well or nothing can be told.
    """
    answers = _named(linker, [probe.answer, *probe.aliases])
    told = [
        roles
        for meant in _mentioned(linker, probe)
        if (roles := {e: found for e in meant if (found := set(_roles(graph, e, answers)))})
    ]
    if len(told) != 1:
        return []
    (subjects,) = told
    wrong = [option for option in probe.options if option != probe.answer]
    rows = (_true_row(graph, subjects, _named(linker, [option])) for option in wrong)
    return [
        _true_option(graph, option, row)
        for option, row in zip(wrong, rows, strict=True)
        if row is not None
    ]


def _mentioned(linker: Linker, probe: Probe) -> set[frozenset[int]]:
    """The entities that each mention in the question's text may mean, its answer left out."""
    return {
        frozenset(
            candidate.entity
            for candidate in mention.candidates
            if candidate.score >= ALSO_MEANT * mention.candidates[0].score
        )
        for text in (probe.before, probe.after)
        for mention in linker.link(text)
        if mention.entity is not None
    }


def _named(linker: Linker, names: Iterable[str]) -> set[int]:
    """Entities that bear one of the names, but for case and punctuation."""
    return {
        candidate.entity
        for name in names
        for mention in linker.link(name)
        for candidate in mention.candidates
        if candidate.kind in NAMING_KINDS and fold_name(candidate.name) == fold_name(name)
    }


def _roles(graph: KnowledgeGraph, entity: int, others: set[int]) -> Iterator[_Role]:
    """How `others` stand to an entity."""
    for rows, is_tail in ((graph.outgoing(entity), True), (graph.incoming(entity), False)):
        for head, relation, tail in graph.triples[rows].tolist():
            if (tail if is_tail else head) in others:
                yield _Role(relation, is_tail)


def _true_row(
    graph: KnowledgeGraph, subjects: Mapping[int, set[_Role]], others: set[int]
) -> int | None:
    """The first row that puts one of `others` in the answer's place; None where none does."""
    for subject, roles in subjects.items():
        for other in sorted(others):
            rows = [_row(graph, subject, role, other) for role in sorted(roles)]
            if None not in rows:
                return rows[0]
    return None


def _row(graph: KnowledgeGraph, subject: int, role: _Role, other: int) -> int | None:
    """The row of the triple in which `other` stands so to `subject`."""
    head, tail = (subject, other) if role.is_tail else (other, subject)
    rows = graph.outgoing(head)
    triples = graph.triples[rows]
    found = rows[(triples[:, 1] == role.relation) & (triples[:, 2] == tail)]
    return int(found[0]) if len(found) else None


def _true_option(graph: KnowledgeGraph, option: str, row: int) -> TrueOption:
    return TrueOption(option, row, graph.origin(row))
