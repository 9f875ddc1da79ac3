"""SDMX-CSV 1.0, 2.0 and 2.1 data messages, read by the engine (SDMX-CSV field guide 2.1, "Data message")."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cdmeta.formats.data_sets import MAX_COMPONENTS, ReadData, check_names, free_name
from cdmeta.formats.messages import refusal
from cdmeta.package import Resource
from cdmeta.sdmx.artefacts import DataStructure
from cdmeta.tables.engine import ROW, Session, identifier, literal
from cdmeta.tables.plain import csv_scan, plain
from cdmeta.urn import Ref

StructureOf = Callable[[Ref | None], DataStructure | None]

_START = re.compile(r'"?(DATAFLOW|STRUCTURE)(\[(?P<inner>[^\]])\])?"?(?P<outer>[,;\t|])')
_ID = re.compile(
    r"(?P<agency>[A-Za-z0-9_.-]+):(?P<id>[A-Za-z0-9_@$-]+)(\((?P<version>[0-9A-Za-z.*+~-]+)\))?(:.*)?"
)
_KINDS = {
    "dataflow": "Dataflow",
    "datastructure": "DataStructure",
    "dataprovision": "ProvisionAgreement",
}
_OF_MESSAGES = ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY")
_COMPONENT = re.compile(r"(?P<id>[A-Za-z][A-Za-z0-9_.@$-]*)(\[(?P<form>[^\]]*)\])?(?P<label>: .*)?")
_CUSTOM = re.compile(r"[^\W\d][^\[\]\x00-\x1f]*")
"""Any column that an implementer adds (`LAST UPDATE`), which is no component of a structure."""
_MAX_SETS = 1000
_CHUNK = 1 << 20


@dataclass(frozen=True)
class _Column:
    """A column of a component: its place, whether it holds several values or languages, whether labels too."""

    id: str
    place: int
    form: str | None
    has_label: bool


def data(session: Session, stream: BinaryIO, structure: StructureOf) -> tuple[ReadData, ...]:
    """The data sets of a message: one for each structure and action, in the order in which they come up.

    Where columns hold an id and a label (`labels=both`), the label is taken away from the values of coded
    components; without the data structure, from what looks like an id and a label.

    Raises:
        ConversionError: it is no SDMX-CSV, or not in UTF-8.
    """
    path = session.scratch / f"{free_name(session)}-message.csv"
    with path.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            if b"\0" in chunk:
                raise refusal("csv.encoding")
            file.write(chunk)
    start = _start(path)
    inner, outer = start["inner"] or ";", start["outer"]
    header, scan, rows = _scan(session, path, outer)
    if len(header) > MAX_COMPONENTS:
        raise refusal("wide", count=MAX_COMPONENTS)
    raw = free_name(session)
    session.connection.execute(
        f"CREATE TEMP TABLE {raw} AS SELECT row_number() OVER () + 1 AS {ROW}, * FROM {scan}"  # noqa: S608  # quoted
    )
    ((count,),) = session.connection.execute(f"SELECT count(*) FROM {raw}").fetchall()  # noqa: S608  # our name
    if count != rows:
        raise refusal("apart")
    found = tuple(_tables(session, raw, header, inner, structure))
    session.connection.execute(f"DROP TABLE {raw}")
    return found


def _start(path: Path) -> re.Match[str]:
    with path.open("rb") as file:
        first = file.read(256).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if (start := _START.match(first)) is None:
        raise refusal("unknown")
    return start


def _scan(session: Session, path: Path, delimiter: str) -> tuple[list[str], str, int]:
    """The header, the table function that reads what is below it, and how many records that are."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=delimiter, strict=True))
        resource = Resource(0, path.name, {}, (path.name,), None, {"delimiter": delimiter})
        if proof := plain(session.connection, path, resource, len(header)):
            scan = csv_scan([path], len(header), delimiter, header=True, breaks=proof.breaks)
            return header, scan, proof.records - 1
        made = path.with_suffix(".plain.csv")
        count = _rewrite(path, made, delimiter, len(header))
    except UnicodeError as error:
        raise refusal("csv.encoding") from error
    except csv.Error as error:
        raise refusal("csv", reason=str(error)) from error
    return header, csv_scan([made], len(header), ",", header=False, breaks=True, ours=True), count


def _rewrite(path: Path, made: Path, delimiter: str, width: int) -> int:
    count = 0
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        made.open("w", encoding="utf-8", newline="") as file,
    ):
        records = csv.reader(source, delimiter=delimiter, strict=True)
        next(records)
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for record in records:
            if len(record) != width:
                raise refusal("csv.width", row=count + 2)
            writer.writerow(record)
            count += 1
    return count


