"""Words of a text, with exact offsets, and the folded form under which two spellings are the same.

Words are cut from the original text and folded one by one, so offsets never pass through a
normalisation: `text[start:end]` is the surface whatever its script. Folding is Unicode NFKC case
folding (Unicode Standard, section 3.13) without Latin, Greek and Cyrillic accents, then English
plural and spelling folding. Scripts written without spaces give one word for each character.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, groupby

# Characters of scripts that are written without spaces between words.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005-\u3007\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua980-\ua9df\uaa60-\uaadf\uf900-\ufaff\uff66-\uff9d"
    "\U00020000-\U0003ffff"
)
# Joined to the character before them though they aren't letters: soft hyphen, zero-width joiners,
# word joiner, byte order mark, half-width voiced marks, variation selectors.
IGNORABLE = "\u00ad\u200c\u200d\u2060\ufeff"
JOINED = IGNORABLE + "\uff9e\uff9f\U000e0100-\U000e01ef"

# "pre-natal" is one word, as "prenatal" is.
HYPHENATED_PREFIXES = (
    *("anti", "bi", "co", "de", "extra", "hyper", "hypo", "infra", "inter", "intra", "macro"),
    *("micro", "mid", "multi", "neo", "non", "over", "para", "peri", "poly", "post", "pre"),
    *("pseudo", "re", "semi", "sub", "super", "supra", "trans", "ultra", "un", "under"),
)
HYPHENS = dict.fromkeys(map(ord, "-‐‑"))

IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "teeth": "tooth",
    "women": "woman",
}
ACCENTS = re.compile("[\u0300-\u036f]")
UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")

NO_BREAK, PHRASE_BREAK, SENTENCE_BREAK = 0, 1, 2  # what the characters between two words mean
SENTENCE_END = re.compile(r"[.!?;…][\"'”’)\]]*\s|[。！？；।။។]|\n\s*\n|[\r\n\u2029][ \t]*[-*•]")
PHRASE_END = re.compile(r"[,:()\[\]{}<>\"“”«»、，：（）•|\n\t]|\s[-–—]+\s|—")


def _marks() -> str:
    """Every combining mark (categories Mn, Mc, Me) as ranges of a character class."""
    codes = [
        code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code)).startswith("M")
    ]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def _word_pattern(word: str, otherwise: str = "") -> re.Pattern[str]:
    """Words of that pattern, joined to a prefix by a hyphen; or what is otherwise a word."""
    possessive = r"(?!s(?<=\w['’]s)\b)"  # the s of "Alzheimer's" belongs to no word
    # One look-behind for each length, tried only at a hyphen: look-behinds have fixed widths.
    behind = "|".join(
        rf"(?<=\b(?i:{'|'.join(same_length)})[-‐‑])"
        for _, same_length in groupby(sorted(HYPHENATED_PREFIXES, key=len), key=len)
    )
    return re.compile(f"({possessive}{word}(?:[-‐‑](?:{behind}){word})?{otherwise})")


def _any_word() -> re.Pattern[str]:
    letter, joined = rf"[^\W_{UNSPACED}]", f"[{JOINED}{_marks()}]"
    return _word_pattern(f"{letter}+(?:{joined}+{letter}*)*", f"|[{UNSPACED}]{joined}*")


WORD = _any_word()
ASCII_WORD = _word_pattern("[0-9A-Za-z]+")  # the same words in ASCII text, at half the time


@dataclass(frozen=True, slots=True)
class Words:
    """The n words of one text.

    Attributes:
        raw: as written, n strings.
        starts: offset of the first character of each, n numbers.
        ends: offset past the last character of each, n numbers.
        gaps: the characters after each word up to the next one or the end of the text, n strings.
    """

    raw: list[str]
    starts: list[int]
    ends: list[int]
    gaps: list[str]


def split_words(text: str) -> Words:
    """Cut a text into words; `text[starts[i]:ends[i]] == raw[i]` for any Unicode text."""
    pattern = ASCII_WORD if text.isascii() else WORD
    parts = pattern.split(text)  # gap, word, gap, word, …, gap: the whole text, nothing lost
    offsets = list(accumulate(map(len, parts)))
    return Words(parts[1::2], offsets[0:-1:2], offsets[1::2], parts[2::2])


def gap_kind(gap: str) -> int:
    """Tell what stands between two words: NO_BREAK, PHRASE_BREAK or SENTENCE_BREAK."""
    if SENTENCE_END.search(gap):
        return SENTENCE_BREAK
    return PHRASE_BREAK if PHRASE_END.search(gap) else NO_BREAK


def fold_word(word: str) -> str:
    """Fold one word to the form that all its spellings share.

    >>> fold_word("Tumours"), fold_word("DIAGNOSES") == fold_word("diagnosis"), fold_word("Ménière")
    ('tumor', True, 'menier')
    """
    folded = case_fold(word).translate(HYPHENS)
    if folded.isascii() and folded.isalpha() and len(folded) > 2:
        return _fold_number(_fold_spelling(IRREGULAR.get(folded, folded)))
    return folded


def fold_words(words: Iterable[str]) -> tuple[str, ...]:
    """Fold several words."""
    return tuple(map(fold_word, words))


def case_fold(text: str) -> str:
    """NFKC case folding without accents and without characters that are not to be seen."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = folded.replace("æ", "ae").replace("œ", "oe").replace("ø", "o").replace("ł", "l")
    folded = folded.translate(dict.fromkeys(map(ord, IGNORABLE)))
    return unicodedata.normalize("NFC", ACCENTS.sub("", unicodedata.normalize("NFD", folded)))


def is_unspaced(word: str) -> bool:
    """True for a word of a script that is written without spaces."""
    return UNSPACED_CHARACTER.match(word) is not None


def _fold_spelling(word: str) -> str:
    """British and American spellings of one word become the same."""
    if len(word) < 5:
        return word
    head, tail = word[:-2], word[-2:]  # a final -ae is a plural
    word = head.replace("ae", "e").replace("oe", "e") + tail
    word = word.replace("our", "or").replace("isation", "ization").replace("lys", "lyz")
    return word[:-2] + "er" if word.endswith(("tre", "bre")) else word


def _fold_number(word: str) -> str:
    """Singular and plural of one word become the same, which need not be a word itself."""
    if word.endswith("mata") and len(word) > 6:
        return word[:-2]  # lipomata, lipoma
    if word.endswith("ae") and len(word) > 4:
        return word[:-1]  # bullae, bulla
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "shes", "uses")):
        word = word[:-2]
    elif word.endswith(("sis", "zis")) and len(word) > 4:
        word = word[:-2]  # diagnosis, diagnoses
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]  # headache, headaches; patch, patches
    return word[:-1] + "us" if word.endswith("i") and len(word) > 3 else word  # thrombi, thrombus
