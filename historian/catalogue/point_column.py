"""The attributes of points that the hot path needs, as arrays indexed by point id."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.definition import Definition
from historian.model.sample import PointIdColumn

_CAPACITY_MIN: Final = 1024

Numbers = npt.NDArray[np.uint32]


class PointColumns(NamedTuple):
    """Indexed by point id, so index 0 is nobody: interval 0 = no such point, ranges ±inf = no limit.

    Read only. An id at or beyond the arrays' length is a point that these columns do not know.
    """

    interval_us: npt.NDArray[np.int64]
    range_low: npt.NDArray[np.float64]
    range_high: npt.NDArray[np.float64]


class SortColumns(NamedTuple):
    """Numbers of definition and station by point id; definition 0 = no such point, station 0 = none."""

    definition: Numbers
    station: Numbers


class PointColumnStore:
    """Keeps both current: new points cost O(1) amortised, a changed one a copy."""

    def __init__(self) -> None:
        self._buffers = _empty(_CAPACITY_MIN)
        self.columns, self.sorts = _heads(self._buffers, 1)

    def append(
        self,
        ids: PointIdColumn,
        definition: Numbers,
        station: Numbers,
        definitions: Sequence[tuple[int, Definition]],
    ) -> None:
        """Points with ids above all others; columns given out before stay as they are.

        `definitions` has every number that occurs in `definition`.
        """
        assert ids[0] >= len(self.sorts.definition), "a new point has a new id"
        self._make_room(int(ids[-1]) + 1)
        buffers = self._buffers
        buffers.interval_us[ids], buffers.range_low[ids], buffers.range_high[ids] = _values(
            definition, definitions
        )
        buffers.definition[ids] = definition
        buffers.station[ids] = station
        self.columns, self.sorts = _heads(buffers, int(ids[-1]) + 1)

    def reach(self, highest_id: int) -> None:
        """Let the columns have a place for every id up to this one."""
        self._make_room(highest_id + 1)
        self.columns, self.sorts = _heads(self._buffers, highest_id + 1)

    def replace(self, point_id: int, number: int, definition: Definition, station: int) -> None:
        """Another version of a known point; goes into copies, because others hold the arrays."""
        copied = _grown(self._buffers, len(self._buffers.station))
        copied.interval_us[point_id], copied.range_low[point_id], copied.range_high[point_id] = _hot(
            definition
        )
        copied.definition[point_id] = number
        copied.station[point_id] = station
        self._buffers = copied
        self.columns, self.sorts = _heads(copied, len(self.sorts.station))

    def _make_room(self, length: int) -> None:
        if length > len(self._buffers.station):
            self._buffers = _grown(self._buffers, 2 * length)


class _Buffers(NamedTuple):
    interval_us: npt.NDArray[np.int64]
    range_low: npt.NDArray[np.float64]
    range_high: npt.NDArray[np.float64]
    definition: Numbers
    station: Numbers


def _empty(capacity: int) -> _Buffers:
    return _Buffers(
        np.zeros(capacity, np.int64),
        np.full(capacity, -np.inf),
        np.full(capacity, np.inf),
        np.zeros(capacity, np.uint32),
        np.zeros(capacity, np.uint32),
    )


def _grown(source: _Buffers, capacity: int) -> _Buffers:
    copied = _empty(capacity)
    copied.interval_us[: len(source.interval_us)] = source.interval_us
    copied.range_low[: len(source.range_low)] = source.range_low
    copied.range_high[: len(source.range_high)] = source.range_high
    copied.definition[: len(source.definition)] = source.definition
    copied.station[: len(source.station)] = source.station
    return copied


def _hot(definition: Definition) -> tuple[int, float, float]:
    low, high = definition.range_low, definition.range_high
    return definition.interval_us, -np.inf if low is None else low, np.inf if high is None else high


def _values(
    number: Numbers, definitions: Sequence[tuple[int, Definition]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Interval and range of each point, from the numbers of their definitions."""
    hot = _empty(max(known for known, _ in definitions) + 1)
    for known, definition in definitions:
        hot.interval_us[known], hot.range_low[known], hot.range_high[known] = _hot(definition)
    return hot.interval_us[number], hot.range_low[number], hot.range_high[number]


def _heads(buffers: _Buffers, length: int) -> tuple[PointColumns, SortColumns]:
    views = _Buffers(
        buffers.interval_us[:length],
        buffers.range_low[:length],
        buffers.range_high[:length],
        buffers.definition[:length],
        buffers.station[:length],
    )
    for view in views:
        view.flags.writeable = False
    return PointColumns(*views[:3]), SortColumns(*views[3:])
