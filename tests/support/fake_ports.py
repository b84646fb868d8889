"""Stand-ins for the ports a driver is given: they keep what they are told."""

import asyncio
from typing import NamedTuple

import numpy as np

from historian.errors import PointNotFound
from historian.model.point import Point, PointDraft, TimeLabel
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch


class KeptSample(NamedTuple):
    """One sample as a sink got it."""

    point_id: int
    time_us: int
    value: float
    quality: int


class ListSink:
    """A SampleSink in memory; raises what `refusals` holds first, one a call."""

    def __init__(self) -> None:
        self.batches: list[SampleBatch] = []
        self.sources: list[str] = []
        self.refusals: list[Exception] = []
        self.outcome = Outcome.ACCEPTED
        self._arrived = asyncio.Event()

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.pop(0)
        self.batches.append(batch)
        self.sources.append(source)
        self._arrived.set()
        return AppendResult(np.full(batch.sample_count, self.outcome, np.uint8), len(self.batches))

    @property
    def samples(self) -> list[KeptSample]:
        """Everything taken, in the order of arrival."""
        rows = [row for batch in self.batches for row in zip(*(c.tolist() for c in batch), strict=True)]
        return [KeptSample(*row) for row in rows]

    async def wait_for_samples(self, sample_count: int, timeout_s: float = 10.0) -> list[KeptSample]:
        """Until at least so many samples are there. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while len(self.samples) < sample_count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.samples


class ListJournal:
    """A SourceJournal in memory: `lines` has ``(verb, source, time_us, cause)``."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int, str]] = []

    def outage_began(self, source: str, time_us: int, cause: str, detail: str) -> None:
        assert detail, "an outage has a detail"
        self.lines.append(("began", source, time_us, cause))

    def outage_ended(self, source: str, time_us: int) -> None:
        self.lines.append(("ended", source, time_us, ""))

    def causes(self, source: str) -> list[str]:
        """The causes of that source's outages, in order; ``ended`` where one was closed."""
        return [cause or verb for verb, of, _, cause in self.lines if of == source]


class ListDirectory:
    """A PointDirectory in memory; ids count from 1."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def get(self, name_or_id: str) -> Point:
        for point in self.points:
            if name_or_id in (point.name, str(point.id)):
                return point
        raise PointNotFound(name_or_id)

    def by_id(self, point_id: int) -> Point:
        return self.get(str(point_id))

    def ensure(self, draft: PointDraft) -> Point:
        for point in self.points:
            if point.name == draft.name:
                return point
        assert draft.interval_us is not None
        assert draft.time_zone is not None
        point = Point(
            id=len(self.points) + 1,
            name=draft.name,
            unit=draft.unit,
            kind=draft.kind,
            interval_us=draft.interval_us,
            label=draft.label or TimeLabel.INSTANT,
            time_zone=draft.time_zone,
            station=draft.station,
            range_low=draft.range_low,
            range_high=draft.range_high,
            source=draft.source,
        )
        self.points.append(point)
        return point
