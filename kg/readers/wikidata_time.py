"""Wikibase time values to XML Schema dates of the same precision.

Wikibase's RDF export (https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format#Time) writes
every time as an xsd:dateTime and fills what isn't known with 1 January. Here a year is an xsd:gYear,
for a sentence made from it must not tell a day that nobody knows. Otherwise the rules are the
export's: Julian days become Gregorian ones, a day after the month's last is the month's last, and
years before our era are counted as XML Schema 1.1 does, 1 BCE being the year 0.
"""

import calendar
import re

from .. import vocabulary as v
from ..statements import LiteralTerm

TIME = re.compile(
    r"([+-])([0-9]{1,16})-([0-9]{2})-([0-9]{2})T((?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}Z)"
)
YEAR, MONTH, DAY, SECOND = 9, 10, 11, 14  # precisions; below YEAR are decades and longer
GREGORIAN = "http://www.wikidata.org/entity/Q1985727"
JULIAN = "http://www.wikidata.org/entity/Q1985786"
JULIAN_YEARS = (-4712, 1465072)  # years that the export converts; others were meant as Gregorian
Date = tuple[int, int, int]  # year (0 is 1 BCE), month, day


def time_literal(time: str, precision: int, calendar_model: str) -> LiteralTerm:
    """The date or time as a literal.

    >>> time_literal("+1952-03-11T00:00:00Z", DAY, GREGORIAN).value
    '1952-03-11'
    >>> time_literal("-0044-00-00T00:00:00Z", YEAR, GREGORIAN).value
    '-0043'

    Args:
        time: as Wikibase writes it; month and day may be 00.
        precision: Wikibase's number.
        calendar_model: IRI of the calendar in which the time is given.

    Raises:
        ValueError: it isn't written as a time, is coarser than a year, or in an unknown calendar.
    """
    found = TIME.fullmatch(time)
    if not found:
        raise ValueError(f"{time[:50]!r} is not written as a time of Wikibase")
    year = int(found[2])
    if year == 0:
        raise ValueError("there is no year 0 in these calendars")
    if found[1] == "-":
        year = 1 - year
    month = min(max(int(found[3]), 1), 12)
    day = max(int(found[4]), 1)
    if precision == YEAR:
        return LiteralTerm(_year(year), v.XSD + "gYear", "")
    if precision == MONTH:
        return LiteralTerm(f"{_year(year)}-{month:02d}", v.XSD + "gYearMonth", "")
    if not DAY <= precision <= SECOND:
        raise ValueError("the time is coarser than a year" if precision < YEAR else "no precision")
    year, month, day = _gregorian(year, month, day, calendar_model)
    date = f"{_year(year)}-{month:02d}-{day:02d}"
    if precision == DAY:
        return LiteralTerm(date, v.XSD + "date", "")
    return LiteralTerm(f"{date}T{found[5]}", v.XSD + "dateTime", "")


def _year(year: int) -> str:
    return f"{'-' if year < 0 else ''}{abs(year):04d}"


def _gregorian(year: int, month: int, day: int, calendar_model: str) -> Date:
    if calendar_model not in (GREGORIAN, JULIAN):
        raise ValueError(f"the calendar {calendar_model[:80]!r} is not known")
    if calendar_model == JULIAN and JULIAN_YEARS[0] <= year <= JULIAN_YEARS[1]:
        return gregorian_of_julian(year, month, min(day, 31))
    # the calendar repeats after 400 years, and Python's starts with the year 1
    return year, month, min(day, calendar.monthrange(2000 + year % 400, month)[1])


def gregorian_of_julian(year: int, month: int, day: int) -> Date:
    """The Gregorian date of a Julian one, by way of the Julian day number.

    E. G. Richards, "Calendars", in: Explanatory Supplement to the Astronomical Almanac, 3rd ed.
    (2013), section 15.11.

    >>> gregorian_of_julian(1582, 10, 5)
    (1582, 10, 15)
    """
    early = (14 - month) // 12  # January and February belong to the year before
    years, months = year + 4800 - early, month + 12 * early - 3
    number = day + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083
    since = number + 32044  # days since 1 March 4801 BCE, Gregorian
    centuries = (4 * since + 3) // 146097
    since -= 146097 * centuries // 4
    years = (4 * since + 3) // 1461
    since -= 1461 * years // 4
    months = (5 * since + 2) // 153
    return (
        100 * centuries + years - 4800 + months // 10,
        months + 3 - 12 * (months // 10),
        since - (153 * months + 2) // 5 + 1,
    )
