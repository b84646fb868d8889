import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from drivers.codec.asdu import Asdu, TypeId, decode_asdu
from drivers.codec.cp56 import decode_cp56
from drivers.iec104_link import Iec104Link
from drivers.iec104_settings import Iec104Settings
from drivers.simulator.iec104 import SimulationError, main, serve
from drivers.simulator.load_shape import load_shape_path, read_load_shape
from drivers.simulator.transformer_load import TransformerLoad
from historian.clock import ManualClock
from historian.model.point import SECOND_US
from historian.model.timestamp import parse_time_us

NOON_US = parse_time_us("2026-11-22T12:00:00+08:00")


class SteppedClock(ManualClock):
    """Lets its sleepers wait until the test moves it."""

    def __init__(self, now_us: int) -> None:
        super().__init__(now_us)
        self._moved = asyncio.Event()

    async def sleep(self, duration_s: float) -> None:
        due_s = self.monotonic_s() + duration_s
        while self.monotonic_s() < due_s:
            self._moved.clear()
            await self._moved.wait()

    def advance(self, duration_s: float) -> None:
        super().advance(duration_s)
        self._moved.set()


@asynccontextmanager
async def collecting(**options: object) -> AsyncIterator[tuple[Iec104Link, "asyncio.Queue[Asdu]"]]:
    """A simulator, a link to it, and what it tells."""
    loop = asyncio.get_running_loop()
    port: asyncio.Future[int] = loop.create_future()
    serving = asyncio.ensure_future(
        serve("127.0.0.1", 0, time_zone="UTC", on_listening=port.set_result, **options)  # type: ignore[arg-type]
    )
    told: asyncio.Queue[Asdu] = asyncio.Queue()

    def tell(octets: bytes) -> None:
        loop.call_soon_threadsafe(told.put_nowait, decode_asdu(octets))

    try:
        link = Iec104Link(Iec104Settings(name="d", host="127.0.0.1", port=await port), tell)
        try:
            await link.open()
            yield link, told
        finally:
            await link.close()
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def next_of(told: "asyncio.Queue[Asdu]", type_id: TypeId) -> Asdu:
    async with asyncio.timeout(10.0):
        while True:
            asdu = await told.get()
            if asdu.type_id == type_id:
                return asdu


async def test_general_interrogation_answers_with_both_powers() -> None:
    async with collecting(period_s=3600.0) as (link, told):
        await link.interrogate(1)
        asdu = await next_of(told, TypeId.M_ME_TF_1)
        assert asdu.cause_of_transmission == 20
        power = {entry.information_object_address: entry.value for entry in asdu.objects}
        assert set(power) == {1001, 1002}
        assert 5.0 < power[1001] < 45.0
        assert 2.0 < power[1002] < 15.0


async def test_interrogation_answers_with_what_is_now() -> None:
    clock = SteppedClock(NOON_US)
    async with collecting(period_s=3600.0, clock=clock) as (link, told):
        clock.advance(600.0)
        await link.interrogate(1)
        asdu = await next_of(told, TypeId.M_ME_TF_1)
        assert decode_cp56(asdu.objects[0].time_octets).local_us == NOON_US + 600 * SECOND_US


async def test_counter_interrogation_answers_with_the_meter() -> None:
    load = TransformerLoad(read_load_shape(load_shape_path()))
    async with collecting(period_s=3600.0, clock=SteppedClock(NOON_US)) as (link, told):
        await link.interrogate_counters(1)
        asdu = await next_of(told, TypeId.M_IT_TB_1)
        assert asdu.cause_of_transmission == 37
        readings = {entry.information_object_address: entry.value for entry in asdu.objects}
        assert readings == {2001: float(int(load.meter_kwh(NOON_US)))}


async def test_change_beyond_the_dead_band_is_told_with_its_time() -> None:
    clock = SteppedClock(NOON_US)
    async with collecting(period_s=60.0, dead_band_mw=0.0, clock=clock) as (_, told):
        clock.advance(60.0)
        asdu = await next_of(told, TypeId.M_ME_TF_1)
        assert asdu.cause_of_transmission == 3
        assert decode_cp56(asdu.objects[0].time_octets).local_us == NOON_US + 60 * SECOND_US


async def test_change_within_the_dead_band_is_not_told() -> None:
    clock = ManualClock(NOON_US)  # makes nobody wait: a second of the station is a moment here
    async with collecting(period_s=1.0, dead_band_mw=1000.0, clock=clock) as (_, told):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(told.get(), 0.3)  # several ticks of the server
        assert clock.monotonic_s() > 10.0


async def test_port_in_use_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SimulationError, match="cannot listen"),
    ):
        await serve("127.0.0.1", taken.getsockname()[1])


def test_process_on_a_port_in_use_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert capsys.readouterr().err.startswith("historian simulate iec104: cannot listen on 127.0.0.1:")


@pytest.mark.parametrize("arguments", [["--period-s", "0"], ["--port", "65536"], ["--dead-band-mw", "-1"]])
def test_option_out_of_range_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(arguments)
    assert refusal.value.code == 2
