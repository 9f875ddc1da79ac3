"""Figures that tell of one person or establishment (D09 to D11, D18, D24).

Of the p%-rule (D11) there is what follows without the shares of the contributors, which are in no table of the
profile; of differences (D24) those between a total and its parts: earlier releases are not in the package, and
which areas overlap it does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cdmeta.checks.columns import Look, Release, column_words, looks
from cdmeta.checks.sheets import Rule, Sheet
from cdmeta.finding import Finding
from cdmeta.package import Resource
from cdmeta.tables.disclosure import Table
from cdmeta.tables.engine import ROW, Session
from cdmeta.tables.relations import column as cell
from cdmeta.tables.shapes import Column, is_number, number


def of_figures(
    resource: Resource,
    source: str,
    rows: int,
    columns: Iterable[tuple[str, Mapping[str, Any], int]],
    declared: Release,
    session: Session,
) -> Iterator[Finding]:
    """Ask the rules on figures of a table that is computed.

    Args:
        resource: as which it is published.
        source: its name in the engine.
        rows: how many rows it has.
        columns: name, field descriptor and place of those columns that are looked at.
        declared: the release, of figures.
        session: has the table.
    """
    found = tuple(Column(name, name, given, cell(place), None) for name, given, place in columns)
    table = Table(resource, found, rows, _sql=source, _connect=lambda: session.connection)
    sheet = Sheet(table, looks(table), declared, is_key_list=False)
    for rule in RULES:
        yield from rule(sheet)


def _small_cells(sheet: Sheet) -> Iterator[Finding]:
    """D09, and D18 for establishments; a cell of nobody tells of nobody (but see D10)."""
    limit = int(sheet.release.threshold("cell"))
    for look in sheet.looks:
        people = sheet.aggregate and _is_count(sheet, look, "people")
        bodies = not people and not sheet.micro and _is_count(sheet, look, "establishments")
        if not (people or bodies) or look.cleared:
            continue
        small = is_number(look.column, f"{{v}} > 0 AND {{v}} < {limit}", lambda value: 0 < value < limit)
        count, row = sheet.table.count(small)
        if count:
            yield sheet.finding("CD518" if people else "CD519", look, row, count=count, limit=limit)


def _is_count(sheet: Sheet, look: Look, kind: str) -> bool:
    """A column of whole numbers whose name, SDMX id or unit says that it counts people, or establishments."""
    if look.shape.numbers < look.shape.filled or not look.shape.filled or look.is_category:
        return False
    if look.type not in ("integer", "number", "string", "any"):
        return False
    ids = kind == "people" and (str(look.sdmx("id")).casefold(),) in column_words()["base-id"]
    units = kind == "people" and look.unit_is("unit")
    if not (ids or units or (look.names(kind) and not _is_share(look) and "per" not in look.words)):
        return False
    column = look.column.sql
    if column not in sheet.whole:
        parts = is_number(look.column, "{v} <> floor({v})", lambda value: not value.is_integer())
        sheet.whole[column] = sheet.table.count(parts)[0] == 0
    return sheet.whole[column]


def _is_share(look: Look) -> bool:
    return look.names("share") or look.unit_is("share-unit")


def _recoverable(sheet: Sheet) -> Iterator[Finding]:
    """D10: the one cell that is empty, where the total and all others are told."""
    if not sheet.aggregate:
        return
    keys = _dimensions(sheet)
    totals = {look.column.name: _total(look) for look in keys}
    for measure in sheet.looks:
        if measure.cleared or not _is_count(sheet, measure, "people") or measure.shape.filled == sheet.table.rows:
            continue
        for key in keys:
            others = ", ".join(other.column.sql for other in keys if other is not key) or "()"
            empty, total = f"{measure.column.sql} IS NULL", totals[key.column.name]
            inner = (
                f"SELECT count(*) FILTER ({total} AND NOT {empty}) AS known, "  # noqa: S608  # our own names
                f"count(*) FILTER (NOT {total} AND {empty}) AS hidden, "
                f"count(*) FILTER (NOT {total} AND NOT {empty}) AS shown, "
                f"min(row) FILTER (NOT {total} AND {empty}) AS first FROM {{t}} GROUP BY {others}"
            )
            ((count, row),) = sheet.table.ask(
                f"SELECT count(*), min(first) FROM ({inner}) WHERE known = 1 AND hidden = 1 AND shown > 0"  # noqa: S608
            ) or [(0, None)]
            if count:
                yield sheet.finding("CD520", measure, row, count=count, key=key.column.name)


def _differences(sheet: Sheet) -> Iterator[Finding]:
    """D24: what is left of a total without its parts; figures that were rounded differ by chance."""
    if not sheet.aggregate or any(map(sheet.release.did, ("ROUNDED", "NOISE"))):
        return
    limit, keys = int(sheet.release.threshold("cell")), _dimensions(sheet)
    measures = [look for look in sheet.looks if not look.cleared and _is_count(sheet, look, "people")]
    if not measures or not keys or not sheet.table.rows:
        return
    asked = ", ".join(f"bool_or({_total(key)})" for key in keys)
    ((*has_total,),) = sheet.table.ask(f"SELECT {asked} FROM {{t}}")  # noqa: S608  # our own names
    for measure in measures:
        for key in (key for key, has in zip(keys, has_total, strict=True) if has):
            ((count, row, least),) = sheet.table.ask(_rest(measure, key, keys, limit))
            # Where parts are more than their total anywhere, they overlap, and their sums say nothing.
            if count and least >= 0:
                yield sheet.finding("CD543", measure, row, count=count, key=key.column.name, limit=limit)


def _rest(measure: Look, key: Look, keys: Iterable[Look], limit: int) -> str:
    """A query for how many totals of a key are a little more than their parts, the first, and the least rest."""
    others = ", ".join(other.column.sql for other in keys if other is not key) or "()"
    value, total = number(measure.column), _total(key)
    inner = (
        f"SELECT sum({value}) FILTER ({total}) - sum({value}) FILTER (NOT {total}) AS rest, "  # noqa: S608
        f"count({value}) FILTER ({total}) AS known, min({ROW}) FILTER ({total}) AS first, "
        f"count(*) FILTER (NOT {total} AND {value} IS NULL) AS hidden FROM {{t}} GROUP BY {others}"
    )
    # A single cell that is empty is told of as such.
    small = f"known = 1 AND hidden <> 1 AND rest > 0 AND rest < {limit}"
    return (
        f"SELECT count(*) FILTER ({small}), min(first) FILTER ({small}), "  # noqa: S608  # our own names
        f"coalesce(min(rest) FILTER (known = 1), 0) FROM ({inner})"
    )


def _dominated(sheet: Sheet) -> Iterator[Finding]:
    """D11: of a sum of one or two, each can tell what the other gave, whatever the p of the p%-rule."""
    if sheet.micro or not any(look.names("sum") for look in sheet.looks):
        return
    limit = int(sheet.release.threshold("contributors"))
    if (base := _contributors(sheet)) is None:
        return
    for look in sheet.looks:
        if look.cleared or look is base or not look.names("sum") or _is_share(look) or not look.shape.filled:
            continue
        if look.shape.numbers < look.shape.filled or _is_any_count(sheet, look):
            continue
        few = f"{number(base.column)} > 0 AND {number(base.column)} < {limit}"
        count, row = sheet.table.count(f"{few} AND {look.column.sql} IS NOT NULL AND {number(look.column)} <> 0")
        if count:
            yield sheet.finding("CD541", look, row, count=count, base=base.column.name, limit=limit)


def _contributors(sheet: Sheet) -> Look | None:
    """The column that counts who contributes to a row, where there is one alone, or one that SDMX calls so."""
    found = [look for look in sheet.looks if not look.cleared and _is_any_count(sheet, look)]
    bases = [look for look in found if (str(look.sdmx("id")).casefold(),) in column_words()["base-id"]]
    return (bases or found)[0] if len(bases or found) == 1 else None


def _is_any_count(sheet: Sheet, look: Look) -> bool:
    people = sheet.aggregate and _is_count(sheet, look, "people")
    return people or _is_count(sheet, look, "establishments")


def _dimensions(sheet: Sheet) -> list[Look]:
    """Columns that say what a figure is about: by their SDMX role, else by the primary key, else by their type."""
    roles = [look for look in sheet.looks if look.sdmx("role") in ("dimension", "time")]
    key = (sheet.table.resource.schema or {}).get("primaryKey")
    names = [key] if isinstance(key, str) else key if isinstance(key, list) else []
    keyed = [look for look in sheet.looks if look.column.name in names]
    plain = [look for look in sheet.looks if look.type in ("string", "any", "year", "yearmonth", "date")]
    plain = [look for look in plain if not look.sdmx("role") and look.shape.numbers < look.shape.filled]
    return roles or keyed or plain


def _total(look: Look) -> str:
    words = ", ".join(f"'{' '.join(word)}'" for word in sorted(column_words()["total"]))
    return f"(lower(coalesce({look.column.sql}, '')) IN ({words}))"


def _group_disclosure(sheet: Sheet) -> Iterator[Finding]:
    """D10: everybody or nobody of a group."""
    for look in sheet.looks if sheet.aggregate else ():
        if look.cleared or not _is_share(look) or look.shape.numbers < look.shape.filled or not look.shape.filled:
            continue
        value = number(look.column)
        whole = f"(SELECT CASE WHEN max({value}) > 1 THEN 100 ELSE 1 END FROM {{t}})"  # noqa: S608
        count, row = sheet.table.count(f"{value} = 0 OR {value} = {whole}")
        if count:
            yield sheet.finding("CD522" if sheet.release.sensitive else "CD521", look, row, count=count)


RULES: tuple[Rule, ...] = (_small_cells, _recoverable, _differences, _dominated, _group_disclosure)
"""In order."""
