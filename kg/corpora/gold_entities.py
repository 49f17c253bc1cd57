"""The entities that gold identifiers stand for now.

An identifier is an IRI, a CURIE with a declared or OBO prefix, an alternative or replaced id, or the
end of one entity's IRI. One that is none of these but has `|`, `;` or `,` is several (PubTator writes
composite mentions so).
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import UserError
from .. import vocabulary as v
from ..graph import KnowledgeGraph
from ..names import local_name
from ..prefixes import Prefixes
from ..readers.json_lines import LineError
from .gold_documents import GoldFile

SEVERAL = re.compile(r"\s*[|;,]\s*")


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A gold mention: characters [start, end) mean one of `entities`; NIL where there are none."""

    start: int
    end: int
    entities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """A text and what its annotators found in it."""

    id: str
    text: str
    spans: tuple[GoldSpan, ...]


class GoldIdentifiers:
    """Finds the entities of identifiers in one graph; each identifier is looked up once."""

    def __init__(self, graph: KnowledgeGraph, prefixes: Prefixes) -> None:
        self._graph = graph
        self._prefixes = prefixes
        self._known: dict[str, tuple[int, ...] | LineError] = {}
        self._by_local_name: dict[str, list[int]] | None = None
        self._obo: dict[str, bool] = {}

    def entities(self, id: str) -> tuple[int, ...]:
        """The entities, any of which is right.

        Raises:
            LineError: the graph has none, or the identifier is that of several.
        """
        found = self._known.get(id)
        if found is None:
            try:
                found = self._several(id)
            except LineError as fault:
                found = fault
            self._known[id] = found
        if isinstance(found, LineError):
            raise found
        return found

    def _several(self, id: str) -> tuple[int, ...]:
        try:
            return (self._one(id),)
        except LineError:
            parts = [part for part in SEVERAL.split(id) if part]
            if len(parts) < 2:
                raise
        return tuple(dict.fromkeys(self._one(part) for part in parts))

    def _one(self, id: str) -> int:
        if id.startswith("<") and id.endswith(">"):
            id = id[1:-1]
        try:
            resolved = self._graph.resolve(id, self._prefixes)
        except UserError as error:  # an alternative id of several entities
            raise LineError(f"{error.what}: {error.fix}") from None
        if resolved is not None:
            return resolved.entity
        if ":" not in id:
            return self._by_end(id)
        raise LineError(f"the graph has no entity {id!r}{self._prefix_advice(id)}")

    def _by_end(self, id: str) -> int:
        if self._by_local_name is None:
            self._by_local_name = defaultdict(list)
            for entity in range(self._graph.entity_count):
                self._by_local_name[local_name(self._graph.iri(entity))].append(entity)
        found = self._by_local_name.get(id, [])
        if not found:
            raise LineError(f"the graph has no entity {id!r}")
        if len(found) > 1:
            iris = ", ".join(self._graph.iri(entity) for entity in found[:3])
            raise LineError(f"{len(found)} entities are called {id!r}: {iris}")
        return found[0]

    def _prefix_advice(self, id: str) -> str:
        prefix, _, local = id.partition(":")
        if prefix in self._prefixes.spaces or local.startswith("//") or self._is_obo(prefix):
            return ""
        return f"; if {prefix!r} is a prefix of yours, declare it: --prefix {prefix}=IRI"

    def _is_obo(self, prefix: str) -> bool:
        """True where the graph has entities of this OBO id space, so that the number is wrong."""
        if prefix not in self._obo:
            space, count = f"{v.OBO}{prefix}_", self._graph.entity_count
            self._obo[prefix] = any(
                self._graph.iri(each).startswith(space) for each in range(count)
            )
        return self._obo[prefix]


def gold_entities(
    gold: GoldFile, graph: KnowledgeGraph, prefixes: Prefixes
) -> tuple[list[AnnotatedDocument], list[tuple[str, str]]]:
    """The documents with entities for identifiers, and (place, problem) of those that stand for none."""
    identifiers = GoldIdentifiers(graph, prefixes)
    documents, faults = [], []
    for document in gold.documents:
        spans = []
        for mention in document.mentions:
            try:
                entities = _all_entities(identifiers, mention.ids)
            except LineError as fault:
                faults.append(fault.at(f"{gold.name}:{mention.line}"))
                continue
            spans.append(GoldSpan(mention.start, mention.end, entities))
        documents.append(AnnotatedDocument(document.id, document.text, tuple(spans)))
    return documents, faults


def _all_entities(identifiers: GoldIdentifiers, ids: Iterable[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(entity for id in ids for entity in identifiers.entities(id)))
