"""The sheet as a workbook, and as CSV."""

from __future__ import annotations

import csv
import io
import re
import textwrap
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cdmeta import profile
from cdmeta.form.questions import ANSWERS, SECTIONS, Question, is_list, questions
from cdmeta.phrase import closest
from cdmeta.profile import Codelist

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

COLUMNS = ("question", "answer", "answer.2", "answer.3", "help", "codes", "need", "path")
"""Keys below `form.column.` of the headings, in the order of the columns."""
PATH = COLUMNS.index("path")
ANSWER_COLUMNS = range(COLUMNS.index("answer"), COLUMNS.index("answer") + ANSWERS)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet that opens a CSV file takes for the beginning of a formula."""

_START = ("title", "what", "fill", "choose", "several", "leave", "out", "safe", "day", "rows", "back", "draft")
_FONT_SIZE, _LINE = 11.0, 1.35
"""Points of a letter; the height of a line as a multiple of it."""
_MAX_HEIGHT = 409.0
"""The highest row that a spreadsheet takes, in points."""
_WIDTHS = (44, 34, 22, 22, 60, 44, 24, 40)
_LISTS = "lists"
_REACHABLE = ("contributors[].email", "contributors[].path")
"""Of which one is needed, so that somebody can be asked (rule CD138)."""
_NUMBERS = ("integer", "number", "percent")
_ANSWER_FILL, _HEAD_FILL, _OFF_FILL = "FFFFF2CC", "FF1F4E78", "FFEDEDED"
_GREY = "FF808080"


def both(language: str, descriptor: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The sheet as the bytes of an .xlsx and of a .csv; the mark at its start lets spreadsheets see the UTF-8."""
    return workbook(language, descriptor), csv_text(language, descriptor).encode("utf-8-sig")


