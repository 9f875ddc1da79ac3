"""SQL of the values of columns as SDMX writes them, over a relation of text (`tables.relations`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cdmeta import period
from cdmeta.columns import Column, Table
from cdmeta.package import Package
from cdmeta.tables.engine import Session, literal
from cdmeta.tables.relations import as_written, column, relation

INTEGER = r"[+-]?[0-9]+"
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
ITEM = "item_"
"""What one of several values is called in the SQL given to `each`."""
MANY_CODES = 500
"""Of a list of more codes, each row is looked up in a table, not compared with one code after the other."""
_COUNTED = {"integer": (rf"{INTEGER}(\.0*)?", "HUGEINT"), "number": (NUMBER, "DOUBLE")}
"""By the type of a column: the form of its codes, and the type of the engine by which they are compared."""
_TRUE, _FALSE = ["true", "True", "TRUE", "1"], ["false", "False", "FALSE", "0"]


def view_of(session: Session, package: Package, table: Table) -> str:
    """Make the view of a table's rows in a session, and give its name.

    Beside `row`, `f0`, `f1` … it has `r0` … for measures whose missing values say why they are missing, and `k0` …
    for columns of many codes: the id of the code.

    Raises:
        ConversionError: the rows cannot be read.
    """
    view = f"rows{table.resource.index}"
    written = {entry.index for entry in table.measures if entry.statuses}
    rows = relation(session, package, table.resource, written)
    rows.create_view(f"{view}_")
    return with_codes(session, table, f"{view}_")


def with_codes(session: Session, table: Table, source: str) -> str:
    """Make the view of a table's rows from one that has them without the ids of codes, and give its name."""
    view = f"rows{table.resource.index}"
    many = [entry for entry in table.columns if is_long(entry)]
    joins = " ".join(f"LEFT JOIN {_codes(session, table, entry)}" for entry in many)
    ids = ", ".join(f"{_lookup(table, entry)}.id AS {_found(entry)}" for entry in many)
    query = f"SELECT {source}.*, {ids} FROM {source} {joins}"  # noqa: S608  # names of our own
    if not many:
        query = f"SELECT * FROM {source}"  # noqa: S608  # likewise
    session.connection.execute(f"CREATE VIEW {view} AS {query}")
    return view


def described(table: Table, entry: Column) -> Mapping[str, Any]:
    """What the descriptor says of a column."""
    return table.resource.fields[entry.index]


def value_of(table: Table, entry: Column) -> str:
    """SQL of a column's value as SDMX writes it."""
    typed = typed_cell(table, entry)
    if is_long(entry):
        return f"coalesce({_found(entry)}, {typed})"
    changed = [(literal(value.raw), value.id) for value in entry.values if value.raw != value.id]
    exact = _cases(typed, changed, typed)
    if not _is_numeric(entry):
        return exact
    equal = [(_canonical(entry, literal(value.raw)), value.id) for value in entry.values]
    numeric = _cases(_canonical(entry, typed), equal, typed)
    return f"CASE WHEN {typed} IN ({_raws(entry)}) THEN {exact} ELSE {numeric} END"


def items_of(table: Table, entry: Column) -> str:
    """SQL of the values in a cell of a list, as a JSON array of text."""
    given, cell = described(table, entry), column(entry.index)
    delimiter = given.get("delimiter")
    split = f"string_split({cell}, {literal(delimiter if isinstance(delimiter, str) and delimiter else ',')})"
    typed = f"list_transform({split}, lambda {ITEM}: {_typed(ITEM, entry.item_type, {})})"
    return f"CASE WHEN {cell} IS NOT NULL THEN to_json({typed})::VARCHAR END"


def values_in(sql: str) -> str:
    """SQL of the values in a JSON array, as a list of text."""
    return f"""from_json({sql}, '["VARCHAR"]')"""


def each(sql: str, item: str) -> str:
    """SQL of a list of what becomes of each value, called `ITEM`, in a JSON array."""
    return f"list_transform({values_in(sql)}, lambda {ITEM}: {item})"


def some(sql: str, condition: str) -> str:
    """SQL that tells whether a condition is true of one of the values, called `ITEM`, in a JSON array."""
    return f"len(list_filter({values_in(sql)}, lambda {ITEM}: {condition})) > 0"


