"""Records that tell of one person by what they hold together (D05 to D08, D13 to D16)."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import partial

from cdmeta.checks.sheets import Rule, Sheet, named
from cdmeta.finding import Finding
from cdmeta.package import Resource
from cdmeta.phrase import Phrase
from cdmeta.tables.held import matches
from cdmeta.tables.shapes import DAY, is_number, number

_WHEN = ("date", "datetime", "time", "year", "yearmonth")


def _free_text(sheet: Sheet) -> Iterator[Finding]:
    """D05."""
    if not sheet.micro or sheet.release.did("REVIEWED_TEXT"):
        return
    limit, share = sheet.release.threshold("free-text-length"), sheet.release.threshold("free-text-distinct") / 100
    for look in sheet.looks:
        shape = look.shape
        wordy = shape.length > limit and shape.distinct > max(share * shape.filled, 1)
        spaced = shape.marks.get("spaces", 0) > shape.filled / 2
        free = look.is_text and not look.is_category and not look.cleared and wordy and spaced
        if shape.filled and (look.role == "FREE_TEXT" or free):
            yield sheet.finding("CD512", look)


def _near_unique(sheet: Sheet) -> Iterator[Finding]:
    """D06, and D16 for weights; a key that the schema declares is known to be one."""
    if not sheet.micro or sheet.table.rows < sheet.release.threshold("near-unique-rows"):
        return
    share, keys = sheet.release.threshold("near-unique") / 100, _declared_keys(sheet.table.resource)
    for look in sheet.looks:
        shape = look.shape
        # The quick count is right to a few per cent.
        if shape.filled < share * sheet.table.rows or shape.distinct < 0.85 * share * shape.filled:
            continue
        if sheet.table.distinct(look.column) < share * shape.filled:
            continue
        if look.role == "WEIGHT":
            yield sheet.finding("CD528", look)
        elif (
            look.role in ("", "NONE")
            and look.type != "number"
            and not look.cleared
            and look.column.name not in keys
        ):
            yield sheet.finding("CD513", look)


def _declared_keys(resource: Resource) -> frozenset[str]:
    """Columns that are alone a key by the schema."""
    schema = resource.schema or {}
    listed = schema.get("uniqueKeys")
    keys = [schema.get("primaryKey"), *(listed if isinstance(listed, list) else ())]
    flat = [[key] if isinstance(key, str) else key for key in keys]
    return frozenset(key[0] for key in flat if isinstance(key, list) and len(key) == 1 and isinstance(key[0], str))


def _alike(sheet: Sheet) -> Iterator[Finding]:
    """D07."""
    if not sheet.micro or not sheet.table.rows:
        return
    if not sheet.quasi:
        yield sheet.finding("CD516")
    else:
        groups = sheet.table.groups([look.column for look in sheet.quasi], sheet.release.k)
        if groups.small:
            params = {"k": groups.least, "wanted": sheet.release.k, "records": groups.records}
            share = Phrase("disclosure.share", {"percent": _percent(groups.unique, sheet.table.rows)})
            yield sheet.finding("CD514", None, groups.row, names=named(sheet.quasi), unique=share, **params)
    for look in sheet.looks:
        if look.role == "NONE" and not look.cleared and (look.names("quasi") or look.names("age")):
            yield sheet.finding("CD515", look)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0"


def _secrets(sheet: Sheet) -> Iterator[Finding]:
    """D08: where a group of equal records shares one answer, the answer of each is known."""
    if not sheet.micro or not sheet.table.rows:
        return
    wanted = int(sheet.release.threshold("l-diversity"))
    keys = [look.column for look in sheet.quasi]
    for look in sheet.looks:
        if look.role == "SENSITIVE":
            groups = sheet.table.alike(keys, look.column, wanted)
            if groups.small:
                params = {"groups": groups.small, "records": groups.records, "wanted": wanted}
                yield sheet.finding("CD517", look, groups.row, **params)


def _likely(sheet: Sheet) -> Iterator[Finding]:
    """D08, t-closeness: asked once there are enough people in each group, with enough answers."""
    secrets = (
        [look for look in sheet.looks if look.role == "SENSITIVE"] if sheet.micro and sheet.table.rows else []
    )
    keys = [look.column for look in sheet.quasi]
    if not secrets or not keys or sheet.table.groups(keys, sheet.release.k).small:
        return
    for look in secrets:
        is_ordered = look.type in ("integer", "number") and not look.is_category
        wanted = sheet.release.threshold("t-closeness-ordered" if is_ordered else "t-closeness")
        if sheet.table.alike(keys, look.column, int(sheet.release.threshold("l-diversity"))).small:
            continue
        groups, most = sheet.table.closeness(keys, look.column, wanted / 100, is_ordered=is_ordered)
        if groups.small:
            params = {"groups": groups.small, "records": groups.records, "wanted": int(wanted)}
            yield sheet.finding("CD540", look, groups.row, percent=f"{100 * most:.0f}", **params)


def _order(sheet: Sheet) -> Iterator[Finding]:
    """D16: rows that equal values of a column keep together may follow each other as on a list.

    A column whose values all differ says by itself what its order says.
    """
    if not sheet.micro or sheet.table.rows < sheet.release.threshold("near-unique-rows"):
        return
    least = sheet.release.threshold("order-values")
    tells = [look for look in sheet.looks if look.role in ("QUASI_ID", "LOCATION", "SENSITIVE", "WEIGHT")]
    tells += [look for look in sheet.looks if look not in tells and look.type in _WHEN]
    found = [
        look
        for look in tells
        if not look.cleared
        and look.shape.distinct >= least
        and sheet.table.is_sorted(look.column)
        and least <= sheet.table.distinct(look.column) < look.shape.filled
    ]
    if found:
        yield sheet.finding("CD542", names=named(found))


def _days(sheet: Sheet) -> Iterator[Finding]:
    """D13."""
    for look in sheet.looks if sheet.micro else ():
        if look.cleared or not look.shape.filled or look.type not in ("date", "datetime", "time", "string", "any"):
            continue
        count = look.shape.filled
        if look.type in ("string", "any"):
            if look.shape.longest < 8 or look.shape.longest > 40:
                continue
            count, _ = sheet.table.count(matches(look.column.sql, DAY, least=8))
        if count > look.shape.filled / 2:
            yield sheet.finding("CD525", look, count=count)


def _extremes(sheet: Sheet) -> Iterator[Finding]:
    """D14."""
    if not sheet.micro or sheet.release.did("TOP_CODED"):
        return
    for look in sheet.looks:
        if look.cleared or look.shape.numbers < look.shape.filled / 2 or not look.shape.filled:
            continue
        value = number(look.column)
        if look.names("age"):
            top_age = sheet.release.threshold("top-age")
            old = is_number(look.column, f"{{v}} >= {top_age}", partial(operator.le, top_age))
            count, row = sheet.table.count(old)
        elif look.role in ("QUASI_ID", "SENSITIVE") and look.type in ("integer", "number"):
            part = 1 - sheet.release.threshold("top-share") / 100
            top = f"(SELECT quantile_disc({value}, {part}) FROM {{t}})"  # noqa: S608  # our own names
            count, row = sheet.table.count(f"{value} > {top}")
            count = count if count < sheet.release.threshold("rare-category") else 0
        else:
            continue
        if count:
            yield sheet.finding("CD526", look, row, count=count)


def _rare(sheet: Sheet) -> Iterator[Finding]:
    """D15."""
    limit = int(sheet.release.threshold("rare-category"))
    for look in sheet.looks if sheet.micro else ():
        if look.role == "QUASI_ID" and look.shape.filled:
            groups = sheet.table.rare(look.column, limit)
            if groups.small:
                params = {"count": groups.small, "records": groups.records, "limit": limit}
                yield sheet.finding("CD527", look, groups.row, **params)


RULES: tuple[Rule, ...] = (
    _free_text,
    _near_unique,
    _alike,
    _secrets,
    _likely,
    _order,
    _days,
    _extremes,
    _rare,
)
"""In order."""
