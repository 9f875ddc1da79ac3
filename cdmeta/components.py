"""Columns of a package's tables as components of data structures, by what the descriptor says of each.

Several columns are measures only where each is declared as one: of two numbers that nobody tells apart, one may
as well be the count behind the other.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from cdmeta import profile
from cdmeta.codes import Codes, CodeTable, foreign_keys, names, reference
from cdmeta.columns import FIGURE, LEVELS, ROLES, Column, Level, Role, Status, Table, Value
from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase, title_of
from cdmeta.text import Text, is_blank, is_missing, unaccented
from cdmeta.urn import Ref, is_concept_id, to_concept_id, to_id

RESERVED = ("FREQ", "TIME_PERIOD", FIGURE, "UNIT_MEASURE", "OBS_STATUS")
"""Ids of the components that every data structure of ours has; with several measures, each has ids of its own."""
PROVENANCE: Mapping[str, str] = MappingProxyType(
    {
        "INITIATIVE_TYPE_ATT": "citizenData.initiativeType",
        "CD_STATUS_ATT": "citizenDataStatus",
        "CONSENT_BASIS_ATT": "citizenData.consentBasis",
        "OFFICIAL_USE_ATT": "citizenData.officialUse",
    }
)
"""Attributes that tell with the figures where they come from, and the field that each is. The ids are those of the
metadata attributes with `_ATT`, because no id may be both (SDMX 3.0, metadata attributes beside data)."""
ABOUT_MEASURES = ("UNIT_MEASURE", "UNIT_MULT", "DECIMALS", "OBS_STATUS", "CONF_STATUS")
"""What may be told of each measure apart, by the id of the attribute with that of the measure behind it."""

SUPPRESSED = "Q"
MISSING = ("O", "M", "L", "H", SUPPRESSED)
"""Codes of SDMX:CL_OBS_STATUS(2.3) that say that there is no figure."""

_TAKEN = {"STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY", "type", "xmlns"}
"""Ids that mean something else in SDMX-CSV (columns of its own) or in SDMX-ML (attributes of an observation)."""
_ROLES_OF_RESERVED: Mapping[str, tuple[Role, ...]] = {
    "FREQ": ("dimension",),
    "TIME_PERIOD": ("time",),
    FIGURE: ("measure",),
    "UNIT_MEASURE": ("dimension", "attribute"),
    "OBS_STATUS": ("attribute",),
    "CONF_STATUS": ("attribute",),
}
_COLUMN = "_COL"
"""Ends the id of a column whose name is the id of a metadata attribute."""
_TIME_TYPES = ("year", "yearmonth", "date", "datetime")
_NUMBER_TYPES = ("integer", "number")
_YEAR_NAMES = ("year", "año", "ano", "anio", "année", "annee")
_MAX_DECIMALS, _MAX_POWER = 9, 15
"""The greatest code of SDMX:CL_DECIMALS(1.0) and of SDMX:CL_UNIT_MULT(1.0)."""


def tables(
    package: Package, code_table: CodeTable, findings: list[Finding], without: Container[str] = ()
) -> Iterator[Table]:
    """The tables of a package that can be data of a data structure, in its order.

    Args:
        package: any package whose descriptor could be read.
        code_table: reads the rows of a resource that a foreign key refers to.
        findings: takes what keeps tables or columns from being SDMX.
        without: names of resources that are no data themselves.
    """
    ids: set[str] = set()
    for resource in package.resources:
        if resource.schema is None or resource.name in without or _is_code_table(package, resource):
            continue
        table = table_of(package, resource, code_table, findings)
        if table is None:
            continue
        if not table.id or table.id in ids:
            what = Phrase("dataset.resource", {"name": resource.name})
            findings.append(Finding("CD715", Where(DESCRIPTOR, resource.pointer, resource.name), {"what": what}))
        ids.add(table.id)
        yield table


def table_of(package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]) -> Table | None:
    """The table of a resource with a schema; None where its columns cannot be components, which is found."""
    columns, language = _columns(package, resource, code_table, findings), package.language
    if not columns:
        return None
    title = Text.at(resource.raw, "title", language) or Text.of(resource.name, language)
    description = Text.at(resource.raw, "description", language)
    return Table(resource.name, title, description, resource, columns, _key(resource))


@cache
def status_words() -> Mapping[str, Status]:
    """What words of any language, folded, say of a missing figure (profiles/sdmx/statuses.csv)."""
    source = files("cdmeta.profiles").joinpath("sdmx", "statuses.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(source, newline=""))
    return MappingProxyType(
        {_folded(row["word"]): Status(row["observation"], row["confidentiality"]) for row in rows}
    )


def _is_code_table(package: Package, resource: Resource) -> bool:
    """A resource that another refers to holds codes, unless a column of it is declared as figures."""
    if any(_sdmx(entry).get("role") == "measure" for entry in resource.fields):
        return False
    if resource.name in _code_maps(package):
        return True
    others = (r for r in package.resources if r is not resource)
    return any(reference(key)[0] == resource.name for other in others for key in foreign_keys(other))


def _code_maps(package: Package) -> set[str]:
    """The resources that map codes onto those of somebody else's data structure (`sdmx.target` of a resource)."""
    found: set[str] = set()
    for resource in package.resources:
        target = _sdmx(resource.raw).get("target")
        parts = target.get("components") if isinstance(target, Mapping) else None
        for part in parts.values() if isinstance(parts, Mapping) else ():
            if isinstance(part, Mapping) and isinstance(name := part.get("codes"), str):
                found.add(name)
    return found


