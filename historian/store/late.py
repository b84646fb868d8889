"""The late buffer: unsealed samples that are not in the ring, because they lie below its floor or were
pushed out or replaced before they were sealed.

Rows are kept as a few sorted levels, each at least twice as large as the next, so that adding costs
O(log n) a row and looking up O(log² n); all versions of a sample stay, newest last.
"""

import numpy as np
import numpy.typing as npt

from historian.model.sample import PointIdColumn, TimeColumn
from historian.store import columns, late_kernels
from historian.store.columns import Rows, StoredRun

LEVEL_RATIO = 2


class Found:
    """What was found for each of a list of (point, time); sources are asked one after the other."""

    def __init__(self, count: int) -> None:
        self.is_found = np.zeros(count, np.uint8)
        self.value = np.zeros(count, np.float64)
        self.quality = np.zeros(count, np.uint16)
        self.sequence = np.zeros(count, np.int64)


class LateBuffer:
    """Unsealed rows outside the ring; `freeze` hands them to a seal, `thaw` and `forget` end it."""

    def __init__(self) -> None:
        self._levels: list[Rows] = []
        self._frozen: list[Rows] = []

    @property
    def count(self) -> int:
        return sum(level.row_count for level in (*self._frozen, *self._levels))

    def add(self, rows: Rows) -> None:
        """Keep rows in any order; the buffer owns them from now on."""
        if rows.row_count == 0:
            return
        if not late_kernels.is_sorted(rows.point_id, rows.time_us, rows.sequence):
            rows = columns.sort(rows)
        self._levels.append(rows)
        while len(self._levels) > 1 and self._levels[-2].row_count < LEVEL_RATIO * self._levels[-1].row_count:
            newer, older = self._levels.pop(), self._levels.pop()
            self._levels.append(_merge(older, newer))

    def look_up(self, ids: PointIdColumn, times: TimeColumn, found: Found) -> None:
        """Take over whatever is held for the wanted samples and not older than what was found before."""
        for level in (*self._frozen, *self._levels):
            late_kernels.look_up(
                *level, ids, times, found.is_found, found.value, found.quality, found.sequence
            )

    def read(self, ids: PointIdColumn, start_us: int, end_us: int) -> list[list[StoredRun]]:
        """For each id the pieces of ``[start, end)`` in the levels, oldest level first; all versions."""
        pieces: list[list[StoredRun]] = [[] for _ in ids]
        first, last = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
        for level in (*self._frozen, *self._levels):
            if not late_kernels.ranges(level.point_id, level.time_us, ids, start_us, end_us, first, last):
                continue
            for index in np.flatnonzero(last > first).tolist():
                pieces[index].append(level.run(int(ids[index]), int(first[index]), int(last[index])))
        return pieces

    def newest_time(self, ids: PointIdColumn, before_us: int) -> npt.NDArray[np.int64]:
        """For each id the highest time below `before_us` held here; the int64 minimum where there is none."""
        newest = np.full(len(ids), np.iinfo(np.int64).min)
        first, last = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
        lowest = int(np.iinfo(np.int64).min)
        for level in (*self._frozen, *self._levels):
            if late_kernels.ranges(level.point_id, level.time_us, ids, lowest, before_us, first, last):
                held = last > first
                newest[held] = np.maximum(newest[held], level.time_us[last[held] - 1])
        return newest

    def freeze(self) -> Rows:
        """All rows, sorted, for a seal; they stay readable here until `forget`."""
        assert not self._frozen, "one seal at a time"
        self._frozen, self._levels = self._levels, []
        merged = columns.concatenate(self._frozen)
        return columns.sort(merged) if len(self._frozen) > 1 else merged

    def forget(self) -> None:
        """The frozen rows are in segments now."""
        self._frozen = []

    def thaw(self) -> None:
        """The seal failed: take the frozen rows back."""
        self._levels, self._frozen = self._frozen + self._levels, []


def _merge(older: Rows, newer: Rows) -> Rows:
    merged = columns.make_rows(older.row_count + newer.row_count)
    late_kernels.merge((*older,), (*newer,), (*merged,))
    return merged
