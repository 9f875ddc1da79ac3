import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdmeta.period import bounds, frequency, time_range, to_date


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("2024", "A"),
        ("2024-A1", "A"),
        ("2024-S2", "S"),
        ("2024-T3", "A_3"),
        ("2024-Q4", "Q"),
        ("2024-05", "M"),
        ("2024-M12", "M"),
        ("2024-W53", "W"),
        ("2024-02-29", "D"),
        ("2024-D366", "D"),
        ("2024-02-01/P1M", "I"),
        ("2024-02-01T10:00:00/PT2H", "I"),
        ("2024-02-01T10:00:00Z", "I"),
    ],
)
def test_the_form_gives_the_frequency(period: str, expected: str) -> None:
    assert frequency(period) == expected


@pytest.mark.parametrize(
    "period",
    [
        "",
        "24",
        "2024-13",
        "2024-Q5",
        "2023-02-29",
        "2024-1-5",
        "2024-02-01/2024-03-01",
        "2024-W54",
        "2024/P1D",
        "20240201",
    ],
)
def test_what_sdmx_does_not_know_is_refused(period: str) -> None:
    assert frequency(period) is None


@given(st.dates(), st.integers(0, 4000))
def test_a_range_includes_both_days(start: dt.date, days: int) -> None:
    end = min(start.toordinal() + days, dt.date.max.toordinal())
    text = time_range(start, dt.date.fromordinal(end))
    assert text == f"{start.isoformat()}/P{end - start.toordinal() + 1}D"
    assert frequency(text) == "I"
    assert bounds(text) == (start, dt.date.fromordinal(end))


def test_only_full_iso_dates_are_dates() -> None:
    assert to_date("2024-02-29") == dt.date(2024, 2, 29)
    for value in ("2024-02-30", "2024-2-9", "20240229", "2024", 2024, None, "2024-W01-1"):
        assert to_date(value) is None


def test_only_ranges_of_days_have_bounds() -> None:
    for text in ("", "2024", "2024-01-01", "2024-01-01/P1M", "2024-02-30/P1D", "9999-12-31/P2D", "2024-01-01/P0D"):
        assert bounds(text) is None
