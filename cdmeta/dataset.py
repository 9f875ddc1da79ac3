"""What a package says, frozen and typed: the one value from which all writers work."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from cdmeta import profile
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Where
from cdmeta.framework import Decision
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.period import time_range, to_date
from cdmeta.phrase import Phrase, title_of
from cdmeta.text import Text, is_blank, is_missing
from cdmeta.urn import Ref, is_agency_id, is_concept_id, to_concept_id, to_id

Role = Literal["dimension", "time", "measure", "attribute"]
ROLES: tuple[Role, ...] = ("dimension", "time", "measure", "attribute")
PUBLISHABLE_FORMS = ("AGGREGATE", "NON_PERSONAL")
"""Release forms whose rows become observations; from others only metadata are written."""

RESERVED = ("FREQ", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "OBS_STATUS")
"""Ids of the components that every data structure of ours has."""
_TAKEN = {"STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY", "type", "xmlns"}
"""Ids that mean something else in SDMX-CSV (columns of its own) or in SDMX-ML (attributes of an observation)."""
_ROLES_OF_RESERVED: Mapping[str, tuple[Role, ...]] = {
    "FREQ": ("dimension",),
    "TIME_PERIOD": ("time",),
    "OBS_VALUE": ("measure",),
    "UNIT_MEASURE": ("dimension", "attribute"),
    "OBS_STATUS": ("attribute",),
}

_COLUMN = "_COL"
"""Ends the id of a column whose name is the id of a metadata attribute."""
_VERSION = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", re.ASCII)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TIME_TYPES = ("year", "yearmonth", "date", "datetime")
_NUMBER_TYPES = ("integer", "number")
_YEAR_NAMES = ("year", "año", "ano", "anio", "année", "annee")

Rows = Iterable[Mapping[str, str]]
CodeTable = Callable[[Resource], Rows]
"""Reads a small table of codes and labels, rows as column name to text; raises ConversionError where it cannot."""


@dataclass(frozen=True)
class Value:
    """A value that a column may hold, as a code: the raw text in the rows, its SDMX id, and its label."""

    raw: str
    id: str
    name: Text


@dataclass(frozen=True)
class Column:
    """A column of a table, with its part in SDMX.

    Attributes:
        name: its name in the table.
        title, description: for people; the title falls back to the name.
        type: Table Schema type.
        role: its part in the data structure.
        id: id of its SDMX component.
        concept: the concept it uses, where the descriptor names one.
        codelist: an existing code list that it uses, where the descriptor names one.
        values: its own code list, where it has one.
        required: True where every row has it.
        constraints: the Table Schema constraints.
        unit: unit of measure, for a measure.
        index: its place among the fields of the resource, from 0.
    """

    name: str
    title: Text
    description: Text
    type: str
    role: Role
    id: str
    concept: Ref | None = None
    codelist: Ref | None = None
    values: tuple[Value, ...] = ()
    required: bool = False
    constraints: Mapping[str, Any] = field(default_factory=dict, hash=False)
    unit: Value | None = None
    index: int = 0


@dataclass(frozen=True)
class Table:
    """A tabular resource that becomes a dataflow.

    Attributes:
        name: name of the resource.
        title, description: for people.
        resource: the resource.
        columns: its columns, in its order.
        key: names of the columns of its primary key, in its order.
    """

    name: str
    title: Text
    description: Text
    resource: Resource
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def dimensions(self) -> tuple[Column, ...]:
        """The dimensions but time: in the order of the key, then those that stand outside it."""
        place = {name: number for number, name in enumerate(self.key)}
        return tuple(sorted(self.by_role("dimension"), key=lambda column: place.get(column.name, len(place))))

    @property
    def time(self) -> Column:
        """The column of time."""
        return self.by_role("time")[0]

    @property
    def measure(self) -> Column:
        """The column of figures."""
        return self.by_role("measure")[0]

    def by_role(self, role: Role) -> tuple[Column, ...]:
        """The columns of one role, in the order of the table."""
        return tuple(column for column in self.columns if column.role == role)

    @property
    def id(self) -> str:
        """The part of its SDMX ids that comes from its name."""
        return to_concept_id(self.name)


@dataclass(frozen=True)
class Answer:
    """One answer to one field of the profile; a field that repeats has one Answer an occurrence.

    Attributes:
        field: the field.
        value: a Text, or the plain value as SDMX writes it (code, date, number, `true`); None for a container.
        children: answers to the fields below it.
    """

    field: profile.Field
    value: Text | str | None
    children: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """What a package says.

    Attributes:
        name: machine name of the package.
        version: its own version, three parts.
        agency: SDMX agency that maintains its artefacts.
        language: of plain texts.
        title, description: for people.
        keywords: as given.
        homepage: address, or empty.
        modified: ISO date of the last change of the metadata, or empty.
        release_form: code of CL_RELEASE_FORM, or empty.
        access: code of CL_ACCESS, or empty.
        answers: all answers of the profile, in its order.
        tables: those resources whose rows become observations.
        resources: all resources.
        decision: the Framework's decision.
    """

    name: str
    version: str
    agency: str
    language: str
    title: Text
    description: Text
    keywords: tuple[str, ...]
    homepage: str
    modified: str
    release_form: str
    access: str
    answers: tuple[Answer, ...]
    tables: tuple[Table, ...]
    resources: tuple[Resource, ...]
    decision: Decision

    @property
    def artefact_version(self) -> str:
        """The version of its SDMX artefacts: the first two parts of the package's (domain rule on versions)."""
        return ".".join(self.version.split(".")[:2])

    @property
    def id(self) -> str:
        """The part of its SDMX ids that comes from its name."""
        return to_concept_id(self.name)

    def answer(self, path: str) -> tuple[Answer, ...]:
        """All answers to the field with a path, wherever they are nested."""
        return tuple(answer for answer in _walk(self.answers) if answer.field.path == path)

    def codes(self, path: str) -> tuple[str, ...]:
        """The plain values given to a field."""
        return tuple(answer.value for answer in self.answer(path) if isinstance(answer.value, str))


