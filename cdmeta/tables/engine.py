"""Rows as a relation of text, exactly as the judge of rows sees them, or not at all.

Nothing is sniffed: dialect, encoding and header come from the descriptor. A file is handed to DuckDB as it lies
only where no reader could read it differently (UTF-8, no blank lines, one kind of line end, quotation marks only
as RFC 4180 has them). Any other is first read by Python's csv, as the judge reads it, and written plainly into a
scratch folder. What neither can take is refused. DuckDB may read the package and the scratch folder, and nothing
else: no network, no extensions.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from cdmeta.errors import ConversionError
from cdmeta.package import Package, Resource
from cdmeta.phrase import Phrase, os_reason
from cdmeta.tables.packed import unpacked
from cdmeta.tables.records import CHUNK, MAX_CELL_CHARACTERS, TableReadError, kind, missing_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

ROW = "row"
"""The column that numbers the records, the header being record 1."""
MEMORY_LIMIT = "512MB"
MAX_THREADS = 4
MAX_CODE_ROWS = 200_000
MAX_LINE_BYTES = 8 * 2**20
# DuckDB's own choice is 32 lines of the greatest length, which for large files is more than its memory limit.
_BUFFER = 2 * MAX_LINE_BYTES
_READ_ALL = (
    "null_padding = false, ignore_errors = false, hive_partitioning = false, union_by_name = false, "
    f"compression = 'none', max_line_size = {MAX_LINE_BYTES}, buffer_size = {_BUFFER}"
)
_MAX_QUOTED = 300
"""Columns of a table with quotation marks: the expression that proves it grows with each."""
_CHUNK = 1 << 22
_PIPE = 1 << 20
_PLAIN_DIALECT = {"delimiter", "header", "headerRows", "lineTerminator", "quoteChar", "doubleQuote"}
_QUOTED_DELIMITERS = ",;|\t"
"""Delimiters that a table with quotation marks may have to be plain: DuckDB passes over blanks around a quote."""
_BOM = b"\xef\xbb\xbf"
_DIALECT = _PLAIN_DIALECT | {"escapeChar", "skipInitialSpace", "commentChar", "$schema", "name", "title"}
_DIALECT |= {"description", "caseSensitiveHeader", "csvddfVersion", "type", "table", "property", "itemType"}
_GLOB = frozenset("*?[]{}")
_OTHERS = ("json", "geojson", "jsonl", "ndjson", "xlsx", "xlsm", "xls", "ods")
_REFUSED = re.compile(r"cdmeta:([a-z.-]+)")
_PARQUET_TEXT = re.compile(
    r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BOOLEAN|VARCHAR|DATE|TIME|UUID|DECIMAL\(.*|ENUM\(.*"
)
"""Types whose text in DuckDB is that of Table Schema."""


@dataclass(frozen=True)
class Session:
    """A connection to DuckDB that sees one package, and the folder for what it writes.

    Attributes:
        connection: the connection; its settings are locked.
        scratch: a temporary folder that goes with the session.
    """

    connection: DuckDBPyConnection
    scratch: Path


@contextmanager
def session(package: Package, *writable: Path) -> Iterator[Session]:
    """A connection that may read a package's folder, and read and write its own scratch and the folders named.

    Raises:
        ConversionError: the memory or the disk is used up, or DuckDB refuses for another reason.
    """
    with data_session(package.root, *writable) as opened:
        yield opened


@contextmanager
def data_session(*folders: Path) -> Iterator[Session]:
    """A connection for data that are in no package: it may read and write its own scratch and the folders named.

    Raises:
        ConversionError: as for `session`.
    """
    with tempfile.TemporaryDirectory(prefix="cdmeta-rows-") as name:
        scratch = Path(name)
        yield from _held(_connect(scratch, *folders), scratch)


@contextmanager
def small_session() -> Iterator[Session]:
    """A connection that may read and write its own scratch alone, and is there at once.

    DuckDB takes longer to open than a small table to be looked at, so a process keeps one instance; what is made
    in a session has to be temporary, and goes with it.

    Raises:
        ConversionError: as for `session`.
    """
    instance, folder = _kept(os.getpid())
    with tempfile.TemporaryDirectory(dir=folder.name) as scratch:
        yield from _held(instance.cursor(), Path(scratch))


def _held(connection: DuckDBPyConnection, scratch: Path) -> Iterator[Session]:
    """A connection in use, closed afterwards; what it complains of comes as an error of ours."""
    try:
        with _told():
            yield Session(connection, scratch)
    finally:
        connection.close()


@cache
def _kept(_: int) -> tuple[DuckDBPyConnection, tempfile.TemporaryDirectory[str]]:
    """The instance of a process, by its number: one that forked may not use that of its parent."""
    folder = tempfile.TemporaryDirectory(prefix="cdmeta-rows-")
    return _connect(Path(folder.name)), folder


def _connect(scratch: Path, *folders: Path) -> DuckDBPyConnection:
    """An instance that reads and writes the folders, and nothing else; its settings are locked."""
    import duckdb

    seen = [str(folder.resolve()) for folder in (scratch, *folders)]
    with _told():
        connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": min(MAX_THREADS, os.cpu_count() or 1),
                "temp_directory": str(scratch / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "preserve_insertion_order": True,
            }
        )
        connection.execute(f"SET allowed_directories = [{', '.join(map(literal, seen))}]")
        connection.execute("SET enable_external_access = false")
        # It would be drawn into the output after two seconds.
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def _told() -> Iterator[None]:
    """What DuckDB complains of, as an error of ours."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if refused := _REFUSED.search(str(error)):
            raise ConversionError(Phrase(refused[1])) from None
        # Not "from error": behind its first line DuckDB quotes the rows, which no log may hold.
        raise ConversionError(Phrase("error.rows", {"reason": _first_line(error)})) from None
    except RuntimeError as error:
        # What DuckDB makes of a Ctrl-C during a query.
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


