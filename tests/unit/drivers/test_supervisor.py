import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.driver import StatusKeeper
from drivers.supervisor import RESTART_WAIT_MAX_S, RESTART_WAIT_MIN_S, Supervisor
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.model.ports import DriverStatus, SampleSink
from tests.support.fake_ports import ListJournal, ListSink
from tests.support.waiting import until


class NotedClock(ManualClock):
    """Keeps the waits it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    async def sleep(self, duration_s: float) -> None:
        self.waits_s.append(duration_s)
        await super().sleep(duration_s)


class ScriptedDriver:
    """Does for each run what its script says next; runs for good when the script is at its end."""

    protocol = "test"

    def __init__(self, name: str, clock: ManualClock, journal: ListJournal, *script: object) -> None:
        self.name = name
        self.run_count = 0
        self.ignores_cancellation = False
        self._clock = clock
        self._script = list(script)
        self._keeper = StatusKeeper(name, "test", "s", "a", clock, journal, ("polls",))

    def status(self) -> DriverStatus:
        return self._keeper.status()

    async def run(self, sink: SampleSink) -> None:
        self.run_count += 1
        await asyncio.sleep(0)
        step = self._script.pop(0) if self._script else None
        if isinstance(step, float):
            self._clock.advance(step)
            raise ZeroDivisionError("crash after some time")
        if isinstance(step, BaseException):
            raise step
        if step == "return":
            return
        self._keeper.running()
        while True:
            self._keeper.count("polls")
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if not self.ignores_cancellation:
                    self._keeper.stopped()
                    raise


class Bench:
    """A supervisor and what stands around it."""

    def __init__(self) -> None:
        self.clock = NotedClock()
        self.journal = ListJournal()
        self.metrics = Metrics()
        self.drivers: list[ScriptedDriver] = []

    def add(self, name: str, *script: object) -> ScriptedDriver:
        self.drivers.append(ScriptedDriver(name, self.clock, self.journal, *script))
        return self.drivers[-1]

    @asynccontextmanager
    async def running(self, stop_timeout_s: float = 1.0) -> AsyncIterator[Supervisor]:
        supervisor = Supervisor(
            self.drivers,
            ListSink(),
            self.journal,
            self.clock,
            self.metrics,
            stop_timeout_s=stop_timeout_s,
            randomness=random.Random(7),
        )
        task = asyncio.create_task(supervisor.run())
        yield supervisor
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5.0):
                await task


async def until_run(driver: ScriptedDriver, run_count: int) -> None:
    await until(lambda: driver.run_count >= run_count and driver.status().state == "running")


async def test_a_crashed_driver_is_started_again() -> None:
    bench = Bench()
    driver = bench.add("a", ZeroDivisionError("oops"), ZeroDivisionError("oops"))
    async with bench.running() as supervisor:
        await until_run(driver, 3)
        (status,) = supervisor.statuses()
    assert (status.state, status.restart_count) == ("running", 2)


async def test_waits_before_restarts_double_within_bounds() -> None:
    bench = Bench()
    driver = bench.add("a", *[ZeroDivisionError("oops")] * 9)
    async with bench.running():
        await until_run(driver, 10)
    limits_s = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    for wait_s, limit_s in zip(bench.clock.waits_s, limits_s, strict=True):
        assert limit_s / 2 <= wait_s <= limit_s


async def test_a_crash_after_a_long_good_run_starts_the_waits_anew() -> None:
    bench = Bench()
    driver = bench.add("a", *[ZeroDivisionError("oops")] * 5, RESTART_WAIT_MAX_S + 1.0)
    async with bench.running():
        await until_run(driver, 7)
    assert bench.clock.waits_s[-1] <= RESTART_WAIT_MIN_S


@pytest.mark.parametrize(
    "crash",
    [
        pytest.param(ZeroDivisionError("oops"), id="an error"),
        pytest.param(ExceptionGroup("g", [KeyError("x"), ValueError("y")]), id="a group of errors"),
        pytest.param("return", id="returned"),
        pytest.param(asyncio.CancelledError(), id="cancelled itself"),
    ],
)
async def test_one_crash_never_hurts_another(crash: object) -> None:
    bench = Bench()
    crashing, healthy = bench.add("a", *[crash] * 20), bench.add("b")
    async with bench.running():
        await until_run(crashing, 21)
        assert healthy.run_count == 1
        assert healthy.status().state == "running"
    assert bench.journal.causes("b") == ["ended"]


async def test_a_waiting_driver_is_shown_as_failed_with_its_error() -> None:
    bench = Bench()
    bench.add("a", ZeroDivisionError("oops"))
    seen: list[DriverStatus] = []

    async def look(duration_s: float) -> None:
        seen.extend(supervisor.statuses())
        await asyncio.sleep(0)

    bench.clock.sleep = look  # type: ignore[method-assign, assignment]
    async with bench.running() as supervisor:
        await until_run(bench.drivers[0], 2)
    assert (seen[0].state, seen[0].restart_count) == ("failed", 0)
    assert seen[0].last_error.startswith("ZeroDivisionError: oops at test_supervisor.py:")


async def test_a_crash_is_journalled_and_ends_when_the_driver_runs() -> None:
    bench = Bench()
    driver = bench.add("a", ZeroDivisionError("oops"))
    async with bench.running():
        await until_run(driver, 2)
    assert bench.journal.causes("a") == ["driver_crash", "ended"]


async def test_each_crash_is_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    driver = bench.add("a", ZeroDivisionError("oops"), ZeroDivisionError("oops"))
    with caplog.at_level(logging.WARNING, "historian"):
        async with bench.running():
            await until_run(driver, 3)
    assert [record.getMessage() for record in caplog.records] == ["driver.crashed"] * 2


async def test_a_journal_that_fails_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def fail(source: str, time_us: int, cause: str, detail: str) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(bench.journal, "outage_began", fail)
    crashing, healthy = bench.add("a", ZeroDivisionError("oops")), bench.add("b")
    async with bench.running():
        await until_run(crashing, 2)
        assert healthy.status().state == "running"


async def test_a_driver_that_does_not_stop_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    stubborn, obedient = bench.add("a"), bench.add("b")
    stubborn.ignores_cancellation = True
    async with bench.running(stop_timeout_s=0.05):
        await until_run(stubborn, 1)
        await until_run(obedient, 1)
    assert obedient.status().state == "stopped"
    assert "driver.stop_timed_out" in caplog.text
    stubborn.ignores_cancellation = False
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()  # type: ignore[union-attr]


async def test_without_drivers_it_still_runs_until_cancelled() -> None:
    bench = Bench()
    async with bench.running() as supervisor:
        await asyncio.sleep(0)
        assert supervisor.statuses() == []


async def test_metrics_show_each_driver() -> None:
    bench = Bench()
    driver = bench.add("a", ZeroDivisionError("oops"))
    async with bench.running():
        await until_run(driver, 2)
        text = bench.metrics.to_prometheus_text()
    assert 'historian_driver_running{driver="a"} 1' in text
    assert 'historian_driver_restarts_total{driver="a"} 1' in text
    assert 'historian_driver_last_data_seconds{driver="a"} 0' in text
    assert 'historian_driver_events_total{driver="a",event="polls"}' in text


async def test_two_drivers_of_one_name_are_our_mistake() -> None:
    bench = Bench()
    bench.add("a")
    bench.add("a")
    with pytest.raises(AssertionError, match="unique"):
        Supervisor(bench.drivers, ListSink(), bench.journal, bench.clock, bench.metrics)
