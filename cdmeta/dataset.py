"""What a package says, frozen and typed: the one value from which all writers work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from cdmeta import profile
from cdmeta.finding import Finding, Where
from cdmeta.framework import Decision
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.period import time_range, to_date
from cdmeta.text import Text, is_missing
from cdmeta.urn import Ref, is_agency_id, is_concept_id, to_concept_id, to_id

Role = Literal["dimension", "time", "measure", "attribute"]
ROLES: tuple[Role, ...] = ("dimension", "time", "measure", "attribute")
PUBLISHABLE_FORMS = ("AGGREGATE", "NON_PERSONAL")
"""Release forms whose rows become observations; from others only metadata are written."""

_TIME_TYPES = ("year", "yearmonth", "date", "datetime")
_NUMBER_TYPES = ("integer", "number")
_YEAR_NAMES = ("year", "año", "ano", "anio", "année", "annee")

Rows = Iterable[Mapping[str, str]]
CodeTable = Callable[[Resource], Rows]
"""Reads a small table of codes and labels: rows as column name to text."""


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


@dataclass(frozen=True)
class Table:
    """A tabular resource that becomes a dataflow."""

    name: str
    title: Text
    description: Text
    resource: Resource
    columns: tuple[Column, ...]

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
        package: a package whose report has no error.
        decision: the Framework's decision on it.
        code_table: reads the rows of a resource that a foreign key refers to.

    Returns:
        The dataset, and findings (`CD7xx`) on what keeps it from being written as SDMX.
    """
    descriptor, language = package.descriptor, package.language
    findings: list[Finding] = []
    agency = _agency(descriptor, findings)
    form = _string(package.answers.get("releaseForm"))
    tables = tuple(_tables(package, code_table, findings)) if form in PUBLISHABLE_FORMS else ()
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
    """All answers that a descriptor gives to the profile's fields, unanswered ones left out."""
    fields = [f for f in profile.load().fields.values() if f.tier != "tool"]
    plain = [f for f in fields if "[]" not in f.path]
    answers: list[Answer] = []
    for entry in plain:
        value = _at(descriptor, entry.path)
        below = [f for f in fields if f.path.startswith(f"{entry.path}[].")]
        if below:
            answers += _elements(entry, below, value, language)
        elif entry.concept:
            answers += [
                Answer(entry, v) for v in _values(entry, _translated(descriptor, entry, language), language)
            ]
    return tuple(_nested(answers))


def _nested(answers: list[Answer]) -> Iterator[Answer]:
    """Answers whose field has a parent concept move below the first answer to that concept."""
    by_parent: dict[str, list[Answer]] = {}
    concepts = {answer.field.concept for answer in answers}
    for answer in answers:
        if answer.field.parent in concepts:
            by_parent.setdefault(answer.field.parent, []).append(answer)
    for answer in answers:
        if answer.field.parent not in concepts:
            below = tuple(by_parent.pop(answer.field.concept, ()))
            yield Answer(answer.field, answer.value, answer.children + below)


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
        if heads:
            yield Answer(heads[0].field, heads[0].value, rest)


def _values(entry: profile.Field, value: Any, language: str) -> Iterator[Text | str]:
    for part in value if isinstance(value, list) else [value]:
        if is_missing(part):
            continue
        if entry.type == "period":
            yield from _period(part)
        elif entry.type == "text":
            yield Text.of(part, language)
        elif isinstance(part, bool):
            yield "true" if part else "false"
        elif isinstance(part, (str, int, float)):
            yield str(part)


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


def _tables(package: Package, code_table: CodeTable, findings: list[Finding]) -> Iterator[Table]:
    key_targets = {_reference(key)[0] for r in package.resources for key in _foreign_keys(r)}
    for resource in package.resources:
        if resource.schema is None or resource.name in key_targets:
            continue
        columns = _columns(package, resource, code_table, findings)
        if columns:
            language = package.language
            title = Text.at(resource.raw, "title", language) or Text.of(resource.name, language)
            yield Table(resource.name, title, Text.at(resource.raw, "description", language), resource, columns)


def _columns(
    package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
) -> tuple[Column, ...]:
    given = (resource.schema or {}).get("primaryKey")
    key = [given] if isinstance(given, str) else [k for k in given or () if isinstance(k, str)]
    roles = {f["name"]: _role(f, key) for f in resource.fields if isinstance(f.get("name"), str)}
    problems = list(_role_problems(resource, roles, key))
    if problems:
        findings += problems
        return ()
    build = _ColumnBuilder(package, resource, code_table, findings)
    columns = tuple(build.column(f, roles[f["name"]], key) for f in resource.fields if f.get("name") in roles)
    seen: dict[str, str] = {}
    for column in columns:
        if column.id in seen or not is_concept_id(column.id):
            params = {"resource": resource.name, "id": column.id, "field": column.name}
            params |= {"other": seen.get(column.id, "")}
            findings.append(Finding("CD704", Where(resource=resource.name, field=column.name), params))
        seen[column.id] = column.name
    return columns


def _role(entry: Mapping[str, Any], key: list[str]) -> Role:
    asked = _sdmx(entry).get("role")
    if asked in ROLES:
        return asked  # type: ignore[no-any-return]  # narrowed by the membership test, which mypy cannot see
    if entry.get("name") in key:
        kind, name = entry.get("type"), str(entry["name"]).casefold()
        is_year = kind == "integer" and name in _YEAR_NAMES
        return "time" if kind in _TIME_TYPES or is_year or name == "time_period" else "dimension"
    is_number = entry.get("type") in _NUMBER_TYPES and not _has_codes(entry)
    return "measure" if is_number else "attribute"


def _has_codes(entry: Mapping[str, Any]) -> bool:
    constraints = entry.get("constraints")
    return "categories" in entry or (isinstance(constraints, Mapping) and "enum" in constraints)


