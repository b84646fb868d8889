"""Owns the tasks of all drivers: starts them, restarts what crashed, stops them in bounded time.

A driver opens lost links anew by itself; what reaches this module is a crash, our own mistake. It is
logged with its place in the code, journalled as an outage ``driver_crash`` so that the gap has a
cause, and the driver is started again after a wait that doubles. Other drivers do not notice.
"""

import asyncio
import functools
import random
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from drivers.back_off import BackOff
from drivers.driver import Driver
from drivers.errors import DriverEnded
from historian.clock import Clock
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.model.point import SECOND_US
from historian.model.ports import DriverStatus, SampleSink, SourceJournal

_LOG = EventLog("driver")

RESTART_WAIT_MIN_S: Final = 1.0
RESTART_WAIT_MAX_S: Final = 60.0
STOP_TIMEOUT_S: Final = 4.0  # above the outbox's last append, below the 5 s in which all must have ended


class _Supervised:
    """One driver and what its supervisor knows about it."""

    def __init__(self, driver: Driver, back_off: BackOff) -> None:
        self.driver = driver
        self.back_off = back_off
        self.restart_count = 0
        self.crash_text = ""  # empty unless it waits for its restart
        self.crash_us = 0

    def status(self) -> DriverStatus:
        """The driver's own, with its restarts; ``failed`` while it waits for one."""
        status = msgspec.structs.replace(self.driver.status(), restart_count=self.restart_count)
        if not self.crash_text:
            return status
        return msgspec.structs.replace(
            status,
            state="failed",
            since_us=self.crash_us,
            last_error=self.crash_text,
            last_error_us=self.crash_us,
        )


class Supervisor:
    """Runs the drivers of this process; implements `DriverDirectory`."""

    def __init__(
        self,
        drivers: Sequence[Driver],
        sink: SampleSink,
        journal: SourceJournal,
        clock: Clock,
        metrics: Metrics,
        *,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        randomness: random.Random | None = None,
    ) -> None:
        names = [driver.name for driver in drivers]
        assert len(set(names)) == len(names), "driver names are unique: they name outages and metrics"
        self._sink = sink
        self._journal = journal
        self._clock = clock
        self._stop_timeout_s = stop_timeout_s
        source = randomness or random.Random()  # noqa: S311 - it only spreads waits
        self._supervised = [
            _Supervised(driver, BackOff(RESTART_WAIT_MIN_S, RESTART_WAIT_MAX_S, source)) for driver in drivers
        ]
        for supervised in self._supervised:
            _register_metrics(metrics, supervised)

    def statuses(self) -> list[DriverStatus]:
        """One for each driver, in the order given."""
        return [supervised.status() for supervised in self._supervised]

    async def run(self) -> NoReturn:
        """Run all drivers until cancelled; then return within about `stop_timeout_s`."""
        async with asyncio.TaskGroup() as tasks:
            for supervised in self._supervised:
                tasks.create_task(self._supervise(supervised), name=f"supervise {supervised.driver.name}")
            await asyncio.get_running_loop().create_future()  # also without drivers: until cancelled
        raise AssertionError("the group ends by cancellation only")

    async def _supervise(self, supervised: _Supervised) -> NoReturn:
        while True:
            started_s = self._clock.monotonic_s()
            try:
                await self._run_to_its_end(supervised.driver)
            except Exception as error:  # the place where a driver's crash is contained
                self._note_crash(supervised, error)
            if self._clock.monotonic_s() - started_s > RESTART_WAIT_MAX_S:
                supervised.back_off.reset()
            await self._clock.sleep(supervised.back_off.next_s())
            supervised.restart_count += 1
            supervised.crash_text = ""

    async def _run_to_its_end(self, driver: Driver) -> NoReturn:
        """Run the driver in a task of its own, so that one that does not stop can be left behind."""
        task = asyncio.create_task(driver.run(self._sink), name=f"driver {driver.name}")
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            await self._stop(driver, task)
            raise
        if task.cancelled():
            raise DriverEnded("the driver cancelled itself")
        task.result()
        raise DriverEnded("the driver returned although nobody stopped it")

    async def _stop(self, driver: Driver, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=self._stop_timeout_s)
        if not task.done():
            _LOG.error("stop_timed_out", driver=driver.name, timeout_s=self._stop_timeout_s)
        elif not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("crashed", driver=driver.name, error=_describe(error))

    def _note_crash(self, supervised: _Supervised, error: Exception) -> None:
        name = supervised.driver.name
        supervised.crash_text = _describe(error)
        supervised.crash_us = self._clock.now_us()
        _LOG.error("crashed", driver=name, error=supervised.crash_text)
        try:
            self._journal.outage_began(name, supervised.crash_us, "driver_crash", supervised.crash_text)
        except Exception as journal_error:  # a full disk must not end the other drivers
            _LOG.error("journal_failed", driver=name, error=_describe(journal_error))


def _register_metrics(metrics: Metrics, supervised: _Supervised) -> None:
    name = supervised.driver.name
    metrics.gauge(
        "historian_driver_running",
        "1 while the device answers, else 0",
        lambda: float(supervised.status().state == "running"),
        driver=name,
    )
    metrics.gauge(
        "historian_driver_last_data_seconds",
        "Unix time of the newest values read from the device; 0 before the first",
        lambda: (supervised.status().last_data_us or 0) / SECOND_US,
        driver=name,
    )
    metrics.observed_counter(
        "historian_driver_restarts_total",
        "Restarts of a driver after a crash",
        lambda: float(supervised.restart_count),
        driver=name,
    )
    for event in supervised.driver.status().counters:
        metrics.observed_counter(
            "historian_driver_events_total",
            "What a driver counts: requests, answers, timeouts, samples stored, dropped …",
            functools.partial(_event_count, supervised.driver, event),
            driver=name,
            event=event,
        )


def _event_count(driver: Driver, event: str) -> float:
    return float(driver.status().counters[event])


def _describe(error: BaseException) -> str:
    """What happened and where, in one line; the errors of a group one after the other."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_describe(member) for member in error.exceptions)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
