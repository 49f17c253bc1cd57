"""Compact IRIs (CURIEs, https://www.w3.org/TR/curie/) to IRIs and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import curies
from pyoxigraph import NamedNode

from ..errors import UserError
from . import vocabulary as v

DEFAULT_PREFIXES: Mapping[str, str] = {
    "rdf": v.RDF,
    "rdfs": v.RDFS,
    "owl": v.OWL,
    "xsd": v.XSD,
    "skos": v.SKOS,
    "dc": v.DC,
    "dcterms": v.DCTERMS,
    "foaf": v.FOAF,
    "schema": v.SCHEMA,
    "oboInOwl": v.OBO_IN_OWL,
    "IAO": v.IAO,
    "obo": v.OBO,
    "biolink": v.BIOLINK,
}

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|urn:")


PREFIX = re.compile(r"[^\W\d_][\w.-]{0,63}")  # an XML name without colons, as CURIEs ask for
UnknownPrefix = Literal["drop", "keep", "fail"]


class ExpansionError(ValueError):
    """A text that is neither an absolute IRI nor a CURIE with a declared prefix."""


@dataclass(frozen=True)
class UnknownPrefixes:
    """What becomes of CURIEs whose prefix isn't declared, and those that were met.

    Attributes:
        policy: "drop": the statement is rejected; "keep": the CURIE is taken for the IRI as which
            it can be read (`UMLS:C1` has the scheme UMLS); "fail": the reader is to stop there.
        met: prefix → the different CURIEs.
        reasons: the first error's words, once there is one.
    """

    policy: UnknownPrefix = "drop"
    met: dict[str, set[str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def iri(self, prefix: str, text: str) -> str:
        """The IRI that is kept.

        Raises:
            ExpansionError: none is.
        """
        reason = f"the prefix {prefix!r} of {text!r} is not declared"
        if PREFIX.fullmatch(prefix):
            self.met.setdefault(prefix, set()).add(text)
            if self.policy == "keep":
                return valid_iri(text)
            if not self.reasons:
                self.reasons.append(reason)
        raise ExpansionError(reason)

    def counts(self) -> dict[str, int]:
        """How many different CURIEs each unknown prefix has, the most frequent first."""
        numbers = {prefix: len(texts) for prefix, texts in self.met.items()}
        return dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])))


class Prefixes:
    """Declared prefixes over the defaults; two prefixes may name the same IRI space.

    >>> prefixes = Prefixes({"ex": "http://example.org/"})
    >>> prefixes.expand("ex:one")
    'http://example.org/one'
    >>> prefixes.expand("rdfs:label")
    'http://www.w3.org/2000/01/rdf-schema#label'
    >>> prefixes.compress("http://example.org/one")
    'ex:one'
    """

    def __init__(
        self, declared: Mapping[str, str] | None = None, unknown: UnknownPrefixes | None = None
    ) -> None:
        """Prefixes, and what becomes of those that aren't among them.

        Args:
            declared: prefix to IRI space; wins over a default of the same name.
            unknown: what to do with other prefixes; dropped where left out.

        Raises:
            UserError: an IRI space isn't an absolute IRI.
        """
        self.spaces = {**DEFAULT_PREFIXES, **(declared or {})}
        self.unknown = unknown or UnknownPrefixes()
        names: dict[str, list[str]] = {}
        for prefix in [*(declared or {}), *DEFAULT_PREFIXES]:
            space = self.spaces[prefix]
            if not ABSOLUTE.match(space):
                raise UserError(
                    f"the prefix {prefix!r} stands for {space!r}, which is no absolute IRI",
                    f"prefixes.{prefix}",
                    f'write it as {prefix} = "http://…/"',
                )
            if prefix not in names.setdefault(space, []):
                names[space].append(prefix)
        self._converter = curies.Converter(
            curies.Record(prefix=first, uri_prefix=space, prefix_synonyms=others)
            for space, (first, *others) in names.items()
        )
        self._expanded = lru_cache(maxsize=1 << 16)(self._expand)

    def expand(self, text: str) -> str:
        """The absolute IRI of a CURIE; absolute IRIs, `<…>` or bare, stay as they are.

        Raises:
            ExpansionError: with the reason in words.
        """
        return self._expanded(text)

    def _expand(self, text: str) -> str:
        if text.startswith("<") and text.endswith(">"):
            return valid_iri(text[1:-1])
        if ABSOLUTE.match(text):
            return valid_iri(text)
        prefix, colon, local = text.partition(":")
        if not colon:
            raise ExpansionError(f"{text!r} is neither an IRI nor prefix:name")
        if prefix not in self.spaces:
            return self.unknown.iri(prefix, text)
        if not local:
            raise ExpansionError(f"{text!r} has nothing after its prefix")
        # curies rebuilds its map at each expansion, 20 times slower with a dozen prefixes
        return valid_iri(self.spaces[prefix] + local)

    def expand_obo(self, text: str) -> str:
        """As `expand`, but an undeclared id space XX is http://purl.obolibrary.org/obo/XX_.

        See https://obofoundry.org/id-policy.html.
        """
        prefix, _, local = text.partition(":")
        if prefix in self.spaces or not prefix or not local or ABSOLUTE.match(text):
            return self.expand(text)
        return valid_iri(f"{v.OBO}{prefix}_{local}")

    def compress(self, iri: str) -> str:
        """The CURIE with the longest matching prefix, or the IRI itself when none matches."""
        return self._converter.compress(iri) or iri


def valid_iri(text: str) -> str:
    """The text, when it is an IRI by RFC 3987.

    Raises:
        ExpansionError: it isn't.
    """
    try:
        return NamedNode(text).value
    except ValueError as error:
        raise ExpansionError(f"{text!r} is not a valid IRI: {error}") from error
