"""The report in the formats of other programs: each is read by a parser of its own, whatever a package holds."""

import base64
import hashlib
import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from decided import DECISION
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml, TestCase, TestSuite
from lxml import html as lxml_html
from lxml.html import HtmlElement
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from cdmeta import html, layout
from cdmeta.cli.validate import command
from cdmeta.errors import OutputError
from cdmeta.finding import Finding, Report, Where
from cdmeta.phrase import texts
from cdmeta.reporters import REPORTERS, render
from cdmeta.reporters.shown import at_place
from cdmeta.text import printable
from cdmeta.workflows.output import write
from cdmeta.workflows.validate import validate

ROOT = Path(__file__).parent.parent
BROKEN = ROOT / "examples" / "broken" / "package"
GOOD = ROOT / "examples" / "water-points" / "package"
PROGRAM = Path(sys.executable).parent / "cdmeta"
LANGUAGES = ("en", "es", "fr")
MISSING = Finding("CD106", Where("datapackage.json", "/resources/0/path", "r"), {"path": "a.csv", "near": ""})
EMPTY = Finding("CD409", Where("d/v.csv", None, "v", None, 7, "age"), {"row": 7, "field": "age"})
UNNAMED = Finding("CD111", Where("f.csv"), {"path": "f.csv"})
REPORT = Report(
    "p", (UNNAMED, MISSING, EMPTY), DECISION, name="n", version="1.0.0", lines={"/resources/0/path": 12}
)
HOSTILE = (
    'a"b\'c<d>&e', "]]>", "</script><script>alert(1)</script>", "--><!--", "a%0Ab%25", "x\ny\r\nz",
    "\u202eabc\u202c",
    "👩🏽‍🌾 😀", "\x00\x1b[2J\x9b", "\udc80", "::error file=x::y", "a,b:c=d",
    "{0} {{1}} [x](https://e.org) \\", "%", "",
    "شهر‌ها", "\ufffe\uffff", "\u2028\u2029", "{path}", "a\u00a0b",
)  # fmt: skip


def rows_of(name: str, report: Report, language: str = "en") -> Any:
    return json.loads(render(report, name, language=language))


# --- JSON lines


def test_a_json_line_says_what_json_says() -> None:
    (whole,) = [json.loads(line) for line in render(REPORT, "jsonl", language="es").splitlines()]
    assert whole == rows_of("json", REPORT, "es")
    assert len(whole["findings"]) == 3


# --- SARIF


def sarif(report: Report, language: str = "en") -> dict[str, Any]:
    """The run of a log that holds to the published schema, and to what its model does not ask."""
    text = render(report, "sarif", language=language)
    SarifLog.model_validate_json(text)
    (run,) = json.loads(text)["runs"]
    assert run.get("originalUriBaseIds", {}).get("PACKAGE", {}).get("uri", "file:///").endswith("/")
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(ids)) == len(ids)
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert re.fullmatch(
            r"[A-Za-z0-9._~%/-]+", result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        )
    return dict(run)


def test_sarif_says_what_where_and_how_to_mend() -> None:
    run = sarif(REPORT)
    assert [result["ruleId"] for result in run["results"]] == ["CD111", "CD106", "CD409"]
    missing, empty = run["results"][1:]
    assert missing | {"partialFingerprints": None} == {
        "ruleId": "CD106",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": 'table r, path: The file "a.csv" is named in the descriptor, and is not there. '
            "Put the file into the package, or correct its name."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "p/datapackage.json"},
                    "region": {"startLine": 12},
                },
                "logicalLocations": [
                    {"kind": "table", "name": "r", "fullyQualifiedName": "table:r"},
                    {"kind": "member", "name": "path", "fullyQualifiedName": "/resources/0/path"},
                ],
            }
        ],
        "partialFingerprints": None,
        "properties": {"where": MISSING.where.as_dict(), "params": {"path": "a.csv", "near": ""}},
    }
    assert empty["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "p/d/v.csv"}},
            "logicalLocations": [
                {"kind": "column", "name": "age", "fullyQualifiedName": "table:v/row:7/column:age"}
            ],
        }
    ]
    assert run["results"][0]["level"] == "warning"
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_sarif_tells_its_rules_in_a_language() -> None:
    english, spanish = (sarif(REPORT, language)["tool"]["driver"]["rules"][0] for language in ("en", "es"))
    assert english["name"] == spanish["name"] == "AFileIsMissing"
    assert english["shortDescription"] == {"text": "A file is missing"}
    assert spanish["shortDescription"] == {"text": "Falta un archivo"}
    assert english["defaultConfiguration"] == {"level": "error"}


