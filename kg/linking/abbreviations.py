"""Abbreviations that a document defines: "basal cell carcinoma (BCC) … BCC".

Definitions are found by the rule of Schwartz and Hearst (2003, "A simple algorithm for identifying
abbreviation definitions in biomedical text"), which names no field and no language: before a
bracket with a short form stands its long form, which has the short form's characters in their order
and begins with the first one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BRACKET = re.compile(r"[(\[]([^()\[\]]{2,80})[)\]]")
SHORT_FORM = re.compile(r"[^\W_](?:[\w.\-/&]{0,8}[^\W_])")
WORD_START = re.compile(r"(?<!\w)\w")
WORD_CHARACTER = re.compile(r"\w")
PLURAL = re.compile(r"['’]?s(?!\w)")
MAX_LONG_FORM = 200  # characters before a bracket that are looked at


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """A short form and where the document spells it out.

    Attributes:
        short: the short form as its definition writes it.
        start: offset of the long form's first character.
        end: offset past its last character.
    """

    short: str
    start: int
    end: int


def abbreviations(text: str) -> list[Abbreviation]:
    """The abbreviations that a text defines, in their order; the first definition of each counts."""
    found: dict[str, Abbreviation] = {}
    for bracket in BRACKET.finditer(text):
        for abbreviation in _defined_by(text, bracket):
            found.setdefault(abbreviation.short, abbreviation)
            break
    return list(found.values())


def occurrences(text: str, short: str) -> Iterator[tuple[int, int]]:
    """Offsets of a short form as a word of its own; its plural's s is part of it."""
    start = text.find(short)
    while start >= 0:
        end = start + len(short)
        if start == 0 or not WORD_CHARACTER.match(text, start - 1):
            plural = PLURAL.match(text, end)
            if plural:
                yield start, plural.end()
            elif not WORD_CHARACTER.match(text, end):
                yield start, end
        start = text.find(short, start + 1)


def _defined_by(text: str, bracket: re.Match[str]) -> Iterator[Abbreviation]:
    """Definitions at one bracket: "long form (SF)", else "SF (long form)"."""
    inside, offset = bracket[1], bracket.start(1)
    short = re.split(r"[;,]|\s", inside, maxsplit=1)[0].strip("\"'“”’")
    before = text[: bracket.start()].rstrip()
    if is_short_form(short):
        start = _long_form_start(before, singular(short))
        if start is not None:
            yield Abbreviation(singular(short), start, len(before))
    last_word = re.search(r"\S+$", before[-12:])
    if last_word and is_short_form(last_word[0]):
        long_form = re.split(r"[;,]", inside, maxsplit=1)[0].rstrip()
        if _long_form_start(long_form, singular(last_word[0])) == 0:
            yield Abbreviation(singular(last_word[0]), offset, offset + len(long_form))


def is_short_form(word: str) -> bool:
    """Two to ten characters, a capital among them or a digit behind a letter."""
    return (
        SHORT_FORM.fullmatch(word) is not None and word[0].isalnum() and any(map(str.isupper, word))
    )


def lowered(text: str) -> str:
    """The text in small letters, each character in its place: those that become several stay."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def singular(short: str) -> str:
    """BCCs → BCC: a small s behind capitals is a plural."""
    return short[:-1] if short.endswith("s") and short[:-1].isupper() and len(short) > 2 else short


def _long_form_start(before: str, short: str) -> int | None:
    """Where the long form of a short form begins in the text before it; None where there is none.

    The characters are looked for from right to left; the first one must begin a word. A long form
    has at most twice as many words as the short form has characters, and at most five more.
    """
    characters = lowered("".join(filter(str.isalnum, short)))
    first, others = characters[0], characters[1:]
    floor = max(0, len(before) - MAX_LONG_FORM)
    small = lowered(before[floor:])
    place = len(small)
    for character in reversed(others):
        place = small.rfind(character, 0, place)
        if place < 0:
            return None
    place = small.rfind(first, 0, place)
    while place >= 0 and before[floor + place - 1 : floor + place].isalnum():
        place = small.rfind(first, 0, place)
    if place < 0:
        return None
    place += floor
    words = len(WORD_START.findall(before[place:]))
    if words > min(len(characters) + 5, 2 * len(characters)) or len(before) - place <= len(short):
        return None
    return None if re.search(r"[.!?]\s", before[place:]) else place
