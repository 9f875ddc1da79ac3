"""Places that are told too exactly (D12)."""

from __future__ import annotations

from collections.abc import Iterator

from cdmeta.checks.columns import Look, Release
from cdmeta.checks.sheets import Rule, Sheet
from cdmeta.finding import Finding
from cdmeta.tables.held import Condition, matches
from cdmeta.tables.shapes import is_number, number

_PAIR = r"^\s*[(\[]?[-+]?[0-9]{1,3}[.][0-9]+\s*[,; ]\s*[-+]?[0-9]{1,3}[.][0-9]+[)\]]?\s*$"
_SHAPE = r"(?i)^\s*(srid=[0-9]+;)?\s*(multi)?(point|polygon|linestring)\s*z?\s*[(]|\"coordinates\""
_SECONDS = r"[0-9]\s?°\s?[0-9]{1,2}\s?(['′’]\s?[0-9]|[.][0-9])"
_PLUS_CODE = r"^\s*[2-9CFGHJMPQRVWX0]{8}[+][2-9CFGHJMPQRVWX]{0,7}\s*$"


def _places(sheet: Sheet) -> Iterator[Finding]:
    """D12."""
    pair = any(look.names("latitude") for look in sheet.looks) and any(
        look.names("longitude") for look in sheet.looks
    )
    for look in sheet.looks:
        if look.cleared or not look.shape.filled:
            continue
        # Figures about people may stand at public places; only a declared place of people is theirs.
        people = sheet.micro or (sheet.aggregate and look.role == "LOCATION")
        condition = _too_exact(look, sheet.release, "" if people else "-site", pair)
        count, row = sheet.table.count(condition) if condition else (0, None)
        if count:
            yield sheet.finding("CD523" if people else "CD524", look, row, count=count)


def _too_exact(look: Look, declared: Release, suffix: str, pair: bool) -> str | Condition:
    """A condition for the cells of a column that tell a place too exactly; empty where it tells none."""
    cell = look.column.sql
    # Far from towns few people live around a point.
    rural = not suffix and "RURAL_REMOTE" in declared.consent.codes("populationGroups")

    def allowed(name: str) -> int:
        return int(declared.threshold(name + suffix, strict=rural))

    mark = look.column.given.get("decimalChar", ".")
    sign = "," if mark == "," else "."
    fine = matches(cell, f"[{sign}][0-9]{{{allowed('decimals')}}}[0-9]*[1-9]")
    degrees = (look.names("latitude") or look.names("longitude")) and pair
    if (degrees or look.role == "LOCATION") and look.shape.numbers == look.shape.filled:
        return fine & is_number(look.column, "abs({v}) <= 180", lambda value: abs(value) <= 180)
    if look.type in ("geopoint", "geojson", "object", "array"):
        return fine if look.type.startswith("geo") or look.role == "LOCATION" else ""
    if look.names("easting") or look.names("northing"):
        value = number(look.column)
        return f"{value} % {allowed('metres')} <> 0"
    if not look.is_text or look.shape.numbers == look.shape.filled:
        return ""
    if look.names("geohash"):
        return matches(cell, f"^[0-9b-hjkmnp-z]{{{allowed('geohash') + 1},12}}$")
    positions = (matches(cell, _PAIR, least=7) | matches(cell, _SHAPE, least=8)) & fine
    if look.shape.longest < 7:
        return ""
    found = positions | matches(cell, _SECONDS, least=7)
    if not look.shape.marks.get("plus"):
        return found
    digits = f"length(replace(regexp_replace({cell}, '0+[+]', '+'), '+', ''))"
    return found | (matches(cell, _PLUS_CODE, least=9) & Condition(f"{digits} > {allowed('plus-code')}", cell))


RULES: tuple[Rule, ...] = (_places,)
