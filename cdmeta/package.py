"""Opens a data package, a folder or a zip, safely: the only reader of the outside.

Nothing outside the package is ever read: paths that are absolute, that hold `..`, that pass through a link or a
hidden folder, and addresses on the network are refused with a finding (Data Package v2, "Security"). Files that
the descriptor does not name are told of, and never opened.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
import unicodedata
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cdmeta.errors import PackageError
from cdmeta.finding import Finding, Where
from cdmeta.phrase import SENTENCES, Phrase, Series, at, os_reason
from cdmeta.profile import nearest
from cdmeta.shorthand import Places, in_full
from cdmeta.strictjson import UnreadableError, parse
from cdmeta.text import is_language_tag

DESCRIPTOR = "datapackage.json"
APPROVAL_FILES = ("approval.json", "approval.json.sig")
"""They lie beside the descriptor, and are no part of what is approved."""
QUESTIONS = ("QUESTIONS.xlsx", "questions.csv")
"""What `cdmeta new` asks, as a workbook and as CSV; they may lie there, and are never read here or published."""
MAX_DESCRIPTOR_BYTES = 20 * 2**20
MAX_FILES = 100_000
"""Files that are listed in a folder; a package is no home directory."""
MAX_ZIP_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 20 * 2**30
MAX_ZIP_RATIO = 250
"""Unpacked to packed size; text tables seldom pass 30, a bomb passes 1,000."""
RATIO_FREE_BYTES = 50 * 2**20
"""Below this size a high ratio does no harm, and constant columns reach it honestly."""
MAX_TOLD = 20
"""Findings of one kind on files that the descriptor does not name; the others are counted."""
_TABLES = (".csv", ".tsv", ".tab", ".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")
_RESERVED = (DESCRIPTOR, *APPROVAL_FILES)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Resource:
    """A resource of the descriptor, its schema and dialect read where they lie in files of their own.

    Attributes:
        index: its place in `resources`, from 0.
        name: its name; `#1`, `#2` … where it has none.
        raw: the resource as it stands in the descriptor.
        paths: its local data files that are safe and there.
        schema: its Table Schema; None where there is none or it could not be read.
        dialect: its Table Dialect, likewise.
    """

    index: int
    name: str
    raw: Mapping[str, Any] = field(hash=False)
    paths: tuple[str, ...]
    schema: Mapping[str, Any] | None = field(hash=False)
    dialect: Mapping[str, Any] | None = field(hash=False)

    @property
    def pointer(self) -> str:
        """JSON Pointer to it."""
        return f"/resources/{self.index}"

    @property
    def fields(self) -> tuple[Mapping[str, Any], ...]:
        """The field descriptors of its schema that are objects; none where there is no schema."""
        entries = self.schema.get("fields") if self.schema else None
        return tuple(e for e in entries if isinstance(e, Mapping)) if isinstance(entries, list) else ()

    @property
    def complete(self) -> bool:
        """True where every file that it names was found safe and there."""
        named = self.raw.get("path")
        return bool(self.paths) and len(self.paths) == (len(named) if isinstance(named, list) else 1)


@dataclass(frozen=True)
class Package:
    """A data package whose descriptor was read as far as that is possible.

    Attributes:
        source: the path as the caller gave it.
        root: the folder that holds the files: the package's own, or a temporary one for a zip.
        raw: the bytes of the descriptor.
        descriptor: what they say, as it is stored; empty where they could not be read.
        resources: its resources; those that are no objects are left out, with a finding.
        parts: every local file that the descriptor refers to, and the descriptor, sorted.
        unnamed: files that lie in the package and that the descriptor does not name, hidden ones left out.
        findings: what was wrong in opening it.
    """

    source: str
    root: Path
    raw: bytes
    descriptor: Mapping[str, Any] = field(hash=False)
    resources: tuple[Resource, ...]
    parts: tuple[str, ...]
    unnamed: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def readable(self) -> bool:
        """True where the descriptor could be read, and is a JSON object."""
        return not any(f.where.file == DESCRIPTOR and not f.where.pointer for f in self.findings)

    @property
    def expanded(self) -> Mapping[str, Any]:
        """The descriptor with its short forms in full: what all read who want to know what it says."""
        return self._in_full[0]

    @property
    def short_forms(self) -> Places:
        """Where the descriptor has a short form, and which."""
        return self._in_full[1]

    @cached_property
    def _in_full(self) -> tuple[Mapping[str, Any], Places]:
        return in_full(self.descriptor)

    @property
    def answers(self) -> Mapping[str, Any]:
        """The `citizenData` object with its short forms in full; empty where there is none."""
        value = self.expanded.get("citizenData")
        return value if isinstance(value, Mapping) else {}

    @property
    def language(self) -> str:
        """The language of plain texts; `und` (undetermined) where it is not told."""
        value = self.answers.get("language")
        return str(value) if is_language_tag(value) else "und"

    def path(self, part: str) -> Path:
        """Where a part of the package lies on this machine."""
        return self.root / part


def load(path: str | Path) -> Package:
    """Open a folder, a `datapackage.json`, or a zip.

    The temporary folder of a zip lives as long as the package that is returned.

    Raises:
        PackageError: there is no such path, or nothing in it that could be a data package.
    """
    source = Path(path)
    if "://" in str(path):
        raise _error(str(path), "network")
    try:
        return _load(source)
    except OSError as error:
        raise _error(source, "unreadable", reason=os_reason(error)) from error


def _error(source: Path | str, key: str, **params: Any) -> PackageError:
    return PackageError(at(source, f"error.package.{key}", **params))


def _load(source: Path) -> Package:
    if source.is_dir():
        return _Reader(_Folder(source)).package(source)
    if not source.exists():
        raise _error(source, "absent")
    if source.name == DESCRIPTOR and source.is_file():
        return _Reader(_Folder(source.parent)).package(source)
    if source.suffix.lower() in _TABLES:
        raise _no_package(source)
    if source.is_file() and zipfile.is_zipfile(source):
        return _load_zip(source)
    raise _no_package(source)


def _no_package(source: Path) -> PackageError:
    suffix = source.suffix.lower()
    if suffix == ".csv":
        return _error(source, "csv", name=source.name)
    if suffix in _TABLES:
        return _error(source, "table")
    if suffix == ".zip":
        return _error(source, "no-zip")
    return _error(source, "name" if suffix in (".json", ".yaml", ".yml") else "nothing", file=DESCRIPTOR)


def _load_zip(source: Path) -> Package:
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = Path(tempfile.mkdtemp(prefix="cdmeta-"))
            try:
                package = _Reader(_Zip(archive, unpacked, source.stat().st_size)).package(source)
            except BaseException:
                shutil.rmtree(unpacked, ignore_errors=True)
                raise
    except ZIP_DAMAGE as error:
        raise _error(source, "damaged", reason=error) from error
    weakref.finalize(package, shutil.rmtree, unpacked, ignore_errors=True)
    return package


class _Store(Protocol):
    """Where the files of a package lie."""

    root: Path
    names: tuple[str, ...]
    """The files there are, sorted, hidden ones left out."""

    def problems(self) -> Iterable[Finding]:
        """What is wrong with the container itself."""

    def refusal(self, name: str) -> Finding | None:
        """Why a name that is safe as a path may not be opened, or None; makes it readable below `root`."""


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = tuple(sorted(islice(self._walk(), MAX_FILES)))

    def _walk(self) -> Iterator[str]:
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            try:
                entries = os.scandir(self.root / prefix)
            except OSError:
                if not prefix:
                    raise
                yield prefix
                continue
            with entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{prefix}{entry.name}/")
                    else:
                        yield prefix + entry.name

    def problems(self) -> Iterable[Finding]:
        return ()

    def refusal(self, name: str) -> Finding | None:
        path = self.root
        for part in name.split("/"):
            path = path / part
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                return _finding("CD106", name)
            except OSError as error:
                return _finding("CD116", name, reason=error.strerror or str(error))
            if stat.S_ISLNK(mode):
                return _finding("CD107", name)
        if not stat.S_ISREG(mode):
            return _finding("CD105", name, reason="folder" if stat.S_ISDIR(mode) else "device")
        return None if os.access(path, os.R_OK) else _finding("CD116", name, reason=os.strerror(errno.EACCES))


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, unpacked: Path, size: int) -> None:
        self._archive = archive
        self.root = unpacked
        infos = _files(archive)
        top = _top_folder({info.filename for info in infos})
        self._infos = [(unicodedata.normalize("NFC", info.filename.removeprefix(top)), info) for info in infos]
        self._members = dict(self._infos)
        self._bytes_left = min(MAX_UNPACKED_BYTES, max(RATIO_FREE_BYTES, size * MAX_ZIP_RATIO))
        self.names = tuple(sorted(name for name in self._members if name and not _hidden(name)))

    def problems(self) -> Iterable[Finding]:
        if len(self._infos) > MAX_ZIP_MEMBERS:
            size, limit = (Phrase("package.files", {"count": n}) for n in (len(self._infos), MAX_ZIP_MEMBERS))
            yield Finding("CD112", Where(file=DESCRIPTOR), {"size": size, "limit": limit})
            return
        yield from islice(self._bad_names(), MAX_TOLD)

    def _bad_names(self) -> Iterator[Finding]:
        seen: set[str] = set()
        for name, info in self._infos:
            if _reason_unsafe(info.filename) not in (None, "hidden"):
                yield _finding("CD108", name, path=info.filename, reason="outside")
            key = str(PurePosixPath(name)).casefold()
            if key in seen:
                yield _finding("CD108", name, path=info.filename, reason="twice")
            seen.add(key)

    def refusal(self, name: str) -> Finding | None:
        info = self._members.get(unicodedata.normalize("NFC", name))
        if info is None:
            return _finding("CD106", name)
        if reason := self._reason_refused(info):
            return _finding("CD108", name, reason=reason)
        self._bytes_left -= info.file_size
        return self._unpack(info, name)

    def _reason_refused(self, info: zipfile.ZipInfo) -> str | None:
        if stat.S_ISLNK(info.external_attr >> 16):
            return "link"
        if info.flag_bits & 0x1:
            return "encrypted"
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return "method"
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > self._bytes_left or (info.file_size > RATIO_FREE_BYTES and ratio > MAX_ZIP_RATIO):
            return "bomb"
        return None

    def _unpack(self, info: zipfile.ZipInfo, name: str) -> Finding | None:
        target = self.root / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # zipfile stops at the declared size and then compares the checksum, so no more than that is written.
            with self._archive.open(info) as packed, target.open("xb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 2**20)
                if unpacked.tell() != info.file_size:
                    raise zipfile.BadZipFile("shorter than it says")
        except ZIP_DAMAGE:
            return _finding("CD108", name, reason="damaged")
        except OSError as error:
            # A file where another member needs a folder, or an offset that cannot be; a full disk is no finding.
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise
            return _finding("CD108", name, reason="damaged")
        return None


ZIP_DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    ValueError,
    zlib.error,
)
"""What zipfile was seen to raise on millions of damaged zips."""


def _finding(code: str, name: str, **params: str) -> Finding:
    return Finding(code, Where(file=name), {"path": name} | params)


def holds_descriptor(archive: zipfile.ZipFile) -> bool:
    """True where a zip says that it holds a data package, at its top or in its one folder."""
    names = {info.filename for info in _files(archive)}
    return f"{_top_folder(names)}{DESCRIPTOR}" in names


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if not _is_folder(info) and not _is_litter(info.filename)]


def _is_folder(info: zipfile.ZipInfo) -> bool:
    # ZipInfo.is_dir fails on a member whose name is empty.
    return info.filename.endswith("/")


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _top_folder(names: set[str]) -> str:
    """The one folder, with `/`, that holds everything, where the descriptor lies in it and not at the top."""
    tops = {name.split("/", 1)[0] for name in names}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    return top if f"{top}{DESCRIPTOR}" in names and not _reason_unsafe(f"{top}{DESCRIPTOR}") else ""


def _reason_unsafe(path: str) -> str | None:
    """Why a path is not allowed (Data Package v2, "Security"), as a key `reason.…` of the texts."""
    parts = path.split("/")
    if not path.strip() or not path.isprintable():
        return "characters"
    if "\\" in path:
        return "backslash"
    if path.startswith(("/", "~")) or _DRIVE.match(path):
        return "absolute"
    if ".." in parts:
        return "parent"
    if "." in parts or "" in parts:
        return "form"
    if _hidden(path):
        return "hidden"
    if len(path.encode("utf-8", "surrogatepass")) > 1_000 or any(len(part.encode()) > 255 for part in parts):
        return "long"
    return None


class _Reader:
    """Collects findings and parts while a package is read."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._findings: list[Finding] = []
        self._refusals: dict[str, Finding | None] = {}
        self._documents: dict[str, Mapping[str, Any] | None] = {}
        self._hints = MAX_TOLD

    def package(self, source: Path) -> Package:
        self._findings += self._store.problems()
        refusal = self._refusal(DESCRIPTOR)
        if refusal and refusal.code == "CD106":
            none = Phrase("error.package.none", {"file": DESCRIPTOR})
            told = tuple(filter(None, (none, _instead(self._store.names))))
            raise PackageError(Phrase("error.path", {"path": source, "what": Series(told, SENTENCES)}))
        raw = self._read(DESCRIPTOR)
        descriptor = self._object(raw, DESCRIPTOR, "CD101") or {}
        resources = tuple(self._resources(descriptor))
        parts = {name for name, refusal in self._refusals.items() if refusal is None} | {DESCRIPTOR}
        named = {*self._refusals, *APPROVAL_FILES, *QUESTIONS}
        named |= {unicodedata.normalize("NFC", name) for name in named}
        unnamed = tuple(sorted(set(self._store.names) - named))
        self._findings += _on_unnamed(unnamed)
        return Package(
            source=str(source),
            root=self._store.root,
            raw=raw or b"",
            descriptor=descriptor,
            resources=resources,
            parts=tuple(sorted(parts)),
            unnamed=unnamed,
            findings=tuple(dict.fromkeys(self._findings)),
        )

    def _refusal(self, name: str) -> Finding | None:
        if name not in self._refusals:
            refusal = self._store.refusal(name)
            if refusal and refusal.code == "CD106":
                refusal = replace(refusal, params={"path": name, "near": self._near(name)})
            self._refusals[name] = refusal
        return self._refusals[name]

    def _near(self, name: str) -> str:
        """The file that is most likely meant; not sought for ever, as a package may name a million files."""
        self._hints -= 1
        return nearest(name, self._store.names[:1_000]) or "" if self._hints >= 0 else ""

    def _read(self, name: str) -> bytes | None:
        if refusal := self._refusal(name):
            self._findings.append(refusal)
            return None
        with (self._store.root / name).open("rb") as file:
            raw = file.read(MAX_DESCRIPTOR_BYTES + 1)
        if len(raw) <= MAX_DESCRIPTOR_BYTES:
            return raw
        limit = Phrase("package.bytes", {"count": MAX_DESCRIPTOR_BYTES})
        self._findings.append(Finding("CD112", Where(file=name), {"size": name, "limit": limit}))
        return None

    def _object(self, raw: bytes | None, name: str, code: str) -> Mapping[str, Any] | None:
        try:
            value = parse(raw) if raw is not None else None
        except UnreadableError as error:
            self._findings.append(Finding(code, Where(file=name), {"path": name, **error.params}))
            return None
        if raw is not None and not isinstance(value, dict):
            self._findings.append(
                Finding("CD102", Where(name, ""), {"what": name, "expected": Phrase("json.object")})
            )
        return value if isinstance(value, dict) else None

    def _resources(self, descriptor: Mapping[str, Any]) -> Iterator[Resource]:
        entries = descriptor.get("resources", [])
        if not isinstance(entries, list):
            self._wrong_shape(Where(DESCRIPTOR, "/resources"), "resources", "array")
            return
        seen: set[str] = set()
        for index, raw in enumerate(entries):
            if not isinstance(raw, dict):
                where = Where(DESCRIPTOR, f"/resources/{index}")
                self._wrong_shape(where, Phrase("package.resource", {"number": index + 1}), "object")
                continue
            given = raw.get("name")
            name = given if isinstance(given, str) and given else f"#{index + 1}"
            if name in seen:
                where = Where(DESCRIPTOR, f"/resources/{index}/name", name)
                self._findings.append(Finding("CD110", where, {"name": name}))
            seen.add(name)
            yield self._resource(index, name, raw)

    def _resource(self, index: int, name: str, raw: Mapping[str, Any]) -> Resource:
        at = f"/resources/{index}"
        return Resource(
            index=index,
            name=name,
            raw=raw,
            paths=tuple(self._paths(raw.get("path"), Where(DESCRIPTOR, f"{at}/path", name))),
            schema=self._document(raw.get("schema"), "schema", Where(DESCRIPTOR, f"{at}/schema", name)),
            dialect=self._document(raw.get("dialect"), "dialect", Where(DESCRIPTOR, f"{at}/dialect", name)),
        )

    def _wrong_shape(self, where: Where, what: str | Phrase, expected: str) -> None:
        self._findings.append(Finding("CD102", where, {"what": what, "expected": Phrase(f"json.{expected}")}))

    def _paths(self, value: Any, where: Where) -> Iterator[str]:
        if value is None:
            return
        seen: set[str] = set()
        for number, path in enumerate(value if isinstance(value, list) else [value]):
            place = replace(where, pointer=f"{where.pointer}/{number}") if isinstance(value, list) else where
            if not isinstance(path, str):
                self._wrong_shape(place, "path", "string")
            elif path in seen:
                self._findings.append(Finding("CD115", place, {"path": path}))
            elif self._is_safe(path, place):
                yield path
            if isinstance(path, str):
                seen.add(path)

    def _is_safe(self, path: str, where: Where) -> bool:
        if _URL.match(path) and not _DRIVE.fullmatch(path[:2]):
            self._findings.append(Finding("CD109", where, {"path": path}))
        elif reason := _reason_unsafe(path) or ("reserved" if path.casefold() in _RESERVED else None):
            self._findings.append(Finding("CD105", where, {"path": path, "reason": reason}))
        elif refusal := self._refusal(path):
            self._findings.append(replace(refusal, where=where))
        else:
            return True
        return False

    def _document(self, value: Any, what: str, where: Where) -> Mapping[str, Any] | None:
        """A schema or dialect, inline or in a JSON file of its own."""
        if isinstance(value, str):
            return self._document_at(value) if self._is_safe(value, where) else None
        if value is not None and not isinstance(value, dict):
            self._wrong_shape(where, what, "object")
        return value if isinstance(value, dict) else None

    def _document_at(self, path: str) -> Mapping[str, Any] | None:
        if path not in self._documents:
            self._documents[path] = self._object(self._read(path), path, "CD113")
        return self._documents[path]


def _instead(names: Iterable[str]) -> Phrase | None:
    """What a person may have meant who named a folder or zip without a descriptor."""
    below = [name for name in names if name.endswith(f"/{DESCRIPTOR}")]
    top = [name for name in names if "/" not in name]
    tables = [name for name in top if name.lower().endswith(".csv")]
    if len(below) == 1:
        return Phrase("error.package.instead.below", {"path": below[0]})
    if yaml := [name for name in top if name.lower() in ("datapackage.yaml", "datapackage.yml")]:
        return Phrase("error.package.instead.yaml", {"path": yaml[0], "file": DESCRIPTOR})
    if near := nearest(DESCRIPTOR, top[:1_000]):
        return Phrase("error.package.instead.near", {"path": near})
    return Phrase("error.package.instead.table", {"path": tables[0]}) if tables else None


def _on_unnamed(names: tuple[str, ...]) -> Iterator[Finding]:
    for name in names[:MAX_TOLD]:
        yield _finding("CD111", name)
    if len(names) > MAX_TOLD:
        yield Finding("CD114", params={"count": len(names) - MAX_TOLD})
