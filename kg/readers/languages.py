"""Which languages of a source's texts are read."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from ..statements import LiteralTerm, Rejected, Statement

LANGUAGE_TAG = r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"  # BCP 47, its form only
_IS_TAG = re.compile(LANGUAGE_TAG)
ALL_LANGUAGES = "mul"  # ISO 639-2; Wikidata's tag of names that hold in every language


def is_language_tag(text: str) -> bool:
    """Whether a text has the form of a language tag, as `en` and `pt-BR` have."""
    return _IS_TAG.fullmatch(text) is not None


def in_languages(
    stream: Iterator[Statement | Rejected], chosen: Collection[str]
) -> Iterator[Statement | Rejected]:
    """The stream without texts in languages that weren't chosen.

    Such a text counts neither as read nor as rejected: it was not asked for, and a dump of Wikidata
    has three hundred languages, whose rejections would hide the others. Texts without a language
    and those in `mul` stay. A tag takes its longer forms in, `en` also `en-gb`: basic filtering of
    RFC 4647, as SPARQL's langMatches.
    """
    tags = (ALL_LANGUAGES, *(tag.lower() for tag in chosen))

    @lru_cache(maxsize=1 << 12)
    def wanted(language: str) -> bool:
        return any(language == tag or language.startswith(f"{tag}-") for tag in tags)

    for item in stream:
        if isinstance(item, Statement) and isinstance(item.object, LiteralTerm):
            language = item.object.language
            if language and not wanted(language):
                continue
        yield item
