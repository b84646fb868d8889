"""The ring: a cache of the newest hours of every point, so that now, today and yesterday are answered
without touching a file.

A point whose samples lie on a grid (phase + n x interval) has a column in a matrix of its interval, see
`grid`; any other has a circular row of its own, see `event`. The ring is complete above each point's floor:
every stored sample later than it is here. At or below the floor samples may lie elsewhere.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import LastBlock, PointIdColumn, RunBlock, SampleBatch, TimeColumn
from historian.store import event, event_kernels, grid_kernels, ring_kernels
from historian.store.event import Events
from historian.store.grid import Grid
from historian.store.grid_kernels import FLOOR, NEWEST, PLACE
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


_NO_TIMES = np.empty(0, np.int64)
_NO_VALUES, _NO_QUALITIES = np.empty(0), np.empty(0, np.uint16)


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

    def floors(self, ids: PointIdColumn) -> TimeColumn:
        """For each id the time above which every stored sample is in the ring."""
        floor = np.empty(len(ids), np.int64)
        ring_kernels.floors(ids, self._point, self._grid.matrices[0], self._events.circles[0], floor)
        return floor

    def reach(self, ids: PointIdColumn) -> tuple[int, int, int]:
        """The lowest and the highest floor of the ids, and the newest time the ring was ever given of any."""
        parts = (self._point, self._grid.matrices[0], self._events.circles[0])
        lowest, highest, newest = ring_kernels.floors(ids, *parts, _NO_TIMES)
        return lowest, highest, newest

    def look_up(self, ids: PointIdColumn, times: TimeColumn) -> LookUp:
        """What is known of each (point, time) before it is written."""
        if ring_kernels.are_new(ids, times, self._point):
            return LookUp(0, np.zeros(len(ids), np.uint8), _NO_VALUES, _NO_QUALITIES)
        state, address = np.empty(len(ids), np.uint8), np.empty(len(ids), np.int64)
        special = ring_kernels.compare(ids, times, *self._parts, state, address)
        if not ring_kernels.is_rising(ids, times):
            self._call_number += 1
            special += ring_kernels.find_repeated(ids, times, self._scratch, self._call_number, state)
        count = len(ids) if special else 0
        value, quality = np.zeros(count, np.float64), np.zeros(count, np.uint16)
        if special:
            ring_kernels.gather(address, *self._parts[1:], value, quality)
        return LookUp(special, state, value, quality)

    def insert(self, batch: SampleBatch) -> None:
        """Make samples visible; the newest arrival wins, within a batch the later sample."""
        rest = np.empty(batch.sample_count, np.int64)
        rest_count = grid_kernels.insert(*batch, True, self._point, self._grid.matrices, rest)
        if rest_count:
            ids = batch.point_id[rest[:rest_count]]
            assert not self.lacks_room(ids), "rooms are made before samples come"
            self._move_to_circles(np.unique(ids[self._point[ids, PLACE] >= 0]))
            ring_kernels.insert_rest(*batch, rest[:rest_count], self._point, self._events.circles)

    def fill(self, block: RunBlock, ids: PointIdColumn, floor_us: TimeColumn | int) -> None:
        """Put older samples where nothing is, then lower the floors of `ids` to `floor_us`.

        All stored samples of `ids` later than that are in `block` or were inserted here.
        """
        repeated = np.repeat(block.point_id, np.diff(block.offset))
        rest = np.empty(block.sample_count, np.int64)
        rest_count = grid_kernels.insert(repeated, *block[2:], False, self._point, self._grid.matrices, rest)
        if rest_count:
            irregular = np.unique(repeated[rest[:rest_count]])
            assert not self.lacks_room(irregular), "rooms are made before samples come"
            self._move_to_circles(irregular[self._point[irregular, PLACE] >= 0])
            for run in map(block.run, np.flatnonzero(np.isin(block.point_id, irregular)).tolist()):
                row = -2 - int(self._point[run.point_id, PLACE])
                ring_kernels.fill_circle(row, run.time_us, run.value, run.quality, self._events.circles)
        self._point[ids, FLOOR] = np.minimum(self._point[ids, FLOOR], floor_us)

    def read_block(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock:
        """What the ring holds of ``[start, end)``, copied."""
        offset = np.empty(len(ids) + 1, np.int64)
        total = ring_kernels.count_between(ids, start_us, end_us, *self._parts, offset)
        columns = (np.empty(total, np.int64), np.empty(total, np.float64), np.empty(total, np.uint16))
        ring_kernels.copy_between(ids, start_us, end_us, *self._parts, offset, columns)
        return RunBlock(ids, offset, *columns)

    def newest(self, ids: PointIdColumn) -> LastBlock:
        """The newest stored sample of each id, found where it is in the ring.

        Where it is not, `time_us` says above which time surely nothing is stored: TIME_LOWEST where nothing is.
        """
        count = len(ids)
        time, address = np.empty(count, np.int64), np.empty(count, np.int64)
        value, quality = np.empty(count, np.float64), np.empty(count, np.uint16)
        ring_kernels.newest_times(ids, self._point, time)
        ring_kernels.locate(ids, time, *self._parts, address)
        ring_kernels.gather(address, *self._parts[1:], value, quality)
        is_found = address != ring_kernels.NOWHERE
        if not is_found.all():
            lacking = np.flatnonzero(~is_found)
            time[lacking] = np.maximum(time[lacking], self._point[ids[lacking], FLOOR])
        return LastBlock(is_found, time, value, quality)

    @property
    def _parts(self) -> tuple[npt.NDArray[np.int64], grid_kernels.Matrices, event_kernels.Circles]:
        return (self._point, self._grid.matrices, self._events.circles)

    def _move_to_circles(self, ids: PointIdColumn) -> None:
        """Points that turned out not to lie on a grid get circular rows."""
        if not len(ids):
            return
        places = self._point[ids, PLACE].tolist()
        capacities = [self._grid.row_count(self._grid.interval_of(place)) for place in places]
        rows = self._events.make_rows(np.array(capacities, np.int64))
        ring_kernels.move_to_circles(ids, rows, *self._parts)

    def _grow_points(self, count: int) -> None:
        room = max(count, int(len(self._point) * _GROWTH))
        point = _no_points(room)
        point[: len(self._point)] = self._point
        self._point = point
        self._scratch = event.grown(self._scratch, room, 0)


def _no_points(count: int) -> npt.NDArray[np.int64]:
    point = np.empty((count, grid_kernels.POINT_COLUMNS), np.int64)
    point[:, grid_kernels.PHASE] = -1
    point[:, NEWEST] = TIME_LOWEST
    point[:, PLACE] = grid_kernels.NO_ROOM
    point[:, FLOOR] = TIME_LOWEST
    return point
