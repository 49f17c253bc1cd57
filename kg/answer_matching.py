"""Is a free answer right? Matched on every name of every true object, after folding."""

import re
import unicodedata
from collections.abc import Iterable

LEADING = re.compile(r"^(?:the|a|an|is|it is|gene) ")
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
