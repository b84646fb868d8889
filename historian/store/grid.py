"""The grid part of the ring: points of one interval share matrices, a row a slot, a column a point.

A matrix never moves or widens: later points of its interval get further matrices, each wide enough that there
are few. Memory is 11 bytes a slot, taken only when first written: a million points of 15 minutes keep 48 hours
in 2 GB.
"""

import numpy as np
import numpy.typing as npt

from historian.model.point import HOUR_US
from historian.store import grid_kernels
from historian.store.grid_kernels import Matrices

I64 = npt.NDArray[np.int64]

ROWS_MIN = 16
ROWS_MAX = 48 * 3600 // 10  # a point faster than 10 s keeps fewer hours; its older samples are in segments
ROWS_SPARE = 2  # the slot that is being filled, and one for a point whose clock is ahead
SLOT_BYTES = 8 + 2 + 1
_WIDTH_SHARE = 4  # a further matrix holds at least this part of the points its interval has already
_ROOM_FACTOR = 1.5  # address space, not memory: growing copies all samples and shall be rare


class Grid:
    """All matrices in the same columns, and who has which column of which."""

    def __init__(self, ring_hours: int) -> None:
        self._ring_us = ring_hours * HOUR_US
        self._table = np.empty((0, grid_kernels.MATRIX_COLUMNS), np.int64)
        self._latest: dict[int, int] = {}  # interval to its last matrix
        self._point_count: dict[int, int] = {}  # by interval
        self._slot_count = 0
        self._row_slot = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._quality = np.empty(0, np.uint16)
        self._mark = np.empty(0, np.uint8)

    @property
    def matrices(self) -> Matrices:
        """The form the kernels take."""
        return (self._table, self._row_slot, self._value, self._quality, self._mark)

    @property
    def size_bytes(self) -> int:
        """What all matrices take once every slot was written; less before."""
        return self._slot_count * SLOT_BYTES

    def row_count(self, interval_us: int) -> int:
        """How many slots are kept of a point of that interval."""
        return max(ROWS_MIN, min(ROWS_MAX, -(-self._ring_us // interval_us) + ROWS_SPARE))

    def interval_of(self, place: int) -> int:
        """The interval of the matrix of a place."""
        return int(self._table[place >> 32, grid_kernels.INTERVAL])

    def make_columns(self, interval_us: I64) -> I64:
        """A place (matrix << 32 | column) for each of these new points."""
        places = np.empty(len(interval_us), np.int64)
        for interval in np.unique(interval_us).tolist():
            chosen = np.flatnonzero(interval_us == interval)
            known = self._point_count.get(interval, 0)
            self._point_count[interval] = known + len(chosen)
            free = self._take_columns(interval, len(chosen))
            places[chosen[: len(free)]] = free
            rest = chosen[len(free) :]
            if len(rest):
                self._add_matrix(interval, max(len(rest), known // _WIDTH_SHARE))
                places[rest] = self._take_columns(interval, len(rest))
        if self._slot_count > len(self._value):
            self._grow(int(self._slot_count * _ROOM_FACTOR))
        return places

    def _take_columns(self, interval_us: int, count: int) -> I64:
        """Places in the last matrix of an interval; fewer than asked where it is full."""
        if interval_us not in self._latest:
            return np.empty(0, np.int64)
        number = self._latest[interval_us]
        row = self._table[number]
        first = int(row[grid_kernels.USED])
        end = min(first + count, int(row[grid_kernels.WIDTH]))
        row[grid_kernels.USED] = end
        return (number << 32) | np.arange(first, end)

    def _add_matrix(self, interval_us: int, width: int) -> None:
        row_count = self.row_count(interval_us)
        row = np.zeros(grid_kernels.MATRIX_COLUMNS, np.int64)
        row[grid_kernels.INTERVAL] = interval_us
        row[grid_kernels.ROWS] = row_count
        row[grid_kernels.WIDTH] = width
        row[grid_kernels.BASE] = self._slot_count
        row[grid_kernels.ROW_BASE] = len(self._row_slot)
        row[grid_kernels.HEAD] = grid_kernels.NEVER
        row[grid_kernels.RECENT_PHASE] = grid_kernels.NEVER
        self._latest[interval_us] = len(self._table)
        self._table = np.vstack([self._table, row])
        self._row_slot = np.concatenate([self._row_slot, np.full(row_count, grid_kernels.NEVER)])
        self._slot_count += row_count * width

    def _grow(self, room: int) -> None:
        """Longer columns, which take no memory before they are written; samples keep their addresses."""
        before = self.matrices
        self._value = np.zeros(room, np.float64)
        self._quality = np.zeros(room, np.uint16)
        self._mark = np.zeros(room, np.uint8)
        grid_kernels.move_rows(before, self.matrices)
