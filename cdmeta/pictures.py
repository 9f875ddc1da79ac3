"""Pictures, sound and film by their first bytes, and whether a picture tells where it was taken (Exif 2.32).

Only headers are read. What is not understood tells nothing; it never raises for what a file holds.
"""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath

PHOTO, DRAWING, SOUND, FILM = "photo", "drawing", "sound", "film"
"""Kinds of files; a drawing is a picture in a format that photos seldom have."""
_HEAD = 2**18
"""Bytes that are read of a file: Exif stands before the picture, in at most 64 KiB a segment."""
_BY_SUFFIX = {
    **dict.fromkeys(("jpg", "jpeg", "tif", "tiff", "heic", "heif", "dng", "cr2", "nef", "arw", "raw"), PHOTO),
    **dict.fromkeys(("png", "gif", "svg", "webp", "bmp"), DRAWING),
    **dict.fromkeys(("mp3", "wav", "ogg", "oga", "opus", "flac", "m4a", "aac", "amr", "wma"), SOUND),
    **dict.fromkeys(("mp4", "mov", "avi", "mkv", "webm", "3gp", "m4v", "wmv", "mpg", "mpeg"), FILM),
}
_GPS_INFO = 0x8825
"""Tag of the directory of GPS (Exif 2.32, 4.6.3)."""
_PLACES = (2, 4)
"""Tags GPSLatitude and GPSLongitude (Exif 2.32, 4.6.6)."""


def kind_by_name(name: str) -> str | None:
    """The kind of a file by the end of its name."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower().removeprefix("."))


def look(path: Path) -> tuple[str | None, bool]:
    """The kind of a file by its first bytes, else by its name; and True where a picture holds a place.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return _kind(head) or kind_by_name(path.name), _tells_place(head)


def _kind(head: bytes) -> str | None:
    if head.startswith((b"\xff\xd8\xff", b"II*\0", b"MM\0*")):
        return PHOTO
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return PHOTO if brand in (b"heic", b"heix", b"mif1", b"avif") else SOUND if brand == b"M4A " else FILM
    if head[:4] == b"RIFF":
        return {b"WEBP": DRAWING, b"WAVE": SOUND, b"AVI ": FILM}.get(head[8:12])
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return DRAWING
    if head.startswith((b"ID3", b"OggS", b"fLaC", b"#!AMR")):
        return SOUND
    return FILM if head.startswith(b"\x1a\x45\xdf\xa3") else None


def _tells_place(head: bytes) -> bool:
    """True where one of the places at which Exif may stand holds a latitude or a longitude."""
    if head.startswith((b"II*\0", b"MM\0*")):
        return _has_gps(head)
    start = head.find(b"Exif\0\0")
    while start >= 0:
        if _has_gps(head[start + 6 :]):
            return True
        start = head.find(b"Exif\0\0", start + 1)
    chunk = head.find(b"eXIf") if head.startswith(b"\x89PNG") else -1
    if chunk >= 0 and _has_gps(head[chunk + 4 :]):
        return True
    return b"exif:GPSLatitude" in head


def _has_gps(tiff: bytes) -> bool:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return False
    (first,) = struct.unpack(f"{order}I", tiff[4:8])
    gps = _entries(tiff, order, first).get(_GPS_INFO)
    return gps is not None and any(tag in _entries(tiff, order, gps) for tag in _PLACES)


def _entries(tiff: bytes, order: str, start: int) -> dict[int, int]:
    """Tags of a directory and the number that stands with each (TIFF 6.0, section 2)."""
    if start + 2 > len(tiff):
        return {}
    (count,) = struct.unpack(f"{order}H", tiff[start : start + 2])
    entries = (tiff[start + 2 + 12 * place : start + 14 + 12 * place] for place in range(count))
    return {tag: value for tag, _, _, value in (struct.unpack(f"{order}HHII", e) for e in entries if len(e) == 12)}
