"""Is a free answer right? Matched on every name of every true object, after folding."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Outcome = Literal["right", "wrong", "not attempted"]

LEADING = re.compile(r"^(?:the|a|an|is|it is|gene) ")
SEPARATOR = re.compile(r"\s*[;,/]\s*|\s+(?:and|or)\s+")
# Answers that decline to answer, folded (as SimpleQA grades them, Wei et al. 2024).
ABSTAINING = re.compile(
    r"(?:sorry |unfortunately )*(?:i|we) (?:do not|don t|cannot|can t|am not|m not|are not)\b"
    r"|(?:unknown|not known|not sure|unsure|unclear|not available|n a|no answer|none)\b"
    r"|it is (?:unknown|not known|unclear)\b"
)
CASED_LENGTH = 3  # names this short are matched with their case: "AR" is a gene, "ar" is not


def matches_any(answer: str, names: Iterable[str]) -> bool:
    """Whether `answer` begins with one of `names` as whole words.

    Case, punctuation and a leading article are folded; what follows the name is free ("FBN1 gene").
    A name further back doesn't count: an answer that lists guesses is not an answer.

    >>> matches_any("The FBN1 gene.", ["FBN1"])
    True
    >>> matches_any("FBN10", ["FBN1"])
    False
    """
    return any(_begins_with(answer, name) for name in names)


def outcome(answer: str, names: Iterable[str]) -> Outcome:
    """Right by `matches_any`; not attempted where the answer is empty or declines; else wrong.

    >>> outcome("I don't know.", ["FBN1"]), outcome("Unknown Soldier", ["Unknown Soldier"])
    ('not attempted', 'right')
    """
    if matches_any(answer, names):
        return "right"
    said = _folded(answer)
    return "not attempted" if not said or ABSTAINING.match(said) else "wrong"


@dataclass(frozen=True)
class NamedObjects:
    """What a free answer lists: the places of true objects, and how many other things."""

    true: frozenset[int]
    others: int

    @property
    def precision(self) -> float | None:
        """Share of the listed things that are true; None where nothing is listed."""
        listed = len(self.true) + self.others
        return len(self.true) / listed if listed else None


def named_objects(answer: str, objects: Sequence[Sequence[str]]) -> NamedObjects:
    """Read an answer as a list, cut at commas, semicolons, strokes, "and" and "or".

    Args:
        answer: free text.
        objects: names of each true object; a name may hold separators itself.

    >>> named_objects("Lima and Cusco, Oslo", [["Lima"], ["Cusco", "Cuzco"], ["Ica"]])
    NamedObjects(true=frozenset({0, 1}), others=1)
    """
    ends = [0, *(found.end() for found in SEPARATOR.finditer(answer)), len(answer)]
    starts = [start for start, end in pairwise(ends) if _folded(answer[start:end])]
    if outcome(answer, ()) == "not attempted":
        return NamedObjects(frozenset(), 0)
    true: set[int] = set()
    others = at = 0
    while at < len(starts):
        rest = answer[starts[at] :]
        found = [
            (len(name), place, name)
            for place, names in enumerate(objects)
            for name in names
            if _begins_with(rest, name)
        ]
        if found:
            _, place, name = max(found)
            true.add(place)
            at += 1 + len(SEPARATOR.findall(name.strip()))
        else:
            others += 1
            at += 1
    return NamedObjects(frozenset(true), others)


def _begins_with(answer: str, name: str) -> bool:
    if len(name) <= CASED_LENGTH and name not in answer:
        return False
    said, wanted = _folded(answer), _folded(name)
    return bool(wanted) and (said == wanted or said.startswith(wanted + " "))


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = "".join(character if _in_word(character) else " " for character in folded).split()
    return LEADING.sub("", " ".join(words))


def _in_word(character: str) -> bool:
    """Combining marks too: without them a Hindi name would end at its first vowel sign."""
    return (
        character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    )
