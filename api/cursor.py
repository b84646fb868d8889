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
    place_bytes = place.to_bytes(_PLACE_BYTES, "big", signed=True)
    return base64.urlsafe_b64encode(_digest(place_bytes, scope) + place_bytes).decode().rstrip("=")


def read(text: str | None, scope: str) -> int | None:
    """The place of a cursor, None where there is none. Raises Problem 400 for one that is not of this query."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    place_bytes = raw[_DIGEST_BYTES:]
    if len(raw) != _DIGEST_BYTES + _PLACE_BYTES or raw[:_DIGEST_BYTES] != _digest(place_bytes, scope):
        raise Problem.of_parameter(
            "cursor",
            "is not a `next` of this query; begin again without it",
            "不是本查询返回的 next；请去掉后重新开始",
            problem.INVALID_CURSOR,
        )
    return int.from_bytes(place_bytes, "big", signed=True)


def _digest(place_bytes: bytes, scope: str) -> bytes:
    return hashlib.blake2b(place_bytes + scope.encode(), digest_size=_DIGEST_BYTES).digest()
