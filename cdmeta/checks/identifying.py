"""Columns that say by themselves who somebody is: by their names and by their values (D01 to D04).

Names and addresses inside texts are found where a word such as Mrs or Street gives them away, no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from cdmeta.checks.columns import Look, identity_modules, text_patterns
from cdmeta.checks.sheets import Rule, Sheet, named
from cdmeta.finding import Finding, Where
from cdmeta.identifiers import has_iban, has_phone, is_national_id, is_phone
from cdmeta.package import DESCRIPTOR
from cdmeta.phrase import Phrase
from cdmeta.tables.held import Condition, at_most, holds_text, lacks, matches
from cdmeta.tables.shapes import DAY, DIGITS

_STRONG = ("email", "phone", "iban", "national")
"""Kinds that a pattern, a numbering plan or check digits prove; the others may mean something else."""
_IBAN_LIKE = "[A-Z]{2}[0-9]{2} ?[A-Z0-9]{2}"
_ID_LIKE = "^[A-Za-z]{0,4}[-0-9A-Za-z ./]*[0-9][-0-9A-Za-z ./]*$"
_MARKED_PHONE = r"^\s*([(]?0|[0-9]+[ ().-][0-9 ().-]*$)"
_Hit = tuple[int, int | None]
"""Cells, and the row of the first."""
_MORE = ""
"""In the place of a kind: there are more values than were looked at."""


def _roles(sheet: Sheet) -> Iterator[Finding]:
    """D01."""
    missing = [look for look in sheet.looks if not look.role]
    if missing and sheet.release.people and not sheet.is_key_list:
        code = "CD506" if sheet.micro else "CD505"
        where = Where(DESCRIPTOR, sheet.table.resource.pointer, sheet.table.resource.name)
        params = {"resource": sheet.table.resource.name, "count": len(missing), "names": named(missing)}
        yield Finding(code, where, params)


def _identifiers(sheet: Sheet) -> Iterator[Finding]:
    """D02 and D03: a column by its name, and by its values."""
    cleared: list[Look] = []
    for look in sheet.looks:
        hits = dict(_hits(sheet, look))
        if hits.pop(_MORE, None):
            yield sheet.finding("CD537", look, count=int(sheet.release.threshold("values")))
        if look.cleared and (hits or _named_so(sheet, look)):
            cleared.append(look)
            continue
        for kind, (count, row) in hits.items():
            is_strong = kind in _STRONG or (sheet.release.people and kind != "office")
            code = "CD509" if is_strong else "CD510"
            yield sheet.finding(code, look, row, count=count, kind=Phrase(f"identifier.{kind}"))
        if look.role == "DIRECT_ID" and look.shape.filled:
            yield sheet.finding("CD508", look)
        elif (kind := _named_so(sheet, look)) and not hits:
            yield sheet.finding("CD507", look, kind=Phrase(f"identifier.{kind}"))
    if cleared:
        yield sheet.finding("CD536", names=named(cleared), count=len(cleared))


def _named_so(sheet: Sheet, look: Look) -> str:
    """The kind of identifier that the name of a column says, where it may be one."""
    found = look.identifier
    is_list = sheet.is_key_list and not sheet.table.is_aside
    if found is None or sheet.release.about_things or is_list or not look.shape.filled:
        return ""
    kind, certain = found
    if kind in ("phone", "national", "iban") and (look.shape.longest < 6 or look.type in ("boolean", "number")):
        return ""
    return kind if certain or sheet.micro else ""


def _hits(sheet: Sheet, look: Look) -> Iterator[tuple[str, tuple[int, int | None]]]:
    """Kinds of identifiers that stand in a column → cells, and the row of the first."""
    found = sheet.table.hits(look.column, look.shape)
    for kind, names in (
        ("email", ("email",)),
        ("office", ("office",)),
        ("ip", ("ip", "ip6")),
        ("handle", ("handle", "address")),
    ):
        pairs = [found[name] for name in names if name in found]
        if pairs:
            yield kind, (sum(count for count, _ in pairs), min(row for _, row in pairs))
    for kind, test in (("iban", _ibans), ("phone", _phones), ("national", _identity_numbers)):
        count, row = test(sheet, look)
        if count:
            yield (kind if count > 0 else _MORE), (count, row)


def _judged(
    sheet: Sheet, look: Look, condition: Condition, holds: Callable[[str], bool]
) -> tuple[int, int | None, int, int]:
    return sheet.table.matching(look.column, condition, int(sheet.release.threshold("values")), holds)


def _any(sheet: Sheet, look: Look, condition: Condition, holds: Callable[[str], bool]) -> _Hit:
    """One cell is enough; where none was found and not all were looked at, the count is -1."""
    count, row, judged, _ = _judged(sheet, look, condition, holds)
    return (-1 if not count and judged >= sheet.release.threshold("values") else count), row


def _ibans(sheet: Sheet, look: Look) -> _Hit:
    if not look.is_text or look.shape.longest < 15 or look.shape.numbers == look.shape.filled:
        return 0, None
    return _any(sheet, look, matches(look.column.sql, _IBAN_LIKE, least=15), has_iban)


def _phones(sheet: Sheet, look: Look) -> _Hit:
    """International numbers anywhere; national ones where the name says so, or where they are marked as such."""
    cell = look.column.sql
    if look.shape.longest < 7 or look.type in ("date", "datetime", "time", "year", "yearmonth", "boolean"):
        return 0, None
    if look.shape.marks.get("plus"):
        found = _any(sheet, look, holds_text(cell, "+") & matches(cell, DIGITS), has_phone)
        if found[0]:
            return found
    return _national_phones(sheet, look) if sheet.release.consent.regions else (0, None)


def _national_phones(sheet: Sheet, look: Look) -> _Hit:
    cell, regions = look.column.sql, sheet.release.consent.regions
    named = look.identifier is not None and look.identifier[0] == "phone"
    if not (named or (look.is_text and look.shape.numbers < look.shape.filled)):
        return 0, None
    like = matches(cell, DIGITS, least=7) & lacks(cell, DAY, least=8)
    if named:
        return _any(sheet, look, like, partial(_phone_of, regions))
    if look.shape.marks.get("spaces"):
        words = like & matches(cell, "[A-Za-z]{2}")
        found = _any(sheet, look, words, lambda text: has_phone(text, regions))
        if found[0]:
            return found
    count, row, judged, held = _judged(
        sheet, look, like & matches(cell, _MARKED_PHONE), partial(_phone_of, regions)
    )
    return (count, row) if _is_most(sheet, look, judged, held, 3) else (0, None)


def _phone_of(regions: tuple[str, ...], text: str) -> bool:
    return is_phone(text, regions)


def _identity_numbers(sheet: Sheet, look: Look) -> _Hit:
    """Any of a column that is named so, else only where most cells are one: one number in ten is by chance."""
    modules = identity_modules(sheet.release.consent.regions, sheet.release.people)
    if not modules or look.shape.longest < 8 or look.type in ("date", "datetime", "time", "boolean", "number"):
        return 0, None
    condition = matches(look.column.sql, _ID_LIKE, least=8) & at_most(look.column.sql, 22)
    count, row, judged, held = _judged(sheet, look, condition, lambda text: is_national_id(text, modules))
    named = look.identifier == ("national", True)
    return (count, row) if (named and held) or _is_most(sheet, look, judged, held, 5) else (0, None)


def _is_most(sheet: Sheet, look: Look, judged: int, held: int, least: int) -> bool:
    """Enough values of a column hold for it to be no chance."""
    share = sheet.release.threshold("majority") / 100
    known = min(look.shape.distinct, int(sheet.release.threshold("values")))
    return held >= least and held >= share * judged and judged >= share * known


def _named_in_texts(sheet: Sheet) -> Iterator[Finding]:
    """D04."""
    for look in sheet.looks if sheet.release.people and not sheet.is_key_list else ():
        told = look.cleared or look.role == "DIRECT_ID" or look.is_category or _named_so(sheet, look)
        if told or not look.is_text or look.shape.longest < 6:
            continue
        cell = look.column.sql
        for kind, pattern in text_patterns().items():
            count, row = sheet.table.count(holds_text(cell, " ") & matches(cell, pattern, least=6))
            if count:
                yield sheet.finding("CD539", look, row, count=count, kind=Phrase(f"identifier.{kind}"))


RULES: tuple[Rule, ...] = (_roles, _identifiers, _named_in_texts)
"""In order."""
