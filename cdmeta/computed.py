"""Tables of figures that are computed from records, as tables like any other.

Their columns follow from what is declared (`indicators`) and from the columns of the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from cdmeta import profile
from cdmeta.codes import CodeTable, foreign_keys, names
from cdmeta.columns import Column, Computed, Table, Value
from cdmeta.components import SUPPRESSED, table_of
from cdmeta.finding import Finding
from cdmeta.indicators import TOTAL, UNKNOWN, Calculation, Indicators
from cdmeta.package import Package, Resource
from cdmeta.phrase import Phrase
from cdmeta.text import Text
from cdmeta.urn import to_concept_id

UNDEFINED = "M"
"""The status of a figure that cannot exist, as a share of nothing (SDMX:CL_OBS_STATUS)."""
TIME = "time_period"
_STATUSES = {SUPPRESSED: SUPPRESSED, UNDEFINED: UNDEFINED}
_PER_CENT = {"code": "PERCENT"}
_TOLD = ("title", "description")
_OF_COLUMN = ("id", "concept", "unit", "unitMult")


def computed(
    package: Package, declared: Iterable[Indicators], code_table: CodeTable, findings: list[Finding]
) -> Iterator[Table]:
    """The tables that are declared, none of their rows computed.

    Args:
        package: the package.
        declared: its tables of figures.
        code_table: reads the rows of a resource that a foreign key refers to.
        findings: takes what keeps columns from being SDMX.
    """
    first = 1 + max((resource.index for resource in package.resources), default=0)
    ids = {to_concept_id(resource.name) for resource in package.resources}
    for number, table in enumerate(declared, first):
        made = table_of(package, _resource(table, number), code_table, findings)
        if made is None:
            continue
        if not made.id or made.id in ids:
            what = Phrase("dataset.resource", {"name": made.name})
            findings.append(Finding("CD715", table.where, {"what": what}))
        ids.add(made.id)
        yield _table(made, table)


def _resource(table: Indicators, number: int) -> Resource:
    """A resource as if the figures stood in a file."""
    entries = {str(entry.get("name")): entry for entry in table.source.fields}
    fields = [_dimension(entries[name]) for name in table.dimensions]
    time = _some(entries[table.time], _TOLD) if table.time else {}
    fields.append(time | {"name": table.time or TIME, "type": "string", "sdmx": {"role": "time"}})
    for measure in table.measures:
        fields.append(_measure(measure))
        if measure.base:
            unit = profile.in_languages("texts", "indicators.base", "text").as_dict()
            told = {"unit": {"code": "RECORDS", "name": unit}}
            fields.append(_column(measure.base, "integer", 0, told))
    schema: dict[str, Any] = {
        "fields": fields,
        "primaryKey": [*table.dimensions, table.time or TIME],
        "missingValues": ["", *_STATUSES],
        "foreignKeys": [
            key
            for key in foreign_keys(table.source)
            if len(used := names(key.get("fields"))) == 1 and used[0] in table.dimensions
        ],
    }
    return Resource(number, table.name, table.given, (), schema, None)


def _some(given: Mapping[str, Any], members: Iterable[str]) -> dict[str, Any]:
    """Members of an object, with their translations (`title@es`)."""
    return {key: value for key, value in given.items() if key.partition("@")[0] in members}


def _dimension(entry: Mapping[str, Any]) -> dict[str, Any]:
    sdmx = entry.get("sdmx")
    kept = (
        {key: sdmx[key] for key in ("id", "concept", "codelist") if key in sdmx}
        if isinstance(sdmx, Mapping)
        else {}
    )
    return _some(entry, ("name", *_TOLD, "type", "categories", "constraints")) | {
        "sdmx": kept | {"role": "dimension"}
    }


def _measure(measure: Calculation) -> dict[str, Any]:
    whole = measure.kind == "count" and not measure.weight
    told = _some(measure.given, (*_TOLD, *_OF_COLUMN))
    if measure.kind == "share" and measure.per == 100:  # per cent
        told = {"unit": _PER_CENT} | told
    return _column(measure.name, "integer" if whole else "number", measure.decimals, told)


def _column(name: str, kind: str, decimals: int, given: Mapping[str, Any]) -> dict[str, Any]:
    sdmx = _some(given, _OF_COLUMN) | {"role": "measure", "decimals": decimals, "statuses": _STATUSES}
    return _some(given, _TOLD) | {"name": name, "type": kind, "sdmx": sdmx}


def _table(made: Table, declared: Indicators) -> Table:
    """The table, whose rows have ids of codes and totals; beside it the records, whose rows have the codes."""
    places = {str(entry.get("name")): place for place, entry in enumerate(declared.source.fields)}
    dimensions = {column.name: column for column in made.by_role("dimension")}
    records = tuple(
        replace(dimensions[name], index=places[name]) if name in dimensions else _plain(declared, name, place)
        for name, place in places.items()
    )
    source = Table(declared.source.name, made.title, made.description, declared.source, records)
    columns = tuple(
        _with_totals(column, declared) if column.name in dimensions else column for column in made.columns
    )
    return replace(made, columns=columns, computed=Computed(declared, source))


def _plain(declared: Indicators, name: str, place: int) -> Column:
    """A column of the records that is no dimension."""
    kind = declared.source.fields[place].get("type")
    role = "time" if name == declared.time else "attribute"
    type_ = kind if isinstance(kind, str) else "any"
    return Column(name, Text(), Text(), type_, role, to_concept_id(name), index=place)  # type: ignore[arg-type]  # one of two literals of Role


def _with_totals(column: Column, declared: Indicators) -> Column:
    values = [replace(value, raw=value.id) for value in column.values]
    added = [UNKNOWN] if column.name in declared.unknown else []
    if any(column.name not in some for some in declared.by):
        added.append(TOTAL)
    known = {value.id for value in values}
    values += [
        Value(code, code, profile.in_languages("texts", f"indicators.{code}", "text"))
        for code in added
        if code not in known and values
    ]
    return replace(column, type="string", values=tuple(values), constraints=MappingProxyType({}), required=True)
