"""What people are shown of a report, and in which words; and for programs, where a file of the package lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath

from cdmeta import profile
from cdmeta.finding import OPEN_QUESTIONS, Finding, Report, Where
from cdmeta.package import DESCRIPTOR
from cdmeta.phrase import ENGLISH, Phrase, closest, number, title_of
from cdmeta.quality import Step
from cdmeta.text import printable, quoted

FRAMEWORK = ("CD201", "CD202", "CD203", "CD204")
"""Findings that tell what the Framework says of a case."""


@dataclass(frozen=True)
class Style:
    """How a report is shown; each format takes of it what it knows.

    Attributes:
        color: True where escape sequences of ANSI terminals may be used.
        width: columns of the terminal.
        language: BCP 47 tag of the words; English where there is no translation.
        limit: findings of one rule that are shown to people, 0 for all; None for what is usual in the format.
    """

    color: bool = False
    width: int = 80
    language: str = ENGLISH
    limit: int | None = None

    def some(self, findings: Sequence[Finding], usual: int) -> Sequence[Finding]:
        """Those findings of one rule that are shown; usually, open questions are shown all."""
        limit = self.limit if self.limit is not None else 0 if findings[0].code in OPEN_QUESTIONS else usual
        return findings[:limit] if limit else findings


def as_shown(report: Report) -> Report:
    """Leave out what another finding, at the same place or within it, says better (`implies` in rules.csv)."""
    return replace(report, findings=tuple(_told_once(report.findings)))


def _told_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    implied = {(code, finding.where.pointer or "") for finding in findings for code in finding.rule.implies}
    codes = {code for code, _ in implied}
    for finding in findings:
        own = finding.where.pointer or ""
        if finding.code not in codes or not any(
            code == finding.code and f"{pointer}/".startswith(f"{own}/") for code, pointer in implied
        ):
            yield finding


def groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings by code, in the order of the codes: what keeps a package from being read comes first."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return [by_code[code] for code in sorted(by_code)]


def verdict(report: Report, language: str) -> str:
    """Whether the package is valid, with the counts of errors and warnings."""
    counts = report.counts
    key = "invalid" if not report.valid else "valid-warnings" if counts["warning"] else "valid"
    told = {"errors": number(counts["error"], language), "warnings": number(counts["warning"], language)}
    return Phrase(f"report.{key}", told).told(language)


def named(report: Report, language: str) -> str:
    """The package's name and version."""
    known = " ".join(printable(part, 80) for part in (report.name, report.version) if part)
    return known or Phrase("report.unnamed").told(language)


def following(report: Report, language: str) -> tuple[str, str]:
    """What to do next, and the command for it; empty where there is none."""
    if report.about == "data":
        return Phrase("report.next.data.valid" if report.valid else "report.next.data.invalid").told(language), ""
    outcome = str(report.decision["outcome"]) if report.decision else ""
    key = "report.next.valid" if report.valid else "report.next.invalid"
    if report.valid and outcome == "ASSESS":
        key = "report.next.assess"
    gate = "" if report.gate == "publish" else f" --gate {report.gate}"
    command = Phrase(f"{key}.command", {"source": quoted(report.source) + gate})
    return Phrase(key).told(language), command.told(language)


def unofficial(report: Report, language: str) -> str:
    """That what is told of the Framework is our translation, where it is; else empty."""
    told = any(finding.code in FRAMEWORK for finding in report.findings)
    return Phrase("translation.unofficial").told(language) if told and closest(language) != ENGLISH else ""


def subject(report: Report, language: str) -> str:
    """What the report is on."""
    params = {"name": named(report, language), "source": printable(report.source, 200)}
    return Phrase("report.subject.data" if report.about == "data" else "report.subject", params).told(language)


def question(finding: Finding, language: str) -> dict[str, str]:
    """An open question: `title`, `path`, `question` with its explanation, and `because` where that is known."""
    return {key: printable(str(value)) for key, value in finding.spoken(language).items()}


def placed(finding: Finding, language: str) -> tuple[str, str]:
    """The place, as far as the message does not name it itself, and the message."""
    return place(_unsaid(finding), language), finding.message(language)