def test_fingerprints_tell_findings_apart_and_outlive_words_lines_and_folders() -> None:
    twice = Report("p", (MISSING, MISSING, EMPTY), lines={"/resources/0/path": 3})
    other = Report("q", (MISSING, MISSING, EMPTY), lines={"/resources/0/path": 9})
    marks = [
        [r["partialFingerprints"]["cdmeta/v1"] for r in sarif(*told)["results"]]
        for told in ((twice,), (other, "fr"))
    ]
    assert len(set(marks[0])) == 3
    assert marks[0] == marks[1]


@pytest.mark.parametrize(
    ("source", "address", "base"),
    [
        ("p", {"uri": "p/datapackage.json"}, None),
        (".", {"uri": "datapackage.json"}, None),
        ("a b/datapackage.json", {"uri": "a%20b/datapackage.json"}, None),
        ("a/p.zip", {"uri": "a/p.zip"}, None),
        ("/a ü/p", {"uri": "datapackage.json", "uriBaseId": "PACKAGE"}, {"uri": "file:///a%20%C3%BC/p/"}),
        ("/a/p.zip", {"uri": "p.zip", "uriBaseId": "PACKAGE"}, {"uri": "file:///a/"}),
        ("../p", {"uri": "datapackage.json", "uriBaseId": "PACKAGE"}, {"description": {"text": "../p"}}),
    ],
)
def test_addresses_are_relative(source: str, address: dict[str, str], base: dict[str, Any] | None) -> None:
    run = sarif(Report(source, (MISSING,), lines={"/resources/0/path": 3}))
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == address
    assert ("region" in physical) == ("zip" not in source), "a line of a file in a zip is no line of the zip"
    assert run.get("originalUriBaseIds") == (base and {"PACKAGE": base})


@pytest.mark.parametrize("change", [{"more": 1}, {"level": "fatal"}, {"message": None}, {"ruleIndex": "0"}])
def test_sarif_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    log = json.loads(render(REPORT, "sarif"))
    SarifLog.model_validate(log, strict=False)
    log["runs"][0]["results"][0] |= change
    with pytest.raises(ValidationError):
        SarifLog.model_validate_json(json.dumps(log), strict=True)


# --- JUnit


def cases(text: str) -> list[TestCase]:
    """The test cases of a report, and a check of its counts."""
    (suite,) = JUnitXml.fromstring(text.encode())
    assert isinstance(suite, TestSuite)
    told = list(suite)
    failed = [case for case in told if any(isinstance(result, Failure) for result in case.result)]
    assert (suite.tests, suite.failures, suite.errors) == (len(told), len(failed), 0)
    return told


def test_junit_has_a_case_for_each_rule_that_found_something() -> None:
    missing, empty, unnamed = cases(render(REPORT, "junit"))
    assert [case.name for case in (missing, empty, unnamed)] == [
        "CD106 A file is missing",
        "CD409 A required cell is empty",
        "CD111 A file that the descriptor does not name",
    ]
    (failure,) = missing.result
    assert (failure.type, failure.message) == ("CD106", "A file is missing")
    assert failure.text == (
        'table r, path: The file "a.csv" is named in the descriptor, and is not there.\n'
        "To mend: Put the file into the package, or correct its name.\n"
        "Rests on: Data Package 2.0, Data Resource, path"
    )
    assert unnamed.is_passed
    assert unnamed.system_out.startswith('"f.csv" lies in the package')
    assert missing.classname == "n 1.0.0"


