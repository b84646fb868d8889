"""A store in memory that keeps every version: what the real one must answer, in the plainest way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from historian.clock import Clock
from historian.model.ports import AppendResult, OnConflict, Outcome, StoreStatus
from historian.model.sample import (
    LastBlock,
    Origin,
    PointIdColumn,
    RunBlock,
    SampleBatch,
    SampleRun,
    Versions,
    block_of,
    empty_run,
)

Ids = Sequence[int] | PointIdColumn


class Version(NamedTuple):
    """One version of one sample."""

    value: float
    quality: int
    sequence: int
    arrival_us: int
    origin: Origin


class VersionStore:
    """SampleSink, SampleReader and StoreHealth; the versions of a sample in order of arrival."""

    def __init__(self, clock: Clock, time_max_us: int = 1 << 62) -> None:
        self.versions: dict[int, dict[int, list[Version]]] = {}
        self.read_rows = 0
        self._clock = clock
        self._sequence = 0
        self._time_max_us = time_max_us

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        self._sequence += 1
        origin = Origin(source, reason)
        rows = zip(*(column.tolist() for column in batch), strict=True)
        outcomes = [self._append_one(*row, origin, on_conflict) for row in rows]
        return AppendResult(np.array(outcomes, np.uint8), self._sequence)

    def _append_one(
        self, point_id: int, time_us: int, value: float, quality: int, origin: Origin, on_conflict: OnConflict
    ) -> Outcome:
        if not np.isfinite(value):
            return Outcome.NOT_FINITE
        if time_us > self._time_max_us:
            return Outcome.TIME_IN_FUTURE
        versions = self.versions.get(point_id, {}).get(time_us, [])
        if versions and versions[-1][:2] == (value, quality):
            return Outcome.DUPLICATE
        if versions and on_conflict != "replace":
            return Outcome.CONFLICT
        version = Version(value, quality, self._sequence, self._clock.now_us(), origin)
        self.versions.setdefault(point_id, {}).setdefault(time_us, []).append(version)
        return Outcome.REPLACED if versions else Outcome.ACCEPTED

    async def read(self, point_ids: Ids, start_us: int, end_us: int) -> list[SampleRun]:
        return [self._run(int(one)).between(start_us, end_us) for one in point_ids]

    async def read_block(self, point_ids: Ids, start_us: int, end_us: int) -> RunBlock:
        return block_of(await self.read(point_ids, start_us, end_us))

    async def last(self, point_ids: Ids) -> list[SampleRun]:
        runs = [self._run(int(one)) for one in point_ids]
        return [run.part(max(0, run.sample_count - 1), run.sample_count) for run in runs]

    async def last_block(self, point_ids: Ids) -> LastBlock:
        runs = await self.last(point_ids)
        found = np.array([run.sample_count > 0 for run in runs], np.bool_)
        block = LastBlock(
            found, np.zeros(len(runs), np.int64), np.zeros(len(runs)), np.zeros(len(runs), np.uint16)
        )
        for index in np.flatnonzero(found).tolist():
            block.time_us[index] = runs[index].time_us[0]
            block.value[index] = runs[index].value[0]
            block.quality[index] = runs[index].quality[0]
        return block

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        run = self._run(point_id)
        split = int(np.searchsorted(run.time_us, time_us, side="right"))
        return run.part(max(0, split - 1), split), run.part(split, split + 1)

    async def read_versions(self, point_ids: Ids, start_us: int, end_us: int) -> Versions:
        rows = [
            (point_id, time_us, version)
            for point_id in sorted({int(one) for one in point_ids})
            for time_us, versions in sorted(self.versions.get(point_id, {}).items())
            if start_us <= time_us < end_us
            for version in versions
        ]
        self.read_rows += len(rows)
        origins = sorted({version.origin for _, _, version in rows})
        return Versions(
            np.array([row[0] for row in rows], np.uint32),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2].value for row in rows], np.float64),
            np.array([row[2].quality for row in rows], np.uint16),
            np.array([row[2].sequence for row in rows], np.int64),
            np.array([row[2].arrival_us for row in rows], np.int64),
            np.array([origins.index(row[2].origin) for row in rows], np.int64),
            origins,
        )

    generation = 0

    def status(self) -> StoreStatus:
        return StoreStatus(is_writable=True)

    def _run(self, point_id: int) -> SampleRun:
        samples = self.versions.get(point_id)
        if not samples:
            return empty_run(point_id)
        times = sorted(samples)
        newest = [samples[time_us][-1] for time_us in times]
        return SampleRun(
            point_id,
            np.array(times, np.int64),
            np.array([version.value for version in newest], np.float64),
            np.array([version.quality for version in newest], np.uint16),
        )
