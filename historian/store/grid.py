"""The grid part of the ring: points of one interval share a matrix, a row a slot, a column a point.

Memory is 11 bytes a slot, taken only when first written: a million points of 15 minutes keep 48 hours in 2 GB.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from historian.model.point import HOUR_US
from historian.store import grid_kernels
from historian.store.grid_kernels import Matrices

I64 = npt.NDArray[np.int64]

ROWS_MIN = 16
ROWS_MAX = 48 * 3600 // 10  # a point faster than 10 s keeps fewer hours; its older samples are in segments
ROWS_SPARE = 2  # the slot that is being filled, and one for a point whose clock is ahead
_SLACK = 1.25  # a matrix that must become wider becomes that much wider than asked

T = TypeVar("T", bound=np.generic)


class Grid:
    """The matrices of all classes, and who has which column."""

    def __init__(self, ring_hours: int) -> None:
        self._ring_us = ring_hours * HOUR_US
        self._table = np.empty((0, grid_kernels.CLASS_COLUMNS), np.int64)
        self._class_of_interval: dict[int, int] = {}
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
        """Address space of all matrices; memory is taken only where samples lie."""
        return self._value.nbytes + self._quality.nbytes + self._mark.nbytes

    def row_count(self, interval_us: int) -> int:
        """How many slots are kept of a point of that interval."""
        return max(ROWS_MIN, min(ROWS_MAX, -(-self._ring_us // interval_us) + ROWS_SPARE))

    def interval_of(self, place: int) -> int:
        """The interval of the class of a place."""
        return int(self._table[place >> 32, grid_kernels.INTERVAL])

    def make_columns(self, interval_us: I64) -> I64:
        """A place (class << 32 | column) for each of these new points."""
        places = np.empty(len(interval_us), np.int64)
        table = self._table.copy()
        for interval in np.unique(interval_us).tolist():
            chosen = np.flatnonzero(interval_us == interval)
            number = self._class_of_interval.setdefault(interval, len(self._class_of_interval))
            if number == len(table):
                table = np.vstack([table, self._new_class(interval)])
            row = table[number]
            columns = row[grid_kernels.USED] + np.arange(len(chosen))
            places[chosen] = (number << 32) | columns
            row[grid_kernels.USED] += len(chosen)
            if row[grid_kernels.USED] > row[grid_kernels.WIDTH]:
                is_first = row[grid_kernels.WIDTH] == 0
                row[grid_kernels.WIDTH] = row[grid_kernels.USED] * (1 if is_first else _SLACK)
        if not np.array_equal(table[:, grid_kernels.WIDTH], self._widths(len(table))):
            self._lay_out(table)
        else:
            self._table = table
        return places

    def _widths(self, class_count: int) -> I64:
        widths = np.zeros(class_count, np.int64)
        widths[: len(self._table)] = self._table[:, grid_kernels.WIDTH]
        return widths

    def _new_class(self, interval_us: int) -> I64:
        row = np.zeros((1, grid_kernels.CLASS_COLUMNS), np.int64)
        row[0, grid_kernels.INTERVAL] = interval_us
        row[0, grid_kernels.ROWS] = self.row_count(interval_us)
        row[0, grid_kernels.HEAD] = grid_kernels.NEVER
        row[0, grid_kernels.RECENT_PHASE] = grid_kernels.NEVER
        return row

    def _lay_out(self, table: I64) -> None:
        """Make matrices of the widths in `table` and move all samples there."""
        rows = table[:, grid_kernels.ROWS]
        sizes = rows * table[:, grid_kernels.WIDTH]
        table[:, grid_kernels.BASE] = np.cumsum(sizes) - sizes
        table[:, grid_kernels.ROW_BASE] = np.cumsum(rows) - rows
        table[:, grid_kernels.RECENT_PHASE] = grid_kernels.NEVER
        size = int(sizes.sum())
        before = self.matrices
        self._table = table
        self._row_slot = np.full(int(rows.sum()), grid_kernels.NEVER)
        self._value = np.zeros(size, np.float64)
        self._quality = np.zeros(size, np.uint16)
        self._mark = np.zeros(size, np.uint8)
        grid_kernels.move_rows(before, self.matrices)
