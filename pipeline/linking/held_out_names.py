"""Each alias held out in turn: would its entity be found if the graph didn't have that name?

An alias is a name that isn't the entity's label. It is asked as the whole text, and the entity should
be first, or among the first five, of the candidates. No index is built anew: a retriever names its
candidates name by name, and every name that folds as the alias does, whosever it is, is passed over
as though it weren't there; the best name that is left of an entity is the entity's place. So an
entity counts only with another name, one that folds otherwise.

What this can't take back is what an index learnt from the alias beside others (how rare its words
are, which words stand for each other): of 20,000 aliases one alone weighs little there.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...kg.graph import KnowledgeGraph
from ...kg.linking.linking_scores import fold_text
from ...kg.linking.mentions import Candidate
from ..console import Console
from ..measures.statistics import Interval, accuracy_interval

PLACES = (1, 5)
# A candidate for each name, the likeliest first, so several of one entity; read only as far as needed.
Retrieve = Callable[[str], Iterable[Candidate]]


@dataclass(frozen=True, slots=True)
class HeldOutName:
    """An alias of an entity; names whose folded words are `key` are held out with it."""

    entity: int
    name: str
    kind: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class HeldOutRecall:
    """How often the entity came first and among the first five.

    Attributes:
        at: place → recall with its interval, clustered by entity.
        by_kind: kind of the alias → place → recall.
        without_candidates: aliases for which nothing was retrieved.
    """

    at: dict[int, Interval]
    by_kind: dict[str, dict[int, Interval]]
    without_candidates: int


def held_out_names(
    graph: KnowledgeGraph, wanted: Collection[int] | None = None
) -> list[HeldOutName]:
    """The aliases that can be held out, in the order of the names table.

    Left out are deprecated entities, names without a word, those that fold as a label of the entity
    does, and those of an entity without another name that folds otherwise. Spellings of one alias
    that fold alike count once.

    Args:
        graph: its names are read.
        wanted: aliases of these entities alone; of all where None.
    """
    deprecated = graph.entities_table["deprecated"].to_pylist()
    columns = (graph.names_table[column].to_pylist() for column in ("entity", "name", "kind"))
    by_entity: defaultdict[int, list[HeldOutName]] = defaultdict(list)
    for entity, name, kind in zip(*columns, strict=True):
        if (wanted is None or entity in wanted) and not deprecated[entity]:
            by_entity[entity].append(HeldOutName(entity, name, kind, fold_text(name)))
    held_out = []
    for names in by_entity.values():
        keys = {name.key for name in names}
        seen = {name.key for name in names if name.kind == "label"}
        for name in names:
            if name.key and name.key not in seen and len(keys) > 1:
                seen.add(name.key)
                held_out.append(name)
    return held_out


def sampled(names: Sequence[HeldOutName], count: int, seed: int) -> list[HeldOutName]:
    """`count` of the names by lot, in their order; all where there are no more."""
    if len(names) <= count:
        return list(names)
    chosen = sorted(random.Random(seed).sample(range(len(names)), count))
    return [names[place] for place in chosen]


def held_out_recall(
    names: Sequence[HeldOutName], retrieve: Retrieve, console: Console
) -> HeldOutRecall:
    """Ask for every alias.

    Args:
        names: held out in turn.
        retrieve: text → candidates, one for each name.
        console: for progress.

    Raises:
        ValueError: there is no alias.
    """
    if not names:
        raise ValueError("there is no alias to hold out")
    places = []
    with console.progress("held out", len(names), "aliases") as advance:
        for name in names:
            places.append(place_of(name, retrieve(name.name)))
            advance(1)
    kinds = sorted({name.kind for name in names})
    rows = list(zip(names, places, strict=True))
    return HeldOutRecall(
        at=_recall(rows),
        by_kind={kind: _recall([row for row in rows if row[0].kind == kind]) for kind in kinds},
        without_candidates=sum(place == 0 for place in places),
    )


def place_of(name: HeldOutName, candidates: Iterable[Candidate]) -> int | None:
    """The entity's place among the candidates without the names held out, from 1.

    None where it isn't among the first five, 0 where there is no candidate at all.
    """
    ranked = list(islice(_entities(name, candidates), max(PLACES)))
    if not ranked:
        return 0
    return ranked.index(name.entity) + 1 if name.entity in ranked else None


def _entities(name: HeldOutName, candidates: Iterable[Candidate]) -> Iterator[int]:
    seen = set()
    for candidate in candidates:
        if candidate.entity not in seen and fold_text(candidate.name) != name.key:
            seen.add(candidate.entity)
            yield candidate.entity


def _recall(rows: Sequence[tuple[HeldOutName, int | None]]) -> dict[int, Interval]:
    entities = np.array([name.entity for name, _ in rows])
    # Not found, and nothing retrieved, are places after any other.
    places = np.array([place or np.inf for _, place in rows])
    return {most: accuracy_interval((places <= most).astype(float), entities) for most in PLACES}
