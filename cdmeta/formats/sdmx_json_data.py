"""SDMX-JSON 2.0 and 2.1 data messages, flat and by series, with all languages of names.

Values of dimensions and of coded components are indexes of what the structures list; others stand as they are. The
structures come first, so that a reader who streams knows them. What is listed is what occurs, sorted by its id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from cdmeta.formats.sdmx_elements import sender_id
from cdmeta.formats.sdmx_json import SCHEMAS
from cdmeta.sdmx.artefacts import Attribute, Dimension, Header, Measure, Representation, Structure
from cdmeta.sdmx.labels import Labels, labels
from cdmeta.sdmx.levels import Layout, Level, dataset_values, dimensions_of, layout, level_rows, series_rows
from cdmeta.sdmx.observations import Observations, Piece, line
from cdmeta.sdmx.values import ITEM, each, some, values_in
from cdmeta.tables.engine import ROW, Session, literal
from cdmeta.tables.writing import piped, write_lines, zipped
from cdmeta.text import Text
from cdmeta.urn import is_code_id

Version = Literal["2.0", "2.1"]
_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_NUMERIC = frozenset(
    ("BigInteger", "Integer", "Long", "Short", "Decimal", "Float", "Double", "Count", "Numeric", "Incremental")
)
_MANY = 10_000
_Component = Dimension | Measure | Attribute
_Object = dict[str, Any]


@dataclass(frozen=True)
class _Message:
    """What all parts of a message need.

    Attributes:
        types: by the id of a component whose values are listed, the type of the engine that numbers them.
        version: of SDMX-JSON.
    """

    session: Session
    observations: Observations
    parted: Layout
    found: Labels
    types: Mapping[str, str]
    version: Version

    @property
    def parts(self) -> Mapping[str, _Component]:
        return {part.id: part for part in self.observations.structure.components}

    @property
    def several(self) -> frozenset[str]:
        """Ids of the components with several values at once."""
        return frozenset(cell.id for cell in self.observations.cells if cell.several)


def data(
    session: Session,
    observations: Observations,
    path: Path,
    header: Header,
    *,
    by_series: bool = True,
    names: Iterable[Structure] = (),
    version: Version = "2.0",
    compress: bool = False,
) -> None:
    """Write a data message.

    Attributes of the data set, of partial keys (`dimensionGroup`), of series and of observations stand at their
    level; those of a group are those of its dimensions.

    Args:
        session: the session of the observations, which may write to the folder of `path`.
        observations: observations without findings.
        path: the file.
        header: id, time and sender of the message.
        by_series: False for a flat list of observations.
        names: concept schemes and code lists with the names.
        version: of SDMX-JSON.
        compress: True for a zip with the message as its one entry.

    Raises:
        ConversionError: the rows cannot be read, raised when the session ends; or the data structure has no time
            dimension, and data by series were asked for.
        OSError: the file cannot be written.
    """
    parted = layout(observations, by_series=by_series, partial="level", groups=False, in_series=False)
    message = _Message(
        session, observations, parted, labels(names), _numbered(session, observations, version), version
    )
    with _opened(path, compress=compress) as stream:
        _put(stream, f'{{"meta":{_json(_meta(message, header, version))},"data":{{"structures":[')
        _structure(message, stream)
        _put(stream, '],"dataSets":[')
        _data_set(message, stream)
        _put(stream, "]}}\n")


@contextmanager
def _opened(path: Path, *, compress: bool) -> Iterator[BinaryIO]:
    if compress:
        with zipped(path) as stream:
            yield stream
        return
    with path.open("wb") as stream:
        yield stream


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _put(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode())


def _meta(message: _Message, header: Header, version: Version) -> _Object:
    languages = {tag.lower() for tag in message.observations.dataflow.name.languages}
    for part in message.parts.values():
        texts = [message.found.component(part), *message.found.values(part.representation).values()]
        languages.update(tag.lower() for text in texts for tag in text.languages)
    return {
        "schema": SCHEMAS[version].format(kind="data"),
        "id": header.id,
        "test": header.test,
        "prepared": header.prepared.isoformat(),
        **({"contentLanguages": sorted(languages)} if languages else {}),
        "sender": {"id": sender_id(header.sender)},
    }


def _numbered(session: Session, observations: Observations, version: Version) -> dict[str, str]:
    """Types of the engine, each the sorted values that occur of a dimension or of a coded component."""
    parts = {part.id: part for part in observations.structure.components}
    types: dict[str, str] = {}
    for place, cell in enumerate(observations.cells):
        part = parts[cell.id]
        if cell.several and version == "2.0":
            continue  # its schema refuses arrays of indexes: a whole number is taken for two kinds of numbers
        if isinstance(part, Dimension) or part.representation.codelist is not None:
            types[cell.id] = kind = f"listed{place}"
            session.connection.execute(f"DROP TYPE IF EXISTS {kind}")
            value = f"unnest({values_in(cell.sql)})" if cell.several else cell.sql
            found = f"SELECT {value} AS v FROM {observations.view}"  # noqa: S608  # built here
            values = f"SELECT DISTINCT v FROM ({found}) WHERE v IS NOT NULL ORDER BY v"  # noqa: S608  # likewise
            session.connection.execute(f"CREATE TEMP TYPE {kind} AS ENUM ({values})")
    return types


def _structure(message: _Message, stream: BinaryIO) -> None:
    """The object of the structure: dimensions, measures and attributes, with the values of those listed."""
    observations = message.observations
    flow = observations.dataflow
    links = [{"urn": flow.urn, "rel": "dataflow"}, {"urn": observations.structure.urn, "rel": "datastructure"}]
    _put(stream, f'{{{_json(_named(flow.name, flow.id))[1:-1]},"dataSets":[0],"links":{_json(links)}')
    for name, levels in (
        ("dimensions", _dimensions(message)),
        ("measures", {"observation": _of_kind(message, Measure)}),
        ("attributes", _attributes(message)),
    ):
        _put(stream, f',"{name}":{{')
        for number, (level, parts) in enumerate(levels.items()):
            _put(stream, f'{"," if number else ""}"{level}":[')
            for place, part in enumerate(parts):
                _put(stream, "," if place else "")
                _component(message, stream, part)
            _put(stream, "]")
        _put(stream, "}")
    _put(stream, "}")


def _dimensions(message: _Message) -> dict[str, Sequence[_Component]]:
    parts = message.parts
    series, observed = message.parted.series, _of_kind(message, Dimension)
    if not any(_some(message, part.id) for part in observed):
        observed = []  # a list of no values would be invalid, and without observations there is none
    key = [parts[cell.id] for cell in series.dimensions] if series and observed else []
    return {"dataSet": [], "series": key, "observation": observed}


def _some(message: _Message, id_: str) -> bool:
    """Tell whether there is any value of a component that is listed."""
    query = f"SELECT enum_first(NULL::{message.types[id_]})"  # a name made here
    return message.session.connection.execute(query).fetchall() != [(None,)]


def _of_kind(message: _Message, kind: type[_Component]) -> list[_Component]:
    """The components of each observation that are of a kind, in order."""
    parts = message.parts
    return [parts[cell.id] for cell in message.parted.observation if isinstance(parts[cell.id], kind)]


def _attributes(message: _Message) -> dict[str, Sequence[_Component]]:
    parts, parted = message.parts, message.parted
    grouped = [cell for level in parted.partial for cell in level.attributes]
    series = parted.series.attributes if parted.series else ()
    return {
        "dataSet": [parts[cell.id] for cell in parted.dataset.attributes],
        "dimensionGroup": [parts[cell.id] for cell in grouped],
        "series": [parts[cell.id] for cell in series],
        "observation": _of_kind(message, Attribute),
    }


def _component(message: _Message, stream: BinaryIO, part: _Component) -> None:
    written: _Object = {"id": part.id} | _named(message.found.component(part), part.id)
    if isinstance(part, Dimension):
        order = [entry.id for entry in message.observations.structure.key]
        written["keyPosition"] = order.index(part.id) if part.id in order else len(order)
        if part.is_time:
            written["roles"] = ["TIME_PERIOD"]
    elif isinstance(part, Attribute):
        written |= {"isMandatory": part.mandatory, "relationship": _relationship(message, part)}
    else:
        written["isMandatory"] = part.mandatory
    occurs: _Object = {}
    if part.id in message.several:
        most = part.representation.max_occurs
        occurs = {"minOccurs": 0, "maxOccurs": "unbounded" if most is None else most}
    if (kind := message.types.get(part.id)) is None:
        inside = occurs if message.version == "2.0" else {}
        written["format"] = {"dataType": part.representation.text_type, **inside}
    if message.version != "2.0":
        written |= occurs
    _put(stream, _json(written)[:-1])
    if kind is not None and _some(message, part.id):
        _put(stream, ',"values":[')
        _values(message, stream, kind, part.representation)
        _put(stream, "]")
    _put(stream, "}")


def _relationship(message: _Message, part: Attribute) -> _Object:
    dimensions = dimensions_of(part, message.observations)
    if dimensions is None:
        return {"observation": {}} | ({"measures": list(part.measures)} if part.measures else {})
    return {"dimensions": list(dimensions)} if dimensions else {"dataflow": {}}


def _values(message: _Message, stream: BinaryIO, kind: str, representation: Representation) -> None:
    names = message.found.values(representation)
    rows = message.session.connection.execute(f"SELECT unnest(enum_range(NULL::{kind}))")
    before = ""
    while chunk := rows.fetchmany(_MANY):
        _put(stream, before + ",".join(_json(_value(value, names.get(value))) for (value,) in chunk))
        before = ","


def _value(value: str, name: Text | None) -> _Object:
    return {"id": value} | _named(name or Text(), value) if is_code_id(value) else {"value": value}


def _named(name: Text, id_: str) -> _Object:
    """`name` and `names`; where there is no name, the id is it, because the schema asks for one."""
    return {"name": str(name), "names": name.as_dict()} if name else {"name": id_}


def _data_set(message: _Message, stream: BinaryIO) -> None:
    observations, parted = message.observations, message.parted
    links = _json([{"urn": observations.dataflow.urn, "rel": "dataflow"}])
    _put(stream, f'{{"structure":0,"links":{links},"action":"Information"')
    if parted.dataset.attributes:
        _put(stream, f',"attributes":{_of_data_set(message)}')
    if parted.partial:
        _put(stream, ',"dimensionGroupAttributes":{')
        rows = " UNION ALL ".join(
            f"({level_rows(observations, level, _group(message, level))})" for level in parted.partial
        )
        _lines(message, stream, f"SELECT if(row_number() OVER () = 1, '', ',') || line FROM ({rows})")  # noqa: S608  # built here
        _put(stream, "}")
    _put(stream, ',"observations":{' if parted.series is None else ',"series":{')
    _lines(message, stream, _flat(message) if parted.series is None else _by_series(message, parted.series))
    _put(stream, "}}")


def _lines(message: _Message, stream: BinaryIO, query: str) -> None:
    stream.flush()
    with piped(message.session, stream) as pipe:
        write_lines(message.session, query, pipe, "\n")


def _of_data_set(message: _Message) -> str:
    """The values of the attributes of the data set, in order."""
    found = dataset_values(message.session, message.observations, message.parted.dataset)
    parts = message.parts
    said = [
        f"({_written(message, parts[cell.id], literal(found[cell.id]))})" if cell.id in found else "'null'"
        for cell in message.parted.dataset.attributes
    ]
    ((text,),) = message.session.connection.execute(f"SELECT {_array(said)}").fetchall()  # literals
    return str(text)


def _flat(message: _Message) -> str:
    rows = message.observations
    first = f"if({ROW} = (SELECT min({ROW}) FROM {rows.view}), '', ',')"  # noqa: S608  # a name made here
    return f"SELECT {first} || {_observation(message)} FROM {rows.in_order}"  # noqa: S608  # likewise


def _by_series(message: _Message, series: Level) -> str:
    key = _key(_index(message, cell.id, f"d{place}") for place, cell in enumerate(series.dimensions))
    parts = message.parts
    said = [_written(message, parts[cell.id], f"a{place}") for place, cell in enumerate(series.attributes)]
    # They are there even where all are null: sdmx-json-parser would take what follows for them.
    attributes = f"'\"attributes\":' || {_array(said)} || ','" if said else "''"
    rows = series_rows(
        message.observations,
        series,
        {
            "opening": f"{key} || ':{{' || {attributes} || '\"observations\":{{'",
            "observation": _observation(message),
            "end": "'}}'",
        },
    )
    follows = "step = 1 AND lag(step) OVER () = 1 OR step = 0 AND lag(step) OVER () = 2"
    return f"SELECT if({follows}, ',' || line, line) FROM ({rows})"  # noqa: S608  # built here


def _observation(message: _Message) -> str:
    """SQL of a member of `observations`."""
    parts = message.parts
    dimensions = [cell for cell in message.parted.observation if isinstance(parts[cell.id], Dimension)]
    said = [cell for cell in message.parted.observation if cell not in dimensions]
    pieces = [Piece('"')]
    for number, cell in enumerate(dimensions):
        pieces += [Piece(":" if number else ""), Piece(sql=_index(message, cell.id, cell.sql))]
    pieces.append(Piece('":['))
    for number, cell in enumerate(said):
        pieces += [Piece("," if number else ""), Piece(sql=_written(message, parts[cell.id], cell.sql))]
    return line([*pieces, Piece("]")])


def _group(message: _Message, level: Level) -> str:
    """SQL of a member of `dimensionGroupAttributes`, over the columns of `level_rows`."""
    place_of = {cell.id: f"d{place}" for place, cell in enumerate(level.dimensions)}
    order = [part.id for part in message.observations.structure.key]
    order += [part.id for part in message.observations.structure.dimensions if part.is_time]
    key = _key(_index(message, id_, place_of[id_]) if id_ in place_of else "''" for id_ in order)
    own = {cell.id: f"a{place}" for place, cell in enumerate(level.attributes)}
    parts = message.parts
    every = [cell.id for other in message.parted.partial for cell in other.attributes]
    said = [_written(message, parts[id_], own[id_]) if id_ in own else "'null'" for id_ in every]
    return f"{key} || ':' || {_array(said)}"


def _key(indexes: Iterable[str]) -> str:
    """SQL of the name of a member: indexes between colons, in quotation marks."""
    joined = " || ':' || ".join(indexes)
    return f"'\"' || {joined} || '\"'"


def _array(values: Iterable[str]) -> str:
    joined = " || ',' || ".join(values)
    return f"'[' || {joined} || ']'" if joined else "'[]'"


def _index(message: _Message, id_: str, sql: str) -> str:
    return f"enum_code({sql}::{message.types[id_]})::VARCHAR"


def _written(message: _Message, part: _Component, sql: str) -> str:
    """SQL of a value as JSON: an index, a number, a truth value or a text; `null` where there is none."""
    if part.id in message.several:
        return f"coalesce(nullif({_all_written(message, part, sql)}, '[]'), 'null')"
    text_type = part.representation.text_type
    text = f"to_json({sql})::VARCHAR"
    if part.id in message.types:
        written = _index(message, part.id, sql)
    elif text_type in _NUMERIC:
        written = f"if(regexp_full_match({sql}, {literal(_NUMBER)}), {sql}, {text})"
    elif text_type == "Boolean":
        written = f"if({sql} IN ('true', 'false'), {sql}, {text})"
    else:
        written = text
    return f"coalesce({written}, 'null')"


def _all_written(message: _Message, part: _Component, sql: str) -> str:
    """SQL of an array of several values: all of them indexes, numbers, truth values or texts."""
    text = _joined(each(sql, f"to_json({ITEM})::VARCHAR"))
    if part.id in message.types:
        return _joined(each(sql, _index(message, part.id, ITEM)))
    text_type = part.representation.text_type
    form = literal(_NUMBER if text_type in _NUMERIC else "true|false")
    if message.version == "2.0" or (text_type not in _NUMERIC and text_type != "Boolean"):
        return text
    return f"if({some(sql, f'NOT regexp_full_match({ITEM}, {form})')}, {text}, {_joined(each(sql, ITEM))})"


def _joined(listed: str) -> str:
    return f"concat('[', array_to_string({listed}, ','), ']')"