def _key(resource: Resource) -> tuple[str, ...]:
    return tuple(names((resource.schema or {}).get("primaryKey")))


def _columns(
    package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
) -> tuple[Column, ...]:
    key = _key(resource)
    entries = [(str(f["name"]), n, f) for n, f in enumerate(resource.fields) if isinstance(f.get("name"), str)]
    roles = {name: _role(entry, key) for name, _, entry in entries}
    problems = list(_role_problems(resource, roles, key))
    if problems:
        findings += problems
        return ()
    single = list(roles.values()).count("measure") == 1
    build = _ColumnBuilder(package, resource, code_table, findings)
    columns = tuple(
        replace(build.column(name, entry, roles[name], key, single=single), index=index)
        for name, index, entry in entries
    )
    chosen = {name for name, _, entry in entries if _string(_sdmx(entry).get("id"))}
    columns = _renamed(resource, columns, chosen, findings)
    findings += _id_problems(resource, columns)
    columns = tuple(_attached(resource, column, columns, findings) for column in columns)
    if _without_unit(columns):
        findings.append(Finding("CD708", Where(resource=resource.name), {"resource": resource.name}))
    return columns


def _without_unit(columns: Sequence[Column]) -> bool:
    """Tell whether figures have no unit, neither declared nor in a column."""
    ids = {column.id for column in columns}
    measures = (column for column in columns if column.role == "measure" and not column.unit)
    return "UNIT_MEASURE" not in ids and any(f"UNIT_MEASURE_{column.id}" not in ids for column in measures)


def _metadata_ids() -> dict[str, str]:
    """The ids of the metadata attributes that stand below no other, with the path of the first field that has it.

    No component may have one: SDMX puts metadata attributes of the top level beside the components of the data.
    """
    fields = reversed(tuple(profile.load().fields.values()))
    return {f.concept: f.path for f in fields if f.concept and not f.parent}


def _renamed(
    resource: Resource, columns: tuple[Column, ...], chosen: Container[str], findings: list[Finding]
) -> tuple[Column, ...]:
    """The columns, those whose id is that of a metadata attribute with another one, unless somebody chose it.

    `CONTACT` becomes `CONTACT_COL`; or `CONTACT_COL2`, `CONTACT_COL3` … where a column is called that already.
    """
    metadata = _metadata_ids()
    taken = {id_.casefold() for id_ in (*metadata, *(column.id for column in columns))}
    made = []
    for column in columns:
        if column.id not in metadata or column.name in chosen:
            made.append(column)
            continue
        tries = (f"{column.id}{_COLUMN}{number}" for number in ("", *range(2, len(taken) + 3)))
        id_ = next(id_ for id_ in tries if id_.casefold() not in taken)
        other = title_of(metadata[column.id])
        params = {"resource": resource.name, "field": column.name, "id": column.id, "renamed": id_, "other": other}
        findings.append(Finding("CD719", Where(resource=resource.name, field=column.name), params))
        made.append(replace(column, id=id_))
    return tuple(made)


def _id_problems(resource: Resource, columns: tuple[Column, ...]) -> Iterator[Finding]:
    """Ids that are none, stand twice whatever their case, or belong to something else."""
    metadata = {id_: title_of(path) for id_, path in _metadata_ids().items()}
    roles = {**_ROLES_OF_RESERVED, **_roles_of_several(columns)}
    seen: dict[str, str | Phrase] = {}
    for column in columns:
        taken = column.id in _TAKEN or column.id in PROVENANCE or column.role not in roles.get(column.id, ROLES)
        key = column.id.casefold()
        other = seen.get(key) or metadata.get(column.id) or (column.id if taken else "")
        if other or not is_concept_id(column.id):
            params = {"resource": resource.name, "id": column.id, "field": column.name, "other": other}
            yield Finding("CD704", Where(resource=resource.name, field=column.name), params)
        seen[key] = column.name