def refusal(key: str) -> str:
    """SQL that ends the query, and with it the session, with an error of ours, by the key of its text."""
    return f"error({literal(f'cdmeta:{key}')})"


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def accepts(session: Session, query: str) -> bool:
    """Tell whether the engine can run a query; its result is thrown away."""
    import duckdb

    try:
        session.connection.execute(query).fetchall()
    except duckdb.Error:
        return False
    return True


def column(index: int) -> str:
    """The name, in a relation, of the field at a place of `resource.fields`."""
    return f"f{index}"


def as_written(index: int) -> str:
    """The name, in a relation, of the same field with its missing values as they are written."""
    return f"r{index}"


def relation(
    session: Session, package: Package, resource: Resource, written: Container[int] = ()
) -> DuckDBPyRelation:
    """The rows of a resource: `row`, and a column of text `f0`, `f1` … for each of `resource.fields`.

    Args:
        session: the session.
        package: the package.
        resource: the resource.
        written: places of fields of which there are also columns `r0`, `r1` …, which keep what stands for a
            missing value.

    NULL stands for a missing value (`missingValues` of the field or of the schema), and for a column that is not
    in the file where `fieldsMatch` allows that. Rows come in the order of the files.

    Raises:
        ConversionError: the rows cannot be read as the descriptor says; the text names the resource.
    """
    source = _source(session, package, resource)
    places = {name: number for number, name in enumerate(source.header)}
    cells = []
    for index, entry in enumerate(resource.fields):
        place = places.get(str(entry.get("name")))
        cell = "NULL::VARCHAR" if place is None else source.cell(place)
        cells.append(f"{_without_missing(cell, resource, entry)} AS {column(index)}")
        if index in written:
            cells.append(f"{cell} AS {as_written(index)}")
    first = 2 if source.has_header else 1
    numbered = f"row_number() OVER () + {first - 1} AS {ROW}"
    query = f"SELECT {', '.join([numbered, *cells])} FROM {source.scan}"  # noqa: S608  # all parts quoted here
    made: DuckDBPyRelation = session.connection.query(query)
    if made.count("*").fetchall() != [(source.rows,)]:
        raise _refusal(resource, "apart")
    return made


