"""ROBOT report's rules on synonyms and cross-references.

skos:altLabel is read as an exact synonym, as `names.SYNONYM_KINDS` does; but not where one entity
repeats a synonym under several scopes, for graphs give both vocabularies side by side.
"""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..graph import Int64
from .found import Found, occurrences, statements, statements_under, together
from .label_rules import BLANKS, LABELS
from .statement_rows import Flags, StatementRows

EXACT = v.OBO_IN_OWL + "hasExactSynonym"
ALTERNATIVE = v.IAO + "0000118"
EXACT_SYNONYMS = (ALTERNATIVE, EXACT, v.SKOS + "altLabel")
SCOPED_SYNONYMS = (
    ALTERNATIVE,
    *(f"{v.OBO_IN_OWL}has{scope}Synonym" for scope in ("Exact", "Broad", "Related", "Narrow")),
)
XREF = v.OBO_IN_OWL + "hasDbXref"
CURIE = f"^[A-Za-z_][A-Za-z0-9_.-]*[A-Za-z0-9_]:[^{BLANKS}]+$"
ABBREVIATION, ACRONYM = v.OBO + "OMO_0003000", v.OBO + "OMO_0003012"


def duplicate_exact_synonym(graph: StatementRows) -> Found:
    """Case is set aside. Abbreviations don't make a synonym ambiguous."""
    rows = graph.in_use(graph.strings(graph.named(*EXACT_SYNONYMS)))
    upper = graph.text_numbers(rows, _upper)
    languages = graph.languages(rows)
    keys = np.stack([graph.predicate[rows], upper, languages], axis=1)
    _, key = np.unique(keys, axis=0, return_inverse=True)
    key = key.reshape(-1)
    counting = ~_abbreviations(graph, rows)
    holders = np.unique(np.stack([key, graph.subject[rows]], axis=1)[counting], axis=0)
    shared = np.bincount(holders[:, 0], minlength=len(rows)) > 1
    return statements(graph, rows[shared[key]])


def _upper(text: pa.Array) -> pa.Array:
    """SPARQL's UCASE; Arrow's own lacks the letters that become several, as ß does."""
    ascii_only = pc.string_is_ascii(text)
    if pc.all(ascii_only).as_py() is not False:
        return pc.ascii_upper(text)
    others = pc.if_else(ascii_only, None, text).to_pylist()
    upper = pa.array([other if other is None else other.upper() for other in others], pa.string())
    return pc.coalesce(upper, pc.ascii_upper(text))


def _abbreviations(graph: StatementRows, rows: Int64) -> Flags:
    """Which of these synonyms an owl:Axiom calls an abbreviation or acronym."""
    typed = graph.pointing(
        graph.rows(v.OBO_IN_OWL + "hasSynonymType"), graph.entity(ABBREVIATION, ACRONYM)
    )
    axiom = graph.flags(graph.subject[typed]) & graph.is_a(v.OWL + "Axiom")
    if not axiom.any():
        return np.zeros(len(rows), bool)
    sources, properties, targets = (
        _of(graph, axiom, v.OWL + name)
        for name in ("annotatedSource", "annotatedProperty", "annotatedTarget")
    )
    source_of, property_of = _objects(graph, sources), _objects(graph, properties)
    terms = graph.terms(np.concatenate([rows, targets])).tolist()
    said = {
        (source, property, term)
        for node, term in zip(graph.subject[targets].tolist(), terms[len(rows) :], strict=True)
        for source in source_of[node]
        for property in property_of[node]
    }
    numbers = {number: graph.iris.find(iri) for iri, number in graph.all.predicates.numbers.items()}
    properties_used = [numbers[number] for number in graph.predicate[rows].tolist()]
    subjects = graph.subject[rows].tolist()
    return np.array(
        [key in said for key in zip(subjects, properties_used, terms[: len(rows)], strict=True)],
        bool,
    )


def _of(graph: StatementRows, nodes: Flags, predicate: str) -> Int64:
    rows = graph.rows(predicate)
    return rows[nodes[graph.subject[rows]]]


def _objects(graph: StatementRows, rows: Int64) -> dict[int, list[int]]:
    """Subject → objects of these triples."""
    found: dict[int, list[int]] = defaultdict(list)
    for subject, item in zip(
        graph.subject[rows].tolist(), graph.object[rows].tolist(), strict=True
    ):
        found[subject].append(item)
    return found


def duplicate_label_synonym(graph: StatementRows) -> Found:
    labels = graph.in_use(graph.named(*LABELS))
    parts = [statements(graph, labels[:0])]
    for predicate in EXACT_SYNONYMS:
        synonyms = graph.in_use(graph.named(predicate))
        if not len(synonyms):
            continue
        terms = graph.terms(np.concatenate([labels, synonyms]))
        shared = np.isin(terms[: len(labels)], terms[len(labels) :])
        parts.append(statements_under(graph, labels[shared], predicate))
    return together(parts)


def duplicate_scoped_synonym(graph: StatementRows) -> Found:
    rows = graph.named(*SCOPED_SYNONYMS)
    return statements(graph, rows[occurrences(graph.subject[rows], graph.terms(rows)) > 1])


def invalid_xref(graph: StatementRows) -> Found:
    rows = graph.strings(graph.named(XREF))
    curie = graph.matching(rows, lambda texts: pc.match_substring_regex(texts, CURIE))
    return statements(graph, rows[~curie])
