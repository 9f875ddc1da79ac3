"""What was found wrong, or worth a look, in a package: values, never exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cdmeta import profile
from cdmeta.phrase import SENTENCES, WORDED, Phrase, Series, say
from cdmeta.profile import Grade, Severity
from cdmeta.quality import Quality

OPEN_QUESTIONS = ("CD130", "CD131")
"""Codes of findings that are open questions: an answer is missing."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Where:
    """The place of a finding, as far as each part applies.

    Attributes:
        file: path inside the package, with `/`.
        pointer: JSON Pointer (RFC 6901) into the descriptor or into `file`.
        resource: name of the resource.
        sheet: name of the sheet in a workbook.
        row: number of the record in its table, the header being row 1.
        field: name of the column.
    """

    file: str | None = None
    pointer: str | None = None
    resource: str | None = None
    sheet: str | None = None
    row: int | None = None
    field: str | None = None

    def as_dict(self) -> dict[str, str | int]:
        """The parts that apply."""
        return {key: value for key, value in self.__dict__.items() if value is not None}


NOWHERE = Where()


@dataclass(frozen=True)
class Finding:
    """One finding: a permanent code, a place, and what fills the blanks of the rule's message.

    Severity, title, message, remedy and reason belong to the rule (`profile.rule`), not to the finding, so that
    each gate and each language can word it. So do the words among the params: they are phrases.

    Attributes:
        code: `CD1xx` descriptor, `CD2xx` participation, `CD3xx` consent, `CD4xx` rows, `CD5xx` disclosure,
            `CD6xx` approval, `CD7xx` SDMX.
        where: the place.
        params: what the message names; never a value from a column that may identify a person.
    """

    code: str
    where: Where = NOWHERE
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def rule(self) -> profile.Rule:
        """The rule behind the code."""
        return profile.load().rules[self.code]

    def severity(self, gate: str = "publish") -> Grade:
        """How grave the finding is at a gate; `none` where nothing is told of it."""
        return self.rule.severity[gate]

    def title(self, language: str = "en") -> str:
        """What is wrong, in a few words."""
        return self.phrase("title").told(language)

    def message(self, language: str = "en") -> str:
        """What was found, in one sentence that is safe to show (see `text.printable`)."""
        return self.phrase().told(language)

    def remedy(self, language: str = "en") -> str:
        """How to mend it, likewise."""
        return self.phrase("remedy").told(language)

    def why(self, language: str = "en") -> str:
        """Why it matters; empty where that is plain."""
        return self.phrase("why").told(language)

    def spoken(self, language: str = "en") -> dict[str, Any]:
        """The params in words of a language; what is no phrase stays as it is."""
        return {key: say(v, language) if isinstance(v, WORDED) else v for key, v in self.params.items()}

    def phrase(self, column: str = "message") -> Phrase:
        """A column of the rule's words, its blanks filled."""
        return Phrase(self.code, _phrased(self.params), "rules", column)


_WORDED = ("constraint", "reason", "type")
"""Params whose value may be a key of the texts, `reason.bom`; any other value is words already."""


def _phrased(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params, keys of texts as phrases; `near` is the name that may be meant, or empty."""
    phrased, texts = dict(params), profile.texts()
    for name in _WORDED:
        if isinstance(params.get(name), str) and (key := f"{name}.{params[name]}") in texts:
            phrased[name] = Phrase(key, params)
    if params.get("near"):
        phrased["near"] = Series(("", Phrase("report.near", params)), SENTENCES)
    return phrased


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that stand in the way of publishing."""
    return tuple(finding for finding in findings if finding.severity() == "error")


def told_at(findings: Iterable[Finding], gate: str) -> tuple[Finding, ...]:
    """The findings that are told at a gate, in order."""
    return tuple(finding for finding in findings if finding.severity(gate) != "none")


@dataclass(frozen=True)
class Report:
    """The result of checking one package, or one message.

    Attributes:
        source: the path as the caller gave it.
        findings: all findings that are told at the gate, in the order of the checks.
        decision: the Framework's decision as data (see `framework.Decision.as_dict`), or None where the
            descriptor could not be read.
        gate: the gate by which severities are taken.
        name: the package's name, where it has one; of a message, what it was checked against.
        version: the package's own version, where it has one.
        quality: what a statistical office weighs; None at another gate, or where the descriptor could not be read.
        lines: JSON Pointer of each finding in the descriptor to the line, from 1, at which it, or the part that
            holds it, begins; empty where the descriptor could not be read.
        about: `package`, or `data` where it is on a message of data or of reference metadata.
    """

    source: str
    findings: tuple[Finding, ...] = ()
    decision: Mapping[str, Any] | None = field(default=None, hash=False)
    gate: str = "publish"
    name: str | None = None
    version: str | None = None
    quality: Quality | None = None
    lines: Mapping[str, int] = field(default_factory=dict, hash=False, repr=False)
    about: Literal["package", "data"] = "package"

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity(self.gate) == severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stand in the way at this gate."""
        return self.of("error")

    @property
    def valid(self) -> bool:
        """True where there is no error; an ASSESS is no error."""
        return not self.errors

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity."""
        counter = Counter(finding.severity(self.gate) for finding in self.findings)
        return {severity: counter[severity] for severity in SEVERITIES}


@dataclass(frozen=True)
class Result:
    """What became of one package of several.

    Attributes:
        source: the path as the caller gave it, or as it was found.
        report: the report; None where there is no package, or it could not be checked.
        error: why there is none; None where there is.
        cached: True where the report is that of an earlier run over the same content.
    """

    source: str
    report: Report | None = None
    error: Phrase | None = None
    cached: bool = field(default=False, compare=False)
