"""Which texts are values of an SDMX data type, and within its facets (SDMX 3.0 Section 3A, "SDMX Data Type").

Types are those of SDMX 3.0; those of 2.1 are among them. Everything is SQL, so that the rows of a message and the
values of a report are judged by one piece of code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdmeta.period import DURATION, ZONE
from cdmeta.sdmx.artefacts import Attribute, Dimension, Measure, Representation
from cdmeta.tables.engine import literal

INTENTIONALLY_MISSING = "#N/A"
"""What stands for a value that is missing on purpose, of any type (SDMX-CSV field guide 2.0)."""

PERIOD = "ObservationalTimePeriod"
"""The type of all time periods of SDMX."""

_DIGITS = r"[+-]?[0-9]+"
_DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_DOUBLE = rf"{_DECIMAL}([eE][+-]?[0-9]+)?|-?INF|NaN"
_YEAR = r"-?([1-9][0-9]{3,}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_MONTH, _DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)"
_DATE = f"{_YEAR}-{_MONTH}-{_DAY}"
_DATETIME = f"{_DATE}T{_CLOCK}{ZONE}"
_REPORTING = {
    "ReportingYear": "A1",
    "ReportingSemester": "S[12]",
    "ReportingTrimester": "T[123]",
    "ReportingQuarter": "Q[1-4]",
    "ReportingMonth": "M(0[1-9]|1[0-2])",
    "ReportingWeek": "W(0[1-9]|[1-4][0-9]|5[0-3])",
    "ReportingDay": "D(00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])",
}
_GREGORIAN = {
    "GregorianYear": f"{_YEAR}{ZONE}",
    "GregorianYearMonth": f"{_YEAR}-{_MONTH}{ZONE}",
    "GregorianDay": f"{_DATE}{ZONE}",
}
_PERIODS = _GREGORIAN | {name: f"[0-9]{{4}}-{form}{ZONE}" for name, form in _REPORTING.items()}
_RANGE = rf"{_DATE}(T{_CLOCK})?{ZONE}/{DURATION}"
_OF_GREGORIAN, _OF_REPORTING = "|".join(_GREGORIAN.values()), "|".join(_PERIODS[name] for name in _REPORTING)
_BASIC = f"{_OF_GREGORIAN}|{_DATETIME}"

FORMS: Mapping[str, str] = _PERIODS | {
    "Alpha": "[A-Za-z]+",
    "AlphaNumeric": "[A-Za-z0-9]+",
    "Numeric": "[0-9]+",
    "BigInteger": _DIGITS,
    "Count": _DIGITS,
    "Integer": _DIGITS,
    "Long": _DIGITS,
    "Short": _DIGITS,
    "Decimal": _DECIMAL,
    "Incremental": _DECIMAL,
    "InclusiveValueRange": _DECIMAL,
    "ExclusiveValueRange": _DECIMAL,
    "Float": _DOUBLE,
    "Double": _DOUBLE,
    "Boolean": "true|false|1|0",
    "GregorianTimePeriod": _OF_GREGORIAN,
    "ReportingTimePeriod": _OF_REPORTING,
    "BasicTimePeriod": _BASIC,
    "StandardTimePeriod": f"{_BASIC}|{_OF_REPORTING}",
    "ObservationalTimePeriod": f"{_BASIC}|{_OF_REPORTING}|{_RANGE}",
    "TimeRange": _RANGE,
    "DateTime": _DATETIME,
    "Time": f"{_CLOCK}{ZONE}",
    "Month": f"--{_MONTH}{ZONE}",
    "MonthDay": f"--({_MONTH}-(0[1-9]|1[0-9]|2[0-9])|(0[13-9]|1[0-2])-30|(0[13578]|1[02])-31){ZONE}",
    "Day": f"---{_DAY}{ZONE}",
    "Duration": f"-?{DURATION}",
}
"""By data type the form of its values; a type that is not here takes any text."""

_WHOLE = {"Integer": 2**31, "Long": 2**63, "Short": 2**15}
"""Types of whole numbers, and how many there are below zero."""
_NUMBERS = frozenset({"BigInteger", "Count", "Decimal", "Incremental", "Float", "Double", *_WHOLE})
_NUMBERS |= {"InclusiveValueRange", "ExclusiveValueRange"}
_DATED = f"^{_DATE}"


def is_point_in_time(part: Dimension | Measure | Attribute, taken: Representation) -> bool:
    """Tell whether a component is the time of the observations, and the structure asks for date and time there.

    Data structures of .Stat say so, whose data have years and quarters.
    """
    return isinstance(part, Dimension) and part.is_time and taken.text_type == "DateTime"


def wrong(sql: str, taken: Representation) -> str | None:
    """SQL that is true where a text is no value of a representation without a code list; None where all are.

    Args:
        sql: an expression of text; where it is NULL, so is what is given back.
        taken: the representation. Its pattern has to be one that the engine knows, see `pattern`.
    """
    conditions = list(_conditions(sql, taken))
    if not conditions:
        return None
    return f"({sql} <> {literal(INTENTIONALLY_MISSING)} AND ({' OR '.join(conditions)}))"


def pattern(taken: Representation) -> str | None:
    """SQL that reads a representation's pattern once; an engine that does not know the pattern refuses it."""
    return None if taken.pattern is None else f"SELECT regexp_full_match('', {literal(taken.pattern)})"


