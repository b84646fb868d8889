"""The store equals a perfect twin, whatever is appended, sealed, merged, dropped, closed or killed, in any order."""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from historian.clock import ManualClock
from historian.model.quality import DELETED
from historian.model.sample import Origin, SampleBatch, SampleRun, make_batch
from historian.query.as_of import AsOfReader
from historian.settings import StoreSettings
from historian.store.store import Store
from historian.testing.twin import Twin
from tests.support import store_kit
from tests.support.quick_folder import quick_folder
from tests.support.store_kit import QUARTER_US, START_US, Directory, FailingFiles, open_store

POINTS = [1, 2, 3, 4]
POINTS_AT_START = 2
SLOTS = 60  # a row of the ring holds 16
MONTH_END_SLOTS = 30  # the first slots lie in the month before
ZERO_US = START_US - MONTH_END_SLOTS * QUARTER_US
LAST_US = ZERO_US + SLOTS * QUARTER_US + 1
AHEAD_US = 1 << 55  # nothing is too far in the future for these tests
SMALL = StoreSettings(
    ring_hours=1,
    wal_file_bytes_max=2048,
    disk_reserve_bytes=0,
    segment_compact_count=2,
    open_segments_max=2,
    compact_cpu_share=1.0,
)
ODD_VALUES = [-0.0, 1e300, 5e-324, 0.1, -317.25, 2.0**31 - 1, -(2.0**31), 2.0**53, 123456789.123]
JITTERS_US = [0, 0, 0, 0, 1, -1, 137_000, 450_000_000]

Drawn = list[tuple[int, int, int, float, int]]  # point, slot, jitter, value, quality
Rows = list[tuple[int, str, int]]  # time, value as text (tells -0.0 from 0.0), quality

