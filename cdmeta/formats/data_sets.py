"""What a reader of data finds, gathered into tables of the engine: a data set, its observations and its groups.

Observations are written as CSV into the scratch folder of the session as they come, and read by the engine, so
that memory does not grow with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cdmeta.formats.messages import refusal
from cdmeta.tables.engine import ROW, Session, identifier, literal
from cdmeta.tables.plain import csv_scan, quoted
from cdmeta.urn import Ref

MAX_COMPONENTS = 1000
ACTIONS: Mapping[str, str] = {
    "Append": "A",
    "Replace": "R",
    "Delete": "D",
    "Information": "I",
    "Merge": "M",
}
"""Names of actions to their letters in SDMX-CSV."""
_LIST = "[]"
"""Behind the id of a component, in files that we write: its cell is a JSON array."""
_LINES = 4096
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What JSON can escape, and no table can hold."""


@dataclass(frozen=True)
class ReadData:
    """A data set of a message.

    Attributes:
        ref: the dataflow, data structure or provision agreement that it names; None where it names none.
        action: `I`, `A`, `R`, `D` or `M`, as in SDMX-CSV.
        table: the name of its table in the session: `row`, and a column of text for each component. `row` counts
            the observations of the message from 1; in SDMX-CSV it is the record, the header being 1.
        components: ids of the components found, dimensions as they come.
        multiple: those among them whose cells are JSON arrays: of texts, or of objects of language to text.
        rows: how many observations there are.
    """

    ref: Ref | None
    action: str
    table: str
    components: tuple[str, ...]
    multiple: frozenset[str] = frozenset()
    rows: int = 0