def code_rows(package: Package, resource: Resource) -> list[dict[str, str]]:
    """The rows of a small table of codes and labels, as field name to text; missing values are left out.

    Raises:
        ConversionError: the rows cannot be read, or are more than MAX_CODE_ROWS.
    """
    names = [str(entry.get("name")) for entry in resource.fields]
    with session(package) as opened:
        rows = relation(opened, package, resource).limit(MAX_CODE_ROWS + 1).fetchall()
    if len(rows) > MAX_CODE_ROWS:
        raise _refusal(resource, "codes", count=MAX_CODE_ROWS)
    return [{name: value for name, value in zip(names, row[1:], strict=True) if value is not None} for row in rows]


def write_csv(session: Session, query: str, path: Path, header: Sequence[str] | None = None) -> None:
    """Write what a query gives as CSV (RFC 4180, UTF-8, lines ended by a line feed).

    NULL becomes an empty cell, an empty text one of two quotation marks.

    Args:
        session: one that may write to the folder of `path`.
        query: SQL; its column names must differ whatever their case.
        path: the file.
        header: what stands in the first line, any texts; by default the names of the columns.
    """
    options = "FORMAT csv, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', USE_TMP_FILE false"
    if header is not None:
        first = ", ".join(map(literal, header))
        query = f"SELECT {first} UNION ALL ({query})"  # literals, and a query of the caller
    options += f", HEADER {str(header is None).lower()}"
    session.connection.execute(f"COPY ({query}) TO {literal(str(path.resolve()))} ({options})")


def write_lines(session: Session, query: str, path: Path, prefix: str, suffix: str) -> None:
    """Write the one column of text that a query gives, a line each, between a prefix and a suffix.

    Args:
        session: one that may write to the folder of `path`.
        query: SQL; its texts hold neither line ends nor the character U+0001.
        path: the file.
        prefix: what comes first, its line end included.
        suffix: what comes last, the line end before it included.
    """
    options = (
        "FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', USE_TMP_FILE false, "
        f"PREFIX {literal(prefix)}, SUFFIX {literal(suffix)}"
    )
    session.connection.execute(f"COPY ({query}) TO {literal(str(path.resolve()))} ({options})")


@contextmanager
def written(session: Session, path: Path, *, compress: bool = False) -> Iterator[Path]:
    """Where to let the engine write a file: its path, or, to be compressed, a pipe into the one entry of a zip.

    The entry is called as the file is, without `.zip`. No copy that is not compressed touches the disk.
    """
    if not compress:
        yield path
        return
    with zipped(path) as entry, piped(session, entry) as pipe:
        yield pipe


@contextmanager
def zipped(path: Path) -> Iterator[BinaryIO]:
    """The one entry of a new zip, to be written; the same content gives the same bytes."""
    entry = zipfile.ZipInfo(path.name.removesuffix(".zip"))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with zipfile.ZipFile(path, "w") as archive, archive.open(entry, "w", force_zip64=True) as stream:
        yield cast(BinaryIO, stream)


@contextmanager
def piped(session: Session, stream: BinaryIO) -> Iterator[Path]:
    """A path whose content goes to a stream while the engine writes it, once.

    Where the system has no named pipes, it is a file of the scratch folder.

    Raises:
        OSError: the stream cannot be written.
    """
    path = session.scratch / "pipe"
    if not hasattr(os, "mkfifo"):
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, stream, _PIPE)
        path.unlink()
        return
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    # Held open until the engine is done, so that the pipe does not end before the engine has opened it.
    writing = os.open(path, os.O_WRONLY)
    os.set_blocking(reading, True)
    failed: list[OSError] = []
    pump = threading.Thread(target=_pump, args=(reading, stream, failed))
    pump.start()
    try:
        yield path
    finally:
        os.close(writing)
        pump.join()
        path.unlink()
        if failed:
            raise failed[0]


def _pump(reading: int, stream: BinaryIO, failed: list[OSError]) -> None:
    """Move what comes through a pipe to a stream; where that fails, the engine is told by a broken pipe."""
    try:
        while chunk := os.read(reading, _PIPE):
            stream.write(chunk)
    except OSError as error:
        failed.append(error)
    finally:
        os.close(reading)


