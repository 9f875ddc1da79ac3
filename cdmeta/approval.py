"""Approval bound to bytes: the statement, its signature, and the verdict on both.

An approval is an in-toto Statement v1 that lists the sha256 of the descriptor and of every local file that it
refers to, in RFC 8785 form, with a detached OpenSSH signature. Any edit revokes it. Who may sign is told by a file
of the receiver (`allowed_signers`), never by the package.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdmeta import profile
from cdmeta.beside import Refused, read_beside, sha256_part
from cdmeta.errors import ApprovalError, KeyFileError
from cdmeta.finding import SEVERITIES, Finding, Report, Where
from cdmeta.framework import OUTCOMES
from cdmeta.package import APPROVAL_FILES, Package
from cdmeta.phrase import at, os_reason
from cdmeta.sshsig import AllowedSigner, Signature, SigningKey, UnusableLine, fault, parse_allowed_signers
from cdmeta.sshsig import read_signature as _read_signature
from cdmeta.text import is_missing

STATEMENT, SIGNATURE = APPROVAL_FILES
NAMESPACE = "cdmeta-approval"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://w3id.org/cdmeta/approval/v1"
APPROVED, REJECTED = "APPROVED", "REJECTED"
APPROVABLE = ("CITIZEN_DATA", "ASSESS")
"""Outcomes of the Framework's decision that a person may approve; an ASSESS needs the reason (¶15, ¶30)."""

MAX_SIGNERS_BYTES = 5 * 2**20

_REFUSED = ("CD105", "CD106", "CD107", "CD108", "CD109")
_IDENTITY = re.compile(r'[^\s",*?!#\x00-\x20\x7f-\x9f]{1,254}')
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RULE = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Characters that turn the direction of what follows, and so could make a name look like another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Approver:
    """Who approves.

    Attributes:
        name: for people.
        identity: what an allowed-signers file calls a principal, mostly an e-mail address.
        organisation: or empty.
    """

    name: str
    identity: str
    organisation: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.identity}>" + (f", {self.organisation}" if self.organisation else "")


@dataclass(frozen=True)
class Ruling:
    """What was decided.

    Attributes:
        outcome: of the Framework, one of `framework.OUTCOMES`.
        rule: that gave it, or empty.
        gate: at which the checks were run.
        decision: APPROVED or REJECTED.
        reason: the approver's own; an ASSESS and a rejection need one.
    """

    outcome: str
    rule: str
    gate: str
    decision: str = APPROVED
    reason: str = ""


@dataclass(frozen=True)
class Statement:
    """What is signed.

    Attributes:
        subject: path and sha256 (hex) of the descriptor and of every local file that it refers to, sorted.
        ruling: what was decided.
        name, version: of the package.
        approver: who decided.
        time: when, in UTC, to the second; the approver's own word.
        profile: `url`, `version`, `framework` and `digest` of the profile by which it was checked.
        report: sha256 of the report's canonical JSON.
        counts: how many findings of each severity the report holds.
    """

    subject: tuple[tuple[str, str], ...]
    ruling: Ruling
    name: str
    version: str
    approver: Approver
    time: datetime
    profile: Mapping[str, str] = field(hash=False)
    report: str
    counts: Mapping[str, int] = field(hash=False)

    def to_bytes(self) -> bytes:
        """In RFC 8785 form: the bytes that are signed."""
        return _canonical(_document(self))

    def as_dict(self) -> dict[str, Any]:
        """As in the file."""
        return _document(self)

    @property
    def sums(self) -> str:
        """The files as a SHA256SUMS file, for `sha256sum -c`."""
        return "".join(f"{digest}  {path}\n" for path, digest in self.subject)


@dataclass(frozen=True)
class Verdict:
    """Whether an approval holds.

    Attributes:
        approved: True where there is no reason against it.
        reasons: each reason for a no, all of them.
        signer: the identity that the receiver's file allows this key, where it does.
        key: fingerprint of the key that signed, where the signature could be read.
        statement: what was signed, where it could be read; to be believed only where approved.
    """

    approved: bool
    reasons: tuple[Finding, ...] = ()
    signer: str | None = None
    key: str | None = None
    statement: Statement | None = None