def test_junit_of_a_valid_package_is_a_test_that_passes() -> None:
    verdict, unnamed = cases(render(Report("p", (UNNAMED,), DECISION, name="n"), "junit"))
    assert (verdict.name, verdict.is_passed) == ("Valid. Errors: 0, warnings: 1.", True)
    assert unnamed.is_passed
    assert [case.name for case in cases(render(Report("p"), "junit"))] == ["Valid: nothing stands in the way."]


def test_junit_says_a_common_remedy_once() -> None:
    two = (EMPTY, Finding("CD409", Where("d/v.csv", None, "v", None, 9, "age"), {"row": 9, "field": "age"}))
    (case,) = cases(render(Report("p", two), "junit"))
    assert case.result[0].text.count("To mend:") == 1


# --- GitHub


def commands(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Workflow commands, as the runner of GitHub Actions reads them (ActionCommand.TryParseV2)."""
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        head, _, message = line.removeprefix("::").partition("::")
        name, _, properties = head.partition(" ")
        pairs = (pair.split("=", 1) for pair in properties.split(","))
        yield name, {key: plain(value, "%3A", "%2C") for key, value in pairs}, plain(message)


def plain(text: str, *more: str) -> str:
    for escape in ("%0D", "%0A", *more, "%25"):
        text = text.replace(escape, bytes.fromhex(escape[1:]).decode())
    return text


def test_github_shows_the_verdict_first_then_the_findings_worst_first() -> None:
    assert render(REPORT, "github") == (
        "::notice title=cdmeta%3A n 1.0.0::Not valid yet. Errors: 2, warnings: 1.\n"
        "::error file=p/datapackage.json,line=12,title=CD106 A file is missing::table r, path: The file "
        '"a.csv" is named in the descriptor, and is not there. To mend: Put the file into the package, or correct '
        "its name.\n"
        f"::error file=p/d/v.csv,title=CD409 A required cell is empty::{at_place(EMPTY, 'en')} "
        f"To mend: {EMPTY.remedy()}\n"
        f"::warning file=p/f.csv,title=CD111 A file that the descriptor does not name::{UNNAMED.message()} "
        f"To mend: {UNNAMED.remedy()}\n"
    )


# --- HTML


def page(text: str) -> HtmlElement:
    assert text.startswith("<!doctype html>\n")
    return lxml_html.document_fromstring(text)


def test_the_page_needs_nothing_else() -> None:
    text = render(validate(BROKEN, "official"), "html")
    root = page(text)
    assert not root.xpath("//script|//img|//link|//iframe|//@onclick|//@style|//@src")
    assert all(href.startswith("#") for href in root.xpath("//@href"))
    (css,) = root.xpath("//style/text()")
    assert not re.search(r"url\(|@import", css)
    policy = root.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'" in policy
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in root.xpath("//@href")} <= set(ids)
    assert {label for value in root.xpath("//@aria-labelledby") for label in value.split()} <= set(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_a_language_landmarks_and_headings(language: str) -> None:
    root = page(render(validate(BROKEN, "official"), "html", language=language))
    assert (root.get("lang"), root.get("dir")) == (language, "ltr")
    assert [len(root.xpath(f"/html/body/{name}")) for name in ("header", "main", "footer")] == [1, 1, 1]
    levels = [int(heading.tag[1]) for heading in root.iter("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    words = texts(language)
    told = {" ".join(heading.text_content().split()) for heading in root.iter("h2")}
    assert {" ".join(words[f"report.{key}"].split()) for key in ("gateway", "quality")} <= told
    assert any(words["report.error"] in heading for heading in told)
    if language != "en":
        assert words["translation.unofficial"] in root.xpath("string(//footer)")


def test_the_page_groups_errors_first_with_remedy_reason_and_source() -> None:
    root = page(render(Report("p", (UNNAMED, EMPTY, MISSING), DECISION), "html"))
    assert root.xpath("//article/@id") == ["CD106", "CD409", "CD111"]
    assert root.xpath("//section[@class='error']/article/@id") == ["CD106", "CD409"]
    told = " ".join(root.xpath("//article[@id='CD106']")[0].text_content().split())
    for words in (MISSING.title(), MISSING.message(), MISSING.remedy(), MISSING.rule.source):
        assert words in told
    assert MISSING.rule.why == "" or MISSING.why() in told
    assert texts()["rule.C1"] in root.xpath("string(//section[@id='summary'])")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_colours_can_be_read_in_light_and_dark() -> None:
    css = (ROOT / "cdmeta" / "reporters" / "report.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root {(.*?)}", css, re.S)
    ]
    for theme in themes[:2]:
        for back in ("paper", "ground"):
            for front in ("ink", "quiet", "brand", "error", "warning", "info", "good"):
                low, high = sorted(luminance(theme[name]) + 0.05 for name in (front, back))
                assert high / low >= 4.5, f"{front} on {back} (WCAG 2.2, 1.4.3)"


def test_a_style_sheet_cannot_end_its_element() -> None:
    with pytest.raises(ValueError, match="</"):
        html.style_block("a::after { content: '</style>' }")


# --- --limit


def many(count: int, code: str = "CD409") -> Report:
    return Report(
        "p",
        tuple(
            Finding(code, Where("v.csv", None, "v", None, n + 2, "a"), {"row": n + 2, "field": "a"})
            for n in range(count)
        ),
    )


@pytest.mark.parametrize(
    ("limit", "in_text", "in_html"), [(None, 5, 20), (1, 1, 1), (7, 7, 7), (0, 30, 30), (99, 30, 30)]
)
def test_the_limit_hides_places_and_the_counts_stay_true(limit: int | None, in_text: int, in_html: int) -> None:
    text = render(many(30), limit=limit)
    assert len(re.findall("^  - table", text, re.M)) == in_text
    assert ("and 25 more" in text) == (in_text == 5)
    root = page(render(many(30), "html", limit=limit))
    items = root.xpath("//ul[@class='places']/li[not(@class)]")
    assert len(items) == in_html
    assert root.xpath("string(//li[@class='more'])") == (f"and {30 - in_html} more" if in_html < 30 else "")
    for told in (text, root.text_content()):
        assert "Errors: 30" in told
        assert "CD409 A required cell is empty (30)" in " ".join(told.split())
    for name in ("json", "jsonl", "sarif", "junit", "github"):
        assert render(many(30), name, limit=limit) == render(many(30), name)


def test_open_questions_are_shown_all_unless_a_limit_is_named() -> None:
    asked = tuple(
        Finding(
            "CD130", Where("datapackage.json", f"/a{n}"), {"title": f"T{n}", "question": "Q?", "path": f"a{n}"}
        )
        for n in range(30)
    )
    for limit, shown in ((None, 30), (2, 2), (0, 30)):
        assert len(re.findall("T[0-9]+ ", render(Report("p", asked), limit=limit))) == shown
        root = page(render(Report("p", asked), "html", limit=limit))
        assert len(root.xpath("//ul[@class='places']/li[not(@class)]")) == shown
    assert "and 28 more" in render(Report("p", asked), limit=2)


# --- whatever a package holds

WORDS = st.sampled_from(HOSTILE) | st.text() | st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    file, resource, field = (draw(WORDS) for _ in range(3))
    where = Where(
        file or "x", f"/{draw(WORDS)}", resource, draw(st.none() | WORDS), draw(st.none() | st.just(3)), field
    )
    pointer = f"/{draw(WORDS)}"
    found = (
        Finding("CD106", where, {"path": draw(WORDS), "near": draw(WORDS)}),
        Finding("CD111", Where(draw(WORDS) or "x"), {"path": draw(WORDS)}),
        Finding("CD106", Where("datapackage.json", pointer, draw(WORDS)), {"path": draw(WORDS), "near": ""}),
    )
    return Report(
        draw(WORDS) or "p", found, DECISION, "publish", draw(WORDS) or None, draw(WORDS), None, {pointer: 4}
    )


@settings(max_examples=150)
@given(reports(), st.sampled_from(LANGUAGES))
def test_whatever_a_package_holds_comes_back_from_each_format(report: Report, language: str) -> None:
    messages = [printable(at_place(finding, language)) for finding in report.findings]
    (line,) = render(report, "jsonl", language=language).splitlines()
    assert [row["message"] for row in json.loads(line)["findings"]] == [
        f.message(language) for f in report.findings
    ]

    results = sarif(report, language)["results"]
    for finding, message, result in zip(report.findings, messages, results, strict=True):
        text = result["message"]["text"].replace("{{", "{").replace("}}", "}")
        said = f"{message} {finding.remedy(language)}"
        assert re.sub(r"\\\[(?=[^\[\]]*\]\()", "[", text) == re.sub(r"\\\[(?=[^\[\]]*\]\()", "[", said)

    worst_first = [messages[0], messages[2], messages[1]]
    told = [
        (name, properties, message)
        for name, properties, message in commands(render(report, "github", language=language))
    ]
    assert [name for name, _, _ in told] == ["notice", "error", "error", "warning"]
    for (_, properties, message), said in zip(told[1:], worst_first, strict=True):
        assert message.startswith(f"{said} ")
        assert set(properties) <= {"file", "line", "title"}
        assert properties["title"] in {f"{f.code} {f.title(language)}" for f in report.findings}

    case, warned = cases(render(report, "junit", language=language))
    text = f"{case.result[0].text}\n{warned.system_out}"
    assert all(message in text.split("\n") for message in messages)


@settings(max_examples=100)
@given(reports(), st.sampled_from(LANGUAGES))
def test_whatever_a_package_holds_the_page_is_as_it_was_meant(report: Report, language: str) -> None:
    root = page(render(report, "html", language=language))
    assert not root.xpath("//script")
    assert root.xpath("count(//style)") == 1
    assert [child.tag for child in root.find("body")] == ["a", "header", "main", "footer"]
    told = [squeezed(item.text_content()) for item in root.xpath("//ul[@class='places']/li")]
    worst_first = (report.findings[0], report.findings[2], report.findings[1])
    for item, finding in zip(told, worst_first, strict=True):
        assert squeezed(finding.message(language)) in item


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_what_would_be_a_link_or_a_placeholder_in_sarif_is_escaped() -> None:
    finding = Finding("CD111", Where("x"), {"path": "{0} [a](https://e.org) [b] {c}"})
    text = sarif(Report("p", (finding,)))["results"][0]["message"]["text"]
    assert r"{{0}} \[a](https://e.org) [b] {{c}}" in text


@pytest.mark.parametrize("name", REPORTERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_format_holds_a_value_from_the_rows(name: str, language: str) -> None:
    told = render(validate(BROKEN, "official"), name, language=language, limit=0)
    assert "CD408" in told
    for value in ("ninety", "TENT", "no roof", "Made-up Person"):
        assert value not in told


# --- lines of the descriptor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def counted(value: Any, pointer: str, line: int) -> Iterator[tuple[str, int]]:
    """Pointer and line of all parts of a value that `json.dumps` breaks into lines; at the end the last line."""
    pairs = value.items() if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else ()
    for key, part in pairs:
        line += 1
        own = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield own, line
        *below, (_, line) = counted(part, own, line)
        yield from below
    yield "", line + bool(pairs)


@given(JSON)
def test_the_line_of_each_part_of_a_descriptor(value: Any) -> None:
    *expected, _ = counted(value, "", 1)
    raw = json.dumps(value, indent=1).encode()
    assert layout.lines(raw, [pointer for pointer, _ in expected]) == dict(expected)
    flat = json.dumps(value).encode()
    assert set(layout.lines(flat, [pointer for pointer, _ in expected]).values()) <= {1}


def test_what_is_not_there_lies_where_it_belongs() -> None:
    raw = b'\n{"a": [\n1,\n{"b/~":\n"}]{[,\\""}],\n"\\u0063": {}}'
    wanted = {"": 1, "/a": 2, "/a/0": 3, "/a/1": 4, "/a/1/b~1~0": 4, "/c": 6, "/c/x/y": 6, "/a/7": 2, "/z": 1}
    assert layout.lines(raw, wanted) == wanted
    assert layout.lines(raw, []) == {}


def there(value: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        if isinstance(value, list):
            value = dict(enumerate(value))
            step = int(step)  # type: ignore[assignment]  # the step of a list is a number
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def test_the_lines_of_a_real_descriptor_hold_what_is_told_of_them() -> None:
    report, raw = validate(BROKEN), (BROKEN / "datapackage.json").read_text(encoding="utf-8")
    pointers = {finding.where.pointer for finding in report.findings if finding.where.pointer}
    assert set(report.lines) == pointers
    named = [pointer for pointer in pointers if there(json.loads(raw), pointer) and not pointer[-1].isdecimal()]
    assert len(named) > 10
    for pointer in named:
        assert f'"{pointer.rpartition("/")[2]}"' in raw.splitlines()[report.lines[pointer] - 1]


# --- the command line


def run(*args: str | Path | int) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args])


@pytest.mark.parametrize("name", REPORTERS)
@pytest.mark.parametrize(("package", "code"), [(GOOD, 0), (BROKEN, 1)])
def test_a_file_holds_what_would_be_shown(tmp_path: Path, name: str, package: Path, code: int) -> None:
    shown = run(package, "--format", name)
    written = run(package, "--format", name, "--output", tmp_path / "r")
    assert (shown.exit_code, written.exit_code, written.output) == (code, code, "")
    assert (tmp_path / "r").read_bytes().decode() == shown.output
    assert run(package, "--format", name, "--output", "-").output == shown.output
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_the_limit_on_the_command_line() -> None:
    assert run(BROKEN, "--limit", 1).output == render(validate(BROKEN), limit=1)
    assert run(BROKEN, "--limit", -1).exit_code == 2


def test_a_file_is_the_old_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r").write_text("old")
    (tmp_path / "r").chmod(0o640)
    (tmp_path / "link").symlink_to("r")
    with (tmp_path / "r").open() as reader:
        write(tmp_path / "link", "new")
        assert reader.read() == "old", "who reads it already reads the old one to its end"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "r").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o640

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError):
        write(tmp_path / "r", "newer")
    assert (tmp_path / "r").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "r"]


def test_a_report_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no" / "r", tmp_path / ("x" * 300)):
        done = subprocess.run([PROGRAM, "validate", GOOD, "--output", out], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert str(out)[:50] in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_report_goes_into_what_is_no_file() -> None:
    done = subprocess.run([PROGRAM, "validate", GOOD, "--output", "/dev/stdout"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, render(validate(GOOD)))


def test_a_zip_is_told_as_the_file_that_lies_there(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for path in BROKEN.rglob("*.*"):
            archive.write(path, path.relative_to(BROKEN))
    told = list(commands(render(validate(tmp_path / "p.zip"), "github")))
    assert {properties.get("file") for _, properties, _ in told[1:]} == {(tmp_path / "p.zip").as_posix()}
    assert not any("line" in properties for _, properties, _ in told)
