"""SDMX time periods (SDMX 3.0 Section 6, "Time and Time Format"): their forms and the frequency each implies."""

from __future__ import annotations

import datetime as dt
import re

# No year 0000 (XML Schema 1.0), and no lookahead: the forms are also used by engines that have none.
_YEAR = r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DATE = rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
ZONE = r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_SECONDS = r"[0-9]+(\.[0-9]+)?S"
_HOURS = rf"T([0-9]+H([0-9]+M)?({_SECONDS})?|[0-9]+M({_SECONDS})?|{_SECONDS})"
DURATION = rf"P(([0-9]+Y([0-9]+M)?([0-9]+D)?|[0-9]+M([0-9]+D)?|[0-9]+D)({_HOURS})?|{_HOURS})"
"""Forms of time zones, or of none, and of durations, as ISO 8601 writes them."""

FORMS = (
    ("A", rf"{_YEAR}(-A1)?"),
    ("S", rf"{_YEAR}-S[12]"),
    ("A_3", rf"{_YEAR}-T[123]"),
    ("Q", rf"{_YEAR}-Q[1-4]"),
    ("M", rf"{_YEAR}-(M(0[1-9]|1[0-2])|(0[1-9]|1[0-2]))"),
    ("W", rf"{_YEAR}-W(0[1-9]|[1-4][0-9]|5[0-3])"),
    ("D", rf"({_YEAR}-D(00[1-9]|0[1-9][0-9]|[12][0-9]{{2}}|3[0-5][0-9]|36[0-6])|{_DATE})"),
    ("I", rf"({_DATE}({_TIME})?{ZONE}/{DURATION}|{_DATE}{_TIME}{ZONE})"),
)
"""Pairs of a code of SDMX:CL_FREQ(2.1) and the form, as a regular expression, that implies it."""
DATED = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""What starts with this has to start with a day that there is."""

_FORMS = tuple((code, re.compile(form, re.ASCII)) for code, form in FORMS)


def frequency(period: str) -> str | None:
    """The code of CL_FREQ that the form of a time period implies; None where it is no SDMX time period.

    A point in time and a range say nothing of a rhythm, so they are irregular (`I`).
    """
    for code, form in _FORMS:
        if form.fullmatch(period):
            return code if _real_date(period) else None
    return None


def _real_date(period: str) -> bool:
    return re.match(DATED, period) is None or to_date(period[:10]) is not None


def time_range(start: dt.date, end: dt.date) -> str:
    """The range from one day to another, both included, as SDMX writes it: start and duration."""
    return f"{start.isoformat()}/P{(end - start).days + 1}D"


def bounds(period: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a range as `time_range` writes it; None for anything else."""
    match = re.fullmatch(rf"(?P<start>{DATED})/P(?P<days>[1-9][0-9]{{0,6}})D", period, re.ASCII)
    start = to_date(match["start"]) if match else None
    if match is None or start is None:
        return None
    try:
        return start, start + dt.timedelta(days=int(match["days"]) - 1)
    except OverflowError:
        return None


def to_date(value: object) -> dt.date | None:
    """A full ISO 8601 date, `YYYY-MM-DD`; None for anything else."""
    if not isinstance(value, str) or not re.fullmatch(DATED, value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None
