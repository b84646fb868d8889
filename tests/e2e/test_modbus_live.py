"""The Modbus driver against real servers: the bundled simulator in its own process, and devices that misbehave."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from drivers import substation
from drivers.supervisor import Supervisor
from historian import resources
from historian.clock import SystemClock
from historian.metrics import Metrics
from historian.model.point import SECOND_US
from historian.model.ports import DriverStatus
from tests.support.fake_ports import ListDirectory, ListJournal, ListSink
from tests.support.waiting import until

EVERY_LOOP = True

WITHIN_S = 15.0
STOP_WITHIN_S = 5.0

DRIVER = """
[[drivers]]
protocol = "modbus_tcp"
name = "{name}"
host = "127.0.0.1"
port = {port}
poll_interval_s = 0.1
response_timeout_s = 0.2
connect_timeout_s = 1.0
back_off_min_s = 0.05
back_off_max_s = 0.2
"""

POINT = """
[[drivers.points]]
name = "{name}.r{address}"
unit = "A"
interval = "1s"
address = {address}
"""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SimulatorProcess:
    """The simulator as `historian simulate modbus` runs it; keeps its port over a restart."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        root = resources.application_dir()
        command = [sys.executable, "-m", "drivers.simulator.modbus", "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline().rsplit(":", 1)[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess()
    process.start()
    yield process
    process.kill()


@pytest.fixture
def other_simulator() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess()
    process.start()
    yield process
    process.kill()


class Station:
    """The drivers of a substation file at work, ending in lists."""

    def __init__(self, folder: Path, text: str) -> None:
        path = folder / "s1.toml"
        path.write_text('station = "s1"\n' + text, encoding="utf-8")
        self.sink = ListSink()
        self.journal = ListJournal()
        self.directory = ListDirectory()
        clock = SystemClock()
        drivers = substation.build_drivers(substation.load(path), self.directory, self.journal, clock)
        self.supervisor = Supervisor(drivers, self.sink, self.journal, clock, Metrics())

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Station"]:
        task = asyncio.create_task(self.supervisor.run())
        try:
            yield self
        finally:
            task.cancel()
            began_s = time.monotonic()
            await asyncio.gather(task, return_exceptions=True)
            assert time.monotonic() - began_s < STOP_WITHIN_S

    def status(self, name: str) -> DriverStatus:
        (status,) = [each for each in self.supervisor.statuses() if each.name == name]
        return status

    def times_us(self, point_name: str) -> list[int]:
        point_id = self.directory.get(point_name).id
        return [sample.time_us for sample in self.sink.samples if sample.point_id == point_id]


@asynccontextmanager
async def device(handler: Handler) -> AsyncIterator[int]:
    """A raw TCP server; gives its port."""
    handled: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.append(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            await handler(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # the driver hung up
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*handled, return_exceptions=True)


def driver_text(name: str, port: int, *addresses: int) -> str:
    points = "".join(POINT.format(name=name, address=address) for address in addresses)
    return DRIVER.format(name=name, port=port) + points


async def test_the_demo_feeder_is_collected(tmp_path: Path, simulator: SimulatorProcess) -> None:
    text = (resources.config_dir() / "substations" / "demo110.toml").read_text(encoding="utf-8")
    modbus_part = text[text.index("[[drivers]]") : text.index('protocol = "iec104"')].rpartition(
        "[[drivers]]"
    )[0]
    quick = modbus_part.replace("port = 15020", f"port = {simulator.port}").replace("5.0", "0.5")
    async with Station(tmp_path, quick.replace('interval = "1m"', 'interval = "1s"')).running() as station:
        await until(lambda: len(station.sink.samples) >= 24, WITHIN_S, step_s=0.05)
    values = {
        station.directory.by_id(each.point_id).name.rsplit(".")[-1]: each.value
        for each in station.sink.samples[:8]
    }
    apparent_kva = sum(values[f"u{phase}"] * values[f"i{phase}"] for phase in "abc")
    assert values["p"] ** 2 + values["q"] ** 2 == pytest.approx(apparent_kva**2, rel=1e-5)
    assert 5.3 < values["ua"] < 6.3
    assert round(values["ia"], 1) == values["ia"], "tenths are exact"


async def test_stamps_are_regular(tmp_path: Path, simulator: SimulatorProcess) -> None:
    async with Station(tmp_path, driver_text("a", simulator.port, 100)).running() as station:
        await until(lambda: len(station.sink.samples) >= 4, WITHIN_S, step_s=0.05)
    stamps_us = station.times_us("a.r100")[1:]  # the first one came when it connected
    assert all(stamp_us % SECOND_US == 0 for stamp_us in stamps_us)
    assert {after - before for before, after in itertools.pairwise(stamps_us)} == {SECOND_US}


async def test_a_killed_device_is_an_outage_and_comes_back_and_others_do_not_notice(
    tmp_path: Path, simulator: SimulatorProcess, other_simulator: SimulatorProcess
) -> None:
    text = driver_text("a", simulator.port, 100) + driver_text("b", other_simulator.port, 100)
    async with Station(tmp_path, text).running() as station:
        await until(lambda: min(len(station.times_us(f"{n}.r100")) for n in "ab") >= 1, WITHIN_S, step_s=0.05)
        simulator.kill()
        await until(lambda: station.journal.causes("a") == ["ended", "link_down"], WITHIN_S, step_s=0.05)
        stored_by_b = len(station.times_us("b.r100"))
        await until(lambda: len(station.times_us("b.r100")) >= stored_by_b + 2, WITHIN_S, step_s=0.05)
        assert station.status("a").state in ("connecting", "waiting")
        assert station.status("b").state == "running"
        stored_by_a = len(station.times_us("a.r100"))
        simulator.start()
        await until(lambda: station.journal.causes("a")[-1] == "ended", WITHIN_S, step_s=0.05)
        await until(lambda: len(station.times_us("a.r100")) > stored_by_a, WITHIN_S, step_s=0.05)
        assert station.status("a").state == "running"
        assert station.status("a").restart_count == 0, "a lost link is no crash"
    assert station.journal.causes("b") == ["ended"]
    gaps_us = [after - before for before, after in itertools.pairwise(station.times_us("b.r100")[1:])]
    assert set(gaps_us) <= {SECOND_US}


async def test_an_exception_answer_costs_only_its_points(tmp_path: Path, simulator: SimulatorProcess) -> None:
    text = driver_text("a", simulator.port, 100, 4000)  # the simulator has no address 4000
    async with Station(tmp_path, text).running() as station:
        await until(lambda: len(station.times_us("a.r100")) >= 2, WITHIN_S, step_s=0.05)
        status = station.status("a")
    refused = station.directory.get("a.r4000")
    assert station.journal.causes(f"a/{refused.id}") == ["device_exception"]
    assert station.times_us("a.r4000") == []
    assert (status.state, status.counters["connections"]) == ("running", 1)
    assert status.counters["device_exceptions"] >= 2


async def test_a_device_that_stalls_is_connected_anew(tmp_path: Path) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the driver gives up
        while not reader.at_eof():
            await reader.read()

    async with device(stall) as port, Station(tmp_path, driver_text("a", port, 100)).running() as station:
        await until(lambda: station.status("a").counters["connections"] >= 2, WITHIN_S, step_s=0.05)
        status = station.status("a")
    assert station.journal.causes("a") == ["timeout"], "one outage, however many connections"
    assert status.counters["timeouts"] >= 3
    assert station.sink.samples == []


async def test_answers_with_a_foreign_transaction_id_are_never_stored(tmp_path: Path) -> None:
    async def answer_wrongly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readexactly(12)
            foreign = (int.from_bytes(request[:2], "big") + 7).to_bytes(2, "big")
            writer.write(foreign + bytes.fromhex("0000 0005 01 03 02 ffff"))

    async with (
        device(answer_wrongly) as port,
        Station(tmp_path, driver_text("a", port, 100)).running() as station,
    ):
        await until(lambda: station.status("a").counters["timeouts"] >= 4, WITHIN_S, step_s=0.05)
    assert station.sink.samples == []
    assert station.journal.causes("a") == ["timeout"]


async def test_a_device_that_recovers_from_stalling_goes_on_in_the_same_connection(tmp_path: Path) -> None:
    async def skip_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in itertools.count():
            request = await reader.readexactly(12)
            if number % 3 != 2:
                writer.write(request[:2] + bytes.fromhex("0000 0005 01 03 02 00e6"))

    async with device(skip_one) as port, Station(tmp_path, driver_text("a", port, 100)).running() as station:
        await until(lambda: station.status("a").counters["timeouts"] >= 2, WITHIN_S, step_s=0.05)
        assert station.status("a").counters["connections"] == 1
    assert station.journal.causes("a") == ["ended"]
    assert {sample.value for sample in station.sink.samples} == {230.0}
