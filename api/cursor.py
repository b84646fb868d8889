"""Opaque page cursors: a place in an ordered answer, good only for the query that gave it."""

import base64
import binascii
import hashlib
from typing import Final

from api import problem
from api.problem import Problem

_DIGEST_BYTES: Final = 8
_PLACE_BYTES: Final = 8


def write(place: int, scope: str) -> str:
    """The cursor of `place` in the answer to the query that `scope` describes."""
    return _write((place,), scope)


def write_pair(first: int, second: int, scope: str) -> str:
    """The cursor of a place that two numbers tell."""
    return _write((first, second), scope)


def read_pair(text: str | None, scope: str) -> tuple[int, int] | None:
    """As `read`, of two numbers."""
    if text is None:
        return None
    first, second = _read(text, scope, 2)
    return first, second


def read(text: str | None, scope: str) -> int | None:
    """The place of a cursor, None where there is none. Raises Problem 400 for one that is not of this query."""
    return None if text is None else _read(text, scope, 1)[0]


def _write(places: tuple[int, ...], scope: str) -> str:
    place_bytes = b"".join(place.to_bytes(_PLACE_BYTES, "big", signed=True) for place in places)
    return base64.urlsafe_b64encode(_digest(place_bytes, scope) + place_bytes).decode().rstrip("=")


def _read(text: str, scope: str, count: int) -> list[int]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    place_bytes = raw[_DIGEST_BYTES:]
    if len(raw) != _DIGEST_BYTES + count * _PLACE_BYTES or raw[:_DIGEST_BYTES] != _digest(place_bytes, scope):
        raise Problem.of_parameter(
            "cursor",
            "is not a `next` of this query; begin again without it",
            "不是本查询返回的 next；请去掉后重新开始",
            problem.INVALID_CURSOR,
        )
    parts = (place_bytes[at : at + _PLACE_BYTES] for at in range(0, len(place_bytes), _PLACE_BYTES))
    return [int.from_bytes(part, "big", signed=True) for part in parts]


def _digest(place_bytes: bytes, scope: str) -> bytes:
    return hashlib.blake2b(place_bytes + scope.encode(), digest_size=_DIGEST_BYTES).digest()
