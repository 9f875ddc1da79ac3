"""The spreadsheet of questions: written, filled in with other programs, and read back."""

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from commands import exit_code as run
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cdmeta import form, profile
from cdmeta.errors import CdmetaError, SheetError
from cdmeta.form.questions import WRITTEN_BY_TOOLS, is_writable
from cdmeta.form.write import headings
from cdmeta.profile import Field
from cdmeta.text import is_missing
from cdmeta.workflows.fill import fill
from cdmeta.workflows.new import new

TODAY = date(2026, 3, 1)
LEVELS = ("designObjectives", "designPartnerships", "designMethods", "designAccessUse", "collection")
ANSWERS: Mapping[str, tuple[Any, ...]] = {
    "title": ("Clinic scorecards (made up)",),
    "description": ("=Scores of twelve clinics; 'quoted', made up",),
    "licenses[1].name": ("CC-BY-4.0",),
    "contributors[1].title": ("Ward committee (made up)",),
    "contributors[1].email": ("data@example.org",),
    "contributors[1].roles": ("publisher", "contact"),
    "citizenData.initiativeType": ("CIVIC_ACTION",),
    "citizenData.dataTradition": ("COMMUNITY_DRIVEN",),
    "citizenData.initiators[1].name": ("Ward committee (made up)",),
    "citizenData.initiators[1].kind": ("COMMUNITY",),
    "citizenData.initiators[2].name": ("Office of Exampleland (made up)",),
    "citizenData.initiators[2].kind": ("CSO_COMMUNITY",),
    **{f"citizenData.participation.{stage}": ("L4",) for stage in LEVELS},
    "citizenData.objectives": ("SERVICES", "UNREPRESENTED"),
    "citizenData.purpose": ("Patients wait too long.",),
    "citizenData.methodology": ("Scored in a joint meeting.",),
    "citizenData.collectionMode": ("SCORECARD",),
    "citizenData.population": ("Users of the twelve clinics",),
    "citizenData.geography": ("KE", "Ward 3 (made up)"),
    "citizenData.collectionPeriod.start": (datetime(2025, 2, 1),),  # noqa: DTZ001 - as a spreadsheet has it
    "citizenData.collectionPeriod.end": ("2025-03-15",),
    "citizenData.referencePeriod.start": ("2025-01-01",),
    "citizenData.referencePeriod.end": ("2025-03-31",),
    "citizenData.samplingMethod": ("CENSUS",),
    "citizenData.achievedCount": (412.0,),
    "citizenData.collectorType": ("COMMUNITY_MEMBER",),
    "citizenData.validation": ("COMMUNITY_REVIEW", "OWNER_REVIEW", "AUTO_RULES", "EXPERT_REVIEW"),
    "citizenData.limitations": ("People who never go are missing.",),
    "citizenData.personalDataCollected": ("ORDINARY",),
    "citizenData.consentBasis": ("CONSENT_EXPRESSED",),
    "citizenData.consentInformed": ("YES",),
    "citizenData.consentWithdrawal": ("BEFORE_ANON",),
    "citizenData.minors": ("NO",),
    "citizenData.jurisdiction": ("KE",),
    "citizenData.releaseForm": ("AGGREGATE",),
    "citizenData.dataUse": ("Talked over with the clinics.",),
    "citizenData.accessRights": ("OPEN",),
    "citizenData.directInvolvement": (True,),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return started(tmp_path)


def started(tmp_path: Path, language: str = "en") -> Path:
    source = tmp_path / "visits.csv"
    source.write_text("ward,year,visits\nA,2024,3\nB,2024,4\n", encoding="utf-8")
    return new(tmp_path / "visits", source, TODAY, language=language).out


def descriptor(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    return found


def rows(book: Workbook) -> Iterator[tuple[Worksheet, int, str]]:
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=2, min_col=8, max_col=8):
            if isinstance(row[0].value, str):
                yield sheet, row[0].row, row[0].value


def drop_down(sheet: Worksheet, cell: str) -> list[str]:
    """The names that the drop-down of a cell offers."""
    book: Any = sheet.parent
    for rule in sheet.data_validations.dataValidation:
        if cell in rule.sqref:
            name, _, where = str(rule.formula1).partition("!")
            return [str(row[0].value) for row in book[name][where.replace("$", "")]]
    return []


def chosen(sheet: Worksheet, cell: str, code: str, language: str) -> str:
    """The name of a code, as the drop-down offers it."""
    names = drop_down(sheet, cell)
    found = [
        entry.codes[code].name
        for entry in profile.load(language).codelists.values()
        if [each.name for each in entry.codes.values()] == names
    ]
    assert len(found) == 1, (cell, code, names)
    assert found[0] in names
    return found[0]


def fill_in(book: Workbook, answers: Mapping[str, tuple[Any, ...]], language: str) -> None:
    left = dict(answers)
    for sheet, number, path in rows(book):
        values = left.pop(path, ())
        for column, value in zip("BCD", values, strict=False):
            if isinstance(value, bool):
                value = drop_down(sheet, f"B{number}")[0 if value else 1]
            elif drop_down(sheet, f"B{number}"):
                value = chosen(sheet, f"{column}{number}", value, language)
            cell = sheet[f"{column}{number}"]
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
        if len(values) > 3:
            name = chosen(sheet, f"D{number}", values[3], language)
            sheet[f"D{number}"] = f"{sheet[f'D{number}'].value}; {name}"
    assert not left


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_workbook_that_is_filled_in_gives_a_package_that_validates(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = started(tmp_path, language)
    sheet = package / "QUESTIONS.xlsx"
    book = openpyxl.load_workbook(sheet)
    fill_in(book, ANSWERS, language)
    book.save(sheet)
    assert run("fill", package, sheet) == 0
    told = capsys.readouterr().out
    assert "Still open" not in told
    assert f"{len(ANSWERS)} answers" in told
    own = descriptor(package)["citizenData"]
    assert own["participation"] == dict.fromkeys(LEVELS, "L4")
    assert own["initiators"] == [
        {"name": "Ward committee (made up)", "kind": "COMMUNITY"},
        {"name": "Office of Exampleland (made up)", "kind": "CSO_COMMUNITY"},
    ]
    assert own["validation"] == ["COMMUNITY_REVIEW", "OWNER_REVIEW", "AUTO_RULES", "EXPERT_REVIEW"]
    assert own["collectionPeriod"] == {"start": "2025-02-01", "end": "2025-03-15"}
    assert own["achievedCount"] == 412
    assert isinstance(own["achievedCount"], int)
    assert own["directInvolvement"] is True
    assert descriptor(package)["description"] == ANSWERS["description"][0]
    assert run("validate", package) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "windows-1252"), ("\t", "utf-16"), (",", "utf-8-sig")])
