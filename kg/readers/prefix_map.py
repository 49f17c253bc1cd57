"""Prefixes from a local JSON file: a prefix map, an extended prefix map or a JSON-LD context."""

import json
from pathlib import Path
from typing import Any

import curies

from ...errors import UserError
from ..prefixes import ABSOLUTE

MAX_BYTES = 1 << 24
FIX = 'write {"ex": "http://example.org/"}, an extended prefix map, or a JSON-LD @context'


def read_prefix_map(path: Path) -> dict[str, str]:
    """Prefix → IRI space, prefix synonyms included; JSON-LD terms that are no IRI are left out.

    Formats as of curies (https://curies.readthedocs.io). Nothing is fetched.

    Raises:
        UserError: the file can't be read, is over 16 MiB, or is none of the three.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError("the file of prefixes is over 16 MiB", str(path), FIX)
        content = json.loads(path.read_text(encoding="utf-8"))
        converter = _converter(content)
    except OSError as error:
        problem = f"the file of prefixes can't be read: {error.strerror}"
        raise UserError(problem, str(path), "name another") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        problem = f"the file holds no prefixes: {str(error).partition(chr(10))[0]}"
        raise UserError(problem, str(path), FIX) from error
    return {
        prefix: space
        for record in converter.records
        for prefix in (record.prefix, *record.prefix_synonyms)
        if ABSOLUTE.match(space := record.uri_prefix)
    }


def _converter(content: Any) -> curies.Converter:
    if isinstance(content, list):
        return curies.load_extended_prefix_map(content)
    if not isinstance(content, dict):
        raise TypeError("neither an object nor a list")
    if "@context" not in content:
        return curies.load_prefix_map(content, strict=False)
    if not isinstance(content["@context"], dict):
        raise TypeError("its @context is no object, and nothing is fetched")
    return curies.load_jsonld_context(content, strict=False)
