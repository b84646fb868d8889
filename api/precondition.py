"""``If-Match`` and ``If-None-Match``: change only what the client has seen; send only what it has not (RFC 9110 §13)."""

import asyncio
import hashlib
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from aiohttp import web

from api import problem
from api.operation import Parameter
from api.problem import Problem
from api.rollup_form import is_unchanged
from historian.model.point import Point

IF_MATCH: Final = Parameter(
    "If-Match",
    "ETag of what is to be changed: refused (412) where it is another by now.",
    {"type": "string"},
    "header",
)
_DIGEST_BYTES: Final = 12
ANY: Final = "*"

POINT_TURN: Final = web.AppKey("point_turn", asyncio.Lock)  # between the check of a point and its change


def etag_of_point(point: Point) -> str:
    """Of its attributes as they are now."""
    return _quoted(hashlib.blake2b(msgspec.json.encode(point), digest_size=_DIGEST_BYTES))


def etag_of_columns(scope: str, columns: list[npt.NDArray[Any]]) -> str:
    """Of columns, and what they are about."""
    made = hashlib.blake2b(scope.encode(), digest_size=_DIGEST_BYTES)
    for column in columns:
        made.update(np.ascontiguousarray(column).data)
    return _quoted(made)


def require_match(request: web.Request, etag: str | None) -> None:
    """Raise Problem 412 where ``If-Match`` names another, or ``If-None-Match`` this one; `etag` None: nothing is there."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and (etag is None or not _is_named(wanted, etag)):
        now = "there is none" if etag is None else f"it is {etag} now"
        raise Problem(
            problem.PRECONDITION_FAILED,
            f"If-Match: {wanted[:100]} is not what is there, {now}; read it anew and decide again",
            f"If-Match: {wanted[:100]} 与现状不符；请重新读取后再决定",
        )
    unwanted = request.headers.get("If-None-Match")
    if unwanted is not None and etag is not None and is_unchanged(unwanted, etag):
        raise Problem(
            problem.PRECONDITION_FAILED,
            "If-None-Match: it is there already; leave the header out to change it",
            "If-None-Match：已存在；如需修改请去掉该头",
        )


def _is_named(wanted: str, etag: str) -> bool:
    """Strong comparison: a weak tag never matches."""
    tags = [tag.strip() for tag in wanted.split(",")]
    return ANY in tags or etag in tags


def _quoted(made: "hashlib.blake2b") -> str:
    return f'"{made.hexdigest()}"'