class Sheet:
    """Rows on their way into a table; a column that comes up late begins a new file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.count = 0
        self.names: list[str] = []
        self._folder, self._name = folder, name
        self._known: set[str] = set()
        self._parts: list[tuple[Path, int]] = []
        self._file: IO[str] | None = None
        self._lines: list[str] = []
        self._breaks = False

    def add(self, number: int, row: Mapping[str, str | None]) -> None:
        """Add a row; names with a namespace are no components, and left away."""
        if not row.keys() <= self._known:
            self._grow(row)
        self.count += 1
        get = row.get
        cells = [
            "" if (value := get(name)) is None else f'"{value}"' if '"' not in value else quoted(value)
            for name in self.names
        ]
        self._lines.append(f"{number},{','.join(cells)}")
        if len(self._lines) >= _LINES:
            self._flush()

    def _grow(self, row: Mapping[str, str | None]) -> None:
        self.close()
        for name in row:
            if name not in self._known:
                self._known.add(name)
                if "}" not in name:
                    self.names.append(name)
        if len(self.names) > MAX_COMPONENTS:
            raise refusal("wide", count=MAX_COMPONENTS)

    def _flush(self) -> None:
        if self._file is None:
            path = self._folder / f"{self._name}-{len(self._parts)}.csv"
            self._file = path.open("w", encoding="utf-8", newline="")
            self._parts.append((path, len(self.names)))
        text = "\n".join(self._lines) + "\n"
        self._breaks = self._breaks or "\r" in text or text.count("\n") != len(self._lines)
        self._lines.clear()
        if "\0" in text:
            self._file.close()
            raise refusal("characters")
        try:
            self._file.write(text)
        except UnicodeEncodeError as error:
            self._file.close()
            raise refusal("characters") from error

    def close(self) -> None:
        """Write what is left, so that `select` finds all of it."""
        if self._lines:
            self._flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def select(self) -> str:
        """A query for all rows: `row` and the names, as they came."""
        self.close()
        return " UNION ALL ".join(self._selects()) or self._empty()

    def _selects(self) -> Iterator[str]:
        for path, width in self._parts:
            cells = [
                f"{f'c{place + 1}' if place < width else 'NULL::VARCHAR'} AS {identifier(name)}"
                for place, name in enumerate(self.names)
            ]
            columns = ", ".join([f"c0::BIGINT AS {ROW}", *cells])
            scan = csv_scan([path], width + 1, ",", header=False, breaks=self._breaks, ours=True)
            yield f"SELECT {columns} FROM {scan}"  # noqa: S608  # quoted

    def _empty(self) -> str:
        columns = ", ".join([f"0::BIGINT AS {ROW}", *(f"NULL::VARCHAR AS {identifier(n)}" for n in self.names)])
        return f"SELECT {columns} WHERE false"  # all parts quoted here


class DataSet:
    """A data set while it is read."""

    def __init__(
        self, session: Session, number: int, ref: Ref | None, action: str, dimensions: frozenset[str] | None
    ) -> None:
        self.ref, self.action, self.dimensions = ref, action, dimensions
        self.attributes: dict[str, str] = {}
        self._session = session
        self._name = f"{free_name(session)}-{number}"
        self.observations = Sheet(session.scratch, self._name)
        self._groups: dict[object, tuple[frozenset[str] | None, Sheet]] = {}

    def group(self, values: Mapping[str, str], key: frozenset[str] | None, kind: str) -> None:
        """Add attributes of a partial key, both in one mapping.

        Args:
            values: dimensions and attributes.
            key: the ids of the dimensions; None where the message does not tell.
            kind: the id of the group, for groups whose key is not known.
        """
        if key is None and self.dimensions is not None:
            key = frozenset(self.dimensions & values.keys())
        if key is not None and not key:
            self.attributes |= values
            return
        known = ("", kind) if key is None else key
        if known not in self._groups:
            if len(self._groups) >= MAX_COMPONENTS:
                raise refusal("wide", count=MAX_COMPONENTS)
            sheet = Sheet(self._session.scratch, f"{self._name}-g{len(self._groups)}")
            self._groups[known] = (key, sheet)
        sheet = self._groups[known][1]
        sheet.add(sheet.count + 1, values)

    def close(self) -> None:
        """Close the files; the rows are kept."""
        for sheet in (self.observations, *(sheet for _, sheet in self._groups.values())):
            sheet.close()

    def table(self) -> ReadData:
        """The table of the data set, attributes of the data set and of groups spread onto the observations."""
        sheet = self.observations
        names, _ = _merged(sheet.names)
        lists = self._lists()
        query = f"SELECT {', '.join([ROW, *(_cell(sheet.names, name, name in lists) for name in names)])}"
        query = f"{query} FROM ({sheet.select()})"  # all parts quoted here
        for key, group in self._groups.values():
            query, names = self._spread(query, names, key, group, lists)
        query, names = self._constant(query, names, lists)
        made = free_name(self._session)
        check_names(names)
        if _NO_TEXT.search("".join((*names, *self.attributes.values()))):
            raise refusal("characters")
        order = f" ORDER BY {ROW}" if self._groups else ""
        self._session.connection.execute(f"CREATE TEMP TABLE {made} AS {query}{order}")
        ((rows,),) = self._session.connection.execute(f"SELECT count(*) FROM {made}").fetchall()  # noqa: S608
        if rows != sheet.count:
            raise refusal("apart")
        return ReadData(self.ref, self.action, made, tuple(names), frozenset(lists & set(names)), rows)

    def _lists(self) -> set[str]:
        """Components that have a list somewhere; one value of theirs elsewhere is a list of one."""
        given = [self.observations.names, *(sheet.names for _, sheet in self._groups.values()), [*self.attributes]]
        return {name for names in given for name in _merged(names)[1]}

    def _spread(
        self, query: str, names: Sequence[str], key: frozenset[str] | None, group: Sheet, lists: Set[str]
    ) -> tuple[str, list[str]]:
        own, _ = _merged(group.names)
        keys = [name for name in own if (name in names if key is None else name in key)]
        added = [name for name in own if name not in keys]
        if not set(keys) <= set(names) or not keys:
            return query, list(names)
        cells = ", ".join(_cell(group.names, name, name in lists) for name in own)
        firsts = [f"arg_min({identifier(name)}, {ROW}) AS {identifier(name)}" for name in added]
        by = ", ".join(map(identifier, keys))
        source = f"SELECT {ROW}, {cells} FROM ({group.select()})"  # noqa: S608  # all parts quoted here
        grouped = f"SELECT {', '.join([by, *firsts])} FROM ({source}) GROUP BY {by}"  # noqa: S608  # likewise
        made = [*names, *(name for name in added if name not in names)]
        columns = [f"o.{ROW}"]
        for name in made:
            sides = [f"{side}.{identifier(name)}" for side, has in (("o", names), ("g", added)) if name in has]
            columns.append(f"coalesce({', '.join(sides)}) AS {identifier(name)}")
        on = " AND ".join(f"o.{identifier(name)} = g.{identifier(name)}" for name in keys)
        joined = f"SELECT {', '.join(columns)} FROM ({query}) o LEFT JOIN ({grouped}) g ON {on}"  # noqa: S608
        return joined, made

    def _constant(self, query: str, names: Sequence[str], lists: Set[str]) -> tuple[str, list[str]]:
        """The attributes of the data set, on each observation that has no such value of its own."""
        given = {name: value for name, value in self.attributes.items() if "}" not in name}
        if not given:
            return query, list(names)
        own, _ = _merged(list(given))
        made = [*names, *(name for name in own if name not in names)]
        columns = [ROW]
        for name in made:
            column = identifier(name)
            value = given.get(name + _LIST, given.get(name))
            if value is not None and name in lists and name + _LIST not in given:
                value = json.dumps([value], ensure_ascii=False)
            if value is None:
                columns.append(column)
            elif name in names:
                columns.append(f"coalesce({column}, {literal(value)}) AS {column}")
            else:
                columns.append(f"{literal(value)} AS {column}")
        return f"SELECT {', '.join(columns)} FROM ({query})", made  # noqa: S608  # all parts quoted here


def free_name(session: Session) -> str:
    """A name of a table that the session does not have yet."""
    query = "SELECT count(*) FROM duckdb_tables() WHERE starts_with(table_name, 'data_')"
    ((count,),) = session.connection.execute(query).fetchall()
    return f"data_{count + 1}"


def check_names(names: Sequence[str]) -> None:
    """Raise ConversionError where columns could be taken for each other, because only their case differs."""
    seen = {ROW}
    for name in names:
        if name.lower() in seen:
            raise refusal("case", name=name)
        seen.add(name.lower())


def listed(name: str) -> str:
    """The name under which a row holds a JSON array of values of a component."""
    return name + _LIST


def _merged(names: Sequence[str]) -> tuple[list[str], set[str]]:
    """Ids of components, and which of them have lists."""
    lists = {name.removesuffix(_LIST) for name in names if name.endswith(_LIST)}
    return list(dict.fromkeys(name.removesuffix(_LIST) for name in names)), lists


def _cell(names: Sequence[str], name: str, is_list: bool) -> str:
    column = identifier(name)
    if not is_list:
        return column
    given = [identifier(name + _LIST)] if name + _LIST in names else []
    given += [f"CASE WHEN {column} IS NOT NULL THEN to_json([{column}])::VARCHAR END"] if name in names else []
    return f"coalesce({', '.join(given)}) AS {column}"
