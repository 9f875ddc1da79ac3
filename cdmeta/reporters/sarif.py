"""A report as SARIF 2.1.0 (OASIS), which code-scanning servers and editors show at the files.

Lines are given in the descriptor alone. The rows of a table are records: one may hold line breaks, and they may
lie in a compressed file or in a workbook, so a row is a logical location (§3.33) and no region of a file. Files of
a zip are told in logical locations too, because the zip is the file that lies there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from cdmeta import profile
from cdmeta.finding import Finding, Report, Where
from cdmeta.phrase import blanked, closest
from cdmeta.profile import Rule
from cdmeta.reporters import shown
from cdmeta.reporters.json_ import of_the_whole, written
from cdmeta.reporters.shown import Style
from cdmeta.text import pointer_step

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "cdmeta/v1"
"""Name of our fingerprint: the code, the place and a number among equals, so neither words nor lines change it."""
BASE = "PACKAGE"
"""Stands for the package's folder where its path cannot be told relative to where the caller stands."""

_LEVELS = {"error": "error", "warning": "warning", "info": "note", "none": "none"}


def render(report: Report, style: Style) -> str:
    """The report as a SARIF log of one run; as in JSON, all findings stand in it."""
    return written({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, style.language)]}, indent=2)


def _run(report: Report, language: str) -> dict[str, Any]:
    codes = sorted({finding.code for finding in report.findings})
    rules = profile.load(language).rules
    marks = _fingerprints(report.findings)
    driver = {
        "name": "cdmeta",
        "version": version("cdmeta"),
        "rules": [_rule(rules[code], report.gate) for code in codes],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "language": closest(language),
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": 0 if report.valid else 1}],
        "results": [
            _result(report, finding, codes.index(finding.code), mark, language)
            for finding, mark in zip(report.findings, marks, strict=True)
        ],
        "properties": of_the_whole(report),
    }
    if _outside(report):
        run["originalUriBaseIds"] = {BASE: _base(report)}
    return run


def _rule(rule: Rule, gate: str) -> dict[str, Any]:
    remedy, english = blanked(rule.remedy), profile.load().rules[rule.code]
    return {
        "id": rule.code,
        "name": "".join(
            word[:1].upper() + word[1:] for word in re.findall("[A-Za-z0-9]+", blanked(english.title))
        ),
        "shortDescription": {"text": blanked(rule.title)},
        "fullDescription": {"text": blanked(rule.why or rule.message)},
        "help": {"text": " ".join(part for part in (remedy, rule.why and blanked(rule.why)) if part)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity[gate]]},
        "properties": {"source": rule.source},
    }


def _result(report: Report, finding: Finding, index: int, mark: str, language: str) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity(report.gate)],
        "message": {"text": _message(f"{shown.at_place(finding, language)} {finding.remedy(language)}")},
        "locations": [_location(report, finding)],
        "partialFingerprints": {FINGERPRINT: mark},
        "properties": {"where": finding.where.as_dict(), "params": finding.spoken(language)},
    }


def _message(text: str) -> str:
    """Text as a message: braces are doubled (§3.11.5), and what looks like a link (§3.11.6) is none."""
    return re.sub(r"\[(?=[^\[\]]*\]\()", r"\\[", text.replace("{", "{{").replace("}", "}}"))


def _location(report: Report, finding: Finding) -> dict[str, Any]:
    """A file there always is, as servers ask for one: the descriptor where a finding names none."""
    physical: dict[str, Any] = {"artifactLocation": _artifact(report, shown.file_of(finding))}
    if line := shown.line_of(report, finding):
        physical["region"] = {"startLine": line}
    logical = _logical(finding.where, shown.folder_of(report) is None)
    return {"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})


def _artifact(report: Report, file: str) -> dict[str, str]:
    if _outside(report):
        own = PurePath(report.source).name if shown.folder_of(report) is None else file
        return {"uri": _uri(own), "uriBaseId": BASE}
    return {"uri": _uri(shown.path_of(report, file))}


def _around(report: Report) -> PurePath:
    """The folder that holds the package's files, or the zip."""
    return PurePath(shown.folder_of(report) or PurePath(report.source).parent)


def _outside(report: Report) -> bool:
    """True where no relative address without `..` leads from the caller's place to the package."""
    return _around(report).is_absolute() or ".." in _around(report).parts


def _base(report: Report) -> dict[str, Any]:
    """What the base stands for; an address that is relative may not (§3.14.14), and is only told."""
    folder = _around(report)
    if not folder.is_absolute():
        return {"description": {"text": folder.as_posix()}}
    return {"uri": f"file:///{_uri(folder.as_posix().strip('/'))}/"}


def _uri(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def _logical(where: Where, zipped: bool) -> list[dict[str, str]]:
    """The place inside a file: a table with its sheet, row and column, a part of the descriptor; a zip's file."""
    steps = [
        (kind, str(value))
        for kind, value in (
            ("file", where.file if zipped else None),
            ("table", where.resource),
            ("sheet", where.sheet),
            ("row", where.row),
            ("column", where.field),
        )
        if value is not None
    ]
    found = []
    if steps:
        name = "/".join(f"{kind}:{pointer_step(value)}" for kind, value in steps)
        found.append({"kind": steps[-1][0], "name": steps[-1][1], "fullyQualifiedName": name})
    if where.pointer:
        found.append(
            {"kind": "member", "name": where.pointer.rpartition("/")[2], "fullyQualifiedName": where.pointer}
        )
    return found


def _fingerprints(findings: Sequence[Finding]) -> list[str]:
    seen: Counter[str] = Counter()
    marks = []
    for finding in findings:
        place = json.dumps([finding.code, finding.where.as_dict()], sort_keys=True)
        seen[place] += 1
        marks.append(hashlib.sha256(f"{place}{seen[place]}".encode()).hexdigest()[:32])
    return marks
