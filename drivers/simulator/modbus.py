"""A Modbus TCP meter on a 10 kV feeder: a real server in its own process that replays a real load.

Registers (holding, unit 1, addresses from 0), as `config/substations/demo110.toml` reads them:

```
100 101 102   phase voltages A B C   uint16   1 V
103 104 105   phase currents A B C   uint16   0.1 A
110           active power P         float32  kW     (high word first)
112           reactive power Q       float32  kvar
```

P and Q are what the shown voltages and currents give: P = Σ U·I·cos φ over the phases, which for a
balanced feeder is √3·U·I·cos φ. Reading any other address is answered with exception 2.
"""

import argparse
import asyncio
import contextlib
import math
import random
import signal
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.simulator import starter
from drivers.simulator.load_shape import LoadShape, load_shape_path, read_load_shape
from historian.clock import Clock, SystemClock

PORT_DEFAULT: Final = 15_020
UNIT_ID: Final = 1
VOLTAGE_ADDRESS: Final = 100
REGISTER_COUNT: Final = 14  # 100 to 113; 106 to 109 are there and hold 0

LINE_VOLTAGE_V: Final = 10_300.0  # a feeder is held a little above its nominal 10 kV
HOUSE_VOLTAGE_V: Final = 241.4  # mean of the recorded house
BASE_POWER_KW: Final = 1_100.0  # what the feeder carries when the recorded house draws nothing
POWER_KW_PER_HOUSE_KW: Final = 900.0
REACTIVE_SHARE: Final = 0.25  # Q/P of the feeder's motors and transformers, cos φ about 0.97
REACTIVE_KVAR_PER_HOUSE_KVAR: Final = 600.0
PHASE_SHARES: Final = (1.01, 0.985, 1.005)  # a feeder is never quite balanced; the sum is 3
NOISE_SHARE: Final = 0.004  # standard deviation of the fast movement of load and voltage


class Measurement(NamedTuple):
    """What the meter measures at one moment."""

    voltage_v: tuple[int, int, int]
    current_da: tuple[int, int, int]  # tenths of an ampere
    active_power_kw: float
    reactive_power_kvar: float

    def to_registers(self) -> list[int]:
        """The register block from `VOLTAGE_ADDRESS` on."""
        floats = struct.pack(">ff", self.active_power_kw, self.reactive_power_kvar)
        return [*self.voltage_v, *self.current_da, 0, 0, 0, 0, *struct.unpack(">4H", floats)]


class Feeder:
    """The feeder behind the meter; the same seed and times give the same measurements."""

    def __init__(self, shape: LoadShape, seed: int) -> None:
        self._shape = shape
        self._noise = random.Random(seed)

    def measure(self, time_us: int) -> Measurement:
        """Voltages and currents at a moment, and the power they make."""
        load = self._shape.at(time_us)
        power_kw = (BASE_POWER_KW + POWER_KW_PER_HOUSE_KW * load.active_power_kw) * self._jitter()
        reactive_kvar = REACTIVE_SHARE * power_kw + REACTIVE_KVAR_PER_HOUSE_KVAR * load.reactive_power_kvar
        apparent_kva = math.hypot(power_kw, reactive_kvar)
        phase_v = LINE_VOLTAGE_V / math.sqrt(3.0) * load.voltage_v / HOUSE_VOLTAGE_V
        voltages = [round(phase_v * self._jitter()) for _ in PHASE_SHARES]
        currents = [
            round(10_000.0 * apparent_kva / 3.0 * share / voltage)
            for share, voltage in zip(PHASE_SHARES, voltages, strict=True)
        ]
        shown_kva = sum(u * i for u, i in zip(voltages, currents, strict=True)) / 10_000.0
        return Measurement(
            (voltages[0], voltages[1], voltages[2]),
            (currents[0], currents[1], currents[2]),
            shown_kva * power_kw / apparent_kva,
            shown_kva * reactive_kvar / apparent_kva,
        )

    def _jitter(self) -> float:
        return 1.0 + self._noise.gauss(0.0, NOISE_SHARE / 2.0)


@contextlib.asynccontextmanager
async def serving(host: str, port: int, *, seed: int = 1, clock: Clock | None = None) -> AsyncIterator[int]:
    """A listening simulator while the context lasts; gives its port (another than asked where that is 0).

    Raises OSError where the port is in use.
    """
    feeder = Feeder(read_load_shape(load_shape_path()), seed)
    server = ModbusTcpServer(_device(feeder, clock or SystemClock()), address=(host, port))
    if not await server.listen():
        raise OSError(f"cannot listen on {host}:{port}; is the port in use?")
    try:
        yield _port_of(server)
    finally:
        server.close()


async def serve(
    host: str,
    port: int,
    *,
    seed: int = 1,
    clock: Clock | None = None,
    on_listening: Callable[[int], None] | None = None,
) -> None:
    """Serve until cancelled. `on_listening` is told the port. Raises OSError where it is in use."""
    async with serving(host, port, seed=seed, clock=clock) as actual_port:
        if on_listening is not None:
            on_listening(actual_port)
        await asyncio.get_running_loop().create_future()


def main(arguments: Sequence[str] | None = None) -> int:
    """``historian simulate modbus``: serve until interrupted; 1 where the port is in use."""
    parser = argparse.ArgumentParser(
        prog="historian simulate modbus",
        description="A Modbus TCP meter on a 10 kV feeder, replaying a real load.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=PORT_DEFAULT, help=f"default: {PORT_DEFAULT}; 0: any free one"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the small random movement (default: 1)")
    starter.add_option(parser)
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve_until_told(options))
    except OSError as error:
        print(f"historian simulate modbus: {error}", flush=True)
        return 1
    return 0


async def _serve_until_told(options: argparse.Namespace) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    if options.until_stdin_ends:
        starter.watch(told.set)
    async with serving(options.host, options.port, seed=options.seed) as actual_port:
        print(f"modbus simulator listens on {options.host}:{actual_port}", flush=True)
        await told.wait()


def _device(feeder: Feeder, clock: Clock) -> SimDevice:
    async def measure(
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Called before each answer: bring the registers up to date; nobody may write them."""
        del function_code, start_address, address, count
        if set_values is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        registers[:REGISTER_COUNT] = feeder.measure(clock.now_us()).to_registers()
        return None

    block = SimData(VOLTAGE_ADDRESS, values=[0] * REGISTER_COUNT, datatype=DataType.REGISTERS)
    return SimDevice(UNIT_ID, simdata=[block], action=measure)


def _port_of(server: ModbusTcpServer) -> int:
    listener = cast(asyncio.Server, server.transport)  # pymodbus calls it a transport
    port: int = listener.sockets[0].getsockname()[1]
    return port


if __name__ == "__main__":
    raise SystemExit(main())
