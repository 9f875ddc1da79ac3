"""The approval beside the descriptor, in a folder or a zip: read safely, and written so that it is old or new."""

from __future__ import annotations

import copy
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from cdmeta.errors import OutputError
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import at, os_reason

BLOCK = 2**20
MAX_BYTES = 5 * 2**20
"""An approval of 10,000 files stays below 2 MB."""

_LOCAL_HEADER = 30
_UTF_8_NAME = 0x800


@dataclass(frozen=True)
class Refused:
    """Why a file beside the descriptor may not be read: `reason` is a key of the texts."""

    reason: str


def read_beside(package: Package, name: str) -> bytes | Refused | None:
    """The bytes of a file beside the descriptor; None where there is none."""
    found = _read_folder(package.root, name)
    return _read_zip(Path(package.source), name) if found is None and _is_zip(package) else found


def write_beside(package: Package, files: Mapping[str, bytes]) -> None:
    """Write files beside the descriptor, in place of older ones of these names.

    A zip is written anew beside itself and renamed; all other members keep their bytes as they are packed. In a
    folder each file is renamed into place; an interruption between two leaves an approval that does not hold.

    Raises:
        OutputError: they cannot be written.
    """
    try:
        if _is_zip(package):
            _write_zip(Path(package.source), files)
        else:
            _write_folder(package.root, files)
    except OSError as error:
        raise OutputError(at(package.source, "error.unwritable", reason=os_reason(error))) from error


def open_part(root: Path, part: str) -> BinaryIO:
    """Open a regular file below a folder; a link on the way is not followed, even one that was just put there.

    Raises:
        OSError: it is not there, or it is a link or no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if os.open in os.supports_dir_fd:
        with _folder_of(root, part) as folder:
            number = os.open(PurePosixPath(part).name, flags, dir_fd=folder)
    else:
        number = os.open(root / part, flags)
    stream = os.fdopen(number, "rb")
    if not stat.S_ISREG(os.fstat(number).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "is no regular file", part)
    return stream


def sha256_part(root: Path, part: str, copied: IO[bytes] | None = None) -> str:
    """The sha256 (hex) of a part, read in blocks; where `copied` is given, of exactly the bytes written to it.

    Raises:
        OSError: it cannot be read or written.
    """
    digest = hashlib.sha256()
    with open_part(root, part) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            if copied is not None:
                copied.write(block)
    return digest.hexdigest()


@contextmanager
def _folder_of(root: Path, part: str) -> Iterator[int]:
    """The folder of a part, opened step by step."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in PurePosixPath(part).parts[:-1]:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _is_zip(package: Package) -> bool:
    source = Path(package.source)
    return source.is_file() and source.name != DESCRIPTOR


def _read_folder(folder: Path, name: str) -> bytes | Refused | None:
    try:
        mode = (folder / name).lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return Refused("link" if stat.S_ISLNK(mode) else "device")
    with open_part(folder, name) as stream:
        return _limited(stream)


def _read_zip(source: Path, name: str) -> bytes | Refused | None:
    try:
        with zipfile.ZipFile(source) as archive:
            wanted = _prefix(archive.namelist()) + name
            found = [info for info in archive.infolist() if info.filename == wanted]
            if not found:
                return None
            refused = _refused(found)
            return Refused(refused) if refused else _unpacked(archive, found[0])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError):
        return Refused("damaged")


def _refused(found: list[zipfile.ZipInfo]) -> str | None:
    info = found[0]
    if len(found) > 1:
        return "twice"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link"
    if info.flag_bits & 0x1:
        return "encrypted"
    return None if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else "method"


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | Refused:
    with archive.open(info) as stream:
        return _limited(stream)


def _limited(stream: IO[bytes]) -> bytes | Refused:
    content = stream.read(MAX_BYTES + 1)
    return content if len(content) <= MAX_BYTES else Refused("large")