def _roles_of_several(columns: tuple[Column, ...]) -> dict[str, tuple[Role, ...]]:
    """Of several measures, the ids of what is told of each: attributes only."""
    measures = [column.id for column in columns if column.role == "measure"]
    pairs = ((part, id_) for part in ABOUT_MEASURES for id_ in (measures if len(measures) > 1 else ()))
    return {f"{part}_{id_}": ("attribute",) for part, id_ in pairs}


def _attached(resource: Resource, column: Column, columns: Sequence[Column], findings: list[Finding]) -> Column:
    """An attribute whose dimensions are told by the ids of their components, in the order of the table."""
    if isinstance(column.attachment, str):
        return column
    wanted = set(column.attachment)
    found = [other for other in columns if other.role == "dimension" and other.name in wanted]
    if not wanted or {other.name for other in found} != wanted:
        findings.append(_useless(resource, column.name, "attachment"))
        return replace(column, attachment="observation")
    return replace(column, attachment=tuple(other.id for other in found))


def _useless(resource: Resource, name: str, member: str) -> Finding:
    params = {"resource": resource.name, "field": name, "property": f"sdmx.{member}"}
    return Finding("CD743", Where(resource=resource.name, field=name), params)


def _role(entry: Mapping[str, Any], key: tuple[str, ...]) -> Role:
    asked = _sdmx(entry).get("role")
    for role in ROLES:
        if asked == role:
            return role
    if entry.get("name") in key:
        kind, name = entry.get("type"), str(entry["name"]).casefold()
        is_year = kind == "integer" and name in _YEAR_NAMES
        return "time" if kind in _TIME_TYPES or is_year or name == "time_period" else "dimension"
    is_number = entry.get("type") in _NUMBER_TYPES and not _has_codes(entry)
    return "measure" if is_number else "attribute"


def _has_codes(entry: Mapping[str, Any]) -> bool:
    constraints = entry.get("constraints")
    return "categories" in entry or (isinstance(constraints, Mapping) and "enum" in constraints)


def _role_problems(resource: Resource, roles: Mapping[str, Role], key: tuple[str, ...]) -> Iterator[Finding]:
    where = Where(DESCRIPTOR, f"{resource.pointer}/schema", resource.name)
    by_role = {role: [name for name, r in roles.items() if r == role] for role in ROLES}
    if not key and not by_role["dimension"]:
        yield Finding("CD702", where, {"resource": resource.name})
        return
    declared = {str(f.get("name")) for f in resource.fields if _sdmx(f).get("role") == "measure"}
    several = len(by_role["measure"]) > 1 and declared.issuperset(by_role["measure"])
    for found, code, good in (
        (by_role["measure"], "CD703", several or len(by_role["measure"]) == 1),
        (by_role["time"], "CD705", len(by_role["time"]) == 1),
    ):
        if not good:
            params = {"resource": resource.name, "count": len(found), "names": ", ".join(found) or "–"}
            yield Finding(code, where, params)


