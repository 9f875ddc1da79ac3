"""SDMX-CSV data messages, 1.0 and 2.0 (SDMX-CSV field guides 1.0 and 2.0, "Data message").

Values of the data set, of groups and of series are repeated in each row, as the guides say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Attribute, DataStructure, Dimension, Measure, Structure
from cdmeta.sdmx.labels import Labels, labels
from cdmeta.sdmx.observations import Cell, Observations, refuse_several
from cdmeta.sdmx.values import ITEM, each
from cdmeta.tables.engine import Session, literal
from cdmeta.tables.writing import write_csv, written
from cdmeta.text import Text

ACTION = "I"
"""Information: what the data are, with no instruction to a data base."""

Version = Literal["1.0", "2.0"]
Shown = Literal["id", "name", "both"]
Keys = Literal["none", "obs", "series", "both"]
SEPARATOR = ";"
"""Between several values in a field; the header of the first column tells it."""
_VALUE = "OBS_VALUE"
_Component = Dimension | Measure | Attribute


def data(
    session: Session,
    observations: Observations,
    path: Path,
    *,
    version: Version = "2.0",
    shown: Shown = "id",
    keys: Keys = "none",
    names: Iterable[Structure] = (),
    languages: Iterable[str] = (),
    compress: bool = False,
) -> None:
    """Write a data message.

    The columns are, in 2.0, STRUCTURE, STRUCTURE_ID and ACTION, in 1.0 DATAFLOW; then the keys, then the
    components in the order of the data structure. The format has no header, so it can hold neither a message id
    nor that it is a test.

    Args:
        session: the session of the observations, which may write to the folder of `path`.
        observations: observations without findings.
        path: the file.
        version: of SDMX-CSV.
        shown: the parameter `labels`: ids alone; names in columns of their own (2.0); or both in one cell,
            `ID: Name`. What has no name is shown by its id.
        keys: which columns of keys there are (2.0).
        names: concept schemes and code lists with the names.
        languages: the language of the names, and others if it is missing.
        compress: True for a zip with the message as its one entry.

    Raises:
        ConversionError: the rows cannot be read, raised when the session ends; or version 1.0 cannot hold it.
    """
    if version == "1.0":
        _refuse_for_first_version(observations.structure, shown, keys)
        refuse_several(observations, "SDMX-CSV 1.0")
    told = _Told(labels(names), tuple(languages), shown)
    first, further = _first(observations, version, told), _keys(observations, keys)
    columns = [*first, *further, *_components(session, observations, version, told)]
    selected = ", ".join(f'{sql} AS "{place}"' for place, (_, sql) in enumerate(columns))
    query = f"SELECT {selected} FROM {observations.in_order}"  # noqa: S608  # ids are SDMX ids, texts literals
    with written(session, path, compress=compress) as target:
        write_csv(session, query, target, [title for title, _ in columns])


class _Told:
    """How names are told."""

    def __init__(self, found: Labels, languages: tuple[str, ...], shown: Shown) -> None:
        self.found, self.languages, self.shown = found, languages, shown

    def best(self, text: Text) -> str:
        return text.best(*self.languages)

    def both(self, id_: str, text: Text) -> str:
        return f"{id_}: {self.best(text)}" if text and self.shown == "both" else id_


def _refuse_for_first_version(structure: DataStructure, shown: Shown, keys: Keys) -> None:
    if shown == "name" or keys != "none":
        raise ConversionError(Phrase("error.data.option"))
    if len(structure.measures) > 1:
        told = ", ".join(part.id for part in structure.measures)
        raise ConversionError(Phrase("error.data.measures", {"names": told, "format": "SDMX-CSV 1.0"}))


def _first(observations: Observations, version: Version, told: _Told) -> Iterator[tuple[str, str]]:
    """Titles and SQL of the columns before the components."""
    flow = observations.dataflow
    named = literal(told.both(flow.ref.short, flow.name))
    if version == "1.0":
        yield "DATAFLOW", named
        return
    some = any(cell.several for cell in observations.cells)
    yield f"STRUCTURE[{SEPARATOR}]" if some else "STRUCTURE", literal("dataflow")
    yield "STRUCTURE_ID", named
    if told.shown == "name":
        yield "STRUCTURE_NAME", literal(told.best(flow.name))
    yield "ACTION", literal(ACTION)


def _keys(observations: Observations, keys: Keys) -> Iterator[tuple[str, str]]:
    by_id = {cell.id: cell.sql for cell in observations.cells}
    series = [by_id[part.id] for part in observations.structure.key]
    time = [by_id[part.id] for part in observations.structure.dimensions if part.is_time]
    for title, wanted, parts in (
        ("SERIES_KEY", ("series", "both"), series),
        ("OBS_KEY", ("obs", "both"), [*series, *time]),
    ):
        if keys in wanted:
            yield title, " || '.' || ".join(parts) or "''"


def _components(
    session: Session, observations: Observations, version: Version, told: _Told
) -> Iterator[tuple[str, str]]:
    parts = {part.id: part for part in observations.structure.components}
    for place, cell in enumerate(observations.cells):
        part = parts[cell.id]
        names = told.found.values(part.representation) if told.shown != "id" else {}
        value = ITEM if cell.several else cell.sql
        name = _name_of(session, place, value, {id_: told.best(text) for id_, text in names.items() if text})
        yield _title(part, version, told, several=cell.several), _together(cell, _shown(value, name, told))
        if told.shown == "name":
            known = cell.several and name != _NO_NAME
            named = _together(cell, f"coalesce({name}, '')") if known else name
            yield told.best(told.found.component(part)) or part.id, named


def _together(cell: Cell, value: str) -> str:
    """SQL of a field: a value, or all of them, those that need it between quotation marks."""
    if not cell.several:
        return value
    form = f"""regexp_matches({ITEM}, '["{SEPARATOR}]|^$')"""
    quoted = f"""concat('"', replace({ITEM}, '"', '""'), '"')"""
    each_ = f"list_transform({each(cell.sql, value)}, lambda {ITEM}: if({form}, {quoted}, {ITEM}))"
    return f"array_to_string({each_}, '{SEPARATOR}')"


def _title(part: _Component, version: Version, told: _Told, *, several: bool) -> str:
    if version == "1.0" and isinstance(part, Measure):
        return _VALUE
    return told.both(f"{part.id}[]" if several else part.id, told.found.component(part))


def _shown(sql: str, name: str, told: _Told) -> str:
    return f"{sql} || coalesce(': ' || {name}, '')" if told.shown == "both" and name != _NO_NAME else sql


_NO_NAME = "NULL::VARCHAR"


def _name_of(session: Session, place: int, sql: str, names: Mapping[str, str]) -> str:
    """SQL of the name of a code; NULL where there is none. It is looked up in a dictionary, not by a join."""
    if not names:
        return _NO_NAME
    kind = f"named{place}"
    do = session.connection.execute
    do(f"DROP TYPE IF EXISTS {kind}")
    do(f"CREATE TEMP TYPE {kind} AS ENUM ({', '.join(map(literal, names))})")
    listed = ", ".join(map(literal, names.values()))
    return f"[{listed}][enum_code(try_cast({sql} AS {kind})) + 1]"
