"""SDMX-JSON 1.0, 2.0 and 2.1 data messages, read whole; their observations are spread like those of SDMX-ML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from cdmeta.formats.data_sets import ACTIONS, DataSet, listed
from cdmeta.formats.messages import refusal
from cdmeta.formats.sdmx_json_read import load
from cdmeta.formats.sdmx_ml_data_read import DimensionsOf
from cdmeta.tables.engine import Session
from cdmeta.urn import Ref

_Object = Mapping[str, Any]
LEVELS = ("dataSet", "series", "observation")
"""Where components stand."""
_NAMED = ("Dataflow", "DataStructure", "ProvisionAgreement")
"""What a data set may name, first what structures are found by."""


class _Component:
    """A component of a structure: its id, and its values by their places, where it lists them."""

    def __init__(self, entry: _Object) -> None:
        if not isinstance(id_ := entry.get("id"), str) or not id_:
            raise refusal("json.data", name="id")
        self.id = id_
        given = entry.get("values")
        self._values = [_plain(value) for value in given] if isinstance(given, list) else []

    def set(self, row: dict[str, str | None], value: Any) -> None:
        """Put a value, or the one at a place, into a row."""
        if isinstance(value, int) and not isinstance(value, bool) and self._values:
            value = self.at(value)
        if value is None:
            return
        if isinstance(value, list | Mapping):
            plain = value if isinstance(value, list) else [value]
            listed_values = [entry if isinstance(entry, Mapping) else _text(entry) for entry in plain]
            row[listed(self.id)] = json.dumps(listed_values, ensure_ascii=False)
        else:
            row[self.id] = _text(value)

    def at(self, place: int) -> Any:
        """The value at a place."""
        if not 0 <= place < len(self._values):
            raise refusal("json.value", name=self.id, number=place + 1, count=len(self._values))
        return self._values[place]


def _plain(value: Any) -> Any:
    """A listed value: its id, or what it is where it has none."""
    if not isinstance(value, Mapping):
        return value
    for key in ("id", "value", "ids", "values", "name"):
        if value.get(key) is not None:
            return value[key]
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def data_sets(session: Session, stream: BinaryIO, dimensions: DimensionsOf) -> list[DataSet]:
    """The data sets of a message, their rows in the scratch folder of the session.

    Raises:
        ConversionError: it is no JSON or no such message.
    """
    message = load(stream)
    structures = structures_of(message)
    found: list[DataSet] = []
    number = 0
    try:
        for entry in message.get("data", message)["dataSets"]:
            place = entry.get("structure", 0) if isinstance(entry, Mapping) else None
            if not isinstance(place, int) or not 0 <= place < len(structures):
                raise refusal("json.data", name="structure")
            ref = _ref(entry) or _ref(structures[place])
            action = ACTIONS.get(str(entry.get("action")), "I")
            found.append(DataSet(session, len(found), ref, action, dimensions(ref)))
            number = _read(found[-1], _Structure(structures[place]), entry, number)
    finally:
        for data_set in found:
            data_set.close()
    return found


def structures_of(message: _Object) -> list[_Object]:
    """What a message of data says of its structures.

    Raises:
        ConversionError: it is no message of data.
    """
    data = message.get("data", message)
    if not isinstance(data, Mapping) or not isinstance(data.get("dataSets"), list):
        raise refusal("kind.data", name=", ".join(sorted(data)) if isinstance(data, Mapping) else "{}")
    given = data.get("structures", data.get("structure", message.get("structure")))
    return [entry for entry in (given if isinstance(given, list) else [given]) if isinstance(entry, Mapping)]


def linked(entry: _Object) -> dict[str, Ref]:
    """The artefacts that an object links to by their URNs, by their kind."""
    links = entry.get("links")
    urns = [link.get("urn") for link in links if isinstance(link, Mapping)] if isinstance(links, list) else []
    return {ref.kind: ref for ref in map(Ref.read, urns) if ref is not None}


def _ref(entry: _Object) -> Ref | None:
    refs = linked(entry)
    return next((refs[kind] for kind in _NAMED if kind in refs), None)


class _Structure:
    """The components of a structure by level."""

    def __init__(self, entry: _Object) -> None:
        self.dimensions = {level: _components(entry, "dimensions", level) for level in LEVELS}
        self.attributes = {level: _components(entry, "attributes", level) for level in (*LEVELS, "dimensionGroup")}
        measures = _components(entry, "measures", "observation")
        self.measures = measures or [_Component({"id": "OBS_VALUE"})]


def _components(entry: _Object, part: str, level: str) -> list[_Component]:
    held = entry.get(part)
    found = held.get(level) if isinstance(held, Mapping) else None
    return [_Component(component) for component in found or [] if isinstance(component, Mapping)]


def _read(data_set: DataSet, structure: _Structure, entry: _Object, number: int) -> int:
    fixed: dict[str, str | None] = {}
    for dimension in structure.dimensions["dataSet"]:
        dimension.set(fixed, 0)
    told: dict[str, str | None] = {}
    _set(structure.attributes["dataSet"], entry.get("attributes"), told)
    data_set.attributes |= {name: value for name, value in told.items() if value is not None}
    for key, values in _members(entry, "dimensionGroupAttributes"):
        _group(data_set, structure, key, values)
    for key, series in _members(entry, "series"):
        row = fixed | _keyed(structure.dimensions["series"], key)
        if isinstance(series, Mapping):
            _set(structure.attributes["series"], series.get("attributes"), row)
            number = _observations(data_set, structure, series, row, number)
    return _observations(data_set, structure, entry, fixed, number)


def _members(entry: _Object, name: str) -> Iterator[tuple[str, Any]]:
    found = entry.get(name)
    if isinstance(found, Mapping):
        yield from found.items()


def _observations(
    data_set: DataSet, structure: _Structure, entry: _Object, row: Mapping[str, str | None], number: int
) -> int:
    components = [*structure.measures, *structure.attributes["observation"]]
    for key, values in _members(entry, "observations"):
        number += 1
        made = {**row, **_keyed(structure.dimensions["observation"], key)}
        _set(components, values, made)
        data_set.observations.add(number, made)
    return number


def _keyed(dimensions: Sequence[_Component], key: str) -> dict[str, str | None]:
    places = key.split(":") if key else []
    row: dict[str, str | None] = {}
    for dimension, place in zip(dimensions, places, strict=False):
        if place:
            if not place.isdecimal() or len(place) > 9:
                raise refusal("json.data", name=dimension.id)
            row[dimension.id] = _text(dimension.at(int(place)))
    return row


def _set(components: Sequence[_Component], values: Any, row: dict[str, str | None]) -> None:
    if isinstance(values, list):
        for component, value in zip(components, values, strict=False):
            component.set(row, value)


def _group(data_set: DataSet, structure: _Structure, key: str, values: Any) -> None:
    """Attributes of a partial key, whose places are those of all dimensions, level by level."""
    dimensions = [dimension for level in LEVELS for dimension in structure.dimensions[level]]
    row = _keyed(dimensions, key)
    partial = frozenset(row)
    _set(structure.attributes["dimensionGroup"], values, row)
    data_set.group({name: value for name, value in row.items() if value is not None}, partial, "")
