"""The demo: a year of real data imported at the first start, and simulated field devices to collect from."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from drivers.gateway import csv_file, import_progress, mapping
from drivers.substation import Substation
from historian import resources
from historian.core import Core
from historian.errors import PointNotFound
from historian.logs import EventLog
from historian.model.term import MainPowerTerm
from historian.store import filenames

log = EventLog("demo")

MAIN_POWER_POINT: Final = "demo110.t1.p"
SIMULATOR_START_TRIES_MAX: Final = 100
SIMULATOR_START_WAIT_S: Final = 0.05
SIMULATOR_STOP_TIMEOUT_S: Final = 2.0


async def import_once(core: Core) -> None:
    """Import the steel works' year, the way a user would, unless an earlier start did so to the end."""
    stamp = core.store.folder / filenames.DEMO_STAMP
    if stamp.exists():
        return
    folder = resources.config_dir() / "demo"
    report = await csv_file.import_csv(
        folder / "steel.csv.gz",
        mapping.load(folder / "steel.toml"),
        core.sink,
        core.registry,
        progress=import_progress.terminal_progress(),
        quarantine_dir=core.store.folder / filenames.QUARANTINE_FOLDER,
    )
    core.store.files.publish(stamp, b"")
    log.info("imported", rows=report.rows, accepted=report.accepted, duplicate=report.duplicate)


def state_once(core: Core) -> None:
    """Say of the demo substation what only its people know: the transformer takes what the station takes."""
    try:
        point = core.registry.get(MAIN_POWER_POINT)
    except PointNotFound:
        return  # other substations are configured
    if not core.terms.statements(point.id):
        reason = "the station is supplied through its transformer"
        core.terms.state(point.id, MainPowerTerm(), core.clock.now_us(), None, "demo", reason)


@contextlib.asynccontextmanager
async def simulators(stations: Sequence[Substation]) -> AsyncIterator[None]:
    """A simulator process for every driver of the configured substations, on the port it connects to."""
    drivers = [driver for station in stations for driver in station.settings.drivers]
    processes = [
        await _start(str(driver.__struct_config__.tag), driver.host, driver.port) for driver in drivers
    ]
    try:
        for driver in drivers:
            await _wait_listening(driver.host, driver.port)
        yield
    finally:
        await asyncio.gather(*map(_stop, processes))


async def _start(protocol: str, host: str, port: int) -> asyncio.subprocess.Process:
    name = protocol.removesuffix("_tcp")
    command = [sys.executable, "-m", "historian.cli", "simulate", name, "--host", host, "--port", str(port)]
    command.append("--until-stdin-ends")  # a killed historian leaves no simulator that holds the port
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])}
    # A session of its own: Ctrl-C in the terminal reaches only the historian, which then stops them.
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.PIPE, start_new_session=True
    )
    log.info("simulator_started", protocol=protocol, port=port, process=process.pid)
    return process


async def _wait_listening(host: str, port: int) -> None:
    """Return when the simulator can be reached, or after a while: the driver tries again by itself."""
    for _ in range(SIMULATOR_START_TRIES_MAX):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(SIMULATOR_START_WAIT_S)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), SIMULATOR_STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
