"""A descriptor as it is written: the order of its members, two spaces a level, and numbers as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from cdmeta import profile
from cdmeta.strictjson import finite, parse
from cdmeta.text import pointer_step

_STANDARD = (
    "$schema", "profile", "name", "id", "version", "title", "description", "homepage", "image", "created",
    "keywords", "licenses", "sources", "contributors", "sdmx", "citizenData", "resources",
)  # fmt: skip
"""The members of a descriptor (Data Package 2.0), with ours before the resources, which are long."""


class _Whole(int):
    """A whole number, and how it is written."""

    literal: str


class _Real(float):
    """Any other number, and how it is written: 1.0 is not 1, and no digit is lost."""

    literal: str


def read(raw: bytes) -> Any:
    """Bytes of a descriptor as plain values whose numbers keep how they are written.

    Raises:
        UnreadableError: they are no JSON text, or a name stands twice in an object.
    """
    return parse(raw, parse_int=_whole, parse_float=_real)


def ordered(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """A descriptor with its members in the order of the standard and of the profile's fields.

    A translation (`title@fr`) stands behind what it translates, what is unknown behind all that is known, in the
    order that it has. Resources are left as they are.
    """
    return {key: _ordered(value, key) if key != "resources" else value for key, value in _sorted(descriptor, "")}


def written(value: Any) -> bytes:
    """Plain values as JSON: two spaces a level, UTF-8, one line feed at the end."""
    return f"{_json(value, '')}\n".encode()


def lines(raw: bytes, pointers: Iterable[str]) -> dict[str, int]:
    """The line, from 1, at which each member or item begins; of one that is not there, that of the part around it.

    Args:
        raw: bytes of a descriptor that can be read.
        pointers: JSON Pointers (RFC 6901) into it.
    """
    wanted = dict.fromkeys(pointers)
    around = {outer for pointer in wanted for outer in _outwards(pointer)}
    text = raw.decode("utf-8") if around else ""
    found, line, last = {"": 1}, 1, 0
    for pointer, start in _starts(text):
        if pointer in around:
            line, last = line + text.count("\n", last, start), start
            found[pointer] = line
            if len(found) == len(around):
                break
    return {pointer: next(found[outer] for outer in _outwards(pointer) if outer in found) for pointer in wanted}


def _outwards(pointer: str) -> Iterator[str]:
    """A pointer, and those of all that holds it, from the inside."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
    yield ""


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+')


def _starts(text: str) -> Iterator[tuple[str, int]]:
    """JSON Pointer of each member and item of a JSON text, and the place at which it begins."""
    outer: list[str] = []  # the pointers of the objects and lists that are open
    counts: list[int | None] = []  # of each, the items so far; None for an object
    own, named = "", False  # the pointer of the value that comes next, and whether its name was read
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in ("}", "]"):
            outer.pop()
            counts.pop()
        elif mark == ",":
            named = False
        elif counts and counts[-1] is None and not named:
            own, named = f"{outer[-1]}/{_step(mark)}", True
            yield own, token.start()
        else:
            if counts and (number := counts[-1]) is not None:
                own, counts[-1] = f"{outer[-1]}/{number}", number + 1
                yield own, token.start()
            if mark in ("{", "["):
                outer.append(own)
                counts.append(None if mark == "{" else 0)
                named = False


def _step(name: str) -> str:
    """A member's name, as it stands in JSON, as a step of a JSON Pointer."""
    return pointer_step(json.loads(name))


def _whole(digits: str) -> _Whole:
    number = _Whole(digits)
    number.literal = digits
    return number


def _real(digits: str) -> _Real:
    number = _Real(finite(digits))
    number.literal = digits
    return number


def _ordered(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_ordered(part, f"{path}[]") for part in value]
    if not isinstance(value, Mapping) or path not in _names():
        return value
    return {key: _ordered(part, f"{path}.{key}") for key, part in _sorted(value, path)}


def _sorted(value: Mapping[str, Any], path: str) -> Sequence[tuple[str, Any]]:
    names = _names()[path]

    def place(member: tuple[str, Any]) -> tuple[int, bool]:
        name, at, _ = member[0].partition("@")
        return (names[name], bool(at)) if name in names else (len(names), False)

    return sorted(value.items(), key=place)


@cache
def _names() -> Mapping[str, Mapping[str, int]]:
    """By the path of an object, the place of each member."""
    found: dict[str, dict[str, int]] = {"": {name: place for place, name in enumerate(_STANDARD)}}
    for entry in profile.load().fields.values():
        if entry.tier == "tool":
            continue
        for path, name in _steps(entry.path):
            members = found.setdefault(path, {})
            members.setdefault(name, len(members))
        if entry.type == "period":
            found[entry.path] = {"start": 0, "end": 1}
    return MappingProxyType(found)


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """`a.b[].c` as (``, a), (`a`, b), (`a.b[]`, c)."""
    parts = path.split(".")
    for number, part in enumerate(parts):
        yield ".".join(parts[:number]), part.removesuffix("[]")


def _json(value: Any, indent: str) -> str:
    if isinstance(value, (_Whole, _Real)):
        return value.literal
    inner = f"{indent}  "
    if isinstance(value, Mapping) and value:
        members = (f"{inner}{_plain(key)}: {_json(part, inner)}" for key, part in value.items())
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{inner}{_json(part, inner)}" for part in value) + f"\n{indent}]"
    return _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
