"""The ring: a cache of the newest hours of every point, so that now, today and yesterday are answered
without touching a file.

A point whose samples lie on a grid (phase + n x interval) has a column in the matrix of its interval, see
`grid`; any other has a circular row of its own, see `event`. The ring is complete above each point's floor:
every stored sample later than it is here. At or below the floor samples may lie elsewhere.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import LastBlock, PointIdColumn, RunBlock, SampleBatch, TimeColumn
from historian.store import event, grid_kernels, ring_kernels
from historian.store.event import Events
from historian.store.grid import Grid
from historian.store.grid_kernels import FLOOR, HIGHEST, PLACE
from historian.store.ring_kernels import ABSENT, ELSEWHERE, PRESENT, REPEATED

__all__ = ["ABSENT", "ELSEWHERE", "PRESENT", "REPEATED", "TIME_HIGHEST", "TIME_LOWEST", "LookUp", "Ring"]

TIME_LOWEST = int(np.iinfo(np.int64).min)
TIME_HIGHEST = int(np.iinfo(np.int64).max)
_GROWTH = 1.5


class LookUp(NamedTuple):
    """For each wanted sample its state, and the value and quality where PRESENT.

    Where nothing is special, value and quality are empty: nobody needs them.
    """

    special_count: int  # how many are not ABSENT
    state: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


class Ring:
    """Owned by the event loop's thread; every method is short and never waits."""

    def __init__(self, ring_hours: int) -> None:
        self._grid = Grid(ring_hours)
        self._events = Events()
        self._point = _no_points(1)
        self._scratch = np.zeros((1, 2), np.int64)
        self._call_number = 0

    @property
    def point_count(self) -> int:
        """Ids below this may be asked for."""
        return len(self._point)

    @property
    def size_bytes(self) -> int:
        """Address space of the sample columns; memory is taken only where samples lie."""
        return self._grid.size_bytes + self._events.size_bytes

    def make_rooms(self, interval_us: npt.NDArray[np.int64]) -> None:
        """Give room to every point (index = id, interval 0 = no point) that has none yet."""
        if len(interval_us) > len(self._point):
            self._grow_points(len(interval_us))
        is_new = (interval_us > 0) & (self._point[: len(interval_us), PLACE] == grid_kernels.NO_ROOM)
        new = np.flatnonzero(is_new)
        if len(new):
            self._point[new, PLACE] = self._grid.make_columns(interval_us[new])

    def lacks_room(self, ids: PointIdColumn) -> bool:
        """Whether any of the ids (all below `point_count`) has no room."""
        return bool((self._point[ids, PLACE] == grid_kernels.NO_ROOM).any())

    def raise_floor(self, ids: PointIdColumn, floor_us: TimeColumn) -> None:
        """Say that samples up to these times may lie elsewhere."""
        self._point[ids, FLOOR] = np.maximum(self._point[ids, FLOOR], floor_us)
        self._point[ids, HIGHEST] = np.maximum(self._point[ids, HIGHEST], floor_us)

    def floors(self, ids: PointIdColumn) -> TimeColumn:
        """For each id the time above which every stored sample is in the ring."""
        floor = np.empty(len(ids), np.int64)
        ring_kernels.floors(ids, *self._parts, floor)
        return floor

    def look_up(self, ids: PointIdColumn, times: TimeColumn) -> LookUp:
        """What is known of each (point, time) before it is written."""
        state = np.empty(len(ids), np.uint8)
        if ring_kernels.is_rising(ids, times):
            special = ring_kernels.look_up_rising(ids, times, *self._parts, state)
        else:
            self._call_number += 1
            special = ring_kernels.look_up_any(
                ids, times, *self._parts, self._scratch, self._call_number, state
            )
        count = len(ids) if special else 0
        value, quality = np.zeros(count, np.float64), np.zeros(count, np.uint16)
        if special:
            ring_kernels.gather_present(ids, times, *self._parts, state, value, quality)
        return LookUp(special, state, value, quality)

    def insert(self, batch: SampleBatch) -> None:
        """Make samples visible; the newest arrival wins, within a batch the later sample."""
        rest = np.empty(batch.sample_count, np.int64)
        rest_count = grid_kernels.insert(*batch, self._point, self._grid.matrices, rest)
        if rest_count:
            ids = batch.point_id[rest[:rest_count]]
            assert not self.lacks_room(ids), "rooms are made before samples come"
            self._move_to_circles(np.unique(ids[self._point[ids, PLACE] >= 0]))
            ring_kernels.insert_rest(*batch, rest, rest_count, self._point, self._events.circles)

    def fill(self, block: RunBlock, ids: PointIdColumn, floor_us: TimeColumn | int) -> None:
        """Put older samples where nothing is, then lower the floors of `ids` to `floor_us`.

        All stored samples of `ids` later than that are in `block` or were inserted here.
        """
        for run in block.runs():
            p = run.point_id
            columns = (run.time_us, run.value, run.quality)
            if not run.sample_count or self._point[p, PLACE] == grid_kernels.NO_ROOM:
                continue
            self._point[p, HIGHEST] = max(self._point[p, HIGHEST], run.time_us[-1])
            if self._point[p, PLACE] >= 0:
                if grid_kernels.fill(p, *columns, self._point, self._grid.matrices):
                    continue
                self._move_to_circles(np.array([p], np.uint32))
            ring_kernels.fill_circle(-2 - int(self._point[p, PLACE]), *columns, self._events.circles)
        self._point[ids, FLOOR] = np.minimum(self._point[ids, FLOOR], floor_us)

    def read_block(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock:
        """What the ring holds of ``[start, end)``, copied."""
        offset = np.empty(len(ids) + 1, np.int64)
        total = ring_kernels.count_between(ids, start_us, end_us, *self._parts, offset)
        columns = (np.empty(total, np.int64), np.empty(total, np.float64), np.empty(total, np.uint16))
        ring_kernels.copy_between(ids, start_us, end_us, *self._parts, offset, columns)
        return RunBlock(ids, offset, *columns)

    def newest(self, ids: PointIdColumn) -> LastBlock:
        """The newest stored sample of each id, found where it is in the ring."""
        count = len(ids)
        is_found = np.empty(count, np.bool_)
        columns = (np.empty(count, np.int64), np.empty(count, np.float64), np.empty(count, np.uint16))
        ring_kernels.newest(ids, *self._parts, is_found, columns)
        return LastBlock(is_found, *columns)

    @property
    def _parts(self) -> tuple[npt.NDArray[np.int64], grid_kernels.Matrices, ring_kernels.Circles]:
        return (self._point, self._grid.matrices, self._events.circles)

    def _move_to_circles(self, ids: PointIdColumn) -> None:
        """Points that turned out not to lie on a grid get circular rows."""
        if not len(ids):
            return
        capacities = [
            self._grid.row_count(self._grid.interval_of(place)) for place in self._point[ids, PLACE].tolist()
        ]
        rows = self._events.make_rows(np.array(capacities, np.int64))
        for point_id, row in zip(ids.tolist(), rows.tolist(), strict=True):
            ring_kernels.move_to_circle(*self._parts, point_id, row)

    def _grow_points(self, count: int) -> None:
        room = max(count, int(len(self._point) * _GROWTH))
        point = _no_points(room)
        point[: len(self._point)] = self._point
        self._point = point
        self._scratch = event.grown(self._scratch, room, 0)


def _no_points(count: int) -> npt.NDArray[np.int64]:
    point = np.empty((count, grid_kernels.POINT_COLUMNS), np.int64)
    point[:, grid_kernels.PHASE] = -1
    point[:, HIGHEST] = TIME_LOWEST
    point[:, PLACE] = grid_kernels.NO_ROOM
    point[:, FLOOR] = TIME_LOWEST
    return point