def _tables(
    session: Session, raw: str, header: Sequence[str], inner: str, structure: StructureOf
) -> Iterator[ReadData]:
    places = {name.partition("[")[0].partition(":")[0]: place for place, name in reversed(list(enumerate(header)))}
    columns = list(_columns(header))
    check_names([column.id for column in columns])
    kind, of, action = (_cell(places.get(name)) for name in ("STRUCTURE", "STRUCTURE_ID", "ACTION"))
    if "DATAFLOW" in places:
        kind, of = "'dataflow'", _cell(places["DATAFLOW"])
    query = (
        f"SELECT {kind} AS k, {of} AS o, {action} AS a, min({ROW}), count(*) FROM {raw} GROUP BY ALL ORDER BY 4"  # noqa: S608
    )
    sets = session.connection.execute(query).fetchmany(_MAX_SETS + 1)
    if len(sets) > _MAX_SETS:
        raise refusal("csv.sets", count=_MAX_SETS)
    for number, (kind_of, id_, action_of, _, count) in enumerate(sets):
        ref = identified(_KINDS, kind_of or "", id_ or "")
        where = " AND ".join(
            f"{sql} IS NOT DISTINCT FROM {'NULL' if value is None else literal(value)}"
            for sql, value in ((kind, kind_of), (of, id_), (action, action_of))
        )
        coded = _coded(structure(ref))
        cells = [f"{_value(column, inner, coded)} AS {identifier(column.id)}" for column in columns]
        made = f"{raw}_{number + 1}"
        chosen = f"SELECT {', '.join([ROW, *cells])} FROM {raw} WHERE {where} ORDER BY {ROW}"  # noqa: S608  # quoted
        session.connection.execute(f"CREATE TEMP TABLE {made} AS {chosen}")
        multiple = frozenset(column.id for column in columns if column.form is not None)
        yield ReadData(ref, action_of or "I", made, tuple(column.id for column in columns), multiple, count)


def _columns(header: Sequence[str]) -> Iterator[_Column]:
    """The columns of components; those that hold nothing but labels (`labels=name`) are none."""
    has_names = "STRUCTURE_NAME" in header
    before = False
    for place, name in enumerate(header):
        # A list within a list, of metadata attributes, stays as it is written.
        match = _COMPONENT.fullmatch(name.replace("[].", ".").removesuffix("[]") if "[]." in name else name)
        if name.partition("[")[0] in _OF_MESSAGES or name.partition(":")[0] in _OF_MESSAGES:
            continue
        if has_names and before:
            before = False
            continue
        if match is None and _CUSTOM.fullmatch(name):
            yield _Column(name, place, None, has_label=False)
            continue
        if match is None:
            raise refusal("csv.column", name=name)
        before = has_names
        yield _Column(match["id"], place, match["form"], match["label"] is not None)


def _cell(place: int | None) -> str:
    return "NULL::VARCHAR" if place is None else f"nullif(c{place}, '')"


def identified(kinds: Mapping[str, str], kind: str, text: str) -> Ref | None:
    """What a row identifies, a label behind it or not; None where it is none.

    Args:
        kinds: SDMX classes by what the format calls them.
        kind: what the row calls it.
        text: `AGENCY:ID(1.0)`, or without a version what is the latest.
    """
    match = _ID.fullmatch(text)
    if match is None or kind.lower() not in kinds:
        return None
    return Ref(kinds[kind.lower()], match["agency"], match["id"], match["version"] or "latest")


def _coded(structure: DataStructure | None) -> frozenset[str] | None:
    """Ids of the components whose values have labels; None where that is not known."""
    if structure is None:
        return None
    return frozenset(
        part.id
        for part in structure.components
        if part.representation.codelist is not None or part.representation.from_concept
    )


def _value(column: _Column, inner: str, coded: frozenset[str] | None) -> str:
    """SQL of the value of a component, labels taken away; of several values, a JSON array."""
    cell = _cell(column.place)
    if column.form is None:
        return _unlabelled(cell, column, coded)
    parts = f"string_split({cell}, {literal(inner)})"
    if column.form == "":
        each = f"list_transform({_parts(cell, inner)}, lambda p: {_unlabelled('p', column, coded)})"
        return f"CASE WHEN {cell} IS NOT NULL THEN to_json({each})::VARCHAR END"
    pairs = (
        f"list_transform({parts}, lambda p: struct_pack(k := split_part(p, ':', 1), v := p[strpos(p, ':') + 1:]))"
    )
    return f"CASE WHEN {cell} IS NOT NULL THEN '[' || to_json(map_from_entries({pairs}))::VARCHAR || ']' END"


def _parts(cell: str, inner: str) -> str:
    """SQL of the values in a cell; one that holds the separator stands between quotation marks."""
    end = re.escape(inner)
    form = literal(f'("(?:[^"]|"")*"|[^{end}]*){end}')
    bare = """replace(p[2:-2], '""', '"')"""
    quoted = """length(p) > 1 AND starts_with(p, '"') AND ends_with(p, '"')"""
    found = f"regexp_extract_all({cell} || {literal(inner)}, {form}, 1)"
    return f"list_transform({found}, lambda p: CASE WHEN {quoted} THEN {bare} ELSE p END)"


def _unlabelled(cell: str, column: _Column, coded: frozenset[str] | None) -> str:
    if not column.has_label:
        return cell
    before = f"split_part({cell}, ': ', 1)"
    same = f"{cell} = {before} || ': ' || {before}"
    if coded is None:
        is_id = f"regexp_full_match({before}, '[A-Za-z0-9_@$.:-]+')"
    else:
        is_id = "true" if column.id in coded else same
    return f"CASE WHEN contains({cell}, ': ') AND ({is_id}) THEN {before} ELSE {cell} END"
