import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.errors import AnswerMalformed, DeviceException, LinkLost, ResponseTimeout
from drivers.modbus_request import ReadRequest
from drivers.modbus_settings import ModbusPoint, ModbusTcpSettings, RegisterType
from drivers.modbus_tcp import ModbusTcpDriver
from historian.clock import ManualClock
from historian.model.point import MINUTE_US, SECOND_US, Point, PointKind
from tests.support.fake_ports import ListJournal, ListSink
from tests.support.waiting import until

NOON_US = 1_700_049_600 * SECOND_US


class ScriptedLink:
    """Answers from a table of registers, or as `fault` says; each request takes `answer_time_s`."""

    def __init__(self, clock: ManualClock) -> None:
        self.registers = {address: address for address in range(200)}
        self.fault: Callable[[ReadRequest], Exception | None] = lambda request: None
        self.open_fault: Exception | None = None
        self.answer_time_s = 0.01
        self.asked: list[tuple[int, int]] = []
        self.asked_at_s: list[float] = []
        self.open_count = 0
        self.is_open = False
        self._clock = clock

    async def open(self) -> None:
        await asyncio.sleep(0)
        if self.open_fault is not None:
            raise self.open_fault
        self.open_count += 1
        self.is_open = True

    async def read(self, request: ReadRequest) -> bytes:
        assert self.is_open
        self.asked.append((request.start_address, request.register_count))
        self.asked_at_s.append(self._clock.monotonic_s())
        await self._clock.sleep(self.answer_time_s)
        if (error := self.fault(request)) is not None:
            raise error
        last_address = request.start_address + request.register_count
        words = [self.registers[address] for address in range(request.start_address, last_address)]
        return struct.pack(f">{len(words)}H", *words)

    def close(self) -> None:
        self.is_open = False


class Bench:
    """A driver with a scripted device."""

    def __init__(self, *addresses: int, type_: RegisterType = RegisterType.UINT16, **changes: object) -> None:
        entries = tuple(
            ModbusPoint(name=f"p{address}", unit="kW", interval="1m", address=address, type=type_)
            for address in addresses
        )
        fields: dict[str, object] = {"name": "d1", "host": "10.0.0.1", "points": entries, **changes}
        points = [
            Point(id=index + 1, name=e.name, unit="kW", kind=PointKind.INSTANTANEOUS, interval_us=MINUTE_US)
            for index, e in enumerate(entries)
        ]
        self.clock = ManualClock(NOON_US - 3 * SECOND_US)
        self.link = ScriptedLink(self.clock)
        self.journal = ListJournal()
        self.sink = ListSink()
        settings = ModbusTcpSettings(**fields)  # type: ignore[arg-type]
        self.driver = ModbusTcpDriver(settings, "demo110", points, self.link, self.clock, self.journal)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.driver.run(self.sink))
        yield
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def run_for(self, duration_s: float) -> None:
        end_s = self.clock.monotonic_s() + duration_s
        async with self.running():
            await until(lambda: self.clock.monotonic_s() >= end_s)

    def counter(self, name: str) -> int:
        return self.driver.status().counters[name]

    def stamps_s(self, point_id: int = 1) -> list[float]:
        return [
            (sample.time_us - NOON_US) / SECOND_US
            for sample in self.sink.samples
            if sample.point_id == point_id
        ]


async def test_polls_lie_on_the_grid_and_one_a_minute_is_stored() -> None:
    bench = Bench(10)
    await bench.run_for(130.0)
    # Connected three seconds before noon: that first poll keeps its own time.
    assert bench.stamps_s() == [-2.995, 0.0, 60.0, 120.0]
    assert bench.link.asked_at_s[1:4] == [3.0, 8.0, 13.0]


async def test_values_are_those_of_the_registers() -> None:
    bench = Bench(10, 15)
    await bench.run_for(5.0)
    assert {(sample.point_id, sample.value) for sample in bench.sink.samples} == {(1, 10.0), (2, 15.0)}
    assert bench.link.asked[0] == (10, 6)


async def test_addresses_may_be_counted_from_one() -> None:
    bench = Bench(10, address_base=1)
    await bench.run_for(1.0)
    assert bench.link.asked[0] == (9, 1)


