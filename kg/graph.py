"""A knowledge graph opened from its directory: ids, names, triples, literals and where they stood.

Everything is loaded when first asked for; the arrays are memory-mapped and read-only.
"""

import bisect
import difflib
import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyoxigraph import Store

from ..errors import UserError
from .graph_records import Literal, Name, Origin, Relation
from .identifiers import ChangedIdentifiers, Resolved
from .names import local_name
from .nearest import nearest_entities
from .prefixes import Prefixes
from .sorted_rows import bounds, rows_of
from .storage.snapshots import current_snapshot
from .views import graph_views
from .views.graph_paths import Step, paths
from .views.graph_views import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import networkx
    import rdflib

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class KnowledgeGraph:
    """The graph that `ingest` wrote. Entities and relations are dense numbers from 0, by IRI."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._changed: tuple[Mapping[str, str], ChangedIdentifiers] | None = None

    @staticmethod
    def open(directory: Path) -> "KnowledgeGraph":
        """The graph in a directory, or the current one of a folder of snapshots.

        Raises:
            UserError: there is none.
        """
        folder = current_snapshot(Path(directory))
        missing = [
            name
            for name in ("entities.parquet", "triples.npy", "store")
            if not (folder / name).exists()
        ]
        if missing:
            raise UserError(
                f"the folder holds no graph: {', '.join(missing)} not found",
                str(directory),
                "run: infact ingest",
            )
        return KnowledgeGraph(folder)

    # Tables, as they are on disk.

    @cached_property
    def entities_table(self) -> pa.Table:
        """Columns iri, label (null if none), types, deprecated, degree; row number = entity."""
        return pq.ParquetFile(self.directory / "entities.parquet").read()

    @cached_property
    def names_table(self) -> pa.Table:
        """Columns entity, name, kind, language; sorted by entity."""
        return pq.ParquetFile(self.directory / "names.parquet").read()

    @cached_property
    def literals_table(self) -> pa.Table:
        """Columns entity, predicate, value, datatype, language, source, line; sorted by entity."""
        return pq.ParquetFile(self.directory / "literals.parquet").read()

    @cached_property
    def triples(self) -> Int32:
        """(n, 3) head, relation, tail; sorted."""
        return np.load(self.directory / "triples.npy", mmap_mode="r", allow_pickle=False)

    @cached_property
    def triple_origin(self) -> Int32:
        """(n, 2) source number, line; row-aligned with `triples`."""
        return np.load(self.directory / "triple_origin.npy", mmap_mode="r", allow_pickle=False)

    @cached_property
    def sources(self) -> list[dict[str, str | int]]:
        """What `sources.json` says of each source, in the order of source numbers."""
        return json.loads((self.directory / "sources.json").read_text(encoding="utf-8"))

    @cached_property
    def relations(self) -> list[Relation]:
        """Row number = relation."""
        rows = pq.ParquetFile(self.directory / "relations.parquet").read().to_pylist()
        return [Relation(**row) for row in rows]

    # Entities.

    @property
    def entity_count(self) -> int:
        return self.entities_table.num_rows

    @property
    def relation_count(self) -> int:
        return len(self.relations)

    @cached_property
    def _iris(self) -> list[str]:
        return self.entities_table["iri"].to_pylist()

    @cached_property
    def _labels(self) -> list[str | None]:
        return self.entities_table["label"].to_pylist()

    @cached_property
    def id_space(self) -> str:
        """sha256 hex of the entity IRIs in order: equal where entity numbers mean the same."""
        return hashlib.sha256("\n".join(self._iris).encode()).hexdigest()

    def iri(self, entity: int) -> str:
        """The IRI of an entity, or `_:label` of a blank node."""
        return self._iris[entity]

    def label(self, entity: int) -> str:
        """The entity's label; the local name of its IRI where it has none."""
        return self._labels[entity] or local_name(self._iris[entity])

    def has_label(self, entity: int) -> bool:
        return self._labels[entity] is not None

    def entity(self, iri: str) -> int:
        """The number of an IRI.

        Raises:
            UserError: not in the graph; names the nearest IRIs and labels.
        """
        if (found := self.find(iri)) is not None:
            return found
        close = nearest_entities(iri, self._iris, self._labels)
        advice = " or ".join(f"{self._iris[number]} ({self.label(number)})" for number in close)
        raise UserError(
            f"the graph has no entity {iri!r}",
            self.directory.name,
            f"did you mean {advice}" if advice else "look for it in entities.parquet",
        )

    def find(self, iri: str) -> int | None:
        """The number of an IRI; None where the graph doesn't have it."""
        place = bisect.bisect_left(self._iris, iri)
        return place if place < len(self._iris) and self._iris[place] == iri else None

    def resolve(self, asked: str, prefixes: Prefixes) -> Resolved | None:
        """The entity that an IRI or id stands for now, replaced and alternative ids followed.

        Raises:
            UserError: several entities have this alternative id.
        """
        if self._changed is None or self._changed[0] != prefixes.spaces:
            self._changed = prefixes.spaces, ChangedIdentifiers(self, prefixes)
        return self._changed[1].find(asked)

    def types(self, entity: int) -> tuple[int, ...]:
        """The entities that are its rdf:type."""
        return tuple(self.entities_table["types"][entity].as_py())

    def deprecated(self, entity: int) -> bool:
        return bool(self.entities_table["deprecated"][entity].as_py())

    def degree(self, entity: int) -> int:
        """Ends of triples at this entity; a triple from an entity to itself has two."""
        return int(self.entities_table["degree"][entity].as_py())

    def names_of(self, entity: int) -> tuple[Name, ...]:
        """Every name, labels first."""
        rows = rows_of(self._name_bounds, self.names_table, entity).select(
            ["name", "kind", "language"]
        )
        return tuple(Name(*row.values()) for row in rows.to_pylist())

    def label_language(self, entity: int) -> str:
        """The language tag of its label; empty where it has none."""
        label = self.label(entity)
        return next((name.language for name in self.names_of(entity) if name.text == label), "")

    @cached_property
    def _name_bounds(self) -> Int64:
        return bounds(self.names_table["entity"].to_numpy(), self.entity_count)

    @cached_property
    def _literal_bounds(self) -> Int64:
        return bounds(self.literals_table["entity"].to_numpy(), self.entity_count)

    def literals(self, entity: int) -> list[Literal]:
        """Its literal statements, sorted by predicate and value."""
        found = []
        for row in rows_of(self._literal_bounds, self.literals_table, entity).to_pylist():
            origin = Origin(str(self.sources[row["source"]]["name"]), row["line"])
            found.append(
                Literal(row["predicate"], row["value"], row["datatype"], row["language"], origin)
            )
        return found

    # Relations and triples.

    def relation(self, iri: str) -> int:
        """The number of a predicate.

        Raises:
            UserError: no triple has it; names the nearest.
        """
        iris = [relation.iri for relation in self.relations]
        if iri in iris:
            return iris.index(iri)
        close = difflib.get_close_matches(iri, iris, n=3, cutoff=0.5) or iris[:10]
        raise UserError(
            f"no triple of the graph has the predicate {iri!r}",
            self.directory.name,
            "did you mean " + " or ".join(close),
        )

    def relation_iri(self, relation: int) -> str:
        return self.relations[relation].iri

    def relation_label(self, relation: int) -> str:
        return self.relations[relation].label

    @cached_property
    def _head_bounds(self) -> Int64:
        return bounds(self.triples[:, 0], self.entity_count)

    @cached_property
    def _by_tail(self) -> tuple[Int64, Int64]:
        """Row numbers sorted by tail, relation and head, and where each tail begins."""
        order = np.lexsort((self.triples[:, 0], self.triples[:, 1], self.triples[:, 2]))
        return order, bounds(self.triples[order, 2], self.entity_count)

    def outgoing(self, entity: int) -> Int64:
        """Row numbers of the triples whose head it is."""
        return np.arange(self._head_bounds[entity], self._head_bounds[entity + 1])

    def incoming(self, entity: int) -> Int64:
        """Row numbers of the triples whose tail it is, sorted by relation and head."""
        order, starts = self._by_tail
        return order[starts[entity] : starts[entity + 1]]

    def objects(self, subject: int, relation: int) -> Int32:
        """Tails of (subject, relation, ·), ascending."""
        rows = self.triples[self._head_bounds[subject] : self._head_bounds[subject + 1]]
        start, end = np.searchsorted(rows[:, 1], [relation, relation + 1])
        return np.asarray(rows[start:end, 2])

    def subjects(self, relation: int, object: int) -> Int32:
        """Heads of (·, relation, object), ascending."""
        rows = self.triples[self.incoming(object)]
        return rows[rows[:, 1] == relation, 0]

    def origin(self, row: int) -> Origin:
        """Where the triple in this row was read first."""
        source, line = self.triple_origin[row].tolist()
        return Origin(str(self.sources[source]["name"]), line)

    # Ways out.

    def store(self) -> Store:
        """The Oxigraph store, read-only, for SPARQL."""
        return Store.read_only(str(self.directory / "store"))

    @cached_property
    def graphs(self) -> dict[str, int]:
        """Named graph → how many statements it holds; the default graph's name is empty."""
        path = self.directory / "graphs.parquet"
        if not path.exists():  # made before named graphs were kept: all was put into one
            return {"": len(self.triples) + self.literals_table.num_rows}
        table = pq.ParquetFile(path).read()
        return dict(zip(table["iri"].to_pylist(), table["statements"].to_pylist(), strict=True))

    def neighbours(
        self, entity: int, relation: int | None = None, direction: Direction = "both"
    ) -> pa.Table:
        """Columns relation, entity, direction, row: see `graph_views.neighbours`."""
        return graph_views.neighbours(self, entity, relation, direction)

    def paths(
        self,
        start: int,
        end: int,
        most_steps: int,
        relations: "Collection[int] | None" = None,
        both_ways: bool = False,
    ) -> "Iterator[tuple[Step, ...]]":
        """Paths without repeated entities, the shortest first: see `graph_paths.paths`."""
        return paths(self, start, end, most_steps, relations, both_ways)

    def triples_table(self) -> pa.Table:
        """`triples` as IRIs and labels, in dictionary arrays: see `graph_views.triples_table`."""
        return graph_views.triples_table(self)

    def to_networkx(self, entities: "Iterable[int]", steps: int = 0) -> "networkx.MultiDiGraph":
        """The triples among entities and those near them: see `graph_views.subgraph`."""
        return graph_views.subgraph(self, entities, steps)

    def to_rdflib(
        self,
        entities: "Iterable[int] | None" = None,
        prefixes: "Mapping[str, str] | None" = None,
    ) -> "rdflib.Graph":
        """All statements, or those of some entities: see `graph_views.to_rdflib`."""
        return graph_views.to_rdflib(self, entities, prefixes)
