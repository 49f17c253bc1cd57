"""Which predicates name things, and how a name is cleaned before anyone sees it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from . import vocabulary as v

LABEL_PREDICATES = (
    v.RDFS_LABEL,
    v.SKOS + "prefLabel",
    v.SCHEMA + "name",
    "http://schema.org/name",
    v.FOAF + "name",
)
NAME_KINDS = ("label", "exact", "narrow", "broad", "related")  # in this order everywhere
SYNONYM_KINDS: Mapping[str, str] = {
    v.OBO_IN_OWL + "hasExactSynonym": "exact",
    v.OBO_IN_OWL + "hasNarrowSynonym": "narrow",
    v.OBO_IN_OWL + "hasBroadSynonym": "broad",
    v.OBO_IN_OWL + "hasRelatedSynonym": "related",
    v.OBO_IN_OWL + "hasSynonym": "related",
    v.IAO + "0000118": "exact",  # alternative label
    v.IAO + "0000111": "exact",  # editor preferred term
    v.IAO + "0000589": "exact",  # OBO foundry unique label
    "http://www.ebi.ac.uk/efo/alternative_term": "exact",
    v.DCTERMS + "alternative": "exact",
    v.SKOS + "altLabel": "exact",
    v.SKOS + "hiddenLabel": "related",
    v.SCHEMA + "alternateName": "exact",
    "http://schema.org/alternateName": "exact",
    v.FOAF + "nick": "related",
}
# `mul` is Wikidata's tag of names that hold in every language.
LANGUAGE_ORDER = ("en", "mul", "")  # the label's language where an entity has several; then by code

# Directional overrides and isolates, interlinear marks, tags and the byte-order mark: invisible, and
# able to make a text read as another (CVE-2021-42574). Joiners stay: words of Persian and Hindi need
# them.
HIDDEN = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+")


def name_kinds(label_predicates: Sequence[str]) -> dict[str, str]:
    """Predicate IRI → kind of name, for every predicate that names things."""
    return {**SYNONYM_KINDS, **dict.fromkeys(label_predicates, "label")}


def clean_name(text: str) -> str:
    """The text without control and bidirectional characters, blanks collapsed, in NFC.

    >>> clean_name("  red\\u202e \\x1b[31mblood\\tcell ")
    'red [31mblood cell'
    """
    visible = CONTROL.sub("", HIDDEN.sub("", text))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def local_name(iri: str) -> str:
    """What comes after the last `#`, `/` or, in a URN, `:`; the whole IRI when nothing does.

    >>> local_name("http://xmlns.com/foaf/0.1/knows")
    'knows'
    """
    stripped = iri.rstrip("#/")
    tail = re.split(r"[#/]", stripped)[-1]
    if iri.startswith("urn:"):
        tail = tail.rsplit(":", 1)[-1]
    return clean_name(unquote(tail)) or iri


def words_of(iri: str) -> str:
    """A predicate's local name in words.

    >>> words_of("http://example.org/mode_of-inheritanceType")
    'mode of inheritance type'
    """
    words = WORD_BOUNDARY.sub(" ", local_name(iri)).split()
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def language_rank(language: str) -> tuple[int, str]:
    """Sorts languages: English and its regions, those of all, none, then the others by code."""
    primary = language.partition("-")[0]
    rank = LANGUAGE_ORDER.index(primary) if primary in LANGUAGE_ORDER else len(LANGUAGE_ORDER)
    return rank, language