def to_dataset(package: Package, decision: Decision, code_table: CodeTable) -> tuple[Dataset, tuple[Finding, ...]]:
    """Read a Dataset from a package.

    Args:
        package: any package whose descriptor could be read; what is wrong in it is left out.
        decision: the Framework's decision on it.
        code_table: reads the rows of a resource that a foreign key refers to.

    Returns:
        The dataset, and findings (`CD7xx`) on what keeps it from being written as SDMX.
    """
    descriptor, language = package.expanded, package.language
    findings: list[Finding] = []
    agency = _agency(descriptor, findings)
    findings += _unnameable(descriptor)
    form = _string(package.answers.get("releaseForm"))
    if form in PUBLISHABLE_FORMS:
        tables = tuple(_tables(package, code_table, findings))
    else:
        tables = ()
        where = Where(DESCRIPTOR, "/citizenData/releaseForm")
        findings.append(Finding("CD709", where, {"form": form or "_U"}))
    keywords = descriptor.get("keywords")
    dataset = Dataset(
        _string(descriptor.get("name")),
        _string(descriptor.get("version")),
        agency,
        language,
        Text.at(descriptor, "title", language),
        Text.at(descriptor, "description", language),
        tuple(k for k in keywords if isinstance(k, str)) if isinstance(keywords, list) else (),
        _string(descriptor.get("homepage")),
        _string(package.answers.get("metadataUpdated")),
        form,
        _string(package.answers.get("accessRights")),
        read_answers(descriptor, language),
        tables,
        package.resources,
        decision,
    )
    return dataset, tuple(findings)


