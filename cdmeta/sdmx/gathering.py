"""Data sets of one dataflow as the rows of one table: in their order, each key once, each with a full key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cdmeta.errors import ConversionError
from cdmeta.phrase import Phrase
from cdmeta.sdmx.artefacts import DataStructure
from cdmeta.sdmx.tabular import Source
from cdmeta.tables.engine import ROW, Session, identifier

_DELETE = "D"
_SHAPES = 64
"""Parts of the key that attributes are looked for at."""
_SET = '"# set"'
"""A column that no component can be called as."""


class DataSet(Protocol):
    """What has to be known of a data set that was read; `formats.data_sets.ReadData` is one."""

    @property
    def action(self) -> str:
        """`I`, `A`, `R`, `D` or `M`."""

    @property
    def table(self) -> str:
        """The name of its table in the session."""

    @property
    def components(self) -> tuple[str, ...]:
        """The components found."""

    @property
    def multiple(self) -> frozenset[str]:
        """Those whose cells are JSON arrays."""


def gathered(
    session: Session, sets: Sequence[DataSet], structure: DataStructure
) -> tuple[Source, tuple[Phrase, ...]]:
    """The rows of data sets together; what of them is left out is told.

    An observation that comes again takes the place of the one before it. One that a later data set deletes goes.
    Attributes of a part of the key, which SDMX-CSV gives in rows of their own, are spread onto its observations.

    Args:
        session: where they are.
        sets: the data sets, in the order in which they came.
        structure: their data structure.

    Raises:
        ConversionError: a dimension is nowhere, and without it observations cannot be told apart.
    """
    return _Gathering(session, sets, structure).gather()


class _Gathering:
    def __init__(self, session: Session, sets: Sequence[DataSet], structure: DataStructure) -> None:
        self._session, self._name = session, structure.id
        self._measures = [part.id for part in structure.measures]
        dimensions = [part.id for part in structure.dimensions]
        self._given = [each for each in sets if each.action != _DELETE]
        self._deleted = [(number, each) for number, each in enumerate(sets) if each.action == _DELETE]
        self._numbers = {id(each): number for number, each in enumerate(sets)}
        self._components = tuple(dict.fromkeys(id_ for each in self._given for id_ in each.components))
        self._multiple = frozenset(id_ for each in self._given for id_ in each.multiple)
        self._key = [id_ for id_ in dimensions if id_ in self._components]
        self._lacking = [id_ for id_ in dimensions if id_ not in self._components]
        self._notes: list[Phrase] = []

    def gather(self) -> tuple[Source, tuple[Phrase, ...]]:
        made = f"gathered_{self._number()}"
        selects = " UNION ALL ".join(self._select(each) for each in self._given)
        self._do(f"CREATE TEMP TABLE {made}_all AS {selects or self._empty()}")
        for number, each in self._deleted:
            self._delete(f"{made}_all", number, each)
        self._partial(f"{made}_all")
        rows = self._once(f"{made}_all", made)
        return Source(made, self._components, self._multiple, rows), tuple(self._notes)

    def _do(self, query: str) -> list[tuple[int, ...]]:
        return self._session.connection.execute(query).fetchall()

    def _number(self) -> int:
        ((count,),) = self._do("SELECT count(*) FROM duckdb_tables() WHERE starts_with(table_name, 'gathered_')")
        return count

    def _note(self, key: str, count: int) -> None:
        if count:
            self._notes.append(Phrase(f"import.note.{key}", {"table": self._name, "count": count}))

    def _select(self, each: DataSet) -> str:
        cells = [f"{self._numbers[id(each)]} AS {_SET}", ROW]
        for id_ in self._components:
            column = identifier(id_)
            if id_ not in each.components:
                cells.append(f"NULL::VARCHAR AS {column}")
            elif id_ in self._multiple and id_ not in each.multiple:
                cells.append(f"CASE WHEN {column} IS NOT NULL THEN to_json([{column}])::VARCHAR END AS {column}")
            else:
                cells.append(column)
        return f"SELECT {', '.join(cells)} FROM {each.table}"  # noqa: S608  # names quoted

    def _empty(self) -> str:
        cells = [f"0 AS {_SET}", f"0::BIGINT AS {ROW}"]
        return f"SELECT {', '.join(cells)} WHERE false"

    def _delete(self, table: str, number: int, each: DataSet) -> None:
        """Take away what came before; a dimension that is not told stands for all its values."""
        whole = [id_ for id_ in each.components if id_ not in self._key]
        alone = " AND ".join(f"{identifier(id_)} IS NULL" for id_ in whole) or "TRUE"
        ((others,),) = self._do(f"SELECT count(*) FROM {each.table} WHERE NOT ({alone})")  # noqa: S608
        self._note("delete.values", others)
        same = " AND ".join(
            f"(d.{identifier(id_)} IS NULL OR d.{identifier(id_)} = t.{identifier(id_)})"
            for id_ in self._key
            if id_ in each.components
        )
        where = f"t.{_SET} < {number}" + (f" AND {same}" if same else "")
        ((gone,),) = self._do(
            f"DELETE FROM {table} t WHERE EXISTS (SELECT 1 FROM (SELECT * FROM {each.table} WHERE {alone}) d "  # noqa: S608
            f"WHERE {where})"
        )
        self._note("delete", gone)

    def _partial(self, table: str) -> None:
        """Rows without a full key belong to no single observation: what they say is spread, or left out."""
        empty = {id_: f"nullif({identifier(id_)}, '') IS NULL" for id_ in self._key}
        if not empty:
            return
        missing = " OR ".join(empty.values())
        found = f"SELECT DISTINCT {', '.join(empty.values())} FROM {table} WHERE {missing}"  # noqa: S608  # quoted
        shapes = self._session.connection.execute(f"{found} ORDER BY ALL LIMIT {_SHAPES}").fetchall()
        for shape in shapes:
            told = [id_ for id_, is_empty in zip(empty, shape, strict=True) if not is_empty]
            where = " AND ".join(test if id_ not in told else f"NOT {test}" for id_, test in empty.items())
            self._spread(table, told, where)
        ((count,),) = self._do(f"DELETE FROM {table} WHERE {missing}")  # noqa: S608  # names quoted
        self._note("partial", count)

    def _spread(self, table: str, told: Sequence[str], where: str) -> None:
        """Put the attributes of rows with the same part of the key onto the observations that have none."""
        named = [id_ for id_ in self._components if id_ not in (*self._key, *self._measures)]
        if not named:
            return
        full = " AND ".join(f"nullif(t.{identifier(id_)}, '') IS NOT NULL" for id_ in self._key)
        same = " AND ".join(f"t.{identifier(id_)} = p.{identifier(id_)}" for id_ in told) or "TRUE"
        keys = ", ".join(map(identifier, told))
        order = f"{_SET} * 4294967296 + {ROW}"
        lasts = [f"arg_max(nullif({identifier(id_)}, ''), {order}) AS {identifier(id_)}" for id_ in named]
        by = f" GROUP BY {keys}" if keys else ""
        values = [
            f"{identifier(id_)} = coalesce(nullif(t.{identifier(id_)}, ''), p.{identifier(id_)})" for id_ in named
        ]
        figures = [f"nullif({identifier(id_)}, '') IS NULL" for id_ in self._measures if id_ in self._components]
        without = " AND ".join([where, *figures])
        group = ", ".join([*map(identifier, told), *lasts])
        grouped = f"SELECT {group} FROM {table} WHERE {without}{by}"  # noqa: S608  # names quoted
        self._do(f"UPDATE {table} t SET {', '.join(values)} FROM ({grouped}) p WHERE {full} AND {same}")  # noqa: S608
        there = f"EXISTS (SELECT 1 FROM {table} t WHERE {full} AND {same})"  # noqa: S608
        ((count,),) = self._do(f"DELETE FROM {table} p WHERE {without} AND {there}")  # noqa: S608
        self._note("spread", count)

    def _once(self, table: str, made: str) -> int:
        """Number the rows anew, of those with the same key the last."""
        key = ", ".join(map(identifier, self._key))
        last = (
            f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {_SET} DESC, {ROW} DESC) = 1" if key else ""
        )
        cells = "".join(f", {identifier(id_)}" for id_ in self._components)
        numbered = f"row_number() OVER (ORDER BY {_SET}, {ROW}) AS {ROW}"
        chosen = f"SELECT * FROM {table}{last}"  # noqa: S608  # names quoted
        self._do(f"CREATE TEMP TABLE {made} AS SELECT {numbered}{cells} FROM ({chosen}) ORDER BY {ROW}")  # noqa: S608
        ((before,),) = self._do(f"SELECT count(*) FROM {table}")  # noqa: S608
        ((rows,),) = self._do(f"SELECT count(*) FROM {made}")  # noqa: S608
        if before > rows and self._lacking:
            params = {"table": self._name, "names": ", ".join(self._lacking), "count": before - rows}
            raise ConversionError(Phrase("error.import.key", params))
        self._note("again", before - rows)
        self._do(f"DROP TABLE {table}")
        return rows