def csv_text(language: str, descriptor: Mapping[str, Any]) -> str:
    """The sheet as CSV: comma, a line a question, lines ended as RFC 4180 says.

    Args:
        language: of questions, help and names of codes; BCP 47.
        descriptor: what is answered already.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings(language))
    for question in questions(language, descriptor):
        row = list(_row(question, language))
        for column in ANSWER_COLUMNS:
            row[column] = _inert(str(row[column]))
        writer.writerow(row)
    return out.getvalue()


def headings(language: str) -> list[str]:
    """The first row of each sheet."""
    texts = profile.texts(language)
    return [texts[f"form.column.{key}"] for key in COLUMNS]


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `read` takes the apostrophe away again."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def _row(question: Question, language: str) -> tuple[Any, ...]:
    cells = (*question.cells, *[""] * (ANSWERS - len(question.cells)))
    told = (_help(question, language), _choice(question, language), _need(question, language))
    return (_asked(question, language), *cells, *told, question.path)


def _asked(question: Question, language: str) -> str:
    """Title and question, and which of several elements, which language or which column it is about."""
    texts, entry = profile.texts(language), question.entry
    of = [str(question.number)] if question.number and not question.about else []
    if question.about:
        of.append(texts["form.column.of"].format(column=question.about[0], table=question.about[-1]))
    if question.part:
        of.append(texts[f"form.part.{question.part}"])
    if question.tag:
        of.append(question.tag)
    title = f"{entry.title} ({', '.join(of)})" if of else entry.title
    return f"{title}\n{entry.question}"


def _help(question: Question, language: str) -> str:
    texts, entry = profile.texts(language), question.entry
    kind = "code" if entry.codelist else entry.type
    told = [entry.description]
    told += [texts[f"form.kind.{kind}"]] if f"form.kind.{kind}" in texts else []
    told += (
        [texts["form.example"].format(example=entry.example)] if entry.type in ("text", "string", "uri") else []
    )
    told += [texts["form.withhold"]] if entry.withhold else []
    return "\n".join(told)


def _choice(question: Question, language: str) -> str:
    if question.entry.type == "boolean":
        return "\n".join(_yes_no(language))
    if not question.entry.codelist:
        return ""
    return "\n".join(f"{code.name} ({code.id})" for code in _codes(question, language))


def _codes(question: Question, language: str) -> list[profile.Code]:
    return list(profile.load(language).codelists[question.entry.codelist].codes.values())


def _yes_no(language: str) -> tuple[str, str]:
    texts = profile.texts(language)
    return texts["form.yes"], texts["form.no"]


def _need(question: Question, language: str) -> str:
    texts, entry = profile.texts(language), question.entry
    if question.number > 1 and not question.about:
        return texts["form.need.another"]
    if entry.path in _REACHABLE:
        return texts["form.need.reachable"]
    if entry.tier == "conditional":
        above = profile.load(language).fields.get(entry.path.rpartition(".")[0].removesuffix("[]"))
        when = above.when if above and above.tier == "conditional" else entry.when
        return texts["form.need.conditional"].format(when=when)
    return texts[f"form.need.{entry.tier}"]


# --- the workbook


def workbook(language: str, descriptor: Mapping[str, Any]) -> bytes:
    """The sheet as a workbook (.xlsx): how to fill it in, a sheet a tier, and what the codes mean.

    Args:
        language: of questions, help and names of codes; BCP 47.
        descriptor: what is answered already.

    Returns:
        The same bytes for the same answers.
    """
    from openpyxl import Workbook

    book = Workbook()
    if book.active is not None:
        book.remove(book.active)
    _start(book.create_sheet(_tab("start", language)), language)
    asked = questions(language, descriptor)
    sheets = [(s, [q for q in asked if q.section == s]) for s in SECTIONS]
    tabs = [(book.create_sheet(_tab(section, language)), rows) for section, rows in sheets if rows]
    _meanings(book.create_sheet(_tab("codes", language)), language)
    ranges = _lists(book.create_sheet(_LISTS), language)
    for sheet, rows in tabs:
        _fill(sheet, rows, ranges, language)
    return _settled(book)


def _tab(key: str, language: str) -> str:
    # At most 31 characters, and none of these (ISO/IEC 29500-1 §18.2.19; what spreadsheets refuse).
    return re.sub(r"[\[\]:*?/\\]", " ", profile.texts(language)[f"form.tab.{key}"])[:31]


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> Cell:
    """A cell that holds what it is given: a text is never a formula."""
    cell: Any = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str) and value:
        cell.data_type = "s"
    return cell  # type: ignore[no-any-return]  # sheet.cell may give a merged cell; there are none here


def _start(sheet: Worksheet, language: str) -> None:
    from openpyxl.styles import Alignment, Font

    texts = profile.texts(language)
    sheet.column_dimensions["A"].width = 110
    keys = [*(f"form.start.{key}" for key in _START if key != "draft" or profile.STATUS == "draft")]
    keys += [] if closest(language) == profile.ENGLISH else ["translation.unofficial"]
    for row, key in enumerate(keys, start=1):
        cell = _put(sheet, row, 1, texts[key])
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if row == 1:
            cell.font = Font(bold=True, size=16)
    _fit(sheet)


def _lists(sheet: Worksheet, language: str) -> dict[str, str]:
    """The names to choose from, on a sheet that is not shown: code list → range; yes and no under `boolean`."""
    lists = {entry.id: [code.name for code in entry.codes.values()] for entry in _codelists(language)}
    ranges: dict[str, str] = {}
    for column, (key, names) in enumerate((lists | {"boolean": list(_yes_no(language))}).items(), start=1):
        for row, name in enumerate((key, *names), start=1):
            letter = _put(sheet, row, column, name).column_letter
        ranges[key] = f"{_LISTS}!${letter}$2:${letter}${len(names) + 1}"
    sheet.sheet_state = "hidden"
    return ranges


def _codelists(language: str) -> list[Codelist]:
    loaded = profile.load(language)
    used = {entry.codelist for entry in loaded.fields.values() if entry.tier != "tool"}
    return [codelist for codelist in loaded.codelists.values() if codelist.id in used]


def _meanings(sheet: Worksheet, language: str) -> None:
    texts = profile.texts(language)
    _head(sheet, [texts[f"form.codes.{key}"] for key in ("list", "name", "meaning", "code")], (34, 44, 90, 24))
    rows = [(codelist, code) for codelist in _codelists(language) for code in codelist.codes.values()]
    for number, (codelist, code) in enumerate(rows, start=2):
        for column, value in enumerate((codelist.name, code.name, code.description, code.id), start=1):
            _wrap(_put(sheet, number, column, value))
    _fit(sheet)


def _head(sheet: Worksheet, names: list[str], widths: tuple[int, ...]) -> None:
    from openpyxl.styles import Font, PatternFill

    for column, (name, width) in enumerate(zip(names, widths, strict=True), start=1):
        cell = _put(sheet, 1, column, name)
        _wrap(cell)
        cell.font = Font(bold=True, color="FFFFFFFF")
        cell.fill = PatternFill("solid", fgColor=_HEAD_FILL)
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.freeze_panes = "B2"


def _fit(sheet: Worksheet) -> None:
    """Make each row as high as its longest text: not every program does so when it opens a file."""
    from openpyxl.utils import get_column_letter

    for number, row in enumerate(sheet.iter_rows(), start=1):
        widths = (sheet.column_dimensions[get_column_letter(column)].width for column in range(1, len(row) + 1))
        lines = max(_lines(cell.value, width) for cell, width in zip(row, widths, strict=True))
        size = max(float(cell.font.size or _FONT_SIZE) for cell in row)
        sheet.row_dimensions[number].height = min(lines * size * _LINE + 3, _MAX_HEIGHT)


def _lines(value: object, width: float) -> int:
    """How many lines a text takes in a column, whose width is told in characters; words break where they can."""
    return sum(len(textwrap.wrap(line, max(int(width) - 2, 8))) or 1 for line in str(value or "").split("\n"))


def _wrap(cell: Cell) -> None:
    from openpyxl.styles import Alignment

    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _fill(sheet: Worksheet, rows: list[Question], ranges: Mapping[str, str], language: str) -> None:
    _head(sheet, headings(language), _WIDTHS)
    _print_setup(sheet)
    style = _styles()
    for number, question in enumerate(rows, start=2):
        for column, value in enumerate(_row(question, language)):
            cell = _put(sheet, number, column + 1, value if value != "" else None)
            _wrap(cell)
            style(cell, question, column)
    for key, cells in _choices(rows).items():
        _drop_down(sheet, ranges[key], cells)
    _fit(sheet)


def _print_setup(sheet: Worksheet) -> None:
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _styles() -> Callable[[Cell, Question, int], None]:
    """What gives a cell its looks, by its question and its column."""
    from openpyxl.styles import Border, Font, PatternFill, Side

    line = Side(style="thin", color=_GREY)
    border = Border(left=line, right=line, top=line, bottom=line)
    yellow, off = PatternFill("solid", fgColor=_ANSWER_FILL), PatternFill("solid", fgColor=_OFF_FILL)
    bold, grey = Font(bold=True), Font(color=_GREY, size=9)

    def style(cell: Cell, question: Question, column: int) -> None:
        if column in ANSWER_COLUMNS:
            takes = column == ANSWER_COLUMNS[0] or is_list(question.entry)
            cell.fill, cell.border = yellow if takes else off, border
            # As text, so that 2025-03 does not become a day; numbers stay numbers.
            cell.number_format = "General" if question.entry.type in _NUMBERS else "@"
        elif column == 0:
            cell.font = bold
        elif column == PATH:
            cell.font = grey

    return style


def _choices(rows: list[Question]) -> dict[str, list[str]]:
    """The cells to choose in, by what is chosen from."""
    found: dict[str, list[str]] = {}
    for number, question in enumerate(rows, start=2):
        key = question.entry.codelist or ("boolean" if question.entry.type == "boolean" else "")
        if key:
            last = "BCD"[ANSWERS - 1 if is_list(question.entry) else 0]
            found.setdefault(key, []).append(f"B{number}:{last}{number}")
    return found


def _drop_down(sheet: Worksheet, source: str, cells: list[str]) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    # No error is shown: a code, or several parted by a semicolon, may be written by hand.
    rule = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=False)
    for cell in cells:
        rule.add(cell)
    sheet.add_data_validation(rule)


_TIMES = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")


def _settled(book: Workbook) -> bytes:
    """The bytes of a workbook without the times at which they were written."""
    saved, out = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in _members(old):
            data = old.read(name)
            new.writestr(zipfile.ZipInfo(name), _TIMES.sub(b"", data), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _members(archive: zipfile.ZipFile) -> Iterator[str]:
    # Some programs tell the kind of a file by its first member.
    yield from sorted(archive.namelist(), key=lambda name: name != "[Content_Types].xml")