def read_answers(descriptor: Mapping[str, Any], language: str) -> tuple[Answer, ...]:
    """All answers that a descriptor, its short forms in full, gives to the profile's fields."""
    fields = [f for f in profile.load().fields.values() if f.tier != "tool"]
    answers: list[Answer] = []
    for entry in fields:
        if "[]" in entry.path:
            continue
        value = _at(descriptor, entry.path)
        below = [f for f in fields if f.path.startswith(f"{entry.path}[].")]
        if below:
            answers += _elements(entry, below, value, language)
        elif entry.concept:
            answers += [
                Answer(entry, v) for v in _values(entry, _translated(descriptor, entry, language), language)
            ]
    return _nested(answers)


def _nested(answers: list[Answer]) -> tuple[Answer, ...]:
    """Answers whose field has a parent concept move below the first answer to that concept.

    A parent that nobody answered is put in without a value, so that the nesting is always the profile's.
    """
    holders: dict[str, profile.Field] = {}
    for entry in profile.load().fields.values():
        if entry.concept:
            holders.setdefault(entry.concept, entry)
    children: dict[str, list[Answer]] = {}
    order: list[Answer] = []
    present = {answer.field.concept for answer in answers}
    for answer in answers:
        parent = answer.field.parent
        if not parent or parent not in holders:
            order.append(answer)
            continue
        children.setdefault(parent, []).append(answer)
        while parent and parent not in present:
            present.add(parent)
            holder = Answer(holders[parent], None)
            parent = holder.field.parent
            (children.setdefault(parent, []) if parent in holders else order).append(holder)

    def filled(answer: Answer) -> Answer:
        below = tuple(filled(child) for child in children.pop(answer.field.concept, ()))
        return Answer(answer.field, answer.value, answer.children + below)

    return tuple(filled(answer) for answer in order)


def _elements(entry: profile.Field, below: list[profile.Field], value: Any, language: str) -> Iterator[Answer]:
    """The answers in a list of objects: each element is headed by its container, or by its parentless field."""
    for element in value if isinstance(value, list) else [value]:
        if not isinstance(element, Mapping) or is_missing(element):
            continue
        found = [
            Answer(f, v)
            for f in below
            if f.concept
            for v in _values(f, element.get(f.path.rsplit("[].", 1)[1]), language)
        ]
        if entry.concept:
            yield Answer(entry, None, tuple(found))
            continue
        heads = [answer for answer in found if not answer.field.parent]
        rest = tuple(answer for answer in found if answer.field.parent)
        head = next((f for f in below if f.concept and not f.parent), None)
        if heads:
            yield Answer(heads[0].field, heads[0].value, rest)
            yield from heads[1:]
        elif head and rest:
            yield Answer(head, None, rest)


def _told(value: Any) -> Any:
    """A text without the languages in which it only holds a place."""
    return (
        {tag: part for tag, part in value.items() if not is_missing(part)} if isinstance(value, Mapping) else value
    )


def _values(entry: profile.Field, value: Any, language: str) -> Iterator[Text | str]:
    for part in value if isinstance(value, list) else [value]:
        if is_missing(part):
            continue
        if entry.type == "period":
            yield from _period(part)
        elif entry.type == "text":
            if text := Text.of(_told(part), language):
                yield text
        elif isinstance(part, bool):
            yield "true" if part else "false"
        elif isinstance(part, (int, float)):
            yield format(Decimal(str(part)), "f")  # SDMX's Decimal has no exponent
        elif isinstance(part, str):
            yield part


def _translated(descriptor: Mapping[str, Any], entry: profile.Field, language: str) -> Any:
    """The value of a field; of a text, with the translations that stand beside it."""
    above, _, key = entry.path.rpartition(".")
    holder = _at(descriptor, above) if above else descriptor
    if entry.type == "text" and isinstance(holder, Mapping):
        return Text.at(holder, key, language).as_dict()
    return _at(descriptor, entry.path)


