import doctest
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg import names, prefixes
from infact.kg.prefixes import DEFAULT_PREFIXES, ExpansionError, Prefixes, UnknownPrefixes


@pytest.mark.parametrize("module", [prefixes, names])
def test_examples_in_docstrings(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@given(
    st.sampled_from(sorted(DEFAULT_PREFIXES)), st.from_regex(r"[A-Za-z0-9_]{1,12}", fullmatch=True)
)
def test_expansion_is_the_space_and_the_name(prefix: str, local: str) -> None:
    iri = Prefixes().expand(f"{prefix}:{local}")
    assert iri == DEFAULT_PREFIXES[prefix] + local
    assert Prefixes().expand(Prefixes().compress(iri)) == iri


def test_declared_wins_over_default_and_two_prefixes_share_a_space() -> None:
    declared = Prefixes({"dc": "http://example.org/dc/", "terms": DEFAULT_PREFIXES["dcterms"]})
    assert declared.expand("dc:a") == "http://example.org/dc/a"
    assert declared.expand("terms:a") == declared.expand("dcterms:a")


@pytest.mark.parametrize("iri", ["http://a.org/b", "urn:isbn:1", "<http://a.org/b>"])
def test_absolute_iris_stay(iri: str) -> None:
    assert Prefixes().expand(iri) == iri.strip("<>")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("XX:1", "XX"),
        ("plain", "neither"),
        ("rdfs:", "nothing"),
        ("obo:a b", "valid"),
        ("", "neither"),
    ],
)
def test_what_cannot_be_expanded_says_why(text: str, word: str) -> None:
    with pytest.raises(ExpansionError, match=word):
        Prefixes().expand(text)


def test_obo_id_spaces_need_no_declaration_but_keep_one() -> None:
    assert Prefixes().expand_obo("RO:0000052") == "http://purl.obolibrary.org/obo/RO_0000052"
    assert Prefixes({"RO": "http://r.org/"}).expand_obo("RO:1") == "http://r.org/1"
    assert Prefixes().expand_obo("http://a.org/x") == "http://a.org/x"


def test_a_space_that_is_no_iri_is_the_users_mistake() -> None:
    with pytest.raises(UserError) as raised:
        Prefixes({"ex": "example"})
    assert raised.value.where == "prefixes.ex"


def test_unknown_prefixes_are_counted_by_different_curies_whatever_becomes_of_them() -> None:
    texts = ["UMLS:C1", "UMLS:C2", "UMLS:C1", "MESH:1", "a b:c", "12:30", ":x", "_:b", "skos:x"]
    for policy, kept in (("drop", []), ("keep", ["UMLS:C1", "UMLS:C2", "MESH:1"])):
        prefixes = Prefixes(None, UnknownPrefixes(policy))  # type: ignore[arg-type]
        found = []
        for text in texts:
            with suppress(ExpansionError):
                found.append(prefixes.expand(text))
        assert list(dict.fromkeys(found)) == [*kept, DEFAULT_PREFIXES["skos"] + "x"]
        assert prefixes.unknown.counts() == {"UMLS": 2, "MESH": 1}


@pytest.mark.parametrize("text", ["under_score:1", "UMLS:a b", "UMLS:<x>"])
def test_what_is_no_iri_is_not_kept(text: str) -> None:
    with pytest.raises(ExpansionError):
        Prefixes(None, UnknownPrefixes("keep")).expand(text)


def test_obo_id_spaces_are_never_unknown() -> None:
    prefixes = Prefixes(None, UnknownPrefixes("keep"))
    assert prefixes.expand_obo("UMLS:C1") == "http://purl.obolibrary.org/obo/UMLS_C1"
    assert prefixes.unknown.counts() == {}
