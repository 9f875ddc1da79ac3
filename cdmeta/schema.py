"""The profile's JSON Schema (draft-07), generated from its fields and code lists.

The committed file is written anew with `python -m cdmeta.schema`. It says only what is ours, and refers to the
Data Package standard by its URL. What a schema cannot say (that a start comes before its end, that somebody can be
reached, which names are mistyped) is in `cdmeta.checks.descriptor`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cdmeta import profile
from cdmeta.checks.consent import ASKED
from cdmeta.profile import Codelist, Field
from cdmeta.text import LANGUAGE_TAG

BASE = "https://datapackage.org/profiles/2.0/datapackage.json"
COMMAND = "python -m cdmeta.schema"
"""What writes the committed file anew."""

Schema = dict[str, Any]

_TYPES: Mapping[str, Schema] = {
    "text": {"$ref": "#/definitions/text"},
    "string": {"type": "string", "pattern": r"\S"},
    "date": {"$ref": "#/definitions/date"},
    "period": {"$ref": "#/definitions/period"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
    "number": {"type": "number", "minimum": 0},
    "percent": {"type": "number", "minimum": 0, "maximum": 100},
    "uri": {"type": "string", "pattern": r"^\S+$"},
}
_AS_JSON = ("codes", "strings", "list", "object", "period", "boolean", "integer", "number", "percent")
_PATTERNS: Mapping[str, str] = {
    "name": r"^[a-z0-9][a-z0-9._-]*$",
    "version": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$",
    "contributors[].email": r"^[^@\s]+@[^@\s]+$",
    "citizenData.language": f"^{LANGUAGE_TAG}$",
    "citizenData.frequency": "^[A-Z0-9_]+$",
}
_ITEM_PATTERNS: Mapping[str, str] = {"citizenData.languages": f"^{LANGUAGE_TAG}$"}
_ALWAYS_DECIDED = tuple(
    f"citizenData.participation.{stage}"
    for stage in ("designObjectives", "designMethods", "designAccessUse", "collection")
)
"""Stages that no data come about without, so `_Z` (did not take place) is no level of theirs."""
_STRING_LISTS_OF_THE_BASE = ("contributors[].roles",)
_COLUMN = "resources[].schema.fields[].citizenData"

_CIVIC_TYPES = ("CIVIC_ACTION", "CIVIC_DRIVEN", "JOINT")
_OTHER_TYPES = ("NSO_DRIVEN", "OTHER_DRIVEN")
_ORGANISATIONS = ("CSO_COMMUNITY", "CSO_LARGE")
_PEOPLE = ("CITIZENS", "COMMUNITY", "INDIGENOUS_BODY")
_STATE = ("NSO", "STATE_AGENCY")
_LAWS = ("STAT_LAW", "LEGAL_OBLIGATION", "PUBLIC_INTEREST")
_PERSONAL = ("CONTRIBUTORS", "ORDINARY", "SENSITIVE", "_U")


def json_schema() -> Schema:
    """The JSON Schema of the installed profile, as plain values in a fixed order."""
    fields = [entry for entry in profile.load().fields.values() if entry.tier != "tool"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": profile.URL,
        "title": f"Citizen data package {profile.VERSION} ({profile.STATUS})",
        "description": "A data package that tells how citizens made the data, and on what basis.",
        "allOf": [{"$ref": BASE}, {"$ref": "#/definitions/package"}],
        "definitions": {
            "package": _object(fields, "") | {"required": [*_required(fields, ""), "citizenData"]},
            "citizenData": _object(fields, "citizenData") | {"allOf": _conditions()},
            **_types(fields),
            **{codelist.id: _codelist(codelist) for codelist in profile.load().codelists.values()},
        },
    }


def render() -> bytes:
    """The bytes of the committed file."""
    return f"{json.dumps(json_schema(), ensure_ascii=False, indent=2)}\n".encode()


def _object(fields: Iterable[Field], above: str) -> Schema:
    """The object whose members have paths right below `above`."""
    members = {entry.name: _property(entry, fields) for entry in _below(fields, above)}
    if not above:
        members["citizenData"] = {"$ref": "#/definitions/citizenData"}
        members["sdmx"] = {"$ref": "#/definitions/sdmx"}
        members["resources"] = {"items": {"$ref": "#/definitions/resource"}}
    elif above == "citizenData":
        level = [entry for entry in fields if entry.path.startswith("citizenData.participation.")]
        members["participation"] = {
            "title": "Participation",
            "description": "The level of participation in each stage.",
        } | _object(level, "citizenData.participation")
    result: Schema = {"type": "object", "properties": members}
    if required := _required(fields, above):
        result["required"] = required
    return result


def _below(fields: Iterable[Field], above: str) -> list[Field]:
    start = f"{above}." if above else ""
    return [
        entry for entry in fields if entry.path.startswith(start) and "." not in entry.path.removeprefix(start)
    ]


def _required(fields: Iterable[Field], above: str) -> list[str]:
    """What has to be there wherever the object is: core fields; in what is asked for at times, its parts too."""
    parts = above.endswith("[]") or "." in above
    tiers = ("core", "conditional") if parts else ("core",)
    names = [entry.name for entry in _below(fields, above) if entry.tier in tiers]
    return [*names, "participation"] if above == "citizenData" else names


def _property(entry: Field, fields: Iterable[Field]) -> Schema:
    about = {"title": entry.title, "description": entry.description, "examples": [example(entry)]}
    if entry.path == "citizenData.profile":
        return about | {"const": profile.URL}
    values = _values(entry, fields)
    return about | (values if entry.withhold else _told(entry, values))


def _told(entry: Field, values: Schema) -> Schema:
    """What a field takes that must not be withheld."""
    if entry.type == "text":
        return values | {"allOf": [*values["allOf"], {"$ref": "#/definitions/told"}]}
    if entry.type in ("string", "uri"):
        return values | {"not": {"const": profile.WITHHELD}}
    if entry.type == "strings":
        return values | {"items": values["items"] | {"not": {"const": profile.WITHHELD}}}
    return values


def _values(entry: Field, fields: Iterable[Field]) -> Schema:
    """What a field takes; a reference stands in `allOf`, because draft-07 ignores what stands beside one."""
    if entry.type == "code":
        code: Schema = {"allOf": [{"$ref": f"#/definitions/{entry.codelist}"}]}
        return code | {"not": {"const": "_Z"}} if entry.path in _ALWAYS_DECIDED else code
    if entry.type == "codes":
        return _list({"$ref": f"#/definitions/{entry.codelist}"}) | {"uniqueItems": True}
    if entry.type == "strings":
        item: Schema = {"type": "string", "minLength": 1}
        if entry.path in _ITEM_PATTERNS:
            item["pattern"] = _ITEM_PATTERNS[entry.path]
        return _list(item) | ({} if entry.path in _STRING_LISTS_OF_THE_BASE else {"uniqueItems": True})
    if entry.type == "list":
        return _list(_object(fields, f"{entry.path}[]"))
    if entry.type == "object":
        return _object(fields, entry.path)
    if entry.path in _PATTERNS:
        return {"type": "string", "pattern": _PATTERNS[entry.path]}
    schema = _TYPES[entry.type]
    if entry.type == "date" and entry.withhold:
        return {"anyOf": [schema, {"const": profile.WITHHELD}]}
    return {"allOf": [schema]} if "$ref" in schema else dict(schema)


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def example(entry: Field) -> Any:
    """The example of a field as a value: JSON where its type is no string."""
    if entry.type in _AS_JSON:
        return json.loads(entry.example)
    return entry.example


def _codelist(codelist: Codelist) -> Schema:
    names = " ".join(f"{code.id}: {code.name}." for code in codelist.codes.values())
    return {
        "$comment": codelist.id,
        "title": codelist.name,
        "description": f"{codelist.description} {names}",
        "enum": list(codelist.codes),
    }


_TEXT: Schema = {
    "title": "Text",
    "description": "A text in the language of the description, or an object of language tag and text.",
    "type": ["string", "object"],
    "pattern": r"\S",
    "minProperties": 1,
    "propertyNames": {"pattern": f"^{LANGUAGE_TAG}$"},
    "additionalProperties": {"type": "string"},
}


def _types(fields: Iterable[Field]) -> Schema:
    """Definitions that no field or code list gives."""
    reference: Schema = {"type": "string", "pattern": r"^(urn:sdmx:\S+|[^\s:]+:[^\s:()]+\([0-9.]+\)\S*)$"}
    statuses: Schema = {"title": "What texts for a missing figure say", "type": "object"}
    statuses["additionalProperties"] = {"type": "string", "pattern": r"\S"}
    component: Schema = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"}
    column = {"citizenData": {"$ref": "#/definitions/column"}, "sdmx": {"$ref": "#/definitions/component"}}
    return {
        "text": _TEXT,
        "told": {
            "title": f"Not {profile.WITHHELD}",
            "not": {"const": profile.WITHHELD},
            "additionalProperties": {"not": {"const": profile.WITHHELD}},
        },
        "date": {"title": "Day", "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "period": {
            "title": "Period",
            "description": f"First and last day, or {profile.WITHHELD}.",
            "type": ["object", "string"],
            "pattern": f"^{profile.WITHHELD}$",
            "required": ["start", "end"],
            "properties": {"start": {"$ref": "#/definitions/date"}, "end": {"$ref": "#/definitions/date"}},
        },
        "sdmx": _package_sdmx(statuses),
        "resource": {
            "properties": {
                "schema": {"$ref": "#/definitions/tableSchema"},
                "sdmx": {"type": "object", "properties": {"target": {"$ref": "#/definitions/target"}}},
            }
        },
        "target": _target(component, reference),
        "tableSchema": {"properties": {"fields": {"items": {"properties": column}}}},
        "column": {"title": "What a column can tell about people"} | _object(fields, _COLUMN),
        "component": _component(component, reference, statuses),
    }


def _package_sdmx(statuses: Schema) -> Schema:
    return {
        "title": "SDMX",
        "description": "Which SDMX agency maintains what is made from this, and what holds for all tables.",
        "type": "object",
        "properties": {
            "agency": {
                "title": "Agency",
                "type": "string",
                "pattern": r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*$",
            },
            "attachment": {"title": "What attributes belong to", "enum": ["observation", "auto"]},
            "statuses": statuses,
            "indicators": {
                "title": "Figures that are computed from records",
                "description": (
                    "One object for each table of records: name, resource, dimensions, time, by and measures; "
                    "how each is written is told by the guide on converting."
                ),
            },
        },
    }


def _component(component: Schema, reference: Schema, statuses: Schema) -> Schema:
    """The part of a column in SDMX."""
    return {
        "title": "The part of a column in SDMX",
        "type": "object",
        "properties": {
            "role": {"title": "Role", "enum": ["dimension", "time", "measure", "attribute"]},
            "id": {"title": "Id of the component"} | component,
            "concept": {"title": "Its concept, as URN or AGENCY:SCHEME(1.0).CONCEPT"} | reference,
            "codelist": {"title": "Its code list, as URN or AGENCY:LIST(1.0)"} | reference,
            "unit": {"title": "Unit of measure: a code, or its code and name", "type": ["string", "object"]},
            "unitMult": {
                "title": "Power of ten by which the figures are multiplied",
                "type": "integer",
                "minimum": -15,
                "maximum": 15,
            },
            "decimals": {
                "title": "Digits behind the decimal point",
                "type": "integer",
                "minimum": 0,
                "maximum": 9,
            },
            "statuses": statuses,
            "smallBase": {
                "title": "Below how many answers, counted in which column, a figure is of low reliability",
                "type": "object",
                "required": ["field", "below"],
                "properties": {"field": {"type": "string"}, "below": {"type": "integer", "minimum": 1}},
            },
            "attachment": {
                "title": "What an attribute belongs to, or the dimensions that it does",
                "anyOf": [
                    {"enum": ["observation", "series", "dataset", "auto"]},
                    {"type": "array", "minItems": 1, "items": {"type": "string"}},
                ],
            },
        },
    }


def _target(component: Schema, reference: Schema) -> Schema:
    """How a table becomes data of somebody else's dataflow."""
    texts = {
        "field": "Name of a column, or id of a component that cdmeta makes",
        "value": "The value, where it is always the same",
        "format": "How dates are written, in the codes of strptime",
    }
    codes = {
        "title": "What values become (~ leaves their rows out), or the name of a resource with source and target",
        "type": ["string", "object"],
        "additionalProperties": {"type": "string"},
    }
    part: Schema = {name: {"title": title, "type": "string"} for name, title in texts.items()}
    part |= {"codes": codes, "frequency": {"title": "Time periods that dates become", "enum": list("ASQMWD")}}
    properties: Schema = {
        "dataflow": {"title": "The dataflow, as URN or AGENCY:ID(1.0)"} | reference,
        "components": {
            "title": "Where its components have their values from, by their ids",
            "type": "object",
            "propertyNames": component,
            "additionalProperties": {"type": "object", "properties": part},
        },
    }
    name = {"title": "Which of several mappings this is", "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}
    return {
        "title": "Somebody else's dataflow that the table becomes data of; a list of them for a table in parts",
        "type": ["object", "array"],
        "properties": properties,
        "items": {"type": "object", "required": ["part"], "properties": {"part": name} | properties},
    }


def _conditions() -> list[Schema]:
    """When a conditional field is asked for: `if` and `then`, one a field, in the order of the fields."""
    asked = {
        "partners": _one_of("initiativeType", ("CIVIC_DRIVEN", *_OTHER_TYPES)),
        "directInvolvement": _any(_spoken_for(_ORGANISATIONS)),
        "representation": _any(_spoken_for(("CSO_LARGE",))),
        "regularOfficial": _any([_has_kind("initiators", _STATE), _has_kind("partners", _STATE)]),
        "mainPurposeResponse": _any([_has_kind("initiators", _STATE), _has_kind("partners", _STATE)]),
        "consentInformed": _contains("consentBasis", ASKED),
        "consentWithdrawal": _contains("consentBasis", ASKED),
        "minors": _one_of("personalDataCollected", _PERSONAL),
        "jurisdiction": _one_of("personalDataCollected", _PERSONAL),
        "legalBasisNote": _contains("consentBasis", _LAWS),
    }
    return [{"if": condition, "then": {"required": [name]}} for name, condition in asked.items()]


def _any(schemas: Iterable[Schema]) -> Schema:
    return {"anyOf": list(schemas)}


def _one_of(name: str, codes: Iterable[str]) -> Schema:
    return {"required": [name], "properties": {name: {"enum": list(codes)}}}


def _contains(name: str, codes: Iterable[str]) -> Schema:
    return {
        "required": [name],
        "properties": {name: {"type": "array", "contains": {"enum": list(codes)}}},
    }


def _has_kind(actors: str, kinds: Iterable[str]) -> Schema:
    actor = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(kinds)}}}
    return {"required": [actors], "properties": {actors: {"type": "array", "contains": actor}}}


def _spoken_for(kinds: Iterable[str]) -> Iterable[Schema]:
    """The civic side (¶30) has one of the kinds of organisation, and nobody but organisations."""
    for actors, types in (("initiators", _CIVIC_TYPES), ("partners", _OTHER_TYPES)):
        yield {
            "allOf": [
                _one_of("initiativeType", types),
                _has_kind(actors, kinds),
                {"not": _has_kind(actors, _PEOPLE)},
            ]
        }


def main() -> None:
    """Write the committed file of the profile's version."""
    path = Path(str(profile.folder().joinpath("datapackage.json")))
    path.write_bytes(render())


if __name__ == "__main__":
    main()