def _conditions(sql: str, taken: Representation) -> Iterator[str]:
    kind = taken.text_type
    # White space around a number is no part of it (XML Schema, whiteSpace).
    value = f"trim({sql}, ' \t\r\n')" if kind in _NUMBERS or kind == "Boolean" else sql
    if form := FORMS.get(kind):
        yield f"NOT regexp_full_match({value}, {literal(form)})"
    if kind in _DATES:
        yield f"(regexp_matches({value}, {literal(_DATED)}) AND {_is_no_day(value)})"
    if kind in _WHOLE:
        below = _WHOLE[kind]
        yield f"coalesce(try_cast({value} AS HUGEINT) NOT BETWEEN {-below} AND {below - 1}, TRUE)"
    if kind in _NUMBERS:
        yield from _outside(value, taken)
    if taken.decimals is not None:
        yield f"regexp_matches({value}, {literal(rf'[.][0-9]{{{taken.decimals + 1}}}')})"
    for length, sign in ((taken.min_length, "<"), (taken.max_length, ">")):
        if length is not None:
            yield f"length({sql}) {sign} {length}"
    if taken.pattern is not None:
        yield f"NOT regexp_full_match({sql}, {literal(taken.pattern)})"


def _is_no_day(value: str) -> str:
    """SQL that is true of a text that starts with a date which no calendar has."""
    day = f"regexp_extract({value}, {literal(_DATED)})"
    # Years before our era and of more than four digits are left alone.
    known = f"regexp_matches({day}, '^[0-9]{{4}}-')"
    return f"({known} AND try_cast({day} AS DATE) IS NULL)"


def _outside(value: str, taken: Representation) -> Iterator[str]:
    """SQL of what is beyond a bound; whole numbers are compared exactly where the engine can."""
    equals = "=" if taken.text_type == "ExclusiveValueRange" else ""
    for bound, sign in ((taken.min_value, "<"), (taken.max_value, ">")):
        if bound is None:
            continue
        rough, exact = (
            f"try_cast({value} AS {kind}) {sign}{equals} try_cast({literal(bound)} AS {kind})"
            for kind in ("DOUBLE", "DECIMAL(38, 9)")
        )
        yield f"({value} <> 'NaN' AND coalesce({exact}, {rough}, FALSE))"


_DATES = frozenset({"GregorianDay", "GregorianTimePeriod", "BasicTimePeriod", "StandardTimePeriod", "DateTime"})
_DATES |= {"ObservationalTimePeriod", "TimeRange"}
