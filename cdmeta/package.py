"""Opens a data package, a folder or a zip, safely: the only reader of the outside.

Nothing outside the package is ever read: paths that are absolute, that hold `..`, that pass through a link or a
hidden folder, and addresses on the network are refused with a finding (Data Package v2, "Security"). Files that
the descriptor does not name are told of, and never opened.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cdmeta.errors import PackageError
from cdmeta.finding import Finding, Where
from cdmeta.profile import nearest

DESCRIPTOR = "datapackage.json"
APPROVAL_FILES = ("approval.json", "approval.json.sig")
"""They lie beside the descriptor, and are no part of what is approved."""

MAX_DESCRIPTOR_BYTES = 20 * 2**20
MAX_ZIP_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 20 * 2**30
MAX_ZIP_RATIO = 250
"""Unpacked to packed size; text tables seldom pass 30, a bomb passes 1,000."""
RATIO_FREE_BYTES = 50 * 2**20
"""Below this size a high ratio does no harm, and constant columns reach it honestly."""

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
        descriptor: what they say; empty where they could not be read.
        resources: its resources; those that are no objects are left out, with a finding.
        parts: every local file that the descriptor refers to, and the descriptor, sorted.
        unnamed: files that lie in the package and that the descriptor does not name.
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
        """True where the descriptor is a JSON object."""
        return bool(self.descriptor) or self.raw.strip() == b"{}"

    @property
    def answers(self) -> Mapping[str, Any]:
        """The `citizenData` object; empty where there is none."""
        value = self.descriptor.get("citizenData")
        return value if isinstance(value, Mapping) else {}

    @property
    def language(self) -> str:
        """The language of plain texts; `und` (undetermined) where it is not told."""
        value = self.answers.get("language")
        return value if isinstance(value, str) and value.strip() not in ("", "?") else "und"

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
    try:
        return _load(source)
    except OSError as error:
        raise PackageError(f"{source}: cannot be read ({error.strerror or error}).") from error


def _load(source: Path) -> Package:
    if source.is_dir():
        return _Reader(_Folder(source)).package(str(source))
    if source.name == DESCRIPTOR and source.is_file():
        return _Reader(_Folder(source.parent)).package(str(source))
    if source.is_file() and zipfile.is_zipfile(source):
        return _load_zip(source)
    if not source.exists():
        raise PackageError(f"{source}: there is no such file or folder.")
    raise PackageError(f"{source}: is neither a folder, a {DESCRIPTOR} nor a zip file.")


def _load_zip(source: Path) -> Package:
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = Path(tempfile.mkdtemp(prefix="cdmeta-"))
            try:
                package = _Reader(_Zip(archive, unpacked)).package(str(source))
            except BaseException:
                shutil.rmtree(unpacked, ignore_errors=True)
                raise
    except zipfile.BadZipFile as error:
        raise PackageError(f"{source}: is a damaged zip file ({error}).") from error
    weakref.finalize(package, shutil.rmtree, unpacked, ignore_errors=True)
    return package


class _Store(Protocol):
    """Where the files of a package lie."""

    root: Path

    def names(self) -> list[str]:
        """The files there are, hidden ones left out."""

    def problems(self) -> Iterator[Finding]:
        """What is wrong with the container itself."""

    def refusal(self, name: str) -> Finding | None:
        """Why a name that is safe as a path may not be opened, or None; makes it readable below `root`."""


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return sorted(self._walk(self.root, ""))

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        for entry in folder.iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir() and not entry.is_symlink():
                yield from self._walk(entry, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name

    def problems(self) -> Iterator[Finding]:
        return iter(())

    def refusal(self, name: str) -> Finding | None:
        path = self.root
        for part in PurePosixPath(name).parts:
            path = path / part
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                near = nearest(name, self.names()) or ""
                return Finding("CD106", Where(file=name), {"path": name, "near": near})
            if stat.S_ISLNK(mode):
                return Finding("CD107", Where(file=name), {"path": name})
        return None if stat.S_ISREG(mode) else Finding("CD105", Where(file=name), _unsafe(name, "no-file"))


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, unpacked: Path) -> None:
        self._archive = archive
        self.root = unpacked
        members = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
        self._top = _top_folder([info.filename for info in members])
        self._all = members
        self._members = {info.filename.removeprefix(self._top): info for info in members}

    def names(self) -> list[str]:
        return sorted(name for name in self._members if not _hidden(name))

    def problems(self) -> Iterator[Finding]:
        if len(self._all) > MAX_ZIP_MEMBERS:
            yield Finding("CD112", params={"size": f"{len(self._all):,} files", "limit": f"{MAX_ZIP_MEMBERS:,}"})
        seen: set[str] = set()
        for info in self._all:
            name = info.filename.removeprefix(self._top)
            if _reason_unsafe(info.filename):
                yield Finding("CD108", Where(file=name), {"path": info.filename, "reason": "outside"})
            key = str(PurePosixPath(name)).casefold()
            if key in seen:
                yield Finding("CD108", Where(file=name), {"path": info.filename, "reason": "twice"})
            seen.add(key)

    def refusal(self, name: str) -> Finding | None:
        info = self._members.get(name)
        if info is None:
            return Finding("CD106", Where(file=name), {"path": name, "near": nearest(name, self.names()) or ""})
        if reason := self._reason_refused(info):
            return Finding("CD108", Where(file=name), {"path": name, "reason": reason})
        return self._unpack(info, name)

    def _reason_refused(self, info: zipfile.ZipInfo) -> str | None:
        if stat.S_ISLNK(info.external_attr >> 16):
            return "link"
        if info.flag_bits & 0x1:
            return "encrypted"
        if info.file_size > MAX_UNPACKED_BYTES:
            return "bomb"
        ratio = info.file_size / max(info.compress_size, 1)
        return "bomb" if info.file_size > RATIO_FREE_BYTES and ratio > MAX_ZIP_RATIO else None

    def _unpack(self, info: zipfile.ZipInfo, name: str) -> Finding | None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # zipfile stops at the declared size and then compares the checksum, so the size cannot lie.
            with self._archive.open(info) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 2**20)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError) as error:
            return Finding("CD108", Where(file=name), {"path": name, "reason": "damaged", "note": str(error)})
        return None


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _top_folder(names: list[str]) -> str:
    """The one folder, with `/`, that holds everything, where the descriptor lies in it and not at the top."""
    tops = {name.split("/", 1)[0] for name in names}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    return top if f"{top}{DESCRIPTOR}" in names else ""


def _unsafe(name: str, reason: str) -> dict[str, str]:
    return {"path": name, "reason": reason}


def _reason_unsafe(path: str) -> str | None:
    if "\\" in path:
        return "backslash"
    if path.startswith(("/", "~")) or _DRIVE.match(path):
        return "absolute"
    parts = path.split("/")
    if ".." in parts:
        return "parent"
    if any(part.startswith(".") for part in parts):
        return "hidden"
    if not path.strip() or any(ord(character) < 32 or character == "\x7f" for character in path):
        return "characters"
    return None


class _Reader:
    """Collects findings and parts while a package is read."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._findings: list[Finding] = []
        self._parts: set[str] = set()

    def package(self, source: str) -> Package:
        self._findings += self._store.problems()
        refusal = self._store.refusal(DESCRIPTOR)
        if refusal is not None and refusal.code == "CD106":
            raise PackageError(f"{source}: there is no {DESCRIPTOR} in it.")
        self._add(refusal)
        raw = b"" if refusal else self._bytes(DESCRIPTOR)
        descriptor = {} if refusal else self._object(raw, DESCRIPTOR)
        resources = tuple(self._resources(descriptor))
        names = set(self._store.names()) - {DESCRIPTOR, *APPROVAL_FILES, *self._parts}
        for name in sorted(names):
            self._findings.append(Finding("CD111", Where(file=name), {"path": name}))
        return Package(
            source,
            self._store.root,
            raw,
            descriptor,
            resources,
            tuple(sorted({DESCRIPTOR, *self._parts})),
            tuple(sorted(names)),
            tuple(dict.fromkeys(self._findings)),
        )

    def _add(self, finding: Finding | None) -> None:
        if finding is not None:
            self._findings.append(finding)

    def _bytes(self, name: str) -> bytes:
        path = self._store.root / name
        size = path.stat().st_size
        if size > MAX_DESCRIPTOR_BYTES:
            limit = f"{MAX_DESCRIPTOR_BYTES:,} bytes"
            self._findings.append(Finding("CD112", Where(file=name), {"size": f"{size:,} bytes", "limit": limit}))
            return b""
        return path.read_bytes()

    def _object(self, raw: bytes, name: str) -> dict[str, Any]:
        if not raw and any(f.code == "CD112" for f in self._findings):
            return {}
        code = "CD101" if name == DESCRIPTOR else "CD113"
        try:
            value = _parse(raw)
        except _UnreadableError as error:
            self._findings.append(Finding(code, Where(file=name), {"path": name, "reason": str(error)}))
            return {}
        if not isinstance(value, dict):
            where = Where(file=name, pointer="")
            self._findings.append(Finding("CD102", where, {"what": name, "expected": "object"}))
            return {}
        return value

    def _resources(self, descriptor: Mapping[str, Any]) -> Iterator[Resource]:
        entries = descriptor.get("resources", [])
        if not isinstance(entries, list):
            self._wrong_shape("/resources", "resources", "array")
            return
        seen: set[str] = set()
        for index, raw in enumerate(entries):
            pointer = f"/resources/{index}"
            if not isinstance(raw, dict):
                self._wrong_shape(pointer, f"resources[{index}]", "object")
                continue
            given = raw.get("name")
            name = given if isinstance(given, str) and given else f"#{index + 1}"
            if name in seen:
                self._findings.append(Finding("CD110", Where(DESCRIPTOR, f"{pointer}/name"), {"name": name}))
            seen.add(name)
            yield Resource(
                index,
                name,
                raw,
                tuple(self._paths(raw.get("path"), f"{pointer}/path")),
                self._part(raw.get("schema"), f"{pointer}/schema"),
                self._part(raw.get("dialect"), f"{pointer}/dialect"),
            )

    def _wrong_shape(self, pointer: str, what: str, expected: str) -> None:
        where = Where(DESCRIPTOR, pointer)
        self._findings.append(Finding("CD102", where, {"what": what, "expected": expected}))

    def _paths(self, value: Any, pointer: str) -> Iterator[str]:
        if value is None:
            return
        for number, path in enumerate(value if isinstance(value, list) else [value]):
            place = f"{pointer}/{number}" if isinstance(value, list) else pointer
            if not isinstance(path, str):
                self._wrong_shape(place, "path", "string")
            elif self._safe(path, place):
                yield path

    def _safe(self, path: str, pointer: str) -> bool:
        where = Where(DESCRIPTOR, pointer)
        if _URL.match(path) and not _DRIVE.fullmatch(path[:2]):
            self._findings.append(Finding("CD109", where, {"path": path}))
            return False
        if reason := _reason_unsafe(path):
            self._findings.append(Finding("CD105", where, _unsafe(path, reason)))
            return False
        refusal = self._store.refusal(path)
        if refusal is not None:
            self._findings.append(Finding(refusal.code, Where(path, pointer), refusal.params))
            return False
        self._parts.add(path)
        return True

    def _part(self, value: Any, pointer: str) -> Mapping[str, Any] | None:
        """A schema or dialect, inline or in a JSON file of its own."""
        if value is None:
            return None
        if isinstance(value, dict):
            return value
        if not isinstance(value, str):
            self._wrong_shape(pointer, pointer.rsplit("/", 1)[-1], "object")
            return None
        return self._object(self._bytes(value), value) or None if self._safe(value, pointer) else None


class _UnreadableError(ValueError):
    """Bytes that are no JSON text; its text says why, in plain words."""


def _parse(raw: bytes) -> Any:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _UnreadableError("it is saved as UTF-16; it has to be UTF-8")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _UnreadableError("it starts with a byte order mark; save it as UTF-8 without BOM")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        # A lone surrogate escapes json but can be written nowhere.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"it is not UTF-8 (byte {error.start + 1})") from error
    except UnicodeEncodeError as error:
        raise _UnreadableError("it holds half of a surrogate pair (\\ud800 to \\udfff)") from error
    except json.JSONDecodeError as error:
        raise _UnreadableError(f"{error.msg}, line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _UnreadableError("it is nested too deeply") from error
    except _UnreadableError:
        raise
    except ValueError as error:
        raise _UnreadableError("it holds a number that is too long") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _UnreadableError(f"the key {twice!r} stands twice in one object")
    return result


def _no_constant(name: str) -> float:
    raise _UnreadableError(f"{name} is no JSON number")
