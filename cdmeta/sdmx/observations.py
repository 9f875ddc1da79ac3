"""Rows → observations: SQL expressions over a relation of text, one for each component of a data structure.

Observations never become Python objects: what is wrong in them is counted, and messages are written, by the
engine. They keep the order of the rows in the files, so the same files give the same bytes and memory does not
grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cdmeta.columns import Column
from cdmeta.dataset import Dataset
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding
from cdmeta.package import Package
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import Codelist, Dataflow, DataStructure
from cdmeta.sdmx.indicators import rows_of
from cdmeta.sdmx.own import CONFIDENTIALITY, STATUSES, kind_of, own_attributes
from cdmeta.sdmx.row_checks import ILLEGAL, Part, broken, repeated, scattered
from cdmeta.sdmx.statuses import confidentiality_of, status_of
from cdmeta.sdmx.structures import Flow, codes_of, representation
from cdmeta.sdmx.values import ITEM, each, frequency_of, is_long, items_of, time_of, value_of
from cdmeta.tables.engine import ROW, Session, literal, refusal

_KINDS = ("OBS_STATUS", "CONF_STATUS")
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
        several: True where it takes several values at once; the text is a JSON array of them then.
    """

    id: str
    sql: str
    is_free: bool = False
    several: bool = False


@dataclass(frozen=True)
class Observations:
    """Observations of a data structure, wherever their rows come from.

    Attributes:
        structure: their data structure.
        dataflow: the dataflow that they are data of.
        view: the view of the engine that `cells` read from, with the number of the record in `row`.
        cells: the components that they have, in the order of the data structure.
        is_joined: True where the view looks codes up in other tables, after which rows may come in another order.
    """

    structure: DataStructure
    dataflow: Dataflow
    view: str
    cells: tuple[Cell, ...]
    is_joined: bool = False

    @property
    def in_order(self) -> str:
        """What to select from where rows have to come in the order of their records.

        It is not in the view: questions to all rows, and data by series, would sort them for nothing.
        """
        return f"{self.view} ORDER BY {ROW}" if self.is_joined else self.view


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
    view, found = rows_of(session, package, flow.table)
    cells = tuple(_cells(dataset, flow))
    made = Observations(flow.structure, flow.dataflow, view, cells, any(map(is_long, flow.table.columns)))
    parts = tuple(_parts(flow, cells))
    checks = broken(session, view, flow, parts, codes_of(codelists))
    return made, (*found, *checks, *scattered(session, view, flow, parts), *repeated(session, view, flow, parts))


def refuse_several(observations: Observations, format_: str) -> None:
    """Raise ConversionError where a component takes several values at once, which a format cannot say."""
    if found := [cell.id for cell in observations.cells if cell.several]:
        raise ConversionError(Phrase("error.data.several", {"names": ", ".join(found), "format": format_}))


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


def xml_values(cell: Cell, type_: str) -> tuple[Piece, ...]:
    """A component with several values as an element `Comp` of a type; nothing where it has none."""
    value = escaped(ITEM) if cell.is_free else ITEM
    told = each(cell.sql, f"concat('<Value>', {value}, '</Value>')")
    values = f"array_to_string({told}, '')"
    start = literal(f'<Comp id="{cell.id}" xsi:type="ns1:{type_}">')
    return (Piece(sql=f"if({cell.sql} IS NULL, '', concat({start}, {values}, '</Comp>'))"),)


def escaped(sql: str) -> str:
    """SQL of a text as it stands between the quotation marks of an XML attribute, or between tags.

    Line ends and tabs become character references, because a parser turns them into spaces otherwise (XML 1.0
    §3.3.3). A character that XML cannot hold ends the session with a ConversionError.
    """
    inner = sql
    for character, reference in _XML_ESCAPES:
        inner = f"replace({inner}, {literal(character)}, {literal(reference)})"
    illegal = f"WHEN regexp_matches({sql}, {literal(ILLEGAL)}) THEN {refusal('error.data.character')}"
    return f"CASE WHEN NOT regexp_matches({sql}, {literal(_XML_SPECIAL)}) THEN {sql} {illegal} ELSE {inner} END"


def _cells(dataset: Dataset, flow: Flow) -> Iterator[Cell]:
    """The components in the order of the data structure; where nothing is known, there is none."""
    table = flow.table
    by_id = {entry.id: entry for entry in table.columns}
    own = {made.id: made for made in own_attributes(dataset, table)}
    told = _Statuses(dataset, flow)
    for part in flow.structure.components:
        if (entry := by_id.get(part.id)) is not None:
            sql = time_of(table) if entry.role == "time" else value_of(table, entry)
            sql = told.sql(part.id) if entry.role == "attribute" and told.is_status(part.id) else sql
            several = part.representation.max_occurs != 1
            yield Cell(part.id, items_of(table, entry) if several else sql, _is_free(flow, entry), several)
        elif part.id == "FREQ":
            yield Cell(part.id, frequency_of(time_of(table)))
        elif told.is_status(part.id):
            yield Cell(part.id, told.sql(part.id))
        elif (value := own[part.id].value) is not None:
            yield Cell(part.id, literal(value))


class _Statuses:
    """SQL of the statuses of one table, those of a column first."""

    def __init__(self, dataset: Dataset, flow: Flow) -> None:
        self._dataset, self._flow = dataset, flow
        self._columns = {column.id: column for column in flow.table.by_role("attribute")}
        self._coded = {part.id: part.representation.codelist for part in flow.structure.attributes}

    def is_status(self, id_: str) -> bool:
        """Tell whether a component is a status by the code lists of SDMX."""
        return self._coded.get(id_) in (STATUSES, CONFIDENTIALITY) and self._kind(id_) in _KINDS

    def _kind(self, id_: str) -> str:
        return kind_of(self._flow.table, id_)[0]

    def sql(self, id_: str) -> str:
        """SQL of a status, never empty."""
        table = self._flow.table
        kind, about = kind_of(table, id_)
        measures = (about,) if about else table.measures
        if kind == "OBS_STATUS":
            own = status_of(self._dataset, table, measures)
        else:
            status = self._status_id(about)
            own = "'F'" if len(measures) > 1 else confidentiality_of(table, measures[0], self.sql(status))
        column = self._columns.get(id_)
        return f"coalesce({value_of(table, column)}, {own})" if column else own

    def _status_id(self, about: Column | None) -> str:
        single = f"OBS_STATUS_{about.id}" if about else "OBS_STATUS"
        return single if single in self._coded else "OBS_STATUS"


def _is_free(flow: Flow, entry: Column) -> bool:
    part = next(part for part in flow.structure.components if part.id == entry.id)
    if entry.role == "time" or entry.values or part.representation.codelist:
        return False
    return representation(entry).text_type == "String"


def _parts(flow: Flow, cells: Iterable[Cell]) -> Iterator[Part]:
    """The components that have values, with their columns."""
    by_id = {entry.id: entry for entry in flow.table.columns}
    sql = {cell.id: cell.sql for cell in cells}
    for component in flow.structure.components:
        if component.id in sql:
            yield Part(component, sql[component.id], by_id.get(component.id))