def _prefix(names: Iterable[str]) -> str:
    """The folder, with `/`, in which the descriptor lies inside a zip; empty for its top."""
    shallow = [name for name in names if name.rpartition("/")[2] == DESCRIPTOR and name.count("/") <= 1]
    honest = sorted((name for name in shallow if not name.startswith("__MACOSX/")), key=len)
    return honest[0].removesuffix(DESCRIPTOR) if honest else ""


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    staged: dict[Path, Path] = {}
    try:
        for name, content in files.items():
            number, path = tempfile.mkstemp(prefix=".cdmeta-", dir=folder)
            staged[Path(path)] = folder / name
            with os.fdopen(number, "wb") as stream:
                stream.write(content)
            Path(path).chmod(_mode(folder / name))
        for temporary, target in staged.items():
            temporary.replace(target)
    finally:
        for temporary in staged:
            temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Who may read and write a file that takes the place of another: those who might before."""
    try:
        return stat.S_IMODE(path.lstat().st_mode) if not path.is_symlink() else 0o644
    except FileNotFoundError:
        return 0o644


def _write_zip(source: Path, files: Mapping[str, bytes]) -> None:
    number, path = tempfile.mkstemp(prefix=f".{source.name}-", dir=source.parent)
    os.close(number)
    staged = Path(path)
    try:
        with zipfile.ZipFile(source) as old, source.open("rb") as raw, zipfile.ZipFile(staged, "w") as new:
            prefix = _prefix(old.namelist())
            _copy_members(old, raw, new, {prefix + name for name in files})
            for name, content in files.items():
                # The time of the approval is in the statement; here it would only make equal bytes differ.
                info = zipfile.ZipInfo(prefix + name)
                info.external_attr = 0o644 << 16
                new.writestr(info, content, zipfile.ZIP_DEFLATED)
        shutil.copymode(source, staged)
        staged.replace(source)
    except zipfile.BadZipFile as error:
        raise OutputError(at(source, "error.package.damaged", reason=error)) from error
    finally:
        staged.unlink(missing_ok=True)


def _copy_members(old: zipfile.ZipFile, raw: IO[bytes], new: zipfile.ZipFile, left_out: set[str]) -> None:
    """Copy members as they are packed, so that none has to be opened, not even a locked or damaged one."""
    new.comment = old.comment
    infos = sorted(old.infolist(), key=lambda info: info.header_offset)
    ends = [info.header_offset for info in infos[1:]] + [old.start_dir]
    moved: dict[int, int] = {}
    for info, end in zip(infos, ends, strict=True):
        if info.filename not in left_out:
            moved[info.header_offset] = _copy_member(raw, new, info, end)
    for info in old.infolist():
        if info.filename not in left_out:
            entry = copy.copy(info)
            entry.header_offset = moved[info.header_offset]
            new.filelist.append(entry)
            new.NameToInfo[entry.filename] = entry


def _copy_member(raw: IO[bytes], new: zipfile.ZipFile, info: zipfile.ZipInfo, end: int) -> int:
    """Copy the local header and the packed bytes of a member; returns where it now begins.

    zipfile writes a name that is not ASCII as UTF-8 into the directory, so the local header has to say the same.
    """
    raw.seek(info.header_offset)
    header = bytearray(raw.read(_LOCAL_HEADER))
    name_length, extra_length = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    extra = raw.read(name_length + extra_length)[name_length:]
    left = end - raw.tell()
    if header[:4] != b"PK\3\4" or left < info.compress_size:
        raise zipfile.BadZipFile(f"no room for {info.filename!r}")
    name = info.filename.encode()
    flags = int.from_bytes(header[6:8], "little") | (0 if name.isascii() else _UTF_8_NAME)
    header[6:8], header[26:28] = flags.to_bytes(2, "little"), len(name).to_bytes(2, "little")
    out = new.fp
    if out is None:
        raise zipfile.BadZipFile("closed while it was written")
    begin = out.seek(new.start_dir)
    out.write(header + name + extra)
    while left and (block := raw.read(min(BLOCK, left))):
        out.write(block)
        left -= len(block)
    new.start_dir = out.tell()
    return begin