def is_identity(value: str) -> bool:
    """Tell whether a text can name one person in an allowed-signers file: no spaces, quotes or pattern signs."""
    return _IDENTITY.fullmatch(value) is not None


def installed_profile() -> dict[str, str]:
    """The profile that is installed, as a statement names it."""
    return {
        "url": profile.URL,
        "version": profile.VERSION,
        "framework": profile.FRAMEWORK,
        "digest": profile.load().digest,
    }


def make(
    package: Package,
    digests: Mapping[str, str],
    report: Report,
    ruling: Ruling,
    approver: Approver,
    time: datetime,
) -> Statement:
    """The statement on a package.

    Args:
        package: what is approved.
        digests: path to sha256 (hex) of each of its parts.
        report: the result of its checks.
        ruling: what was decided.
        approver: who decided.
        time: when; seconds count, parts of them do not.

    Raises:
        ApprovalError: something in it cannot be stated, for instance a package without a version.
    """
    descriptor = package.descriptor
    statement = Statement(
        tuple(sorted(digests.items())),
        ruling,
        descriptor.get("name", ""),
        descriptor.get("version", ""),
        approver,
        time.astimezone(UTC).replace(microsecond=0),
        installed_profile(),
        report_digest(report),
        {str(severity): count for severity, count in report.counts.items()},
    )
    misfits = tuple(finding.phrase() for finding in _misfits(_document(statement), _SHAPE, ""))
    if misfits:
        raise ApprovalError(misfits[0], misfits)
    return statement


def sign(statement: bytes, key: SigningKey) -> bytes:
    """The detached signature of a statement: what `ssh-keygen -Y sign -n cdmeta-approval` writes."""
    return key.sign(statement, NAMESPACE)


def allowed_signers_line(identity: str, key: SigningKey) -> str:
    """The line that allows a key to approve."""
    return f'{identity} namespaces="{NAMESPACE}" {key.public.line}'


def report_digest(report: Report) -> str:
    """sha256 (hex) of the report's canonical JSON; where the package lay is left out."""
    findings = [{"code": f.code, "where": f.where.as_dict(), "params": dict(f.params)} for f in report.findings]
    document = {
        "name": report.name,
        "version": report.version,
        "gate": report.gate,
        "decision": dict(report.decision or {}),
        "findings": findings,
    }
    # Params may be of any type, and RFC 8785 takes no integer of 2^53 and above, no NaN and no half surrogates.
    text = json.dumps(document, default=str, ensure_ascii=False).encode("utf-8", "replace")
    plain = json.loads(text, parse_int=_safe_integer, parse_constant=str)
    return hashlib.sha256(_canonical(plain)).hexdigest()


def digests_of(package: Package) -> dict[str, str]:
    """Path to sha256 (hex) of each part that is there; read in blocks, never whole."""
    found = {}
    for part in package.parts:
        try:
            found[part] = sha256_part(package.root, part)
        except (FileNotFoundError, NotADirectoryError):
            continue  # Gone since the package was opened: missing, which the verdict tells.
    return found


def parse(content: bytes) -> tuple[Statement | None, tuple[Finding, ...]]:
    """Read a statement; where it is none, to the letter, all reasons instead.

    Every byte counts: what is not in RFC 8785 form (another order, spaces, a key twice) is refused.
    """
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None, (_malformed("statement-json"),)
    misfits = tuple(_misfits(document, _SHAPE, ""))
    if misfits:
        return None, misfits
    statement = _statement(document)
    if statement.to_bytes() != content:
        return None, (_malformed("statement-canonical"),)
    return statement, ()


