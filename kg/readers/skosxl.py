"""Labels that SKOS-XL writes as resources, as the plain labels of SKOS that they stand for.

"SKOS Simple Knowledge Organization System Reference" (W3C 2009), appendix B: the chain of
skosxl:prefLabel and skosxl:literalForm is skos:prefLabel (S55), and so with altLabel (S56) and
hiddenLabel (S57); a label has exactly one literal form (S52).
"""

from collections.abc import Iterator, Sequence

from .. import vocabulary as v
from ..statements import LiteralTerm, Statement

LITERAL_FORM = v.SKOS_XL + "literalForm"
PLAIN = {v.SKOS_XL + kind: v.SKOS + kind for kind in ("prefLabel", "altLabel", "hiddenLabel")}
SKOS_XL_PREDICATES = frozenset([LITERAL_FORM, *PLAIN])


def skos_labels(statements: Sequence[Statement]) -> Iterator[Statement]:
    """`concept skos:prefLabel "text"` for each label resource, in the order of the statements.

    Args:
        statements: of one source, all whose predicate is one of SKOS_XL_PREDICATES.

    Yields:
        each plain label once, with the line where the concept is given its label resource. A
        resource without a literal form, or with several, gives nothing.
    """
    forms: dict[str, LiteralTerm | None] = {}
    for subject, predicate, item, *_ in statements:
        if predicate == LITERAL_FORM and isinstance(item, LiteralTerm):
            forms[subject] = item if forms.get(subject, item) == item else None
    told: set[tuple[str, str, LiteralTerm]] = set()
    for subject, predicate, item, line, *_ in statements:
        form = forms.get(item) if isinstance(item, str) else None
        if predicate not in PLAIN or form is None:
            continue
        label = (subject, PLAIN[predicate], form)
        if label not in told:
            told.add(label)
            yield Statement(*label, line)
