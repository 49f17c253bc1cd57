"""What a knowledge graph answers with: names, relations, literals and where they were read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A name of an entity. Kind: label, exact, narrow, broad or related; language "" is none."""

    text: str
    kind: str
    language: str


@dataclass(frozen=True)
class Relation:
    """A predicate between entities, with how many triples, subjects and objects it has."""

    iri: str
    label: str
    triples: int
    subjects: int
    objects: int
    cardinality: str  # 1:1, 1:N, N:1 or N:M


@dataclass(frozen=True)
class Origin:
    """The source that made a statement first, and the line (0: its format has none)."""

    source: str
    line: int

    @property
    def place(self) -> str:
        """Source and line, as messages spell them."""
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True)
class Literal:
    """A literal statement about an entity; predicate and datatype are IRIs."""

    predicate: str
    value: str
    datatype: str
    language: str
    origin: Origin
