"""An approval holds for the bytes that were approved, for those who may approve, and for nothing else."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import commands
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from cdmeta import approval, beside, profile, sshsig
from cdmeta.approval import NAMESPACE, SIGNATURE, STATEMENT, Approver, Ruling, Verdict, parse
from cdmeta.errors import ApprovalError, KeyFileError, OutputError, PackageError
from cdmeta.finding import Finding, Report, Where
from cdmeta.package import DESCRIPTOR, Package, load
from cdmeta.workflows.accept import accepted
from cdmeta.workflows.approve import Choice, approve
from cdmeta.workflows.keygen import keygen
from cdmeta.workflows.private import private_copy

TIME = datetime(2026, 11, 21, 1, 20, tzinfo=UTC)
ADA = Approver("Ada Example", "ada@example.org", "Office of Exampleland (made up)")
PARTS = {
    "data/b.csv": b"x,y\n1,2\n",
    "data/a.csv": b"x,y\n3,4\n",
    "schema/visits.json": b'{"fields": [{"name": "x", "type": "integer"}, {"name": "y", "type": "integer"}]}',
    "dialect.json": b'{"delimiter": ","}',
    "codes.csv": b"code,name\n1,one\n",
}
NAMES = sorted([*PARTS, DESCRIPTOR])
DOCUMENT = {
    "name": "visits",
    "version": "1.0.0",
    "resources": [
        {
            "name": "v",
            "path": ["data/b.csv", "data/a.csv"],
            "schema": "schema/visits.json",
            "dialect": "dialect.json",
        },
        {"name": "c", "path": "codes.csv", "schema": {"fields": [{"name": "code"}, {"name": "name"}]}},
    ],
}
KEY = sshsig.new_key()


class Bench:
    """A package, a key, a file of who may approve, and what the checks shall find."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "package"
        self.signers = folder / "allowed_signers"
        self.signers.write_text(f"{approval.allowed_signers_line(ADA.identity, KEY)}\n")
        self.findings: tuple[Finding, ...] = ()
        self.outcome, self.rule = "CITIZEN_DATA", "Y1"
        self.seen: list[Package] = []
        for name, content in (PARTS | {DESCRIPTOR: json.dumps(DOCUMENT).encode()}).items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)

    def examine(self, package: Package, gate: str = "publish") -> Report:
        self.seen.append(package)
        decision = {"outcome": self.outcome, "rule": self.rule}
        return Report(package.source, package.findings + self.findings, decision, gate, "visits", "1.0.0")

    def approve(self, path: Path | None = None, **choice: Any) -> approval.Statement:
        return approve(path or self.folder, KEY, ADA, time=TIME, choice=Choice(**choice))

    def verdict(self, path: Path | None = None) -> Verdict:
        return approval.verify(load(path or self.folder), self.signers)

    def sign(self, document: Any, key: sshsig.SigningKey = KEY) -> None:
        """Put any document in place of the statement, with a signature that holds."""
        content = document if isinstance(document, bytes) else rfc8785.dumps(document)
        (self.folder / STATEMENT).write_bytes(content)
        (self.folder / SIGNATURE).write_bytes(approval.sign(content, key))

    def document(self) -> Any:
        return json.loads((self.folder / STATEMENT).read_bytes())

    def zip(self, name: str = "package.zip", top: str = "") -> Path:
        path = self.folder.parent / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(p for p in self.folder.rglob("*") if p.is_file()):
                archive.write(file, top + file.relative_to(self.folder).as_posix())
        return path


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path)
    monkeypatch.setattr("cdmeta.workflows.approve.examine", made.examine)
    monkeypatch.setattr("cdmeta.workflows.accept.examine", made.examine)
    return made


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def told(verdict: Verdict) -> list[tuple[str, object]]:
    return [(r.code, r.params.get("reason", r.params.get("path"))) for r in verdict.reasons]


# What an approval says


