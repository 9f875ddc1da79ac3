"""What python-calamine does not tell of a sheet, read in the XML of the workbook; and workbooks made harmless.

A formula that was never calculated and a cell that shows an error are both empty to calamine. It is handed
nothing but parts that were unpacked here within limits, and no sheet that is too large to be kept.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from cdmeta.package import MAX_ZIP_MEMBERS
from cdmeta.tables.packed import bounded, chunks, damage_told
from cdmeta.tables.records import TableReadError

MAX_CELLS = 10_000_000
"""Cells from the first row and column to the last of a sheet; calamine keeps them all, some thirty bytes each."""
_MAX_ROWS, _MAX_COLUMNS = 2**20, 2**14

Cell = tuple[int, int]
"""Row and column, both from 0."""

_LEFT_OUT = re.compile(r"(?:xl/media|xl/drawings|xl/embeddings|Pictures|Thumbnails)/")
_TRUE = ("1", "true")
_FILLED = re.compile(rb"<(?:\w+:)?(?:v|is)[ >/]")


@dataclass
class Facts:
    """What is seen in a sheet.

    Attributes:
        formulas: cells with a formula and no value.
        errors: cells that show an error.
        merged: first and last cell of what was made one.
        hidden_rows, hidden_columns: those that hold something and are hidden, from 0.
        rows, columns: how far the sheet reaches.
    """

    formulas: list[Cell] = field(default_factory=list)
    errors: list[Cell] = field(default_factory=list)
    merged: list[tuple[Cell, Cell]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    rows: int = 0
    columns: int = 0

    def reach(self, row: int, column: int) -> None:
        """Take in a cell.

        Raises:
            TableReadError: CD401, the sheet is too large.
        """
        self.rows, self.columns = max(self.rows, row + 1), max(self.columns, column + 1)
        if self.rows * self.columns > MAX_CELLS:
            raise TableReadError("CD401", "sheet-large", limit=f"{MAX_CELLS:,}")


def repacked(path: Path, part: str, target: Path) -> Path:
    """Write the parts of a workbook anew, without pictures, each no longer than it says.

    Raises:
        TableReadError: CD401, the file is no zip, or is damaged, or too large unpacked.
    """
    with _damage_told(part), zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w") as copy:
        infos = [info for info in archive.infolist() if not _LEFT_OUT.match(info.filename)]
        if len(infos) > MAX_ZIP_MEMBERS or len({info.filename for info in infos}) < len(infos):
            raise zipfile.BadZipFile("members")
        with closing(_copied(archive, copy, infos)) as copied:
            for _ in bounded(copied, path.stat().st_size, part):
                pass
    return target


def _damage_told(part: str) -> AbstractContextManager[None]:
    return damage_told("workbook-damaged", part, KeyError, expat.ExpatError)


def _copied(
    archive: zipfile.ZipFile, copy: zipfile.ZipFile, infos: list[zipfile.ZipInfo]
) -> Generator[bytes, None, None]:
    for info in infos:
        if info.filename.endswith("/"):
            continue
        # The name alone: what else the old entry says may be wrong.
        with archive.open(info) as source, copy.open(info.filename, "w", force_zip64=True) as target:
            for chunk in chunks(source):
                yield chunk
                target.write(chunk)


def parse(path: Path, name: str, part: str, start: Callable[[str, dict[str, str]], None]) -> None:
    """Show the elements of a part of a workbook.

    Args:
        path: a workbook that was repacked.
        name: of the part.
        part: what the file is called in findings.
        start: is shown each element and its attributes, names as they are written.

    Raises:
        TableReadError: CD401, the part is not there, or is no XML, or has a document type.
    """
    parser = expat.ParserCreate()
    _show(parser, path, name, part, start)


def _show(
    parser: expat.XMLParserType, path: Path, name: str, part: str, start: Callable[[str, dict[str, str]], None]
) -> None:
    def doctype(*_: object) -> None:
        raise TableReadError("CD401", "workbook-doctype", part)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    with _damage_told(part), zipfile.ZipFile(path) as archive, archive.open(name) as file:
        for chunk in chunks(file):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)


# Office Open XML


def sheet_parts(path: Path, part: str) -> list[str]:
    """The names of the parts of all sheets of an xlsx, in their order (ECMA-376 part 1, 18.2.19).

    Raises:
        TableReadError: CD401, it is damaged.
    """
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: Mapping[str, str]) -> None:
        if _local(name) == "sheet":
            ids.append(next((value for key, value in attributes.items() if key.endswith(":id")), ""))

    def relation(name: str, attributes: Mapping[str, str]) -> None:
        if _local(name) == "Relationship":
            target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            targets[attributes.get("Id", "")] = target.lstrip("/")

    parse(path, "xl/workbook.xml", part, sheet)
    parse(path, "xl/_rels/workbook.xml.rels", part, relation)
    return [targets.get(one, "") for one in ids]


def is_filled(path: Path, name: str) -> bool:
    """Tell whether the part of a sheet holds a value, by its bytes."""
    tail = b""
    with zipfile.ZipFile(path) as archive:
        if name not in archive.namelist():
            return False
        with archive.open(name) as file:
            for chunk in chunks(file):
                if _FILLED.search(tail + chunk):
                    return True
                tail = chunk[-40:]
    return False


def xlsx_facts(path: Path, name: str, part: str) -> Facts:
    """What is seen in a sheet of an xlsx.

    Args:
        path: the workbook, repacked.
        name: name of the part of the sheet.
        part: what the file is called in findings.

    Raises:
        TableReadError: CD401, it is damaged or too large.
    """
    reader = _XlsxSheet()
    _show(reader.parser, path, name, part, reader.start)
    return reader.finished()


class _XlsxSheet:
    """Takes the cells of a sheet as they pass by (ECMA-376 part 1, 18.3.1)."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.facts = Facts()
        self._row, self._column = -1, -1
        self._type, self._has_formula, self._has_value, self._is_open = "", False, False, False
        self._is_hidden = False
        self._hidden: set[int] = set()
        self._filled: set[int] = set()
        self._columns: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; a cell is judged when the next begins."""
        name = _local(name)
        if name == "c":
            self._end_cell()
            self._begin_cell(attributes)
        elif name == "f":
            self._has_formula = True
        elif name in ("v", "is"):
            # Behind a formula stands an element for the value even where there is none.
            if self._has_formula:
                self.parser.CharacterDataHandler = self._text
            else:
                self._has_value = True
        elif name == "row":
            self._end_cell()
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
            self._is_hidden = attributes.get("hidden") in _TRUE
        elif name == "col" and attributes.get("hidden") in _TRUE:
            last = min(int(attributes.get("max", 0)), _MAX_COLUMNS)
            self._hidden |= set(range(int(attributes.get("min", 1)) - 1, last))

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._column += 1
        if reference := attributes.get("r"):
            letters = reference.rstrip("0123456789")
            self._row = int(reference[len(letters) :]) - 1
            self._column = self._number(letters)
        if not (0 <= self._row < _MAX_ROWS and 0 <= self._column < _MAX_COLUMNS):
            raise ValueError(reference)
        self._type, self._is_open = attributes.get("t", ""), True

    def _number(self, letters: str) -> int:
        if letters not in self._columns:
            if not re.fullmatch("[A-Z]{1,3}", letters):
                raise ValueError(letters)
            number = 0
            for letter in letters:
                number = number * 26 + ord(letter) - 64
            self._columns[letters] = number - 1
        return self._columns[letters]

    def _text(self, _: str) -> None:
        self._has_value = True
        self.parser.CharacterDataHandler = None

    def _end_cell(self) -> None:
        if not self._is_open:
            return
        cell = (self._row, self._column)
        # A formula whose result is the empty text says that it is text.
        if self._has_formula and not self._has_value and self._type != "str":
            self.facts.formulas.append(cell)
        if self._type == "e" and self._has_value:
            self.facts.errors.append(cell)
        if self._has_formula or self._has_value:
            self.facts.reach(*cell)
            self._filled.add(self._column)
            if self._is_hidden:
                self.facts.hidden_rows.add(self._row)
        self._has_formula = self._has_value = self._is_open = False
        self.parser.CharacterDataHandler = None

    def finished(self) -> Facts:
        """What was seen, once all have passed by."""
        self._end_cell()
        self.facts.hidden_columns = self._hidden & self._filled
        return self.facts


def _local(name: str) -> str:
    return name.rpartition(":")[2]


# OpenDocument


def ods_facts(path: Path, part: str) -> list[Facts]:
    """What is seen in each sheet of an ods, in their order (OpenDocument 1.3 part 3, 9.1).

    Raises:
        TableReadError: CD401, it is damaged or too large.
    """
    reader = _Ods()
    parse(path, "content.xml", part, reader.start)
    if sum(facts.rows * facts.columns for facts in reader.sheets) > MAX_CELLS:
        raise TableReadError("CD401", "sheet-large", part, limit=f"{MAX_CELLS:,}")
    return reader.sheets


class _Ods:
    """Takes the cells of all sheets as they pass by; rows and cells stand for several with `…-repeated`."""

    def __init__(self) -> None:
        self.sheets: list[Facts] = []
        self._row = self._rows = self._column = 0
        self._is_hidden = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "table:table":
            self.sheets.append(Facts())
            self._row = self._rows = 0
        elif name == "table:table-row" and self.sheets:
            self._row += self._rows
            self._rows = _count(attributes, "table:number-rows-repeated")
            self._column = 0
            self._is_hidden = attributes.get("table:visibility") in ("collapse", "filter")
        elif name in ("table:table-cell", "table:covered-table-cell") and self.sheets:
            self._cell(attributes)

    def _cell(self, attributes: Mapping[str, str]) -> None:
        facts, cell = self.sheets[-1], (self._row, self._column)
        self._column += _count(attributes, "table:number-columns-repeated")
        is_error = attributes.get("calcext:value-type") == "error"
        has_value = "office:value-type" in attributes
        if "table:formula" in attributes and not has_value:
            facts.formulas.append(cell)
        if is_error:
            facts.errors.append(cell)
        if has_value or "table:formula" in attributes:
            facts.reach(self._row + self._rows - 1, self._column - 1)
            if self._is_hidden:
                facts.hidden_rows.add(self._row)
        down, across = (_count(attributes, f"table:number-{way}-spanned") for way in ("rows", "columns"))
        if down > 1 or across > 1:
            facts.merged.append((cell, (cell[0] + down - 1, cell[1] + across - 1)))


def _count(attributes: Mapping[str, str], name: str) -> int:
    return max(1, int(attributes.get(name, "1")))
