"""CSV that no reader could read differently: whether a file is such, and how the engine is handed it.

That is UTF-8 without blank lines, with one kind of line end, and quotation marks only as RFC 4180 has them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdmeta.errors import ConversionError
from cdmeta.package import Resource
from cdmeta.phrase import Phrase
from cdmeta.tables.engine import is_pattern, literal
from cdmeta.tables.records import CHUNK, MAX_CELL_CHARACTERS, kind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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
_PLAIN_DIALECT = {"delimiter", "header", "headerRows", "lineTerminator", "quoteChar", "doubleQuote"}
_QUOTED_DELIMITERS = ",;|\t"
"""Delimiters that a table with quotation marks may have to be plain: DuckDB passes over blanks around a quote."""
_BOM = b"\xef\xbb\xbf"
_DIALECT = _PLAIN_DIALECT | {"escapeChar", "skipInitialSpace", "commentChar", "$schema", "name", "title"}
_DIALECT |= {"description", "caseSensitiveHeader", "csvddfVersion", "type", "table", "property", "itemType"}


def dialect_of(resource: Resource) -> Mapping[str, Any]:
    """The Table Dialect, with what it leaves out; dialects that change which rows there are, are refused."""
    given = dict(resource.dialect or {})
    nested = given.pop("csv", None)  # frictionless keeps the properties of CSV in an object of their own
    given |= nested if isinstance(nested, Mapping) else {}
    # Without a quotation mark a table has no quotes at all; that is another dialect.
    given = {key: value for key, value in given.items() if value is not None or key == "quoteChar"}
    odd = sorted(key for key in given if key not in _DIALECT)
    if odd or given.get("headerRows", [1]) != [1]:
        raise refused(resource, "dialect", names=", ".join(odd) or "headerRows")
    delimiter = "\t" if kind(resource) == "tsv" else ","
    dialect: dict[str, Any] = {
        "delimiter": delimiter,
        "quoteChar": '"',
        "doubleQuote": True,
        "header": True,
    } | given
    for key in ("delimiter", "quoteChar", "escapeChar", "commentChar"):
        if key in dialect and not (isinstance(dialect[key], str) and len(dialect[key]) == 1):
            raise refused(resource, "dialect", names=key)
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
    dialect = dialect_of(resource) if dialect is None else dialect
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


def first_record(path: Path, delimiter: str) -> list[str]:
    """The cells of the first record of a file.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
        csv.Error: a quotation mark is in the wrong place.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = iter(lambda: file.readline(MAX_CELL_CHARACTERS), "")
        return next(csv.reader(lines, delimiter=delimiter, strict=True), [])


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


def quoted(cell: str | None) -> str:
    """A cell of a file of ours, for `csv_scan`: between quotation marks, or nothing at all where it is missing."""
    return "" if cell is None else '"' + cell.replace('"', '""') + '"'


def refused(resource: Resource, key: str, **params: Any) -> ConversionError:
    """The error that the rows of a resource cannot be read, by the key of the text that says why."""
    reason = Phrase(f"error.table.{key}", params)
    return ConversionError(Phrase("error.table", {"name": resource.name, "reason": reason}))