def test_csv_as_spreadsheets_save_it_gives_a_package_that_validates(
    delimiter: str, encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = started(tmp_path, "es")
    sheet = package / "questions.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    for row in table[1:]:
        answers = [value.date() if isinstance(value, datetime) else value for value in ANSWERS.get(row[7], ())]
        names = {code.id: code.name for entry in profile.load("es").codelists.values()
                 if any(f"({code})" in row[5] for code in entry.codes) for code in entry.codes.values()
                 if f"{code.name} ({code.id})" in row[5].split("\n")}  # fmt: skip
        words = ["Sí" if value is True else names.get(str(value), str(value)) for value in answers]
        if row[7] == "description":
            words = [f"'{words[0]}"]
        row[1:4] = [*words[:2], "; ".join(words[2:]), "", ""][:3] if words else row[1:4]
    with sheet.open("w", encoding=encoding, errors="replace", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(table)
    assert run("fill", package, sheet) == 0
    assert descriptor(package)["description"] == ANSWERS["description"][0]
    assert descriptor(package)["citizenData"]["directInvolvement"] is True
    capsys.readouterr()
    assert run("validate", package) == 0, capsys.readouterr().out


EXAMPLES = [
    path
    for path in sorted((Path(__file__).parent.parent / "examples").glob("*/package/datapackage.json"))
    if path.parts[-3] != "broken"
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parts[-3])
def test_what_is_answered_already_stands_in_the_sheet_and_changes_nothing(example: Path) -> None:
    given = json.loads(example.read_text(encoding="utf-8"))
    for data, name in zip(form.both("es", given), ("q.xlsx", "q.csv"), strict=True):
        sheet = form.read(data, name)
        merged = form.merge(given, sheet.answers)
        assert (merged.descriptor, merged.changed, sheet.problems) == (given, (), ())
        assert len(sheet.answers) > 25


def test_the_same_answers_give_the_same_bytes() -> None:
    assert form.both("fr", {}) == form.both("fr", {})


def table(answers: Mapping[str, Any], *more: list[str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Your answer", "Second answer", "Third answer", "Name of the field (leave as it is)"])
    for path, value in answers.items():
        cells = list(value) if isinstance(value, tuple) else [value]
        writer.writerow([*[*cells, "", "", ""][:3], path])
    writer.writerows(more)
    return out.getvalue().encode()


def problems(data: bytes) -> list[str]:
    sheet = form.read(data, "q.csv")
    return [str(problem) for problem in sheet.problems]


HARMFUL = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "'=1", "=HYPERLINK(1;2)")


@pytest.mark.parametrize("text", HARMFUL)
def test_no_answer_is_ever_a_formula(text: str) -> None:
    given = {"title": text, "citizenData": {"language": "en", "geography": [text, "b", "c", text + "2"]}}
    workbook, as_csv = form.both("en", given)
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert text in [cell.value for cell in cells if cell.number_format == "@"]
    for row in csv.reader(io.StringIO(as_csv.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    for data in (workbook, as_csv):
        assert form.merge(given, form.read(data, "q").answers).changed == ()


def test_names_of_columns_cannot_break_the_sheet() -> None:
    fields = [{"name": "\x01\ud800=x" + "y" * 99}, {"name": ["?"]}, "no object", {}]
    given = {"resources": [{"name": None, "schema": {"fields": fields}}, {"schema": "s.json"}, 3]}
    asked = [question for question in form.questions("en", given) if question.about]
    assert len(asked) == 12
    assert asked[0].about[0].startswith("\\x01\\ud800=xy")
    assert all(form.read(data, "q").problems == () for data in form.both("en", given))


def test_the_workbook_is_made_for_people(package: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(form.workbook("es", descriptor(package))))
    assert [(sheet.title, sheet.sheet_state) for sheet in book.worksheets] == [
        ("Empiece aquí", "visible"), ("Hacen falta", "visible"), ("Según el caso", "visible"),
        ("Recomendadas", "visible"), ("Adicionales", "visible"), ("Qué significan los códigos", "visible"),
        ("lists", "hidden"),
    ]  # fmt: skip
    assert book.active is book.worksheets[0]
    told = [str(row[0].value) for row in book.worksheets[0].iter_rows()]
    assert any("cdmeta fill" in line for line in told)
    assert any("borrador" in line for line in told)
    assert profile.texts("es")["translation.unofficial"] in told
    for sheet in book.worksheets[1:5]:
        assert sheet.freeze_panes == "B2"
        assert [cell.value for cell in sheet[1]] == headings("es")
    asked = [path for _, _, path in rows(book)]
    assert len(set(asked)) == len(asked)
    core = {path for path, entry in profile.load().fields.items() if entry.tier == "core"}
    assert not book["Hacen falta"].protection.sheet
    assert len(asked) > 150
    needed = [cell.value for cell in book["Hacen falta"]["H"][1:]]
    assert needed[:2] == ["title", "description"]
    assert needed[-3:] == ["name", "version", "citizenData.language"]
    assert {path.split("[")[0].removesuffix(".start").removesuffix(".end") for path in needed} == {
        path.split("[")[0] for path in core
    } - set(WRITTEN_BY_TOOLS)
    meanings = [
        [cell.value for cell in row[:4]] for row in book["Qué significan los códigos"].iter_rows(min_row=2)
    ]
    code = profile.load("es").codelists["CL_ACCESS"].codes["OPEN"]
    assert [profile.load("es").codelists["CL_ACCESS"].name, code.name, code.description, "OPEN"] in meanings


def test_every_row_is_as_high_as_its_texts(package: Path) -> None:
    """Not every program fits rows when it opens a file; a question that cannot be read is not answered."""
    for sheet in openpyxl.load_workbook(package / "QUESTIONS.xlsx").worksheets:
        for number, row in enumerate(sheet.iter_rows() if sheet.sheet_state == "visible" else (), start=1):
            lines = max(str(cell.value or "").count("\n") + 1 for cell in row)
            assert (sheet.row_dimensions[number].height or 0) >= min(lines * 14, 400)


def test_the_profile_is_exported_as_an_empty_sheet(tmp_path: Path) -> None:
    assert run("profile", "export", "--to", "xlsx", "--lang", "es", "--out", tmp_path / "out") == 0
    names = ("QUESTIONS.xlsx", "questions.csv")
    assert tuple((tmp_path / "out" / name).read_bytes() for name in names) == form.both("es", {})


# --- what is wrong with a sheet is told, all of it


def test_all_that_cannot_be_read_is_told_and_nothing_is_written(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (package / "datapackage.json").read_bytes()
    sheet = package / "QUESTIONS.xlsx"
    book = openpyxl.load_workbook(sheet)
    places = {path: (each, number) for each, number, path in rows(book)}

    def put(path: str, *values: str) -> int:
        each, number = places[path]
        for column, value in zip("BCD", values, strict=False):
            each[f"{column}{number}"] = value
        return number

    put("title", "Kept back")
    formula = put("description", "=1+1")
    code = put("citizenData.accessRights", "Open to friends")
    count = put("citizenData.achievedCount", "many")
    one = put("citizenData.purpose", "a", "b")
    day = put("citizenData.collectionPeriod.start", "02/03/2025")
    each, unknown = places["citizenData.population"]
    each[f"B{unknown}"], each[f"H{unknown}"] = "x", "citizenData.populaton"
    each[f"B{unknown + 1}"], each[f"H{unknown + 1}"] = "y", None
    book.save(sheet)
    assert run("fill", package, sheet) == 1
    assert (package / "datapackage.json").read_bytes() == before
    names = "; ".join(code.name for code in profile.load().codelists["CL_ACCESS"].codes.values())
    field = "Name of the field (leave as it is)"
    assert capsys.readouterr().out.splitlines() == [
        f"Nothing was written to datapackage.json: 7 answers in {sheet} cannot be taken over.",
        f"  - Needed, row {formula}, Description: the cell holds a formula. Write the answer itself.",
        f"  - Needed, row {one}, Need or issue: only one answer can be given, in the first yellow cell.",
        (
            f'  - Needed, row {unknown}, citizenData.populaton: "citizenData.populaton" is the name of no field. '
            'Did you mean "citizenData.population"?'
        ),
        (
            f"  - Needed, row {unknown + 1}: there is an answer, and nothing in the column "
            f'"{field}" that tells what it answers.'
        ),
        (
            f'  - Needed, row {day}, Period of collection: Which is the month in "02/03/2025"? '
            "Write year, month, day, as in 2025-03-28."
        ),
        f'  - Needed, row {count}, Number obtained: "many" is no whole number. Write it with digits only.',
        f'  - Needed, row {code}, Access: "Open to friends" is none of the answers to choose from: {names}.',
    ]


def test_sheets_may_be_renamed_and_rows_moved_and_deleted(package: Path) -> None:
    book = openpyxl.load_workbook(package / "QUESTIONS.xlsx")
    sheet = book["Needed"]
    sheet.title = "Mine"
    sheet.delete_rows(10, 30)
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Filled in by the committee"
    sheet["B60"], sheet["H60"] = "Clinics", " title "
    book.move_sheet("Mine", 3)
    out = io.BytesIO()
    book.save(out)
    read = form.read(out.getvalue(), "q.xlsx")
    assert read.problems == ()
    assert read.answers == {"title": "Clinics", "name": "visits", "version": "1.0.0", "citizenData.language": "en"}


def test_a_sheet_without_its_headings_is_told_and_not_passed_over(package: Path) -> None:
    book = openpyxl.load_workbook(package / "QUESTIONS.xlsx")
    fill_in(book, ANSWERS, "en")
    first = book.worksheets[1]
    first.delete_rows(1)
    out = io.BytesIO()
    book.save(out)
    (said,) = problems(out.getvalue())
    assert said.startswith(f'{first.title}: the column "Your answer" is missing.')


def test_a_csv_without_the_column_for_answers_is_called_by_its_name() -> None:
    read = form.read(b"Name of the field (leave as it is),Answer\ntitle,A\n", "mine.csv")
    assert [str(said).partition(" is missing")[0] for said in read.problems] == [
        'mine.csv: the column "Your answer"'
    ]


def test_a_field_answered_twice_is_taken_once_or_told_with_both_places() -> None:
    same = table({"title": "Clinics"}, ["Clinics", "", "", "title"], ["", "", "", "title"])
    assert form.read(same, "q.csv").answers == {"title": "Clinics"}
    assert problems(table({"title": "Clinics"}, ["Wards", "", "", "title"])) == [
        "Row 3, Title: there is another answer to it: Row 2. Leave one of them."
    ]


WRONG: list[tuple[str, object, str]] = [
    ("citizenData.directInvolvement", "perhaps", '"perhaps" is neither Yes nor No.'),
    ("citizenData.responseRate.value", "1,234", "does the comma in"),
    ("citizenData.responseRate.value", "-3", "is no number"),
    ("citizenData.achievedCount", "4.5", "is no whole number"),
    ("citizenData.achievedCount", "1,234", "is no whole number"),
    ("citizenData.achievedCount", "1e9999", "is no whole number"),
    ("citizenData.collectionPeriod.end", "2025-02-30", "is no day"),
    ("citizenData.collectionPeriod.end", "2025-03", "is no day"),
    ("citizenData.collectionPeriod", "2025-03-01", "is the name of no field"),
    ("citizenData.initiators", "Ward committee", "is the name of no field"),
    ("citizenData.initiators[0].name", "Ward committee", 'Did you mean "citizenData.initiators[1].name"?'),
    ("citizenData.initiators[99999].name", "Ward committee", "is the name of no field"),
    ("citizenDataStatus", "CITIZEN_DATA", "is the name of no field"),
    ("title@?", "Clinics", "is the name of no field"),
    ("name@fr", "clinics", "is the name of no field"),
    ("citizenData.accessRights", "OPEN; CLOSED", "none of the answers"),
    ("citizenData.objectives", ("SERVICES; health", "x"), '"health" is none of the answers'),
    ("title", '=HYPERLINK("http://example.org")', "the cell holds a formula"),
]


@pytest.mark.parametrize(("path", "value", "told"), WRONG)
def test_what_cannot_be_read_is_told(path: str, value: object, told: str) -> None:
    (said,) = problems(table({path: value}))
    assert said.startswith("Row 2, ")
    assert told in said


RIGHT: list[tuple[str, object, object]] = [
    ("citizenData.accessRights", "open", "OPEN"),
    ("citizenData.accessRights", " Abierto ", "OPEN"),
    ("citizenData.accessRights", "Open (OPEN)", "OPEN"),
    ("citizenData.participation.collection", "4", "L4"),
    ("citizenData.objectives", ("SERVICES", "SERVICES; UNREPRESENTED"), ["SERVICES", "UNREPRESENTED"]),
    ("citizenData.objectives", "SERVICES\nUNREPRESENTED;", ["SERVICES", "UNREPRESENTED"]),
    ("citizenData.geography", ('"Ward 3; the hills"; KE', "", "UG"), ["Ward 3; the hills", "KE", "UG"]),
    ("citizenData.geography", '"Big" ward; KE', ['"Big" ward', "KE"]),
    ("citizenData.directInvolvement", "sí", True),
    ("citizenData.directInvolvement", "FALSE", False),
    ("citizenData.responseRate.value", "79,2", 79.2),
    ("citizenData.responseRate.value", "79.2 %", 79.2),
    ("citizenData.responseRate.value", "0,125", 0.125),
    ("citizenData.responseRate.value", "80.0", 80),
    ("citizenData.achievedCount", "4 212", 4212),
    ("citizenData.directInvolvement", "si", True),
    ("citizenData.participation.collection", "Autodeterminacion", "L5"),
    ("citizenData.participation.collection", "autodétermination", "L5"),
    ("citizenData.achievedCount", "4\u202f212", 4212),
    ("citizenData.collectionPeriod.start", "28/03/2025", "2025-03-28"),
    ("citizenData.collectionPeriod.start", "3/28/2025", "2025-03-28"),
    ("citizenData.collectionPeriod.start", "02.03.2025", "2025-03-02"),
    ("citizenData.collectionPeriod.start", "2025/3/2", "2025-03-02"),
    ("citizenData.collectionPeriod.start", "WITHHELD_SAFETY", "WITHHELD_SAFETY"),
    ("citizenData.initiators[12].name", "WITHHELD_SAFETY", "WITHHELD_SAFETY"),
    ("citizenData.initiators[1].name", "withheld safety", "WITHHELD_SAFETY"),
    ("citizenData.collectionPeriod.start", "Withheld_Safety", "WITHHELD_SAFETY"),
    ("citizenData.geography", "WITHHELD-SAFETY; KE", ["WITHHELD_SAFETY", "KE"]),
    ("citizenData.purpose", "withheld safety", "withheld safety"),
    ("licenses[1].name", "CC BY 4.0", "CC-BY-4.0"),
    ("licenses[1].name", "cc0_1.0", "CC0-1.0"),
    ("licenses[1].name", "Our own licence 4.0", "Our own licence 4.0"),
    ("citizenData.purpose@fr", "Trop d'attente ; trop long", "Trop d'attente ; trop long"),
    ("title", "- ", None),
    ("description", "'=1+1", "=1+1"),
    ("description", "''-1", "'-1"),
    ("description", "- first\n- second", "- first\n- second"),
    ("description", "'quoted'", "'quoted'"),
]


@pytest.mark.parametrize(("path", "value", "answer"), RIGHT)
def test_what_people_write_is_understood(path: str, value: object, answer: object) -> None:
    sheet = form.read(table({path: value}), "q.csv")
    assert (sheet.answers, sheet.problems) == ({path: answer}, ())


CELLS: list[tuple[str, object, str, object]] = [
    ("citizenData.achievedCount", 412.0, "General", 412),
    ("citizenData.responseRate.value", 0.792, "0.0%", 79.2),
    ("citizenData.responseRate.value", 79, "General", 79),
    ("citizenData.directInvolvement", True, "General", True),
    ("citizenData.collectionPeriod.start", date(2025, 2, 1), "d/m/yyyy", "2025-02-01"),
    ("citizenData.participation.collection", 4, "General", "L4"),
    ("citizenData.tools[1].version", 2.1, "General", "2.1"),
    ("citizenData.tools[1].version", 3.0, "General", "3"),
    ("citizenData.geography", 404, "General", ["404"]),
]


@pytest.mark.parametrize(("path", "value", "shown", "answer"), CELLS)
def test_values_that_a_spreadsheet_made_are_understood(path: str, value: Any, shown: str, answer: object) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["Su respuesta", "Name of the field (leave as it is)"])
    sheet.append([value, path])
    sheet["A2"].number_format = shown
    out = io.BytesIO()
    book.save(out)
    read = form.read(out.getvalue(), "q.xlsx")
    assert (read.answers, read.problems) == ({path: answer}, ())
    assert type(read.answers[path]) is type(answer)


def test_a_period_is_withheld_as_a_whole(package: Path) -> None:
    start, end = "citizenData.collectionPeriod.start", "citizenData.collectionPeriod.end"
    (said,) = problems(table({start: "WITHHELD_SAFETY", end: "2025-03-01"}))
    assert said == (
        "Row 2, Period of collection: WITHHELD_SAFETY stands for the first and the last day together. "
        "Write it for both, or for none."
    )
    given = descriptor(package)
    withheld = form.merge(given, form.read(table({start: "WITHHELD_SAFETY"}), "q.csv").answers).descriptor
    assert withheld["citizenData"]["collectionPeriod"] == "WITHHELD_SAFETY"
    asked = {q.path: q.cells for q in form.questions("en", withheld)}
    assert (asked[start], asked[end]) == (("WITHHELD_SAFETY",), ("WITHHELD_SAFETY",))
    told = form.merge(withheld, {start: "2025-02-01", end: "2025-03-01"}).descriptor
    assert told["citizenData"]["collectionPeriod"] == {"start": "2025-02-01", "end": "2025-03-01"}


# --- what is taken over


def test_new_properties_stand_in_the_profiles_order_and_all_others_where_they_were() -> None:
    given = {
        "$schema": "x",
        "name": "a",
        "version": "1.0.0",
        "mine": {"kept": [1, None]},
        "sdmx": {"agency": "A"},
        "citizenData": {"language": "en", "purpose": "p", "own": 1, "accessRights": "OPEN"},
        "resources": [],
    }
    answers = {
        "citizenData.dataUse": "d",
        "citizenData.participation.collection": "L4",
        "title@fr": "T",
        "title": "t",
        "citizenData.initiators[1].kind": "COMMUNITY",
        "licenses[1].name": "CC0-1.0",
        "citizenData.responseRate.value": 3,
    }
    merged = form.merge(given, answers)
    assert list(merged.descriptor) == [
        "$schema", "name", "title", "title@fr", "version", "licenses", "mine", "sdmx", "citizenData", "resources",
    ]  # fmt: skip
    assert list(merged.descriptor["citizenData"]) == [
        "language", "initiators", "participation", "purpose", "responseRate", "dataUse", "own", "accessRights",
    ]  # fmt: skip
    assert merged.descriptor["mine"] == {"kept": [1, None]}
    assert set(merged.changed) == set(answers)
    assert form.merge(merged.descriptor, answers).changed == ()


def test_texts_in_several_languages_keep_the_others() -> None:
    given = {
        "title": "T",
        "citizenData": {
            "language": "en",
            "purpose": {"en": "p", "fr": "f"},
            "methodology": "m",
            "dataUse": "d",
            "dataUse@fr": "e",
        },
    }
    asked = {question.path: question.cells for question in form.questions("en", given)}
    assert asked["citizenData.purpose"] == ("p",)
    assert asked["citizenData.purpose@fr"] == ("f",)
    assert asked["citizenData.dataUse@fr"] == ("e",)
    answers = {
        "title@es": "Te",
        "citizenData.purpose": "p2",
        "citizenData.purpose@es": "s",
        "citizenData.methodology@fr": "n",
        "citizenData.dataUse@fr": "e2",
    }
    merged = form.merge(given, answers).descriptor
    assert (merged["title"], merged["title@es"]) == ("T", "Te")
    assert merged["citizenData"] == {
        "language": "en",
        "purpose": {"en": "p2", "fr": "f", "es": "s"},
        "methodology": {"en": "m", "fr": "n"},
        "dataUse": "d",
        "dataUse@fr": "e2",
    }
    gone = form.merge(merged, {"citizenData.purpose@es": None, "citizenData.purpose": None, "title@es": None})
    assert gone.descriptor["citizenData"]["purpose"] == {"fr": "f"}
    assert "title@es" not in gone.descriptor


def test_a_hyphen_takes_an_answer_out_and_an_empty_cell_leaves_it() -> None:
    given = {
        "title": "T",
        "citizenData": {
            "language": "en",
            "initiators": [{"name": "A", "kind": "COMMUNITY"}, {"name": "B", "kind": "NSO", "note": "n"}],
            "partners": [{"name": "C"}],
            "objectives": ["SERVICES"],
            "responseRate": {"value": 3},
        },
    }
    answers = form.read(
        table(
            {
                "title": "",
                "citizenData.initiators[1].name": "-",
                "citizenData.initiators[1].kind": "-",
                "citizenData.partners[1].name": "-",
                "citizenData.objectives": "-",
                "citizenData.responseRate.value": "-",
                "citizenData.purpose": "-",
            }
        ),
        "q.csv",
    ).answers
    merged = form.merge(given, answers)
    assert merged.descriptor == {
        "title": "T",
        "citizenData": {"language": "en", "initiators": [{"name": "B", "kind": "NSO", "note": "n"}]},
    }
    assert "citizenData.purpose" not in merged.changed


def test_list_elements_are_filled_without_a_gap_and_added_once() -> None:
    given = {"citizenData": {"language": "en", "initiators": [{"name": "?", "kind": "?"}]}}
    third = {"citizenData.initiators[1].name": "A", "citizenData.initiators[3].name": "C"}
    (said,) = form.merge(given, third).problems
    assert str(said) == (
        "citizenData.initiators[3].name: citizenData.initiators[2] is empty. "
        "Use the numbers in their order, without a gap."
    )
    both = third | {"citizenData.initiators[2].name": "B"}
    merged = form.merge(given, both)
    assert merged.descriptor["citizenData"]["initiators"] == [
        {"name": "A", "kind": "?"},
        {"name": "B"},
        {"name": "C"},
    ]
    assert form.merge(merged.descriptor, both).changed == ()


def test_an_answer_that_looks_like_a_placeholder_is_never_thrown_away() -> None:
    """Somebody may be called Xxx; without the element, the next one would take its number."""
    both = {"citizenData.initiators[1].name": "Xxx", "citizenData.initiators[2].name": "B"}
    merged = form.merge({"citizenData": {"language": "en", "initiators": ["?"]}}, both)
    assert merged.descriptor["citizenData"]["initiators"] == [{"name": "Xxx"}, {"name": "B"}]
    assert form.merge(merged.descriptor, both).changed == ()
    kind = {"citizenData.initiators[2].kind": "MEDIA"}
    assert form.merge(merged.descriptor, kind).descriptor["citizenData"]["initiators"] == [
        {"name": "Xxx"},
        {"name": "B", "kind": "MEDIA"},
    ]


def test_columns_of_the_tables_are_asked_and_none_is_added(package: Path) -> None:
    asked = {question.path: question for question in form.questions("en", descriptor(package))}
    path = "resources[1].schema.fields[1].citizenData.disclosureRole"
    assert asked[path].about == ("ward", "visits")
    assert "resources[1].schema.fields[4].citizenData.disclosureRole" not in asked
    merged = form.merge(
        descriptor(package), {path: "QUASI_ID", "resources[1].schema.fields[3].citizenData.declineOption": True}
    )
    fields = merged.descriptor["resources"][0]["schema"]["fields"]
    assert fields[0] == {"name": "ward", "type": "string", "citizenData": {"disclosureRole": "QUASI_ID"}}
    assert fields[2]["citizenData"] == {"declineOption": True}
    for nowhere in (path.replace("fields[1]", "fields[4]"), path.replace("resources[1]", "resources[2]")):
        (said,) = form.merge(descriptor(package), {nowhere: "QUASI_ID"}).problems
        assert str(said) == f"{nowhere}: the package has no such table or column."


# --- the command


def test_the_day_of_the_change_is_written_and_numbers_stay_as_they_stand(package: Path, tmp_path: Path) -> None:
    file, sheet = package / "datapackage.json", tmp_path / "sheet.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"sdmx"', '"é": 1.50,\n  "sdmx"'), encoding="utf-8")
    before = file.read_text(encoding="utf-8").splitlines()
    sheet.write_bytes(table({"title": "Clinics"}))
    assert fill(file, sheet, date(2026, 4, 5)).changed == ("title",)
    after = file.read_text(encoding="utf-8").splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ('  "title": "?",', '  "title": "Clinics",'),
        ('    "metadataUpdated": "2026-03-01",', '    "metadataUpdated": "2026-04-05",'),
    ]
    assert fill(package, sheet, date(2027, 4, 5)).changed == ()
    assert file.read_text(encoding="utf-8").splitlines() == after
    assert sorted(path.name for path in package.iterdir()) == [
        "QUESTIONS.xlsx", "data", "datapackage.json", "questions.csv",
    ]  # fmt: skip


def test_a_zip_is_filled_too(package: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", package))
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(table({"title": "Clinics"}))
    filled = fill(archive, sheet, TODAY)
    assert (filled.file, filled.changed) == (archive, ("title",))
    with zipfile.ZipFile(archive) as members:
        assert json.loads(members.read("datapackage.json")) == descriptor(package) | {"title": "Clinics"}
        assert members.read("data/visits.csv") == (package / "data/visits.csv").read_bytes()


def test_short_forms_are_asked_and_stored_in_full() -> None:
    given = {"citizenData": {"language": "en", "participation": {"collection": 4}, "objectives": "SERVICES"}}
    asked = {question.path: question.cells for question in form.questions("en", given)}
    assert asked["citizenData.participation.collection"] == ("Partnership",)
    assert asked["citizenData.objectives"] == (profile.load().codelists["CL_OBJECTIVE"].codes["SERVICES"].name,)
    assert form.merge(given, form.read(form.workbook("en", given), "q").answers).changed == ()
    own = form.merge(given, {"citizenData.purpose": "p"}).descriptor["citizenData"]
    assert (own["participation"], own["objectives"]) == ({"collection": "L4"}, ["SERVICES"])


def test_an_approval_that_ends_is_told(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "approval.json").write_text("{}")
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(table({"title": "Clinics"}))
    for told in (True, False):
        assert run("fill", package, sheet) == 0
        out = capsys.readouterr().out
        assert (f"The approval of {package} no longer holds." in out) == told
        assert "Still open: 29 answers." in out
        assert "  - Description (description)\n" in out
        assert out.endswith(f"Next, run: cdmeta validate {package}\n")


def test_what_is_still_open_stays_on_the_screen(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.csv"
    names = ("title", "description", *(f"citizenData.{name}" for name in ("purpose", "methodology", "population")))
    for number, told in ((5, []), (7, ["  and 2 more"])):
        more = ("citizenData.limitations", "citizenData.dataUse")[: number - 5]
        sheet.write_bytes(table(dict.fromkeys((*names, *more), f"answer {number}")))
        assert run("fill", package, sheet) == 0
        first, *lines = capsys.readouterr().out.splitlines()
        assert first.endswith(f": {number} answers.")
        assert [line for line in lines if line.startswith("  ") and " - " not in line] == [
            *(f"  {name}" for name in names), *told
        ]  # fmt: skip


def test_what_cannot_be_done_is_told_in_one_line(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(package, bad)
    (bad / "datapackage.json").write_text("{")
    empty, sheet = tmp_path / "empty.csv", package / "questions.csv"
    empty.touch()
    for args, told in (
        ((bad, sheet), "datapackage.json"),
        ((package, empty), "is no spreadsheet that can be read."),
        ((package, package / "data/visits.csv"), 'has no column "Name of the field (leave as it is)"'),
        ((package, tmp_path / "none.csv"), "none.csv"),
    ):
        assert run("fill", *args) == 2
        err = capsys.readouterr().err
        assert told in err
        assert "Traceback" not in err


# --- sheets that mean harm


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(form.workbook("en", {}))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_unpacks_to_too_much_is_not_opened() -> None:
    with pytest.raises(SheetError, match="far too large"):
        form.read(zipped(members() | {"xl/media/x": b"\0" * (70 * 2**20)}), "q.xlsx")
    with pytest.raises(SheetError, match="far too large"):
        form.read(b"PK" + b"\0" * form.MAX_BYTES, "q.xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_not_unfolded(encoding: str) -> None:
    given = members()
    name = "xl/worksheets/sheet2.xml"
    text = given[name].decode().split("?>", 1)[-1]
    doctype = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "{"a" * 99}">]>'
    with pytest.raises(SheetError, match="declares its own entities"):
        form.read(zipped(given | {name: (doctype + text).encode(encoding)}), "q.xlsx")


def test_rows_far_away_cost_little_and_merged_cells_are_not_made() -> None:
    given = members()
    name = "xl/worksheets/sheet2.xml"
    row = b'<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row></sheetData>'
    merged = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    sheet = given[name].replace(b"</sheetData>", row + merged)
    assert form.read(zipped(given | {name: sheet}), "q.xlsx").problems == ()
    many = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1_000, 6_100))
    with pytest.raises(SheetError, match="more than 5,000 rows"):
        form.read(zipped(given | {name: given[name].replace(b"</sheetData>", many + b"</sheetData>")}), "q.xlsx")
    with pytest.raises(SheetError, match="more than 5,000 rows"):
        form.read(table({}, *[["x"]] * 5_001), "q.csv")


def test_other_files_are_named_for_what_they_are() -> None:
    for data, told in (
        (b"\xd0\xcf\x11\xe0rest", "of the old kind"),
        (zipped({"content.xml": b"<x/>"}), "is no spreadsheet"),
        (b"\0\1\2", "is no spreadsheet"),
        (zipped(members() | {"xl/workbook.xml": b"<x"}), "cannot be opened as a spreadsheet"),
    ):
        with pytest.raises(SheetError, match=told):
            form.read(data, "q")


@for_all(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", table({"title": "x"})]))
def test_bytes_of_any_kind_raise_nothing_else(data: bytes, start: bytes) -> None:
    with suppress(CdmetaError):
        assert isinstance(form.read(start + data, "q"), form.Sheet)


MEMBERS = members()


@settings(max_examples=30)
@for_all(st.integers(0, 10**6), st.binary(min_size=1, max_size=40), st.sampled_from(sorted(MEMBERS)))
def test_damaged_members_raise_nothing_else(at: int, noise: bytes, name: str) -> None:
    data = MEMBERS[name]
    place = at % (len(data) + 1)
    with suppress(CdmetaError):
        damaged = zipped(MEMBERS | {name: data[:place] + noise + data[place + len(noise) :]})
        assert isinstance(form.read(damaged, "q.xlsx"), form.Sheet)


# --- any answers


PRINTED = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).map(
    lambda text: text.replace("\r", " ").strip()
)
WORDS = PRINTED.filter(lambda text: not is_missing(text))
DAYS = st.dates(date(1000, 1, 1)).map(date.isoformat)
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "string": WORDS,
    "uri": WORDS,
    "strings": st.lists(WORDS, min_size=1, max_size=6, unique=True),
    "boolean": st.booleans(),
    "integer": st.integers(0, 10**14),
    "number": st.integers(0, 10**9) | st.floats(0, 10**9),
    "percent": st.integers(0, 100) | st.floats(0, 100),
    "date": DAYS,
    "period": st.fixed_dictionaries({"start": DAYS, "end": DAYS}),
}


def values(entry: Field) -> st.SearchStrategy[Any]:
    if not entry.codelist:
        return VALUES[entry.type]
    code = st.sampled_from(list(profile.load().codelists[entry.codelist].codes))
    return code if entry.type == "code" else st.lists(code, min_size=1, max_size=6, unique=True)


FIELDS = [
    entry
    for path, entry in profile.load().fields.items()
    if entry.tier != "tool" and entry.type not in ("list", "object") and not path.startswith("resources")
    and path not in ("citizenData.language", *WRITTEN_BY_TOOLS)
]  # fmt: skip


@st.composite
def descriptors(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(FIELDS), max_size=12, unique_by=lambda entry: entry.path))
    found: dict[str, Any] = {"citizenData": {"language": "en"}}
    for entry in chosen:
        holder: Any = found
        *above, last = entry.path.split(".")
        for part in above:
            name = part.removesuffix("[]")
            holder = holder.setdefault(name, [{}] if part.endswith("[]") else {})
            holder = holder[0] if isinstance(holder, list) else holder
        holder[last] = draw(values(entry))
    return found


def holdable(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return all(not isinstance(part, str) or is_writable(part) for part in parts)


@for_all(descriptors(), st.sampled_from(["en", "es"]))
def test_answers_in_csv_come_back_as_they_were(given: dict[str, Any], language: str) -> None:
    come_back(given, form.csv_text(language, given).encode("utf-8-sig"), language)


@settings(max_examples=15)
@for_all(descriptors(), st.sampled_from(["en", "es"]))
def test_answers_in_a_workbook_come_back_as_they_were(given: dict[str, Any], language: str) -> None:
    come_back(given, form.workbook(language, given), language)


def come_back(given: dict[str, Any], data: bytes, language: str) -> None:
    sheet = form.read(data, "q")
    assert sheet.problems == ()
    blank: dict[str, Any] = {"citizenData": {"language": "en"}}
    back = form.merge(blank, sheet.answers).descriptor
    assert form.merge(given, sheet.answers).descriptor == given
    for question in form.questions(language, given):
        path = question.path
        assert (path in sheet.answers) == bool(question.cells)
    assert flat(back) == {path: value for path, value in flat(given).items() if holdable(value)}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: one for name, part in value.items() for key, one in flat(part, f"{path}.{name}").items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return flat(value[0], f"{path}[]")
    return {path: value}
