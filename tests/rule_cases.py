"""The examples of the rules: for each code a way to make what raises it, a mended twin, and the findings got.

A rule that plain files can show has `examples/rules/CDnnn.json` (see `examples/rules/README.md`); the others have
a builder here.
"""

import copy
import csv
import datetime as dt
import json
import shutil
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import rfc8785
from openpyxl import Workbook
from sdmx_checked import ALLOWED, DSD, IDS, ROWS, SAID, changed, of_data, of_report, of_series, timed

from cdmeta.approval import SIGNATURE, STATEMENT, Approver, allowed_signers_line, sign
from cdmeta.finding import Finding
from cdmeta.package import DESCRIPTOR, MAX_DESCRIPTOR_BYTES, MAX_TOLD
from cdmeta.profile import GATES, Rule
from cdmeta.sdmx.artefacts import ReportedAttribute
from cdmeta.sshsig import SigningKey, new_key
from cdmeta.text import Text
from cdmeta.workflows.approve import approve
from cdmeta.workflows.convert import convert
from cdmeta.workflows.onto import onto
from cdmeta.workflows.validate import validate
from cdmeta.workflows.verify import verify

FOLDER = Path(__file__).parent.parent / "examples" / "rules"
BASE = FOLDER / "base"
NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
TABLE = "data/scores.csv"
KEY = new_key()
REVIEWER = Approver("A. Reviewer (made up)", "reviewer@example.org")
MEMBERS = {"patch", "files", "run", "gate", "to"}

Make = Callable[[Path], tuple[Finding, ...]]
"""Makes a package in an empty folder, runs what the example says, and tells all findings."""


@dataclass(frozen=True)
class Example:
    """How a rule is shown.

    Attributes:
        code: of the rule.
        gate: at which it is shown.
        raises, mended: make the package and find.
        cases: the two cases where they are plain files, else empty.
    """

    code: str
    gate: str
    raises: Make
    mended: Make
    cases: tuple[Mapping[str, Any], ...] = ()


BESIDE = {"CD421": {"CD408"}, "CD534": {"CD509"}}
"""Errors without which a rule cannot be shown, and that do not always come with it: these rules tell of any."""


# Plain files


