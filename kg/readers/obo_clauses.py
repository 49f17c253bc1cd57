"""One OBO clause as predicate and object, by the OBO-to-OWL translation.

https://owlcollab.github.io/oboformat/doc/obo-syntax.html, section 5.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from .. import vocabulary as v
from ..prefixes import ABSOLUTE, Prefixes
from ..statements import LiteralTerm

RESOURCE_CLAUSES = {  # tag → predicate; the value is one identifier
    "is_a": v.RDFS + "subClassOf",
    "disjoint_from": v.OWL + "disjointWith",
    "equivalent_to": v.OWL + "equivalentClass",
    "replaced_by": v.IAO + "0100001",
    "consider": v.OBO_IN_OWL + "consider",
    "subset": v.OBO_IN_OWL + "inSubset",
    "domain": v.RDFS + "domain",
    "range": v.RDFS + "range",
    "inverse_of": v.OWL + "inverseOf",
}
OTHER_FRAMES = {  # the same tags, where a frame is about something other than a class
    "Typedef": {
        "is_a": v.RDFS + "subPropertyOf",
        "disjoint_from": v.OWL + "propertyDisjointWith",
        "equivalent_to": v.OWL + "equivalentProperty",
    },
    "Instance": {"is_a": v.RDF_TYPE},
}
LITERAL_CLAUSES = {  # tag → predicate; the value is a text
    "name": v.RDFS_LABEL,
    "def": v.IAO + "0000115",
    "comment": v.RDFS + "comment",
    "alt_id": v.OBO_IN_OWL + "hasAlternativeId",
    "xref": v.OBO_IN_OWL + "hasDbXref",
    "namespace": v.OBO_IN_OWL + "hasOBONamespace",
}
HEADER_CLAUSES = {
    "remark": v.RDFS + "comment",
    "format-version": v.OBO_IN_OWL + "hasOBOFormatVersion",
    "data-version": v.OWL + "versionInfo",
}
TEXT_ATTRIBUTES = {"name": "name", "def": "definition", "comment": "comment"}
SYNONYMS = {
    scope.upper(): f"{v.OBO_IN_OWL}has{scope}Synonym"
    for scope in ("Exact", "Narrow", "Broad", "Related")
}
ESCAPED = re.compile(r"\\(.)")
LITERAL_VALUE = re.compile(r'(\S+) "((?:[^"\\]|\\.)*)"(?: (\S+))?$', re.DOTALL)


class Clause(Protocol):
    """A clause of fastobo: its tag, its value as text, and attributes that depend on the tag."""

    def raw_tag(self) -> str: ...

    def raw_value(self) -> str: ...


@dataclass(frozen=True)
class FrameContext:
    """What identifiers mean in one file."""

    prefixes: Prefixes
    ontology: str
    shorthand: dict[str, str]  # relation name → the identifier of its xref

    def expand(self, identifier: str) -> str:
        """The IRI of an OBO identifier: an IRI, `prefix:local`, or a name of this file.

        Raises:
            ExpansionError: it gives no valid IRI.
        """
        name = ESCAPED.sub(r"\1", identifier)
        name = self.shorthand.get(name, name)
        if ":" in name or ABSOLUTE.match(name):
            return self.prefixes.expand_obo(name)
        return self.prefixes.expand(f"{v.OBO}{self.ontology}#{name}")


def clause_statement(
    clause: Clause, kind: str, context: FrameContext
) -> tuple[str, str | LiteralTerm]:
    """Predicate IRI and object of a clause in a frame of this kind ("" is the header).

    Raises:
        ExpansionError: an identifier gives no valid IRI.
    """
    tag = clause.raw_tag()
    if tag == "property_value":
        return property_value(clause.raw_value(), context)
    if not kind:
        predicate = HEADER_CLAUSES.get(tag) or context.prefixes.expand(f"oboInOwl:{tag}")
        return predicate, LiteralTerm(unescaped(clause.raw_value()), v.XSD_STRING, "")
    if tag in RESOURCE_CLAUSES:
        predicate = OTHER_FRAMES.get(kind, {}).get(tag, RESOURCE_CLAUSES[tag])
        return predicate, context.expand(clause.raw_value())
    if tag == "relationship":
        relation, target = clause.raw_value().split(" ", 1)
        return context.expand(relation), context.expand(target)
    return literal_clause(clause, tag)


def property_value(text: str, context: FrameContext) -> tuple[str, str | LiteralTerm]:
    """`predicate "text" datatype` or `predicate identifier`."""
    literal = LITERAL_VALUE.match(text)
    if literal is None:
        predicate, target = text.split(" ", 1)
        return context.expand(predicate), context.expand(target)
    predicate, value, datatype = literal.groups()
    return context.expand(predicate), LiteralTerm(
        unescaped(value), context.expand(datatype) if datatype else v.XSD_STRING, ""
    )


def literal_clause(clause: Any, tag: str) -> tuple[str, LiteralTerm]:
    """A clause whose value is a text; tags without a translation keep theirs under oboInOwl."""
    if tag == "synonym":
        predicate, value = SYNONYMS[clause.synonym.scope], clause.synonym.desc
    elif tag == "is_obsolete":
        return v.OWL_DEPRECATED, LiteralTerm(clause.raw_value(), v.XSD_BOOLEAN, "")
    elif tag == "xref":
        predicate, value = LITERAL_CLAUSES[tag], str(clause.xref.id)
    elif tag in TEXT_ATTRIBUTES:
        predicate, value = LITERAL_CLAUSES[tag], str(getattr(clause, TEXT_ATTRIBUTES[tag]))
    else:
        predicate = LITERAL_CLAUSES.get(tag, v.OBO_IN_OWL + tag)
        value = unescaped(clause.raw_value())
    return predicate, LiteralTerm(value.strip(), v.XSD_STRING, "")


def unescaped(text: str) -> str:
    r"""The text with OBO's escapes taken out: \n, \t, \W and a backslash before any other."""
    spaces = {"n": "\n", "t": "\t", "W": " "}
    return ESCAPED.sub(lambda match: spaces.get(match[1], match[1]), text)
