"""The store equals a perfect twin, whatever is appended, sealed, merged, closed or killed, in any order."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from historian.clock import ManualClock
from historian.model.sample import SampleBatch, make_batch
from historian.settings import StoreSettings
from historian.store import maintenance
from historian.store.store import Store
from tests.support.store_kit import (
    QUARTER_US,
    START_US,
    Directory,
    FailingFiles,
    Twin,
    as_tuples,
    no_checkpoint_work,
    open_store,
)

POINTS = [1, 2, 3]
SLOTS = 60  # a row of the ring holds 16
MONTH_END_SLOTS = 30  # the first slots lie in the month before
ZERO_US = START_US - MONTH_END_SLOTS * QUARTER_US
SMALL = StoreSettings(
    ring_hours=1,
    wal_file_bytes_max=2048,
    disk_reserve_bytes=0,
    segment_compact_count=2,
    open_segments_max=2,
)
ODD_VALUES = [-0.0, 1e300, 5e-324, 0.1, -317.25, 2.0**31 - 1, -(2.0**31), 2.0**53, 123456789.123]

samples = st.tuples(
    st.sampled_from(POINTS),
    st.integers(0, SLOTS - 1),
    st.sampled_from([0, 0, 0, 1, -1]),  # jitter in µs
    st.one_of(st.integers(0, 9).map(float), st.sampled_from(ODD_VALUES)),
    st.sampled_from([0, 0, 0, 1, 0xFFFF]),
)
any_batch = st.lists(samples, min_size=1, max_size=12)
in_order = st.builds(
    lambda point, first, count, value: [
        (point, slot, 0, value + slot, 0) for slot in range(first, first + count)
    ],
    st.sampled_from(POINTS),
    st.integers(0, SLOTS // 2),
    st.integers(1, SLOTS // 2),
    st.integers(0, 9).map(float),
)
# What pushes a point's first sample out of the ring and then brings it again, in one batch.
out_and_back = st.builds(lambda whole: [*whole, (*whole[0][:3], -1.0, 0)], in_order)
batches = st.one_of(any_batch, in_order, out_and_back)
Drawn = list[tuple[int, int, int, float, int]]


def as_batch(drawn: Drawn) -> SampleBatch:
    ids, slots, jitters, values, qualities = (list(column) for column in zip(*drawn, strict=True))
    times = [ZERO_US + slot * QUARTER_US + jitter for slot, jitter in zip(slots, jitters, strict=True)]
    return make_batch(ids, times, values, qualities)


Work = Callable[[Store], Awaitable[object]]


async def seal_all(store: Store) -> None:
    await maintenance.seal_all(store, no_checkpoint_work)


class StoreMachine(RuleBasedStateMachine):
    """Every rule does the same to store and twin; the invariant compares them."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.root = Path(tempfile.mkdtemp())
        self.life = 0
        self.twin = Twin()
        self.clock = ManualClock(ZERO_US + SLOTS * QUARTER_US)
        self.store: Store

    @initialize()
    def open(self) -> None:
        self.store = self._open(self.root / "0")

    @rule(drawn=st.lists(batches, min_size=1, max_size=3))
    def append(self, drawn: list[Drawn]) -> None:
        self.runner.run(self._append(drawn))

    @rule()
    def seal(self) -> None:
        self.runner.run(seal_all(self.store))

    @rule(meanwhile=st.lists(batches, min_size=1, max_size=2))
    def append_while_sealing(self, meanwhile: list[Drawn]) -> None:
        async def append_and_compare() -> None:
            await self._append(meanwhile)
            await self._compare()

        self.runner.run(maintenance.seal_all(self.store, append_and_compare))

    @rule()
    def merge(self) -> None:
        self.runner.run(maintenance.merge_once(self.store))

    @rule(
        work=st.sampled_from([seal_all, maintenance.merge_once, maintenance.remove_retired]),
        method=st.sampled_from(["create", "write", "sync", "rename", "unlink", "sync_folder"]),
        after=st.integers(0, 8),
    )
    def fail(self, work: Work, method: str, after: int) -> None:
        """The disk fails once somewhere in background work."""
        sound = self.store.files
        self.store.files = FailingFiles(method, after=after)
        self.runner.run(work(self.store))
        self.store.files = sound

    @rule(
        work=st.sampled_from([seal_all, maintenance.merge_once, maintenance.remove_retired]),
        turns=st.integers(1, 6),
    )
    def cancel(self, work: Work, turns: int) -> None:
        """Background work is cancelled somewhere; what its thread does then is not awaited."""

        async def begin_and_cancel() -> None:
            task = asyncio.ensure_future(work(self.store))
            for _ in range(turns):
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])

        self.runner.run(begin_and_cancel())

    @rule()
    def remove_retired(self) -> None:
        self.runner.run(maintenance.remove_retired(self.store))

    @rule()
    def close_and_open(self) -> None:
        folder = self.store.folder
        self.runner.run(self.store.close())
        self.store = self._open(folder)

    @rule()
    def kill_and_open(self) -> None:
        """What a killed process leaves: the folder as it is at this moment."""
        self.life += 1
        copy = self.root / str(self.life)
        shutil.copytree(self.store.folder, copy)
        self.runner.run(self.store.close())
        self.store = self._open(copy)

    @rule(hours=st.integers(-20_000, 20_000))
    def set_clock(self, hours: int) -> None:
        """The clock goes forward or back; a restart after it fills the ring with other samples."""
        self.clock = ManualClock(ZERO_US + hours * 3_600_000_000)

    @rule(drawn=any_batch)
    def look_up(self, drawn: Drawn) -> None:
        """What ingest asks before it writes is what the twin holds."""
        batch = as_batch(drawn)
        existing = self.runner.run(self.store.existing(batch))
        for place, (point_id, time_us) in enumerate(
            zip(batch.point_id.tolist(), batch.time_us.tolist(), strict=True)
        ):
            known = self.twin.read(point_id, time_us, time_us + 1)
            if existing is None or not existing.is_found[place]:
                assert known == []
            else:
                assert known == [(time_us, existing.value[place], existing.quality[place])]

    @invariant()
    def the_store_is_the_twin(self) -> None:
        self.runner.run(self._compare())

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.root)

    def _open(self, folder: Path) -> Store:
        return open_store(folder, settings=SMALL, clock=self.clock, directory=Directory(len(POINTS) + 1))

    async def _append(self, drawn: list[Drawn]) -> None:
        parts: list[tuple[SampleBatch, str]] = [(as_batch(one), "test") for one in drawn]
        await self.store.append(parts)
        for batch, _ in parts:
            self.twin.append(batch)

    async def _compare(self) -> None:
        last_us = ZERO_US + SLOTS * QUARTER_US
        for start_us, end_us in ((ZERO_US - 1, last_us), (START_US, START_US + 9 * QUARTER_US)):
            runs = await self.store.read(POINTS, start_us, end_us)
            expected: list[Any] = [self.twin.read(point_id, start_us, end_us) for point_id in POINTS]
            assert [repr(as_tuples(run)) for run in runs] == [
                repr(one) for one in expected
            ]  # tells -0.0 from 0.0
        newest = [self.twin.neighbours(point_id, last_us)[0] for point_id in POINTS]
        assert [as_tuples(run) for run in await self.store.last(POINTS)] == newest
        middle_us = START_US + 5 * QUARTER_US
        before, after = await self.store.neighbours(POINTS[0], middle_us)
        assert (as_tuples(before), as_tuples(after)) == self.twin.neighbours(POINTS[0], middle_us)
        assert self.store.status().damage == []


StoreMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestStore = StoreMachine.TestCase