@dataclass(frozen=True)
class _Source:
    """Where rows lie for DuckDB.

    Attributes:
        scan: the table function that reads them, columns `c0`, `c1` …
        header: the names in the file, in its order.
        rows: how many records a plain reader sees below the header.
        has_header: False where the names come from the schema.
        null_is_empty: True where an empty cell comes as NULL.
    """

    scan: str
    header: tuple[str, ...]
    rows: int
    has_header: bool
    null_is_empty: bool

    def cell(self, place: int) -> str:
        return f"coalesce(c{place}, '')" if self.null_is_empty else f"c{place}"


def _source(session: Session, package: Package, resource: Resource) -> _Source:
    if "data" in resource.raw:
        return _inline(session, resource)
    if not resource.complete:
        raise _refusal(resource, "incomplete")
    if (named := kind(resource)) not in ("parquet", "csv", "tsv") and (
        "format" in resource.raw or named in _OTHERS
    ):
        raise _refusal(resource, "format")
    dialect = _dialect(resource)
    try:
        paths = list(unpacked(package, resource, session.scratch).values())
        if named == "parquet":
            return _parquet(session, resource, paths)
        connection = session.connection
        proofs = [plain(connection, path, resource, dialect=dialect, longest=MAX_LINE_BYTES) for path in paths]
        records = [proof.records for proof in proofs if proof and not proof.breaks]
        # DuckDB may still refuse line ends in cells, where the first is of another kind than those of the lines.
        if len(records) == len(paths):
            return _as_it_lies(resource, dialect, paths, sum(records))
        return _rewritten(session, resource, dialect, paths)
    except TableReadError as error:
        reason = Phrase(f"rows.{error.reason}", error.params)
        raise _refusal(resource, "unreadable", reason=reason) from error
    except OSError as error:
        raise _refusal(resource, "unreadable", reason=os_reason(error)) from error


def _dialect(resource: Resource) -> Mapping[str, Any]:
    """The Table Dialect, with what it leaves out; dialects that change which rows there are, are refused."""
    given = dict(resource.dialect or {})
    nested = given.pop("csv", None)  # frictionless keeps the properties of CSV in an object of their own
    given |= nested if isinstance(nested, Mapping) else {}
    # Without a quotation mark a table has no quotes at all; that is another dialect.
    given = {key: value for key, value in given.items() if value is not None or key == "quoteChar"}
    odd = sorted(key for key in given if key not in _DIALECT)
    if odd or given.get("headerRows", [1]) != [1]:
        raise _refusal(resource, "dialect", names=", ".join(odd) or "headerRows")
    delimiter = "\t" if kind(resource) == "tsv" else ","
    dialect: dict[str, Any] = {
        "delimiter": delimiter,
        "quoteChar": '"',
        "doubleQuote": True,
        "header": True,
    } | given
    for key in ("delimiter", "quoteChar", "escapeChar", "commentChar"):
        if key in dialect and not (isinstance(dialect[key], str) and len(dialect[key]) == 1):
            raise _refusal(resource, "dialect", names=key)
    return dialect


@dataclass(frozen=True)
class Plain:
    """A file from which DuckDB and Python's csv surely read the same records, if DuckDB takes it.

    Attributes:
        records: how many there are, the header among them.
        breaks: True where cells may hold line ends.
    """

    records: int
    breaks: bool = False


