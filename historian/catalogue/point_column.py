"""The attributes of points that the hot path needs, as arrays indexed by point id."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import Point

_CAPACITY_MIN: Final = 1024


class PointColumns(NamedTuple):
    """Indexed by point id, so index 0 is nobody: interval 0 = no such point, ranges ±inf = no limit.

    Read only. An id at or beyond the arrays' length is a point that these columns do not know.
    """

    interval_us: npt.NDArray[np.int64]
    range_low: npt.NDArray[np.float64]
    range_high: npt.NDArray[np.float64]


class PointColumnStore:
    """Keeps `PointColumns` current: a new point costs O(1) amortised, a changed one a copy."""

    def __init__(self, points: Sequence[Point | None]) -> None:
        self._buffers = _empty(max(_CAPACITY_MIN, 2 * len(points)))
        for point in points:
            if point is not None:
                _write(self._buffers, point)
        self.columns = _head(self._buffers, len(points))

    def append(self, points: Sequence[Point]) -> None:
        """Points with ids above all others; columns given out before stay as they are."""
        length = points[-1].id + 1
        if length > len(self._buffers.interval_us):
            grown = _empty(2 * length)
            _copy(self._buffers, grown)
            self._buffers = grown
        for point in points:
            assert point.id >= len(self.columns.interval_us), "a new point has a new id"
            _write(self._buffers, point)
        self.columns = _head(self._buffers, length)

    def replace(self, point: Point) -> None:
        """Another version of a known point; goes into copies, because others hold the arrays."""
        copied = _empty(len(self._buffers.interval_us))
        _copy(self._buffers, copied)
        _write(copied, point)
        self._buffers = copied
        self.columns = _head(copied, len(self.columns.interval_us))


def _empty(capacity: int) -> PointColumns:
    return PointColumns(np.zeros(capacity, np.int64), np.full(capacity, -np.inf), np.full(capacity, np.inf))


def _copy(source: PointColumns, target: PointColumns) -> None:
    for column, copy in zip(source, target, strict=True):
        copy[: len(column)] = column


def _write(columns: PointColumns, point: Point) -> None:
    columns.interval_us[point.id] = point.interval_us
    columns.range_low[point.id] = -np.inf if point.range_low is None else point.range_low
    columns.range_high[point.id] = np.inf if point.range_high is None else point.range_high


def _head(columns: PointColumns, length: int) -> PointColumns:
    views = PointColumns(
        columns.interval_us[:length], columns.range_low[:length], columns.range_high[:length]
    )
    for view in views:
        view.flags.writeable = False
    return views
