"""`cdmeta fmt`: the descriptor as it is stored, nothing lost, never half, and no approval broken."""

import json
import os
import shutil
import stat
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import exit_code as run
from hypothesis import given
from hypothesis import strategies as st
from rule_cases import BASE

from cdmeta import layout, profile
from cdmeta.approval import SIGNATURE, STATEMENT, Approver
from cdmeta.errors import OutputError, PackageError
from cdmeta.package import DESCRIPTOR, load
from cdmeta.sshsig import new_key
from cdmeta.strictjson import UnreadableError
from cdmeta.workflows.approve import approve
from cdmeta.workflows.fmt import fmt
from cdmeta.workflows.new import new

EXAMPLES = BASE.parent.parent
GOOD: dict[str, Any] = json.loads((BASE / DESCRIPTOR).read_bytes())
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "package"))


def write(package: Path, value: Any) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    (package / DESCRIPTOR).write_bytes(raw)
    return raw


def answers(package: Path, **changed: Any) -> bytes:
    return write(package, {**GOOD, "citizenData": GOOD["citizenData"] | changed})


def read(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((package / DESCRIPTOR).read_bytes())
    return found


# What is written


def test_answers_are_written_in_full_and_in_order(package: Path) -> None:
    given = {key: GOOD[key] for key in reversed(GOOD) if key != "$schema"}
    own = {key: GOOD["citizenData"][key] for key in reversed(GOOD["citizenData"]) if key != "profile"}
    own = {"zz": {"b": 1, "a": 2}} | own | {"participation": {"review": "4", "design": 5}, "collectionMode": "WEB"}
    own["purpose"] = {"sw": "Kwa nini", "en": "Why"}
    write(package, {"zz": 1, "title@fr": "Titre", **given, "citizenData": own})
    result = fmt(package)
    assert (result.path, result.changed, result.reordered) == (str(package / DESCRIPTOR), True, True)
    assert result.filled == ("citizenData.profile", "$schema")
    assert sorted(result.in_full) == [
        "/citizenData/collectionMode", "/citizenData/participation/design", "/citizenData/participation/review",
    ]  # fmt: skip
    after = read(package)
    assert list(after) == [
        "$schema", "name", "version", "title", "title@fr", "description", "licenses", "contributors", "sdmx",
        "citizenData", "resources", "zz",
    ]  # fmt: skip
    assert after["citizenData"]["participation"] == {
        "designObjectives": "L5", "designPartnerships": "L5", "designMethods": "L5", "designAccessUse": "L5",
        "review": "L4",
    }  # fmt: skip
    assert list(after["citizenData"]["participation"])[-1] == "review"
    assert list(after["citizenData"]) == [
        *(key for key in GOOD["citizenData"] if key in after["citizenData"]),
        "zz",
    ]
    assert after["citizenData"]["collectionMode"] == ["WEB"]
    assert list(after["citizenData"]["purpose"]) == ["sw", "en"]
    assert list(after["citizenData"]["zz"]) == ["b", "a"]
    assert (after["$schema"], after["citizenData"]["profile"]) == (profile.URL, profile.URL)
    assert after["resources"] == GOOD["resources"]


def test_twice_is_once_and_check_agrees(package: Path) -> None:
    answers(package, initiativeType=4, objectives="SERVICES")
    assert fmt(package, check=True).changed
    assert fmt(package).changed
    raw = (package / DESCRIPTOR).read_bytes()
    again = fmt(package)
    assert (again.changed, again.in_full, again.filled, again.reordered) == (False, (), (), False)
    assert (package / DESCRIPTOR).read_bytes() == raw
    assert fmt(package, check=True) == again


NUMBERS = b'{"a":1.0,"b":1,"c":-0,"d":1E5,"e":0.10,"f":123456789012345678901234567890,"g":0.1234567890123456789}'


def test_numbers_stay_as_they_are_written(package: Path) -> None:
    raw = json.dumps(GOOD)[:-1].encode() + b', "zz": ' + NUMBERS + b"}"
    write(package, raw)
    assert fmt(package).changed
    after = (package / DESCRIPTOR).read_bytes()
    found = after[after.index(b'"zz"') :].replace(b" ", b"").replace(b"\n", b"")
    assert found == b'"zz":' + NUMBERS + b"}"


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner),
    max_leaves=20,
)


@given(JSON)
def test_the_layout_is_that_of_the_standard_library(value: Any) -> None:
    plain = f"{json.dumps(value, ensure_ascii=False, indent=2)}\n".encode()
    assert layout.written(value) == plain
    assert layout.written(layout.read(plain)) == plain


