"""Rows → observations: SQL expressions over a relation of text, one for each component of a data structure.

Observations never become Python objects: what is wrong in them is counted, and messages are written, by the
engine. They keep the order of the rows in the files, so the same files give the same bytes and memory does not
grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdmeta import period
from cdmeta.dataset import Column, Dataset, Table
from cdmeta.finding import Finding, Where
from cdmeta.package import Package
from cdmeta.sdmx.artefacts import Attribute, Codelist, Dataflow, DataStructure, Representation
from cdmeta.sdmx.structures import NO_UNIT, STATUSES, Flow, codes_of, representation
from cdmeta.tables.engine import ROW, Session, column, literal, refusal, relation
from cdmeta.urn import Ref

_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_INTEGER = r"[+-]?[0-9]+"
_CODE = r"[A-Za-z0-9_@$-]+"
_ILLEGAL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
_FORMS = {"BigInteger": _INTEGER, "Double": f"{_NUMBER}|-?INF", "Boolean": "true|false"}
_COUNTED = {"integer": (rf"{_INTEGER}(\.0*)?", "HUGEINT"), "number": (_NUMBER, "DOUBLE")}
"""By the type of a column: the form of its codes, and the type of the engine by which they are compared."""
_TRUE, _FALSE = ["true", "True", "TRUE", "1"], ["false", "False", "FALSE", "0"]
_XML_ESCAPES = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\t", "&#9;"),
    ("\n", "&#10;"),
    ("\r", "&#13;"),
)
_XML_SPECIAL = r"[&<>\"\x00-\x1f\x{fffe}\x{ffff}]"


@dataclass(frozen=True)
class Cell:
    """A component of an observation.

    Attributes:
        id: id of the component.
        sql: the expression of its value as text, NULL where it has none, over the columns of `Observations.view`.
        is_free: True where it is text of any characters; otherwise it needs no escaping once it has no findings.
    """

    id: str
    sql: str
    is_free: bool = False


@dataclass(frozen=True)
class Observations:
    """Observations of a data structure, wherever their rows come from.

    Attributes:
        structure: their data structure.
        dataflow: the dataflow that they are data of.
        view: the view of the engine that `cells` read from, with the number of the record in `row`.
        cells: the components that they have, in the order of the data structure.
    """

    structure: DataStructure
    dataflow: Dataflow
    view: str
    cells: tuple[Cell, ...]


def observations(
    session: Session, package: Package, dataset: Dataset, flow: Flow, codelists: Iterable[Codelist]
) -> tuple[Observations, tuple[Finding, ...]]:
    """The observations of a table, and what keeps them from being written (`CD7xx`, with counts and first rows).

    Args:
        session: the session in which they are written later.
        package: the package.
        dataset: what it says.
        flow: one of the flows of its structures.
        codelists: its own code lists.

    Raises:
        ConversionError: the rows cannot be read.
    """
    table = flow.table
    view = f"rows{table.resource.index}"
    relation(session, package, table.resource).create_view(view)
    cells = tuple(_cells(dataset, flow))
    made = Observations(flow.structure, flow.dataflow, view, cells)
    lists = codes_of(codelists)
    checks = [check for entry in table.columns for check in _checks(flow, entry, cells, lists)]
    return made, (*_broken(session, table, view, checks), *_repeated(session, table, made))


@dataclass(frozen=True)
class Piece:
    """A piece of a line: a text that stands in every line, or SQL of one; NULL is nothing."""

    text: str = ""
    sql: str | None = None


def line(pieces: Iterable[Piece]) -> str:
    """SQL of pieces one after the other.

    It is one call of `concat`: a chain of `||` copies the text anew with each piece.
    """
    arguments: list[str] = []
    text = ""
    for piece in pieces:
        text += piece.text
        if piece.sql is not None:
            arguments += [literal(text), piece.sql] if text else [piece.sql]
            text = ""
    return f"concat({', '.join([*arguments, literal(text)])})"


def xml_attribute(cell: Cell, *, always: bool = False) -> tuple[Piece, ...]:
    """A component as an attribute of an XML element, a space before it; nothing where it has no value.

    Args:
        cell: the component.
        always: True where it always has a value, as dimensions have.
    """
    value = Piece(sql=escaped(cell.sql) if cell.is_free else cell.sql)
    if always:
        return Piece(f' {cell.id}="'), value, Piece('"')
    absent = f"{cell.sql} IS NULL"
    start = literal(f' {cell.id}="')
    return Piece(sql=f"if({absent}, '', {start})"), value, Piece(sql=f"if({absent}, '', '\"')")


def escaped(sql: str) -> str:
    """SQL of a text as it stands between the quotation marks of an XML attribute.

    Line ends and tabs become character references, because a parser turns them into spaces otherwise (XML 1.0
    §3.3.3). A character that XML cannot hold ends the session with a ConversionError.
    """
    inner = sql
    for character, reference in _XML_ESCAPES:
        inner = f"replace({inner}, {literal(character)}, {literal(reference)})"
    illegal = f"WHEN regexp_matches({sql}, {literal(_ILLEGAL)}) THEN {refusal('error.data.character')}"
    return f"CASE WHEN NOT regexp_matches({sql}, {literal(_XML_SPECIAL)}) THEN {sql} {illegal} ELSE {inner} END"


def _cells(dataset: Dataset, flow: Flow) -> Iterator[Cell]:
    table = flow.table
    by_id = {entry.id: entry for entry in table.columns}
    own = {
        "FREQ": _frequency(_period(table)),
        "UNIT_MEASURE": literal(table.measure.unit.id if table.measure.unit else NO_UNIT),
        "OBS_STATUS": _status(dataset, _value(table, table.measure)),
    }
    for part in flow.structure.components:
        entry = by_id.get(part.id)
        if entry is None:
            yield Cell(part.id, own[part.id])
            continue
        sql = _period(table) if entry.role == "time" else _value(table, entry)
        if part.representation.codelist == STATUSES:
            sql = f"coalesce({sql}, {own['OBS_STATUS']})"
        yield Cell(part.id, sql, _is_free(entry))


def _is_free(entry: Column) -> bool:
    if entry.role == "time" or entry.values or entry.codelist or entry.id in ("FREQ", "OBS_STATUS"):
        return False
    return representation(entry).text_type == "String"


def _status(dataset: Dataset, figure: str) -> str:
    """The status of an observation (SDMX:CL_OBS_STATUS): O without a figure, V where nobody validated, else A."""
    unvalidated = set(dataset.codes("citizenData.validation")) == {"NONE"}
    return f"CASE WHEN {figure} IS NULL THEN 'O' ELSE '{'V' if unvalidated else 'A'}' END"


def _field(table: Table, entry: Column) -> Mapping[str, Any]:
    return table.resource.fields[entry.index]


def _value(table: Table, entry: Column) -> str:
    """SQL of a column's value as SDMX writes it."""
    typed = _typed(_field(table, entry), entry.type, column(entry.index))
    changed = [(literal(value.raw), value.id) for value in entry.values if value.raw != value.id]
    exact = _cases(typed, changed, typed)
    if not _is_numeric(entry):
        return exact
    equal = [(_canonical(entry, literal(value.raw)), value.id) for value in entry.values]
    numeric = _cases(_canonical(entry, typed), equal, typed)
    return f"CASE WHEN {typed} IN ({_raws(entry)}) THEN {exact} ELSE {numeric} END"


