"""Values of Wikidata against what Wikibase's own RDF export writes for the same JSON."""

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg import vocabulary as v
from infact.kg.readers.wikidata_time import GREGORIAN, JULIAN, gregorian_of_julian, time_literal
from infact.kg.readers.wikidata_values import WKT, language_tag, snak_value
from infact.kg.statements import LiteralTerm

WD = "http://www.wikidata.org/entity/"


def value(datatype: str, kind: str, content: Any) -> str | LiteralTerm:
    return snak_value({"datatype": datatype, "datavalue": {"type": kind, "value": content}})


@pytest.mark.parametrize(
    ("datatype", "kind", "content", "expected"),
    [
        ("wikibase-item", "wikibase-entityid", {"id": "Q5", "numeric-id": 5}, WD + "Q5"),
        (
            "wikibase-property",
            "wikibase-entityid",
            {"entity-type": "property", "numeric-id": 31},
            WD + "P31",
        ),
        ("wikibase-form", "wikibase-entityid", {"id": "L99-F1"}, WD + "L99-F1"),
        ("string", "string", "abc", LiteralTerm("abc", v.XSD_STRING, "")),
        ("math", "string", "E = mc^2", LiteralTerm("E = mc^2", v.XSD_STRING, "")),
        ("url", "string", " http://a.org/x y|{é}", "http://a.org/x%20y%7C%7Bé%7D"),
        (
            "commonsMedia",
            "string",
            "Douglas Adams/1.jpg",
            "http://commons.wikimedia.org/wiki/Special:FilePath/Douglas%20Adams%2F1.jpg",
        ),
        (
            "geo-shape",
            "string",
            "Data:Berlin.map",
            "http://commons.wikimedia.org/data/main/Data:Berlin.map",
        ),
        (
            "monolingualtext",
            "monolingualtext",
            {"text": "привед", "language": "ru"},
            LiteralTerm("привед", v.RDF_LANG_STRING, "ru"),
        ),
        (
            "quantity",
            "quantity",
            {"amount": "+1.960", "unit": WD + "Q11573"},
            LiteralTerm("1.960", v.XSD + "decimal", ""),
        ),
        (
            "globe-coordinate",
            "globecoordinate",
            {"latitude": 12.125, "longitude": 67, "altitude": None, "globe": WD + "Q2"},
            LiteralTerm("Point(67 12.125)", WKT, ""),
        ),
        (
            "globe-coordinate",
            "globecoordinate",
            {"latitude": -1e-06, "longitude": 336.0, "globe": WD + "Q111"},
            LiteralTerm(f"<{WD}Q111> Point(336 -0.000001)", WKT, ""),
        ),
    ],
)
def test_values_are_what_wikibase_exports(
    datatype: str, kind: str, content: Any, expected: str | LiteralTerm
) -> None:
    assert value(datatype, kind, content) == expected


@pytest.mark.parametrize(
    ("datatype", "kind", "content"),
    [
        ("wikibase-item", "wikibase-entityid", {"id": "Q05"}),
        ("wikibase-item", "wikibase-entityid", {"id": ["Q5"]}),
        ("url", "string", "no iri"),
        ("quantity", "quantity", {"amount": "1e5"}),
        ("quantity", "quantity", {"amount": "+\u0661"}),
        ("globe-coordinate", "globecoordinate", {"latitude": float("nan"), "longitude": 0}),
        ("globe-coordinate", "globecoordinate", {"latitude": True, "longitude": 0}),
        ("globe-coordinate", "globecoordinate", {"latitude": 10**400, "longitude": 0}),
        ("globe-coordinate", "globecoordinate", {"latitude": 0, "longitude": 0, "globe": "x"}),
        ("monolingualtext", "monolingualtext", {"text": "x", "language": "not a tag"}),
        ("time", "time", {"time": "1952", "precision": 9, "calendarmodel": GREGORIAN}),
    ],
)
def test_values_that_are_none_are_value_errors(datatype: str, kind: str, content: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        value(datatype, kind, content)


@pytest.mark.parametrize(
    ("time", "precision", "model", "expected", "datatype"),
    [  # Wikibase writes the same days, as xsd:dateTime
        ("+1952-03-11T00:00:00Z", 11, GREGORIAN, "1952-03-11", "date"),
        ("+1952-03-00T00:00:00Z", 10, GREGORIAN, "1952-03", "gYearMonth"),
        ("+1952-00-00T00:00:00Z", 9, GREGORIAN, "1952", "gYear"),
        ("-0200-00-00T00:00:00Z", 9, GREGORIAN, "-0199", "gYear"),
        ("-0001-00-00T00:00:00Z", 9, GREGORIAN, "0000", "gYear"),
        ("+0200-10-00T00:00:00Z", 11, GREGORIAN, "0200-10-01", "date"),
        ("+0200-02-30T00:00:00Z", 11, GREGORIAN, "0200-02-28", "date"),
        ("+2014-02-29T00:00:00Z", 11, GREGORIAN, "2014-02-28", "date"),
        ("+2000-02-30T00:00:00Z", 11, GREGORIAN, "2000-02-29", "date"),
        ("-200000200-04-31T00:00:00Z", 11, GREGORIAN, "-200000199-04-30", "date"),
        ("+12000-01-01T00:00:00Z", 11, GREGORIAN, "12000-01-01", "date"),
        ("+1616-04-23T00:00:00Z", 11, JULIAN, "1616-05-03", "date"),
        ("-0044-03-15T00:00:00Z", 11, JULIAN, "-0043-03-13", "date"),
        ("+1616-04-00T00:00:00Z", 10, JULIAN, "1616-04", "gYearMonth"),
        ("+2020-01-02T03:04:05Z", 14, GREGORIAN, "2020-01-02T03:04:05Z", "dateTime"),
    ],
)
def test_times_keep_their_precision(
    time: str, precision: int, model: str, expected: str, datatype: str
) -> None:
    assert time_literal(time, precision, model) == LiteralTerm(expected, v.XSD + datatype, "")


@pytest.mark.parametrize(
    ("time", "precision", "model", "reason"),
    [
        ("+1900-00-00T00:00:00Z", 7, GREGORIAN, "coarser than a year"),
        ("+0000-02-29T00:00:00Z", 11, GREGORIAN, "no year 0"),
        ("+2012-02-28T00:00:00Z", 11, "http://a.org/calendar", "is not known"),
        ("+2012-02-28T24:00:00Z", 14, GREGORIAN, "not written as a time"),
        ("+2012-02-28T00:00:00Z", 15, GREGORIAN, "precision"),
    ],
)
def test_times_without_a_date_are_value_errors(
    time: str, precision: int, model: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        time_literal(time, precision, model)


@given(st.integers(1, 9000), st.integers(1, 12), st.integers(1, 31))
def test_julian_days_are_converted_as_counting_them_does(year: int, month: int, day: int) -> None:
    lengths = [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    day = min(day, lengths[month - 1])
    count = (year - 1) * 365 + (year - 1) // 4 + sum(lengths[: month - 1]) + day
    if count > 2:  # the Julian calendar's first day is 30 December of the Gregorian year 0
        expected = datetime.date.fromordinal(count - 2)
        found = gregorian_of_julian(year, month, day)
        assert found == (expected.year, expected.month, expected.day)


@pytest.mark.parametrize(
    ("code", "tag"), [("en", "en"), ("pt-br", "pt-br"), ("zh-classical", "lzh"), ("PT", "pt")]
)
def test_language_codes_become_tags(code: str, tag: str) -> None:
    assert language_tag(code) == tag
