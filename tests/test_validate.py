"""`cdmeta validate` from start to end, on good packages and on whatever a file may hold."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cdmeta import profile
from cdmeta.cli.validate import command
from cdmeta.finding import Report
from cdmeta.package import load
from cdmeta.reporters import render
from cdmeta.workflows.validate import examine, validate

ROOT = Path(__file__).parent.parent
GOOD = ROOT / "examples" / "water-points" / "package"
BROKEN = ROOT / "examples" / "broken" / "package"
VALIDATOR = Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")))
EFFORT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PROGRAM = Path(sys.executable).parent / "cdmeta"


def sane(report: Report) -> None:
    value = json.loads(render(report, "json"))
    VALIDATOR.validate(value)
    text = render(report, width=40)
    assert {character for character in text if not character.isprintable() and character != "\xa0"} <= {"\n"}


def test_a_good_package() -> None:
    report = validate(GOOD)
    assert [finding.code for finding in report.findings] == ["CD143"]
    assert report.valid
    assert (report.source, report.name, report.version, report.gate) == (
        str(GOOD),
        "water-points",
        "1.1.0",
        "publish",
    )
    assert report.decision is not None
    assert (report.decision["outcome"], report.decision["rule"]) == ("CITIZEN_DATA", "C1")


def test_a_zip_says_the_same_as_its_folder(tmp_path: Path) -> None:
    for folder in (GOOD, BROKEN):
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            for path in folder.rglob("*.*"):
                archive.write(path, path.relative_to(folder))
        in_zip, in_folder = validate(tmp_path / "p.zip"), validate(folder)
        assert in_zip.findings == in_folder.findings
        assert in_zip.decision == in_folder.decision


def test_a_broken_package_breaks_these_rules() -> None:
    report = validate(BROKEN)
    assert not report.valid
    codes = {finding.code for finding in report.findings}
    assert codes >= {
        "CD105", "CD106", "CD109", "CD110", "CD111", "CD130", "CD131", "CD132", "CD133", "CD134", "CD136", "CD137",
        "CD138", "CD139", "CD140", "CD202", "CD211", "CD224", "CD302", "CD303", "CD304", "CD305", "CD309", "CD321",
        "CD405", "CD406", "CD408", "CD409", "CD410", "CD412", "CD414", "CD415",
    }  # fmt: skip
    sane(report)
    told = render(report) + render(report, "json")
    for value in ("ninety", "TENT", "no roof", "Made-up Person"):
        assert value not in told, "no value of a column is ever repeated"


def test_a_descriptor_that_cannot_be_read_has_no_decision(tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text("{", encoding="utf-8")
    report = validate(tmp_path)
    assert report.decision is None
    assert [finding.code for finding in report.findings] == ["CD101"]
    assert report.name is None
    sane(report)


def test_checking_changes_nothing(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in BROKEN.rglob("*.*")}
    package = load(BROKEN)
    copy = json.loads(json.dumps(package.descriptor))
    examine(package)
    assert package.descriptor == copy
    assert {path: path.read_bytes() for path in BROKEN.rglob("*.*")} == before


@pytest.mark.parametrize(("path", "code"), [(GOOD, 0), (BROKEN, 1), ("nowhere", 2)])
def test_exit_codes(path: Path, code: int) -> None:
    done = subprocess.run([PROGRAM, "validate", path], capture_output=True, text=True)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) == (code < 2)


def test_json_on_the_command_line() -> None:
    result = CliRunner().invoke(command, [str(BROKEN), "--format", "json", "--gate", "official"])
    assert result.exit_code == 1
    value = json.loads(result.output)
    VALIDATOR.validate(value)
    assert value["gate"] == "official"
    assert value["source"] == str(BROKEN)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    parent, child = os.openpty()
    done = subprocess.run([PROGRAM, "validate", GOOD], stdout=child, check=True)
    os.close(child)
    printed = os.read(parent, 10_000).decode()
    os.close(parent)
    assert done.returncode == 0
    assert ("\x1b[" in printed) == coloured
    assert "Valid" in re.sub(r"\x1b\[[0-9;]*m", "", printed)


@pytest.mark.parametrize(("lines", "told"), [(10, True), (1000, False)])
def test_a_report_longer_than_the_window_can_be_read_in_a_browser(lines: int, told: bool) -> None:
    parent, child = os.openpty()
    environment = os.environ | {"LINES": str(lines), "COLUMNS": "80"}
    done = subprocess.run(
        [PROGRAM, "validate", GOOD], stdout=child, stderr=subprocess.PIPE, env=environment, check=True
    )
    os.close(child)
    os.close(parent)
    command = f"cdmeta validate {GOOD} --format html --output report.html"
    assert (command in done.stderr.decode()) == told


def test_a_terminal_that_knows_only_ascii() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([PROGRAM, "validate", BROKEN], capture_output=True, env=environment)
    assert done.returncode == 1
    assert done.stderr == b""


# --- whatever a file may hold

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] + [found for key, part in below for found in places(part, (*place, key))]


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = put(copy[place[0]], place[1:], new)
    return copy


WHOLE = json.loads((GOOD / "datapackage.json").read_text(encoding="utf-8"))
PLACES = places(WHOLE)


@EFFORT
@given(st.data())
def test_any_json_at_any_place_of_the_descriptor(tmp_path: Path, data: st.DataObject) -> None:
    value = put(WHOLE, data.draw(st.sampled_from(PLACES)), data.draw(VALUES))
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "scores.csv").write_bytes((GOOD / "data" / "scores.csv").read_bytes())
    (tmp_path / "datapackage.json").write_text(json.dumps(value), encoding="utf-8")
    for gate in profile.GATES:
        sane(validate(tmp_path, gate))


@EFFORT
@given(VALUES)
def test_any_json_as_the_descriptor(tmp_path: Path, value: Any) -> None:
    (tmp_path / "datapackage.json").write_text(json.dumps(value), encoding="utf-8")
    report = validate(tmp_path)
    sane(report)
    assert not report.valid


@EFFORT
@given(st.binary() | st.text(alphabet='",;\n\r\t aé1-.\0ü').map(str.encode))
def test_any_bytes_as_the_table(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "datapackage.json").write_text(json.dumps(WHOLE), encoding="utf-8")
    for content in (raw, b"village,aspect,year,score,attendance,note\n" + raw):
        (tmp_path / "data" / "scores.csv").write_bytes(content)
        sane(validate(tmp_path))


@EFFORT
@given(st.data())
def test_any_bytes_changed_in_the_table(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray((GOOD / "data" / "scores.csv").read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "datapackage.json").write_text(json.dumps(WHOLE), encoding="utf-8")
    (tmp_path / "data" / "scores.csv").write_bytes(raw)
    sane(validate(tmp_path))