def at_place(finding: Finding, language: str) -> str:
    """The message behind its place."""
    where, message = placed(finding, language)
    return f"{where}: {message}" if where else message


def gateway_step(step: Step, language: str) -> str:
    """A step of the gateway and whether it is passed."""
    key = "yes-warnings" if step.state == "yes" and step.codes else step.state
    return Phrase(f"report.gateway.{key}", {"title": step.title, "codes": ", ".join(step.codes)}).told(language)


# --- places in words


def _unsaid(finding: Finding) -> Where:
    """Those parts of the place that the message does not name itself."""
    where, template = finding.where, finding.rule.message
    said = {
        name for name, value in finding.params.items() if f"{{{name}" in template and value == _part(where, name)
    }
    if "{path" in template and finding.params.get("path") == dotted(where.pointer or ""):
        said |= {"pointer", "file"}
    return replace(where, **{"file" if name == "path" else name: None for name in said})


def _part(where: Where, name: str) -> str | int | None:
    return where.as_dict().get("file" if name == "path" else name)


def place(where: Where, language: str = "en") -> str:
    """A place in words: `table visits, row 7, column age`; the descriptor is not named, as nearly all is in it.

    A JSON Pointer becomes a dotted path; what stands in a list is counted from 1: `resources #2.schema`.
    """
    parts: list[str] = []
    pointer = dotted(where.pointer or "")
    if where.resource and not where.row and pointer.startswith("resources #"):
        pointer = pointer.partition(".")[2]
    if where.resource:
        parts.append(Phrase("report.where.resource", {"name": printable(where.resource, 80)}).told(language))
    elif where.file and where.file != DESCRIPTOR:
        parts.append(printable(where.file, 120))
    if where.sheet:
        parts.append(Phrase("report.where.sheet", {"name": printable(where.sheet, 80)}).told(language))
    if where.row:
        parts.append(Phrase("report.where.row", {"row": number(where.row, language)}).told(language))
    if where.field:
        parts.append(Phrase("report.where.field", {"name": printable(where.field, 80)}).told(language))
    if pointer and not where.row:
        parts.append(_titled(pointer, language))
    return ", ".join(parts)


def _titled(path: str, language: str) -> str:
    """A path behind the title of its field, which is what the sheet of questions calls it."""
    generic = re.sub(r" #[0-9]+", "[]", path)
    if not path.startswith("citizenData.") or generic not in profile.load().fields:
        return path
    return Phrase("code.named", {"name": title_of(generic), "code": path}).told(language)


def dotted(pointer: str) -> str:
    """A JSON Pointer as a path that people read: `/resources/0/name` is `resources #1.name`."""
    path = ""
    for step in pointer.split("/")[1:]:
        name = printable(step.replace("~1", "/").replace("~0", "~"), 80)
        path += f" #{int(name) + 1}" if name.isdecimal() and len(name) < 10 else f".{name}" if path else name
    return path.strip()


# --- places for programs


def folder_of(report: Report) -> str | None:
    """The folder that holds the package's files, as the caller gave it; None for a zip, which is the holder."""
    source = PurePath(report.source)
    if source.suffix.lower() == ".zip":
        return None
    return str(source.parent if source.name == DESCRIPTOR else source)


def file_of(finding: Finding) -> str:
    """The file of the package in which a finding lies; the descriptor where it names none."""
    return finding.where.file or DESCRIPTOR


def path_of(report: Report, file: str) -> str:
    """Where a file of the package lies, with `/`, from where the caller stands; of a zip, the zip itself."""
    folder = folder_of(report)
    parts = PurePath(report.source if folder is None else folder).as_posix()
    return parts if folder is None else PurePosixPath(parts, file).as_posix()


def line_of(report: Report, finding: Finding) -> int | None:
    """The line of the descriptor at which a finding lies, from 1; None elsewhere.

    A row is a record, and a record may hold line breaks, lie in a compressed file or in a workbook: its number is
    no number of a line.
    """
    if folder_of(report) is None or file_of(finding) != DESCRIPTOR or finding.where.pointer is None:
        return None
    return report.lines.get(finding.where.pointer)
