"""Values of Wikidata's JSON to RDF terms, as Wikibase's RDF export writes them.

The mapping is https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format, with three
differences: dates keep their precision (see `wikidata_time`), decimals have no plus sign, and
formulas stay TeX where the export renders MathML. As in its simple values, a quantity's unit and
bounds are not said.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote, quote_plus

from pyoxigraph import Literal

from .. import vocabulary as v
from ..prefixes import valid_iri
from ..statements import LiteralTerm
from .wikidata_time import time_literal

ENTITY = "http://www.wikidata.org/entity/"
EARTH = ENTITY + "Q2"
FILES = "http://commons.wikimedia.org/wiki/Special:FilePath/"
DATA = "http://commons.wikimedia.org/data/main/"
WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
KEPT_IN_URLS = ";@$!*(),/~:"  # what MediaWiki's wfUrlencode leaves as it is
ENTITY_ID = re.compile(r"[A-Z][1-9][0-9]*(?:-[A-Z][1-9][0-9]*)?")
LETTERS = {"item": "Q", "property": "P", "lexeme": "L"}  # of ids that are given as numbers
AMOUNT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
MAX_DEGREES = 360  # bodies other than the Earth count longitudes up to there
NOT_IN_IRIS = str.maketrans({sign: quote(sign) for sign in ' "<>\\^`{|}'})
LANGUAGE_CODES = {  # MediaWiki's language codes that are no tags of BCP 47; its LanguageCode.php
    "als": "gsw",
    "bat-smg": "sgs",
    "be-x-old": "be-tarask",
    "cbk-zam": "cbk",
    "eml": "egl",
    "fiu-vro": "vro",
    "map-bms": "jv-x-bms",
    "mo": "ro-cyrl-md",
    "nrm": "nrf",
    "roa-rup": "rup",
    "roa-tara": "nap-x-tara",
    "simple": "en-simple",
    "sr-ec": "sr-cyrl",
    "sr-el": "sr-latn",
    "zh-classical": "lzh",
    "zh-min-nan": "nan",
    "zh-yue": "yue",
}
Term = str | LiteralTerm
Kind = TypeVar("Kind")


def part(container: object, key: str, kind: type[Kind]) -> Kind:
    """What stands under a key of a JSON object.

    Raises:
        ValueError: nothing does, it is of another kind, or the container is no object.
    """
    value = container.get(key) if isinstance(container, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{key!r} is missing, or not what it should be")
    return value


def snak_value(snak: object) -> Term:
    """The RDF term of a snak that has a value.

    Raises:
        ValueError: why there is no such term.
    """
    datavalue = part(snak, "datavalue", dict)
    kind = part(datavalue, "type", str)
    if kind == "string":
        datatype = snak.get("datatype") if isinstance(snak, dict) else None
        return STRINGS.get(str(datatype), _text)(part(datavalue, "value", str))
    if kind not in OBJECTS:
        raise ValueError(f"values of type {kind[:50]!r} are not read")
    return OBJECTS[kind](part(datavalue, "value", dict))


def language_text(value: object, text: str) -> LiteralTerm:
    """A text with its language, from an object that holds it under the key `text`."""
    tag = language_tag(part(value, "language", str))
    return LiteralTerm(part(value, text, str), v.RDF_LANG_STRING, tag)


@lru_cache(maxsize=1 << 12)
def language_tag(code: str) -> str:
    """The tag of BCP 47 for a language code of MediaWiki, lower case; a ValueError if none is."""
    tag = LANGUAGE_CODES.get(code, code.lower())
    try:
        Literal("", language=tag)
    except ValueError as error:
        raise ValueError(f"{code[:50]!r} is no language tag") from error
    return tag


def _text(value: str) -> Term:
    return LiteralTerm(value, v.XSD_STRING, "")


def _url(value: str) -> Term:
    return valid_iri(value.strip().translate(NOT_IN_IRIS))


def _file(value: str) -> Term:
    return FILES + quote(value, safe="")


def _data(value: str) -> Term:
    return DATA + quote_plus(value, safe=KEPT_IN_URLS)


def _entity(value: Mapping[str, object]) -> Term:
    identifier = value.get("id")
    if identifier is None:  # dumps before 2017
        letter = LETTERS.get(part(value, "entity-type", str), "")
        identifier = f"{letter}{part(value, 'numeric-id', int)}"
    if not isinstance(identifier, str) or not ENTITY_ID.fullmatch(identifier):
        raise ValueError(f"{str(identifier)[:50]!r} is no id of an entity")
    return ENTITY + identifier


def _monolingual(value: Mapping[str, object]) -> Term:
    return language_text(value, "text")


def _quantity(value: Mapping[str, object]) -> Term:
    amount = part(value, "amount", str)
    if not AMOUNT.fullmatch(amount):
        raise ValueError(f"{amount[:50]!r} is no decimal number")
    return LiteralTerm(amount.removeprefix("+"), v.XSD + "decimal", "")


def _time(value: Mapping[str, object]) -> Term:
    model = part(value, "calendarmodel", str)
    return time_literal(part(value, "time", str), part(value, "precision", int), model)


def _point(value: Mapping[str, object]) -> Term:
    globe = value.get("globe") or EARTH
    point = f"Point({_degrees(value, 'longitude')} {_degrees(value, 'latitude')})"
    if globe != EARTH:
        point = f"<{valid_iri(str(globe))}> {point}"
    return LiteralTerm(point, WKT, "")


def _degrees(value: Mapping[str, object], key: str) -> str:
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{key!r} is missing, or no number")
    if not abs(number) <= MAX_DEGREES:  # NaN too
        raise ValueError(f"the {key} lies beyond {MAX_DEGREES} degrees")
    return format(Decimal(repr(number)), "f").removesuffix(".0")


# By datatype, where the value is a string; any other datatype (string, external-id, math …): a text.
STRINGS: Mapping[str, Callable[[str], Term]] = {
    "url": _url,
    "commonsMedia": _file,
    "geo-shape": _data,
    "tabular-data": _data,
}
OBJECTS: Mapping[str, Callable[[Mapping[str, object]], Term]] = {  # by the value's type
    "wikibase-entityid": _entity,
    "monolingualtext": _monolingual,
    "quantity": _quantity,
    "time": _time,
    "globecoordinate": _point,
}
