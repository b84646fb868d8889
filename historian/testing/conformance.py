"""What every engine behind the seam must do, as tests.

An engine's own project subclasses `StoreConformance` in a pytest module and says how its engine is opened::

    from historian.testing.conformance import StoreConformance

    class TestMyEngine(StoreConformance):
        @contextlib.asynccontextmanager
        async def open_engine(self, folder):
            engine = await MyEngine.connect(...)
            yield engine
            await engine.close()

Points have the ids 1 to `POINT_COUNT`, and nothing is stored when a test begins. `folder` is an empty folder of the
test's own; the same one comes again where a test closes the engine and opens it anew.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import numpy as np

from historian.errors import HistorianError
from historian.model.sample import make_batch
from historian.model.timestamp import parse_time_us
from historian.store.engine import StoreEngine
from historian.testing.rows import DAY_US, ORIGIN, QUARTER_US, START_US, Row, batch, put, row, rows_of

POINT_COUNT: Final = 2000
FAR_PAST_US: Final = parse_time_us("1990-01-01T00:00:00Z")
FAR_FUTURE_US: Final = parse_time_us("2100-01-01T00:00:00Z")
# Local days of Berlin with the change to summer time inside: 24, 23 and 24 hours; and back: 24, 25 and 24.
SPRING: Final = (
    "2026-03-27T23:00:00Z",
    "2026-03-28T23:00:00Z",
    "2026-03-29T22:00:00Z",
    "2026-03-30T22:00:00Z",
)
AUTUMN: Final = (
    "2026-10-23T22:00:00Z",
    "2026-10-24T22:00:00Z",
    "2026-10-25T23:00:00Z",
    "2026-10-26T23:00:00Z",
)
Check = Callable[[StoreEngine], Awaitable[None]]


class StoreConformance:
    """Subclass it as shown above; every test is one rule of `historian.store.engine`."""

    is_durable = True  # whether what was committed is there after the engine was closed and opened

    def open_engine(self, folder: Path) -> AbstractAsyncContextManager[StoreEngine]:
        """The engine, open; the subclass says how."""
        raise NotImplementedError("say how the engine is opened")

    async def lose_a_part(self, engine: StoreEngine, folder: Path) -> bool:
        """Make a part of what is stored for point 1 at `START_US` unreadable; False where that cannot be done."""
        return False

    async def settle(self, engine: StoreEngine) -> None:
        """Bring rows where they end up (segments, merged parts), so that rules are tried there, too."""

    # -- what is written is read ----------------------------------------------------------------

    def test_committed_rows_are_read(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 1, 2], [0, 1, 0], [1.5, -2.5, 3.0], quality=[0, 1, 65535])
            expected = [row(1, 0, 1.5), row(1, 1, -2.5, 1), row(2, 0, 3.0, 65535)]
            await self._expect(engine, [1, 2], expected)

        self._run(check, tmp_path)

    def test_runs_come_in_the_order_asked(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 2, 3], [0, 0, 0], [1.0, 2.0, 3.0])
            for _ in range(2):
                block = await engine.read_block([3, 1, 2], START_US, START_US + DAY_US)
                assert block.point_id.tolist() == [3, 1, 2]
                assert block.offset.tolist() == [0, 1, 2, 3]
                assert block.value.tolist() == [3.0, 1.0, 2.0]
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_many_points_and_days_are_read_in_one_call(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            ids = np.arange(1, POINT_COUNT + 1, dtype=np.uint32)
            slots = np.arange(96)
            point_id, slot = np.repeat(ids, 96), np.tile(slots, POINT_COUNT)
            value = point_id + slot / 1000
            ticket = engine.append(make_batch(point_id, START_US + slot * QUARTER_US, value), ORIGIN)
            await engine.commit(ticket)
            for _ in range(2):
                block = await engine.read_block(ids, START_US, START_US + DAY_US)
                assert block.offset.tolist() == list(range(0, 96 * POINT_COUNT + 1, 96))
                assert np.array_equal(block.value, value)
                assert np.array_equal(block.time_us, START_US + slot * QUARTER_US)
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_a_commit_covers_every_batch_before_it(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            engine.append(batch([1], [0], [1.0]), ORIGIN)
            await engine.commit(engine.append(batch([1], [1], [2.0]), ORIGIN))
            await self._expect(engine, [1], [row(1, 0, 1.0), row(1, 1, 2.0)])

        self._run(check, tmp_path)

    def test_a_range_is_half_open(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1] * 4, [0, 1, 2, 3], [0.0, 1.0, 2.0, 3.0])
            for _ in range(2):
                block = await engine.read_block([1], START_US + QUARTER_US, START_US + 3 * QUARTER_US)
                assert block.value.tolist() == [1.0, 2.0]
                empty = await engine.read_block([1], START_US + QUARTER_US, START_US + QUARTER_US)
                assert empty.sample_count == 0
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_a_point_without_samples_is_an_empty_run(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1], [0], [1.0])
            block = await engine.read_block([5, 1, POINT_COUNT], START_US, START_US + DAY_US)
            assert block.offset.tolist() == [0, 0, 1, 1]
            assert (await engine.last_block([5, 1])).is_found.tolist() == [False, True]

        self._run(check, tmp_path)

    def test_any_order_of_times_is_read_sorted(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            for slot in (7, 3, 9, 0):
                await put(engine, [1, 1], [slot, slot + 20], [float(slot), slot + 20.0])
            await put(engine, [1, 1, 1], [5, 1, 4], [5.0, 1.0, 4.0])
            slots = [0, 1, 3, 4, 5, 7, 9, 20, 23, 27, 29]
            await self._expect(engine, [1], [row(1, slot, float(slot)) for slot in slots])

        self._run(check, tmp_path)

    def test_times_off_the_grid_are_kept_to_the_microsecond(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            times = [START_US - 1, START_US, START_US + 1, START_US + 7 * QUARTER_US + 123_456]
            await engine.commit(engine.append(make_batch(1, times, [1.0, 2.0, 3.0, 4.0]), ORIGIN))
            for _ in range(2):
                block = await engine.read_block([1], times[0], times[-1] + 1)
                assert block.time_us.tolist() == times
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_late_and_future_rows_are_legal(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1], [0], [1.0])
            late_us, future_us = START_US - 731 * DAY_US, START_US + 400 * DAY_US
            await engine.commit(engine.append(make_batch(1, [future_us, late_us], [3.0, 2.0]), ORIGIN))
            await put(engine, [1], [1], [4.0])
            for _ in range(2):
                block = await engine.read_block([1], FAR_PAST_US, FAR_FUTURE_US)
                assert block.value.tolist() == [2.0, 1.0, 4.0, 3.0]
                await self.settle(engine)

        self._run(check, tmp_path)

    # -- versions ---------------------------------------------------------------------------------

    def test_a_correction_wins(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 1], [0, 1], [1.0, 2.0])
            await self.settle(engine)
            await put(engine, [1], [0], [10.0], quality=[12])
            await self._expect(engine, [1], [row(1, 0, 10.0, 12), row(1, 1, 2.0)])

        self._run(check, tmp_path)

    def test_a_change_of_quality_alone_is_a_version(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1], [0], [1.0])
            await self.settle(engine)
            await put(engine, [1], [0], [1.0], quality=[128])
            await self._expect(engine, [1], [row(1, 0, 1.0, 128)])

        self._run(check, tmp_path)

    def test_an_older_version_that_arrives_later_loses(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 2], [0, 0], [5.0, 5.0], version=50)
            await put(engine, [1], [0], [4.0], version=40)
            await self.settle(engine)
            await put(engine, [2], [0], [4.0], version=40)
            await put(engine, [2], [1], [3.0], version=30)
            await self._expect(engine, [1, 2], [row(1, 0, 5.0), row(2, 0, 5.0), row(2, 1, 3.0)])

        self._run(check, tmp_path)

    def test_of_equal_versions_the_later_arrival_wins(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 2], [0, 0], [1.0, 1.0], version=7)
            await put(engine, [1], [0], [2.0], version=7)
            await self.settle(engine)
            await put(engine, [2], [0], [2.0], version=7)
            await self._expect(engine, [1, 2], [row(1, 0, 2.0), row(2, 0, 2.0)])

        self._run(check, tmp_path)

    def test_of_one_time_twice_in_a_batch_the_later_row_wins(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 1, 1, 1], [0, 1, 0, 0], [1.0, 2.0, 3.0, 4.0])
            await self._expect(engine, [1], [row(1, 0, 4.0), row(1, 1, 2.0)])

        self._run(check, tmp_path)

    def test_each_row_may_have_its_own_version(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 1, 1], [0, 1, 0], [1.0, 2.0, 3.0], version=np.array([9, 1, 8]))
            await put(engine, [1, 1], [0, 1], [4.0, 5.0], version=np.array([8, 2]))
            await self._expect(engine, [1], [row(1, 0, 1.0), row(1, 1, 5.0)])

        self._run(check, tmp_path)

    def test_without_a_version_the_newest_arrival_wins(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1], [0], [1.0], version=1000)
            await put(engine, [1], [0], [2.0])
            await self._expect(engine, [1], [row(1, 0, 2.0)])

        self._run(check, tmp_path)

    def test_a_replayed_batch_changes_nothing(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            whole = batch([1, 1, 2], [0, 1, 0], [1.0, 2.0, 3.0])
            await engine.commit(engine.append(whole, ORIGIN, 10))
            await put(engine, [1], [0], [9.0], version=20)
            for _ in range(2):
                await engine.commit(engine.append(whole, ORIGIN, 10))
                await engine.commit(engine.append(whole.part(0, 1), ORIGIN, 10))
                await self._expect(engine, [1, 2], [row(1, 0, 9.0), row(1, 1, 2.0), row(2, 0, 3.0)])

        self._run(check, tmp_path)

    # -- values -----------------------------------------------------------------------------------

    def test_every_value_and_quality_comes_back_bit_for_bit(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            values = [float("nan"), float("inf"), float("-inf"), -0.0, 0.1, 5e-324, 1.7e308, 2.0**53, -317.25]
            qualities = [0, 1, 2, 3, 128, 255, 256, 32768, 65535]
            slots = list(range(len(values)))
            await put(engine, [1] * len(values), slots, values, quality=qualities)
            expected = [row(1, *one) for one in zip(slots, values, qualities, strict=True)]
            await self._expect(engine, [1], expected)

        self._run(check, tmp_path)

    def test_the_last_sample_is_the_newest_by_time(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1, 1, 2], [5, 9, 1], [5.0, 9.0, 1.0])
            await put(engine, [1, 2], [3, 700], [3.0, 700.0])
            await put(engine, [1, 1], [9, 4], [90.0, 4.0], quality=[4, 0])
            for _ in range(2):
                last = await engine.last_block([2, 3, 1])
                assert last.is_found.tolist() == [True, False, True]
                assert last.time_us[[0, 2]].tolist() == [START_US + slot * QUARTER_US for slot in (700, 9)]
                assert last.value[[0, 2]].tolist() == [700.0, 90.0]
                assert last.quality[[0, 2]].tolist() == [0, 4]
                await self.settle(engine)

        self._run(check, tmp_path)

    # -- buckets and rollups ----------------------------------------------------------------------

    def test_buckets_follow_the_edges_of_local_days(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            for texts, hours in ((SPRING, [24, 23, 24]), (AUTUMN, [24, 25, 24])):
                edges = np.array([parse_time_us(text) for text in texts])
                times = np.arange(edges[0] - QUARTER_US, edges[-1] + QUARTER_US, QUARTER_US)
                values = np.arange(len(times)) % 5 + 1.0
                await engine.commit(engine.append(make_batch(1, times, values), ORIGIN))
                for _ in range(2):
                    figures = await engine.bucket([1, 2], edges)
                    assert figures.sample_count.tolist() == [[4 * count for count in hours], [0, 0, 0]]
                    bounds = np.searchsorted(times, edges)
                    parts = [values[first:last] for first, last in itertools.pairwise(bounds)]
                    assert figures.total[0].tolist() == [part.sum() for part in parts]
                    assert figures.total[1].tolist() == [0.0] * 3
                    assert (figures.low[0].tolist(), figures.high[0].tolist()) == ([1.0] * 3, [5.0] * 3)
                    assert np.isnan(figures.low[1]).all()
                    await self.settle(engine)

        self._run(check, tmp_path)

    def test_what_is_not_finite_is_never_counted(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            values = [float("nan"), 2.0, float("inf"), 4.0, float("-inf"), float("nan")]
            await put(engine, [1] * 6, [0, 1, 2, 3, 4, 8], values)
            edges = START_US + np.array([0, 8, 16]) * QUARTER_US
            for _ in range(2):
                figures = await engine.bucket([1], edges)
                assert figures.sample_count.tolist() == [[2, 0]]
                assert figures.total.tolist() == [[6.0, 0.0]]
                assert (figures.low[0, 0], figures.high[0, 0]) == (2.0, 4.0)
                assert np.isnan(figures.low[0, 1])
                assert np.isnan(figures.high[0, 1])
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_buckets_count_the_newest_versions_once(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            edges = START_US + np.array([0, 4]) * QUARTER_US
            whole = batch([1] * 3, [0, 1, 2], [1.0, 2.0, 3.0])
            await engine.commit(engine.append(whole, ORIGIN, 1))
            await engine.commit(engine.append(whole, ORIGIN, 1))
            await put(engine, [1], [1], [20.0], version=2)
            for _ in range(2):
                figures = await engine.bucket([1], edges)
                assert (figures.sample_count.tolist(), figures.total.tolist()) == ([[3]], [[24.0]])
                await self.settle(engine)

        self._run(check, tmp_path)

    def test_of_a_rollup_the_highest_version_is_read(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            ids, periods = np.array([1, 2, 1], np.uint32), np.array([100, 100, 101], np.int64)

            async def keep(energy: list[float], version: int, kind: str = "day") -> None:
                columns = {"energy": np.array(energy), "state": np.array([1, 2, 3], np.uint8)}
                await engine.rollup_put(kind, ids, periods, columns, version)

            await keep([1.0, 2.0, 3.0], 5)
            await keep([1.0, 2.0, 3.0], 5)
            await keep([0.0, 0.0, 0.0], 4)
            await keep([7.0, 7.0, 7.0], 9, kind="month")
            found = await engine.rollup_get("day", [2, 1], 100, 101)
            assert (found.point_id.tolist(), found.period.tolist()) == ([1, 2], [100, 100])
            assert found.columns["energy"].tolist() == [1.0, 2.0]
            assert found.columns["state"].tolist() == [1, 2]
            await keep([4.0, 5.0, 6.0], 6)
            found = await engine.rollup_get("day", [1], 0, 1000)
            assert (found.period.tolist(), found.columns["energy"].tolist()) == ([100, 101], [4.0, 6.0])
            assert len((await engine.rollup_get("day", [9], 0, 1000)).point_id) == 0

        self._run(check, tmp_path)

    # -- retention, restart, loss -----------------------------------------------------------------

    def test_retention_drops_exactly_what_is_older(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            days = [0, 1, 40, 41, 80]
            for day in days:
                await put(engine, [1, 2], [96 * day, 96 * day], [float(day), day + 0.5])
            await put(engine, [1], [96 * 1], [-1.0])
            await self.settle(engine)
            await put(engine, [1], [96 * 40], [-40.0])
            await engine.drop_before(START_US + 41 * DAY_US)
            expected = [row(1, 96 * day, float(day)) for day in (41, 80)]
            await self._expect(engine, [1, 2], expected + [row(2, 96 * day, day + 0.5) for day in (41, 80)])
            assert (await engine.last_block([1])).value.tolist() == [80.0]

        self._run(check, tmp_path)

    def test_what_was_committed_is_there_after_a_restart(self, tmp_path: Path) -> None:
        if not self.is_durable:
            return
        expected = [row(1, 0, 4.0), row(1, 1, 2.0), row(2, 0, 3.0)]

        async def fill() -> None:
            async with self.open_engine(tmp_path) as engine:
                await put(engine, [1, 1, 2], [0, 1, 0], [4.0, 2.0, 3.0], version=5)
                await self.settle(engine)
                await put(engine, [1, 2], [0, 0], [1.0, 1.0], version=4)

        async def check() -> None:
            async with self.open_engine(tmp_path) as engine:
                await self._expect(engine, [1, 2], expected)

        asyncio.run(fill())
        asyncio.run(check())
        asyncio.run(check())

    def test_a_missing_part_is_an_error_and_never_a_partial_answer(self, tmp_path: Path) -> None:
        async def check(engine: StoreEngine) -> None:
            await put(engine, [1], [0], [1.0])
            await self.settle(engine)
            await put(engine, [1], [1], [2.0])
            if not await self.lose_a_part(engine, tmp_path):
                return
            try:
                found = rows_of(await engine.read_block([1], START_US, START_US + DAY_US))
            except HistorianError:
                return
            whole = [row(1, 0, 1.0), row(1, 1, 2.0)]  # it may be in memory still
            assert found == whole, f"a part is missing, and the answer is {found}"

        self._run(check, tmp_path)

    # -- how --------------------------------------------------------------------------------------

    def _run(self, check: Check, folder: Path) -> None:
        async def run() -> None:
            async with self.open_engine(folder) as engine:
                await check(engine)

        asyncio.run(run())

    async def _expect(self, engine: StoreEngine, ids: list[int], expected: list[Row]) -> None:
        """These rows are all there is; before and after `settle`."""
        for _ in range(2):
            found = rows_of(await engine.read_block(ids, FAR_PAST_US, FAR_FUTURE_US))
            assert found == expected, f"found {found}, expected {expected}"
            await self.settle(engine)
