"""When time periods of SDMX begin and end, as SQL (SDMX 3.0 Section 6, "Time and Time Format").

A reporting year begins on 1 January here, as it does where no data tell its start day. Time zones are left away.
"""

from __future__ import annotations

from cdmeta.sdmx.artefacts import TimeRange
from cdmeta.tables.engine import literal

_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}
_MONTH = r"[0-9]{4}-M?(0[1-9]|1[0-2])"


def begins(period: str) -> str:
    """SQL of the first moment of a period; NULL where the text is none."""
    year = f"try_cast(left({period}, 4) || '-01-01' AS TIMESTAMP)"
    number = f"try_cast(regexp_extract({period}, '[0-9]+$') AS INTEGER) - 1"
    cases = [
        (r"[0-9]{4}", year),
        (_MONTH, f"try_cast(left({period}, 4) || '-' || right({period}, 2) || '-01' AS TIMESTAMP)"),
        *((rf"[0-9]{{4}}-{sign}[0-9]", f"{year} + to_months({_MONTHS[sign]} * ({number}))") for sign in "ASTQ"),
        (r"[0-9]{4}-W[0-9]{2}", f"try_strptime({period} || '-1', '%G-W%V-%u')"),
        (r"[0-9]{4}-D[0-9]{3}", f"{year} + to_days({number})"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}([/Z+-].*)?", f"try_cast(left({period}, 10) AS TIMESTAMP)"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*", f"try_cast(left({period}, 19) AS TIMESTAMP)"),
    ]
    return _chosen(period, cases)


def ends(period: str) -> str:
    """SQL of the moment behind a period; NULL where the text is none, and of a start with a duration."""
    begin = begins(period)
    cases = [
        (r"[0-9]{4}", f"{begin} + to_years(1)"),
        (_MONTH, f"{begin} + to_months(1)"),
        *((rf"[0-9]{{4}}-{sign}[0-9]", f"{begin} + to_months({_MONTHS[sign]})") for sign in "ASTQ"),
        (r"[0-9]{4}-W[0-9]{2}", f"{begin} + to_days(7)"),
        (r"[0-9]{4}-(D[0-9]{3}|[0-9]{2}-[0-9]{2}([Z+-].*)?)", f"{begin} + to_days(1)"),
        (r"[^/]*T[^/]*", f"{begin} + to_microseconds(1)"),
    ]
    return _chosen(period, cases)


def within(period: str, limits: TimeRange) -> str:
    """SQL that is true of a period that lies in a range at least in part; NULL where that cannot be told."""
    parts = []
    if limits.start is not None:
        start = literal(limits.start)
        parts.append(f"{ends(period)} > {begins(start)}" if limits.start_included else _after(period, start))
    if limits.end is not None:
        end = literal(limits.end)
        parts.append(f"{begins(period)} < {ends(end) if limits.end_included else begins(end)}")
    return f"({' AND '.join(parts)})" if parts else "TRUE"


def _after(period: str, start: str) -> str:
    return f"{ends(period)} > {ends(start)}"


def _chosen(period: str, cases: list[tuple[str, str]]) -> str:
    told = " ".join(f"WHEN regexp_full_match({period}, {literal(form)}) THEN {sql}" for form, sql in cases)
    return f"(CASE {told} END)"
