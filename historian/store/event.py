"""The event part of the ring: circular rows for the points whose samples do not lie on a grid."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from historian.store import event_kernels
from historian.store.event_kernels import Circles, Samples

I64 = npt.NDArray[np.int64]
LOST_NOTHING = int(np.iinfo(np.int64).min)
_GROWTH = 1.5

T = TypeVar("T", bound=np.generic)


class Events:
    """Rows one after the other in the same three columns."""

    def __init__(self) -> None:
        self._table = np.empty((0, event_kernels.ROW_COLUMNS), np.int64)
        self._row_count = 0
        self._samples: Samples = _make_samples(0)
        self._slots_used = 0

    @property
    def circles(self) -> Circles:
        """The form the kernels take."""
        return (self._table, *self._samples)

    @property
    def size_bytes(self) -> int:
        """Address space of the sample columns; memory is taken only where samples lie."""
        return sum(column.nbytes for column in self._samples)

    def make_rows(self, capacity: I64) -> I64:
        """Numbers of new, empty rows of these capacities."""
        first = self._row_count
        self._row_count += len(capacity)
        if self._row_count > len(self._table):
            self._table = grown(self._table, max(self._row_count, int(first * _GROWTH)), 0)
        ends = self._slots_used + np.cumsum(capacity)
        rows = self._table[first : self._row_count]
        rows[:, event_kernels.OFFSET] = ends - capacity
        rows[:, event_kernels.CAPACITY] = capacity
        rows[:, event_kernels.LOST] = LOST_NOTHING
        self._slots_used = int(ends[-1])
        if self._slots_used > len(self._samples[0]):
            before = self._samples
            self._samples = _make_samples(max(self._slots_used, int(len(before[0]) * _GROWTH)))
            event_kernels.move_rows(self._table, before, self._samples)
        return np.arange(first, self._row_count)


def _make_samples(size: int) -> Samples:
    """Columns that take no memory before they are written."""
    return np.empty(size, np.int64), np.empty(size, np.float64), np.empty(size, np.uint16)


def grown(column: npt.NDArray[T], room: int, fill: int) -> npt.NDArray[T]:
    """A longer copy of a column (or table of rows) with `fill` in the new part."""
    longer = np.full((room, *column.shape[1:]), fill, column.dtype)
    longer[: len(column)] = column
    return longer
