"""Data sets of one dataflow as the rows of one table: in their order, each key once, each with a full key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cdmeta.phrase import Phrase
from cdmeta.sdmx.tabular import Source
from cdmeta.tables.engine import ROW, Session, identifier

_DELETE = "D"
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
    session: Session, sets: Sequence[DataSet], dimensions: Sequence[str], name: str
) -> tuple[Source, tuple[Phrase, ...]]:
    """The rows of data sets together; what of them is left out is told.

    An observation that comes again takes the place of the one before it. One that a later data set deletes goes.

    Args:
        session: where they are.
        sets: the data sets, in the order in which they came.
        dimensions: ids of the dimensions of their data structure.
        name: what they are data of, for what is told.
    """
    return _Gathering(session, sets, dimensions, name).gather()


class _Gathering:
    def __init__(self, session: Session, sets: Sequence[DataSet], dimensions: Sequence[str], name: str) -> None:
        self._session, self._name = session, name
        self._given = [each for each in sets if each.action != _DELETE]
        self._deleted = [(number, each) for number, each in enumerate(sets) if each.action == _DELETE]
        self._numbers = {id(each): number for number, each in enumerate(sets)}
        self._components = tuple(dict.fromkeys(id_ for each in self._given for id_ in each.components))
        self._multiple = frozenset(id_ for each in self._given for id_ in each.multiple)
        self._key = [id_ for id_ in dimensions if id_ in self._components]
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
        """Rows without a full key belong to no observation."""
        if not self._key:
            return
        missing = " OR ".join(f"nullif({identifier(id_)}, '') IS NULL" for id_ in self._key)
        ((count,),) = self._do(f"DELETE FROM {table} WHERE {missing}")  # noqa: S608  # names quoted
        self._note("partial", count)

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
        self._note("again", before - rows)
        self._do(f"DROP TABLE {table}")
        return rows