def test_the_statement_lists_the_descriptor_and_every_file_that_it_names(bench: Bench) -> None:
    bench.approve(reason="looked at the forms")
    document = bench.document()
    assert [entry["name"] for entry in document["subject"]] == NAMES
    for entry in document["subject"]:
        content = (bench.folder / entry["name"]).read_bytes()
        assert entry["digest"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://w3id.org/cdmeta/approval/v1"
    report = document["predicate"].pop("report")
    assert document["predicate"] == {
        "decision": {
            "outcome": "CITIZEN_DATA",
            "rule": "Y1",
            "gate": "publish",
            "decision": "APPROVED",
            "reason": "looked at the forms",
        },
        "package": {"name": "visits", "version": "1.0.0"},
        "approver": {"name": ADA.name, "identity": ADA.identity, "organisation": ADA.organisation},
        "time": "2026-11-21T01:20:00Z",
        "profile": {
            "url": profile.URL,
            "version": "1.0",
            "framework": "UNSC55-2024",
            "digest": {"sha256": profile.load().digest},
        },
    }
    assert report["counts"] == {"error": 0, "warning": 0, "info": 0}


def test_the_statement_is_canonical_and_reads_back(bench: Bench) -> None:
    statement = bench.approve()
    content = (bench.folder / STATEMENT).read_bytes()
    assert content == rfc8785.dumps(json.loads(content)) == statement.to_bytes()
    assert parse(content) == (statement, ())


def test_an_approval_holds(bench: Bench) -> None:
    statement = bench.approve()
    verdict = bench.verdict()
    assert verdict == Verdict(True, (), ADA.identity, KEY.public.fingerprint, statement)


def test_same_input_gives_same_bytes(bench: Bench) -> None:
    bench.approve()
    first = [(bench.folder / name).read_bytes() for name in (STATEMENT, SIGNATURE)]
    bench.approve()
    assert [(bench.folder / name).read_bytes() for name in (STATEMENT, SIGNATURE)] == first


def test_the_digest_of_a_report_leaves_out_where_the_package_lay() -> None:
    finding = Finding("CD106", Where("a"), {"path": "a\udcff", "big": 2**80, "x": float("nan"), "o": Path("a")})
    one, other = (Report(source, (finding,), None, "publish", "n", "1") for source in ("here", "there"))
    assert approval.report_digest(one) == approval.report_digest(other)
    assert approval.report_digest(one) != approval.report_digest(replace(one, findings=()))


# Any edit revokes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_changing_one_byte_of_a_file_is_told_by_its_name(bench: Bench, name: str, packed: bool) -> None:
    bench.approve()
    path = bench.folder / name
    content = path.read_bytes()
    # Inside a string of the descriptor, so that it stays readable.
    place = content.index(b"codes") if name == DESCRIPTOR else len(content) // 2
    place = content.index(b'"c"') + 1 if name == DESCRIPTOR else place
    path.write_bytes(content[:place] + b"z" + content[place + 1 :])
    verdict = bench.verdict(bench.zip() if packed else None)
    assert not verdict.approved
    assert told(verdict) == [("CD605", name)]
    assert verdict.reasons[0].where == Where(file=name)


@given(st.data())
@settings(max_examples=300)
def test_changing_any_byte_of_anything_is_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    base = _approved_once(tmp_path_factory)
    name = data.draw(st.sampled_from([*NAMES, STATEMENT, SIGNATURE]))
    path = base.folder / name
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    try:
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        _assert_refused_for(base, name)
    finally:
        path.write_bytes(content)


_APPROVED: list[Bench] = []


def _approved_once(factory: pytest.TempPathFactory) -> Bench:
    if not _APPROVED:
        made = Bench(factory.mktemp("approved"))
        package = load(made.folder)
        digests = approval.digests_of(package)
        statement = approval.make(
            package, digests, made.examine(package), Ruling("CITIZEN_DATA", "Y1", "publish"), ADA, TIME
        )
        made.sign(statement.to_bytes())
        assert made.verdict().approved
        _APPROVED.append(made)
    return _APPROVED[0]


def _assert_refused_for(base: Bench, name: str) -> None:
    verdict = base.verdict()
    assert not verdict.approved
    if name == STATEMENT:
        assert "CD602" in codes(verdict)
    elif name == SIGNATURE:
        assert codes(verdict)[0] in ("CD602", "CD603")
        assert verdict.reasons[0].where.file == SIGNATURE
    else:
        assert ("CD605", name) in told(verdict)


def test_every_byte_of_the_signature_counts(bench: Bench) -> None:
    statement = bench.approve().to_bytes()
    content = (bench.folder / SIGNATURE).read_bytes()
    assert content.endswith(b"\n")
    for place in range(len(content)):
        for byte in b"A\n \r=":
            changed = content[:place] + bytes([byte]) + content[place + 1 :]
            if changed != content:
                signature = sshsig.read_signature(changed)
                assert signature is None or sshsig.fault(signature, statement, NAMESPACE), (place, byte)


@pytest.mark.parametrize("more", [b"\n", b" ", b"x", b"-----BEGIN SSH SIGNATURE-----\n"])
def test_nothing_may_stand_before_or_behind_the_signature(bench: Bench, more: bytes) -> None:
    bench.approve()
    content = (bench.folder / SIGNATURE).read_bytes()
    for changed in (content + more, more + content, content[:-1]):
        (bench.folder / SIGNATURE).write_bytes(changed)
        assert told(bench.verdict()) == [("CD602", "signature-form")]


@pytest.mark.parametrize("columns", [64, 71, 1000])
def test_a_signature_wrapped_in_another_way_is_refused(bench: Bench, columns: int) -> None:
    bench.approve()
    first, *body, last = (bench.folder / SIGNATURE).read_text().splitlines()
    text = "".join(body)
    lines = [text[start : start + columns] for start in range(0, len(text), columns)]
    (bench.folder / SIGNATURE).write_text("\n".join([first, *lines, last, ""]))
    assert told(bench.verdict()) == [("CD602", "signature-form")]


def test_line_ends_of_windows_in_the_signature_are_taken(bench: Bench) -> None:
    bench.approve()
    path = bench.folder / SIGNATURE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert bench.verdict().approved


def test_a_part_that_was_added_is_told(bench: Bench) -> None:
    bench.approve()
    (bench.folder / "more.csv").write_bytes(b"a\n1\n")
    bench_document = json.loads((bench.folder / DESCRIPTOR).read_bytes())
    bench_document["resources"].append({"name": "more", "path": "more.csv"})
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(bench_document).encode())
    assert told(bench.verdict()) == [("CD605", DESCRIPTOR), ("CD607", "more.csv")]


def test_a_file_that_the_descriptor_does_not_name_changes_nothing(bench: Bench) -> None:
    bench.approve()
    (bench.folder / "notes.txt").write_text("not named")
    assert bench.verdict().approved


@pytest.mark.parametrize("name", sorted(PARTS))
@pytest.mark.parametrize("instead", ["nothing", "link", "folder"])
def test_a_part_that_is_gone_is_told(bench: Bench, name: str, instead: str) -> None:
    bench.approve()
    path = bench.folder / name
    path.rename(bench.folder.parent / "away")
    if instead == "link":
        path.symlink_to(bench.folder.parent / "away")
    elif instead == "folder":
        path.mkdir()
    assert told(bench.verdict()) == [("CD606", name)]


def test_a_statement_that_leaves_out_a_file_is_told(bench: Bench) -> None:
    bench.approve()
    document = bench.document()
    document["subject"] = [entry for entry in document["subject"] if entry["name"] != "schema/visits.json"]
    bench.sign(document)
    assert told(bench.verdict()) == [("CD607", "schema/visits.json")]


def test_a_part_on_the_network_is_approved_by_nobody(bench: Bench) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["resources"][1]["path"] = "https://example.org/codes.csv"
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(document).encode())
    package = load(bench.folder)
    ruling = Ruling("CITIZEN_DATA", "Y1", "publish")
    statement = approval.make(package, approval.digests_of(package), bench.examine(package), ruling, ADA, TIME)
    bench.sign(statement.to_bytes())
    assert told(bench.verdict()) == [("CD607", "https://example.org/codes.csv")]


def test_all_reasons_are_told_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.outcome = "ASSESS"
    bench.approve(decision="approve", reason="as agreed")
    document = bench.document()
    del document["predicate"]["decision"]["reason"]
    bench.sign(document, sshsig.new_key())
    (bench.folder / "codes.csv").write_bytes(b"changed")
    (bench.folder / "data/a.csv").unlink()
    changed = DOCUMENT | {"version": "1.0.1"}
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(changed).encode())
    monkeypatch.setattr(profile, "load", lambda: SimpleNamespace(digest="0" * 64))
    assert told(bench.verdict()) == [
        ("CD603", "signer-unknown"),
        ("CD610", "decision-reason"),
        ("CD611", None),
        ("CD609", "profile-digest"),
        ("CD605", "codes.csv"),
        ("CD606", "data/a.csv"),
        ("CD605", DESCRIPTOR),
    ]


# What a statement may say