def verify(
    package: Package,
    allowed_signers: Path | None,
    digests: Mapping[str, str] | None = None,
    beside: Mapping[str, bytes | Refused | None] | None = None,
) -> Verdict:
    """Tell whether the approval beside a package holds for its bytes, with all reasons against it.

    Whether a key was valid is judged at the time that the statement gives, as `ssh-keygen -O verify-time` does.
    That time is the signer's own word: a signer whose key has run out can date an approval back. Who needs more
    takes the line out of the file, or keeps the approvals in a history of their own.

    Args:
        package: what was approved.
        allowed_signers: the receiver's file of who may sign; None for nobody.
        digests: path to sha256 (hex) of the files as they will be used; None to take them from the package now.
        beside: the two files of the approval as they were read already; None to read them now.

    Raises:
        KeyFileError: the file of who may sign cannot be read.
    """
    digests = digests_of(package) if digests is None else digests
    read = beside or {name: read_beside(package, name) for name in APPROVAL_FILES}
    signers, unusable = _signers(allowed_signers)
    content, armoured = read.get(STATEMENT), read.get(SIGNATURE)
    if content is None:
        return Verdict(False, (Finding("CD601", Where(file=STATEMENT)),))
    statement, reasons = _parsed(content)
    signature = _signature(armoured)
    if isinstance(signature, Finding):
        reasons.append(signature)
    else:
        reasons += _faults(signature, content)
        reasons += _not_allowed(signature, statement, allowed_signers, signers, unusable)
    if statement is not None:
        reasons += [*_on_decision(statement), *_on_package(statement, package), *_on_profile(statement)]
        reasons += _on_files(statement, package, digests)
    return _verdict(tuple(reasons), signature, statement)


def _parsed(content: bytes | Refused) -> tuple[Statement | None, list[Finding]]:
    """A statement as far as it can be read, and what is wrong with it."""
    if isinstance(content, Refused):
        return None, [_malformed(content.reason)]
    statement, malformed = parse(content)
    return statement, list(malformed)


def _verdict(reasons: tuple[Finding, ...], signature: Signature | Finding, statement: Statement | None) -> Verdict:
    allowed = statement and not any(finding.code in ("CD602", "CD603", "CD604") for finding in reasons)
    signer = statement.approver.identity if statement and allowed else None
    key = None if isinstance(signature, Finding) else signature.key.fingerprint
    return Verdict(not reasons, reasons, signer, key, statement)


def _signers(path: Path | None) -> tuple[tuple[AllowedSigner, ...], tuple[UnusableLine, ...]]:
    if path is None:
        return (), ()
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_SIGNERS_BYTES + 1)
        if len(content) > MAX_SIGNERS_BYTES:
            raise KeyFileError(at(path, "error.signers.large"))
        return parse_allowed_signers(content.decode("utf-8-sig"))
    except OSError as error:
        raise KeyFileError(at(path, "error.unreadable", reason=os_reason(error))) from error
    except UnicodeDecodeError as error:
        raise KeyFileError(at(path, "error.signers.text")) from error


def _signature(armoured: bytes | Refused | None) -> Signature | Finding:
    if isinstance(armoured, Refused):
        return _bad_signature(armoured.reason)
    if armoured is None:
        return _bad_signature("signature-missing")
    return _read_signature(armoured) or _bad_signature("signature-form")


def _faults(signature: Signature, content: bytes | Refused) -> Iterator[Finding]:
    if isinstance(content, bytes) and (reason := fault(signature, content, NAMESPACE)):
        yield _bad_signature(reason)


