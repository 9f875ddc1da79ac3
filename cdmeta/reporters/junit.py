"""A report as JUnit XML, which CI servers (GitLab, Jenkins, GitHub's readers of test results) show as tests.

A package is a test suite, a rule that found something is a test case. There is no standard of the format; only
elements and attributes stand here that the schema of Jenkins' xUnit plugin and the readers of the others share.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from cdmeta.finding import SEVERITIES, Finding, Report
from cdmeta.phrase import Citation, Phrase
from cdmeta.reporters import shown
from cdmeta.reporters.shown import Style


def render(report: Report, style: Style) -> str:
    """The report as one XML document.

    A rule with errors fails; what a rule warns of is the output of a test case that passes. A valid package has a
    test case for the verdict first, because servers take a suite without any for a mistake.
    """
    told, language = shown.as_shown(report), style.language
    errors = shown.groups(told.of("error"))
    others = [group for severity in SEVERITIES[1:] for group in shown.groups(told.of(severity))]
    name = shown.named(told, language)
    suite = ET.Element("testsuite", name=name, errors="0", skipped="0", time="0")
    if told.valid:
        _case(suite, name, shown.verdict(told, language))
    for group in errors:
        case = _case(suite, name, _title(group, language))
        failure = ET.SubElement(case, "failure", type=group[0].code, message=group[0].title(language))
        failure.text = _text(group, language)
    for group in others:
        ET.SubElement(_case(suite, name, _title(group, language)), "system-out").text = _text(group, language)
    counts = {"tests": str(len(suite)), "failures": str(len(errors))}
    suite.attrib.update(counts)
    root = ET.Element("testsuites", {"name": "cdmeta", "errors": "0", "time": "0", **counts})
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, package: str, title: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=package, name=title, time="0")


def _title(group: Sequence[Finding], language: str) -> str:
    return f"{group[0].code} {group[0].title(language)}"


def _text(group: Sequence[Finding], language: str) -> str:
    """Where a rule found what, how to mend it, and on what the rule rests; each on a line."""
    lines = []
    for finding in group:
        lines.append(shown.at_place(finding, language))
        remedy = Phrase("report.remedy", {"remedy": finding.remedy(language)}).told(language)
        lines.append(remedy)
    if group[0].rule.source:
        lines.append(Phrase("report.source", {"source": Citation(group[0].rule.source)}).told(language))
    return "\n".join(line for number, line in enumerate(lines) if line not in lines[number + 1 :][:2])
