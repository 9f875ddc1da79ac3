"""What may tell of one person or one place: e-mail addresses, phone and identity numbers, exact positions.

Nothing here gives the text back: only which kind there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

EMAIL, PHONE, PLACE = "email", "phone", "place"
"""Kinds of identifiers in texts."""
IBAN, NATIONAL, IP, HANDLE = "iban", "national", "ip", "handle"
"""Further kinds that are looked for in columns."""
MAX_SCANNED = 100_000
"""Characters of a text that are looked at for phone numbers."""

_EMAIL = re.compile(r"[\w.+-]@[\w-]{1,63}(\.[\w-]{1,63})+")
_DIGIT = re.compile(r"\d")
_BARE = r"([-+−]?\d{1,3}[.]\d{4,15})"
_MARKED = r"([-+−]?\d{1,3}[.]\d{3,15})\s?(?:°\s?[NSEWOnsewo]?|[NSEWOnsewo]\b)"
_BETWEEN = r"\s{0,2}[,;/\s]\s{0,2}"
# The number of a DOI looks like one degree, and what follows may look like another.
_START = r"(?<![\d.])(?<!doi\.org/)(?<!doi:)"
_DECIMAL = re.compile(rf"{_START}{_BARE}{_BETWEEN}{_BARE}(?![\d.])")
_COMMA = _BARE.replace("[.]", ",")
_DECIMAL_COMMA = re.compile(rf"(?<!,){_START}{_COMMA}(?:\s{{0,2}}[;/]\s{{0,2}}|,?\s{{1,2}}){_COMMA}(?!\d)")
_EITHER = r"([-+−]?\d{1,3}[.,]\d{3,15})"
_NAMED = re.compile(
    rf"(?:\b|m)lat[a-z]{{0,6}}\W{{0,4}}?{_EITHER}\D{{1,20}}?l(?:on|ng)[a-z]{{0,6}}\W{{0,4}}?{_EITHER}",
    re.IGNORECASE,
)
_DEGREES = re.compile(rf"(?<![\d.]){_MARKED}{_BETWEEN}{_MARKED}")
_ANGLE = r"\d{1,3}\s?°\s?\d{1,2}([.]\d+)?\s?['′’]\s?(\d{1,2}([.,]\d+)?\s?(\"|″|”|''|′′)\s?)?"
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{2,4}){3,8}(?![A-Za-z0-9])")
_SEXAGESIMAL = re.compile(
    rf"{_ANGLE}[NSns]\W{{1,4}}{_ANGLE}[EWOewo]|\b[NSns]\s?{_ANGLE}\W{{0,4}}[EWOewo]\s?{_ANGLE}"
)
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
# In countries whose numbers have eight digits, a date may be somebody's number.
_DATE = re.compile(
    rf"(?<![0-9])(?:{_YEAR}([-/.]){_MONTH}\1{_DAY}|{_DAY}([-/.]){_MONTH}\2{_YEAR}|{_YEAR}\s?[-–/]\s?{_YEAR})(?![0-9])"
)


def kinds(text: str, regions: Iterable[str] = ()) -> Iterator[str]:
    """Tell which kinds of identifiers a text holds, each once.

    Args:
        text: any text.
        regions: ISO 3166-1 alpha-2 codes of the countries whose national phone numbers are known too; an
            international number is always known.

    Yields:
        `EMAIL`; `PHONE`, if the number may exist (libphonenumber); `PLACE`, a pair of degrees with more than two
        decimals, or in minutes (domain table of disclosure checks, D12). Two bare numbers need one decimal more,
        because rates and weights have three.
    """
    if "@" in text and _EMAIL.search(text):
        yield EMAIL
    # All that follows has digits, of any script.
    if not _DIGIT.search(text):
        return
    if _has_position(text):
        yield PLACE
    elif _has_phone(text[:MAX_SCANNED], tuple(regions)):
        yield PHONE


def has_phone(text: str, regions: Iterable[str] = ()) -> bool:
    """Tell whether a phone number that may exist stands in a text: international, or of some countries."""
    return _has_phone(text[:MAX_SCANNED], tuple(regions))


def is_phone(text: str, regions: Iterable[str]) -> bool:
    """Tell whether a whole text, grouped or not, may be a phone number, international or of some countries."""
    from phonenumbers import NumberParseException, is_valid_number, parse

    for region in [None] if text.startswith("+") else [code for code in regions if code in _regions()]:
        try:
            if is_valid_number(parse(text, region)):
                return True
        except NumberParseException:
            continue
    return False


def has_iban(text: str) -> bool:
    """Tell whether an account number whose check digits are right stands in a text (ISO 13616)."""
    from stdnum import iban

    return any(iban.is_valid(match[0]) for match in _IBAN.finditer(text))


def is_national_id(text: str, modules: Iterable[str]) -> bool:
    """Tell whether a text is an identity number of a person whose check digits are right.

    Args:
        text: a whole cell.
        modules: parts of python-stdnum, `br.cpf` for instance.
    """
    return any(_module(name).is_valid(text) for name in modules)


@cache
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def _has_position(text: str) -> bool:
    patterns = (_DECIMAL, _DECIMAL_COMMA, _DEGREES, _NAMED)
    found = (match for pattern in patterns for match in pattern.finditer(text))
    pairs = ((_degrees(match[1]), _degrees(match[2])) for match in found)
    return any(_on_earth(*pair) for pair in pairs) or _SEXAGESIMAL.search(text) is not None


def _degrees(number: str) -> float:
    return float(number.replace("−", "-").replace(",", "."))


def _on_earth(one: float, other: float) -> bool:
    """Latitude and longitude, in either order."""
    return min(abs(one), abs(other)) <= 90 and max(abs(one), abs(other)) <= 180


def _has_phone(text: str, regions: tuple[str, ...]) -> bool:
    text = _DATE.sub("|", text)
    if sum(map(str.isdigit, text)) < 7:
        return False
    from phonenumbers import Leniency, PhoneNumberMatcher

    known = [region for region in regions if region in _regions()]
    return any(
        PhoneNumberMatcher(
            text, region, leniency=Leniency.STRICT_GROUPING if region else Leniency.VALID
        ).has_next()
        for region in (None, *known)
    )


@cache
def _regions() -> frozenset[str]:
    from phonenumbers import SUPPORTED_REGIONS

    return frozenset(SUPPORTED_REGIONS)
