"""Identifiers that changed: which entity stands now for an alternative id or a replaced one.

Alternative ids are oboInOwl:hasAlternativeId, replacements IAO:0100001 ("term replaced by") and
dcterms:isReplacedBy; each as IRI or as a CURIE in a literal, as OBO's tools write both. The graph
itself says what its sources say; nothing is rewritten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import UserError
from . import vocabulary as v
from .prefixes import ExpansionError, Prefixes

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

ALTERNATIVE_ID = v.OBO_IN_OWL + "hasAlternativeId"
REPLACED_BY = (v.IAO + "0100001", v.DCTERMS + "isReplacedBy")
CONSIDER = v.OBO_IN_OWL + "consider"


@dataclass(frozen=True)
class Resolved:
    """The entity that an identifier stands for now.

    Attributes:
        entity: its number.
        by: "itself", or how it was found: "alternative id" or "replaced by", the first step's.
        via: IRIs from what was asked to the last before the entity; empty for itself.
        consider: for an entity that nothing single replaces: IRIs that may.
    """

    entity: int
    by: str
    via: tuple[str, ...] = ()
    consider: tuple[str, ...] = ()


class ChangedIdentifiers:
    """The changed identifiers of one graph, gathered once; answers for any IRI or id."""

    def __init__(self, graph: "KnowledgeGraph", prefixes: Prefixes) -> None:
        self._graph = graph
        self._prefixes = prefixes
        said = _pairs(graph, prefixes, (ALTERNATIVE_ID,))
        self._standing = _grouped((other, current) for current, other in said)
        self._replaced = _grouped(_pairs(graph, prefixes, REPLACED_BY))
        self._consider = _grouped(_pairs(graph, prefixes, (CONSIDER,)))

    def find(self, asked: str) -> Resolved | None:
        """The entity that an IRI, a CURIE or an alternative id stands for; None where there is none.

        Chains are followed; one that comes back to itself ends where it would begin again.

        Raises:
            UserError: several entities have this alternative id.
        """
        iri = expanded_or_same(asked, self._prefixes)
        path, places, by = [iri], {iri: 0}, "itself"
        while (step := self._step(path[-1])) is not None:
            way, following = step
            if following in places:
                path = path[: places[following] + 1]
                break
            places[following] = len(path)
            path.append(following)
            by = way if by == "itself" else by
        entity = self._graph.find(path[-1])
        if entity is None:
            return None
        by = by if len(path) > 1 else "itself"
        choices = (*self._replaced.get(path[-1], ()), *self._consider.get(path[-1], ()))
        others = tuple(dict.fromkeys(choice for choice in choices if choice not in path))
        return Resolved(entity, by, tuple(path[:-1]), others)

    def _step(self, iri: str) -> tuple[str, str] | None:
        """How an identifier is left, and for which; None where it stands for itself."""
        entity = self._graph.find(iri)
        standing = self._standing.get(iri, ())
        if entity is None and len(standing) > 1:
            raise UserError(
                f"{len(standing)} entities have the alternative id {iri!r}",
                self._graph.directory.name,
                "name one of them: " + ", ".join(standing),
            )
        replaced = [each for each in self._replaced.get(iri, ()) if self._is_known(each)]
        merged = len(standing) == 1
        # An entity that others only point to has neither a label nor a use of its own.
        if merged and (entity is None or not self._graph.has_label(entity)):
            return "alternative id", standing[0]
        if len(replaced) == 1:
            return "replaced by", replaced[0]
        if merged and entity is not None and not replaced and self._graph.deprecated(entity):
            return "alternative id", standing[0]
        return None

    def _is_known(self, iri: str) -> bool:
        return self._graph.find(iri) is not None or iri in self._standing


def expanded_or_same(text: str, prefixes: Prefixes) -> str:
    """The IRI that an OBO identifier means, or the text itself where it is none."""
    try:
        return prefixes.expand_obo(text)
    except ExpansionError:
        return text


def _pairs(
    graph: "KnowledgeGraph", prefixes: Prefixes, predicates: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Subject and object IRI of these predicates' triples, then of their literals."""
    for number, relation in enumerate(graph.relations):
        if relation.iri in predicates:
            rows = graph.triples[np.asarray(graph.triples[:, 1]) == number]
            for head, _, tail in rows.tolist():
                yield graph.iri(head), graph.iri(tail)
    literals = graph.literals_table
    wanted = pc.is_in(pc.cast(literals["predicate"], "string"), value_set=pa.array(predicates))
    found = literals.select(["entity", "value"]).filter(wanted)
    for entity, value in zip(found["entity"].to_pylist(), found["value"].to_pylist(), strict=True):
        yield graph.iri(entity), expanded_or_same(value, prefixes)


def _grouped(pairs: Iterator[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """First of the pairs → seconds, each once, in the order of the pairs."""
    groups: dict[str, dict[str, None]] = {}
    for first, second in pairs:
        groups.setdefault(first, {})[second] = None
    return {first: tuple(seconds) for first, seconds in groups.items()}
