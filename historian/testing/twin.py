"""The perfect store: every version of every sample in a dict. Slow, plain, and right by inspection.

It is an engine of `historian.store.engine`, so the conformance suite runs over it first, and it is what other
engines are compared with in randomised tests. Nothing here is durable.
"""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import (
    LastBlock,
    Origin,
    PointIdColumn,
    RunBlock,
    SampleBatch,
    SampleRun,
    block_of,
    last_block_of,
)
from historian.store.engine import Buckets, RollupColumns, Ticket, VersionColumn

Ids = Sequence[int] | PointIdColumn
FOREVER_US = 1 << 63


class Version(NamedTuple):
    """One version of one sample. Order is the order of precedence: the last of a sorted list is read."""

    version: int
    arrival: int  # counts samples as they came
    value: float
    quality: int
    origin: Origin

    def is_same_as(self, other: "Version") -> bool:
        """Whether it is the other one sent again; bits count, so that -0.0 is not 0.0."""
        mine = (self.version, repr(self.value), self.quality, self.origin)
        return mine == (other.version, repr(other.value), other.quality, other.origin)


class _Waiting(NamedTuple):
    batch: SampleBatch
    origin: Origin
    versions: list[int]


class Twin:
    """A StoreEngine over dicts; see `versions` for what the others cannot be asked."""

    def __init__(self) -> None:
        self._samples: dict[int, dict[int, list[Version]]] = {}  # point, time, versions by precedence
        self._rollups: dict[tuple[str, int, int], tuple[int, dict[str, Any]]] = {}
        self._waiting: dict[int, _Waiting] = {}  # by ticket
        self._ticket = self._version = self._arrival = 0

    def append(
        self, batch: SampleBatch, origin: Origin, version: int | VersionColumn | None = None
    ) -> Ticket:
        """See `StoreEngine.append`."""
        if version is None:
            version = self._version + 1
        versions: list[int] = np.broadcast_to(np.asarray(version, np.int64), batch.sample_count).tolist()
        self._version = max([self._version, *versions])
        self._ticket += 1
        self._waiting[self._ticket] = _Waiting(batch, origin, versions)
        return Ticket(self._ticket)

    async def commit(self, ticket: Ticket) -> None:
        """See `StoreEngine.commit`."""
        for number in sorted(number for number in self._waiting if number <= ticket.record):
            self._store(self._waiting.pop(number))

    async def read_block(self, point_ids: Ids, start_us: int, end_us: int) -> RunBlock:
        """See `StoreEngine.read_block`."""
        return block_of([self.run(int(point_id), start_us, end_us) for point_id in point_ids])

    async def last_block(self, point_ids: Ids) -> LastBlock:
        """See `StoreEngine.last_block`."""
        runs = [self.run(int(point_id)) for point_id in point_ids]
        return last_block_of([run.part(max(0, run.sample_count - 1), run.sample_count) for run in runs])

    async def drop_before(self, time_us: int) -> None:
        """See `StoreEngine.drop_before`."""
        for times in self._samples.values():
            for old_us in [time for time in times if time < time_us]:
                del times[old_us]

    async def bucket(self, point_ids: Ids, edges_us: VersionColumn) -> Buckets:
        """See `StoreEngine.bucket`; without the kernel, so that the kernel can be compared with it."""
        edges = np.asarray(edges_us).tolist()
        shape = (len(point_ids), len(edges) - 1)
        figures = Buckets(
            np.zeros(shape, np.int64), np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
        )
        for row, point_id in enumerate(point_ids):
            run = self.run(int(point_id), edges[0], edges[-1])
            for time_us, value in zip(run.time_us.tolist(), run.value.tolist(), strict=True):
                if math.isfinite(value):
                    _count(figures, row, bisect.bisect_right(edges, time_us) - 1, value)
        return figures

    async def rollup_put(
        self,
        kind: str,
        point_id: PointIdColumn,
        period: npt.NDArray[np.int64],
        columns: Mapping[str, npt.NDArray[Any]],
        version: int,
    ) -> None:
        """See `StoreEngine.rollup_put`."""
        for row, key in enumerate(zip(point_id.tolist(), period.tolist(), strict=True)):
            known = self._rollups.get((kind, *key))
            if known is None or known[0] <= version:
                self._rollups[kind, *key] = (version, {name: column[row] for name, column in columns.items()})

    async def rollup_get(self, kind: str, point_ids: Ids, first: int, last: int) -> RollupColumns:
        """See `StoreEngine.rollup_get`."""
        wanted = {int(point_id) for point_id in point_ids}
        found = sorted(
            (point_id, period, columns)
            for (its_kind, point_id, period), (_, columns) in self._rollups.items()
            if its_kind == kind and point_id in wanted and first <= period < last
        )
        names = list(found[0][2]) if found else []
        return RollupColumns(
            np.array([row[0] for row in found], np.uint32),
            np.array([row[1] for row in found], np.int64),
            {name: np.array([row[2][name] for row in found]) for name in names},
        )

    def run(self, point_id: int, start_us: int = -FOREVER_US, end_us: int = FOREVER_US) -> SampleRun:
        """The newest versions of one point in ``[start, end)``."""
        rows = [(time_us, versions[-1]) for time_us, versions in self._times(point_id, start_us, end_us)]
        return SampleRun(
            point_id,
            np.array([time_us for time_us, _ in rows], np.int64),
            np.array([newest.value for _, newest in rows], np.float64),
            np.array([newest.quality for _, newest in rows], np.uint16),
        )

    def versions(
        self, point_id: int, start_us: int = -FOREVER_US, end_us: int = FOREVER_US
    ) -> list[tuple[int, Version]]:
        """(time, version) of everything ever stored of one point in ``[start, end)``, the last of each time is read."""
        return [
            (time_us, version)
            for time_us, versions in self._times(point_id, start_us, end_us)
            for version in versions
        ]

    def _times(self, point_id: int, start_us: int, end_us: int) -> Iterator[tuple[int, list[Version]]]:
        times = self._samples.get(point_id, {})
        for time_us in sorted(time for time in times if start_us <= time < end_us):
            yield time_us, times[time_us]

    def _store(self, waiting: _Waiting) -> None:
        columns = (*(column.tolist() for column in waiting.batch), waiting.versions)
        for point_id, time_us, value, quality, version in zip(*columns, strict=True):
            self._arrival += 1
            new = Version(version, self._arrival, value, quality, waiting.origin)
            known = self._samples.setdefault(point_id, {}).setdefault(time_us, [])
            if not any(new.is_same_as(one) for one in known):
                bisect.insort(known, new)


def _count(figures: Buckets, row: int, bucket: int, value: float) -> None:
    figures.sample_count[row, bucket] += 1
    figures.total[row, bucket] += value
    figures.low[row, bucket] = np.fmin(figures.low[row, bucket], value)
    figures.high[row, bucket] = np.fmax(figures.high[row, bucket], value)
