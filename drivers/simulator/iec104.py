"""A controlled station for IEC 60870-5-104 with one transformer: a real server, by c104's server side.

common address 1
    1001  M_ME_TF_1  active power, MW        spontaneous on change beyond the dead band, and interrogated
    1002  M_ME_TF_1  reactive power, Mvar    the same
    2001  M_IT_TB_1  imported energy, kWh    counter interrogation

c104's server drops what comes too fast (some hundred values a second): it is for functions, not load.
Callback signatures are compared literally, so they are annotated with c104's own types.
"""

import argparse
import asyncio
import contextlib
import datetime
import random
import signal
import socket
import sys
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Final

import c104

from drivers.simulator import starter
from drivers.simulator.load_shape import ROW_US, load_shape_path, read_load_shape
from drivers.simulator.transformer_load import TransformerLoad
from historian.clock import Clock, SystemClock
from historian.errors import HistorianError, TimeError
from historian.model.timestamp import EPOCH, load_zone

COMMON_ADDRESS: Final = 1
ACTIVE_POWER_ADDRESS: Final = 1001
REACTIVE_POWER_ADDRESS: Final = 1002
ENERGY_ADDRESS: Final = 2001
DEFAULT_PORT: Final = 12404
DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"  # what the station's clock shows; the wire carries no zone
DEFAULT_DEAD_BAND_MW: Final = 0.05  # 0.1 % of the rated power
NOISE_SHARE: Final = 0.004  # what many small consumers make, besides the shape
NOISE_KEPT: Final = 0.9  # of the last step's noise
TICK_MS: Final = 50
SEQUENCE_MODULUS: Final = 32  # a counter's sequence number has five bits (60870-5-101 §7.2.6.9)


class SimulationError(HistorianError):
    """The simulator cannot do what was asked."""


