"""A store and a directory in memory: what the real ones must answer, in the plainest way."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from historian.errors import PointNotFound
from historian.model.point import Point, PointDraft
from historian.model.ports import DirtyMarker
from historian.model.sample import (
    LastBlock,
    RunBlock,
    SampleRun,
    Versions,
    block_of,
    empty_run,
    last_block_of,
)


class MemoryStore:
    """Implements SampleReader over dicts; the newest write of a (point, time) wins."""

    def __init__(self) -> None:
        self.markers: list[DirtyMarker] = []
        self.read_count = 0
        self._samples: dict[int, dict[int, tuple[float, int, int]]] = {}
        self._sequence = 0

    def put(
        self, point_id: int, samples: Mapping[int, float] | Iterable[tuple[int, float]], quality: int = 0
    ) -> None:
        """Write samples of one point and mark them."""
        pairs = list(samples.items() if isinstance(samples, Mapping) else samples)
        for time_us, value in pairs:
            self._sequence += 1
            self._samples.setdefault(point_id, {})[time_us] = (value, quality, self._sequence)
        for marker in self.markers:
            marker.mark(
                np.full(len(pairs), point_id, np.uint32), np.array([time for time, _ in pairs], np.int64)
            )

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        self.read_count += 1
        return [self._whole(point_id).between(start_us, end_us) for point_id in point_ids]

    async def read_block(self, point_ids: Sequence[int], start_us: int, end_us: int) -> RunBlock:
        return block_of(await self.read(point_ids, start_us, end_us))

    async def read_versions(self, point_ids: Sequence[int], start_us: int, end_us: int) -> Versions:
        raise NotImplementedError("this list keeps the newest version only")

    async def last_block(self, point_ids: Sequence[int]) -> LastBlock:
        return last_block_of(await self.last(point_ids))

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        return [newest_of(self._whole(point_id)) for point_id in point_ids]

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        return neighbours_of(self._whole(point_id), time_us)

    def _whole(self, point_id: int) -> SampleRun:
        return run_of(point_id, self._samples.get(point_id, {}))


def run_of(point_id: int, samples: Mapping[int, tuple[float, int, int]]) -> SampleRun:
    """A run out of (value, quality, sequence) by time."""
    if not samples:
        return empty_run(point_id)
    times = sorted(samples)
    value, quality, _ = zip(*(samples[time] for time in times), strict=True)
    return SampleRun(
        point_id,
        np.array(times, np.int64),
        np.array(value, np.float64),
        np.array(quality, np.uint16),
    )


def newest_of(run: SampleRun) -> SampleRun:
    """The last sample of a run, or none."""
    return run.part(max(0, run.sample_count - 1), run.sample_count)


def neighbours_of(run: SampleRun, time_us: int) -> tuple[SampleRun, SampleRun]:
    """The last sample at or before the time and the first after it, each a run of at most one."""
    split = int(np.searchsorted(run.time_us, time_us, side="right"))
    return run.part(max(0, split - 1), split), run.part(split, split + 1)


class MemoryDirectory:
    """Implements PointDirectory over a dict, with a revision."""

    def __init__(self, *points: Point) -> None:
        self.revision = 0
        self._points = {point.id: point for point in points}

    def replace(self, point: Point) -> Point:
        """Put a point in, or another definition of it."""
        self.revision += 1
        self._points[point.id] = point
        return point

    def remove(self, point_id: int) -> None:
        """Take a point out."""
        self.revision += 1
        del self._points[point_id]

    def get(self, name_or_id: str) -> Point:
        for point in self._points.values():
            if name_or_id in (point.name, str(point.id)):
                return point
        raise PointNotFound(name_or_id)

    def by_id(self, point_id: int) -> Point:
        if point_id not in self._points:
            raise PointNotFound(str(point_id))
        return self._points[point_id]

    def ensure(self, draft: PointDraft) -> Point:
        return self.get(draft.name)