samples = st.tuples(
    st.sampled_from(POINTS),
    st.integers(0, SLOTS - 1),
    st.sampled_from(JITTERS_US),
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
# One scan after the other, as a driver sends them: every point once, all at one time.
scan = st.builds(
    lambda slot, jitter, value: [(point, slot, jitter, value + point, 0) for point in POINTS],
    st.integers(0, SLOTS - 1),
    st.sampled_from(JITTERS_US),
    st.integers(0, 9).map(float),
)
# What pushes a point's first sample out of the ring and then brings it again, in one batch.
out_and_back = st.builds(lambda whole: [*whole, (*whole[0][:3], -1.0, 0)], in_order)
batches = st.one_of(any_batch, in_order, scan, out_and_back)


class Arrival(NamedTuple):
    """When a batch came, and how to know its samples."""

    time_us: int
    origin: Origin


Work = Callable[[Store], Awaitable[object]]


class StoreMachine(RuleBasedStateMachine):
    """Every rule does the same to store and twin; the invariant compares them."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.memory = contextlib.ExitStack()
        self.root = self.memory.enter_context(quick_folder())
        self.life = 0
        self.twin = Twin()
        self.clock = ManualClock(LAST_US)
        self.directory = Directory(POINTS_AT_START + 1)
        self.arrivals: dict[Origin, int] = {}
        self.tickets: list[int] = []
        self.has_explicit_versions = False
        self.store: Store

    @initialize()
    def open(self) -> None:
        self.store = self._open(self.root / "0")

    # -- what arrives -----------------------------------------------------------------------------

    @rule(drawn=st.lists(batches, min_size=1, max_size=3))
    def append(self, drawn: list[Drawn]) -> None:
        self.runner.run(self._append(drawn))

    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        """Another value, another quality alone, or a delete mark for something that is there."""
        point_id, time_us, value, quality = self._pick(data)
        kind = data.draw(st.sampled_from(["value", "quality", "delete", "again"]))
        changed = {
            "value": (value + 1.0, quality),
            "quality": (value, quality ^ 1),
            "delete": (value, quality | DELETED),
            "again": (value, quality),
        }[kind]
        self.runner.run(
            self._send([make_batch(point_id, [time_us], *([one] for one in changed))], reason=kind)
        )

    @rule(drawn=batches, data=st.data())
    def append_as_another_version(self, drawn: Drawn, data: st.DataObject) -> None:
        """What only the seam can do: an old version comes late, or one of equal rank."""
        newest = max(self.tickets, default=1)
        version = data.draw(st.integers(max(1, newest - 4), newest + 2))
        self.has_explicit_versions = True
        self.runner.run(self._send(self._as_batches([drawn]), version=version))

    @rule(drawn=any_batch)
    def look_up(self, drawn: Drawn) -> None:
        """What ingest asks before it writes is what the twin holds."""
        for batch in self._as_batches([drawn]):
            existing = self.runner.run(self.store.existing(batch))
            for place, (point_id, time_us) in enumerate(
                zip(batch.point_id.tolist(), batch.time_us.tolist(), strict=True)
            ):
                known = rows(self.twin.run(point_id, time_us, time_us + 1))
                if existing is None or not existing.is_found[place]:
                    assert known == []
                else:
                    value, quality = existing.value[place].item(), existing.quality[place].item()
                    assert known == [(time_us, repr(value), quality)]

    # -- what the store does by itself ----------------------------------------------------------------

    @rule()
    def seal(self) -> None:
        self.runner.run(store_kit.seal(self.store))

    @rule(meanwhile=st.lists(batches, min_size=1, max_size=2))
    def append_while_sealing(self, meanwhile: list[Drawn]) -> None:
        async def append_and_compare() -> None:
            await self._append(meanwhile)
            await self._compare()

        self.runner.run(store_kit.seal(self.store, append_and_compare))

    @rule()
    def merge(self) -> None:
        self.runner.run(store_kit.merge(self.store))

    @rule()
    def remove_retired(self) -> None:
        self.runner.run(store_kit.remove_retired(self.store))

    @rule(slot=st.integers(0, SLOTS // 2), offset_us=st.sampled_from([0, 1]))
    def drop_what_is_old(self, slot: int, offset_us: int) -> None:
        time_us = ZERO_US + slot * QUARTER_US + offset_us
        self.runner.run(store_kit.drop_before(self.store, time_us))
        self.runner.run(self.twin.drop_before(time_us))

    @rule(
        work=st.sampled_from([store_kit.seal, store_kit.merge, store_kit.remove_retired]),
        method=st.sampled_from(["create", "write", "sync", "rename", "unlink", "sync_folder"]),
        after=st.integers(0, 8),
    )
    def fail(self, work: Work, method: str, after: int) -> None:
        """The disk fails once somewhere in background work."""
        sound = self.store.files
        self.store.files = FailingFiles(method, after=after)
        self.runner.run(self._do(work))
        self.store.files = sound

    @rule(
        work=st.sampled_from([store_kit.seal, store_kit.merge, store_kit.remove_retired]),
        turns=st.integers(1, 6),
    )
    def cancel(self, work: Work, turns: int) -> None:
        """Background work is cancelled somewhere; what its thread does then is not awaited."""

        async def begin_and_cancel() -> None:
            task = asyncio.ensure_future(self._do(work))
            for _ in range(turns):
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])

        self.runner.run(begin_and_cancel())

    # -- what happens to it -----------------------------------------------------------------------------

    @rule()
    def add_a_point(self) -> None:
        assume(self.directory.count <= len(POINTS))
        self.directory.count += 1
        self.store.make_rooms(self.directory.intervals())

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
        self.clock.set_wall(ZERO_US + hours * 3_600_000_000)

    # -- what must be the same ------------------------------------------------------------------------

    @invariant()
    def the_store_is_the_twin(self) -> None:
        self.runner.run(self._compare())

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        """As of any moment the store answers what the twin knew by then."""
        assume(self.arrivals and not self.has_explicit_versions)
        moment_us = data.draw(st.sampled_from(sorted(set(self.arrivals.values())))) + data.draw(
            st.integers(-1, 0)
        )
        reader = AsOfReader(self.store, moment_us, AHEAD_US)
        for run in self.runner.run(reader.read(POINTS, ZERO_US - 1, LAST_US)):
            known = {
                time_us: (time_us, repr(version.value), version.quality)
                for time_us, version in self.twin.versions(run.point_id, ZERO_US - 1, LAST_US)
                if self.arrivals[version.origin] <= moment_us
            }
            assert rows(run) == list(known.values())

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
        self.runner.close()
        self.memory.close()

    # -- how --------------------------------------------------------------------------------------------

    def _open(self, folder: Path) -> Store:
        return open_store(folder, settings=SMALL, clock=self.clock, directory=self.directory)

    async def _do(self, work: Work) -> None:
        await work(self.store)

    def _pick(self, data: st.DataObject) -> tuple[int, int, float, int]:
        known = [
            (point_id, *sample)
            for point_id in POINTS
            for sample in store_kit.as_tuples(self.twin.run(point_id))
        ]
        assume(known)
        return data.draw(st.sampled_from(known))

    def _as_batches(self, drawn: list[Drawn]) -> list[SampleBatch]:
        """What of it concerns points that exist."""
        return [as_batch(left) for one in drawn if (left := [s for s in one if s[0] < self.directory.count])]

    async def _append(self, drawn: list[Drawn]) -> None:
        await self._send(self._as_batches(drawn))

    async def _send(
        self, several: list[SampleBatch], *, reason: str = "", version: int | None = None
    ) -> None:
        """All batches of a call share one sync, as those of many senders do."""
        tickets = []
        for batch in several:
            origin = Origin(f"sender {len(self.arrivals)}", reason)
            ticket = self.store.append(batch, origin, version)
            self.arrivals[origin] = self.clock.now_us()
            await self.twin.commit(
                self.twin.append(batch, origin, ticket.record if version is None else version)
            )
            tickets.append(ticket)
        for ticket in tickets:
            await self.store.commit(ticket)
        self.tickets += [ticket.record for ticket in tickets]
        self.clock.advance(1.0)

    async def _compare(self) -> None:
        for start_us, end_us in ((ZERO_US - 1, LAST_US), (START_US, START_US + 9 * QUARTER_US)):
            expected = [rows(self.twin.run(point_id, start_us, end_us)) for point_id in POINTS]
            assert [rows(run) for run in await self.store.read(POINTS, start_us, end_us)] == expected
            block = await self.store.read_block(POINTS[::-1], start_us, end_us)
            assert [rows(run) for run in block.runs()] == expected[::-1]
        await self._compare_versions()
        await self._compare_newest()
        assert self.store.status().damage == []

    async def _compare_versions(self) -> None:
        """Of versions of equal rank the last one is kept at least."""
        found = await store_kit.versions_of(self.store, POINTS, ZERO_US - 1, LAST_US)
        stored: dict[tuple[int, int, int], tuple[Any, ...]] = {}
        for row in found:
            stored[row.point_id, row.time_us, row.sequence] = (repr(row.value), row.quality, row.origin)
        expected: dict[tuple[int, int, int], tuple[Any, ...]] = {}
        for point_id in POINTS:
            for time_us, version in self.twin.versions(point_id):
                expected[point_id, time_us, version.version] = (
                    repr(version.value),
                    version.quality,
                    version.origin,
                )
        assert list(stored) == list(expected)
        if not self.has_explicit_versions:
            assert stored == expected

    async def _compare_newest(self) -> None:
        newest = [rows(self.twin.run(point_id))[-1:] for point_id in POINTS]
        assert [rows(run) for run in await self.store.last(POINTS)] == newest
        block = await self.store.last_block(POINTS)
        columns = (block.time_us.tolist(), map(repr, block.value.tolist()), block.quality.tolist())
        found = zip(block.is_found.tolist(), zip(*columns, strict=True), strict=True)
        assert [[row] if is_found else [] for is_found, row in found] == newest
        middle_us = START_US + 5 * QUARTER_US
        before, after = await self.store.neighbours(POINTS[0], middle_us)
        assert rows(before) == rows(self.twin.run(POINTS[0], end_us=middle_us + 1))[-1:]
        assert rows(after) == rows(self.twin.run(POINTS[0], start_us=middle_us + 1))[:1]


def as_batch(drawn: Drawn) -> SampleBatch:
    ids, slots, jitters, values, qualities = (list(column) for column in zip(*drawn, strict=True))
    times = [ZERO_US + slot * QUARTER_US + jitter for slot, jitter in zip(slots, jitters, strict=True)]
    return make_batch(ids, times, values, qualities)


def rows(run: SampleRun) -> Rows:
    return [(time_us, repr(value), quality) for time_us, value, quality in store_kit.as_tuples(run)]


StoreMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestStore = StoreMachine.TestCase
