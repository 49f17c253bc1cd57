"""ROBOT report's rules on labels and definitions (https://robot.obolibrary.org/report_queries/).

Each function finds what the query of the same name finds. Beyond OBO's predicates, SKOS's are read
as the same: skos:prefLabel as a label, skos:definition as a definition, but one a language is
allowed (SKOS Reference, S14). schema:name and foaf:name count as labels where a label is missed or
badly written; two people may share them.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..definitions import DEFINITION, DEFINITIONS
from ..graph import Int64
from ..names import LABEL_PREDICATES
from .found import Found, lacking, occurrences, statements
from .statement_parts import Part
from .statement_rows import Flags, StatementRows

LABELS = (v.RDFS_LABEL, v.SKOS + "prefLabel")
ONE_A_LANGUAGE = (v.SKOS + "prefLabel", v.SKOS + "definition")
# White_Space of the Unicode Character Database: \s of Oxigraph's regular expressions.
BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
SUBSET_PROPERTY = v.OBO_IN_OWL + "SubsetProperty"
OBSOLETE_CLASS = v.OBO_IN_OWL + "ObsoleteClass"


def annotation_whitespace(graph: StatementRows) -> Found:
    declared = np.flatnonzero(graph.is_a(v.OWL + "AnnotationProperty"))
    known = graph.all.predicates.numbers
    numbers = [known[iri] for iri in graph.iris.take(declared).to_pylist() if iri in known]

    def padded(part: Part) -> Flags:
        found = np.isin(part.predicate, numbers) & (part.object < 0) & ~graph.blank[part.subject]
        if found.any():
            found &= _flags(_padded(part.values()))
        return found

    return statements(graph, graph.search(padded) if numbers else graph.rows())


def label_whitespace(graph: StatementRows) -> Found:
    rows = graph.literals_among(graph.named(*LABEL_PREDICATES))
    return statements(graph, rows[graph.matching(rows, _padded)])


def _padded(texts: pa.Array) -> pa.Array:
    return pc.not_equal(texts, pc.utf8_trim(texts, characters=BLANKS))


def label_formatting(graph: StatementRows) -> Found:
    return statements(graph, _matching(graph, graph.named(*LABEL_PREDICATES), "[\n\t]"))


def _matching(graph: StatementRows, rows: Int64, pattern: str) -> Int64:
    rows = graph.strings(rows)
    return rows[graph.matching(rows, lambda texts: pc.match_substring_regex(texts, pattern))]


def _obsolete(graph: StatementRows, rows: Int64) -> Flags:
    return graph.matching(
        rows, lambda texts: pc.match_substring_regex(texts, "^obsolete", ignore_case=True)
    )


def missing_obsolete_label(graph: StatementRows) -> Found:
    rows = graph.strings(graph.named(*LABELS))
    rows = rows[graph.deprecated[graph.subject[rows]]]
    return statements(graph, rows[~_obsolete(graph, rows)])


def misused_obsolete_label(graph: StatementRows) -> Found:
    rows = graph.in_use(graph.strings(graph.named(*LABELS)))
    rows = rows[~graph.entity(OBSOLETE_CLASS)[graph.subject[rows]]]
    return statements(graph, rows[_obsolete(graph, rows)])


def duplicate_label(graph: StatementRows) -> Found:
    """Two deprecated entities may share a label."""
    rows = graph.named(*LABELS)
    gone = graph.deprecated[graph.subject[rows]]
    terms, predicates = graph.terms(rows), graph.predicate[rows]
    alike = occurrences(predicates, terms)
    alike_and_gone = np.ones(len(rows), np.int64)
    alike_and_gone[gone] = occurrences(predicates[gone], terms[gone])
    return statements(graph, rows[alike > alike_and_gone])


def multiple_labels(graph: StatementRows) -> Found:
    return _several(graph, LABELS)


def multiple_definitions(graph: StatementRows) -> Found:
    return _several(graph, DEFINITIONS)


def _several(graph: StatementRows, predicates: tuple[str, ...]) -> Found:
    rows = graph.in_use(graph.named(*predicates))
    by_language = np.isin(rows, graph.literals_among(graph.rows(*ONE_A_LANGUAGE)))
    language = np.full(len(rows), -1, np.int64)
    language[by_language] = graph.languages(rows[by_language])
    count = occurrences(graph.subject[rows], graph.predicate[rows], language)
    return statements(graph, rows[count > 1])


def duplicate_definition(graph: StatementRows) -> Found:
    rows = graph.in_use(graph.rows(*DEFINITIONS))
    count = occurrences(graph.predicate[rows], graph.terms(rows))
    return statements(graph, rows[(count > 1) & ~graph.blank[graph.subject[rows]]])


def lowercase_definition(graph: StatementRows) -> Found:
    rows = graph.strings(graph.in_use(graph.named(*DEFINITIONS)))
    return statements(graph, np.setdiff1d(rows, _matching(graph, rows, "^[A-Z0-9]")))


def missing_label(graph: StatementRows) -> Found:
    rows = graph.rows(*LABEL_PREDICATES)
    objects = graph.object[rows]
    rows = rows[(objects < 0) | ~graph.blank[objects]]  # a blank node is no text in SPARQL
    rows = rows[graph.matching(rows, lambda texts: pc.not_equal(texts, ""))]
    labelled = graph.flags(graph.subject[rows]) | graph.labelled
    return lacking(graph, _expected(graph) & ~labelled, v.RDFS_LABEL)


def missing_definition(graph: StatementRows) -> Found:
    """Classes, concepts and properties; what is said to be a named individual needs none."""
    defined = graph.flags(graph.subject[graph.rows(*DEFINITIONS)])
    individual = graph.is_a(v.OWL + "NamedIndividual")
    return lacking(graph, _expected(graph) & ~defined & ~individual, DEFINITION)


def _expected(graph: StatementRows) -> Flags:
    """Entities that the graph describes, and so ought to name and define."""
    return (
        graph.described
        & ~graph.blank
        & ~graph.deprecated
        & ~graph.is_a(v.OWL + "Ontology")
        & ~graph.having(v.RDFS + "subPropertyOf", SUBSET_PROPERTY)
    )


def _flags(column: pa.Array) -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)
