"""Load curves as they were last answered: a control room asks for the same days again and again.

A reply is given again only while everything it was made of is as it was: no sample of the point came in, no segment was
replaced, and nothing was stated about any point. Curves that depend on other points (ratios, checks) or on a moment of the
past are not kept.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import web

from api.caller import identity_of
from api.context import ApiContext
from historian.metrics import Metrics
from historian.model.point import Point, PointKind
from historian.model.sample import PointIdColumn
from historian.model.term import NO_TERMS

BYTES_MAX: Final = 64 << 20
_BYTES_EACH: Final = 500  # what an entry weighs beside its body


class CurveKey(NamedTuple):
    """What was asked, to the letter, and by whom as far as it matters. `name` is of a single point, as it was asked for."""

    name: str | None
    query: str
    accept: str
    stations: frozenset[str] | None


class Version(NamedTuple):
    """What a reply was made of; equal versions make equal replies."""

    touched: int
    generation: int
    terms_revision: int


class CurveCache:
    """Replies in the order they were last asked for; the oldest leave beyond `bytes_max`."""

    def __init__(self, context: ApiContext, metrics: Metrics, bytes_max: int = BYTES_MAX) -> None:
        self._context = context
        self._bytes_max = bytes_max
        self._size_bytes = 0
        self._kept: OrderedDict[CurveKey, tuple[Version, bytes]] = OrderedDict()
        self._hits = metrics.counter("historian_curve_cache_hits_total", "Load curves answered from memory.")

    def version_of(self, ids: PointIdColumn) -> Version:
        """Of what curves of these points are made now."""
        context = self._context
        return Version(context.rollup.touched(ids), context.health.generation, context.terms.revision)

    def is_own(self, points: Sequence[Point]) -> bool:
        """Whether their curves depend on nothing but themselves."""
        terms = self._context.terms
        return all(point.kind is not PointKind.RATIO and terms.of(point.id) == NO_TERMS for point in points)

    def find(self, key: CurveKey, version: Version) -> bytes | None:
        """The body of that reply, if it would be the same today."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] != version:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        self._hits.add()
        return kept[1]

    def keep(self, key: CurveKey, version: Version, body: bytes) -> None:
        """A reply; `version` was read before it was made."""
        self._drop(key)
        self._kept[key] = version, body
        self._size_bytes += len(body) + _BYTES_EACH
        while self._size_bytes > self._bytes_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: CurveKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size_bytes -= len(kept[1]) + _BYTES_EACH


def key_of(request: web.Request) -> CurveKey:
    """What tells this question from others."""
    return CurveKey(
        request.match_info.get("point"),
        request.query_string,
        request.headers.get("Accept", ""),
        identity_of(request).stations,
    )


CURVES: Final = web.AppKey("curves", CurveCache)
