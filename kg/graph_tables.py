"""The parquet tables of a graph directory, made from the arrays of its statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from . import vocabulary as v
from .names import NAME_KINDS, clean_name, language_rank, name_kinds, words_of
from .statements import Rejected
from .tables import Int32, StatementTables

TEXT_COLUMN = pa.dictionary(pa.int32(), pa.string())
ENTITY_SCHEMA = pa.schema(
    {
        "iri": pa.string(),
        "label": pa.string(),
        "types": pa.list_(pa.int32()),
        "deprecated": pa.bool_(),
        "degree": pa.int32(),
    }
)
NAME_SCHEMA = pa.schema(
    {"entity": pa.int32(), "name": pa.string(), "kind": pa.string(), "language": pa.string()}
)
RELATION_SCHEMA = pa.schema(
    {
        "iri": pa.string(),
        "label": pa.string(),
        "triples": pa.int32(),
        "subjects": pa.int32(),
        "objects": pa.int32(),
        "cardinality": pa.string(),
    }
)
LITERAL_SCHEMA = pa.schema(
    {
        "entity": pa.int32(),
        "predicate": TEXT_COLUMN,
        "value": pa.string(),
        "datatype": TEXT_COLUMN,
        "language": TEXT_COLUMN,
        "source": pa.int16(),
        "line": pa.int32(),
    }
)
REJECTED_SCHEMA = pa.schema(
    {
        "source": pa.int16(),
        "line": pa.int32(),
        "column": pa.int32(),
        "reason": pa.string(),
        "text": pa.string(),
    }
)
MANY = 1.5  # mean tails a head above which a relation counts as "to many"; TransH (Wang 2014)


def name_table(tables: StatementTables, label_predicates: Sequence[str]) -> pa.Table:
    """Every name of every entity once, in its most telling kind; sorted by entity, kind, name."""
    kinds = name_kinds(label_predicates)
    naming = {
        number: NAME_KINDS.index(kinds[iri])
        for number, iri in enumerate(tables.literal_predicates)
        if iri in kinds
    }
    best: dict[tuple[int, str, str], int] = {}
    for entity, predicate, term in tables.literals.tolist():
        if predicate in naming:
            text = clean_name(tables.literal_terms[term].value)
            key = (entity, text, tables.literal_terms[term].language)
            if text:
                best[key] = min(naming[predicate], best.get(key, len(NAME_KINDS)))
    rows = sorted((entity, kind, name, tag) for (entity, name, tag), kind in best.items())
    entities, ranks, names, languages = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        [entities, names, [NAME_KINDS[rank] for rank in ranks], languages], schema=NAME_SCHEMA
    )


def labels(tables: StatementTables, label_predicates: Sequence[str]) -> dict[int, str]:
    """Entity → its label: the earliest label predicate, then English, no language, others."""
    rank = {iri: place for place, iri in reversed(list(enumerate(label_predicates)))}
    best: dict[int, tuple[int, tuple[int, str], str]] = {}
    for entity, predicate, term in tables.literals.tolist():
        place = rank.get(tables.literal_predicates[predicate])
        if place is None:
            continue
        literal = tables.literal_terms[term]
        text = clean_name(literal.value)
        candidate = (place, language_rank(literal.language), text)
        if text and (entity not in best or candidate < best[entity]):
            best[entity] = candidate
    return {entity: text for entity, (_, _, text) in best.items()}


def entity_table(tables: StatementTables, label_of: Mapping[int, str]) -> pa.Table:
    """One row an entity, in the order of ids. Degree counts both ends of a triple."""
    count = len(tables.entities)
    types = defaultdict(list)
    if v.RDF_TYPE in tables.relations:
        is_type = tables.triples[:, 1] == tables.relations.index(v.RDF_TYPE)
        for entity, _, type_ in tables.triples[is_type].tolist():
            types[entity].append(type_)
    ends = tables.triples[:, (0, 2)].ravel()
    degree = np.bincount(ends, minlength=count).astype(np.int32)
    return pa.table(
        [
            tables.entities,
            [label_of.get(entity) for entity in range(count)],
            [types.get(entity, []) for entity in range(count)],
            deprecated(tables),
            degree,
        ],
        schema=ENTITY_SCHEMA,
    )


def deprecated(tables: StatementTables) -> np.ndarray:
    """Which entities are said to be owl:deprecated; shape (entities,), bool."""
    flags = np.zeros(len(tables.entities), bool)
    if v.OWL_DEPRECATED in tables.literal_predicates:
        predicate = tables.literal_predicates.index(v.OWL_DEPRECATED)
        for entity, _, term in tables.literals[tables.literals[:, 1] == predicate].tolist():
            flags[entity] |= tables.literal_terms[term].value in ("true", "1")
    return flags


def relation_table(tables: StatementTables, label_of: Mapping[int, str]) -> pa.Table:
    """One row a relation, in the order of ids, with its counts and cardinality."""
    entity_of = dict(zip(tables.entities, range(len(tables.entities)), strict=True))
    rows = []
    order = np.argsort(tables.triples[:, 1], kind="stable")
    bounds = np.searchsorted(tables.triples[order, 1], np.arange(len(tables.relations) + 1))
    for number, iri in enumerate(tables.relations):
        triples = tables.triples[order[bounds[number] : bounds[number + 1]]]
        subjects, objects = (len(np.unique(triples[:, end])) for end in (0, 2))
        label = label_of.get(entity_of.get(iri, -1)) or words_of(iri)
        rows.append((iri, label, len(triples), subjects, objects, cardinality(triples)))
    columns = list(zip(*rows, strict=True)) or [()] * len(RELATION_SCHEMA)
    return pa.table([list(column) for column in columns], schema=RELATION_SCHEMA)


def cardinality(triples: Int32) -> str:
    """1:1, 1:N, N:1 or N:M, by the mean number of tails a head and of heads a tail."""
    heads, tails = (len(np.unique(triples[:, end])) for end in (0, 2))
    to_many, from_many = len(triples) / heads >= MANY, len(triples) / tails >= MANY
    return {
        (False, False): "1:1",
        (False, True): "1:N",
        (True, False): "N:1",
        (True, True): "N:M",
    }[from_many, to_many]


def literal_table(tables: StatementTables) -> pa.Table:
    """One row a literal statement, sorted by entity, predicate and value."""
    terms = [tables.literal_terms[term] for term in tables.literals[:, 2].tolist()]
    predicates = pa.DictionaryArray.from_arrays(
        pa.array(tables.literals[:, 1]), pa.array(tables.literal_predicates, pa.string())
    )
    return pa.table(
        [
            pa.array(tables.literals[:, 0]),
            predicates,
            pa.array([term.value for term in terms], pa.string()),
            pa.array([term.datatype for term in terms], pa.string()).dictionary_encode(),
            pa.array([term.language for term in terms], pa.string()).dictionary_encode(),
            pa.array(tables.literal_origin[:, 0].astype(np.int16)),
            pa.array(tables.literal_origin[:, 1]),
        ],
        schema=LITERAL_SCHEMA,
    )


def rejected_table(rejected: Sequence[Sequence[Rejected]]) -> pa.Table:
    """Rejections by source number, sorted by source and line."""
    rows = [(source, *item) for source, items in enumerate(rejected) for item in sorted(items)]
    columns = list(zip(*rows, strict=True)) or [()] * len(REJECTED_SCHEMA)
    return pa.table([list(column) for column in columns], schema=REJECTED_SCHEMA)