@given(st.dictionaries(WORDS, JSON) | JSON.map(lambda value: {**GOOD, "citizenData": value}))
def test_order_loses_nothing(value: dict[str, Any]) -> None:
    after = layout.ordered(value)
    assert after == value
    assert layout.written(layout.ordered(after)) == layout.written(after)


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", "x", [], ["x"], {}, {"x": 1}, [[{}]]], ids=str)
def test_every_wrong_kind_of_answer_is_kept(package: Path, value: Any) -> None:
    """At every field at once one wrong kind is put, and what fmt writes says the same."""
    before = json.loads(json.dumps(GOOD))
    for entry in profile.load().fields.values():
        above, _, name = entry.path.rpartition(".")
        if above in ("", "citizenData") and entry.tier != "tool" and entry.path != "citizenData.profile":
            (before["citizenData"] if above else before)[name] = value
    before["citizenData"]["participation"] = value
    before["resources"] = value
    write(package, before)
    fmt(package)
    assert not fmt(package).changed
    after = read(package)
    for key, was in before["citizenData"].items():
        now = after["citizenData"][key]
        assert now in (was, [was], {"adequate": was}), key
    assert {
        key: part for key, part in after.items() if key not in ("licenses", "contributors", "citizenData")
    } == {key: part for key, part in before.items() if key not in ("licenses", "contributors", "citizenData")}


@pytest.mark.parametrize("own", [None, 4, [], "x"])
def test_a_package_that_is_not_of_ours_is_not_made_one(package: Path, own: Any) -> None:
    write(package, {"name": "a", "citizenData": own, "resources": []})
    assert fmt(package).filled == ()
    assert list(read(package)) == ["name", "citizenData", "resources"]


@pytest.mark.parametrize("more", [{"profile": "tabular-data-package"}, {"$schema": "https://example.org/schema"}])
def test_another_profile_is_left(package: Path, more: dict[str, str]) -> None:
    write(package, {**{key: part for key, part in GOOD.items() if key != "$schema"}, **more})
    assert fmt(package).filled == ()
    assert more.items() <= read(package).items()


def test_another_version_of_the_profile_is_left(package: Path) -> None:
    other = profile.URL.replace("1.0", "0.9")
    value = {**GOOD, "citizenData": GOOD["citizenData"] | {"profile": other}}
    write(package, {key: part for key, part in value.items() if key != "$schema"})
    assert fmt(package).filled == ()
    assert read(package)["citizenData"]["profile"] == other
    assert "$schema" not in read(package)


