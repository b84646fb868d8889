"""A store in memory: the list model that stands in for log, ring and segments where HTTP is the subject."""

from collections.abc import Sequence

import numpy as np

from historian.errors import HistorianError
from historian.model.ports import AppendResult, OnConflict, Outcome, StoreStatus
from historian.model.sample import (
    LastBlock,
    RunBlock,
    SampleBatch,
    SampleRun,
    Versions,
    block_of,
    last_block_of,
)
from tests.support.memory_store import neighbours_of, newest_of, run_of

Stored = tuple[float, int, int]  # value, quality, sequence


class MemoryStore:
    """SampleSink, SampleReader and StoreHealth over one dict for each point."""

    def __init__(self, time_max_us: int = 4_102_444_800_000_000) -> None:
        self.samples: dict[int, dict[int, Stored]] = {}
        self.known_ids: set[int] | None = None
        self.failure: HistorianError | None = None
        self.health = StoreStatus(is_writable=True)
        self._sequence = 0
        self._time_max_us = time_max_us

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        if self.failure is not None:
            raise self.failure
        assert source, "somebody sent it"
        self._sequence += 1
        outcomes = [
            self._append_one(*entry, on_conflict=on_conflict)
            for entry in zip(*(column.tolist() for column in batch), strict=True)
        ]
        return AppendResult(np.array(outcomes, np.uint8), self._sequence)

    def _append_one(
        self, point_id: int, time_us: int, value: float, quality: int, *, on_conflict: OnConflict
    ) -> Outcome:
        if not np.isfinite(value):
            return Outcome.NOT_FINITE
        if time_us > self._time_max_us:
            return Outcome.TIME_IN_FUTURE
        samples = self.samples.setdefault(point_id, {})
        before = samples.get(time_us)
        if before is not None and before[:2] == (value, quality):
            return Outcome.DUPLICATE
        if before is not None and on_conflict != "replace":
            return Outcome.CONFLICT
        samples[time_us] = (value, quality, self._sequence)
        return Outcome.ACCEPTED if before is None else Outcome.REPLACED

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        return [self._run(point_id).between(start_us, end_us) for point_id in point_ids]

    async def read_block(self, point_ids: Sequence[int], start_us: int, end_us: int) -> RunBlock:
        return block_of(await self.read(point_ids, start_us, end_us))

    async def read_versions(self, point_ids: Sequence[int], start_us: int, end_us: int) -> Versions:
        raise NotImplementedError("this list keeps the newest version only")

    async def last_block(self, point_ids: Sequence[int]) -> LastBlock:
        return last_block_of(await self.last(point_ids))

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        return [newest_of(self._run(point_id)) for point_id in point_ids]

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        return neighbours_of(self._run(point_id), time_us)

    def status(self) -> StoreStatus:
        return self.health

    def _run(self, point_id: int) -> SampleRun:
        return run_of(point_id, self.samples.get(point_id, {}))