class _ColumnBuilder:
    """Makes the columns of one table; what it cannot take becomes a finding."""

    def __init__(
        self, package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
    ) -> None:
        self._package, self._resource, self._findings = package, resource, findings
        self._codes = Codes(package, resource, code_table, findings)
        self._defaults = _sdmx(package.descriptor)

    def column(
        self, name: str, entry: Mapping[str, Any], role: Role, key: tuple[str, ...], *, single: bool
    ) -> Column:
        language, sdmx = self._package.language, _sdmx(entry)
        constraints = entry.get("constraints")
        constraints = constraints if isinstance(constraints, Mapping) else {}
        fixed = "TIME_PERIOD" if role == "time" else FIGURE if role == "measure" and single else ""
        coded = role in ("dimension", "attribute")
        several = role == "attribute" and entry.get("type") == "list"
        column = Column(
            name,
            Text.at(entry, "title", language) or Text.of(name, language),
            Text.at(entry, "description", language),
            _string(entry.get("type")) or "any",
            role,
            fixed or _string(sdmx.get("id")) or to_concept_id(name),
            self._ref(name, sdmx, "concept", "Concept"),
            self._ref(name, sdmx, "codelist", "Codelist") if coded else None,
            self._codes.of(name, entry) if coded and not several else (),
            name in key or constraints.get("required") is True,
            MappingProxyType(dict(constraints)),
            item_type=(_string(entry.get("itemType")) or "string") if several else "",
        )
        if role == "measure":
            return self._measure(column, entry, sdmx)
        return replace(column, attachment=self._level(name, sdmx)) if role == "attribute" else column

    def _ref(self, name: str, sdmx: Mapping[str, Any], property_: str, kind: str) -> Ref | None:
        """The artefact that a property refers to, by URN or as `SDMX:CL_SEX(2.1)`; another kind is an error."""
        given = sdmx.get(property_)
        ref = Ref.parse(given) or Ref.parse_short(kind, given)
        if ref and ref.kind == kind and (ref.item is not None) == (kind == "Concept"):
            return ref
        if not is_missing(given):
            params = {"field": name, "property": f"sdmx.{property_}", "kind": kind}
            self._findings.append(Finding("CD714", Where(resource=self._resource.name, field=name), params))
        return None

    def _measure(self, column: Column, entry: Mapping[str, Any], sdmx: Mapping[str, Any]) -> Column:
        return replace(
            column,
            unit=self._unit(sdmx.get("unit")),
            multiplier=self._number(column.name, sdmx, "unitMult", range(-_MAX_POWER, _MAX_POWER + 1)),
            decimals=self._number(column.name, sdmx, "decimals", range(_MAX_DECIMALS + 1)),
            statuses=tuple(self._statuses(column.name, entry, sdmx)),
            small_base=self._small_base(column.name, sdmx),
        )

    def _unit(self, unit: Any) -> Value | None:
        """A unit is a code, or an object of code and name."""
        language = self._package.language
        code = unit.get("code") if isinstance(unit, Mapping) else unit
        if not isinstance(code, str) or is_blank(code) or not to_id(code):
            return None
        name = Text.at(unit, "name", language) if isinstance(unit, Mapping) else Text()
        return Value(code, to_id(code), name or Text.of(code, language))

    def _number(self, name: str, sdmx: Mapping[str, Any], member: str, allowed: range) -> str:
        given = sdmx.get(member)
        if isinstance(given, int) and not isinstance(given, bool) and given in allowed:
            return str(given)
        if given is not None:
            self._findings.append(_useless(self._resource, name, member))
        return ""

    def _small_base(self, name: str, sdmx: Mapping[str, Any]) -> tuple[str, str] | None:
        """Below how many answers, counted in which column, a figure is of low reliability."""
        given = sdmx.get("smallBase")
        if given is None:
            return None
        told = _mapping(given)
        column, below = _string(told.get("field")), told.get("below")
        known = {str(f.get("name")) for f in self._resource.fields if f.get("type") in _NUMBER_TYPES}
        if column in known and isinstance(below, int) and not isinstance(below, bool) and below > 0:
            return column, str(below)
        self._findings.append(_useless(self._resource, name, "smallBase"))
        return None

    def _level(self, name: str, sdmx: Mapping[str, Any]) -> Level:
        given = sdmx.get("attachment")
        for level in LEVELS:
            if given == level:
                return level  # type: ignore[return-value]  # LEVELS are the literals of Level
        if isinstance(given, list) and all(isinstance(part, str) for part in given):
            return tuple(given)
        if given is not None:
            self._findings.append(_useless(self._resource, name, "attachment"))
        return "auto" if self._defaults.get("attachment") == "auto" and given is None else "observation"

    def _statuses(
        self, name: str, entry: Mapping[str, Any], sdmx: Mapping[str, Any]
    ) -> Iterator[tuple[str, Status]]:
        """What each text for a missing figure says: by the column, by the package, or by its own label."""
        own, everywhere = (_mapping(given.get("statuses")) for given in (sdmx, self._defaults))
        missing = dict(_missing_values(self._resource, entry))
        for text in own:
            if text not in missing:
                self._findings.append(self._unknown(name, text))
        for text, label in missing.items():
            told = own.get(text, everywhere.get(text))
            status = _status(told) if told is not None else _status_of_label(label)
            if status is not None:
                yield text, status
            elif told is not None:
                self._findings.append(self._unknown(name, text))
            elif label:
                params = {"resource": self._resource.name, "field": name, "label": str(label)}
                self._findings.append(Finding("CD746", Where(resource=self._resource.name, field=name), params))

    def _unknown(self, name: str, text: str) -> Finding:
        params = {"resource": self._resource.name, "field": name, "text": text}
        return Finding("CD745", Where(resource=self._resource.name, field=name), params)


def _missing_values(resource: Resource, entry: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    """The texts that stand for a missing value, with their labels (Table Schema 2.0, `missingValues`)."""
    given = entry.get("missingValues", (resource.schema or {}).get("missingValues", [""]))
    for part in given if isinstance(given, list) else []:
        value = part.get("value") if isinstance(part, Mapping) else part
        if isinstance(value, str):
            yield value, Text.at(part, "label", "und") if isinstance(part, Mapping) else Text()


def _status(given: Any) -> Status | None:
    """A status by its code in SDMX:CL_OBS_STATUS, or by a word for it."""
    if given in MISSING:
        return Status(given, "C" if given == SUPPRESSED else "")
    return status_words().get(_folded(given)) if isinstance(given, str) else None


def _status_of_label(label: Text) -> Status | None:
    return next((found for _, text in label if (found := status_words().get(_folded(text)))), None)


def _folded(text: str) -> str:
    return " ".join(unaccented(text).casefold().replace("_", " ").replace("-", " ").split())


def _sdmx(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(entry.get("sdmx"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