def test_what_new_starts_is_in_order(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("area,value\nA,1\n")
    assert not fmt(new(tmp_path / "p", source, date(2026, 3, 1)).out, check=True).changed


SHOWN = sorted(path.parent for path in EXAMPLES.glob(f"*/package/{DESCRIPTOR}") if path.parts[-3] != "broken")


@pytest.mark.parametrize("folder", SHOWN, ids=lambda path: path.parent.name)
def test_the_examples_are_in_order(folder: Path) -> None:
    """All but the broken one, whose mistakes are meant."""
    result = fmt(folder, check=True)
    assert (result.in_full, result.filled, result.reordered, result.changed) == ((), (), False, False)


# How it is written


def test_line_ends_and_a_byte_order_mark_are_laid_out_anew(package: Path) -> None:
    good = layout.written(layout.ordered(GOOD))
    write(package, b"\xef\xbb\xbf" + good.replace(b"\n", b"\r\n"))
    assert not load(package).readable
    assert fmt(package).changed
    assert (package / DESCRIPTOR).read_bytes() == good


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"name": "a", "name": "b"}', "name"),
        (b'\xef\xbb\xbf{"name": "a", "name": "b"}', "name"),
        (b'{"citizenData": {"x": 1, "x": 1}}', "x"),
        (b"{", "line 1"),
        (b"", "empty"),
        (b"[]", "object"),
        (b"\xef\xbb\xbf[]", "byte order mark"),
        ('{"name": "a"}'.encode("utf-16"), "UTF-16"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b'{"a": 1e999}', "number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": "\\ud800"}', ""),
        (b'{"a":' * 200 + b"1" + b"}" * 200, ""),
    ],
    ids=range(14),
)
def test_what_cannot_be_read_is_left_and_told(
    package: Path, raw: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(package, raw)
    for options in ((), ("--check",)):
        assert run("fmt", package, *options) == 2
        told = capsys.readouterr()
        assert (told.out, len(told.err.splitlines())) == ("", 1)
        assert said in told.err
    assert (package / DESCRIPTOR).read_bytes() == raw
    assert sorted(path.name for path in package.iterdir()) == ["data", DESCRIPTOR]


def test_a_half_surrogate_is_refused() -> None:
    with pytest.raises(UnreadableError):
        layout.read(b'"\\ud800"')


def test_the_mode_of_the_file_stays(package: Path) -> None:
    answers(package, initiativeType=4)
    (package / DESCRIPTOR).chmod(0o640)
    fmt(package / DESCRIPTOR)
    assert stat.S_IMODE((package / DESCRIPTOR).stat().st_mode) == 0o640
    assert sorted(path.name for path in package.iterdir()) == ["data", DESCRIPTOR]


def test_a_file_that_is_write_protected_is_left(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = answers(package, initiativeType=4)
    (package / DESCRIPTOR).chmod(0o444)
    access = os.access
    # Whoever runs the tests may be allowed everything.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    with pytest.raises(OutputError, match="write-protected"):
        fmt(package)
    assert (package / DESCRIPTOR).read_bytes() == raw


def test_a_disk_that_is_full_leaves_the_old(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = answers(package, initiativeType=4)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError):
        fmt(package)
    assert (package / DESCRIPTOR).read_bytes() == raw
    assert sorted(path.name for path in package.iterdir()) == ["data", DESCRIPTOR]


def test_a_link_is_not_followed(package: Path, tmp_path: Path) -> None:
    outside = (package / DESCRIPTOR).rename(tmp_path / "outside.json")
    raw = outside.read_bytes()
    (package / DESCRIPTOR).symlink_to(outside)
    with pytest.raises(PackageError):
        fmt(package)
    assert outside.read_bytes() == raw
    assert (package / DESCRIPTOR).is_symlink()


@pytest.mark.parametrize("prefix", ["", "package/"])
def test_in_a_zip_only_the_descriptor_changes(package: Path, tmp_path: Path, prefix: str) -> None:
    answers(package, initiativeType=4)
    path, table = tmp_path / "p.zip", package / "data" / "scores.csv"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (DESCRIPTOR, "data/scores.csv"):
            archive.write(package / name, prefix + name)
    with zipfile.ZipFile(path) as archive:
        before = {info.filename: (info.CRC, info.compress_size, info.date_time) for info in archive.infolist()}
    assert fmt(path, check=True).path == str(path)
    assert fmt(path).in_full == ("/citizenData/initiativeType",)
    with zipfile.ZipFile(path) as archive:
        after = {info.filename: (info.CRC, info.compress_size, info.date_time) for info in archive.infolist()}
        assert archive.read(f"{prefix}data/scores.csv") == table.read_bytes()
        assert json.loads(archive.read(prefix + DESCRIPTOR))["citizenData"]["initiativeType"] == "NSO_DRIVEN"
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {prefix + DESCRIPTOR}
    assert not fmt(path).changed


# Approvals


def approved(package: Path) -> dict[str, bytes]:
    approve(package, new_key(), Approver("A. Reviewer (made up)", "reviewer@example.org"), time=NOW)
    return {name: (package / name).read_bytes() for name in (DESCRIPTOR, STATEMENT, SIGNATURE)}


def test_an_approval_is_never_broken(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers(package, objectives="SERVICES")
    before = approved(package)
    assert run("fmt", package) == 2
    assert "approved again" in capsys.readouterr().err
    assert run("fmt", package, "--check") == 1
    assert "approved again" in capsys.readouterr().out
    assert {name: (package / name).read_bytes() for name in before} == before


def test_what_is_in_order_may_be_approved(package: Path) -> None:
    fmt(package)
    before = approved(package)
    assert not fmt(package).changed
    assert {name: (package / name).read_bytes() for name in before} == before


def test_an_approval_that_holds_no_longer_hinders_nothing(package: Path) -> None:
    before = approved(package)
    answers(package, objectives="SERVICES")
    result = fmt(package)
    assert (result.changed, result.approved) == (True, False)
    assert (package / STATEMENT).read_bytes() == before[STATEMENT]


# What is told


def test_it_is_told_what_was_changed(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = answers(package, objectives="SERVICES", initiators={"name": "\x1b[31mA", "kind": "community"})
    assert run("fmt", package, "--check") == 1
    assert (package / DESCRIPTOR).read_bytes() == raw
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{package / DESCRIPTOR}: would be written anew. Run cdmeta fmt without --check.",
        "  in full: citizenData.initiators",
        "  in full: citizenData.objectives",
    ]
    assert run("fmt", package) == 0
    assert capsys.readouterr().out.splitlines() == [f"{package / DESCRIPTOR}: written.", *lines[1:]]
    assert run("fmt", package) == 0
    assert run("fmt", package, "--check") == 0
    assert capsys.readouterr().out.splitlines() == [f"{package / DESCRIPTOR}: nothing to change."] * 2


def test_a_new_layout_alone_is_told(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(package, json.dumps(layout.ordered(GOOD)).encode())
    assert run("fmt", package) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  spaces and line breaks only"]


@pytest.mark.parametrize("language", ["es", "fr"])
def test_it_is_told_in_the_language_of_the_reader(
    package: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(package, objectives="SERVICES")
    assert run("fmt", package, "--lang", language) == 0
    told = capsys.readouterr().out
    assert profile.texts(language)["fmt.in-full"].format(path="citizenData.objectives") in told
    assert profile.texts(language)["fmt.in-full"] != profile.texts()["fmt.in-full"]


def test_there_is_no_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fmt", tmp_path) == 2
    assert run("fmt", tmp_path / "nothing", "--check") == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