def plain(
    connection: DuckDBPyConnection,
    path: Path,
    resource: Resource,
    width: int | None = None,
    dialect: Mapping[str, Any] | None = None,
    longest: int = MAX_CELL_CHARACTERS,
) -> Plain | None:
    """Prove that DuckDB can have a file as it lies; None where it cannot, be it that it is no table at all.

    Args:
        connection: one that may read the file.
        path: the file, in the encoding of the resource.
        resource: the resource that it belongs to.
        width: how many cells each record has to have; as many as the first where it is not given.
        dialect: the Table Dialect with its defaults, if it is known already.
        longest: bytes that no line reaches.
    """
    dialect = _dialect(resource) if dialect is None else dialect
    delimiter = str(dialect["delimiter"])
    if not _is_simple(resource, dialect) or is_pattern(path):
        return None
    shape = _shape(path, delimiter, longest)
    try:
        width = len(first_record(path, delimiter)) if width is None else width
    except (UnicodeDecodeError, csv.Error):
        return None
    if shape and not shape.has_quotes:
        # DuckDB takes an empty cell too many at the end of a line without a word, and refuses a cell too few; so
        # the delimiters of all lines together tell.
        return Plain(shape.lines) if shape.delimiters == shape.lines * (width - 1) else None
    if delimiter not in _QUOTED_DELIMITERS or dialect["doubleQuote"] is not True or width > _MAX_QUOTED:
        return None
    if shape and _is_regular(connection, path, delimiter, width, shape.lines):
        return Plain(shape.lines)
    records = _quoted_records(path, delimiter.encode(), width)
    return None if records is None else Plain(records, breaks=True)


def _is_simple(resource: Resource, dialect: Mapping[str, Any]) -> bool:
    """Encoding and dialect leave no room for two readings."""
    encoding = str(resource.raw.get("encoding", "utf-8")).lower().replace("_", "-")
    delimiter = str(dialect["delimiter"])
    is_text = encoding in ("utf-8", "utf8", "ascii") and delimiter.isascii() and delimiter not in '"\r\n\0'
    return is_text and set(dialect) <= _PLAIN_DIALECT and dialect["quoteChar"] == '"'


@dataclass(frozen=True)
class _Shape:
    """What the bytes of a file tell: how many lines, delimiters of all kinds, and whether there are quotes."""

    lines: int
    delimiters: int
    has_quotes: bool


def _shape(path: Path, delimiter: str, longest: int) -> _Shape | None:
    """The shape of a file; None where it is empty or has blank or endless lines, zero bytes or mixed line ends."""
    before, mark = b"\n", delimiter.encode("ascii")
    run = ends = returns = delimiters = 0
    has_quotes = False
    with path.open("rb") as file:
        file.seek(len(_BOM) if file.read(len(_BOM)) == _BOM else 0)
        while chunk := file.read(_CHUNK):
            first = chunk.find(b"\n")
            if run + (first if first >= 0 else len(chunk)) >= longest or _is_odd(before, chunk):
                return None
            run = len(chunk) - chunk.rfind(b"\n") - 1 + (run if first < 0 else 0)
            ends += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            delimiters += chunk.count(mark)
            has_quotes = has_quotes or b'"' in chunk
            before = chunk[-1:]
    if returns not in (0, ends) or (not ends and before == b"\n"):
        return None
    return _Shape(ends + (before != b"\n"), delimiters, has_quotes)


def _is_odd(before: bytes, chunk: bytes) -> bool:
    """Tell whether bytes, behind a last one, hold a zero, a blank line, or a return that ends no line."""
    if b"\0" in chunk or b"\n\n" in chunk or (before == b"\n" and chunk[:1] in b"\r\n"):
        return True
    if b"\r" not in chunk and before != b"\r":
        return False
    alone = chunk.count(b"\r") - chunk.count(b"\r\n") - chunk.endswith(b"\r")
    return bool(alone) or b"\n\r" in chunk or (before == b"\r" and not chunk.startswith(b"\n"))


def _is_regular(connection: DuckDBPyConnection, path: Path, delimiter: str, width: int, expected: int) -> bool:
    """Each line is so many cells, each plain or between quotes that are closed before the line ends.

    Of such lines there is one reading. Blanks before an opening quote, or behind a closing one, are not among
    them: DuckDB drops them. Lines that it cannot read at all are not regular either.
    """
    import duckdb

    mark = re.escape(delimiter)
    cell = f'(?:"(?:[^"\\r]|"")*"|[^"\\r{mark}]*)'
    line = f"{cell}(?:{mark}{cell}){{{width - 1}}}"
    regular = f"regexp_full_match(line, {literal(line)})"
    query = f"SELECT count(*), bool_and(coalesce({regular}, false)) FROM {_line_scan(path)}"  # noqa: S608  # quoted
    try:
        return connection.execute(query).fetchall() == [(expected, True)]
    except duckdb.Error:
        return False