@pytest.mark.parametrize(
    ("pointer", "value", "expected"),
    [
        ("package/name", "other", ("CD611", None)),
        ("package/version", "1.0.1", ("CD611", None)),
        ("profile/version", "0.9", ("CD609", "profile-version")),
        ("profile/url", "https://example.org/", ("CD609", "profile-version")),
        ("profile/framework", "UNSC57-2026", ("CD609", "profile-version")),
        ("profile/digest", {"sha256": "0" * 64}, ("CD609", "profile-digest")),
        ("decision/decision", "REJECTED", ("CD610", "decision-rejected")),
        ("decision/outcome", "ASSESS", ("CD610", "decision-reason")),
        ("decision/outcome", "NOT_CITIZEN_DATA", ("CD610", "decision-outcome")),
        ("decision/outcome", "OUT_OF_SCOPE", ("CD610", "decision-outcome")),
        ("decision/outcome", "INSUFFICIENT_INFORMATION", ("CD610", "decision-outcome")),
        ("decision/outcome", "citizen_data", ("CD608", "statement-value")),
        ("decision/decision", "YES", ("CD608", "statement-value")),
        ("decision/gate", "none", ("CD608", "statement-value")),
        ("decision/gate", ["publish"], ("CD608", "statement-value")),
        ("decision/reason", " ", ("CD608", "statement-value")),
        ("decision/reason", "a\x1b[31m", ("CD608", "statement-value")),
        ("decision/reason", "a\u202eb", ("CD608", "statement-value")),
        ("decision/until", "2027", ("CD608", "statement-unknown")),
        ("approver/name", 1, ("CD608", "statement-value")),
        ("approver/identity", "ada example", ("CD608", "statement-value")),
        ("approver/identity", "*", ("CD608", "statement-value")),
        ("approver/organisation", None, ("CD608", "statement-value")),
        ("time", "2026-11-21T01:20:00+00:00", ("CD608", "statement-value")),
        ("time", "2026-11-31T01:20:00Z", ("CD608", "statement-value")),
        ("time", "0001-01-01T00:00:00Z", ("CD608", "statement-value")),
        ("time", "2026-11-21T01:20:00.5Z", ("CD608", "statement-value")),
        ("time", "２026-11-21T01:20:00Z", ("CD608", "statement-value")),
        ("profile/digest", {"sha256": "A" * 64}, ("CD608", "statement-value")),
        ("profile/digest", {}, ("CD608", "statement-lacks")),
        ("profile/digest", {"sha256": "0" * 64, "sha512": "0" * 128}, ("CD608", "statement-unknown")),
        ("report/counts", {"error": 0, "warning": True, "info": 0}, ("CD608", "statement-value")),
        ("report/counts", {"error": -1, "warning": 0, "info": 0}, ("CD608", "statement-value")),
        ("report", [], ("CD608", "statement-object")),
    ],
)
def test_a_signed_statement_may_still_be_refused(
    bench: Bench, pointer: str, value: object, expected: tuple[str, object]
) -> None:
    bench.approve()
    document = bench.document()
    inner = document["predicate"]
    *above, last = pointer.split("/")
    for key in above:
        inner = inner[key]
    inner[last] = value
    bench.sign(document)
    verdict = bench.verdict()
    assert not verdict.approved
    assert told(verdict) == [expected]


@pytest.mark.parametrize(
    "subject",
    [
        [],
        {},
        [1],
        [{"name": "../a", "digest": {"sha256": "0" * 64}}],
        [{"name": "/a", "digest": {"sha256": "0" * 64}}],
        [{"name": "a\\b", "digest": {"sha256": "0" * 64}}],
        [{"name": "a\nb", "digest": {"sha256": "0" * 64}}],
        [{"name": "a", "digest": {"sha256": "0" * 63}}],
        [{"name": "a", "digest": {"sha256": "0" * 64, "md5": "0"}}],
        [{"name": name, "digest": {"sha256": "0" * 64}} for name in "ba"],
        [{"name": name, "digest": {"sha256": "0" * 64}} for name in "aa"],
    ],
)
def test_the_subject_has_one_form(bench: Bench, subject: object) -> None:
    bench.approve()
    document = bench.document() | {"subject": subject}
    bench.sign(document)
    assert [(r.code, r.where.pointer) for r in bench.verdict().reasons] == [("CD608", "/subject")]


def test_other_spellings_of_the_same_statement_are_refused(bench: Bench) -> None:
    content = bench.approve().to_bytes()
    document = json.loads(content)
    for other in (
        content + b"\n",
        b" " + content,
        json.dumps(document).encode(),
        content.replace(b'"_type"', b'"\\u005ftype"'),
        content.replace(b'{"_type"', b'{"_type":"x","_type"', 1),
        content.replace(b'"error":0', b'"error":0.0'),
        content.replace(b'"error":0', b'"error":-0'),
    ):
        assert other != content
        statement, reasons = parse(other)
        assert statement is None
        assert [reason.code for reason in reasons] == ["CD608"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"\xef\xbb\xbf{}", b"{", b"[]", b"null", b"1e999", b"NaN", b"{}", b'"\\ud800"',
        b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b'{"predicate":{"time":1e400}}',
    ],
)  # fmt: skip
def test_hostile_bytes_become_reasons(content: bytes) -> None:
    statement, reasons = parse(content)
    assert statement is None
    assert {reason.code for reason in reasons} == {"CD608"}
    assert all(reason.message() for reason in reasons)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.data())
@settings(max_examples=300)
def test_any_json_anywhere_in_a_statement_becomes_reasons(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    document = _approved_once(tmp_path_factory).document()
    places = list(_places(document))
    holder, key = data.draw(st.sampled_from(places))
    before = holder[key]
    holder[key] = data.draw(_JSON.filter(lambda value: value != before))
    statement, reasons = parse(
        json.dumps(document, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    )
    assert (statement is None) == bool(reasons)
    assert {reason.code for reason in reasons} <= {"CD608"}


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


# Who may sign


def signed(bench: Bench, *lines: str) -> Verdict:
    bench.approve()
    bench.signers.write_text("\n".join(lines) + "\n")
    return bench.verdict()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ada@example.org {key}", None),
        ("  ada@example.org   {key} a comment", None),
        ("*@example.org {key}", None),
        ("a?a@example.org {key}", None),
        ("bob@example.org,ada@* {key}", None),
        ('"bob@example.org,ada@example.org" {key}', None),
        ("*,!ada@example.org {key}", "signer-identity"),
        ("bob@example.org {key}", "signer-identity"),
        ("ADA@example.org {key}", "signer-identity"),
        ("ada@example.or? {other}", "signer-unknown"),
        ('ada@example.org namespaces="cdmeta-approval" {key}', None),
        ('ada@example.org namespaces="git,cdmeta-*" {key}', None),
        ('ada@example.org NAMESPACES="*" {key}', None),
        ('ada@example.org namespaces="git" {key}', "signer-namespace"),
        ('ada@example.org namespaces="*,!cdmeta-approval" {key}', "signer-namespace"),
        ('ada@example.org valid-after="20261121012000Z" {key}', None),
        ('ada@example.org valid-before="20261121012000Z" {key}', None),
        ('ada@example.org valid-after="20261121012001Z" {key}', "CD604"),
        ('ada@example.org valid-before="20261121011959Z" {key}', "CD604"),
        ('ada@example.org valid-before="202611210119Z" {key}', "CD604"),
        ('ada@example.org valid-before="20261121Z" {key}', "CD604"),
        ('ada@example.org valid-after="20261121Z",valid-before="20261122Z",namespaces="*" {key}', None),
        ('ada@example.org valid-after="2026" {key}', "signer-line-options"),
        ('ada@example.org valid-after="20261321" {key}', "signer-line-options"),
        ("ada@example.org valid-after=20261121 {key}", "signer-line-options"),
        ('ada@example.org namespaces="a",namespaces="b" {key}', "signer-line-options"),
        ('ada@example.org namespaces="a", {key}', "signer-line-options"),
        ('ada@example.org unknown="a" {key}', "signer-line-options"),
        ('ada@example.org valid-after="20261122Z",valid-before="20261121Z" {key}', "signer-line-times"),
        ("ada@example.org cert-authority {key}", "signer-line-authority"),
        ('ada@example.org cert-authority,namespaces="cdmeta-approval" {key}', "signer-line-authority"),
        ("ada@example.org", "signer-line-options"),
        ("ada@example.org ssh-ed25519 AAAA", "signer-line-key"),
        ("ada@example.org ssh-rsa {base64}", "signer-line-key"),
        ("# ada@example.org {key}", "signer-unknown"),
    ],
)  # fmt: skip
def test_who_may_sign(bench: Bench, line: str, expected: str | None) -> None:
    words = {"key": KEY.public.line, "other": sshsig.new_key().public.line, "base64": KEY.public.line.split()[1]}
    verdict = signed(bench, "# who may approve", "", line.format(**words))
    found = [reason if code == "CD603" else code for code, reason in told(verdict)]
    if expected is None:
        assert verdict.approved
    elif expected.startswith("signer-line"):
        assert found == ["signer-unknown", expected]
        assert verdict.reasons[1].params["line"] == 3
    else:
        assert found == [expected]
    assert verdict.key == KEY.public.fingerprint
    assert verdict.signer == (ADA.identity if expected is None else None)