def _not_allowed(
    signature: Signature,
    statement: Statement | None,
    path: Path | None,
    signers: tuple[AllowedSigner, ...],
    unusable: tuple[UnusableLine, ...],
) -> Iterator[Finding]:
    """Why the key may not sign for the approver; a line allows only as a whole, as for ssh-keygen."""
    where = Where(file=SIGNATURE)
    params: dict[str, str | int] = {"key": signature.key.fingerprint, "path": path.name if path else ""}
    if path is None:
        yield Finding("CD603", where, params | {"reason": "signer-no-list"})
        return
    reason, left = "", tuple(entry for entry in signers if entry.key == signature.key)
    if not left:
        reason = "signer-unknown"
    if statement is not None and left:
        params["identity"] = statement.approver.identity
        left = tuple(entry for entry in left if entry.names(statement.approver.identity))
        reason = "" if left else "signer-identity"
    if left:
        left = tuple(entry for entry in left if entry.permits(NAMESPACE))
        reason = "" if left else "signer-namespace"
    if reason:
        yield Finding("CD603", where, params | {"reason": reason})
        for entry in unusable:
            yield Finding("CD603", where, params | {"reason": entry.reason, "line": entry.line})
    elif statement is not None and not any(entry.valid_at(statement.time.timestamp()) for entry in left):
        yield Finding("CD604", where, {"signer": statement.approver.identity, "time": _rfc3339(statement.time)})


def _on_decision(statement: Statement) -> Iterator[Finding]:
    ruling = statement.ruling
    where = Where(STATEMENT, "/predicate/decision")
    params = {"outcome": ruling.outcome}
    if ruling.decision != APPROVED:
        yield Finding("CD610", where, params | {"reason": "decision-rejected"})
    if ruling.outcome not in APPROVABLE:
        yield Finding("CD610", where, params | {"reason": "decision-outcome"})
    if ruling.outcome == "ASSESS" and is_missing(ruling.reason):
        yield Finding("CD610", where, params | {"reason": "decision-reason"})


def _on_package(statement: Statement, package: Package) -> Iterator[Finding]:
    found = [package.descriptor.get("name"), package.descriptor.get("version")]
    if found != [statement.name, statement.version]:
        approved = f"{statement.name} {statement.version}"
        params = {"approved": approved, "found": " ".join(str(part) for part in found if part is not None)}
        yield Finding("CD611", Where(STATEMENT, "/predicate/package"), params)


def _on_profile(statement: Statement) -> Iterator[Finding]:
    installed = installed_profile()
    differing = [key for key in installed if statement.profile[key] != installed[key]]
    if differing:
        params = {"version": statement.profile["version"], "installed": installed["version"]}
        reason = "profile-digest" if differing == ["digest"] else "profile-version"
        yield Finding("CD609", Where(STATEMENT, "/predicate/profile"), params | {"reason": reason})


def _on_files(statement: Statement, package: Package, digests: Mapping[str, str]) -> Iterator[Finding]:
    approved = dict(statement.subject)
    for path, digest in approved.items():
        if path not in digests:
            yield Finding("CD606", Where(file=path), {"path": path})
        elif digests[path] != digest:
            yield Finding("CD605", Where(file=path), {"path": path})
    # What the descriptor names and could not be opened (a link, an address) is approved by nobody either.
    refused = {
        str(finding.params["path"])
        for finding in package.findings
        if finding.code in _REFUSED and finding.where.pointer and "path" in finding.params
    }
    for path in sorted((set(digests) | set(package.parts) | refused) - set(approved)):
        yield Finding("CD607", Where(file=path), {"path": path})
    # A zip that holds a file twice shows one to us and may show the other to somebody else.
    yield from (f for f in package.findings if f.code == "CD108" and f.where.file in approved)


def _malformed(reason: str, pointer: str | None = None) -> Finding:
    params = {"path": STATEMENT, "reason": reason} | ({"pointer": pointer or "/"} if pointer is not None else {})
    return Finding("CD608", Where(STATEMENT, pointer), params)


def _bad_signature(reason: str) -> Finding:
    return Finding("CD602", Where(file=SIGNATURE), {"path": SIGNATURE, "reason": reason})


def _safe_integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 15 else digits


def _canonical(document: Any) -> bytes:
    import rfc8785

    return rfc8785.dumps(document)


def _rfc3339(time: datetime) -> str:
    return f"{time.isoformat()[:19]}Z"


