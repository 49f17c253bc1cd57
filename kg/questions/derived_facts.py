"""What is asked beyond single facts: pools R, H, S and D, made from the facts of pools T and M."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import KnowledgeGraph
from ..linking.name_groups import NameGroups
from .candidates import CandidatePool
from .edited_facts import Edit, edited_facts
from .facts import Fact
from .pools import DELETED, IN_MEMORY, REVERSED, SWAPPED, TAUGHT, TWO_HOP
from .reverse_facts import reverse_facts
from .two_hop_facts import two_hop_facts


@dataclass(frozen=True)
class DerivedSizes:
    """How many facts of each kind are wanted at most; `edited` counts pools S and D each."""

    reversed: int
    two_hop: int
    edited: int

    def by_pool(self) -> dict[str, int]:
        return {
            REVERSED: self.reversed,
            TWO_HOP: self.two_hop,
            SWAPPED: self.edited,
            DELETED: self.edited,
        }


@dataclass(frozen=True)
class DerivedFacts:
    """The facts by pool then id, the edits of pools S and D, and how many were dropped and why."""

    facts: tuple[Fact, ...]
    edits: tuple[Edit, ...]
    dropped: Counter[str]


def derive_facts(
    graph: KnowledgeGraph,
    facts: Sequence[Fact],
    candidates: Mapping[int, CandidatePool],
    groups: NameGroups,
    withheld: np.ndarray,
    sizes: DerivedSizes,
    seed: int,
) -> DerivedFacts:
    """Make them; which of more than are wanted is a matter of their ids, that is of chance.

    Args:
        graph: the whole graph.
        facts: as `build_facts` gives them.
        candidates: relation id to its objects.
        groups: same-name groups of the subjects.
        withheld: rows of triples that no arm may see.
        sizes: how many are wanted.
        seed: of every draw.
    """
    taught = [fact for fact in facts if fact.pool == TAUGHT]
    in_memory = sorted(
        (fact for fact in facts if fact.pool == IN_MEMORY), key=lambda fact: fact.fact
    )
    options = max((len(fact.options) for fact in facts), default=2)
    most = max((len(fact.objects) for fact in facts), default=1)
    labels = {fact.relation: fact.relation_label for fact in facts}
    dropped: Counter[str] = Counter()
    reverse: list[Fact] = []
    two_hop: list[Fact] = []
    if sizes.reversed:
        reverse, why = reverse_facts(graph, taught, candidates, groups, options, most, seed)
        dropped += why
    if sizes.two_hop:
        hidden = frozenset(withheld.tolist())
        two_hop, why = two_hop_facts(graph, in_memory, labels, groups, hidden, seed)
        dropped += why
    edited, edits = edited_facts(graph, in_memory[: sizes.edited], groups, seed)
    kept = [*_first(reverse, sizes.reversed), *_first(two_hop, sizes.two_hop), *edited]
    return DerivedFacts(tuple(sorted(kept, key=lambda fact: fact.fact)), tuple(edits), dropped)


def _first(facts: Sequence[Fact], most: int) -> list[Fact]:
    return sorted(facts, key=lambda fact: fact.fact)[:most]