def test_nobody_signs_in_the_name_of_another(bench: Bench) -> None:
    """The key is Ada's, and may approve; the statement says that Bob approves."""
    bob = replace(ADA, identity="bob@example.org")
    approve(bench.folder, KEY, bob, time=TIME)
    lines = bench.signers.read_text() + approval.allowed_signers_line(bob.identity, sshsig.new_key())
    bench.signers.write_text(lines)
    assert told(bench.verdict()) == [("CD603", "signer-identity")]
    bench.signers.write_text(approval.allowed_signers_line("bob@*", KEY))
    assert bench.verdict().signer == bob.identity


def test_one_line_allows_as_a_whole(bench: Bench) -> None:
    """Not one line for the name and another for the time."""
    key = KEY.public.line
    lines = f'ada@example.org valid-before="20250101Z" {key}', f"bob@example.org {key}"
    assert codes(signed(bench, *lines)) == ["CD604"]
    assert signed(bench, *lines, f"ada@example.org {key}").approved


def test_a_time_without_z_is_in_the_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        (line,), _ = sshsig.parse_allowed_signers(f'a valid-after="19700102" {KEY.public.line}')
        assert line.valid_after == 15 * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_without_a_file_nobody_may_sign(bench: Bench) -> None:
    bench.approve()
    assert told(approval.verify(load(bench.folder), None)) == [("CD603", "signer-no-list")]


@pytest.mark.parametrize("what", ["missing", "folder", "binary", "huge"])
def test_a_file_of_signers_that_cannot_be_read_is_an_error(bench: Bench, what: str) -> None:
    bench.approve()
    bench.signers.unlink()
    if what == "folder":
        bench.signers.mkdir()
    elif what != "missing":
        bench.signers.write_bytes(b"\xff\xfe" if what == "binary" else b"\n" * (approval.MAX_SIGNERS_BYTES + 1))
    with pytest.raises(KeyFileError, match="allowed_signers"):
        bench.verdict()


@given(st.text(max_size=200))
def test_any_text_is_read_as_allowed_signers(text: str) -> None:
    lines, unusable = sshsig.parse_allowed_signers(text)
    assert not lines
    assert len(unusable) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("value", "patterns", "expected"),
    [
        ("abc", "a*c", True), ("ac", "a*c", True), ("ab", "a*c", False), ("abc", "a?c", True),
        ("ac", "a?c", False),
        ("a.c", "a.c", True), ("abc", "a.c", False), ("a", "!b", False), ("a", "!b,*", True), ("b", "*,!b", False),
        ("b", "!b,b", False), ("[a]", "[a]", True), ("a", "[a]", False), ("a\nb", "a*b", True), ("", "*", True),
        ("a" * 60, "*" * 60 + "b", False),
    ],
)  # fmt: skip
def test_pattern_lists(value: str, patterns: str, expected: bool) -> None:
    assert sshsig.matches(value, patterns) is expected


# The signature


def test_a_signature_for_another_purpose_does_not_hold(bench: Bench) -> None:
    content = bench.approve().to_bytes()
    (bench.folder / SIGNATURE).write_bytes(KEY.sign(content, "git"))
    assert told(bench.verdict()) == [("CD602", "signature-namespace")]


def test_the_signature_of_another_statement_does_not_hold(bench: Bench) -> None:
    content = bench.approve().to_bytes()
    (bench.folder / SIGNATURE).write_bytes(approval.sign(content + b" ", KEY))
    verdict = bench.verdict()
    assert told(verdict) == [("CD602", "signature-broken")]
    assert verdict.signer is None


def test_a_key_that_is_not_in_the_file_is_told_by_its_fingerprint(bench: Bench) -> None:
    other = sshsig.new_key()
    bench.sign(bench.approve().to_bytes(), other)
    (reason,) = bench.verdict().reasons
    assert reason.params["key"] == other.public.fingerprint
    assert other.public.fingerprint in reason.message()


@pytest.mark.parametrize("missing", [STATEMENT, SIGNATURE])
def test_half_an_approval_is_none(bench: Bench, missing: str) -> None:
    bench.approve()
    (bench.folder / missing).unlink()
    expected = [("CD601", None)] if missing == STATEMENT else [("CD602", "signature-missing")]
    assert told(bench.verdict()) == expected