def _cases(sql: str, cases: Iterable[tuple[str, str]], otherwise: str) -> str:
    """SQL that turns each of some values into an id, and any other into something else."""
    told = " ".join(f"WHEN {value} THEN {literal(id_)}" for value, id_ in cases)
    return f"CASE {sql} {told} ELSE {otherwise} END" if told else otherwise


def _raws(entry: Column) -> str:
    return ", ".join(literal(value.raw) for value in entry.values)


def _is_numeric(entry: Column) -> bool:
    """True where codes are numbers, so that `1` and `01` are the same one."""
    return bool(entry.values) and entry.type in _COUNTED


def _canonical(entry: Column, sql: str) -> str:
    """SQL of a number in one form for all texts of it; NULL of what is no number, or too large to be compared."""
    form, kind = _COUNTED[entry.type]
    return (
        f"CASE WHEN regexp_full_match({sql}, {literal(form)}) THEN CAST(try_cast({sql} AS {kind}) AS VARCHAR) END"
    )


def _typed(field: Mapping[str, Any], kind: str, cell: str) -> str:
    """SQL of a cell in the one form of its type (Table Schema): `1.234,5` → `1234.5`, `yes` → `true`."""
    if kind == "boolean":
        true, false = _texts(field.get("trueValues"), _TRUE), _texts(field.get("falseValues"), _FALSE)
        return f"CASE WHEN {cell} IN ({true}) THEN 'true' WHEN {cell} IN ({false}) THEN 'false' ELSE {cell} END"
    if kind not in ("integer", "number"):
        return cell
    text = f"trim({cell})"
    if field.get("bareNumber") is False:
        text = f"regexp_replace({text}, '^[^-+.,0-9]+|[^0-9.]+$', '', 'g')"
    if isinstance(group := field.get("groupChar"), str) and group:
        text = f"replace({text}, {literal(group)}, '')"
    if kind == "integer":
        return text
    if isinstance(point := field.get("decimalChar"), str) and point not in ("", "."):
        text = f"replace({text}, {literal(point)}, '.')"
    return f"CASE upper({text}) WHEN 'NAN' THEN NULL WHEN 'INF' THEN 'INF' WHEN '-INF' THEN '-INF' ELSE {text} END"