class SimulatedStation:
    """The server and its values. Its methods may block: call them from a worker thread."""

    def __init__(
        self,
        host: str,
        port: int,
        load: TransformerLoad,
        dead_band_mw: float,
        zone: zoneinfo.ZoneInfo,
        clock: Clock,
    ) -> None:
        self._load = load
        self._dead_band_mw = dead_band_mw
        self._clock = clock
        self._zone = zone
        self._noise = 0.0
        self._random = random.Random(1)
        self._server = c104.Server(ip=host, port=port, tick_rate_ms=TICK_MS)
        station = self._server.add_station(COMMON_ADDRESS)
        assert station is not None, "the first station of a server is always taken"
        self._active_power = _add_point(station, ACTIVE_POWER_ADDRESS, c104.Type.M_ME_TF_1)
        self._reactive_power = _add_point(station, REACTIVE_POWER_ADDRESS, c104.Type.M_ME_TF_1)
        self._energy = _add_point(station, ENERGY_ADDRESS, c104.Type.M_IT_TB_1)
        self._power_mw: dict[int, float] = {}  # reactive power in Mvar
        self._told_mw = {ACTIVE_POWER_ADDRESS: 0.0, REACTIVE_POWER_ADDRESS: 0.0}
        for point in (self._active_power, self._reactive_power, self._energy):
            point.on_before_read(self._on_before_read)
        self._measure()

    def start(self) -> None:
        """Listen. Raises SimulationError."""
        try:
            self._server.start()
        except RuntimeError as error:
            raise SimulationError(
                f"cannot listen on {self._server.ip}:{self._server.port}: {error}"
            ) from error

    def stop(self) -> None:
        """Close all connections and the port."""
        self._server.stop()

    def step(self) -> None:
        """One period: measure, and tell what left its dead band."""
        self._noise = self._noise * NOISE_KEPT + self._random.gauss(0.0, NOISE_SHARE) * (1.0 - NOISE_KEPT)
        self._measure()
        for point in (self._active_power, self._reactive_power):
            value_mw = self._power_mw[point.io_address]
            if abs(value_mw - self._told_mw[point.io_address]) >= self._dead_band_mw:
                self._told_mw[point.io_address] = value_mw
                point.transmit(c104.Cot.SPONTANEOUS)

    def _measure(self) -> None:
        now_us = self._clock.now_us()
        load = self._load.at(now_us)
        factor = (1.0 + self._noise) / 1000.0
        stamp = (EPOCH + datetime.timedelta(microseconds=now_us)).astimezone(self._zone)
        self._power_mw = {
            ACTIVE_POWER_ADDRESS: load.active_power_kw * factor,
            REACTIVE_POWER_ADDRESS: load.reactive_power_kvar * factor,
        }
        for point in (self._active_power, self._reactive_power):
            point.info = c104.ShortInfo(self._power_mw[point.io_address], c104.Quality(), stamp)
        self._energy.info = c104.BinaryCounterInfo(
            int(self._load.meter_kwh(now_us)),
            c104.UInt5(now_us // ROW_US % SEQUENCE_MODULUS),
            c104.BinaryCounterQuality(),
            stamp,
        )

    def _on_before_read(self, point: c104.Point) -> None:
        # On c104's thread: an interrogation answers with what is now, not with the last told.
        self._measure()


async def serve(
    host: str,
    port: int,
    *,
    period_s: float = 1.0,
    dead_band_mw: float = DEFAULT_DEAD_BAND_MW,
    time_zone: str = DEFAULT_TIME_ZONE,
    clock: Clock | None = None,
    on_listening: Callable[[int], None] | None = None,
) -> None:
    """Be a station until cancelled. Raises SimulationError where it cannot listen.

    Port 0 is any free one; `on_listening` is told which. `period_s` is the time between two
    measurements; `dead_band_mw` counts for Mvar too.
    """
    used_clock = clock or SystemClock()
    actual_port = port or _free_port(host)
    load = TransformerLoad(read_load_shape(load_shape_path()))
    station = SimulatedStation(host, actual_port, load, dead_band_mw, load_zone(time_zone), used_clock)
    await asyncio.to_thread(station.start)
    if on_listening is not None:
        on_listening(actual_port)
    try:
        while True:
            await asyncio.to_thread(station.step)
            await used_clock.sleep(period_s)
    finally:
        await asyncio.to_thread(station.stop)


def main(arguments: Sequence[str] | None = None) -> int:
    """``historian simulate iec104``: serve until interrupted; 1 where it cannot listen."""
    parser = argparse.ArgumentParser(
        prog="historian simulate iec104", description="A substation's transformer, by IEC 60870-5-104."
    )
    parser.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s; 0: any free one")
    parser.add_argument(
        "--period-s", type=float, default=1.0, help="seconds between measurements (default %(default)s)"
    )
    parser.add_argument(
        "--dead-band-mw",
        type=float,
        default=DEFAULT_DEAD_BAND_MW,
        help="a change from here on is told at once, in MW and Mvar (default %(default)s)",
    )
    parser.add_argument(
        "--time-zone", default=DEFAULT_TIME_ZONE, help="of the station's clock (default %(default)s)"
    )
    starter.add_option(parser)
    options = parser.parse_args(arguments)
    if options.period_s <= 0.0 or options.dead_band_mw < 0.0 or not 0 <= options.port <= 65_535:
        parser.error("--period-s is above 0, --dead-band-mw at least 0, --port 0 to 65535")
    try:
        asyncio.run(_serve_until_signal(options))
    except (SimulationError, TimeError, OSError) as error:
        print(f"historian simulate iec104: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve_until_signal(options: argparse.Namespace) -> None:
    serving = asyncio.ensure_future(
        serve(
            options.host,
            options.port,
            period_s=options.period_s,
            dead_band_mw=options.dead_band_mw,
            time_zone=options.time_zone,
            on_listening=lambda port: print(f"iec104 simulator listens on {options.host}:{port}", flush=True),
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    if options.until_stdin_ends:
        starter.watch(serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _free_port(host: str) -> int:
    # c104 cannot say which port it got, so one is looked for before.
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
    return port


def _add_point(station: c104.Station, address: int, type_id: c104.Type) -> c104.Point:
    point = station.add_point(address, type_id)
    assert point is not None, "addresses of the station differ"
    return point


if __name__ == "__main__":
    raise SystemExit(main())