def _wire(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reserved": b"x"}, "signature-form"),
        ({"version": (2).to_bytes(4, "big")}, "signature-form"),
        ({"behind": b"x"}, "signature-form"),
        ({"hash": b"md5"}, "signature-hash"),
        ({"algorithm": b"ssh-rsa"}, "signature-sha1"),
        ({"algorithm": b"rsa-sha2-512"}, "signature-kind"),
        ({"key": _wire(b"ecdsa-sha2-nistp256", b"nistp256", b"x")}, "signature-kind"),
        ({"key": _wire(b"\xff", b"x")}, "signature-form"),
        ({"key": _wire(b"ssh-ed25519", b"x" * 31)}, "signature-broken"),
        ({"key": b""}, "signature-form"),
        ({"value": b""}, "signature-broken"),
    ],
)
def test_odd_signatures(bench: Bench, change: dict[str, bytes], expected: str) -> None:
    content = bench.approve().to_bytes()
    given = {"version": (1).to_bytes(4, "big"), "key": KEY.public.blob, "reserved": b"", "hash": b"sha512"}
    given |= {"algorithm": b"ssh-ed25519", "value": b"v" * 64, "behind": b""} | change
    inner = _wire(given["algorithm"], given["value"])
    body = _wire(given["key"], NAMESPACE.encode(), given["reserved"], given["hash"], inner)
    armoured = sshsig._armour(b"SSHSIG" + given["version"] + body + given["behind"])
    (bench.folder / SIGNATURE).write_bytes(armoured)
    verdict = approval.verify(load(bench.folder), bench.signers)
    assert told(verdict)[0] == ("CD602", expected)
    assert parse(content)[0] is not None


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_a_signature(content: bytes) -> None:
    assert sshsig.read_signature(content) is None
    signature = sshsig.read_signature(sshsig._armour(b"SSHSIG\0\0\0\1" + content))
    assert signature is None or sshsig.fault(signature, b"", NAMESPACE) is not None


# Keys


@pytest.mark.parametrize("passphrase", [None, "für dich"])
def test_a_key_reads_back(tmp_path: Path, passphrase: str | None) -> None:
    line = keygen(tmp_path / "key", "ada@example.org", passphrase)
    content = (tmp_path / "key").read_bytes()
    key = sshsig.load_key(content, passphrase)
    assert line == f'ada@example.org namespaces="cdmeta-approval" {key.public.line}'
    assert (tmp_path / "key.pub").read_text() == f"{key.public.line} ada@example.org\n"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert sshsig.needs_passphrase(content) is (passphrase is not None)
    assert "PRIVATE" not in repr(key)
    if passphrase:
        for wrong in (None, "", "no"):
            with pytest.raises(KeyFileError, match="passphrase"):
                sshsig.load_key(content, wrong)


@pytest.mark.parametrize("taken", ["key", "key.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    with pytest.raises(KeyFileError, match="not overwritten"):
        keygen(tmp_path / "key", "ada@example.org")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {taken: "precious"}


@pytest.mark.parametrize("identity", ["", "a b", "*@example.org", "a,b", '"a"', "#a", "!a", "a\n"])
def test_an_identity_is_no_pattern(tmp_path: Path, identity: str) -> None:
    with pytest.raises(KeyFileError):
        keygen(tmp_path / "key", identity)
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=200))
def test_any_bytes_are_no_key(content: bytes) -> None:
    with pytest.raises(KeyFileError):
        sshsig.load_key(content)


# Where it lies: folder and zip


@pytest.mark.parametrize("top", ["", "visits/"])
def test_a_zip_shares_the_approval_of_its_folder(bench: Bench, top: str) -> None:
    bench.approve()
    assert bench.verdict(bench.zip(top=top)).approved


def _members(path: Path) -> dict[str, tuple[bytes, int, int, Any]]:
    """Member → its bytes, and how it is packed."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {
            i.filename: (archive.read(i), i.compress_type, i.compress_size, i.date_time)
            for i in archive.infolist()
        }


@pytest.mark.parametrize("top", ["", "visits/"])
def test_approving_a_zip_leaves_all_other_members_as_they_are(bench: Bench, top: str) -> None:
    (bench.folder / "notes.txt").write_text("not named " * 100)
    path = bench.zip(top=top)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"a comment"
        archive.writestr(f"{top}stored.bin", b"\0" * 5000, zipfile.ZIP_STORED)
        archive.writestr(f"{top}b.bz2", b"\0" * 5000, zipfile.ZIP_BZIP2)
    path.chmod(0o640)
    before = _members(path)
    for _ in range(3):
        bench.approve(path)
        after = _members(path)
        assert set(after) - set(before) == {top + STATEMENT, top + SIGNATURE}
        assert {name: after[name] for name in before} == before
        assert bench.verdict(path).approved
    assert path.stat().st_mode & 0o777 == 0o640
    assert zipfile.ZipFile(path).comment == b"a comment"
    assert sorted(p.name for p in path.parent.iterdir()) == ["allowed_signers", "package", "package.zip"]


def test_an_older_approval_inside_a_zip_is_replaced(bench: Bench) -> None:
    bench.approve()
    path = bench.zip()  # approval.json comes first in it
    size = path.stat().st_size
    later = datetime(2027, 1, 1, tzinfo=UTC)
    approve(path, KEY, ADA, time=later)
    verdict = bench.verdict(path)
    assert verdict.approved
    assert verdict.statement is not None
    assert verdict.statement.time == later
    assert abs(path.stat().st_size - size) < 50


def test_names_that_windows_wrote_in_its_own_way_survive(bench: Bench) -> None:
    """Explorer writes é as byte 0x82 of code page 437, without the sign for UTF-8."""
    path = bench.zip()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("donn_es.csv", b"a\n1\n")
    path.write_bytes(path.read_bytes().replace(b"donn_es.csv", b"donn\x82es.csv"))
    before = _members(path)
    assert "données.csv" in before
    bench.approve(path)
    after = _members(path)
    assert {name: after[name] for name in before} == before


def test_a_locked_member_that_nobody_names_is_copied_unopened(bench: Bench) -> None:
    path = bench.zip()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("locked.bin", b"secret")
    content = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.rindex(sign)
        content[place + offset] |= 1
    path.write_bytes(content)
    bench.approve(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("locked.bin").flag_bits & 1
    assert bench.verdict(path).approved


def test_a_zip_that_cannot_be_written_stays_as_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.zip()
    before = path.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(beside, "_copy_member", full)
    with pytest.raises(OutputError, match="the disk is full"):
        bench.approve(path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["allowed_signers", "package", "package.zip"]


@pytest.mark.parametrize("name", [STATEMENT, SIGNATURE])
@pytest.mark.parametrize("instead", ["link", "folder", "huge", "pipe"])
def test_what_lies_in_place_of_an_approval_is_not_followed(bench: Bench, name: str, instead: str) -> None:
    bench.approve()
    path = bench.folder / name
    content = path.read_bytes()
    path.unlink()
    if instead == "link":
        (bench.folder.parent / "away").write_bytes(content)
        path.symlink_to(bench.folder.parent / "away")
    elif instead == "folder":
        path.mkdir()
    elif instead == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as stream:
            stream.truncate(beside.MAX_BYTES + 1)
    reason = {"link": "link", "folder": "device", "huge": "large", "pipe": "device"}[instead]
    code = "CD608" if name == STATEMENT else "CD602"
    assert told(bench.verdict())[0] == (code, reason)


@pytest.mark.parametrize("name", [STATEMENT, SIGNATURE])
@pytest.mark.parametrize("how", ["twice", "huge", "link", "locked", "damaged", "method"])
def test_what_lies_in_place_of_an_approval_in_a_zip(bench: Bench, name: str, how: str) -> None:
    bench.approve()
    content = (bench.folder / name).read_bytes()
    (bench.folder / name).unlink()
    path = bench.zip()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_LZMA if how == "method" else zipfile.ZIP_DEFLATED
        if how == "link":
            info.external_attr = 0o120777 << 16
        archive.writestr(info, b"0" * (beside.MAX_BYTES + 1) if how == "huge" else content)
    raw = bytearray(path.read_bytes())
    if how == "twice":
        with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"{}")
    elif how == "locked":
        raw[raw.rindex(b"PK\1\2") + 8] |= 1
        path.write_bytes(raw)
    elif how == "damaged":
        raw[raw.index(b"PK\1\2") - 5] ^= 0xFF
        path.write_bytes(raw)
    reason = {"huge": "large", "locked": "encrypted"}.get(how, how)
    code = "CD608" if name == STATEMENT else "CD602"
    assert told(bench.verdict(path))[0] == (code, reason)


def test_a_link_that_is_put_there_a_moment_ago_is_not_followed(bench: Bench) -> None:
    package = load(bench.folder)
    (bench.folder / "data").rename(bench.folder.parent / "away")
    (bench.folder / "data").symlink_to(bench.folder.parent / "away")
    with pytest.raises(OSError, match=r"directory|symbolic"):
        beside.open_part(package.root, "data/a.csv")


# Approving


@pytest.mark.parametrize("outcome", ["NOT_CITIZEN_DATA", "OUT_OF_SCOPE", "INSUFFICIENT_INFORMATION"])
def test_what_is_no_citizen_data_cannot_be_approved(bench: Bench, outcome: str) -> None:
    bench.outcome = outcome
    with pytest.raises(ApprovalError) as caught:
        bench.approve(decision="approve", reason="please")
    assert len(caught.value.reasons) == 1
    assert outcome in caught.value.reasons[0]
    assert not (bench.folder / STATEMENT).exists()


@pytest.mark.parametrize(
    "choice", [{}, {"decision": "approve"}, {"reason": "so"}, {"decision": "approve", "reason": " ? "}]
)
def test_an_assess_needs_a_decision_and_its_reason(bench: Bench, choice: dict[str, Any]) -> None:
    bench.outcome = "ASSESS"
    with pytest.raises(ApprovalError) as caught:
        bench.approve(**choice)
    assert "--decision" in caught.value.reasons[0]
    statement = bench.approve(decision="approve", reason=" members decided ")
    assert (statement.ruling.outcome, statement.ruling.reason) == ("ASSESS", "members decided")
    assert bench.verdict().approved


def test_a_rejection_needs_a_reason_and_is_no_approval(bench: Bench) -> None:
    with pytest.raises(ApprovalError):
        bench.approve(decision="reject")
    bench.approve(decision="reject", reason="the consent form is not the one that was used")
    verdict = bench.verdict()
    assert told(verdict) == [("CD610", "decision-rejected")]
    assert verdict.signer == ADA.identity


def test_a_package_with_errors_cannot_be_approved(bench: Bench) -> None:
    (bench.folder / "codes.csv").unlink()
    with pytest.raises(ApprovalError) as caught:
        bench.approve()
    assert "validate" in caught.value.reasons[0]


def test_what_cannot_be_stated_is_an_error(bench: Bench) -> None:
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(DOCUMENT | {"version": 1}).encode())
    with pytest.raises(ApprovalError):
        bench.approve()
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(DOCUMENT).encode())
    with pytest.raises(ApprovalError):
        approve(bench.folder, KEY, Approver("\udcff", "ada@example.org"), time=TIME)


def test_what_is_checked_is_what_is_signed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change after the copy is not in the approval, and a verdict on the folder says so."""

    def changing(package: Package, gate: str) -> Report:
        (bench.folder / "codes.csv").write_bytes(b"changed while it was checked")
        assert package.path("codes.csv").read_bytes() == PARTS["codes.csv"]
        return bench.examine(package, gate)

    monkeypatch.setattr("cdmeta.workflows.approve.examine", changing)
    bench.approve()
    assert told(bench.verdict()) == [("CD605", "codes.csv")]


