"""What a linker of a changed graph does otherwise, said so that a user understands a changed link."""

from dataclasses import dataclass
from enum import Enum


class ChangeKind(Enum):
    """What of a graph has changed, as far as links depend on it."""

    LINKER = "settings or version of the linker"
    LARGEST_DEGREE = "magnitude of the largest degree"
    NAME_ADDED = "name added"
    NAME_GONE = "name gone"
    NAME_CHANGED = "kind or deprecation of the name"
    DEGREE = "magnitude of the entity's degree"
    CONTEXT = "neighbours or texts of an entity that shares a name"
    HIERARCHY = "one entity above the other"
    WORD = "word is read as another of the names'"
    SUBSTITUTION = "words taken for each other"
    COMMON_WORD = "common word of the graph's texts"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: what has changed.
        about: the name, the word, or the two words.
        iri: of the entity concerned; empty where there is none.
    """

    kind: ChangeKind
    about: str
    iri: str = ""
