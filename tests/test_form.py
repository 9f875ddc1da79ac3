"""The spreadsheet of questions: written, filled in with other programs, and read back."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cdmeta import form, profile
from cdmeta.cli import main
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
    "citizenData.initiators[3].name": ("Office of Exampleland (made up)",),
    "citizenData.initiators[3].kind": ("CSO_COMMUNITY",),
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


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


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