# Accepting


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; nothing may be left in it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    gc.collect()
    assert not list(folder.iterdir())


def _packed(bench: Bench, packed: bool) -> Path:
    return bench.zip() if packed else bench.folder


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_what_is_accepted_is_a_private_copy(bench: Bench, packed: bool, temporary: Path) -> None:
    statement = bench.approve()
    path = _packed(bench, packed)
    with accepted(path, bench.signers) as given:
        assert given.verdict == Verdict(True, (), ADA.identity, KEY.public.fingerprint, statement)
        assert dict(given.digests) == dict(statement.subject)
        assert given.package.source == given.report.source == str(path)
        assert given.package.root.parent == temporary
        assert given.package.root.stat().st_mode & 0o777 == 0o700
        for name, content in PARTS.items():
            (bench.folder / name).write_bytes(b"changed meanwhile")
            assert given.package.path(name).read_bytes() == content
        assert given.package.path(STATEMENT).read_bytes() == statement.to_bytes()
        assert bench.seen[-1] is given.package


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("name", [*NAMES, STATEMENT, SIGNATURE])
def test_nothing_changed_is_accepted(bench: Bench, name: str, packed: bool, temporary: Path) -> None:
    bench.approve()
    content = (bench.folder / name).read_bytes()
    place = content.index(b'"c"') + 1 if name == DESCRIPTOR else len(content) // 2
    (bench.folder / name).write_bytes(content[:place] + b"\x7f"[:1] + content[place + 1 :])
    if name == DESCRIPTOR:
        (bench.folder / name).write_bytes(content[:place] + b"z" + content[place + 1 :])
    with (
        pytest.raises(ApprovalError) as caught,
        accepted(_packed(bench, packed), bench.signers),
    ):
        pytest.fail("was accepted")
    assert any(name in reason for reason in caught.value.reasons)


def test_a_link_in_place_of_the_approval_is_told_as_such(bench: Bench, temporary: Path) -> None:
    bench.approve()
    (bench.folder / STATEMENT).rename(bench.folder.parent / "away")
    (bench.folder / STATEMENT).symlink_to(bench.folder.parent / "away")
    with accepted(bench.folder, bench.signers, draft=True) as given:
        assert given.verdict is not None
        assert told(given.verdict) == [("CD608", "link")]


def test_a_draft_is_taken_without_an_approval(bench: Bench, temporary: Path) -> None:
    bench.findings = (Finding("CD701"),)
    with accepted(bench.folder, None, draft=True) as given:
        assert given.verdict is None
        assert [finding.code for finding in given.report.errors] == ["CD701"]
    with accepted(bench.folder, bench.signers, draft=True) as given:
        assert given.verdict is not None
        assert codes(given.verdict) == ["CD601"]
    with pytest.raises(ApprovalError), accepted(bench.folder, bench.signers):
        pytest.fail("was accepted")