def merged(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch applied (RFC 7396 §2)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def descriptor(case: Mapping[str, Any]) -> Any:
    """The descriptor of a case; None where it is given as text, which need not be JSON."""
    if DESCRIPTOR in case.get("files", {}):
        return None
    return merged(json.loads((BASE / DESCRIPTOR).read_bytes()), case.get("patch", {}))


def materialise(case: Mapping[str, Any], folder: Path) -> Path:
    """Write the package of a case into a folder."""
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    text = json.dumps(descriptor(case), ensure_ascii=False, indent=2)
    for name, content in ({DESCRIPTOR: text} | case.get("files", {})).items():
        if content is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8", newline="")
    return folder


def _validate(folder: Path, case: Mapping[str, Any]) -> tuple[Finding, ...]:
    return validate(folder, case.get("gate", "publish")).findings


def _convert(folder: Path, case: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What the checks find, and what keeps the package from being converted."""
    out, to = folder.parent / f"{folder.name}-out", case.get("to", "sdmx-csv-2.0")
    converted = convert(folder, to, out, allowed_signers=None, draft=True, now=NOW)
    return (*_validate(folder, case), *converted.findings)


RUNS = {"validate": _validate, "convert": _convert}


def _run(case: Mapping[str, Any], folder: Path) -> tuple[Finding, ...]:
    return RUNS[case.get("run", "validate")](materialise(case, folder), case)


def read(path: Path) -> Example:
    """The example in a file."""
    given = json.loads(path.read_bytes())
    assert set(given) - {"note"} == {"raises", "mended"}, path.name
    raises, mended = given["raises"], given["mended"]
    for case in (raises, mended):
        assert set(case) <= MEMBERS, path.name
        assert case.get("gate", "publish") in GATES, path.name
    assert raises.get("gate") == mended.get("gate"), f"{path.name}: both are shown at one gate"
    assert raises.get("run") == mended.get("run"), f"{path.name}: both are shown by one command"
    gate = raises.get("gate", "publish")
    return Example(path.stem, gate, partial(_run, raises), partial(_run, mended), (raises, mended))


def from_files() -> Iterator[Example]:
    """The examples in `examples/rules`."""
    for path in sorted(FOLDER.glob("*.json")):
        yield read(path)


# Builders


def _found(folder: Path) -> tuple[Finding, ...]:
    return validate(folder).findings


def _base(folder: Path) -> Path:
    return materialise({}, folder)


def _link(folder: Path) -> tuple[Finding, ...]:
    """The table lies in the home folder, and the package holds a link to it."""
    table = _base(folder) / TABLE
    table.rename(folder.parent / "scores.csv")
    table.symlink_to(folder.parent / "scores.csv")
    return _found(folder)


def _zipped(folder: Path, *more: str) -> tuple[Finding, ...]:
    """The package as a zip, some files once more."""
    path = folder / "package.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # of a name that is given twice
        for name in (DESCRIPTOR, TABLE, *more):
            archive.write(BASE / name, name)
    return _found(path)


def _spaced(folder: Path, count: int) -> tuple[Finding, ...]:
    """Spaces behind the descriptor."""
    with (_base(folder) / DESCRIPTOR).open("ab") as file:
        file.write(b" " * count)
    return _found(folder)


def _photos(folder: Path, count: int) -> tuple[Finding, ...]:
    """Files that nobody named."""
    for number in range(count):
        (_base(folder) / f"photo-{number}.jpg").touch()
    return _found(folder)


def _closed(folder: Path) -> tuple[Finding, ...]:
    """A table that may not be read, whoever runs the tests."""

    def access(path: Path, mode: int) -> bool:
        return Path(path).name != "scores.csv"

    with patch("os.access", access):
        return _found(_base(folder))


def _many(folder: Path, answers: str) -> tuple[Finding, ...]:
    """More rows than findings are listed for."""
    rows = [f"{clinic},{year},50,{answers}" for clinic in ("HILL", "RIVER") for year in range(1900, 2000)]
    (_base(folder) / TABLE).write_text("\n".join(["clinic,year,within_hour,answers", *rows, ""]), encoding="utf-8")
    return _found(folder)


# Disclosure


def exif(*places: int, order: str = "<") -> bytes:
    """The header of a photo whose directory of GPS holds some tags (Exif 2.32, 4.6)."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    first = struct.pack(f"{order}HHHIII", 1, 0x8825, 4, 1, 26, 0)
    tags = b"".join(struct.pack(f"{order}HHII", tag, 5, 3, 0) for tag in places)
    tiff = mark + struct.pack(f"{order}I", 8) + first + struct.pack(f"{order}H", len(places)) + tags
    segment = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + b"\xff\xd9"


def _photo(folder: Path, *places: int) -> tuple[Finding, ...]:
    """A picture among the resources of data about things."""
    answers = {
        "personalDataCollected": "NONE",
        "consentBasis": ["NO_PERSONAL_DATA"],
        "releaseForm": "NON_PERSONAL",
    }
    resources = [*descriptor({})["resources"], {"name": "clinic", "path": "clinic.jpg"}]
    materialise({"patch": {"citizenData": answers, "resources": resources}}, folder)
    (folder / "clinic.jpg").write_bytes(exif(*places))
    return _found(folder)


def _numbers(folder: Path, count: int) -> tuple[Finding, ...]:
    """A column of what might be international phone numbers, more than are looked at."""
    (table,) = descriptor({})["resources"]
    entry = {"name": "code", "type": "string", "citizenData": {"disclosureRole": "NONE"}}
    table["schema"] = {"fields": [entry], "primaryKey": ["code"]}
    rows = "".join(f"+999 0000 {number:05}\n" for number in range(count))
    return _found(materialise({"patch": {"resources": [table]}, "files": {TABLE: f"code\n{rows}"}}, folder))


def _long(folder: Path, count: int) -> tuple[Finding, ...]:
    """A description with a number, and so many letters more."""
    return _found(materialise({"patch": {"description": "Since 2024-2025: 1234567 " + "a" * count}}, folder))


# Workbooks


def _workbook(
    folder: Path,
    change: Callable[[Any, Any], None] = lambda book, sheet: None,
    dialect: Mapping[str, Any] | None = None,
) -> tuple[Finding, ...]:
    """The table as a workbook, changed.

    Args:
        folder: for the package.
        change: is shown the workbook and its sheet.
        dialect: of the resource.
    """
    told = json.loads((_base(folder) / DESCRIPTOR).read_bytes())
    (resource,) = told["resources"]
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(header)
    for clinic, *figures in rows:
        sheet.append([clinic, *map(float, figures)])
    change(book, sheet)
    (folder / TABLE).unlink()
    book.save(folder / "data/scores.xlsx")
    for name in ("format", "mediatype", "encoding", "bytes", "hash"):
        resource.pop(name, None)
    resource |= {"path": "data/scores.xlsx", "format": "xlsx", "dialect": dict(dialect or {})}
    for field in resource["schema"]["fields"]:
        # A cell that is empty, or none of its categories, would be an error beside what is shown.
        field.pop("constraints", None)
        field.pop("categories", None)
    (folder / DESCRIPTOR).write_text(json.dumps(told), encoding="utf-8")
    return _found(folder)


def _cell(place: str, value: Any, **more: Any) -> Callable[[Any, Any], None]:
    def change(book: Any, sheet: Any) -> None:
        sheet[place] = value
        for name, given in more.items():
            setattr(sheet[place], name, given)

    return change


def _hide(book: Any, sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True


def _more(book: Any, sheet: Any) -> None:
    book.create_sheet("Notes").append(["Call back in May"])


def _lines(folder: Path, last: str) -> tuple[Finding, ...]:
    """The table as JSON lines, and one line more."""
    told = json.loads((_base(folder) / DESCRIPTOR).read_bytes())
    (resource,) = told["resources"]
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        lines = [json.dumps(row) for row in csv.DictReader(file)]
    (folder / TABLE).unlink()
    (folder / "data/scores.jsonl").write_text("\n".join([*lines, last]), encoding="utf-8")
    for name in ("mediatype", "encoding", "bytes", "hash", "dialect"):
        resource.pop(name, None)
    resource |= {"path": "data/scores.jsonl", "format": "jsonl"}
    (folder / DESCRIPTOR).write_text(json.dumps(told), encoding="utf-8")
    return _found(folder)


# Indicators


def _figures(folder: Path, *, is_broken: bool) -> tuple[Finding, ...]:
    """Indicators of few records, which are hidden, or not as a fault of ours would have it."""
    measures = [{"name": "rows", "calculate": "count", "unit": "NUMBER"}]
    table = {"name": "visits", "resource": "scores", "dimensions": ["clinic"], "measures": measures}
    case = {"patch": {"sdmx": {"indicators": [table | {"time": {"value": "2025"}}]}}}
    with (
        patch("cdmeta.sdmx.suppression.Table.protected", lambda _: (frozenset(), True))
        if is_broken
        else nullcontext()
    ):
        return _convert(materialise(case, folder), case)


# Approvals


def _verified(
    folder: Path,
    *,
    signer: SigningKey = KEY,
    options: str = "",
    before: Callable[[Any], None] | None = None,
    after: Callable[[Path], None] | None = None,
) -> tuple[Finding, ...]:
    """What the verdict says of a package that was approved.

    Args:
        folder: for the package.
        signer: whose key is in the file of who may approve.
        options: of that line, a comma behind each.
        before: changes the statement before it is signed.
        after: changes the package after it was approved.
    """
    approve(_base(folder), KEY, REVIEWER, time=NOW)
    if before:
        statement = json.loads((folder / STATEMENT).read_bytes())
        before(statement)
        _sign(folder, rfc8785.dumps(statement))
    if after:
        after(folder)
    return _verdict(folder, signer, options)


def _verdict(folder: Path, signer: SigningKey = KEY, options: str = "") -> tuple[Finding, ...]:
    line = allowed_signers_line(REVIEWER.identity, signer).replace(" namespaces", f" {options}namespaces")
    signers = folder.parent / f"{folder.name}-signers"
    signers.write_text(f"{line}\n", encoding="utf-8")
    return verify(folder, signers).reasons


def _sign(folder: Path, statement: bytes) -> None:
    (folder / STATEMENT).write_bytes(statement)
    (folder / SIGNATURE).write_bytes(sign(statement, KEY))


def _edited(folder: Path) -> None:
    with (folder / TABLE).open("a", encoding="utf-8") as table:
        table.write("RIVER,2026,78.0,75\n")


def _edited_and_approved(folder: Path) -> None:
    _edited(folder)
    approve(folder, KEY, REVIEWER, time=NOW)


def _signed_by_hand(folder: Path) -> None:
    """The statement laid out for people, and signed so."""
    _sign(folder, json.dumps(json.loads((folder / STATEMENT).read_bytes()), indent=2).encode())


def _another_signature(folder: Path) -> None:
    """The signature under an earlier statement was left there."""
    (folder / SIGNATURE).write_bytes(sign(b"{}", KEY))


def _without_table(statement: Any) -> None:
    statement["subject"] = [part for part in statement["subject"] if part["name"] != TABLE]


def _before_draft(statement: Any) -> None:
    statement["predicate"]["profile"]["version"] = "0.9"


def _rejected(statement: Any) -> None:
    statement["predicate"]["decision"] |= {"decision": "REJECTED", "reason": "The method is not told"}


def _of_last_year(statement: Any) -> None:
    statement["predicate"]["package"]["version"] = "0.9.0"


STRUCTURE = FOLDER.parent / "structures" / "sdg-like.xml"
_LINES = """table,component,field,value,codes
scores,REPORTING_TYPE,,N,
scores,SERIES,,MU_SAT_SERVICES,
scores,REF_AREA,clinic,,areas.csv
scores,SEX,,_T,
scores,AGE,,_T,
scores,URBANISATION,,_T,
scores,INCOME_WEALTH_QUANTILE,,_T,
scores,EDUCATION_LEV,,_T,
scores,OCCUPATION,,_T,
scores,CUST_BREAKDOWN,,_T,
scores,COMPOSITE_BREAKDOWN,,_T,
scores,DISABILITY_STATUS,,_T,
scores,ACTIVITY,,_T,
scores,PRODUCT,,_T,
scores,UNIT_MEASURE,,PT,
scores,UNIT_MULT,,0,
scores,NATURE,,CD,
"""


def _onto(
    folder: Path, before: str = "", after: str = "", second: str = "", hill: str = "XA01",
    to: str = "sdmx-csv-2.0", structure: bytes = b"",
) -> tuple[Finding, ...]:  # fmt: skip
    """The package as data of somebody else's dataflow, a line of its mapping being another; with a table more."""
    _base(folder)
    if second:
        path = folder / DESCRIPTOR
        told = json.loads(path.read_bytes())
        told["resources"].append(told["resources"][0] | {"name": "more", "path": "data/more.csv"})
        path.write_text(json.dumps(told), encoding="utf-8")
        (folder / "data" / "more.csv").write_text(f"clinic,year,within_hour,answers\n{second}\n", encoding="utf-8")
    return _mapped(folder, before, after, hill, to, structure)


def _mapped(
    folder: Path, before: str = "", after: str = "", hill: str = "XA01", to: str = "sdmx-csv-2.0",
    structure: bytes = b"",
) -> tuple[Finding, ...]:  # fmt: skip
    """A package that is there already, likewise."""
    beside = folder.parent / f"{folder.name}-beside"
    beside.mkdir()
    mapping = beside / "mapping.csv"
    assert before in _LINES
    mapping.write_text(_LINES.replace(before, after) if before else _LINES + after, encoding="utf-8")
    areas = mapping.with_name("areas.csv")
    areas.write_text(f"source,target\nHILL,{hill}\nMARKET,XA02\nRIVER,XA03\n", encoding="utf-8")
    mapping.with_name("none.csv").write_text("source,target\nRIVERS,~\n", encoding="utf-8")
    mapping.with_name("statuses.csv").write_text("source,target\nQ,O\n", encoding="utf-8")
    theirs = beside / "theirs.xml"
    theirs.write_bytes(structure or STRUCTURE.read_bytes())
    made = onto(
        folder, to, folder.parent / f"{folder.name}-out", dsds=(str(theirs),), mapping=mapping,
        allowed_signers=None, draft=True, now=NOW,
    )  # fmt: skip
    return made.findings


def _two(folder: Path, row: str, unit: str = "PT") -> tuple[Finding, ...]:
    """Two tables onto one dataflow, the other of one row and with a unit."""
    lines = (
        _LINES.partition("\n")[2].replace("scores,", "more,").replace("UNIT_MEASURE,,PT", f"UNIT_MEASURE,,{unit}")
    )
    return _onto(folder, after=lines, second=row)


def _hidden(folder: Path, status: str) -> tuple[Finding, ...]:
    """A figure that is suppressed, and a line of the mapping on the status."""
    _base(folder)
    path = folder / DESCRIPTOR
    told = json.loads(path.read_bytes())
    told["resources"][0]["schema"]["missingValues"] = [{"value": "s", "label": "suppressed"}]
    path.write_text(json.dumps(told), encoding="utf-8")
    table = folder / TABLE
    table.write_text(table.read_text(encoding="utf-8").replace("80.0", "s"), encoding="utf-8")
    return _mapped(folder, after=f"scores,OBS_STATUS,{status}\n")


def _linked(folder: Path, metadata: str) -> tuple[Finding, ...]:
    """A bundle for .Stat, their structure being linked to a metadata structure already."""
    urn = f"urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataStructure={metadata}"
    title = f"<com:AnnotationTitle>{urn}</com:AnnotationTitle>"
    note = f"<com:Annotation>{title}<com:AnnotationType>METADATA</com:AnnotationType></com:Annotation>"
    name = b'<com:Name xml:lang="en">Structure with'
    noted = f"<com:Annotations>{note}</com:Annotations>".encode() + name
    return _onto(folder, to="dotstat", structure=STRUCTURE.read_bytes().replace(name, noted))


BUILDERS: dict[str, tuple[Make, Make]] = {
    "CD107": (_link, lambda folder: _found(_base(folder))),
    "CD108": (lambda folder: _zipped(folder, TABLE), _zipped),
    "CD112": (partial(_spaced, count=MAX_DESCRIPTOR_BYTES), partial(_spaced, count=1)),
    "CD114": (partial(_photos, count=MAX_TOLD + 1), partial(_photos, count=MAX_TOLD)),
    "CD116": (_closed, lambda folder: _found(_base(folder))),
    "CD421": (partial(_many, answers="some"), partial(_many, answers="20")),
    "CD529": (lambda folder: _photo(folder, 2, 4), _photo),
    "CD537": (partial(_numbers, count=2000), partial(_numbers, count=1999)),
    "CD544": (partial(_long, count=2_000_000), partial(_long, count=100_000)),
    "CD422": (
        partial(_workbook, dialect={"sheetName": "Scores"}),
        partial(_workbook, dialect={"sheetName": "Sheet"}),
    ),
    "CD423": (partial(_workbook, change=_cell("D3", "=90+2")), _workbook),
    "CD424": (partial(_workbook, change=_cell("D3", "#REF!", data_type="e")), _workbook),
    "CD425": (partial(_workbook, change=lambda book, sheet: sheet.merge_cells("D6:D7")), _workbook),
    "CD426": (partial(_workbook, change=lambda book, sheet: sheet.append(["Total", 2026, 65.7, 566])), _workbook),
    "CD427": (partial(_workbook, change=_hide), _workbook),
    "CD428": (partial(_workbook, change=_cell("A2", dt.date(2024, 5, 3))), _workbook),
    "CD429": (partial(_workbook, change=_more), partial(_workbook, change=_more, dialect={"sheetName": "Sheet"})),
    "CD430": (partial(_lines, last="RIVER,2026,77.5,71"), partial(_lines, last="")),
    "CD431": (partial(_workbook, change=_cell("A2", 7.0)), _workbook),
    "CD601": (lambda folder: _verdict(_base(folder)), _verified),
    "CD759": (partial(_figures, is_broken=True), partial(_figures, is_broken=False)),
    "CD602": (partial(_verified, after=_another_signature), _verified),
    "CD603": (partial(_verified, signer=new_key()), _verified),
    "CD604": (
        partial(_verified, options='valid-before="20260101",'),
        partial(_verified, options='valid-before="20270101",'),
    ),
    "CD605": (partial(_verified, after=_edited), partial(_verified, after=_edited_and_approved)),
    "CD606": (partial(_verified, after=lambda folder: (folder / TABLE).unlink()), _verified),
    "CD607": (partial(_verified, before=_without_table), _verified),
    "CD608": (partial(_verified, after=_signed_by_hand), _verified),
    "CD609": (partial(_verified, before=_before_draft), _verified),
    "CD610": (partial(_verified, before=_rejected), _verified),
    "CD611": (partial(_verified, before=_of_last_year), _verified),
    "CD760": (partial(_onto, before="scores,NATURE,,CD,\n"), _onto),
    "CD761": (partial(_onto, after="scores,BASE_N,,,\n"), _onto),
    "CD762": (partial(_onto, after="scores,SEXO,,_T,\n"), _onto),
    "CD763": (partial(_onto, after="scores,COMMENT_OBS,coment,,\n"), _onto),
    "CD764": (partial(_onto, second="HILL,2026,5,10"), _onto),
    "CD765": (partial(_onto, before="scores,SEX,,_T,", after="scores,SEX,clinic,_T,"), _onto),
    "CD766": (partial(_onto, after="score,COMMENT_OBS,,x,\n"), _onto),
    "CD767": (lambda f: of_data(f, dsd=timed("DateTime")), of_data),
    "CD768": (of_series, lambda f: of_series(f, '<Obs TIME_PERIOD="2020" OBS_VALUE="1"/>')),
    "CD770": (partial(_onto, hill="~"), _onto),
    "CD771": (partial(_two, row="HILL,2025,5,10"), partial(_two, row="HILL,2026,5,10")),
    "CD772": (partial(_two, row="HILL,2026,5,10", unit="NUMBER"), partial(_two, row="HILL,2026,5,10")),
    "CD773": (partial(_hidden, status=",A,"), partial(_hidden, status="OBS_STATUS,,statuses.csv")),
    "CD774": (
        partial(_linked, metadata="X:OTHER(1.0)"),
        partial(_linked, metadata="CDMETA:MSD_CITIZEN_DATA(1.0)"),
    ),
    "CD775": (partial(_onto, after="scores,COMMENT_OBS,clinic,,none.csv\n"), _onto),
    "CD780": (lambda f: of_data(f, [row[:-1] for row in ROWS], IDS[:-1]), of_data),
    "CD781": (lambda f: of_data(f, [(*row, "x") for row in ROWS], (*IDS, "EXTRA")), of_data),
    "CD782": (lambda f: of_data(f, changed(0, "AREA", "")), of_data),
    "CD783": (lambda f: of_data(f, changed(0, "AREA", "X3")), of_data),
    "CD784": (lambda f: of_data(f, changed(0, "OBS_VALUE", "a")), of_data),
    "CD785": (lambda f: of_data(f, [(*row[:4], "") for row in ROWS]), of_data),
    "CD786": (lambda f: of_data(f, [*ROWS, ROWS[0]]), of_data),
    "CD787": (lambda f: of_data(f, changed(2, "UNIT", "households")), of_data),
    "CD788": (
        lambda f: of_data(f, changed(0, "SEX", "_T"), constraints=(ALLOWED,)),
        lambda f: of_data(f, constraints=(ALLOWED,)),
    ),
    "CD789": (lambda f: of_data(f, [(*row, "A") for row in ROWS], (*IDS, "NOTE")), of_data),
    "CD790": (lambda f: of_report(f, ReportedAttribute("DATED", "2026-02-28"), at=2), of_report),
    "CD791": (lambda f: of_report(f, ReportedAttribute("CONTACT", None)), of_report),
    "CD792": (lambda f: of_report(f, SAID[1], SAID[1], at=1), of_report),
    "CD793": (lambda f: of_report(f, ReportedAttribute("LEVEL", "L2"), at=1), of_report),
    "CD794": (lambda f: of_report(f, ReportedAttribute("DATE", "2026-02-29"), at=2), of_report),
    "CD795": (lambda f: of_report(f, ReportedAttribute("LEVEL", Text((("en", "L5"),))), at=1), of_report),
    "CD796": (lambda f: of_report(f, target=DSD.urn), of_report),
    "CD797": (lambda f: of_report(f, ReportedAttribute("CONTACT", "x", SAID[0].children)), of_report),
    "CD798": (lambda f: of_report(f, ReportedAttribute("LEVEL"), at=1), of_report),
    "CD799": (
        lambda f: of_report(f, ReportedAttribute("NOTE", Text((("en", "a"), ("en", "b")))), at=3),
        of_report,
    ),
}
"""By code: what makes a package that raises it, and what makes the mended twin."""


def from_builders() -> Iterator[Example]:
    """The examples that are built."""
    for code, (raises, mended) in BUILDERS.items():
        yield Example(code, "publish", raises, mended)


# Judging


def gaps(rules: Iterable[str], examples: Iterable[Example]) -> list[str]:
    """What keeps rules and examples from being one to one."""
    wanted, shown = set(rules), [example.code for example in examples]
    return [
        *(f"{code} has no example" for code in sorted(wanted - set(shown))),
        *(f"{code} has an example and is no rule" for code in sorted(set(shown) - wanted)),
        *(f"{code} has two examples" for code in sorted({code for code in shown if shown.count(code) > 1})),
    ]


def implied(code: str, rules: Mapping[str, Rule]) -> set[str]:
    """The codes that always come with a code, those that come with them included."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        new = set(rules[waiting.pop()].implies) - found
        found |= new
        waiting += new
    return found


def faults(example: Example, rules: Mapping[str, Rule], raised: set[str], mended: set[str]) -> list[str]:
    """What is wrong with an example, by the codes that were found in it and in its twin."""

    def errors(codes: set[str]) -> set[str]:
        return {code for code in codes if rules[code].severity[example.gate] == "error"}

    wanted = {example.code} | implied(example.code, rules)
    return [
        *(f"{code} is not raised" for code in sorted(wanted - raised)),
        *(
            f"{code} is an error beside it"
            for code in sorted(errors(raised) - wanted - BESIDE.get(example.code, set()))
        ),
        *(f"{code} is an error of the twin" for code in sorted(errors(mended))),
        *([f"{example.code} is raised by the twin"] if example.code in mended else []),
    ]
