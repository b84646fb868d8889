import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from drivers import iec104, mapping
from drivers.iec104_settings import Iec104Point, Iec104Settings
from historian.clock import SystemClock
from historian.errors import QueueFull, StoreReadOnly, WalFailed
from historian.model import quality
from historian.model.point import PointKind
from historian.model.timestamp import parse_time_us
from tests.support.fake_ports import ListDirectory, ListJournal, ListSink
from tests.support.scripted_station import ScriptedStation

POWER = "0d 01 {cause} 00 0100 e90300 {value} 00"  # M_ME_NC_1 of address 1001, no time
ONE, TWO = "0000803f", "00000040"
STAMPED = "24 01 03 00 0100 e90300 0000803f 00 00001e0a160b1a"  # 2026-11-22 10:30 of the device's clock
ENERGY = "25 01 25 00 0100 d10700 15cd5b07 25 00001e0a160b1a"  # 123456789 kWh with CY
GENERAL_INTERROGATION, COUNTER_INTERROGATION, CLOCK_SYNCHRONISATION = 100, 101, 103

POINTS = (
    Iec104Point(name="t1.p", unit="MW", interval="5m", information_object_address=1001),
    Iec104Point(name="t1.e", unit="kWh", kind=PointKind.REGISTER, information_object_address=2001),
)


class Bench:
    """A driver between a scripted station and a sink in memory."""

    def __init__(self, port: int, **changes: object) -> None:
        fields: dict[str, object] = {
            "name": "d",
            "host": "127.0.0.1",
            "port": port,
            "points": POINTS,
            "start_timeout_s": 0.2,
            "flush_interval_s": 0.01,
            "back_off_min_s": 0.05,
            "back_off_max_s": 0.1,
            "source_time_behind_s_max": 315_360_000,
        }
        settings = Iec104Settings(**{**fields, **changes})  # type: ignore[arg-type]
        directory = ListDirectory()
        points = [
            directory.ensure(mapping.draft_of(entry, "station", "d", "Asia/Shanghai"))
            for entry in settings.points
        ]
        self.sink = ListSink()
        self.journal = ListJournal()
        self.driver = iec104.Iec104Driver(
            settings, "station", "Asia/Shanghai", points, SystemClock(), self.journal
        )

    @property
    def counters(self) -> dict[str, int]:
        return self.driver.status().counters

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not is_true():
                await SystemClock().sleep(0.01)


@asynccontextmanager
async def running(station: ScriptedStation, **changes: object) -> AsyncIterator[Bench]:
    bench = Bench(station.port, **changes)
    task = asyncio.create_task(bench.driver.run(bench.sink))
    try:
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_start_interrogates_values_and_counters() -> None:
    station = ScriptedStation(interrogated=[POWER.format(cause="14", value=ONE)])
    async with station, running(station) as bench:
        await station.wait_until_told(GENERAL_INTERROGATION)
        await station.wait_until_told(COUNTER_INTERROGATION)
        sample = (await bench.sink.wait_for_samples(1))[0]
        assert (sample.point_id, sample.value, sample.quality) == (1, 1.0, quality.TIME_SUBSTITUTED)
        await bench.until(lambda: bench.counters["interrogations_confirmed"] == 2)
        assert bench.driver.status().state == "running"


async def test_value_told_with_its_time_is_stored_under_it() -> None:
    async with ScriptedStation() as station, running(station) as bench:
        await station.wait_until_told(GENERAL_INTERROGATION)
        station.tell(STAMPED)
        sample = (await bench.sink.wait_for_samples(1))[0]
        assert sample.time_us == parse_time_us("2026-11-22T10:30:00+08:00")
        assert sample.quality == quality.GOOD
        assert bench.sink.sources == ["d"]


async def test_counter_is_stored_with_its_carry() -> None:
    async with ScriptedStation() as station, running(station) as bench:
        await station.wait_until_told(COUNTER_INTERROGATION)
        station.tell(ENERGY)
        sample = (await bench.sink.wait_for_samples(1))[0]
        assert (sample.point_id, sample.value, sample.quality) == (2, 123456789.0, quality.COUNTER_CARRY)


async def test_nothing_but_reading_is_ever_sent() -> None:
    async with ScriptedStation() as station, running(station):
        await station.wait_until_told(COUNTER_INTERROGATION)
        station.tell("46 01 04 00 0100 000000 00")
        await station.wait_until_told(GENERAL_INTERROGATION, times=2)
        assert {asdu[0] for asdu in station.asdus} == {GENERAL_INTERROGATION, COUNTER_INTERROGATION}