def test_an_approval_does_not_help_a_package_with_errors(bench: Bench, temporary: Path) -> None:
    bench.approve()
    bench.findings = (Finding("CD701"),)
    with pytest.raises(ApprovalError) as caught, accepted(bench.folder, bench.signers):
        pytest.fail("was accepted")
    assert caught.value.reasons == (Finding("CD701").message(),)


@pytest.mark.parametrize("name", ["public-service-satisfaction", "water-points"])
def test_an_example_is_approved_and_accepted_by_the_checks_themselves(name: str, tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent.parent / "examples" / name / "package", tmp_path / name)
    signers = tmp_path / "allowed_signers"
    signers.write_text(keygen(tmp_path / "key", ADA.identity))
    key = sshsig.load_key((tmp_path / "key").read_bytes())
    statement = approve(tmp_path / name, key, ADA, time=TIME)
    assert (statement.name, statement.ruling.outcome) == (name, "CITIZEN_DATA")
    with accepted(tmp_path / name, signers) as given:
        assert given.verdict is not None
        assert given.verdict.approved
        assert statement.report == approval.report_digest(given.report)


def test_an_assess_never_passes_as_settled(bench: Bench, temporary: Path) -> None:
    bench.approve()
    bench.outcome = "ASSESS"
    with pytest.raises(ApprovalError) as caught, accepted(bench.folder, bench.signers):
        pytest.fail("was accepted")
    assert len(caught.value.reasons) == 1


@pytest.mark.parametrize("draft", [False, True])
def test_an_unreadable_descriptor_is_never_taken(bench: Bench, draft: bool, temporary: Path) -> None:
    (bench.folder / DESCRIPTOR).write_bytes(b"{")
    with pytest.raises(PackageError), accepted(bench.folder, bench.signers, draft=draft):
        pytest.fail("was accepted")


def test_a_package_that_changes_while_it_is_copied_is_an_error(bench: Bench, temporary: Path) -> None:
    package = load(bench.folder)
    (bench.folder / DESCRIPTOR).write_bytes(json.dumps(DOCUMENT | {"title": "another"}).encode())
    with pytest.raises(PackageError, match="changed while"), private_copy(package):
        pytest.fail("was copied")
    package = load(bench.folder)
    (bench.folder / "codes.csv").unlink()
    with pytest.raises(PackageError, match="changed while"), private_copy(package):
        pytest.fail("was copied")


def test_the_copy_goes_when_the_block_fails(bench: Bench, temporary: Path) -> None:
    bench.approve()
    with pytest.raises(ZeroDivisionError), accepted(bench.folder, bench.signers):
        raise ZeroDivisionError


def test_a_zip_that_holds_a_part_twice_is_refused(bench: Bench, temporary: Path) -> None:
    bench.approve()
    path = bench.zip()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("codes.csv", PARTS["codes.csv"])
    assert codes(bench.verdict(path)) == ["CD108"]
    with pytest.raises(ApprovalError), accepted(path, bench.signers):
        pytest.fail("was accepted")


def test_the_error_tells_few_reasons_and_holds_all(bench: Bench, temporary: Path) -> None:
    bench.approve()
    for name in PARTS:
        (bench.folder / name).write_bytes(b"changed")
    with pytest.raises(ApprovalError) as caught, accepted(bench.folder, bench.signers):
        pytest.fail("was accepted")
    # Two of the five are read as JSON, and are no longer any.
    assert {name for name in PARTS if any(f'"{name}" is not' in reason for reason in caught.value.reasons)} == set(
        PARTS
    )
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(" is not what was approved") == 3
    assert f"And {len(caught.value.reasons) - 3} more." in str(caught.value)


# Command line


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(TIME.timestamp())))

    return partial(commands.run, capsys)


def test_from_a_key_to_a_verdict(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "for tests only")
    key = bench.folder.parent / "key"
    code, line, _ = run("keygen", key, "--identity", "ada@example.org", "--passphrase-env", "SECRET")
    assert code == 0
    bench.signers.write_text(line)
    arguments = ["approve", bench.folder, "--key", key, "--approver", "Ada Example <ada@example.org>"]
    code, _, err = run(*arguments)
    assert (code, "passphrase" in err) == (2, True)
    code, out, _ = run(*arguments, "--organisation", "Office", "--passphrase-env", "SECRET")
    assert code == 0
    assert "2026-11-21T01:20:00Z" in out
    code, out, _ = run("verify", bench.folder, "--allowed-signers", bench.signers)
    assert code == 0
    assert "Ada Example <ada@example.org>, Office" in out
    code, out, _ = run("verify", bench.folder, "--allowed-signers", bench.signers, "--format", "json")
    given = json.loads(out)
    assert (given["approved"], given["signer"], given["reasons"]) == (True, "ada@example.org", [])
    assert given["statement"] == bench.document()
    (bench.folder / "codes.csv").write_bytes(b"changed")
    code, out, _ = run("verify", bench.folder, "--allowed-signers", bench.signers)
    assert code == 1
    assert "CD605" in out
    assert "codes.csv" in out
    code, out, _ = run("verify", bench.folder, "--allowed-signers", bench.signers, "--format", "json")
    assert code == 1
    assert [(r["code"], r["where"]) for r in json.loads(out)["reasons"]] == [("CD605", {"file": "codes.csv"})]


def test_a_refusal_to_approve_tells_why(bench: Bench, run: Run) -> None:
    bench.outcome = "ASSESS"
    key = bench.folder.parent / "key"
    keygen(key, "ada@example.org")
    code, _, err = run("approve", bench.folder, "--key", key, "--approver", "Ada <ada@example.org>")
    assert (code, "--reason" in err) == (1, True)
    code, _, err = run("approve", bench.folder, "--key", key, "--approver", "Ada")
    assert (code, "Ada Example <ada@example.org>" in err) == (2, True)
    code, _, err = run("approve", bench.folder, "--key", bench.signers, "--approver", "Ada <ada@example.org>")
    assert (code, "private key" in err) == (2, True)
    code, _, err = run("approve", bench.folder, "--key", key.parent / "no", "--approver", "Ada <ada@example.org>")
    assert (code, "there is no such file" in err) == (2, True)