def _period(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        start, end = to_date(value.get("start")), to_date(value.get("end"))
        if start and end and start <= end:
            yield time_range(start, end)


def _unnameable(descriptor: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps artefacts from having an id and a version."""
    for name, good in (
        ("name", bool(to_concept_id(_string(descriptor.get("name"))))),
        ("version", bool(_VERSION.fullmatch(_string(descriptor.get("version"))))),
    ):
        if not good:
            yield Finding("CD715", Where(DESCRIPTOR, f"/{name}"), {"what": Phrase(f"dataset.{name}")})


def _tables(package: Package, code_table: CodeTable, findings: list[Finding]) -> Iterator[Table]:
    ids: set[str] = set()
    for resource in package.resources:
        if resource.schema is None or _is_code_table(package, resource):
            continue
        columns, key = _columns(package, resource, code_table, findings), _key(resource)
        if not columns:
            continue
        language = package.language
        title = Text.at(resource.raw, "title", language) or Text.of(resource.name, language)
        description = Text.at(resource.raw, "description", language)
        table = Table(resource.name, title, description, resource, columns, key)
        if not table.id or table.id in ids:
            what = Phrase("dataset.resource", {"name": resource.name})
            findings.append(Finding("CD715", Where(DESCRIPTOR, resource.pointer, resource.name), {"what": what}))
        ids.add(table.id)
        yield table


def _is_code_table(package: Package, resource: Resource) -> bool:
    """A resource that another refers to holds codes, unless a column of it is declared as figures."""
    if any(_sdmx(entry).get("role") == "measure" for entry in resource.fields):
        return False
    others = (r for r in package.resources if r is not resource)
    return any(_reference(key)[0] == resource.name for other in others for key in _foreign_keys(other))


def _key(resource: Resource) -> tuple[str, ...]:
    return tuple(_names((resource.schema or {}).get("primaryKey")))


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
    build = _ColumnBuilder(package, resource, code_table, findings)
    columns = tuple(
        replace(build.column(name, entry, _role(entry, key), key), index=index) for name, index, entry in entries
    )
    chosen = {name for name, _, entry in entries if _string(_sdmx(entry).get("id"))}
    columns = _renamed(resource, columns, chosen, findings)
    findings += _id_problems(resource, columns)
    if not any((c.role == "measure" and c.unit) or c.id == "UNIT_MEASURE" for c in columns):
        findings.append(Finding("CD708", Where(resource=resource.name), {"resource": resource.name}))
    return columns


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
    seen: dict[str, str | Phrase] = {}
    for column in columns:
        taken = column.id in _TAKEN or column.role not in _ROLES_OF_RESERVED.get(column.id, ROLES)
        key = column.id.casefold()
        other = seen.get(key) or metadata.get(column.id) or (column.id if taken else "")
        if other or not is_concept_id(column.id):
            params = {"resource": resource.name, "id": column.id, "field": column.name, "other": other}
            yield Finding("CD704", Where(resource=resource.name, field=column.name), params)
        seen[key] = column.name


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
    for names, code in ((by_role["measure"], "CD703"), (by_role["time"], "CD705")):
        if len(names) != 1:
            params = {"resource": resource.name, "count": len(names), "names": ", ".join(names) or "–"}
            yield Finding(code, where, params)


class _ColumnBuilder:
    """Makes the columns of one table; what it cannot take becomes a finding."""

    def __init__(
        self, package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
    ) -> None:
        self._package, self._resource = package, resource
        self._code_table, self._findings = code_table, findings
        self._keys = {
            names[0]: _reference(key)
            for key in _foreign_keys(resource)
            if len(names := _names(key.get("fields"))) == 1
        }

    def column(self, name: str, entry: Mapping[str, Any], role: Role, key: tuple[str, ...]) -> Column:
        language, sdmx = self._package.language, _sdmx(entry)
        constraints = entry.get("constraints")
        constraints = constraints if isinstance(constraints, Mapping) else {}
        fixed = {"time": "TIME_PERIOD", "measure": "OBS_VALUE"}.get(role)
        coded = role in ("dimension", "attribute")
        return Column(
            name,
            Text.at(entry, "title", language) or Text.of(name, language),
            Text.at(entry, "description", language),
            _string(entry.get("type")) or "any",
            role,
            fixed or _string(sdmx.get("id")) or to_concept_id(name),
            self._ref(name, sdmx, "concept", "Concept"),
            self._ref(name, sdmx, "codelist", "Codelist") if coded else None,
            self._coded(name, self._raw_values(name, entry, constraints), self._code_source(name, entry))
            if coded
            else (),
            name in key or constraints.get("required") is True,
            MappingProxyType(dict(constraints)),
            self._unit(sdmx.get("unit")) if role == "measure" else None,
        )

    def _ref(self, name: str, sdmx: Mapping[str, Any], property_: str, kind: str) -> Ref | None:
        """The URN that a property holds; one of another kind is an error."""
        given = sdmx.get(property_)
        ref = Ref.parse(given)
        if ref and ref.kind == kind and (ref.item is not None) == (kind == "Concept"):
            return ref
        if not is_missing(given):
            params = {"field": name, "property": f"sdmx.{property_}", "kind": kind}
            self._findings.append(Finding("CD714", Where(resource=self._resource.name, field=name), params))
        return None

    def _raw_values(
        self, name: str, entry: Mapping[str, Any], constraints: Mapping[str, Any]
    ) -> Iterator[tuple[str, Text]]:
        language = self._package.language
        categories, enum = entry.get("categories"), constraints.get("enum")
        if isinstance(categories, list):
            for category in categories:
                given = category if isinstance(category, Mapping) else {"value": category}
                raw = _raw(given.get("value"))
                yield raw, Text.at(given, "label", language)
        elif name in self._keys:
            if (source := self._code_source(name, entry)) is not None:
                yield from self._from_code_table(name, source)
        elif isinstance(enum, list):
            for value in enum:
                yield _raw(value), Text()

    def _code_source(self, name: str, entry: Mapping[str, Any]) -> Resource | None:
        """The table that lists the codes of a column, where the descriptor does not."""
        if isinstance(entry.get("categories"), list) or name not in self._keys:
            return None
        others = (r for r in self._package.resources if r is not self._resource)
        return next((r for r in others if r.name == self._keys[name][0]), None)

    def _from_code_table(self, name: str, source: Resource) -> Iterator[tuple[str, Text]]:
        column = self._keys[name][1]
        labels = list(_label_columns(source, column, self._package.language))
        try:
            rows = list(self._code_table(source))
        except ConversionError as error:
            where = Where(resource=self._resource.name, field=name)
            params = {"resource": source.name, "field": name, "note": error.args[0]}
            self._findings.append(Finding("CD711", where, params))
            return
        self._findings += _unwritable(source, rows, (column, *(label for _, label in labels)))
        for row in rows:
            texts = tuple((tag, row[n].strip()) for tag, n in labels if row.get(n) and not is_blank(row[n]))
            yield row.get(column, ""), Text(tuple(dict(texts).items()))

    def _coded(self, name: str, raw: Iterable[tuple[str, Text]], source: Resource | None) -> tuple[Value, ...]:
        """Codes with SDMX ids; two values that meet in one id, or leave none, are an error."""
        values: dict[str, Value] = {}
        clashes: list[tuple[int, str, str]] = []
        for number, (text, label) in enumerate(raw):
            code = to_id(text)
            if code and code not in values:
                values[code] = Value(text, code, label or Text.of(text, self._package.language))
            elif not code or values[code].raw != text:
                clashes.append((number, text, code))
        if source is not None and clashes:  # its rows are data: they are counted, and not quoted
            row = clashes[0][0] + _first_row(source)
            params = {"resource": source.name, "field": name, "count": len(clashes), "row": row}
            self._findings.append(Finding("CD720", Where(resource=source.name, row=row), params))
        for _, text, code in clashes if source is None else ():
            named = {"resource": self._resource.name, "field": name, "value": text, "id": code}
            named["other"] = values[code].raw if code else ""
            self._findings.append(Finding("CD706", Where(resource=self._resource.name, field=name), named))
        return tuple(values.values())

    def _unit(self, unit: Any) -> Value | None:
        """A unit is a code, or an object of code and name."""
        language = self._package.language
        code = unit.get("code") if isinstance(unit, Mapping) else unit
        if not isinstance(code, str) or is_blank(code) or not to_id(code):
            return None
        name = Text.at(unit, "name", language) if isinstance(unit, Mapping) else Text()
        return Value(code, to_id(code), name or Text.of(code, language))


def _first_row(resource: Resource) -> int:
    """The number of the first row of data, the header being row 1."""
    return 1 if (resource.dialect or {}).get("header") is False else 2


def _unwritable(resource: Resource, rows: list[Mapping[str, str]], names: Iterable[str]) -> Iterator[Finding]:
    """Columns of a table of codes with characters that XML cannot hold."""
    for name in dict.fromkeys(names):
        found = [
            number for number, row in enumerate(rows, _first_row(resource)) if _NOT_XML.search(row.get(name, ""))
        ]
        if found:
            where = Where(resource=resource.name, row=found[0], field=name)
            params = {"field": name, "resource": resource.name, "count": len(found), "row": found[0]}
            yield Finding("CD716", where, params)


def _label_columns(resource: Resource, key: str, language: str) -> Iterator[tuple[str, str]]:
    """Language and name of the columns that label the codes of a code table.

    They are called `label`, `name` or `title` (or what the key is called, with `_label` or `_name`), alone or
    with a language behind `_` or `@`: `name_es`, `label@fr`. Where none is called so, it is the first text column
    beside the key.
    """
    stems = ("label", "name", "title", f"{key}_label".casefold(), f"{key}_name".casefold())
    names = [name for f in resource.fields if isinstance(name := f.get("name"), str) and name != key]
    found = False
    for name in names:
        stem, _, tag = name.replace("@", "_").rpartition("_")
        if name.casefold() in stems:
            found = True
            yield language, name
        elif stem.casefold() in stems and re.fullmatch("[A-Za-z]{2}", tag):  # an ISO 639-1 code
            found = True
            yield tag.lower(), name
    if not found and names:
        yield language, names[0]


def _agency(descriptor: Mapping[str, Any], findings: list[Finding]) -> str:
    sdmx = descriptor.get("sdmx")
    agency = sdmx.get("agency") if isinstance(sdmx, Mapping) else None
    if not is_agency_id(agency):
        findings.append(Finding("CD701", Where(DESCRIPTOR, "/sdmx/agency"), {}))
        return ""
    return str(agency)


def _sdmx(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    value = entry.get("sdmx")
    return value if isinstance(value, Mapping) else {}


def _foreign_keys(resource: Resource) -> list[Mapping[str, Any]]:
    keys = resource.schema.get("foreignKeys") if resource.schema else None
    return [key for key in keys if isinstance(key, Mapping)] if isinstance(keys, list) else []


def _names(value: Any) -> list[str]:
    """One name or a list of names, as keys give their fields."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, str)]


def _reference(key: Mapping[str, Any]) -> tuple[str, str]:
    reference = key.get("reference")
    if not isinstance(reference, Mapping):
        return "", ""
    fields = _names(reference.get("fields"))
    return _string(reference.get("resource")), fields[0] if fields else ""


def _at(descriptor: Mapping[str, Any], path: str) -> Any:
    value: Any = descriptor
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _walk(answers: Iterable[Answer]) -> Iterator[Answer]:
    for answer in answers:
        yield answer
        yield from _walk(answer.children)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _raw(value: Any) -> str:
    """A category or enum value as it stands in a cell; empty for what no cell can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""