def _texts(given: Any, default: list[str]) -> str:
    listed = [value for value in given if isinstance(value, str)] if isinstance(given, list) else default
    return ", ".join(map(literal, listed or ["true"]))


def _period(table: Table) -> str:
    """SQL of the time of a row as an SDMX time period, as far as its type tells how to read it."""
    entry, field = table.time, _field(table, table.time)
    cell = f"trim({column(entry.index)})"
    form = field.get("format")
    if entry.type not in ("date", "datetime") or not isinstance(form, str) or form in ("default", "any"):
        return cell
    written = "%Y-%m-%d" if entry.type == "date" else "%Y-%m-%dT%H:%M:%S"
    return f"coalesce(strftime(try_strptime({cell}, {literal(form)}), '{written}'), {cell})"


def _frequency(time: str) -> str:
    """SQL of the code of SDMX:CL_FREQ that the form of a time period implies; NULL where it is none."""
    cases = " ".join(
        f"WHEN regexp_full_match({time}, {literal(form)}) THEN '{code}'" for code, form in period.FORMS
    )
    dated = f"regexp_matches({time}, '^{period.DATED}')"
    return f"CASE WHEN {dated} AND try_cast(left({time}, 10) AS DATE) IS NULL THEN NULL {cases} END"


@dataclass(frozen=True)
class _Check:
    """What must not be: a condition in SQL, and the finding that it gives."""

    code: str
    column: Column
    condition: str
    params: Mapping[str, str]


def _checks(
    flow: Flow, entry: Column, cells: Iterable[Cell], codelists: Mapping[Ref, Codelist]
) -> Iterator[_Check]:
    sql = next(cell.sql for cell in cells if cell.id == entry.id)
    part = next(part for part in flow.structure.components if part.id == entry.id)
    if entry.role in ("dimension", "time"):
        yield _Check("CD713", entry, f"coalesce({sql}, '') = ''", {})
    elif isinstance(part, Attribute) and part.mandatory:
        yield _Check("CD713", entry, f"{sql} IS NULL", {})
    if entry.role == "time":
        yield _Check("CD707", entry, f"{sql} <> '' AND {_frequency(sql)} IS NULL", {})
    elif part.representation.codelist is not None:
        yield _Check("CD710", entry, _uncoded(flow, entry, sql, codelists.get(part.representation.codelist)), {})
    else:
        yield from _uncoded_checks(entry, sql, part.representation)


