"""The event part of the ring: circular rows for the points whose samples do not lie on a grid."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from historian.store import event_kernels
from historian.store.event_kernels import Circles, Columns, Row

I64 = npt.NDArray[np.int64]
LOST_NOTHING = int(np.iinfo(np.int64).min)
_GROWTH = 1.5

T = TypeVar("T", bound=np.generic)


class Events:
    """Rows one after the other in the same three columns."""

    def __init__(self) -> None:
        self._offset = np.empty(0, np.int64)
        self._capacity = np.empty(0, np.int32)
        self._head = np.empty(0, np.int32)
        self._count = np.empty(0, np.int32)
        self._lost = np.empty(0, np.int64)
        self._row_count = 0
        self._columns: Columns = _make_columns(0)
        self._slots_used = 0

    @property
    def circles(self) -> Circles:
        """The form the kernels take."""
        return (self._row, self._columns)

    @property
    def size_bytes(self) -> int:
        """Address space of the sample columns."""
        return sum(column.nbytes for column in self._columns)

    def make_rows(self, capacities: I64) -> I64:
        """Numbers of new, empty rows of these capacities."""
        first = self._row_count
        self._row_count += len(capacities)
        if self._row_count > len(self._offset):
            self._grow_rows(self._row_count)
        numbers = np.arange(first, self._row_count)
        ends = self._slots_used + np.cumsum(capacities)
        self._offset[numbers] = ends - capacities
        self._capacity[numbers] = capacities
        self._slots_used = int(ends[-1])
        if self._slots_used > len(self._columns[0]):
            before = self._columns
            self._columns = _make_columns(max(self._slots_used, int(len(before[0]) * _GROWTH)))
            event_kernels.move_rows(self._row, before, self._columns)
        return numbers

    @property
    def _row(self) -> Row:
        return (self._offset, self._capacity, self._head, self._count, self._lost)

    def _grow_rows(self, count: int) -> None:
        room = max(count, int(len(self._offset) * _GROWTH))
        self._offset = grown(self._offset, room, 0)
        self._capacity = grown(self._capacity, room, 0)
        self._head = grown(self._head, room, 0)
        self._count = grown(self._count, room, 0)
        self._lost = grown(self._lost, room, LOST_NOTHING)


def _make_columns(size: int) -> Columns:
    """Columns that take no memory before they are written."""
    return np.empty(size, np.int64), np.empty(size, np.float64), np.empty(size, np.uint16)


def grown(column: npt.NDArray[T], room: int, fill: int) -> npt.NDArray[T]:
    """A longer copy of a column (or table of rows) with `fill` in the new part."""
    longer = np.full((room, *column.shape[1:]), fill, column.dtype)
    longer[: len(column)] = column
    return longer
