"""The ring: the newest samples of every point, in preallocated columns, so that now, today and
yesterday are answered without touching a file.

Each point has a row that holds at least `ring_hours` at the point's own interval. Rows of all points
lie one after the other in the same five columns.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.model.point import HOUR_US
from historian.model.sample import PointIdColumn, SampleBatch, TimeColumn
from historian.store import columns, ring_kernels
from historian.store.columns import Rows, StoredRun

TIME_LOWEST = int(np.iinfo(np.int64).min)
TIME_HIGHEST = int(np.iinfo(np.int64).max)
CAPACITY_MIN = 16
CAPACITY_MAX = (
    48 * 3600 // 10
)  # a point faster than 10 s keeps fewer hours; its older samples are in segments
_GROWTH = 1.5

T = TypeVar("T", bound=np.generic)


class LookUp(NamedTuple):
    """For each wanted sample a state of ring_kernels, and the value and quality where PRESENT."""

    special_count: int  # how many are not ABSENT
    state: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


class Inserted(NamedTuple):
    """What an insert leaves to others: positions below the floor, and unsealed rows pushed out."""

    late: npt.NDArray[np.int64]
    pushed_out: Rows


class Ring:
    """Owned by the event loop's thread; every method is short and never waits."""

    def __init__(self, ring_hours: int) -> None:
        self._ring_us = ring_hours * HOUR_US
        self._offset = np.zeros(1, np.int64)
        self._capacity = np.zeros(1, np.int32)
        self._head = np.zeros(1, np.int32)
        self._count = np.zeros(1, np.int32)
        self._floor = np.full(1, TIME_LOWEST)
        self._scratch = np.full(1, TIME_LOWEST)
        self._slots_used = 0
        self._time = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._quality = np.empty(0, np.uint16)
        self._sequence = np.empty(0, np.int64)

    @property
    def point_count(self) -> int:
        """Ids below this have room in the per-point columns."""
        return len(self._offset)

    @property
    def size_bytes(self) -> int:
        """Memory of the sample columns."""
        return self._time.nbytes + self._value.nbytes + self._quality.nbytes + self._sequence.nbytes

    @property
    def floor_us(self) -> TimeColumn:
        """By point id: every stored sample later than this is in the ring."""
        return self._floor

    def make_rooms(self, interval_us: npt.NDArray[np.int64]) -> None:
        """Give a row to every point (index = id, interval 0 = no point) that has none yet."""
        known = len(self._offset)
        if len(interval_us) > known:
            self._grow_points(len(interval_us))
        new = np.flatnonzero((interval_us > 0) & (self._capacity[: len(interval_us)] == 0))
        if not len(new):
            return
        wanted = -(-self._ring_us // interval_us[new]) + 1
        capacity = np.clip(wanted, CAPACITY_MIN, CAPACITY_MAX).astype(np.int32)
        ends = self._slots_used + np.cumsum(capacity, dtype=np.int64)
        self._offset[new] = ends - capacity
        self._capacity[new] = capacity
        self._slots_used = int(ends[-1])
        if self._slots_used > len(self._time):
            self._grow_slots(self._slots_used)

    def raise_floor(self, ids: PointIdColumn, floor_us: TimeColumn) -> None:
        """Say that samples up to these times may lie elsewhere. Only for rows that are empty."""
        assert not self._count[ids].any(), "the floor is raised before samples come"
        self._floor[ids] = np.maximum(self._floor[ids], floor_us)

    def lacks_room(self, ids: PointIdColumn) -> bool:
        """Whether any of the ids (all below `point_count`) has no row."""
        return bool((self._capacity[ids] == 0).any())

    def load(self, rows: Rows) -> None:
        """Fill empty rows at start with sealed samples, sorted by point and time."""
        ring_kernels.load((*rows,), self._row, self._slots)

    def look_up(self, ids: PointIdColumn, times: TimeColumn) -> LookUp:
        """What is known of each (point, time) before it is written."""
        count = len(ids)
        state = np.empty(count, np.uint8)
        value, quality = np.empty(count, np.float64), np.empty(count, np.uint16)
        special = ring_kernels.look_up(
            ids,
            times,
            self._row,
            self._time,
            self._value,
            self._quality,
            self._scratch,
            state,
            value,
            quality,
        )
        return LookUp(special, state, value, quality)

    def insert(self, batch: SampleBatch, sequence: int, sealed_sequence: int) -> Inserted:
        """Make samples visible. Newer versions replace older ones; see `Inserted` for the rest."""
        count = batch.sample_count
        late = np.empty(count, np.int64)
        out = columns.make_rows(count)
        late_count, out_count = ring_kernels.insert(
            *batch, sequence, sealed_sequence, self._row, self._slots, late, (*out,)
        )
        return Inserted(late[:late_count], out.take(np.arange(out_count)))

    def read(self, ids: PointIdColumn, start_us: int, end_us: int) -> list[StoredRun]:
        """What the ring holds of ``[start, end)``, one run an id, copied."""
        first, counts = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
        total = ring_kernels.count_between(ids, start_us, end_us, self._row, self._time, first, counts)
        rows = columns.make_rows(total)
        ring_kernels.copy_rows(ids, first, counts, self._row, self._slots, rows[1:])
        ends = np.cumsum(counts).tolist()
        return [
            rows.run(point_id, end - size, end)
            for point_id, size, end in zip(ids.tolist(), counts.tolist(), ends, strict=True)
        ]

    def newest(self, ids: PointIdColumn) -> tuple[npt.NDArray[np.uint8], Rows]:
        """Which ids have a sample, and the newest of each (undefined where there is none)."""
        found = np.empty(len(ids), np.uint8)
        rows = columns.make_rows(len(ids))._replace(point_id=ids)
        ring_kernels.newest(ids, self._row, self._slots, rows[1:], found)
        return found, rows

    def unsealed(self, sealed_sequence: int) -> Rows:
        """Rows with a sequence above `sealed_sequence`, sorted, copied."""
        none = columns.make_rows(0)
        count = ring_kernels.unsealed(self.point_count, sealed_sequence, self._row, self._slots, (*none,))
        if count == 0:
            return none
        rows = columns.make_rows(count)
        ring_kernels.unsealed(self.point_count, sealed_sequence, self._row, self._slots, (*rows,))
        return rows

    @property
    def _row(self) -> ring_kernels.Row:
        return (self._offset, self._capacity, self._head, self._count, self._floor)

    @property
    def _slots(self) -> ring_kernels.Slots:
        return (self._time, self._value, self._quality, self._sequence)

    def _grow_points(self, count: int) -> None:
        room = max(count, int(len(self._offset) * _GROWTH))
        self._offset = _grown(self._offset, room, 0)
        self._capacity = _grown(self._capacity, room, 0)
        self._head = _grown(self._head, room, 0)
        self._count = _grown(self._count, room, 0)
        self._floor = _grown(self._floor, room, TIME_LOWEST)
        self._scratch = _grown(self._scratch, room, TIME_LOWEST)

    def _grow_slots(self, count: int) -> None:
        room = max(count, int(len(self._time) * _GROWTH))
        self._time = _with_room(self._time, room)
        self._value = _with_room(self._value, room)
        self._quality = _with_room(self._quality, room)
        self._sequence = _with_room(self._sequence, room)


def _grown(column: npt.NDArray[T], room: int, fill: int) -> npt.NDArray[T]:
    grown = np.full(room, fill, column.dtype)
    grown[: len(column)] = column
    return grown


def _with_room(column: npt.NDArray[T], room: int) -> npt.NDArray[T]:
    """A larger column whose new part is not touched, so that it takes no memory until used."""
    grown = np.empty(room, column.dtype)
    grown[: len(column)] = column
    return grown