def _quoted_records(path: Path, delimiter: bytes, width: int) -> int | None:
    """How many records of so many cells a file has whose quotes are as RFC 4180 has them; None where they are not.

    Every second stretch between quotes is outside of them. Either nothing stands there, between the two quotes
    that stand for one, or what leads from a closed cell to the next that opens; records end there only.
    """
    tally = _Outside(delimiter)
    # As if a line ended before the file begins.
    outside, rest, tally.ends = True, b"\n", -1
    with path.open("rb") as file:
        file.seek(len(_BOM) if file.read(len(_BOM)) == _BOM else 0)
        while chunk := file.read(CHUNK):
            *stretches, rest = (rest + chunk).split(b'"')
            found = stretches[0 if outside else 1 :: 2]
            outside = outside is (len(stretches) % 2 == 0)
            if outside and (end := rest.rfind(b"\n")) > 0:
                # What follows starts with the line end as well, which then counts once too often.
                found, rest, tally.ends = [*found, rest[: end + 1]], rest[end:], tally.ends - 1
            if b"\0" in chunk or not tally.add(found):
                return None
    if not outside or not tally.add([rest], is_last=True):
        return None
    records = tally.ends + (not rest.endswith(b"\n"))
    is_even = tally.delimiters == records * (width - 1) and tally.returns in (0, tally.ends)
    return records if records and is_even else None


class _Outside:
    """Counts of what stands outside of quotes."""

    def __init__(self, delimiter: bytes) -> None:
        self.ends = self.returns = self.delimiters = 0
        self._delimiter = delimiter

    def add(self, stretches: Sequence[bytes], *, is_last: bool = False) -> bool:
        """Count some stretches; False where one is none, or a record has no end within them."""
        first, last = self._delimiter + b"\r\n", self._delimiter + b"\n"
        for stretch in set(stretches) - {b""}:
            if stretch[0] not in first or not (is_last or stretch[-1] in last):
                return False
        text = b'"'.join(stretches)
        ends, returns = text.count(b"\n"), text.count(b"\r")
        self.ends, self.returns = self.ends + ends, self.returns + returns
        self.delimiters += text.count(self._delimiter)
        is_plain = b"\n\n" not in text and b"\n\r" not in text and returns == text.count(b"\r\n")
        return is_plain and (is_last or ends > 0)


def _line_scan(path: Path) -> str:
    """A table function that reads the lines of a file that does not hold U+0002, as a column `line`."""
    return (
        f"read_csv([{literal(str(path.resolve()))}], auto_detect = false, columns = {{'line': 'VARCHAR'}}, "
        "header = false, delim = '\x02', quote = '', escape = '', nullstr = '', "
        f"strict_mode = true, {_READ_ALL})"
    )


def _as_it_lies(resource: Resource, dialect: Mapping[str, Any], paths: Sequence[Path], records: int) -> _Source:
    delimiter = str(dialect["delimiter"])
    headers = [first_record(path, delimiter) for path in paths]
    has_header = dialect["header"] is not False
    rows = records - (len(paths) if has_header else 0)
    header = _header(resource, headers) if has_header else _field_names(resource, len(headers[0]))
    scan = csv_scan(paths, len(header), delimiter, header=has_header)
    return _Source(scan, header, rows, has_header, null_is_empty=True)


def first_record(path: Path, delimiter: str) -> list[str]:
    """The cells of the first record of a file.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
        csv.Error: a quotation mark is in the wrong place.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = iter(lambda: file.readline(MAX_CELL_CHARACTERS), "")
        return next(csv.reader(lines, delimiter=delimiter, strict=True), [])


def _rewritten(session: Session, resource: Resource, dialect: Mapping[str, Any], paths: Sequence[Path]) -> _Source:
    """Rows read by Python's csv and written with every cell between quotes."""
    has_header = dialect["header"] is not False
    headers: list[list[str]] = []

    def records() -> Iterator[list[str]]:
        for path in paths:
            rows = _records(path, resource, dialect)
            if has_header:
                headers.append(next(rows, []))
            yield from rows

    written, count, width = _write_plain(session, resource, records())
    header = _header(resource, headers) if has_header else _field_names(resource, width)
    if width not in (-1, len(header)):
        raise _refusal(resource, "cells")
    scan = csv_scan([written], len(header), ",", header=False, ours=True)
    return _Source(scan, header, count, has_header, False)


