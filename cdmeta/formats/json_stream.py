"""JSON that is read as it comes: members of objects and items of arrays one by one, so that memory does not grow.

What is asked for whole is decoded by Python's own decoder. Names that occur twice in it, and numbers that are
none, are refused; numbers that are no places or counts stay the text that they are written with: `1.50`.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, BinaryIO

from cdmeta.formats.messages import refusal
from cdmeta.phrase import Phrase

MAX_BYTES = 128 * 2**20
"""Characters of what is read whole, which needs several times its size: an artefact, an observation."""
_CHUNK = 1 << 18
_DIGITS = 16
_MAX_DEPTH = 500
_NEAR = 16
"""How far from the end of what has been read an error may be that more of the text would mend."""
_REST = len("e+")
"""How much of a number may stand behind what reads as a whole one: 1 of 1e+5, of which 5 has not been read."""
_SPACE = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r'[ \t\r\n]*"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*')
_TOKEN = re.compile(r'[^"\[\]{}]*+(?:"(?:[^"\\]|\\.)*+"|([\[\]{}]))', re.DOTALL)
_AFTER = re.compile(r"[ \t\r\n]*([,}])")


class OddError(ValueError):
    """A member that is not as it has to be; its text is the name of the member."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise OddError(next(name for name in names if names.count(name) > 1))
    return found


def _integer(text: str) -> int | str:
    return int(text) if len(text) < _DIGITS else text


def _no_number(name: str) -> Any:
    raise OddError(name)


class JsonStream:
    """A JSON text, at a place in it; every method raises ConversionError where it is no JSON there.

    What `members` and `items` come to has to be read, by any of the methods, before the next is asked for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        start = stream.read(_CHUNK)
        self._decoder = getincrementaldecoder(json.detect_encoding(start))()
        self._text, self._at, self._lines, self._is_whole = "", 0, 0, False
        self._scan: Any = json.JSONDecoder(
            object_pairs_hook=_unique, parse_constant=_no_number, parse_float=str, parse_int=_integer
        ).raw_decode
        self._take(start)

    def first(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """The value that is next, whole."""
        size = _CHUNK
        self.first()
        while True:
            try:
                found, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.pos > len(self._text) - _NEAR or error.msg.startswith("Unterminated string")
                if not cut or self._is_whole:
                    raise self._wrong(error.pos, error.msg) from error
            except RecursionError as error:
                raise refusal("json.deep") from error
            except OddError as error:
                raise refusal("json.twice", name=str(error)) from error
            else:
                if end + _REST < len(self._text) or self._is_whole:
                    self._at = end
                    return found
            if len(self._text) - self._at > MAX_BYTES:
                raise refusal("part", limit=Phrase("package.bytes", {"count": MAX_BYTES}))
            self._more(size)
            size *= 2

    def members(self, *, once: bool = True) -> Iterator[str]:
        """The names of the members of the object that is next, each before its value; none of anything else.

        Args:
            once: False where there may be millions, so that which there were is not kept.
        """
        if not self._enters("{", "}"):
            return
        seen: set[str] = set()
        while True:
            name = self._name()
            if name in seen:
                raise refusal("json.twice", name=name)
            if once:
                seen.add(name)
            yield name
            if not self._goes_on("}"):
                return

    def items(self) -> Iterator[None]:
        """One None for each item of the array that is next, before it; none of anything else."""
        if not self._enters("[", "]"):
            return
        while True:
            yield None
            if not self._goes_on("]"):
                return

    def pairs(self) -> Iterator[tuple[str, Any]]:
        """The members of the object that is next, each whole; there may be millions, and the same name again."""
        if not self._enters("{", "}"):
            return
        while True:
            for pair in self._quick():
                yield pair
                if self._text[self._at - 1] == "}":
                    return
            yield self._name(), self.value()
            if not self._goes_on("}"):
                return

    def _quick(self) -> Iterator[tuple[str, Any]]:
        """Members that stand as a whole in what has been read, each with what is behind it."""
        text, scan = self._text, self._scan
        while (name := _NAME.match(text, self._at)) is not None:
            try:
                value, end = scan(text, name.end())
            except (json.JSONDecodeError, OddError, RecursionError):
                return  # to be told, or read on, by `value`
            if (after := _AFTER.match(text, end)) is None:
                return
            self._at = after.end()
            yield name[1], value

    def skip(self) -> None:
        """Go behind the value that is next, of which no more is read than where it ends."""
        if self.first() not in ("{", "["):
            self.value()
            return
        depth, size = 0, _CHUNK
        while True:
            token = _TOKEN.match(self._text, self._at)
            if token is None:
                if len(self._text) - self._at > MAX_BYTES:
                    raise refusal("part", limit=Phrase("package.bytes", {"count": MAX_BYTES}))
                if not self._more(size):
                    raise self._wrong(self._at, "Unterminated value")
                size *= 2
                continue
            self._at, sign, size = token.end(), token[1], _CHUNK
            depth += 1 if sign in ("{", "[") else -1 if sign else 0
            if depth > _MAX_DEPTH:
                raise refusal("json.deep")
            if not depth:
                return

    def end(self) -> None:
        """Make sure that nothing stands behind."""
        if self.first():
            raise self._wrong(self._at, "Extra data")

    def _enters(self, start: str, end: str) -> bool:
        """Whether an object or array is next that is not empty, then entered; anything else is gone behind."""
        if self.first() != start:
            self.skip()
            return False
        self._at += 1
        return not self._ends(end)

    def _name(self) -> str:
        """The name of the member that is next, before its value."""
        if self.first() != '"':
            raise self._wrong(self._at, "Expecting property name enclosed in double quotes")
        name = str(self.value())
        if self.first() != ":":
            raise self._wrong(self._at, "Expecting ':' delimiter")
        self._at += 1
        return name

    def _ends(self, sign: str) -> bool:
        if self.first() == sign:
            self._at += 1
            return True
        return False

    def _goes_on(self, end: str) -> bool:
        """Whether another member or item follows."""
        if self._ends(end):
            return False
        if self.first() != ",":
            raise self._wrong(self._at, "Expecting ',' delimiter")
        self._at += 1
        return True

    def _more(self, size: int = _CHUNK) -> bool:
        """Read on, what is behind let go of; False at the end."""
        if self._is_whole:
            return False
        self._lines += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :], 0
        self._take(self._stream.read(size))
        return True

    def _take(self, content: bytes) -> None:
        try:
            self._text += self._decoder.decode(content, not content)
        except UnicodeDecodeError as error:
            raise refusal("json.encoding") from error
        self._is_whole = not content

    def _wrong(self, place: int, reason: str) -> Exception:
        return refusal("json", line=self._lines + self._text.count("\n", 0, place) + 1, reason=reason)