@pytest.mark.parametrize("epoch", ["", "0", "-1", "now", "9" * 30, "²"])
def test_the_clock_takes_a_fixed_time(monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    import click

    from cdmeta.cli.clock import now

    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    if epoch == "0":
        assert now() == datetime(1970, 1, 1, tzinfo=UTC)
    elif not epoch:
        assert abs((now() - datetime.now(UTC)).total_seconds()) < 60
    else:
        with pytest.raises(click.ClickException):
            now()


# Somebody else's program agrees


@pytest.fixture
def ssh(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def call(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["ssh-keygen", *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)

    return call


Ssh = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.mark.system("ssh-keygen")
@pytest.mark.parametrize("passphrase", ["", "für dich"])
def test_a_key_of_ssh_keygen_signs_the_same_bytes(bench: Bench, ssh: Ssh, tmp_path: Path, passphrase: str) -> None:
    key = tmp_path / "theirs"
    assert ssh("-q", "-t", "ed25519", "-N", passphrase, "-f", key).returncode == 0
    ours = sshsig.load_key(key.read_bytes(), passphrase or None)
    assert key.with_suffix(".pub").read_text().startswith(ours.public.line)
    content = bench.approve().to_bytes()
    if passphrase:
        assert ssh("-p", "-q", "-P", passphrase, "-N", "", "-f", key).returncode == 0
    signed = ssh("-Y", "sign", "-f", key, "-n", NAMESPACE, stdin=content)
    assert signed.stdout == approval.sign(content, ours)


@pytest.mark.system("ssh-keygen")
def test_ssh_keygen_verifies_what_we_sign(bench: Bench, ssh: Ssh) -> None:
    bench.approve()
    content = (bench.folder / STATEMENT).read_bytes()
    verify = [
        "-Y",
        "verify",
        "-f",
        bench.signers,
        "-I",
        ADA.identity,
        "-n",
        NAMESPACE,
        "-s",
        bench.folder / SIGNATURE,
    ]
    good = ssh(*verify, stdin=content)
    assert good.returncode == 0
    assert KEY.public.fingerprint.encode() in good.stdout
    assert ssh(*verify, stdin=content + b" ").returncode != 0


@pytest.mark.system("ssh-keygen")
@pytest.mark.parametrize("passphrase", ["", "für dich"])
def test_ssh_keygen_reads_our_keys(tmp_path: Path, ssh: Ssh, passphrase: str) -> None:
    line = keygen(tmp_path / "key", "ada@example.org", passphrase)
    public = ssh("-y", "-P", passphrase, "-f", tmp_path / "key")
    assert public.stdout.decode().split()[:2] == line.split()[2:]
    assert ssh("-l", "-f", tmp_path / "key.pub").returncode == 0


@pytest.mark.system("ssh-keygen")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (["-t", "ed25519"], []),
        (["-t", "rsa", "-b", "2048"], []),
        (["-t", "rsa", "-b", "1024"], [("CD602", "signature-weak")]),
        (["-t", "ecdsa"], [("CD602", "signature-kind")]),
    ],
    ids=["ed25519", "rsa-2048", "rsa-1024", "ecdsa"],
)
def test_we_verify_what_ssh_keygen_signs(
    bench: Bench, ssh: Ssh, tmp_path: Path, kind: list[str], expected: list[tuple[str, str]]
) -> None:
    key = tmp_path / "theirs"
    assert ssh("-q", *kind, "-N", "", "-f", key).returncode == 0
    content = bench.approve().to_bytes()
    for option in ("hashalg=sha512", "hashalg=sha256"):
        signed = ssh("-Y", "sign", "-f", key, "-n", NAMESPACE, "-O", option, stdin=content)
        (bench.folder / SIGNATURE).write_bytes(signed.stdout)
        bench.signers.write_text(f"{ADA.identity} {key.with_suffix('.pub').read_text()}")
        verdict = bench.verdict()
        assert told(verdict) == expected
        assert verdict.key is not None
        assert verdict.key.encode() in ssh("-l", "-f", key.with_suffix(".pub")).stdout
    if not expected:
        (bench.folder / STATEMENT).write_bytes(content.replace(b"visits", b"vizits"))
        assert ("CD602", "signature-broken") in told(bench.verdict())


LINES = [
    "{who} {key}", '{who} namespaces="{spaces}" {key}', '{who} valid-after="{time}" {key}',
    '{who} valid-before="{time}" {key}', '{who} namespaces="{spaces}",valid-before="{time}" {key}',
    '"{who}" {key}',
    '{who} valid-after="{time}",valid-before="{later}" {key}', "{who} {other}", "# {who} {key}",
]  # fmt: skip
WHO = [
    "ada@example.org", "*", "bob@*", "*@example.org,!ada@*", "!bob@*,a??@example.org", "ADA@example.org",
    "a*a@*.org",
]  # fmt: skip
SPACES = ["cdmeta-approval", "git", "*", "git,cdmeta-*", "*,!cdmeta-approval"]
TIMES = [
    "20261121Z",
    "20261122Z",
    "202611210120Z",
    "20261121012000Z",
    "20261121012001Z",
    "20261121",
    "2026112101utc",
]


@pytest.mark.system("ssh-keygen")
@pytest.mark.parametrize("line", LINES)
def test_ssh_keygen_and_we_allow_the_same(bench: Bench, ssh: Ssh, line: str) -> None:
    content = bench.approve().to_bytes()
    other = sshsig.new_key().public.line
    seen = set()
    spaces = SPACES if "spaces" in line else [""]
    cases = [(who, space, time) for who in WHO for space in spaces for time in (TIMES if "time" in line else [""])]
    for who, space, time in cases[:: 1 if len(cases) < 50 else 9]:
        words = {"who": who, "spaces": space, "time": time, "later": "20261121120000Z", "other": other}
        bench.signers.write_text(line.format(key=KEY.public.line, **words) + "\n")
        arguments = ["-Y", "verify", "-f", bench.signers, "-I", ADA.identity, "-n", NAMESPACE]
        arguments += ["-O", "verify-time=20261121012000Z", "-s", bench.folder / SIGNATURE]
        theirs = ssh(*arguments, stdin=content).returncode == 0
        assert bench.verdict().approved is theirs, bench.signers.read_text()
        seen.add(theirs)
    assert seen == ({False} if "other" in line or line.startswith("#") else {True, False})


@pytest.mark.system("sha256sum")
@pytest.mark.parametrize("changed", [False, True])
def test_sha256sum_checks_the_files_without_us(bench: Bench, run: Run, changed: bool) -> None:
    bench.approve()
    if changed:
        (bench.folder / "data/a.csv").write_bytes(b"x,y\n9,9\n")
    code, out, err = run("verify", bench.folder, "--allowed-signers", bench.signers, "--sums")
    assert code == int(changed)
    assert ("CD605" in err) is changed
    command = ["sha256sum", "--strict", "-c"]
    checked = subprocess.run(command, input=out.encode(), cwd=bench.folder, capture_output=True, check=False)
    assert checked.returncode == int(changed)
    lines = dict(line.split(": ") for line in checked.stdout.decode().splitlines())
    assert set(lines) == set(NAMES)
    assert [name for name, state in lines.items() if state != "OK"] == (["data/a.csv"] if changed else [])


@pytest.mark.system("unzip")
def test_unzip_takes_a_zip_that_was_approved(bench: Bench) -> None:
    path = bench.zip()
    bench.approve(path)
    bench.approve(path)
    assert subprocess.run(["unzip", "-tq", path], capture_output=True, check=False).returncode == 0
