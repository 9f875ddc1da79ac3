"""What the descriptor answers, against the profile and against the Data Package standard.

The profile's JSON Schema says what is asked for and in which form; its errors become one finding an answer, in the
order of the profile's fields. What a schema cannot say is beside it. Base conformance is frictionless's to judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from cdmeta import profile
from cdmeta.finding import OPEN_QUESTIONS, Finding, Where
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.period import to_date
from cdmeta.phrase import Phrase
from cdmeta.profile import WITHHELD, Field
from cdmeta.shorthand import Parts, Places, members, pointer, value_at
from cdmeta.text import is_blank, is_language_tag, is_missing, is_placeholder

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_Found = Iterator[tuple[Parts, str, dict[str, Any]]]
_Given = Iterator[tuple[Parts, Field, Any]]

_LANGUAGE_FIELDS = ("citizenData.language", "citizenData.languages")
_TOLD_BY_CONSENT = ("citizenData.jurisdiction", "citizenData.legalBasisNote")
"""Asked for by rules C20 and C21 of `cdmeta.checks.consent`, which know why."""
_MAX_VALUE = 60


def check(package: Package) -> Iterator[Finding]:
    """Findings CD120 to CD144 on the descriptor: the profile's first, in its order, then the standard's."""
    own = _own(package)
    yield from own
    told = {finding.where.pointer or "" for finding in (*package.findings, *own)} - {""}
    yield from _base(package.descriptor, told)


def _base(descriptor: Mapping[str, Any], told: set[str]) -> Iterator[Finding]:
    """What the standard's own judge says, but for what is told already: there, or within that answer."""
    from cdmeta.tables.conformance import metadata_problems

    heads = {place.split("/")[1] for place in told if place and not place.startswith("/resources")}
    for at, note in metadata_problems(descriptor):
        if at not in told and at[1:] not in heads:
            yield Finding("CD120", Where(DESCRIPTOR, at), {"note": note})


def _own(package: Package) -> list[Finding]:
    """The findings by the profile, one a place, in the order of its fields."""
    answers = _answers(package.expanded)
    short = package.short_forms
    found: dict[Parts, Finding] = {}
    for source in (_by_schema, _periods, _reachable, _translations, _untold, _unknown, _withheld):
        for parts, code, params in source(answers):
            place = Where(DESCRIPTOR, pointer(_as_stored(parts, short)))
            if code in OPEN_QUESTIONS and (word := _placeholder(value_at(package.expanded, parts))):
                question = {"question": params["question"], "word": _short(word)}
                params = params | {"question": Phrase("question.placeholder", question)}
            found.setdefault(parts, Finding(code, place, params))
    ordered = [found[parts] for parts in sorted(found, key=_order)]
    columns = [finding for resource in package.resources for finding in _columns(resource)]
    return [*ordered, *_short_forms(short), *columns]


def _placeholder(value: Any) -> str:
    """The first word that was taken for a placeholder, because it may be somebody's name; else empty."""
    if isinstance(value, Mapping | list):
        return next(filter(None, map(_placeholder, value.values() if isinstance(value, Mapping) else value)), "")
    return value if isinstance(value, str) and not is_blank(value) and is_placeholder(value) else ""


def _as_stored(parts: Parts, short: Places) -> Parts:
    """The place in the file: what is wrong within a short form is wrong there."""
    return next((place for place, _ in short if parts[: len(place)] == place), parts)


def _short_forms(short: Places) -> Iterator[Finding]:
    """What is written in short; the schema describes what is written in full."""
    for place, _ in short:
        yield Finding("CD142", Where(DESCRIPTOR, pointer(place)), {"path": _path(place)})