async def test_clock_is_set_only_where_the_settings_say_so() -> None:
    async with ScriptedStation() as station, running(station, clock_sync_interval_s=60):
        await station.wait_until_told(CLOCK_SYNCHRONISATION)


async def test_lost_link_is_journalled_once_and_opened_anew() -> None:
    async with ScriptedStation() as station, running(station) as bench:
        await station.wait_until_told(GENERAL_INTERROGATION)
        station.hang_up()
        await station.wait_until_told(GENERAL_INTERROGATION, times=2)
        await bench.until(lambda: bench.driver.status().state == "running")
        assert bench.journal.causes("d") == ["ended", "link_down", "ended"]
        assert bench.counters["reconnects"] == 1


async def test_station_that_is_not_there_yet_is_found_when_it_comes() -> None:
    async with ScriptedStation() as station:
        pass
    async with running(station) as bench:
        await bench.until(lambda: bench.counters["reconnects"] >= 2)
        assert bench.driver.status().last_error == "the station cannot be reached"
        async with station:
            await station.wait_until_told(GENERAL_INTERROGATION)
            await bench.until(lambda: bench.journal.causes("d") == ["link_down", "ended"])


async def test_station_that_does_not_start_data_transfer_is_an_outage() -> None:
    async with ScriptedStation(ignored_start_count=100) as station, running(station) as bench:
        await bench.until(lambda: bench.journal.causes("d") == ["timeout"])


async def test_refused_interrogation_is_an_error_but_no_outage() -> None:
    async with ScriptedStation(interrogation="refuse") as station, running(station) as bench:
        await bench.until(lambda: bench.counters["interrogations_refused"] == 2)
        assert "refuses type" in bench.driver.status().last_error
        station.tell(STAMPED)
        await bench.sink.wait_for_samples(1)
        assert station.connection_count == 1


async def test_unconfirmed_interrogation_is_sent_again() -> None:
    async with (
        ScriptedStation(interrogation="ignore") as station,
        running(station, interrogation_timeout_s=0.1),
    ):
        await station.wait_until_told(GENERAL_INTERROGATION, times=3)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(QueueFull(0), id="queue full"),
        pytest.param(StoreReadOnly("disk_reserve", "the disk is full"), id="read-only"),
        pytest.param(WalFailed("fsync failed"), id="log failed"),
    ],
)
async def test_batch_the_store_refuses_is_kept_and_offered_again(refusal: Exception) -> None:
    async with ScriptedStation() as station, running(station) as bench:
        bench.sink.refusals.append(refusal)
        await station.wait_until_told(GENERAL_INTERROGATION)
        station.tell(STAMPED)
        assert len(await bench.sink.wait_for_samples(1)) == 1
        assert bench.counters["append_retries"] == 1


async def test_values_that_come_too_fast_are_counted_and_journalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iec104, "INTAKE_SAMPLES_MAX", 1)
    async with ScriptedStation() as station, running(station, flush_interval_s=0.3) as bench:
        await bench.until(lambda: bench.counters["interrogations_confirmed"] == 2)
        station.tell(POWER.format(cause="03", value=ONE))
        station.tell(POWER.format(cause="03", value=TWO))
        await bench.until(lambda: bench.counters["samples_overflowed"] == 1)
        assert bench.journal.causes("d/backlog") == ["collector_overflow", "ended"]


async def test_unreadable_and_unmapped_values_are_counted() -> None:
    async with ScriptedStation() as station, running(station) as bench:
        await station.wait_until_told(GENERAL_INTERROGATION)
        station.tell("0d 02 03 00 0100 e90300 0000803f 00")
        station.tell("0d 01 03 00 0100 ffff00 0000803f 00")
        await bench.until(lambda: bench.counters["values_unmapped"] == 1)
        assert bench.counters["asdus_malformed"] == 1
        assert bench.sink.samples == []


async def test_stopping_driver_hands_on_what_it_received() -> None:
    async with ScriptedStation() as station:
        async with running(station, flush_interval_s=10.0, receive_window_apdus=1) as bench:
            await station.wait_until_told(COUNTER_INTERROGATION)
            station.tell(STAMPED)
            await station.wait_until_acknowledged()
            # The library answers before it tells us, and tells other things before.
            await bench.until(lambda: len(bench.driver._intake._time_us) == 1)
        assert len(bench.sink.samples) == 1
        assert bench.driver.status().state == "stopped"
