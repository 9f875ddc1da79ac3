"""Bad input: each a finding or a one-line error, and nothing outside the package is ever read."""

import contextlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdmeta import package as package_module
from cdmeta.errors import PackageError
from cdmeta.finding import Finding
from cdmeta.package import DESCRIPTOR, Package, load

CANARY = b"canary-7f3a;what lies outside\n"
Files = Mapping[str, bytes | str]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder for the package, with secrets around it."""
    (tmp_path / "secret.csv").write_bytes(CANARY)
    (tmp_path / "secret.json").write_text(json.dumps({"fields": [], "note": CANARY.decode()}))
    home = tmp_path / "in"
    home.mkdir()
    yield home
    assert (tmp_path / "secret.csv").read_bytes() == CANARY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "secret.csv", "secret.json"]


def descriptor(**resource: Any) -> str:
    return json.dumps({"name": "x", "resources": [{"name": "r", "path": "data.csv"} | resource]})


def folder(home: Path, files: Files) -> Path:
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return home


def zipped(home: Path, files: list[tuple[str | zipfile.ZipInfo, bytes | str]], name: str = "p.zip") -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(home / name, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a name twice is what is wanted
        for member, content in files:
            archive.writestr(member, content)
    return home / name


def codes(package: Package) -> list[str]:
    return [finding.code for finding in package.findings]


def only(package: Package, code: str) -> Finding:
    found = [finding for finding in package.findings if finding.code == code]
    assert len(found) == 1, package.findings
    return found[0]


def sane(package: Package) -> None:
    """What holds for every package that was opened, however bad it is."""
    for part in package.parts:
        path = package.path(part)
        assert part == DESCRIPTOR or path.is_file()
        assert not path.is_symlink()
        assert path.resolve().is_relative_to(package.root.resolve())
        if path.exists():
            assert CANARY not in path.read_bytes()
    everything = repr([(r.raw, r.schema, r.dialect) for r in package.resources])
    assert "what lies outside" not in everything
    for finding in package.findings:
        for text in (finding.message(), finding.remedy()):
            assert text
            text.encode("utf-8")
            assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)


# --- what is good


def test_a_folder_its_descriptor_and_both_forms_of_zip_hold_the_same(tmp_path: Path) -> None:
    files = {DESCRIPTOR: descriptor(schema="schema.json"), "data.csv": "a\n1\n", "schema.json": '{"fields": []}'}
    home = folder(tmp_path / "in", files)
    plain = zipped(tmp_path, [*files.items()])
    nested = zipped(tmp_path, [(f"top/{name}", content) for name, content in files.items()], "n.zip")
    for source in (home, home / DESCRIPTOR, plain, nested):
        package = load(source)
        assert package.findings == ()
        assert package.source == str(source)
        assert package.parts == ("data.csv", DESCRIPTOR, "schema.json")
        assert package.unnamed == ()
        assert package.readable
        assert package.raw == files[DESCRIPTOR].encode()
        assert {part: package.path(part).read_text() for part in package.parts} == files
        assert package.resources[0].schema == {"fields": []}
        assert package.resources[0].complete
        sane(package)


def test_the_unpacked_zip_goes_with_its_package(tmp_path: Path) -> None:
    package = load(zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n")]))
    root = package.root
    assert root.is_dir()
    del package
    assert not root.exists()


# --- no package at all


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("visits.csv", "a\n1\n", "Start a package from it: cdmeta new DIR --from visits.csv"),
        ("visits.XLSX", "PK", "Save it as CSV"),
        ("x.zip", "no zip", "is no zip file, or a damaged one"),
        ("other.json", "{}", "has to be called datapackage.json"),
        ("datapackage.yaml", "name: x", "has to be called datapackage.json"),
        ("x.bin", b"\0", "is neither a folder, a datapackage.json nor a zip file"),
        ("\x1b[31mred.csv", "a\n", r"\x1b[31mred.csv"),
    ],
)
def test_a_path_that_is_no_package(tmp_path: Path, name: str, content: str, hint: str) -> None:
    with pytest.raises(PackageError) as caught:
        load(folder(tmp_path, {name: content}) / name)
    assert hint in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        ({}, "there is no datapackage.json in it."),
        ({"datapackage.yaml": ""}, "There is a datapackage.yaml; only JSON is read. Save it as datapackage.json."),
        ({"datapackage.json.txt": ""}, "There is a file datapackage.json.txt: is it meant?"),
        ({"sub/datapackage.json": ""}, "There is one further down: sub/datapackage.json"),
        ({"visits.csv": ""}, "cdmeta new DIR --from visits.csv"),
    ],
)
def test_a_folder_without_a_descriptor(tmp_path: Path, files: Files, hint: str) -> None:
    with pytest.raises(PackageError, match=r"there is no datapackage\.json in it") as caught:
        load(folder(tmp_path, files))
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize("name", ["no", "https://example.org/p.zip", "a\0b", "x" * 5000, "\udc80"])
def test_a_path_that_is_not_there(name: str) -> None:
    with pytest.raises(PackageError):
        load(name)


def test_an_address_on_the_network_is_told_apart() -> None:
    with pytest.raises(
        PackageError, match=r"^https://example.org/p\.zip: lies on the network; nothing is fetched"
    ):
        load("https://example.org/p.zip")


# --- the descriptor


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "in line 1, column 2"),
        (b"{'a': 1}", "in line 1, column 2"),
        (b'{"a": 1,\n "a": 2}', 'the key "a" stands twice'),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "a number that is too long"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a number that is too long"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"a": "\xe9"}', "not saved as UTF-8, see line 1"),
        (b'{\n"a": "\xe9"}', "not saved as UTF-8, see line 2"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_a_descriptor_that_cannot_be_read(tmp_path: Path, raw: bytes, reason: str) -> None:
    for source in (folder(tmp_path, {DESCRIPTOR: raw}), zipped(tmp_path, [(DESCRIPTOR, raw)])):
        package = load(source / DESCRIPTOR if source.is_dir() else source)
        assert reason in only(package, "CD101").message()
        assert not package.readable
        assert package.descriptor == {}
        sane(package)


def test_the_deepest_descriptor_that_is_taken(tmp_path: Path) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: '{"a":' * 99 + "1" + "}" * 99}))
    assert package.findings == ()
    assert package.readable


@pytest.mark.parametrize("raw", ["[]", "1", '"x"', "null", "true"])
def test_a_descriptor_that_is_no_object(tmp_path: Path, raw: str) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: raw}))
    assert codes(package) == ["CD102"]
    assert not package.readable


def test_an_empty_object_is_readable(tmp_path: Path) -> None:
    assert load(folder(tmp_path, {DESCRIPTOR: "{ }\n"})).readable


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ({"resources": {}}, ["/resources"]),
        ({"resources": None}, ["/resources"]),
        ({"resources": [1, None, []]}, ["/resources/0", "/resources/1", "/resources/2"]),
        ({"resources": [{"path": 1}]}, ["/resources/0/path"]),
        ({"resources": [{"path": {}}]}, ["/resources/0/path"]),
        ({"resources": [{"path": [None, ["a"]]}]}, ["/resources/0/path/0", "/resources/0/path/1"]),
        ({"resources": [{"schema": [], "dialect": 3}]}, ["/resources/0/schema", "/resources/0/dialect"]),
    ],
)
def test_json_of_the_wrong_shape(tmp_path: Path, value: Any, pointers: list[str]) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: json.dumps(value)}))
    assert codes(package) == ["CD102"] * len(pointers)
    assert [finding.where.pointer for finding in package.findings] == pointers
    assert package.readable
    sane(package)


@pytest.mark.parametrize("answers", [None, 1, [], "x", {"language": 3}, {"language": " ? "}])
def test_answers_of_the_wrong_shape_are_none(tmp_path: Path, answers: Any) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: json.dumps({"citizenData": answers})}))
    assert package.language == "und"
    assert isinstance(package.answers, Mapping)


def test_two_resources_with_one_name(tmp_path: Path) -> None:
    value = {"resources": [{"name": "a"}, {"name": "a"}, {"name": ""}, {}, {"name": 7}]}
    package = load(folder(tmp_path, {DESCRIPTOR: json.dumps(value)}))
    assert only(package, "CD110").where.pointer == "/resources/1/name"
    assert [resource.name for resource in package.resources] == ["a", "a", "#3", "#4", "#5"]


def test_a_descriptor_that_is_too_large(tmp_path: Path) -> None:
    raw = b'{"a": "' + b"x" * package_module.MAX_DESCRIPTOR_BYTES + b'"}'
    for source in (folder(tmp_path / "in", {DESCRIPTOR: raw}), zipped(tmp_path, [(DESCRIPTOR, raw)])):
        package = load(source)
        assert codes(package) == ["CD112"]
        assert not package.readable
        sane(package)


# --- paths


UNSAFE = {
    "/etc/passwd": "absolute",
    "~/x.csv": "absolute",
    "~root/x.csv": "absolute",
    "C:/x.csv": "absolute",
    "C:x.csv": "absolute",
    "c:\\x.csv": "backslash",
    "..\\secret.csv": "backslash",
    "\\\\server\\x.csv": "backslash",
    "../secret.csv": "parent",
    "a/../../secret.csv": "parent",
    "..": "parent",
    ".": "form",
    "./data.csv": "form",
    "a//b.csv": "form",
    "data.csv/": "form",
    ".git/config": "hidden",
    "a/.b.csv": "hidden",
    "": "characters",
    "  ": "characters",
    "a\0b": "characters",
    "a\nb": "characters",
    "a\x1b[2Jb": "characters",
    "a\u202eb": "characters",
    "a\x85b": "characters",
    "x" * 256 + ".csv": "long",
    "é" * 128 + ".csv": "long",
    "/".join(["abcdefgh"] * 130): "long",
    DESCRIPTOR: "reserved",
    "DataPackage.JSON": "reserved",
    "approval.json": "reserved",
    "approval.json.sig": "reserved",
}
REMOTE = [
    "http://example.org/x.csv",
    "https://x.org/x",
    "ftp://x/y",
    "file:///etc/passwd",
    "data:text/csv,a",
    "s3://b/k",
]


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("key", ["path", "schema", "dialect"])
def test_a_path_that_is_not_allowed(outside: Path, path: str, key: str) -> None:
    raw = descriptor(**{"path": "data.csv", key: path})
    files = {DESCRIPTOR: raw, "data.csv": "a\n"}
    for source in (folder(outside, files), zipped(outside, [*files.items()])):
        package = load(source)
        finding = only(package, "CD105")
        assert finding.params["reason"] == UNSAFE[path]
        assert finding.where.pointer == f"/resources/0/{key}"
        assert "reason." not in finding.message()
        assert UNSAFE[path] not in ("parent",) or "leads out of" in finding.message()
        sane(package)


@pytest.mark.parametrize("path", REMOTE)
@pytest.mark.parametrize("key", ["path", "schema", "dialect"])
def test_what_lies_on_the_network_is_not_fetched(tmp_path: Path, path: str, key: str) -> None:
    raw = descriptor(**{"path": "data.csv", key: path})
    package = load(folder(tmp_path, {DESCRIPTOR: raw, "data.csv": "a\n"}))
    assert only(package, "CD109").params["path"] == path
    sane(package)


def test_a_missing_file_and_what_may_be_meant(tmp_path: Path) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: descriptor(path="data/visit.csv"), "data/visits.csv": "a\n"}))
    assert only(package, "CD106").message().endswith('Did you mean "data/visits.csv"?')
    assert not package.resources[0].complete
    package = load(folder(tmp_path, {DESCRIPTOR: descriptor(path="zzz")}))
    assert only(package, "CD106").message().endswith("is not there.")


def test_the_file_that_may_be_meant_is_not_sought_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(package_module, "nearest", lambda word, names: asked.append(word))
    paths = [f"no{number}.csv" for number in range(50)]
    package = load(folder(tmp_path, {DESCRIPTOR: descriptor(path=paths)}))
    assert codes(package) == ["CD106"] * 50
    assert asked == paths[: package_module.MAX_TOLD]


def test_a_schema_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    raw = json.dumps({"resources": [{"name": n, "path": "data.csv", "schema": "s.json"} for n in "abc"]})
    package = load(folder(tmp_path, {DESCRIPTOR: raw, "data.csv": "a\n", "s.json": '{"fields": []}'}))
    first, second, third = (resource.schema for resource in package.resources)
    assert first == {"fields": []}
    assert first is second is third


def test_a_file_taken_for_a_folder(tmp_path: Path) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: descriptor(path="data.csv/x.csv"), "data.csv": "a\n"}))
    assert "CD106" in codes(package)


def test_a_folder_where_a_file_is_expected(tmp_path: Path) -> None:
    package = load(folder(tmp_path, {DESCRIPTOR: descriptor(path="data"), "data/x.csv": "a\n"}))
    assert only(package, "CD105").params["reason"] == "folder"
    package = load(folder(tmp_path / "other", {f"{DESCRIPTOR}/x": ""}))
    assert only(package, "CD105").params["reason"] == "folder"
    assert not package.readable


def test_a_list_of_files_may_not_name_one_twice(tmp_path: Path) -> None:
    raw = descriptor(path=["a.csv", "b.csv", "a.csv"])
    package = load(folder(tmp_path, {DESCRIPTOR: raw, "a.csv": "a\n", "b.csv": "a\n"}))
    assert only(package, "CD115").where.pointer == "/resources/0/path/2"
    assert package.resources[0].paths == ("a.csv", "b.csv")
    assert not package.resources[0].complete


@pytest.mark.parametrize(
    ("content", "code"),
    [("{", "CD113"), ("[]", "CD102"), (b"\xff\xfe{}", "CD113"), ("", "CD113"), ('{"a":' * 200, "CD113")],
)
@pytest.mark.parametrize("key", ["schema", "dialect"])
def test_a_schema_or_dialect_that_is_broken(tmp_path: Path, content: str, code: str, key: str) -> None:
    raw = json.dumps({"resources": [{"name": n, "path": "data.csv", key: "s.json"} for n in "abc"]})
    package = load(folder(tmp_path, {DESCRIPTOR: raw, "data.csv": "a\n", "s.json": content}))
    assert only(package, code).where.file == "s.json", "one file is told of once, however often it is named"
    assert [getattr(resource, key) for resource in package.resources] == [None] * 3
    assert package.readable


# --- links and what is no file


def link(path: Path, target: Path | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("at", "target", "path"),
    [
        ("data.csv", "../secret.csv", "data.csv"),
        ("data.csv", "real.csv", "data.csv"),
        ("data.csv", "data.csv", "data.csv"),
        ("data.csv", "/dev/zero", "data.csv"),
        ("sub", "..", "sub/secret.csv"),
        ("sub", ".", "sub/sub/real.csv"),
        ("data.csv", "nowhere", "data.csv"),
    ],
)
@pytest.mark.parametrize("key", ["path", "schema"])
def test_links_are_not_followed(outside: Path, at: str, target: str, path: str, key: str) -> None:
    folder(outside, {DESCRIPTOR: descriptor(**{"path": "real.csv", key: path}), "real.csv": "a\n"})
    link(outside / at, target)
    package = load(outside)
    assert only(package, "CD107").params == {"path": path}
    sane(package)


def test_a_descriptor_that_is_a_link(outside: Path) -> None:
    link(outside / DESCRIPTOR, "../secret.json")
    for source in (outside, outside / DESCRIPTOR):
        package = load(source)
        assert codes(package) == ["CD107"]
        assert package.raw == b""
        assert not package.readable


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    folder(tmp_path, {DESCRIPTOR: descriptor(path="pipe", schema="pipe"), "other.csv": "a\n"})
    os.mkfifo(tmp_path / "pipe")
    package = load(tmp_path)
    assert [f.params.get("reason") for f in package.findings if f.code == "CD105"] == ["device", "device"]
    with pytest.raises(PackageError):
        load(tmp_path / "pipe")
    with pytest.raises(PackageError):
        load("/dev/zero")


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path, {DESCRIPTOR: descriptor(schema="s.json"), "data.csv": "a\n", "s.json": "{}"})
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).suffix != ".csv")
    package = load(source)
    assert only(package, "CD116").message() == '"data.csv" is there, and cannot be opened: Permission denied.'
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    package = load(source)
    assert codes(package)[0] == "CD116"
    assert not package.readable


def test_folders_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path, {DESCRIPTOR: descriptor(), "data.csv": "a\n", "closed/x.csv": "a\n"})
    real = os.scandir

    def scandir(path: Path) -> Any:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert load(source).unnamed == ("closed/",)


# --- files that nobody names


def test_files_that_nobody_names_are_told_of(tmp_path: Path) -> None:
    files = {DESCRIPTOR: descriptor(), "data.csv": "a\n", "names.csv": "a\n", ".hidden": "", ".git/x": ""}
    package = load(
        folder(
            tmp_path,
            files | {"approval.json": "{}", "approval.json.sig": "", "QUESTIONS.xlsx": "", "questions.csv": ""},
        )
    )
    assert only(package, "CD111").params == {"path": "names.csv"}
    assert package.unnamed == ("names.csv",)


@dataclass
class Entry:
    """What os.scandir gives."""

    name: str

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return False


class Listing(list[Entry]):
    def __enter__(self) -> "Listing":
        return self

    def __exit__(self, *raised: object) -> None:
        return None


def test_a_hundred_thousand_files_that_nobody_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path, {DESCRIPTOR: descriptor(path=[f"no{n}.csv" for n in range(2_000)])})
    entries = Listing([Entry(DESCRIPTOR), *(Entry(f"{n}.jpg") for n in range(150_000))])
    monkeypatch.setattr(os, "scandir", lambda path: entries)
    package = load(source)
    assert len(package.unnamed) == package_module.MAX_FILES - 1
    assert codes(package).count("CD111") == package_module.MAX_TOLD
    assert only(package, "CD114").params == {"count": package_module.MAX_FILES - 1 - package_module.MAX_TOLD}


def test_a_hostile_file_name_cannot_steer_a_terminal(tmp_path: Path) -> None:
    folder(tmp_path, {DESCRIPTOR: "{}", "\x1b[2J\u202e.csv": ""})
    (tmp_path / os.fsdecode(b"latin-\xe9.csv")).write_bytes(b"")
    package = load(tmp_path)
    assert [finding.message().split(" lies")[0] for finding in package.findings] == [
        r'"\x1b[2J\u202e.csv"',
        r'"latin-\udce9.csv"',
    ]
    sane(package)


# --- zips


def member(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


@pytest.mark.parametrize("name", ["../evil.csv", "/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:/evil.csv"])
def test_members_that_lie_outside(outside: Path, name: str) -> None:
    source = zipped(outside, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n"), (member(name), "evil")])
    package = load(source)
    assert only(package, "CD108").params["reason"] == "outside"
    assert package.parts == ("data.csv", DESCRIPTOR)
    sane(package)


def test_a_member_without_a_name(tmp_path: Path) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, "{}"), ("x", "a\n")])
    patched(source, local=(30, b"\0"), central=(46, b"\0"))
    with zipfile.ZipFile(source) as archive:
        assert archive.namelist() == [DESCRIPTOR, ""]
    package = load(source)
    assert codes(package) == ["CD108"]
    assert package.readable
    sane(package)


@pytest.mark.parametrize("top", ["..", "", ".", "C:"])
def test_a_top_folder_that_lies_outside(outside: Path, top: str) -> None:
    with pytest.raises(PackageError, match=r"there is no datapackage\.json in it"):
        load(zipped(outside, [(f"{top}/{DESCRIPTOR}", "{}"), (f"{top}/secret.csv", "evil")]))


@pytest.mark.parametrize("other", ["data.csv", "DATA.csv", "./data.csv", "sub/../data.csv"])
def test_a_name_twice(tmp_path: Path, other: str) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n"), (member(other), "b\n")])
    assert "CD108" in codes(load(source))


def test_a_descriptor_twice_is_not_read(tmp_path: Path) -> None:
    package = load(zipped(tmp_path, [(DESCRIPTOR, "{}"), (DESCRIPTOR, '{"name": "other"}')]))
    assert only(package, "CD108").params["reason"] == "twice"
    assert not package.readable


def test_names_in_another_unicode_form_are_the_same_name(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9.csv", "cafe\u0301.csv"
    raw = descriptor(path=composed)
    package = load(zipped(tmp_path, [(DESCRIPTOR, raw), (decomposed, "a\n")]))
    assert package.findings == ()
    assert package.path(composed).read_text() == "a\n"
    package = load(zipped(tmp_path, [(DESCRIPTOR, raw), (composed, "a\n"), (decomposed, "b\n")], "twice.zip"))
    assert only(package, "CD108").params["reason"] == "twice"


def test_links_in_a_zip(outside: Path) -> None:
    source = zipped(outside, [(DESCRIPTOR, descriptor()), (member("data.csv", 0o120777), "../secret.csv")])
    package = load(source)
    assert only(package, "CD108").params["reason"] == "link"
    sane(package)


def test_a_folder_in_a_zip_where_a_file_is_expected(tmp_path: Path) -> None:
    package = load(zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv/x", "a\n"), ("data.csv/", "")]))
    assert "CD106" in codes(package)


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    raw = descriptor(path=["data", "data/x.csv"])
    package = load(zipped(tmp_path, [(DESCRIPTOR, raw), ("data", "a\n"), ("data/x.csv", "a\n")]))
    assert only(package, "CD108").params["reason"] == "damaged"
    sane(package)


Patch = tuple[int, bytes] | None


def patched(source: Path, *, local: Patch = None, central: Patch = None) -> Path:
    """Overwrite bytes in the headers of the last member."""
    raw = bytearray(source.read_bytes())
    for mark, patch in ((b"PK\x01\x02", central), (b"PK\x03\x04", local)):
        if patch:
            start = raw.rindex(mark) + patch[0]
            raw[start : start + len(patch[1])] = patch[1]
    source.write_bytes(bytes(raw))
    return source


def test_encrypted_members(tmp_path: Path) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n")])
    package = load(patched(source, local=(6, b"\1\0"), central=(8, b"\1\0")))
    assert only(package, "CD108").params["reason"] == "encrypted"


def test_unusual_compression(tmp_path: Path) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n")])
    package = load(patched(source, local=(8, b"\x0e\0"), central=(10, b"\x0e\0")))
    assert only(package, "CD108").params["reason"] == "method"


@pytest.mark.parametrize("size", [1, 10, 10_000, 2**31])
def test_a_declared_size_that_lies(tmp_path: Path, size: int) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n" * 1000)])
    package = load(patched(source, central=(24, struct.pack("<I", size))))
    assert only(package, "CD108").params["reason"] == ("bomb" if size == 2**31 else "damaged")
    assert package.parts == (DESCRIPTOR,)


@pytest.mark.parametrize(
    ("local", "central"),
    [
        (None, (8, b"\x40\0")),  # NotImplementedError: strong encryption
        ((30, b"\xff"), None),  # BadZipFile: another name than in the directory
        ((6, b"\0\x08" + b"\x08\0" + b"\0" * 18 + b"\xff"), None),  # UnicodeDecodeError: a name that is no UTF-8
        ((38, b"\xff\xff\xff"), None),  # zlib.error: no deflated data
        (None, (20, struct.pack("<I", 3))),  # BadZipFile: packed size too small
        (None, (42, struct.pack("<I", 2**31))),  # EOFError or BadZipFile: lies beyond the end
    ],
)
def test_damaged_members(tmp_path: Path, local: Any, central: Any) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", "a\n" * 1000)])
    package = load(patched(source, local=local, central=central))
    assert only(package, "CD108").params == {"path": "data.csv", "reason": "damaged"}
    assert package.readable
    sane(package)


@pytest.mark.parametrize(
    "central",
    [
        (6, b"\xfb\0"),  # NotImplementedError: zip version 25.1
        (8, b"\0\x08" + b"\x08\0" + b"\0" * 34 + b"\xff"),  # UnicodeDecodeError: a name that is no UTF-8
        (0, b"XX"),  # BadZipFile
    ],
)
def test_a_damaged_directory(tmp_path: Path, central: Any) -> None:
    with pytest.raises(PackageError, match="is a damaged zip file"):
        load(patched(zipped(tmp_path, [(DESCRIPTOR, "{}")]), central=central))


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_module, "RATIO_FREE_BYTES", 2**20)
    zeros = bytes(2**20 - 200)
    names = ["a.csv", "b.csv", "c.csv"]
    raw = descriptor(path=names)
    one = load(zipped(tmp_path, [(DESCRIPTOR, descriptor()), ("data.csv", zeros * 2)]))
    assert only(one, "CD108").params["reason"] == "bomb"
    many = load(zipped(tmp_path, [(DESCRIPTOR, raw), *((name, zeros) for name in names)], "many.zip"))
    assert [f.params["reason"] for f in many.findings] == ["bomb", "bomb"], "many small ones are a bomb too"
    assert sum(path.stat().st_size for path in many.root.rglob("*") if path.is_file()) < 2**20


def test_a_zip_in_a_zip_is_a_file_like_any_other(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.csv", "a\n")
    package = load(zipped(tmp_path, [(DESCRIPTOR, "{}"), ("inner.zip", inner.getvalue())]))
    assert package.unnamed == ("inner.zip",)
    assert [path.name for path in package.root.rglob("*")] == [DESCRIPTOR]


def test_a_zip_of_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_module, "MAX_ZIP_MEMBERS", 3)
    package = load(zipped(tmp_path, [(DESCRIPTOR, "{}"), *((f"../{n}", "") for n in range(3))]))
    assert only(package, "CD112").spoken() == {"size": "4 files", "limit": "3 files"}
    assert not package.readable


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = zipped(tmp_path, [(DESCRIPTOR, "{}")])

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(PackageError, match=r"cannot be read \(the disk is full\)"):
        load(source)


def test_hidden_files_and_litter_in_a_zip_are_no_matter(tmp_path: Path) -> None:
    names = [".gitignore", ".git/config", "__MACOSX/._data.csv", "sub/.DS_Store"]
    package = load(zipped(tmp_path, [(DESCRIPTOR, "{}"), *((name, "") for name in names)]))
    assert package.findings == ()


# --- properties

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PATHS = st.sampled_from([*UNSAFE, *REMOTE, "data.csv", "real.csv", "s.json", "sub", "sub/secret.csv"])
KEYS = st.sampled_from(
    [
        "resources",
        "name",
        "path",
        "schema",
        "dialect",
        "fields",
        "type",
        "primaryKey",
        "foreignKeys",
        "reference",
        "citizenData",
        "language",
        "sdmx",
        "initiators",
        "participation",
        "consentBasis",
        "title",
        "title@fr",
        "version",
        "constraints",
        "categories",
        "missingValues",
        "encoding",
        "profile",
        "$schema",
        "contributors",
        "licenses",
    ]
)
ANYTHING = st.recursive(
    SCALARS | PATHS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5),
)
PART = PATHS | ANYTHING
RESOURCES = st.fixed_dictionaries(
    {}, optional={"name": ANYTHING, "path": st.lists(PATHS) | PART, "schema": PART, "dialect": PART}
)
DESCRIPTORS = ANYTHING | st.fixed_dictionaries(
    {},
    optional={
        "name": ANYTHING,
        "resources": st.lists(RESOURCES | ANYTHING, max_size=4) | ANYTHING,
        "citizenData": ANYTHING,
    },
)
EFFORT = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EFFORT
@given(DESCRIPTORS)
def test_any_json_as_the_descriptor(outside: Path, value: Any) -> None:
    folder(outside, {DESCRIPTOR: json.dumps(value), "real.csv": "a\n", "s.json": "{}"})
    if not (outside / "sub").is_symlink():
        link(outside / "sub", "..")
    package = load(outside)
    assert package.readable == isinstance(value, dict)
    sane(package)


@EFFORT
@given(st.binary() | st.text().map(lambda text: f"{{{text}".encode("utf-8", "surrogatepass")))
def test_any_bytes_as_the_descriptor(outside: Path, raw: bytes) -> None:
    package = load(folder(outside, {DESCRIPTOR: raw}))
    sane(package)
    assert package.readable or package.findings


@EFFORT
@given(st.lists(st.tuples(PATHS | st.text(min_size=1), st.binary(max_size=20)), max_size=6), PATHS)
def test_any_names_in_a_zip(outside: Path, members: list[tuple[str, bytes]], path: str) -> None:
    named = [
        (name.split("\0")[0] or "x", content) for name, content in members if name.isascii() or _writable(name)
    ]
    package = load(zipped(outside, [(DESCRIPTOR, descriptor(path=path)), *named]))
    sane(package)


def _writable(name: str) -> bool:
    return name.encode("utf-8", "ignore").decode() == name


@EFFORT
@given(st.data())
def test_a_zip_with_any_bytes_changed(outside: Path, data: st.DataObject) -> None:
    texts = {DESCRIPTOR: descriptor(schema="s.json"), "data.csv": "a\n" * 50, "s.json": '{"fields": []}'}
    source = zipped(outside, [(f"t/{name}", text) for name, text in texts.items()])
    raw = bytearray(source.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=6)):
        raw[at] = data.draw(st.integers(0, 255))
    source.write_bytes(bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) - 1, len(raw) // 2]))]))
    with contextlib.suppress(PackageError):
        sane(load(source))


def test_opening_a_package_loads_nothing_heavy() -> None:
    heavy = "duckdb", "frictionless", "jsonschema", "lxml"
    code = f"import sys, cdmeta.package; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
    )