def _answers(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """What the descriptor answers to the profile; what counts as missing is left out, but for list elements."""
    answers = {
        key: _answered(value)
        for key, value in descriptor.items()
        if key.partition("@")[0] in _tops() and not is_missing(value)
    }
    own = answers.setdefault("citizenData", {})
    if isinstance(own, dict):
        own.setdefault("participation", {})
    return answers


@cache
def _tops() -> frozenset[str]:
    """The names of the profile's members at the top of a descriptor."""
    return frozenset({path.partition(".")[0].removesuffix("[]") for path in _fields()} - {"resources"} | {"sdmx"})


def _answered(value: Any) -> Any:
    if isinstance(value, (dict, Mapping)):
        return {key: _answered(part) for key, part in value.items() if not is_missing(part)}
    if isinstance(value, list):
        return [_answered(part) for part in value]
    return value


# --- the JSON Schema


def _by_schema(answers: Mapping[str, Any]) -> _Found:
    if _is_valid("package")(answers):
        return
    for error in _validator("package").iter_errors(answers):
        if error.validator == "required":
            yield from _absent(tuple(error.absolute_path), error)
        elif not is_missing(error.instance):
            yield from _wrong(tuple(error.absolute_path), error)


@cache
def _validator(definition: str) -> Validator:
    """A validator of one definition of the profile's schema; the reference to the standard is left out."""
    from jsonschema import Draft7Validator, FormatChecker, ValidationError, validators

    def pattern(_: Any, wanted: str, instance: Any, __: Any) -> Iterator[ValidationError]:
        # JSON Schema takes a regular expression of ECMA-262, whose $ is the very end.
        exact = f"{wanted[:-1]}\\Z" if wanted.endswith("$") else wanted
        if isinstance(instance, str) and not re.search(exact, instance):
            yield ValidationError("no match")

    formats = FormatChecker(formats=())
    formats.checks("date")(lambda value: not isinstance(value, str) or to_date(value) is not None)
    # 412.0 is an integer to JSON Schema, and would be written into SDMX as it stands.
    types = Draft7Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extend: Any = validators.extend
    build = extend(Draft7Validator, {"pattern": pattern}, type_checker=types)
    validator: Validator = build(
        {"$ref": f"#/definitions/{definition}", "definitions": _definitions()}, format_checker=formats
    )
    return validator


@cache
def _is_valid(definition: str) -> Callable[[Any], bool]:
    """What is true only of documents in which the validator of a definition finds nothing wrong.

    It takes a hundredth of the validator's time, and cannot say what is wrong.
    """
    from jsonschema_rs import Draft7Validator

    schema = {"$ref": f"#/definitions/{definition}", "definitions": _definitions()}
    formats = {"date": lambda text: to_date(text) is not None}
    quick = Draft7Validator(schema, formats=formats, validate_formats=True)

    def valid(document: Any) -> bool:
        try:
            return quick.is_valid(document) and not _has_whole_float(document)
        except ValueError:  # half a surrogate pair, or nested too deeply
            return False

    return valid


def _has_whole_float(value: Any) -> bool:
    """412.0 is an integer to JSON Schema, and would be written into SDMX as it stands."""
    if isinstance(value, (dict, list)):
        return any(map(_has_whole_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


@cache
def _definitions() -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = json.loads(profile.schema_bytes())["definitions"]
    return definitions


def _absent(parts: Parts, error: Any) -> _Found:
    """What is missing: an answer of the core, or one that is asked for here."""
    for name in error.validator_value:
        place = (*parts, name)
        entry = _fields().get(_path(place))
        if name in error.instance or entry is None or _is_told_by_consent(entry, error.instance):
            continue
        params = {part: _words(entry, part) for part in ("title", "question")} | {"path": entry.path}
        if entry.path == "citizenData.profile":
            yield place, "CD135", {"url": profile.URL}
        elif entry.tier == "core":
            yield place, "CD130", params
        else:
            yield place, "CD131", params | {"because": _words(entry, "when")}


def _words(entry: Field, column: str) -> Any:
    return Phrase(entry.path, file="fields", column=column)


def _is_told_by_consent(entry: Field, answers: Mapping[str, Any]) -> bool:
    """The rules of consent ask for the answer: no law (C20), no jurisdiction (C21), no basis (C01)."""
    about_people = answers.get("personalDataCollected", "NONE") != "NONE"
    return entry.path in _TOLD_BY_CONSENT or (entry.path == "citizenData.consentBasis" and about_people)


def _wrong(parts: Parts, error: Any) -> _Found:
    """What is answered wrongly; each kind of answer has its own finding."""
    place, entry = _answer_at(parts)
    path = _path(place)
    codelist = error.schema.get("$comment")
    if entry is not None and entry.type == "period":
        return
    if entry is not None and (special := _special(entry, error)):
        yield place, *special
    elif error.validator == "uniqueItems":
        if (twice := _twice(error.instance)) is not None:
            yield place, "CD140", {"path": path, "value": _short(twice)}
    elif codelist and isinstance(error.instance, (str, int, float)) and not isinstance(error.instance, bool):
        yield place, "CD132", _no_code(error.instance, codelist)
    else:
        yield place, "CD133", {"path": entry.path if entry else path, "expected": _expected(entry, place, error)}


def _special(entry: Field, error: Any) -> tuple[str, dict[str, Any]] | None:
    """The finding of an answer whose form has a rule of its own."""
    if entry.path == "citizenData.profile":
        return "CD135", {"url": profile.URL}
    if entry.path == "version":
        return "CD139", {"value": _short(error.instance)}
    is_tag = entry.path in _LANGUAGE_FIELDS and error.validator == "pattern"
    if is_tag or "propertyNames" in error.absolute_schema_path or entry.path == "citizenData.language":
        return "CD136", {"value": _short(error.instance)}
    return None


def _no_code(value: str | float, codelist: str) -> dict[str, Any]:
    codes = profile.load().codelists[codelist].codes
    names = {code.name: code.id for code in codes.values()}
    near = profile.nearest(str(value), codes) or names.get(profile.nearest(str(value), names) or "")
    return {"value": _short(value), "codelist": codelist, "near": near or "", "codes": ", ".join(codes)}


def _expected(entry: Field | None, place: Parts, error: Any) -> Phrase:
    """What should stand there, in words."""
    if entry is None:
        if error.validator == "enum":
            return Phrase("expected.one", {"names": ", ".join(error.validator_value)})
        return _expected_of_sdmx(error)
    if error.validator == "not":
        return Phrase("expected.not-withheld" if error.instance == WITHHELD else "expected.stage")
    in_list = entry.type in ("list", "codes", "strings") and isinstance(place[-1], int)
    key = f"expected.{entry.path}" if f"expected.{entry.path}" in profile.texts() else f"expected.{entry.type}"
    return Phrase(f"{key}.item" if in_list else key, {"example": entry.example})


def _expected_of_sdmx(error: Any) -> Phrase:
    """What should stand at a place that no field of the profile describes, in words."""
    value = str(error.validator_value)
    if error.validator == "type" and f"expected.json.{value}" in profile.texts():
        return Phrase(f"expected.json.{value}")
    if error.validator == "pattern" and "urn" in value:
        return Phrase("expected.urn")
    is_id = error.validator == "pattern" and value.startswith("^[A-Za-z]")
    return Phrase("expected.id" if is_id else "expected.sdmx")


# --- what a schema cannot say


def _periods(answers: Mapping[str, Any]) -> _Found:
    """Start and end are dates, in that order (domain field table, `collectionPeriod`, `referencePeriod`)."""
    for place, entry, value in _given(answers, "period"):
        if reason := _period_problem(value):
            yield place, "CD137", {"path": entry.path, "reason": reason}


def _period_problem(value: Any) -> str | None:
    if value == WITHHELD:
        return None
    if not isinstance(value, Mapping):
        return "period-kind"
    for name, absent, wrong in (
        ("start", "period-no-start", "period-start"),
        ("end", "period-no-end", "period-end"),
    ):
        if name not in value:
            return absent
        if to_date(value[name]) is None:
            return wrong
    start, end = to_date(value["start"]), to_date(value["end"])
    return "period-order" if start and end and start > end else None


def _reachable(answers: Mapping[str, Any]) -> _Found:
    """Somebody can be asked (Principle 7): by e-mail, or by a page or form."""
    contributors = answers.get("contributors")
    if isinstance(contributors, list) and not any(
        isinstance(who, Mapping) and (isinstance(who.get("email"), str) or _is_address(who.get("path")))
        for who in contributors
    ):
        yield ("contributors",), "CD138", {}


def _is_address(value: Any) -> bool:
    """An address that can be opened; the standard also takes a path, which leads to nobody."""
    return isinstance(value, str) and re.match(r"\s*(https?://|mailto:|tel:)[^\s/]", value) is not None


def _translations(answers: Mapping[str, Any]) -> _Found:
    """`title@fr` and the like end in a language tag (Data Package recipe "Language Support")."""
    for key in answers:
        name, at, tag = key.partition("@")
        if at and name in ("title", "description") and not is_language_tag(tag):
            yield (key,), "CD136", {"value": _short(tag)}


def _untold(answers: Mapping[str, Any]) -> _Found:
    """A text in several languages is there in the language that the package is said to be in."""
    own = answers.get("citizenData")
    language = own.get("language") if isinstance(own, Mapping) else None
    if not is_language_tag(language):
        return
    for place, entry, value in _given(answers, "text"):
        if isinstance(value, Mapping) and not _speaks(value, str(language)):
            yield (
                place,
                "CD144",
                {"path": entry.path, "language": language, "others": ", ".join(map(_short, value))},
            )


def _speaks(text: Mapping[str, Any], language: str) -> bool:
    """The text is there in the language, or in a variety of it: `es-CO` for `es`."""
    return any(tag.casefold().split("-")[0] == language.casefold().split("-")[0] for tag in text)


def _unknown(answers: Mapping[str, Any]) -> _Found:
    """Members of `citizenData` that the profile does not know; a mistyped name is an answer lost."""
    yield from _strangers(answers.get("citizenData"), ("citizenData",))


def _strangers(value: Any, parts: Parts) -> _Found:
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _strangers(part, (*parts, index))
    known = _children().get(_path(parts))
    if known is None or not isinstance(value, Mapping):
        return
    for key, part in value.items():
        name, at, tag = key.partition("@")
        if key in known:
            yield from _strangers(part, (*parts, key))
        elif not (at and name in known and is_language_tag(tag)):
            yield (*parts, key), "CD134", _no_name(key, parts, known)


def _no_name(key: str, parts: Parts, known: tuple[str, ...]) -> dict[str, Any]:
    return {"path": f"{_path(parts)}.{_short(key)}", "near": profile.nearest(key, known) or ""}


def _withheld(answers: Mapping[str, Any]) -> _Found:
    """What is withheld for safety, where it may be (Principle 8); elsewhere the schema refuses it."""
    for place, entry, value in _given(answers, _MAY_BE_WITHHELD):
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
        if WITHHELD not in list(parts):
            continue
        told = [*_beside(answers, place), *(value.values() if isinstance(value, Mapping) else ())]
        if all(is_missing(text) or text == WITHHELD for text in told):
            yield place, "CD141", {"path": entry.path}
        elif entry.type != "period":
            yield place, "CD133", {"path": entry.path, "expected": Phrase("expected.withheld-whole")}


def _beside(answers: Mapping[str, Any], place: Parts) -> list[Any]:
    """The translations that stand beside an answer: `name@fr`."""
    holder = value_at(answers, place[:-1])
    members = holder.items() if isinstance(holder, Mapping) else ()
    return [text for key, text in members if key.startswith(f"{place[-1]}@")]


# --- columns


def _columns(resource: Resource) -> Iterator[Finding]:
    """What columns say of disclosure and of SDMX, in the descriptor or in a schema file of its own."""
    given = resource.raw.get("schema")
    file, start = (given, "") if isinstance(given, str) else (DESCRIPTOR, f"{resource.pointer}/schema")
    found: dict[Parts, tuple[str, dict[str, Any]]] = {}
    schema = resource.schema or {}
    for error in () if _is_valid("tableSchema")(schema) else _validator("tableSchema").iter_errors(schema):
        if not is_missing(error.instance):
            for parts, code, params in _wrong(tuple(error.absolute_path), error):
                found.setdefault(parts, (code, params))
    for parts, code, params in _column_strangers(resource):
        found.setdefault(parts, (code, params))
    for parts, (code, params) in found.items():
        yield Finding(code, Where(file, start + pointer(parts), resource.name), params)


def _column_strangers(resource: Resource) -> _Found:
    known = tuple(_definitions()["column"]["properties"])
    fields = resource.schema.get("fields") if resource.schema else None
    for index, entry in enumerate(fields if isinstance(fields, list) else []):
        own = entry.get("citizenData") if isinstance(entry, Mapping) else None
        for key in own if isinstance(own, Mapping) else ():
            if key not in known:
                parts: Parts = ("fields", index, "citizenData")
                yield (*parts, key), "CD134", _no_name(key, parts, known)


# --- fields and places


@cache
def _fields() -> Mapping[str, Field]:
    return {path: entry for path, entry in profile.load().fields.items() if entry.tier != "tool"}


@cache
def _children() -> Mapping[str, tuple[str, ...]]:
    """The names of members by the path of their object, for all of `citizenData`."""
    found = {above: tuple(below) for above, below in members().items() if above}
    found |= {path: ("start", "end") for path, entry in _fields().items() if entry.type == "period"}
    return found | {"citizenData": (*found["citizenData"], "participation")}


def _given(answers: Mapping[str, Any], kind: str) -> _Given:
    """Each answer of a kind that is given, with its place and field."""
    for entry, names in _of_kind(kind):
        for place, value in _reach(answers, names, ()):
            yield place, entry, value


_MAY_BE_WITHHELD = "withhold"


@cache
def _of_kind(kind: str) -> tuple[tuple[Field, list[str]], ...]:
    """The fields of a type, or those that may be withheld, and the names on the way to them."""
    wanted = (
        entry
        for entry in _fields().values()
        if entry.type == kind or (kind == _MAY_BE_WITHHELD and entry.withhold)
    )
    return tuple((entry, entry.path.split(".")) for entry in wanted)


def _reach(value: Any, names: list[str], parts: Parts) -> Iterator[tuple[Parts, Any]]:
    if not names:
        yield parts, value
        return
    name, rest = names[0].removesuffix("[]"), names[1:]
    if not isinstance(value, Mapping) or name not in value:
        return
    below = value[name]
    if not names[0].endswith("[]"):
        yield from _reach(below, rest, (*parts, name))
    elif isinstance(below, list):
        for index, element in enumerate(below):
            yield from _reach(element, rest, (*parts, name, index))


def _answer_at(parts: Parts) -> tuple[Parts, Field | None]:
    """The answer that a place belongs to: the field, or the element of a list that is its own answer."""
    for length in range(len(parts), 0, -1):
        path = _path(parts[:length])
        entry = _fields().get(path) or _fields().get(path.removesuffix("[]"))
        if entry is not None:
            return parts[:length], entry
    return parts, None


def _path(parts: Parts) -> str:
    """`("citizenData", "initiators", 0, "kind")` as `citizenData.initiators[].kind`."""
    path = ""
    for part in parts:
        path += "[]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _order(parts: Parts) -> tuple[int, list[tuple[bool, Any]]]:
    """Places in the order of the fields, and indices by number."""
    _, entry = _answer_at(parts)
    paths = list(_fields())
    index = paths.index(entry.path) if entry else len(paths)
    return index, [(isinstance(part, str), part) for part in parts]


def _twice(values: list[Any]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if isinstance(value, str):
            if value in seen:
                return value
            seen.add(value)
    return None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
