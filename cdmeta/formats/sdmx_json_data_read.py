"""SDMX-JSON 1.0, 2.0 and 2.1 data messages as streams; their observations are spread like those of SDMX-ML."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from cdmeta.formats.data_sets import ACTIONS, DataSet, free_name, listed
from cdmeta.formats.json_stream import JsonStream
from cdmeta.formats.messages import refusal
from cdmeta.formats.sdmx_json_read import named
from cdmeta.formats.sdmx_ml_data_read import DimensionsOf
from cdmeta.tables.engine import Session
from cdmeta.urn import Ref

_Object = Mapping[str, Any]
LEVELS = ("dataSet", "series", "observation")
"""Where components stand."""
_NAMED = ("Dataflow", "DataStructure", "ProvisionAgreement")
"""What a data set may name, first what structures are found by."""
_STRUCTURES = ("structures", "structure")
"""What a message calls the structures of its data, in 2.0 and in 1.0."""
_HEADERS = ("meta", "header")


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
        value = [self._said(each) for each in value] if isinstance(value, list) else self._said(value)
        if value is None:
            return
        if isinstance(value, list | Mapping):
            plain = value if isinstance(value, list) else [value]
            listed_values = [entry if isinstance(entry, Mapping) else _text(entry) for entry in plain]
            row[listed(self.id)] = json.dumps(listed_values, ensure_ascii=False)
        else:
            row[self.id] = _text(value)

    def _said(self, value: Any) -> Any:
        """A value as it stands in the data: the one at its place, where the values are listed."""
        is_place = isinstance(value, int) and not isinstance(value, bool) and self._values
        return self.at(value) if is_place else value

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

    The message is gone through twice, because what its data mean may stand behind them.

    Raises:
        ConversionError: it is no JSON or no such message.
    """
    path = session.scratch / f"{free_name(session)}-message.json"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file)
    with path.open("rb") as file:
        structures = [_Structure(entry) for entry in described(file)[1]]
    found: list[DataSet] = []
    number = 0
    try:
        with path.open("rb") as file:
            for message in _data_sets(file):
                made = DataSet(session, len(found), None, "I", None)
                found.append(made)
                number = _read(made, structures, message, number)
                made.dimensions = dimensions(made.ref)
    finally:
        for data_set in found:
            data_set.close()
        path.unlink()
    return found


def described(stream: BinaryIO) -> tuple[_Object, list[_Object]]:
    """The header of a message, and what it tells of the structures of its data.

    In 1.0 and in 2.0 they stand in different places.

    Raises:
        ConversionError: it is no message of data.
    """
    told: dict[str, Any] = {}
    names: list[tuple[str, str]] = []
    for name, message, above in _members(stream):
        names.append((above, name))
        if name in (*_STRUCTURES, *_HEADERS):
            told.setdefault(name, message.value())
        elif name == "dataSets" and not told.keys().isdisjoint(_STRUCTURES):
            break
        else:
            message.skip()
    if all(name != "dataSets" for _, name in names):
        deepest = max(above for above, _ in names) if names else ""
        raise refusal(
            "kind.data", name=", ".join(sorted(name for above, name in names if above == deepest)) or "{}"
        )
    header, given = (next((told[name] for name in each if name in told), None) for each in (_HEADERS, _STRUCTURES))
    structures = [entry for entry in (given if isinstance(given, list) else [given]) if isinstance(entry, Mapping)]
    return (header if isinstance(header, Mapping) else {}), structures


def _members(stream: BinaryIO) -> Iterator[tuple[str, JsonStream, str]]:
    """The names in a message and in its data, each before its value, to be read, with what they are in."""
    message = JsonStream(stream)
    for name in named(message):
        if name == "data" and message.first() == "{":
            for member in message.members():
                yield member, message, name
        else:
            yield name, message, ""