def _role_problems(resource: Resource, roles: Mapping[str, Role], key: list[str]) -> Iterator[Finding]:
    where = Where(DESCRIPTOR, f"{resource.pointer}/schema", resource.name)
    by_role = {role: [name for name, r in roles.items() if r == role] for role in ROLES}
    if not key and not by_role["dimension"]:
        yield Finding("CD702", where, {"resource": resource.name})
        return
    for role, code in (("measure", "CD703"), ("time", "CD705")):
        if len(by_role[role]) != 1:  # type: ignore[index]  # a literal of ROLES
            names = ", ".join(by_role[role])  # type: ignore[index]  # a literal of ROLES
            params = {"resource": resource.name, "count": len(names and names.split(", ")), "names": names}
            yield Finding(code, where, params)


class _ColumnBuilder:
    """Makes the columns of one table; what it cannot take becomes a finding."""

    def __init__(
        self, package: Package, resource: Resource, code_table: CodeTable, findings: list[Finding]
    ) -> None:
        self._package, self._resource = package, resource
        self._code_table, self._findings = code_table, findings
        self._keys = {
            names[0]: _reference(key) for key in _foreign_keys(resource) if len(names := _key_fields(key)) == 1
        }

    def column(self, entry: Mapping[str, Any], role: Role, key: list[str]) -> Column:
        name, language, sdmx = entry["name"], self._package.language, _sdmx(entry)
        constraints = entry.get("constraints")
        constraints = constraints if isinstance(constraints, Mapping) else {}
        fixed = {"time": "TIME_PERIOD", "measure": "OBS_VALUE"}.get(role)
        coded = role in ("dimension", "attribute")
        return Column(
            name,
            Text.at(entry, "title", language) or Text.of(name, language),
            Text.at(entry, "description", language),
            str(entry.get("type", "any")),
            role,
            fixed or _string(sdmx.get("id")) or to_concept_id(name),
            Ref.parse(sdmx.get("concept")),
            Ref.parse(sdmx.get("codelist")),
            self._coded(name, list(self._raw_values(entry, constraints))) if coded else (),
            name in key or constraints.get("required") is True,
            MappingProxyType(dict(constraints)),
            self._unit(sdmx.get("unit")) if role == "measure" else None,
        )

    def _raw_values(self, entry: Mapping[str, Any], constraints: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
        language = self._package.language
        categories, enum = entry.get("categories"), constraints.get("enum")
        if isinstance(categories, list):
            for category in categories:
                given = category if isinstance(category, Mapping) else {"value": category}
                raw = _raw(given.get("value"))
                yield raw, Text.at(given, "label", language) or Text.of(raw, language)
        elif entry.get("name") in self._keys:
            yield from self._from_code_table(*self._keys[entry["name"]])
        elif isinstance(enum, list):
            for value in enum:
                yield _raw(value), Text.of(_raw(value), language)

    def _from_code_table(self, target: str, column: str) -> Iterator[tuple[str, Text]]:
        wanted = target or self._resource.name
        for resource in self._package.resources:
            if resource.name == wanted:
                labels = list(_label_columns(resource, column, self._package.language))
                for row in self._code_table(resource):
                    texts = tuple(
                        (tag, row[name].strip()) for tag, name in labels if (row.get(name) or "").strip()
                    )
                    yield row[column], Text(texts) or Text.of(row[column], self._package.language)

    def _coded(self, name: str, raw: list[tuple[str, Text]]) -> tuple[Value, ...]:
        """Codes with SDMX ids; two values that meet in one id, or leave none, are an error."""
        values: dict[str, Value] = {}
        for text, label in raw:
            code = to_id(text)
            if code in values or not code:
                other = values[code].raw if code in values else ""
                params = {
                    "resource": self._resource.name,
                    "field": name,
                    "value": text,
                    "id": code,
                    "other": other,
                }
                self._findings.append(Finding("CD706", Where(resource=self._resource.name, field=name), params))
            else:
                values[code] = Value(text, code, label)
        return tuple(values.values())

    def _unit(self, unit: Any) -> Value | None:
        """A unit is a code, or an object of code and name."""
        language = self._package.language
        code = unit.get("code") if isinstance(unit, Mapping) else unit
        if not isinstance(code, str) or not to_id(code):
            return None
        name = Text.at(unit, "name", language) if isinstance(unit, Mapping) else Text()
        return Value(code, to_id(code), name or Text.of(code, language))


def _label_columns(resource: Resource, key: str, language: str) -> Iterator[tuple[str, str]]:
    """Language and name of the columns that label the codes of a code table.

    They are called `label`, `name` or `title` (or what the key is called, with `_label` or `_name`), alone or
    with a language behind `_` or `@`: `name_es`, `label@fr`. Where none is called so, it is the first text column
    beside the key.
    """
    stems = ("label", "name", "title", f"{key}_label", f"{key}_name")
    names = [name for f in resource.fields if isinstance(name := f.get("name"), str) and name != key]
    found = False
    for name in names:
        stem, _, tag = name.replace("@", "_").rpartition("_")
        if name.casefold() in stems:
            found = True
            yield language, name
        elif stem.casefold() in stems and len(tag) == 2:  # an ISO 639-1 code
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


def _key_fields(key: Mapping[str, Any]) -> list[str]:
    fields = key.get("fields")
    return [fields] if isinstance(fields, str) else [f for f in fields or () if isinstance(f, str)]


def _reference(key: Mapping[str, Any]) -> tuple[str, str]:
    reference = key.get("reference")
    if not isinstance(reference, Mapping):
        return "", ""
    fields = _key_fields(reference)
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
    """A category or enum value as it stands in a cell."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
