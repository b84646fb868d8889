"""The demo's transformer, live: the simulator in a process of its own, the driver, a sink in memory."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from drivers import substation
from drivers.driver import Driver
from drivers.iec104_settings import Iec104Settings
from historian.clock import SystemClock
from historian.model import quality
from historian.model.point import SECOND_US
from tests.support.fake_ports import KeptSample, ListDirectory, ListJournal, ListSink

POWER, REACTIVE_POWER, ENERGY = "demo110.t1.p", "demo110.t1.q", "demo110.t1.import.energy"
WITHIN_S = 20.0


class Simulator:
    """`historian simulate iec104` on a port that stays the same over restarts."""

    def __init__(self, root: Path, *options: str) -> None:
        self._root = root
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def start(self) -> None:
        """Start and wait until it listens."""
        command = ["-m", "drivers.simulator.iec104", "--port", str(self.port), *self._options]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=self._root, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), WITHIN_S)).decode()
        assert line.startswith("iec104 simulator listens on 127.0.0.1:"), line
        self.port = int(line.rpartition(":")[2])

    async def end(self, number: signal.Signals) -> int:
        """Send a signal; answers how the process ended."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), WITHIN_S)


class Collector:
    """A driver as the substation file describes it, and what it hands on."""

    def __init__(
        self, driver: Driver, directory: ListDirectory, sink: ListSink, journal: ListJournal
    ) -> None:
        self.driver = driver
        self.sink = sink
        self.journal = journal
        self._directory = directory

    def samples(self, name: str) -> list[KeptSample]:
        point_id = self._directory.get(name).id
        return [sample for sample in self.sink.samples if sample.point_id == point_id]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not is_true():
                await SystemClock().sleep(0.02)

    @property
    def outages(self) -> list[str]:
        return self.journal.causes(self.driver.name)


@asynccontextmanager
async def simulator(root: Path, *options: str) -> AsyncIterator[Simulator]:
    running = Simulator(root, *options)
    await running.start()
    try:
        yield running
    finally:
        await running.end(signal.SIGKILL)


@asynccontextmanager
async def collector(root: Path, port: int, **changes: object) -> AsyncIterator[Collector]:
    demo = substation.load(root / "config" / "substations" / "demo110.toml")
    only_104 = [
        msgspec.structs.replace(settings, port=port, back_off_min_s=0.05, back_off_max_s=0.2, **changes)
        for settings in demo.settings.drivers
        if isinstance(settings, Iec104Settings)
    ]
    demo = demo._replace(settings=msgspec.structs.replace(demo.settings, drivers=tuple(only_104)))
    directory, sink, journal = ListDirectory(), ListSink(), ListJournal()
    [driver] = substation.build_drivers(demo, directory, journal, SystemClock())
    task = asyncio.create_task(driver.run(sink))
    try:
        yield Collector(driver, directory, sink, journal)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_interrogated_values_are_those_of_a_50_mva_transformer(root: Path) -> None:
    async with (
        simulator(root, "--dead-band-mw", "1000") as station,
        collector(root, station.port) as collecting,
    ):
        await collecting.until(lambda: len(collecting.sink.samples) >= 3)
        before_us = SystemClock().now_us() - 10 * SECOND_US
        [power], [reactive], [energy] = (collecting.samples(name) for name in (POWER, REACTIVE_POWER, ENERGY))
        assert 8.0 < power.value < 45.0
        assert 3.0 < reactive.value < 15.0
        assert energy.value > 1_000_000.0
        for sample in (power, reactive, energy):
            assert sample.quality == quality.GOOD, "the source time is believed: its zone is the driver's"
            assert before_us < sample.time_us <= SystemClock().now_us()


async def test_changes_are_told_with_the_time_of_the_source(root: Path) -> None:
    options = ("--period-s", "0.05", "--dead-band-mw", "0")
    async with simulator(root, *options) as station, collector(root, station.port) as collecting:
        await collecting.until(lambda: len(collecting.samples(POWER)) >= 10)
        times_us = [sample.time_us for sample in collecting.samples(POWER)]
        assert len(set(times_us)) == len(times_us), "each once"
        assert all(time_us % 1_000 == 0 for time_us in times_us), "the resolution of CP56Time2a"
        assert {sample.quality for sample in collecting.samples(POWER)} == {quality.GOOD}


async def test_counters_are_read_again_at_their_interval(root: Path) -> None:
    async with (
        simulator(root) as station,
        collector(root, station.port, counter_interrogation_interval_s=1) as collecting,
    ):
        await collecting.until(lambda: len(collecting.samples(ENERGY)) >= 3)
        readings = [sample.value for sample in collecting.samples(ENERGY)]
        assert readings == sorted(readings)
        assert all(reading == int(reading) for reading in readings)
        # sent on whole seconds; the answer's stamp follows at once
        assert all(sample.time_us % SECOND_US < 0.8 * SECOND_US for sample in collecting.samples(ENERGY)[1:])


async def test_killed_station_is_an_outage_until_it_is_back(root: Path) -> None:
    async with simulator(root) as station, collector(root, station.port) as collecting:
        await collecting.until(lambda: len(collecting.samples(POWER)) >= 1)
        assert collecting.outages == ["ended"]
        await station.end(signal.SIGKILL)
        await collecting.until(lambda: collecting.outages == ["ended", "link_down"])
        assert collecting.driver.status().state in ("waiting", "connecting")
        sample_count = len(collecting.sink.samples)
        await station.start()
        await collecting.until(lambda: collecting.outages == ["ended", "link_down", "ended"])
        await collecting.until(lambda: len(collecting.sink.samples) >= sample_count + 3)
        status = collecting.driver.status()
        assert (status.state, status.restart_count) == ("running", 0)
        assert status.counters["reconnects"] >= 1


async def test_driver_that_starts_first_waits_for_its_station(root: Path) -> None:
    async with simulator(root) as station:
        await station.end(signal.SIGTERM)
        async with collector(root, station.port) as collecting:
            await collecting.until(lambda: collecting.outages == ["link_down"])
            await station.start()
            await collecting.until(lambda: len(collecting.sink.samples) >= 3)
            assert collecting.outages == ["link_down", "ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_simulator_ends_cleanly_when_told(root: Path, number: signal.Signals) -> None:
    async with simulator(root) as station:
        assert await station.end(number) == 0


async def test_stopping_takes_no_time(root: Path) -> None:
    async with simulator(root) as station:
        clock = SystemClock()
        async with collector(root, station.port) as collecting:
            await collecting.until(lambda: len(collecting.sink.samples) >= 3)
            started_s = clock.monotonic_s()
        assert clock.monotonic_s() - started_s < 2.0
        assert collecting.driver.status().state == "stopped"