def _data_sets(stream: BinaryIO) -> Iterator[JsonStream]:
    """The message before each of its data sets, which has to be read."""
    for name, message, _ in _members(stream):
        if name != "dataSets":
            message.skip()
            continue
        if message.first() != "[":
            raise refusal("kind.data", name=name)
        for _item in message.items():
            if message.first() != "{":
                raise refusal("json.data", name="structure")
            yield message


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
        self.ref = _ref(entry)
        self.dimensions = {level: _components(entry, "dimensions", level) for level in LEVELS}
        self.attributes = {level: _components(entry, "attributes", level) for level in (*LEVELS, "dimensionGroup")}
        measures = _components(entry, "measures", "observation")
        self.measures = measures or [_Component({"id": "OBS_VALUE"})]


def _components(entry: _Object, part: str, level: str) -> list[_Component]:
    held = entry.get(part)
    found = (held.get(level) if isinstance(held, Mapping) else None) or []
    # Data name components by their places, so none may be passed over.
    if not isinstance(found, list) or not all(isinstance(component, Mapping) for component in found):
        raise refusal("json.data", name=part)
    return [_Component(component) for component in found]


def _read(data_set: DataSet, structures: Sequence[_Structure], message: JsonStream, number: int) -> int:
    """Read a data set, which has to say before its values which structure it has, where that is not the first."""
    told: dict[str, Any] = {}
    used = None
    for name in message.members():
        if name in ("series", "observations", "dimensionGroupAttributes", "attributes"):
            used = _structure(structures, told.get("structure", 0))
            number = _part(data_set, used, name, message, number)
        elif name in ("structure", "links", "action"):
            told[name] = message.value()
        else:
            message.skip()
    structure = _structure(structures, told.get("structure", 0))
    if used not in (None, structure):
        raise refusal("json.data", name="structure")
    data_set.ref = _ref(told) or structure.ref
    data_set.action = ACTIONS.get(str(told.get("action")), "I")
    return number


def _structure(structures: Sequence[_Structure], place: Any) -> _Structure:
    if not isinstance(place, int) or not 0 <= place < len(structures):
        raise refusal("json.data", name="structure")
    return structures[place]


def _part(data_set: DataSet, structure: _Structure, name: str, message: JsonStream, number: int) -> int:
    """Read a part of a data set; how many observations there have been, from how many before."""
    fixed: dict[str, str | None] = {}
    for dimension in structure.dimensions["dataSet"]:
        dimension.set(fixed, 0)
    if name == "attributes":
        told: dict[str, str | None] = {}
        _set(structure.attributes["dataSet"], message.value(), told)
        data_set.attributes |= {id_: value for id_, value in told.items() if value is not None}
    elif name == "dimensionGroupAttributes":
        for key, values in message.pairs():
            _group(data_set, structure, key, values)
    elif name == "observations":
        return _observations(data_set, structure, message, fixed, number)
    else:
        return _series(data_set, structure, message, fixed, number)
    return number


def _series(
    data_set: DataSet, structure: _Structure, message: JsonStream, fixed: Mapping[str, str | None], number: int
) -> int:
    """Read series; attributes that stand behind the observations are those of a group, to be spread onto them."""
    for key in message.members(once=False):
        keyed = {**fixed, **_keyed(structure.dimensions["series"], key)}
        row, before = keyed, number
        for name in message.members():
            if name == "attributes":
                told: dict[str, str | None] = {}
                _set(structure.attributes["series"], message.value(), told)
                row = {**keyed, **told}
                if number > before:
                    made = {id_: value for id_, value in row.items() if value is not None}
                    data_set.group(made, frozenset(keyed), "")
            elif name == "observations":
                number = _observations(data_set, structure, message, row, number)
            else:
                message.skip()
    return number


def _observations(
    data_set: DataSet, structure: _Structure, message: JsonStream, row: Mapping[str, str | None], number: int
) -> int:
    components = [*structure.measures, *structure.attributes["observation"]]
    dimensions, add = structure.dimensions["observation"], data_set.observations.add
    for key, values in message.pairs():
        number += 1
        made = {**row, **_keyed(dimensions, key)}
        _set(components, values, made)
        add(number, made)
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