async def test_status_tells_state_and_newest_data() -> None:
    bench = Bench(10)
    async with bench.running():
        await until(lambda: bench.counter("answers") >= 2)
        status = bench.driver.status()
        assert (status.state, status.address, status.station) == ("running", "10.0.0.1:502", "demo110")
        assert status.last_data_us is not None
        assert status.last_data_us >= NOON_US
    assert bench.driver.status().state == "stopped"
    assert not bench.link.is_open


async def test_an_exception_puts_only_its_points_out() -> None:
    bench = Bench(10, 100)
    bench.link.fault = lambda request: DeviceException(4, "failure") if request.start_address == 10 else None
    await bench.run_for(70.0)
    assert bench.journal.causes("d1/1") == ["device_exception"]
    assert bench.journal.causes("d1/2") == []
    assert bench.stamps_s(1) == []
    assert bench.stamps_s(2) == [-2.985, 0.0, 60.0]
    assert bench.counter("device_exceptions") >= 10


async def test_points_come_back_when_the_exceptions_end() -> None:
    bench = Bench(10)
    async with bench.running():
        bench.link.fault = lambda request: DeviceException(6, "busy")
        await until(lambda: bench.counter("device_exceptions") >= 3)
        bench.link.fault = lambda request: None
        await until(lambda: bool(bench.sink.batches))
    assert bench.journal.causes("d1/1") == ["device_exception", "ended"]


async def test_a_device_with_holes_is_asked_without_them_for_the_rest_of_the_connection() -> None:
    def refuse_hole(request: ReadRequest) -> Exception | None:
        covers_hole = request.start_address <= 12 < request.start_address + request.register_count
        return DeviceException(2, "illegal data address") if covers_hole else None

    bench = Bench(10, 11, 15)
    bench.link.fault = refuse_hole
    await bench.run_for(10.0)
    assert bench.link.asked[:5] == [(10, 6), (10, 2), (15, 1), (10, 2), (15, 1)]
    assert not any(verb == "began" for verb, *_ in bench.journal.lines)


async def test_only_the_value_that_the_device_lacks_is_out() -> None:
    def refuse_eleven(request: ReadRequest) -> Exception | None:
        covers = request.start_address <= 11 < request.start_address + request.register_count
        return DeviceException(2, "illegal data address") if covers else None

    bench = Bench(10, 11, 12)
    bench.link.fault = refuse_eleven
    await bench.run_for(10.0)
    assert {line[1] for line in bench.journal.lines if line[0] == "began"} == {"d1/2"}
    assert bench.stamps_s(1)
    assert bench.stamps_s(3)


async def test_a_silent_device_is_connected_anew_after_three_timeouts() -> None:
    bench = Bench(10)
    bench.link.fault = lambda request: ResponseTimeout("no answer")
    async with bench.running():
        await until(lambda: bench.driver.status().state == "waiting")
        assert bench.counter("timeouts") == 3
        assert not bench.link.is_open
        await until(lambda: bench.link.open_count >= 2)
    assert bench.journal.causes("d1") == ["timeout"]


async def test_the_outage_ends_with_the_first_answer() -> None:
    bench = Bench(10)
    bench.link.fault = lambda request: ResponseTimeout("no answer")
    async with bench.running():
        await until(lambda: bench.link.open_count >= 3)
        bench.link.fault = lambda request: None
        await until(lambda: bool(bench.sink.batches))
    assert bench.journal.causes("d1") == ["timeout", "ended"]


async def test_one_silent_request_is_only_probed_and_others_go_on() -> None:
    bench = Bench(10, 100)
    bench.link.fault = lambda request: ResponseTimeout("silent") if request.start_address == 10 else None
    await bench.run_for(70.0)
    assert bench.journal.causes("d1/1") == ["timeout"]
    assert bench.journal.causes("d1") == ["ended"]
    assert bench.stamps_s(2) == [-2.985, 0.0, 60.0]
    assert bench.counter("timeouts") == 4  # three polls in a row, then one probe after 30 s
    assert bench.link.open_count == 1


async def test_malformed_answers_count_and_end_in_a_new_connection() -> None:
    bench = Bench(10)
    bench.link.fault = lambda request: AnswerMalformed("4 registers instead of 1")
    async with bench.running():
        await until(lambda: bench.driver.status().state == "waiting")
        assert bench.counter("malformed_answers") == 3
        await until(lambda: bench.link.open_count >= 2)
    assert bench.journal.causes("d1") == ["protocol_error"]