def _records(path: Path, resource: Resource, dialect: Mapping[str, Any]) -> Iterator[list[str]]:
    encoding = str(resource.raw.get("encoding", "utf-8"))
    comment = dialect.get("commentChar")
    try:
        encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        with path.open(encoding=encoding, newline="") as file:
            lines = (line for line in file if not line.startswith(comment)) if comment else file
            yield from csv.reader(
                lines,
                delimiter=dialect["delimiter"],
                quotechar=dialect["quoteChar"],
                doublequote=dialect["doubleQuote"] is not False,
                escapechar=dialect.get("escapeChar"),
                skipinitialspace=dialect.get("skipInitialSpace") is True,
            )
    except (LookupError, UnicodeError) as error:
        raise _refusal(resource, "encoding") from error
    except (csv.Error, TypeError, ValueError) as error:
        raise _refusal(resource, "csv", reason=error) from error


def _write_plain(
    session: Session, resource: Resource, records: Iterable[Sequence[str | None]]
) -> tuple[Path, int, int]:
    """The file written, how many records it has, and how many cells each has (-1 where there are none)."""
    path = session.scratch / f"{resource.index}.csv"
    count, width = 0, -1
    with path.open("w", encoding="utf-8", newline="") as file:
        for record in records:
            width = len(record) if width < 0 else width
            if not record or len(record) != width:
                raise _refusal(resource, "empty-row")
            cells = ("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in record)
            try:
                file.write(",".join(cells) + "\n")
            except UnicodeEncodeError as error:
                raise _refusal(resource, "characters") from error
            count += 1
    return path, count, width


def _inline(session: Session, resource: Resource) -> _Source:
    """Rows that stand in the descriptor: objects, or arrays of which the first is the header."""
    data = resource.raw["data"]
    rows = data if isinstance(data, list) else []
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(key for row in rows for key in row))
        records = [[_cell(row.get(name)) for name in names] for row in rows]
    elif rows and all(isinstance(row, list) for row in rows):
        names = [_cell(cell) or "" for cell in rows[0]]
        records = [[_cell(cell) for cell in row] for row in rows[1:]]
    else:
        raise _refusal(resource, "inline")
    header = _header(resource, [names])
    written, count, width = _write_plain(session, resource, records)
    if width not in (-1, len(header)):
        raise _refusal(resource, "cells")
    scan = csv_scan([written], len(header), ",", header=False, ours=True)
    return _Source(scan, header, count, True, False)


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _parquet(session: Session, resource: Resource, paths: Sequence[Path]) -> _Source:
    """Parquet as text, in the forms of Table Schema."""
    if any(map(is_pattern, paths)):
        raise _refusal(resource, "parquet-name")
    do = session.connection.execute
    columns = [do(parquet_columns(path)).fetchall() for path in paths]
    if any(other != columns[0] for other in columns):
        raise _refusal(resource, "headers")
    header = _header(resource, [[name for name, _ in found] for found in columns])
    texts = [_parquet_text(resource, name, kind) for name, kind in columns[0]]
    cells = ", ".join(f"{text} AS c{place}" for place, text in enumerate(texts))
    scan = parquet_scan(paths)
    ((rows,),) = do(f"SELECT count(*) FROM {scan}").fetchall()  # noqa: S608  # all parts quoted here
    return _Source(f"(SELECT {cells} FROM {scan})", header, rows, True, False)  # noqa: S608  # likewise


