"""ROBOT report's rules on what is deprecated, equivalent, undeclared or without a parent."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..graph import Int32, Int64
from ..names import local_name
from .found import (
    Found,
    lacking,
    occurrences,
    places_of_equals,
    reversed_statements,
    statements,
    statements_under,
    together,
)
from .label_rules import OBSOLETE_CLASS, SUBSET_PROPERTY
from .statement_rows import Flags, StatementRows

CLASS, RESTRICTION = v.OWL + "Class", v.OWL + "Restriction"
CONCEPT, BROADER = v.SKOS + "Concept", v.SKOS + "broader"
SUBCLASS, SUBPROPERTY = v.RDFS + "subClassOf", v.RDFS + "subPropertyOf"
EQUIVALENT, DISJOINT = v.OWL + "equivalentClass", v.OWL + "disjointWith"
SOME, ALL = v.OWL + "someValuesFrom", v.OWL + "allValuesFrom"
REPLACED_BY = v.IAO + "0100001"
IN_SUBSET, SYNONYM_TYPE = v.OBO_IN_OWL + "inSubset", v.OBO_IN_OWL + "hasSynonymType"


def deprecated_boolean_datatype(graph: StatementRows) -> Found:
    rows = graph.literals_among(graph.named(v.OWL_DEPRECATED))
    return statements(graph, rows[~graph.of_datatype(rows, v.XSD_BOOLEAN)])


def deprecated_class_reference(graph: StatementRows) -> Found:
    gone = graph.deprecated & graph.is_a(CLASS)
    restriction = graph.is_a(RESTRICTION)
    parents = _about(graph, graph.rows(SUBCLASS), gone)
    allowed = graph.entity(OBSOLETE_CLASS, v.OWL + "Thing")
    axioms = graph.rows(EQUIVALENT, DISJOINT, v.OWL + "ObjectProperty", v.OWL + "DataProperty")
    used = graph.pointing(graph.rows(SUBCLASS, EQUIVALENT, DISJOINT), gone)
    restricting = _about(graph, graph.pointing(graph.rows(SOME, ALL), gone), restriction)
    return together(
        [
            statements(graph, np.setdiff1d(parents, graph.pointing(parents, allowed))),
            statements(graph, _about(graph, axioms, gone)),
            reversed_statements(graph, used),
            statements(graph, restricting),
        ]
    )


def _about(graph: StatementRows, rows: Int64, flags: Flags) -> Int64:
    return rows[flags[graph.subject[rows]]]


def deprecated_property_reference(graph: StatementRows) -> Found:
    gone = graph.deprecated
    between_both = graph.rows(v.OWL + "equivalentProperty", SUBPROPERTY)
    inverse = graph.rows(v.OWL + "inverseOf")
    object_property = gone & graph.is_a(v.OWL + "ObjectProperty")
    data_property = gone & graph.is_a(v.OWL + "DatatypeProperty")
    known = graph.all.predicates.numbers
    names = graph.iris.take(np.flatnonzero(gone)).to_pylist()
    numbers = [known[iri] for iri in names if iri in known]
    used = graph.search(lambda part: np.isin(part.predicate, numbers)) if numbers else inverse[:0]
    parts = [
        reversed_statements(graph, graph.pointing(between_both, object_property | data_property)),
        reversed_statements(graph, graph.pointing(inverse, object_property)),
        statements(graph, used),
    ]
    restricting = _about(
        graph,
        graph.pointing(graph.rows(v.OWL + "onProperty"), gone),
        graph.is_a(RESTRICTION),
    )
    nodes = graph.flags(graph.subject[restricting])
    pointing = graph.search(lambda part: nodes[part.object] & (part.object >= 0))
    for property in np.unique(graph.object[restricting]).tolist():
        nodes = graph.flags(graph.subject[restricting[graph.object[restricting] == property]])
        rows = graph.pointing(pointing, nodes)
        parts.append(statements_under(graph, rows, graph.iris[property].as_py()))
    return together(parts)


def misused_replaced_by(graph: StatementRows) -> Found:
    return statements(graph, graph.in_use(graph.named(REPLACED_BY)))


def missing_superclass(graph: StatementRows) -> Found:
    """Of a SKOS concept: a broader one, unless it is said to be at the top of a scheme."""
    child = graph.flags(graph.subject[graph.rows(SUBCLASS)])
    candidates = graph.described & ~graph.blank & ~graph.deprecated
    top = graph.flags(graph.subject[graph.rows(v.SKOS + "topConceptOf")])
    named_top = graph.rows(v.SKOS + "hasTopConcept")
    top |= graph.flags(graph.object[named_top[graph.object[named_top] >= 0]])
    narrower = graph.flags(graph.subject[graph.rows(BROADER)])
    told_above = graph.rows(v.SKOS + "narrower")
    narrower |= graph.flags(graph.object[told_above[graph.object[told_above] >= 0]])
    classes = candidates & graph.is_a(CLASS) & ~child
    concepts = candidates & graph.is_a(CONCEPT) & ~graph.is_a(CLASS) & ~narrower & ~top
    return together([lacking(graph, classes, SUBCLASS), lacking(graph, concepts, BROADER)])


def multiple_asserted_superclasses(graph: StatementRows) -> Found:
    rows = _about(graph, graph.rows(SUBCLASS), graph.is_a(CLASS))
    rows = np.setdiff1d(rows, graph.pointing(rows, graph.blank))
    found = rows[occurrences(graph.subject[rows]) > 1]
    return statements(graph, found[~_inferred(graph, found)])


def _inferred(graph: StatementRows, rows: Int64) -> Flags:
    """Which of these subclass statements an axiom says to be inferred."""
    said = graph.rows(v.OBO_IN_OWL + "is_inferred")
    true = pc.match_substring(graph.text(said), "true").to_numpy(zero_copy_only=False)
    about = _about(
        graph,
        graph.pointing(graph.rows(v.OWL + "annotatedProperty"), graph.entity(SUBCLASS)),
        graph.flags(graph.subject[said[np.asarray(true, bool)]]),
    )
    axiom = graph.flags(graph.subject[about])
    sources, targets = (
        _about(graph, graph.rows(v.OWL + name), axiom)
        for name in ("annotatedSource", "annotatedTarget")
    )
    left, right = places_of_equals(graph.subject[sources], graph.subject[targets])
    inferred = _pair(graph.object[sources][left], graph.object[targets][right])
    return np.isin(_pair(graph.subject[rows], graph.object[rows]), inferred)


def _pair(first: Int32, second: Int32) -> Int64:
    return (first.astype(np.int64) << 32) + second


def equivalent_pair(graph: StatementRows) -> Found:
    rows = graph.rows(EQUIVALENT)
    return statements(graph, np.setdiff1d(rows, graph.pointing(rows, graph.blank)))


def equivalent_class_axiom_no_genus(graph: StatementRows) -> Found:
    restriction = graph.is_a(RESTRICTION)
    equal = graph.pointing(graph.named(EQUIVALENT), restriction)
    used = graph.flags(graph.object[equal])
    some = _about(graph, graph.rows(SOME), used)
    some = np.setdiff1d(some, graph.pointing(some, graph.blank))
    on = _about(graph, graph.rows(v.OWL + "onProperty"), used)
    left, right = places_of_equals(graph.object[equal], graph.subject[some])
    equal, some = equal[left], some[right]
    left, right = places_of_equals(graph.object[equal], graph.subject[on])
    equal, some, on = equal[left], some[left], on[right]
    return Found(graph.subject[equal], graph.number[equal], graph.text(on), graph.text(some))


def multiple_equivalent_classes(graph: StatementRows) -> Found:
    union = graph.flags(graph.subject[graph.rows(v.OWL + "unionOf")])
    rows = graph.named(EQUIVALENT)
    rows = np.setdiff1d(rows, graph.pointing(rows, union))
    return statements(graph, rows[occurrences(graph.subject[rows]) > 1])


def multiple_equivalent_class_definitions(graph: StatementRows) -> Found:
    parts_of = graph.rows(v.OWL + "intersectionOf")
    rows = graph.named(EQUIVALENT)
    left, right = places_of_equals(graph.object[rows], graph.subject[parts_of])
    rows, lists = rows[left], parts_of[right]
    pairs, first = np.unique(_pair(graph.subject[rows], graph.object[lists]), return_index=True)
    first = first[occurrences(pairs >> 32) > 1]
    value = graph.text(lists[first])
    rows = rows[first]
    return Found(graph.subject[rows], graph.number[rows], pa.nulls(len(rows)), value)


def missing_subset_declaration(graph: StatementRows) -> Found:
    """In OBO a subset is declared by a header line, `subsetdef: name "description"`."""
    declared = graph.having(SUBPROPERTY, SUBSET_PROPERTY)
    names = {
        text.split(" ")[0]
        for text in graph.text(graph.rows(v.OBO_IN_OWL + "subsetdef")).to_pylist()
    }
    return _undeclared(graph, IN_SUBSET, declared, names)


def missing_synonymtype_declaration(graph: StatementRows) -> Found:
    declared = graph.having(SUBPROPERTY, v.OBO_IN_OWL + "SynonymTypeProperty")
    return _undeclared(graph, SYNONYM_TYPE, declared, set())


def _undeclared(graph: StatementRows, predicate: str, declared: Flags, names: set[str]) -> Found:
    rows = graph.rows(predicate)
    rows = rows[graph.object[rows] >= 0]
    used, first = np.unique(graph.object[rows], return_index=True)
    wanting = [
        place
        for place, entity in enumerate(used.tolist())
        if not declared[entity] and local_name(graph.iris[entity].as_py()) not in names
    ]
    return Found(
        used[wanting],
        graph.number[rows[first[wanting]]],
        pa.repeat(pa.scalar(SUBPROPERTY), len(wanting)),
        pa.repeat(pa.scalar(""), len(wanting)),
    )


def illegal_use_of_built_in_vocabulary(graph: StatementRows) -> Found:
    """Statements about rdf:type itself."""
    built_in = graph.iris.find(v.RDF_TYPE)
    if built_in is None:
        return statements(graph, graph.rows())
    return statements(graph, graph.search(lambda part: part.subject == built_in))


def invalid_entity_uri(graph: StatementRows) -> Found:
    """Near misses of OBO's IRIs."""
    near = graph.beginning(
        "https://purl.obolibrary.org/obo/",
        "http://purl.org/obo/",
        "http://www.obofoundry.org/",
    )
    return statements(graph, _about(graph, graph.rows(v.RDF_TYPE), near))


def missing_ontology_title(graph: StatementRows) -> Found:
    return _header_without(graph, v.DCTERMS + "title", v.DC + "title")


def missing_ontology_description(graph: StatementRows) -> Found:
    return _header_without(graph, v.DCTERMS + "description", v.DC + "description")


def missing_ontology_license(graph: StatementRows) -> Found:
    return _header_without(graph, v.DCTERMS + "license")


def _header_without(graph: StatementRows, *predicates: str) -> Found:
    told = graph.flags(graph.subject[graph.rows(*predicates)])
    return lacking(graph, graph.is_a(v.OWL + "Ontology") & ~told, predicates[0])