async def test_attempts_to_connect_are_spaced_by_a_growing_wait() -> None:
    bench = Bench(10, back_off_min_s=1.0, back_off_max_s=8.0)
    bench.link.open_fault = LinkLost("link_down", "cannot connect")
    waits: list[float] = []
    sleep = bench.clock.sleep

    async def noted_sleep(duration_s: float) -> None:
        waits.append(duration_s)
        await sleep(duration_s)

    bench.clock.sleep = noted_sleep  # type: ignore[method-assign]
    async with bench.running():
        await until(lambda: len(waits) >= 6)
    for wait_s, limit_s in zip(waits, (1.0, 2.0, 4.0, 8.0, 8.0, 8.0), strict=False):
        assert limit_s / 2 <= wait_s <= limit_s
    assert bench.journal.causes("d1") == ["link_down"]


async def test_after_an_answer_the_waits_start_small_again() -> None:
    bench = Bench(10, back_off_min_s=1.0, back_off_max_s=64.0)
    bench.link.open_fault = LinkLost("link_down", "cannot connect")
    async with bench.running():
        await until(lambda: bench.clock.monotonic_s() > 60.0)
        bench.link.open_fault = None
        await until(lambda: bench.driver.status().state == "running")
        bench.link.fault = lambda request: LinkLost("link_down", "closed")
        await until(lambda: bench.driver.status().state == "waiting")
        lost_s = bench.link.asked_at_s[-1] + bench.link.answer_time_s
        bench.link.fault = lambda request: None
        await until(lambda: bench.link.open_count == 2)
        assert bench.clock.monotonic_s() - lost_s <= 1.01


async def test_a_new_connection_does_not_store_a_slot_twice() -> None:
    bench = Bench(10)
    async with bench.running():
        await until(lambda: len(bench.sink.samples) == 2)
        bench.link.fault = lambda request: LinkLost("link_down", "closed")
        await until(lambda: bench.driver.status().state == "waiting")
        bench.link.fault = lambda request: None
        await until(lambda: bench.counter("connections") == 2 and bench.counter("answers") >= 6)
    assert bench.stamps_s() == [-2.995, 0.0]


async def test_a_nan_puts_its_point_out_until_it_is_a_number() -> None:
    bench = Bench(10, type_=RegisterType.FLOAT32)
    bench.link.registers |= {10: 0x7FC0, 11: 0}
    async with bench.running():
        await until(lambda: bench.counter("values_not_finite") >= 2)
        bench.link.registers |= {10: 0x3FC0}
        await until(lambda: bool(bench.sink.batches))
    assert bench.journal.causes("d1/1") == ["not_finite", "ended"]
    assert bench.sink.samples[0].value == 1.5


async def test_polls_that_take_too_long_skip_instants_of_the_grid() -> None:
    bench = Bench(10)
    bench.link.answer_time_s = 12.0
    await bench.run_for(60.0)
    assert bench.counter("polls_skipped") == 2 * bench.counter("answers")
    assert bench.link.asked_at_s[:3] == [0.0, 13.0, 28.0]


async def test_a_clock_stepped_back_does_not_stop_the_polls() -> None:
    bench = Bench(10)
    async with bench.running():
        await until(lambda: bench.counter("answers") >= 3)
        bench.clock.set_wall(NOON_US - 3600 * SECOND_US)
        before_s = bench.clock.monotonic_s()
        answers = bench.counter("answers")
        await until(lambda: bench.counter("answers") > answers + 1)
        assert bench.clock.monotonic_s() - before_s <= 15.1


async def test_a_crash_of_the_sink_ends_the_run_and_closes_the_link() -> None:
    bench = Bench(10)
    bench.sink.refusals = [ZeroDivisionError("a mistake of ours")]
    with pytest.raises(ExceptionGroup) as caught:
        await bench.driver.run(bench.sink)
    assert caught.group_contains(ZeroDivisionError)
    assert not bench.link.is_open


async def test_samples_survive_a_crash_of_the_driver() -> None:
    bench = Bench(10)
    bench.sink.refusals = [ZeroDivisionError("a mistake of ours")]
    with pytest.raises(ExceptionGroup):
        await bench.driver.run(bench.sink)
    await bench.run_for(1.0)
    assert bench.stamps_s()[0] == -2.995
