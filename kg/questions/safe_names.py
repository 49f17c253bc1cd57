"""File names made from labels: plain ASCII, one for each label, whatever the label holds."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}")
NOT_PLAIN = re.compile(r"[^a-z0-9]+")
LENGTH = 40


def safe_names(labels: Iterable[str]) -> dict[str, str]:
    """A name of letters, digits, "_" and "-" for each label.

    A plain label is its own name. Any other gets what is plain of it, "-" and ten hexadecimal
    digits of its digest; so does one that differs from another by case only, which some file
    systems don't tell apart.

    >>> safe_names(["capital", "Mode of inheritance"])
    {'capital': 'capital', 'Mode of inheritance': 'mode_of_inheritance-ad97834cbe'}
    """
    distinct = list(dict.fromkeys(labels))
    folded = Counter(label.casefold() for label in distinct)
    return {
        label: label
        if PLAIN.fullmatch(label) and folded[label.casefold()] == 1
        else _digested(label)
        for label in distinct
    }


def _digested(label: str) -> str:
    letters = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    slug = NOT_PLAIN.sub("_", letters.lower()).strip("_")[:LENGTH].rstrip("_")
    digest = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{slug or 'label'}-{digest}"
