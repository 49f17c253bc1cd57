"""The predicates that rules look at: their statements are held in memory, all others only read."""

from .. import vocabulary as v
from ..names import LABEL_PREDICATES

LOOKED_AT = frozenset(
    space + name
    for space, names in (
        (v.RDF, "type"),
        (v.RDFS, "subClassOf subPropertyOf"),
        (v.OWL, "deprecated equivalentClass disjointWith equivalentProperty inverseOf"),
        (v.OWL, "someValuesFrom allValuesFrom onProperty unionOf intersectionOf"),
        (v.OWL, "annotatedSource annotatedProperty annotatedTarget ObjectProperty DataProperty"),
        (v.SKOS, "definition altLabel broader narrower topConceptOf hasTopConcept"),
        (v.OBO_IN_OWL, "hasExactSynonym hasBroadSynonym hasRelatedSynonym hasNarrowSynonym"),
        (v.OBO_IN_OWL, "hasDbXref hasSynonymType inSubset subsetdef is_inferred"),
        (v.IAO, "0000115 0000118 0000600 0100001"),
        (v.DC, "title description"),
        (v.DCTERMS, "title description license"),
    )
    for name in names.split()
) | frozenset(LABEL_PREDICATES)
# Statements that alone don't make their subject an entity of this graph.
INCIDENTAL = (
    v.RDF_TYPE,
    *(v.OWL + name for name in ("equivalentClass", "disjointWith", "equivalentProperty")),
    *(v.OWL + name for name in ("sameAs", "differentFrom", "inverseOf")),
)
