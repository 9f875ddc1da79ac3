"""The gate of a statistical office: what is told there and not elsewhere, and what an office asks for."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from rule_cases import BASE, merged

from cdmeta import profile
from cdmeta.checks import consent
from cdmeta.finding import Finding, Report, told_at
from cdmeta.package import load
from cdmeta.reporters.explain import render as explain
from cdmeta.workflows.validate import examine

UNKNOWN_CHILDREN = {"citizenData": {"minors": "_U"}}


def silent_at(monkeypatch: pytest.MonkeyPatch, code: str, gate: str) -> None:
    loaded = profile.load()
    rule = loaded.rules[code]
    severity = MappingProxyType({**rule.severity, gate: "none"})
    rules = MappingProxyType({**loaded.rules, code: replace(rule, severity=severity)})
    monkeypatch.setattr(profile, "load", lambda language="en": replace(loaded, rules=rules))


@pytest.mark.parametrize("gate", profile.GATES)
def test_a_rule_is_told_at_the_gate_where_it_has_a_severity(monkeypatch: pytest.MonkeyPatch, gate: str) -> None:
    silent_at(monkeypatch, "CD323", gate)
    base = load(BASE)
    package = replace(base, descriptor=merged(base.descriptor, UNKNOWN_CHILDREN))
    assert "CD323" in [finding.code for finding in consent.check(package)]
    told = {each: [f.code for f in examine(package, each).findings if f.code == "CD323"] for each in profile.GATES}
    assert told == {each: [] if each == gate else ["CD323"] for each in profile.GATES}


def test_what_is_not_told_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_at(monkeypatch, "CD301", "publish")
    finding = Finding("CD301", params={"personal": "ORDINARY"})
    assert told_at((finding,), "publish") == ()
    assert told_at((finding,), "official") == (finding,)
    report = Report("x", (finding,))
    assert (report.valid, sum(report.counts.values())) == (True, 0)


def test_explain_says_where_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_at(monkeypatch, "CD323", "publish")
    text = explain([(profile.load().rules["CD323"], None)])
    assert "In a package to be published: not told. At the gate of a statistical office: warning." in text