def _document(statement: Statement) -> dict[str, Any]:
    ruling, approver = statement.ruling, statement.approver
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": {"sha256": digest}} for path, digest in statement.subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "decision": {
                "outcome": ruling.outcome,
                "rule": ruling.rule,
                "gate": ruling.gate,
                "decision": ruling.decision,
            }
            | ({"reason": ruling.reason} if ruling.reason else {}),
            "package": {"name": statement.name, "version": statement.version},
            "approver": {"name": approver.name, "identity": approver.identity}
            | ({"organisation": approver.organisation} if approver.organisation else {}),
            "time": _rfc3339(statement.time),
            "profile": {**statement.profile, "digest": {"sha256": statement.profile["digest"]}},
            "report": {"digest": {"sha256": statement.report}, "counts": dict(statement.counts)},
        },
    }


def _statement(document: Mapping[str, Any]) -> Statement:
    """The statement of a document that has its shape."""
    predicate = document["predicate"]
    given, report = predicate["profile"], predicate["report"]
    return Statement(
        tuple((entry["name"], entry["digest"]["sha256"]) for entry in document["subject"]),
        Ruling(**predicate["decision"]),
        predicate["package"]["name"],
        predicate["package"]["version"],
        Approver(**predicate["approver"]),
        _time(predicate["time"]),
        {**given, "digest": given["digest"]["sha256"]},
        report["digest"]["sha256"],
        report["counts"],
    )


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _is_text(value: object) -> bool:
    """A text with something to read, without characters that steer a terminal or turn what follows."""
    if not isinstance(value, str) or not value.strip() or _TURNING.intersection(value):
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value)


def _is_path(value: object) -> bool:
    """A path inside the package; no other could be a part of one, and `sha256sum -c` shall look nowhere else."""
    if not isinstance(value, str) or not _is_text(value) or "\\" in value or value.startswith(("/", "~")):
        return False
    return not {".", ".."}.intersection(value.split("/"))


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        return _time(value).year > 1
    except (ValueError, OverflowError):
        return False


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_subject(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if any(next(_misfits(entry, _SUBJECT, ""), None) for entry in value):
        return False
    names = [entry["name"] for entry in value]
    return names == sorted(set(names))


def _one_of(*values: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in values


def _like(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


# What a statement looks like: an object by its keys (`?` marks those that may be absent), a value by a test of it.
_DIGEST = {"sha256": _like(_SHA256)}
_SUBJECT = {"name": _is_path, "digest": _DIGEST}
_SHAPE = {
    "_type": _one_of(STATEMENT_TYPE),
    "predicateType": _one_of(PREDICATE_TYPE),
    "subject": _is_subject,
    "predicate": {
        "decision": {
            "outcome": _one_of(*OUTCOMES),
            "rule": _like(_RULE),
            "gate": _one_of(*profile.GATES),
            "decision": _one_of(APPROVED, REJECTED),
            "reason?": _is_text,
        },
        "package": {"name": _is_text, "version": _is_text},
        "approver": {"name": _is_text, "identity": _like(_IDENTITY), "organisation?": _is_text},
        "time": _is_time,
        "profile": {"url": _is_text, "version": _is_text, "framework": _is_text, "digest": _DIGEST},
        "report": {"digest": _DIGEST, "counts": dict.fromkeys(SEVERITIES, _is_count)},
    },
}


def _misfits(value: object, shape: Any, pointer: str) -> Iterator[Finding]:
    """Where a value differs from a shape."""
    if not isinstance(shape, Mapping):
        if not shape(value):
            yield _malformed("statement-value", pointer)
        return
    if not isinstance(value, Mapping):
        yield _malformed("statement-object", pointer)
        return
    for key, part in shape.items():
        name = key.removesuffix("?")
        if name in value:
            yield from _misfits(value[name], part, f"{pointer}/{name}")
        elif name == key:
            yield _malformed("statement-lacks", f"{pointer}/{name}")
    if not value.keys() <= {key.removesuffix("?") for key in shape}:
        yield _malformed("statement-unknown", pointer)
