"""JSON read strictly: nothing in it may be read in two ways, or by some programs only."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 100
"""Objects and lists inside one another in a descriptor; honest ones stay below 20."""


class UnreadableError(ValueError):
    """Bytes that are no JSON text; `params` hold the reason as a key `reason.…` of the texts, and its blanks."""

    def __init__(self, reason: str, **params: str | int) -> None:
        super().__init__(reason)
        self.params = {"reason": reason, **params}


def parse(
    raw: bytes, parse_int: Callable[[str], Any] = int, parse_float: Callable[[str], Any] | None = None
) -> Any:
    """JSON text as plain values, to the letter: UTF-8, no name twice in an object, no number beyond a float.

    Raises:
        UnreadableError: it is none.
    """
    try:
        value = json.loads(
            _decode(raw),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=parse_int,
            parse_float=parse_float or finite,
        )
        # A lone surrogate escapes json but can be written nowhere.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableError("surrogate") from error
    except json.JSONDecodeError as error:
        raise UnreadableError("json", note=error.msg, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise UnreadableError("deep") from error
    except UnreadableError:
        raise
    except ValueError as error:
        raise UnreadableError("number") from error
    if _is_deep(value):
        raise UnreadableError("deep")
    return value


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("utf-16")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise UnreadableError("bom")
    if not raw.strip():
        raise UnreadableError("empty")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("no-utf-8", line=raw.count(b"\n", 0, error.start) + 1) from error


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            below
            for one in level
            if isinstance(one, (dict, list))
            for below in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise UnreadableError("twice-in-json", key=Counter(key for key, _ in pairs).most_common(1)[0][0])
    return result


def _no_constant(name: str) -> float:
    raise UnreadableError("no-number", note=name)


def finite(digits: str) -> float:
    """A number that a float can hold.

    Raises:
        UnreadableError: it is too large for one.
    """
    if not math.isfinite(value := float(digits)):
        raise UnreadableError("number")
    return value
