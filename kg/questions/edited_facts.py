"""Pools S and D: facts in memory after the graph was edited, and the edits themselves.

In pool S the graph says another object, and an arm that reads the graph should follow; in pool D it
says nothing any more, and such an arm should answer as the base does.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa

from ..graph import KnowledgeGraph
from ..linking.name_groups import NameGroups
from .facts import Fact, all_names, fact_id
from .pools import DELETED, SWAPPED
from .splits import AskableFact, withheld_rows

REMOVED = -1

EDITS_SCHEMA = pa.schema(
    [("pool", pa.string()), ("fact", pa.string()), ("row", pa.int32()), ("object", pa.int32())]
)


@dataclass(frozen=True)
class Edit:
    """One triple of the graph changed for a pool.

    Attributes:
        pool: S or D.
        fact: the fact for which it is changed.
        row: of the graph's triples.
        object: its new object; -1 where the triple is removed.
    """

    pool: str
    fact: str
    row: int
    object: int


def edited_facts(
    graph: KnowledgeGraph, in_memory: Sequence[Fact], groups: NameGroups, seed: int
) -> tuple[list[Fact], list[Edit]]:
    """Each fact once with another object and once deleted.

    The new object is one of the fact's own wrong options. All that tells the old one goes: other
    objects of the same relation, the same for namesakes of the subject, and every other triple
    between subject and object, since an inverse relation would tell it still.

    Args:
        graph: the whole graph.
        in_memory: facts of pool M.
        groups: same-name groups of the subjects.
        seed: of the choice of the new object.
    """
    facts: list[Fact] = []
    edits: list[Edit] = []
    for fact in in_memory:
        asked = fact.option_entities[fact.correct]
        own = AskableFact(fact.subject, fact.relation, fact.objects, asked, fact.subject)
        told = withheld_rows(graph, [own], groups).tolist()
        identity = fact_id(DELETED, fact.subject_iri, fact.predicate_iri)
        facts.append(replace(fact, fact=identity, pool=DELETED, before=fact.correct))
        edits += [Edit(DELETED, identity, row, REMOVED) for row in told]
        swapped = _swapped(graph, fact, seed)
        facts.append(swapped)
        changes = swapped_rows(graph, own, swapped.objects[0], groups)
        edits += [Edit(SWAPPED, swapped.fact, row, new) for row, new in changes.items()]
    return facts, edits


def swapped_rows(
    graph: KnowledgeGraph, fact: AskableFact, new: int, groups: NameGroups
) -> dict[int, int]:
    """Rows of the graph's triples that tell a fact, each with its object where the fact is swapped.

    The asked object's row tells `new`; every other is `REMOVED`.
    """
    told = withheld_rows(graph, [fact], groups).tolist()
    changed = [fact.subject, fact.relation, fact.asked]
    return {
        row: new if triple == changed else REMOVED
        for row, triple in zip(told, graph.triples[told].tolist(), strict=True)
    }


def _swapped(graph: KnowledgeGraph, fact: Fact, seed: int) -> Fact:
    stream = np.random.default_rng([seed, 10, fact.subject, fact.relation])
    wrong = [place for place in range(len(fact.options)) if place != fact.correct]
    place = wrong[int(stream.integers(len(wrong)))]
    new = fact.option_entities[place]
    names = all_names(graph, [new])
    return replace(
        fact,
        fact=fact_id(SWAPPED, fact.subject_iri, fact.predicate_iri),
        pool=SWAPPED,
        objects=(new,),
        answer=graph.label(new),
        aliases=names,
        object_names=(names,),
        correct=place,
        before=fact.correct,
    )


def edits_table(edits: Sequence[Edit]) -> pa.Table:
    """The edits as edits.parquet holds them."""
    return pa.Table.from_pylist([asdict(edit) for edit in edits], schema=EDITS_SCHEMA)