def is_no_code(table: Table, entry: Column) -> str:
    """SQL that tells whether a cell is none of the codes of its column."""
    typed = typed_cell(table, entry)
    if is_long(entry):
        return f"{typed} IS NOT NULL AND {_found(entry)} IS NULL"
    outside = f"{typed} NOT IN ({_raws(entry)})"
    if not _is_numeric(entry):
        return outside
    numbers = ", ".join(_canonical(entry, literal(value.raw)) for value in entry.values)
    return f"{outside} AND NOT coalesce({_canonical(entry, typed)} IN ({numbers}), FALSE)"


def typed_cell(table: Table, entry: Column) -> str:
    """SQL of a cell in the one form of its type (Table Schema): `1.234,5` → `1234.5`, `yes` → `true`."""
    return _typed(column(entry.index), entry.type, described(table, entry))


def _typed(cell: str, kind: str, given: Mapping[str, Any]) -> str:
    if kind == "boolean":
        true, false = _texts(given.get("trueValues"), _TRUE), _texts(given.get("falseValues"), _FALSE)
        return f"CASE WHEN {cell} IN ({true}) THEN 'true' WHEN {cell} IN ({false}) THEN 'false' ELSE {cell} END"
    if kind not in ("integer", "number"):
        return cell
    text = f"trim({cell})"
    if given.get("bareNumber") is False:
        text = f"regexp_replace({text}, '^[^-+.,0-9]+|[^0-9.]+$', '', 'g')"
    if isinstance(group := given.get("groupChar"), str) and group:
        text = f"replace({text}, {literal(group)}, '')"
    if kind == "integer":
        return text
    if isinstance(point := given.get("decimalChar"), str) and point not in ("", "."):
        text = f"replace({text}, {literal(point)}, '.')"
    return f"CASE upper({text}) WHEN 'NAN' THEN NULL WHEN 'INF' THEN 'INF' WHEN '-INF' THEN '-INF' ELSE {text} END"


def time_of(table: Table) -> str:
    """SQL of the time of a row as an SDMX time period, as far as its type tells how to read it."""
    entry, given = table.time, described(table, table.time)
    cell = f"trim({column(entry.index)})"
    form = given.get("format")
    if entry.type not in ("date", "datetime") or not isinstance(form, str) or form in ("default", "any"):
        return cell
    written = "%Y-%m-%d" if entry.type == "date" else "%Y-%m-%dT%H:%M:%S"
    return f"coalesce(strftime(try_strptime({cell}, {literal(form)}), '{written}'), {cell})"


def frequency_of(time: str) -> str:
    """SQL of the code of SDMX:CL_FREQ that the form of a time period implies; NULL where it is none."""
    cases = " ".join(
        f"WHEN regexp_full_match({time}, {literal(form)}) THEN '{code}'" for code, form in period.FORMS
    )
    dated = f"regexp_matches({time}, '^{period.DATED}')"
    return f"CASE WHEN {dated} AND try_cast(left({time}, 10) AS DATE) IS NULL THEN NULL {cases} END"


def missing_text(entry: Column) -> str:
    """SQL of what is written in a cell of a measure with statuses, what stands for a missing value as it is."""
    return as_written(entry.index)


def is_long(entry: Column) -> bool:
    """Tell whether the codes of a column are so many that each cell is looked up in a table."""
    return len(entry.values) > MANY_CODES


def _found(entry: Column) -> str:
    return f"k{entry.index}"


def _lookup(table: Table, entry: Column) -> str:
    return f"codes{table.resource.index}_{entry.index}"


def _codes(session: Session, table: Table, entry: Column) -> str:
    """Put the codes of a column into a table of the session; SQL of that table and what it is joined by."""
    name, do = _lookup(table, entry), session.connection.execute
    raws, ids = ([getattr(value, part) for value in entry.values] for part in ("raw", "id"))
    do(f"CREATE TABLE {name}_ AS SELECT unnest($1::VARCHAR[]) AS raw, unnest($2::VARCHAR[]) AS id", [raws, ids])
    key, cell = ("raw", typed_cell(table, entry))
    if _is_numeric(entry):
        key, cell = _canonical(entry, "raw"), _canonical(entry, cell)
    do(f"CREATE TABLE {name} AS SELECT {key} AS key, min(id) AS id FROM {name}_ GROUP BY key")  # noqa: S608
    return f"{name} ON {name}.key = {cell}"


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


def _texts(given: Any, default: list[str]) -> str:
    listed = [value for value in given if isinstance(value, str)] if isinstance(given, list) else default
    return ", ".join(map(literal, listed or ["true"]))