def _uncoded_checks(entry: Column, sql: str, taken: Representation) -> Iterator[_Check]:
    """Type, bounds and characters of a column without a code list, as its data structure has them."""
    if form := _FORMS.get(taken.text_type):
        yield _Check("CD717", entry, f"NOT regexp_full_match({sql}, {literal(form)})", {"type": entry.type})
    else:
        yield _Check("CD716", entry, f"regexp_matches({sql}, {literal(_ILLEGAL)})", {})
    if outside := " OR ".join(_outside(sql, taken)):
        yield _Check("CD718", entry, outside, {})


def _outside(sql: str, taken: Representation) -> Iterator[str]:
    """SQL that tells whether a value is beyond a bound; integers are compared exactly where the engine can."""
    is_integer = taken.text_type == "BigInteger"
    for bound, sign in ((taken.min_value, "<"), (taken.max_value, ">")):
        if bound is not None:
            rough, exact = (
                f"try_cast({sql} AS {kind}) {sign} CAST({literal(bound)} AS {kind})"
                for kind in ("DOUBLE", "HUGEINT")
            )
            yield f"coalesce({exact}, {rough})" if is_integer else rough
    for length, sign in ((taken.min_length, "<"), (taken.max_length, ">")):
        if length is not None:
            yield f"length({sql}) {sign} {length}"


def _uncoded(flow: Flow, entry: Column, sql: str, known: Codelist | None) -> str:
    """SQL that tells whether a coded value is outside its list; of lists not at hand, only the form is known."""
    if entry.values:
        typed = _typed(_field(flow.table, entry), entry.type, column(entry.index))
        outside = f"{typed} NOT IN ({_raws(entry)})"
        if not _is_numeric(entry):
            return outside
        numbers = ", ".join(_canonical(entry, literal(value.raw)) for value in entry.values)
        return f"{outside} AND NOT coalesce({_canonical(entry, typed)} IN ({numbers}), FALSE)"
    if known is None:
        return f"NOT regexp_full_match({sql}, {literal(_CODE)})"
    return f"{sql} NOT IN ({', '.join(literal(code.id) for code in known.codes)})"


def _broken(session: Session, table: Table, view: str, checks: list[_Check]) -> Iterator[Finding]:
    """A finding for each check that rows fail, with how many and the first."""
    counts = ", ".join(
        f"count(*) FILTER ({check.condition}), min({ROW}) FILTER ({check.condition})" for check in checks
    )
    (row,) = session.connection.execute(f"SELECT {counts} FROM {view}").fetchall()  # noqa: S608  # built here
    for number, check in enumerate(checks):
        count, first = row[2 * number : 2 * number + 2]
        if count:
            where = Where(resource=table.name, row=first, field=check.column.name)
            params = {"field": check.column.name, "resource": table.name, "count": count, "row": first}
            yield Finding(check.code, where, params | dict(check.params))


def _repeated(session: Session, table: Table, made: Observations) -> Iterator[Finding]:
    """Rows whose key another row has. Hashes are compared first, so that clean tables need little memory."""
    dimensions = {part.id for part in made.structure.dimensions}
    key = ", ".join(cell.sql for cell in made.cells if cell.id in dimensions)
    hashes = f"SELECT hash({key}) AS h FROM {made.view} GROUP BY h HAVING count(*) > 1"  # noqa: S608  # built here
    numbered = (
        f"SELECT {ROW}, row_number() OVER (PARTITION BY {key} ORDER BY {ROW}) AS n "  # noqa: S608  # built here
        f"FROM {made.view} WHERE hash({key}) IN ({hashes})"
    )
    query = f"SELECT count(*), min({ROW}) FROM ({numbered}) WHERE n > 1"  # noqa: S608  # built here
    ((count, first),) = session.connection.execute(query).fetchall()
    if count:
        fields = ", ".join(entry.name for entry in (*table.dimensions, table.time))
        params = {"resource": table.name, "fields": fields, "count": count, "row": first}
        yield Finding("CD712", Where(resource=table.name, row=first), params)
