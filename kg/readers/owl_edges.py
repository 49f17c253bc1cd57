"""Edges that OWL writes as restrictions on blank nodes: `A ⊑ ∃P.B` is the edge A P B.

What is read is the "OWL 2 Web Ontology Language Mapping to RDF Graphs" (W3C 2012), tables 13, 16
and 18: rdfs:subClassOf, owl:equivalentClass and OWL 1's owl:intersectionOf on a named class, whose
other side is a restriction or an intersection of named classes and restrictions. The edges are those
of OBO Graphs (https://github.com/geneontology/obographs, README-owlmapping.md), to which the
conjuncts of an intersection are added: they follow, for A ⊑ G ⊓ ∃P.B gives A ⊑ G and A ⊑ ∃P.B.

Expressions are trees: a blank node that an intersection or its list is made of and that several
statements point to is not OWL DL, nor is a list with a cycle, and gives nothing. So the work is
linear in the statements.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from .. import vocabulary as v
from ..statements import LiteralTerm, Statement

SUBCLASS_OF = v.RDFS + "subClassOf"
EQUIVALENT_CLASS = v.OWL + "equivalentClass"
INTERSECTION_OF = v.OWL + "intersectionOf"
ON_PROPERTY = v.OWL + "onProperty"
FILLERS = (v.OWL + "someValuesFrom", v.OWL + "hasValue")
OTHER_KINDS = tuple(  # of restriction: what they say isn't an edge
    v.OWL + name
    for name in (
        "allValuesFrom",
        "hasSelf",
        *("cardinality", "minCardinality", "maxCardinality"),
        *("qualifiedCardinality", "minQualifiedCardinality", "maxQualifiedCardinality"),
    )
)
FIRST, REST, NIL = v.RDF + "first", v.RDF + "rest", v.RDF + "nil"
RESTRICTION = v.OWL + "Restriction"
PARTS = frozenset([INTERSECTION_OF, ON_PROPERTY, *FILLERS, *OTHER_KINDS, FIRST, REST])
AXIOMS = (SUBCLASS_OF, EQUIVALENT_CLASS, INTERSECTION_OF)
OWL_EDGE_PREDICATES = PARTS.union(AXIOMS, [v.RDF_TYPE])  # all that is looked at
POINTERS = frozenset([*AXIOMS, FIRST, REST])
SEVERAL = ""  # a part that a node has more than once
SHARED = ("", "")  # several statements point to the node
# A data property's restriction says what kind of value there is, and names no entity.
DATATYPES = frozenset(
    [
        v.RDFS + "Literal",
        v.RDF + "PlainLiteral",
        v.RDF_LANG_STRING,
        v.RDF + "XMLLiteral",
        v.OWL + "real",
        v.OWL + "rational",
    ]
)


def restriction_edges(statements: Sequence[Statement]) -> Iterator[Statement]:
    """The edges that one source's restrictions mean, each once, in the order of their axioms.

    Args:
        statements: of one source, all that have a blank node (`_:…`) as subject or object.

    Yields:
        `A P B` for an existential or value restriction with named property and filler, and
        `A rdfs:subClassOf G` for a named conjunct of an intersection; `line` is the axiom's.
        Universal and qualified restrictions, cardinalities, unions, complements, inverse
        properties and nested fillers give nothing.
    """
    expressions = _Expressions(statements)
    told: set[tuple[str, str, str]] = set()
    for (named, predicate, expression), line in _axioms(statements).items():
        parts = [expression]
        if predicate == INTERSECTION_OF:  # OWL 1: the list stands for the intersection
            parts = expressions.members(expression)
        for edge in expressions.edges(named, parts):
            if edge not in told:
                told.add(edge)
                yield Statement(*edge, line)


def _axioms(statements: Iterable[Statement]) -> dict[tuple[str, str, str], int]:
    """Named class, predicate and the expression on its other side → line of the axiom."""
    axioms: dict[tuple[str, str, str], int] = {}
    for subject, predicate, item, line, *_ in statements:
        if predicate not in AXIOMS or not isinstance(item, str):
            continue
        if predicate == EQUIVALENT_CLASS and _is_blank(subject):
            subject, item = item, subject  # says the same in both directions
        if not _is_blank(subject) and _is_blank(item):
            axioms.setdefault((subject, predicate, item), line)
    return axioms


class _Expressions:
    """What the blank nodes of one source are made of."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._restrictions: set[str] = set()
        self._parts: dict[str, dict[str, str | LiteralTerm]] = {part: {} for part in PARTS}
        self._pointers: dict[str, tuple[str, str]] = {}
        for subject, predicate, item, *_ in statements:
            if item == RESTRICTION and predicate == v.RDF_TYPE:
                self._restrictions.add(subject)
            elif predicate in PARTS and self._parts[predicate].setdefault(subject, item) != item:
                self._parts[predicate][subject] = SEVERAL
            if predicate in POINTERS and isinstance(item, str):
                self._point(item, (subject, predicate))
                if predicate == EQUIVALENT_CLASS:
                    self._point(subject, (item, predicate))

    def _point(self, node: str, pointer: tuple[str, str]) -> None:
        if _is_blank(node) and self._pointers.setdefault(node, pointer) != pointer:
            self._pointers[node] = SHARED

    def edges(self, named: str, parts: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """The edges from a class to those of these conjuncts, and of theirs, that give one."""
        pending = deque(parts)
        while pending:
            node = pending.popleft()
            if not _is_blank(node):
                if node != named:
                    yield named, SUBCLASS_OF, node
            elif (edge := self._restriction(node)) is not None:
                yield named, *edge
            elif self._is_tree(node):
                pending.extendleft(reversed(self.members(self._only(node, INTERSECTION_OF))))

    def members(self, head: str) -> list[str]:
        """The members of a list; none where it is broken, shared or doesn't end."""
        members = []
        while head != NIL:
            member, rest = self._only(head, FIRST), self._only(head, REST)
            if not member or not rest or not self._is_tree(head):
                return []
            members.append(member)
            head = rest
        return members

    def _restriction(self, node: str) -> tuple[str, str] | None:
        """Property and filler; None where the node is something else, or either isn't named."""
        if node not in self._restrictions:
            return None
        kinds = [kind for kind in (*FILLERS, *OTHER_KINDS) if node in self._parts[kind]]
        if len(kinds) != 1 or kinds[0] not in FILLERS:
            return None
        predicate, filler = self._only(node, ON_PROPERTY), self._only(node, kinds[0])
        if not _is_named(predicate) or not _is_named(filler) or _is_datatype(filler):
            return None
        return predicate, filler

    def _is_tree(self, node: str) -> bool:
        return self._pointers.get(node, SHARED) != SHARED

    def _only(self, node: str, predicate: str) -> str:
        """The one resource that a node has here; empty where it has none, several or a literal."""
        only = self._parts[predicate].get(node, SEVERAL)
        return only if isinstance(only, str) else SEVERAL


def _is_blank(term: str) -> bool:
    return term.startswith("_:")


def _is_named(term: str) -> bool:
    return bool(term) and not _is_blank(term)


def _is_datatype(iri: str) -> bool:
    return iri.startswith(v.XSD) or iri in DATATYPES
