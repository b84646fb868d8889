import asyncio
import logging

import numpy as np
import pytest

from drivers.driver import StatusKeeper
from drivers.outbox import APPEND_SAMPLES_MAX, COUNTER_NAMES, Outbox
from historian.clock import ManualClock
from historian.errors import QueueFull, StoreReadOnly, WalFailed
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch
from tests.support.fake_ports import ListJournal, ListSink
from tests.support.waiting import until


def batch(*times_us: int) -> SampleBatch:
    count = len(times_us)
    return SampleBatch(
        np.ones(count, np.uint32),
        np.array(times_us, np.int64),
        np.array(times_us, np.float64),
        np.zeros(count, np.uint16),
    )


class Bench:
    """An outbox with everything around it."""

    def __init__(self, samples_max: int = 100) -> None:
        self.clock = ManualClock()
        self.journal = ListJournal()
        self.sink = ListSink()
        self.keeper = StatusKeeper("d1", "test", "s", "a", self.clock, self.journal, COUNTER_NAMES)
        self.outbox = Outbox(self.keeper, samples_max, self.clock, self.journal)

    async def drain(self) -> None:
        """Run until nothing is left, then stop."""
        task = asyncio.create_task(self.outbox.run(self.sink))
        await until(lambda: self.outbox.sample_count == 0)
        await stop(task)

    def counters(self) -> dict[str, int]:
        return self.keeper.status().counters


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_samples_arrive_in_order_under_the_drivers_name() -> None:
    bench = Bench()
    bench.outbox.put(batch(1, 2))
    bench.outbox.put(batch(3))
    await bench.drain()
    assert [sample.time_us for sample in bench.sink.samples] == [1, 2, 3]
    assert bench.sink.sources == ["d1"]
    assert bench.counters()["samples_stored"] == 3


async def test_an_empty_batch_is_nothing() -> None:
    bench = Bench()
    bench.outbox.put(batch())
    await bench.drain()
    assert bench.sink.batches == []


@pytest.mark.parametrize(
    "refusal",
    [QueueFull(7), StoreReadOnly("disk_reserve", "the disk is nearly full"), WalFailed("fsync failed")],
    ids=["queue full", "read only", "log failed"],
)
async def test_refused_samples_are_kept_and_given_again(refusal: Exception) -> None:
    bench = Bench()
    bench.sink.refusals = [refusal, refusal]
    bench.outbox.put(batch(1, 2))
    await bench.drain()
    assert [sample.time_us for sample in bench.sink.samples] == [1, 2]
    assert bench.counters()["append_retries"] == 2
    assert bench.counters()["samples_dropped"] == 0


async def test_a_full_queue_is_left_alone_as_long_as_it_asks() -> None:
    bench = Bench()
    bench.sink.refusals = [QueueFull(7)]
    bench.outbox.put(batch(1))
    await bench.drain()
    assert bench.clock.monotonic_s() == 7.0


async def test_refusal_and_recovery_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.sink.refusals = [QueueFull(1)] * 5
    bench.outbox.put(batch(1))
    with caplog.at_level(logging.INFO, "historian"):
        await bench.drain()
    assert [record.getMessage() for record in caplog.records] == [
        "driver.store_refuses",
        "driver.store_accepts",
    ]


async def test_a_full_backlog_drops_its_oldest_and_journals_the_hole() -> None:
    bench = Bench(samples_max=3)
    for time_us in (10, 20, 30, 40, 50):
        bench.outbox.put(batch(time_us))
    await bench.drain()
    assert [sample.time_us for sample in bench.sink.samples] == [30, 40, 50]
    assert bench.counters()["samples_dropped"] == 2
    assert bench.journal.lines == [
        ("began", "d1/backlog", 10, "backlog_overflow"),
        ("ended", "d1/backlog", 30, ""),
    ]


async def test_samples_on_their_way_are_not_dropped_by_an_overflow() -> None:
    bench = Bench(samples_max=2)
    gate = asyncio.Event()

    class SlowSink(ListSink):
        async def append(
            self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
        ) -> AppendResult:
            await gate.wait()
            return await super().append(batch, source=source)

    bench.sink = SlowSink()
    bench.outbox.put(batch(1, 2))
    task = asyncio.create_task(bench.outbox.run(bench.sink))
    await asyncio.sleep(0)
    for time_us in (3, 4, 5):
        bench.outbox.put(batch(time_us))
    gate.set()
    await bench.sink.wait_for_samples(3)
    await stop(task)
    assert [sample.time_us for sample in bench.sink.samples] == [1, 2, 5]
    assert bench.counters()["samples_dropped"] == 2
    assert bench.outbox.sample_count == 0


async def test_a_refused_batch_stays_ahead_of_what_came_meanwhile() -> None:
    bench = Bench()

    class LateSink(ListSink):
        async def append(
            self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
        ) -> AppendResult:
            if self.refusals:
                bench.outbox.put(late)
            return await super().append(batch, source=source)

    late = batch(2)
    bench.sink = LateSink()
    bench.sink.refusals = [QueueFull(1)]
    bench.outbox.put(batch(1))
    await bench.drain()
    assert [sample.time_us for sample in bench.sink.samples] == [1, 2]


async def test_a_large_backlog_is_given_in_steps() -> None:
    bench = Bench(samples_max=10 * APPEND_SAMPLES_MAX)
    for start_us in range(0, 3 * APPEND_SAMPLES_MAX, 1000):
        bench.outbox.put(batch(*range(start_us, start_us + 1000)))
    await bench.drain()
    assert [each.sample_count for each in bench.sink.batches] == [APPEND_SAMPLES_MAX] * 3


async def test_rejected_samples_are_counted_apart() -> None:
    bench = Bench()
    bench.sink.outcome = Outcome.TIME_IN_FUTURE
    bench.outbox.put(batch(1, 2))
    await bench.drain()
    assert (bench.counters()["samples_stored"], bench.counters()["samples_rejected"]) == (0, 2)
    assert "rejected 2 samples" in bench.keeper.status().last_error


async def test_duplicates_count_as_stored() -> None:
    bench = Bench()
    bench.sink.outcome = Outcome.DUPLICATE
    bench.outbox.put(batch(1))
    await bench.drain()
    assert bench.counters()["samples_stored"] == 1


async def test_stopping_gives_what_is_left() -> None:
    bench = Bench()
    task = asyncio.create_task(bench.outbox.run(bench.sink))
    await asyncio.sleep(0)
    bench.outbox.put(batch(1))
    await stop(task)
    assert len(bench.sink.samples) == 1


async def test_samples_refused_at_the_stop_wait_for_the_next_run(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    task = asyncio.create_task(bench.outbox.run(bench.sink))
    await asyncio.sleep(0)
    bench.sink.refusals = [StoreReadOnly("log_failed", "fsync failed")] * 3
    bench.outbox.put(batch(1))
    await stop(task)
    assert "driver.stopped_with_backlog" in caplog.text
    bench.sink.refusals = []
    await bench.drain()
    assert len(bench.sink.samples) == 1


async def test_a_sink_that_never_answers_cannot_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.outbox.LAST_APPEND_TIMEOUT_S", 0.05)

    class DeafSink(ListSink):
        async def append(
            self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
        ) -> AppendResult:
            await asyncio.Event().wait()
            raise AssertionError

    bench = Bench()
    bench.outbox.put(batch(1))
    task = asyncio.create_task(bench.outbox.run(DeafSink()))
    await asyncio.sleep(0)
    async with asyncio.timeout(2.0):
        await stop(task)
    assert bench.outbox.sample_count == 1