def _parquet_text(resource: Resource, name: str, kind: str) -> str:
    cell = identifier(name)
    if _PARQUET_TEXT.fullmatch(kind):
        return f"{cell}::VARCHAR"
    if kind in ("FLOAT", "DOUBLE"):
        return (
            f"CASE WHEN isnan({cell}) THEN 'NaN' WHEN isinf({cell}) THEN if({cell} > 0, 'INF', '-INF') "
            f"WHEN {cell} = trunc({cell}) AND abs({cell}) < 1e15 THEN {cell}::BIGINT::VARCHAR "
            f"ELSE {cell}::VARCHAR END"
        )
    if kind == "TIMESTAMP":
        whole = f"strftime({cell}, '%Y-%m-%dT%H:%M:%S')"
        return f"{whole} || if(microsecond({cell}) % 1000000 = 0, '', strftime({cell}, '.%f'))"
    raise _refusal(resource, "parquet-type", name=name)


def parquet_columns(path: Path) -> str:
    """A query for the names and types of the columns of a Parquet file."""
    return f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {parquet_scan([path])})"  # noqa: S608


def parquet_scan(paths: Sequence[Path]) -> str:
    """A table function that reads Parquet files whose names are no patterns."""
    files = ", ".join(literal(str(path.resolve())) for path in paths)
    return f"read_parquet([{files}], hive_partitioning = false, union_by_name = false)"


def is_pattern(path: Path) -> bool:
    """Tell whether DuckDB would read the path of a file as a pattern."""
    return bool(_GLOB & set(str(path.resolve())))


def identifier(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def csv_scan(
    paths: Sequence[Path],
    width: int,
    delimiter: str,
    *,
    header: bool,
    breaks: bool = False,
    ours: bool = False,
) -> str:
    """A table function that reads plain CSV files: columns `c0`, `c1` and so on.

    Where cells may hold line ends (`breaks`) one processor reads them, from their start. Files that we wrote
    (`ours`) end their lines with a line feed; where that is not said, a carriage return in the first cells is
    taken for the end of a line.
    """
    ending = ", new_line = '\\n'" if ours else ""
    names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
    files = ", ".join(literal(str(path.resolve())) for path in paths)
    return (
        f"read_csv([{files}], auto_detect = false, columns = {{{names}}}, header = {str(header).lower()}, "
        f"delim = {literal(delimiter)}, quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
        f"strict_mode = true, parallel = {str(not breaks).lower()}, {_READ_ALL}{ending})"
    )


def _header(resource: Resource, headers: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names in the header, where they agree with the schema and from file to file."""
    header, wanted = tuple(headers[0]), _field_names(resource, None)
    if any(tuple(other) != header for other in headers):
        raise _refusal(resource, "headers")
    if len(set(header)) != len(header) or len(set(wanted)) != len(wanted):
        raise _refusal(resource, "twice")
    given = (resource.schema or {}).get("fieldsMatch", "exact")
    match = given[0] if isinstance(given, list) and given else given
    found, asked = set(header), set(wanted)
    fits = {
        "exact": header == wanted,
        "equal": found == asked,
        "subset": found >= asked,
        "superset": found <= asked,
        "partial": bool(found & asked),
    }
    if not fits.get(match if isinstance(match, str) else "", False):
        raise _refusal(resource, "header")
    return header


def _field_names(resource: Resource, width: int | None) -> tuple[str, ...]:
    names = tuple(str(entry.get("name")) for entry in resource.fields)
    if width not in (None, -1, len(names)):
        raise _refusal(resource, "columns")
    return names


def _without_missing(cell: str, resource: Resource, entry: Mapping[str, Any]) -> str:
    texts = sorted(missing_values(resource, entry))
    if not texts:
        return cell
    return f"CASE WHEN {cell} IN ({', '.join(map(literal, texts))}) THEN NULL ELSE {cell} END"


def _refusal(resource: Resource, key: str, **params: Any) -> ConversionError:
    reason = Phrase(f"error.table.{key}", params)
    return ConversionError(Phrase("error.table", {"name": resource.name, "reason": reason}))


def _first_line(error: Exception) -> str:
    """What DuckDB complains of, without the lines that quote the data."""
    return str(error).partition("\n")[0].rstrip(".")
