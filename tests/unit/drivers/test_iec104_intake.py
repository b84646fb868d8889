import struct
import threading

import pytest

from drivers.codec.asdu import TypeId
from drivers.iec104_intake import ANSWERS_MAX, AsduIntake, Intake, IntakePoint, InterrogationAnswer
from drivers.iec104_value import DeviceTime, SummerTimeBit
from drivers.mapping import Scaling
from historian.clock import ManualClock
from historian.model import quality
from historian.model.point import DAY_US, MINUTE_US, SECOND_US
from historian.model.timestamp import load_zone, parse_time_us

START_US = parse_time_us("2026-11-22T10:00:00Z")
UNITY = Scaling(1, 0, 1)
SPONTANEOUS, INTERROGATED = 3, 20


class Bench:
    """An intake with points 11 (address 1001) and 12 (2001, thousandths), and how often it woke the loop."""

    def __init__(self, samples_max: int = 100, time_offset_us: int = 0) -> None:
        self.clock = ManualClock(START_US)
        self.wake_count = 0
        points = {
            (1, 1001): IntakePoint(11, UNITY, time_offset_us, 5 * MINUTE_US),
            (1, 2001): IntakePoint(12, Scaling(1, 0, 1000), 0, 5 * MINUTE_US),
        }
        time = DeviceTime(load_zone("UTC"), SummerTimeBit.IGNORE, 300 * SECOND_US, 30 * DAY_US)
        self.intake = AsduIntake(points, time, self.clock, samples_max, self.wake)

    def wake(self) -> None:
        self.wake_count += 1

    def receive(self, *asdus: str) -> Intake:
        for octets in asdus:
            self.intake.receive(bytes.fromhex(octets))
        return self.intake.take()


def measured(value: float, cause: int = SPONTANEOUS, minute: int | None = None, descriptor: int = 0) -> str:
    """M_ME_NC_1, or with a minute M_ME_TF_1 stamped 2026-11-22T10:minute, of address 1001."""
    kind = "0d" if minute is None else "24"
    stamp = "" if minute is None else f"0000{minute:02x}0a160b1a"
    return f"{kind} 01 {cause:02x} 00 0100 e90300 {struct.pack('<f', value).hex()} {descriptor:02x} {stamp}"


def counter(reading: int, descriptor: int = 0) -> str:
    return f"0f 01 25 00 0100 d10700 {struct.pack('<i', reading).hex()} {descriptor:02x}"


def rows(intake: Intake) -> list[tuple[int, int, float, int]]:
    if intake.batch is None:
        return []
    return list(zip(*(column.tolist() for column in intake.batch), strict=True))


def test_value_with_source_time_keeps_it() -> None:
    stamp_us = parse_time_us("2026-11-22T10:02:00Z")
    assert rows(Bench().receive(measured(2.5, minute=2))) == [(11, stamp_us, 2.5, quality.GOOD)]


def test_value_without_source_time_gets_its_arrival() -> None:
    assert rows(Bench().receive(measured(2.5))) == [(11, START_US, 2.5, quality.TIME_SUBSTITUTED)]


def test_counter_is_scaled_and_keeps_carry_and_adjustment() -> None:
    expected = quality.COUNTER_CARRY | quality.COUNTER_ADJUSTED | quality.TIME_SUBSTITUTED
    assert rows(Bench().receive(counter(1234, 0x65))) == [(12, START_US, 1.234, expected)]


def test_quality_of_the_value_is_kept() -> None:
    expected = quality.BAD | quality.INVALID | quality.TIME_SUBSTITUTED
    assert rows(Bench().receive(measured(2.5, descriptor=0x80))) == [(11, START_US, 2.5, expected)]


def test_value_of_a_period_is_stored_under_its_start() -> None:
    bench = Bench(time_offset_us=-15 * MINUTE_US)
    assert rows(bench.receive(measured(2.5)))[0][1] == START_US - 15 * MINUTE_US


def test_several_asdus_make_one_batch_in_order() -> None:
    intake = Bench().receive(measured(1.0, minute=1), counter(5), measured(2.0, minute=2))
    assert [row[0] for row in rows(intake)] == [11, 12, 11]
    assert intake.counts == {"asdus_received": 3, "samples_received": 3}


def test_batch_is_not_changed_by_what_comes_later() -> None:
    bench = Bench()
    first = bench.receive(measured(1.0, minute=1))
    bench.receive(measured(2.0, minute=2))
    assert [row[2] for row in rows(first)] == [1.0]


def test_nothing_received_is_no_batch() -> None:
    assert Bench().receive() == Intake(None, {}, [], set(), None, "")  # type: ignore[arg-type]


def test_loop_is_woken_once_between_two_takes() -> None:
    bench = Bench()
    bench.receive(measured(1.0, minute=1), measured(2.0, minute=2))
    assert bench.wake_count == 1
    bench.receive(measured(3.0, minute=3))
    assert bench.wake_count == 2


@pytest.mark.parametrize(
    ("second", "elapsed_s", "is_kept"),
    [
        pytest.param(measured(1.0, INTERROGATED), 1, False, id="interrogated, same value, soon"),
        pytest.param(measured(1.0, INTERROGATED), 150, True, id="half the interval later: a sign of life"),
        pytest.param(measured(1.5, INTERROGATED), 1, True, id="interrogated, another value"),
        pytest.param(measured(1.0, INTERROGATED, None, 0x40), 1, True, id="interrogated, another quality"),
        pytest.param(measured(1.0, SPONTANEOUS), 1, True, id="told by the station itself"),
        pytest.param(measured(1.0, INTERROGATED, 0), 1, False, id="same source time"),
        pytest.param(measured(1.0, SPONTANEOUS, 0), 1, False, id="same source time, told again"),
        pytest.param(measured(1.0, SPONTANEOUS, 1), 1, True, id="same value at another source time"),
        pytest.param(measured(1.5, SPONTANEOUS, 0), 1, True, id="another value at the same source time"),
    ],
)
def test_only_news_are_kept(second: str, elapsed_s: int, is_kept: bool) -> None:
    bench = Bench()
    bench.receive(measured(1.0, minute=0))
    bench.clock.advance(elapsed_s)
    intake = bench.receive(second)
    assert len(rows(intake)) == (1 if is_kept else 0)
    assert intake.counts["values_repeated"] == (0 if is_kept else 1)


def test_value_of_an_unknown_address_is_counted() -> None:
    intake = Bench().receive("0d 02 03 00 0100 e90300 0000803f 00 ea0300 0000803f 00")
    assert len(rows(intake)) == 1
    assert intake.counts["values_unmapped"] == 1


def test_value_of_another_common_address_is_not_taken_for_ours() -> None:
    assert Bench().receive("0d 01 03 00 0200 e90300 0000803f 00").counts["values_unmapped"] == 1


def test_malformed_asdu_is_counted_and_the_next_one_is_read() -> None:
    intake = Bench().receive("0d 02 03 00 0100 e90300 0000803f 00", measured(1.0))
    assert intake.counts["asdus_malformed"] == 1
    assert "2 objects" in intake.fault
    assert len(rows(intake)) == 1


def test_test_telegram_is_no_measurement() -> None:
    intake = Bench().receive("0d 01 83 00 0100 e90300 0000803f 00")
    assert rows(intake) == []
    assert intake.counts["asdus_test"] == 1


def test_full_columns_take_no_more_and_say_since_when() -> None:
    bench = Bench(samples_max=2)
    bench.intake.receive(bytes.fromhex(measured(1.0, minute=1)))
    bench.clock.advance(7)
    bench.intake.receive(bytes.fromhex(measured(2.0, minute=2)))
    bench.intake.receive(bytes.fromhex(measured(3.0, minute=3)))
    bench.clock.advance(7)
    intake = bench.receive(measured(4.0, minute=4))
    assert [row[2] for row in rows(intake)] == [1.0, 2.0]
    assert intake.counts["samples_overflowed"] == 2
    assert intake.lost_us == START_US + 7 * SECOND_US


def test_sample_that_found_no_room_is_no_repetition_when_told_again() -> None:
    bench = Bench(samples_max=1)
    bench.receive(measured(1.0, minute=1), measured(2.0, minute=2))
    assert [row[2] for row in rows(bench.receive(measured(2.0, minute=2)))] == [2.0]


def test_answers_to_interrogations_are_handed_on() -> None:
    intake = Bench().receive("64 01 07 00 0100 000000 14", "65 01 47 00 0100 000000 05")
    assert intake.answers == [
        InterrogationAnswer(TypeId.C_IC_NA_1, 1, 7, is_negative=False),
        InterrogationAnswer(TypeId.C_CI_NA_1, 1, 7, is_negative=True),
    ]


def test_flood_of_answers_is_bounded() -> None:
    flood = ["64 01 07 00 0100 000000 14"] * (ANSWERS_MAX + 5)
    assert len(Bench().receive(*flood).answers) == ANSWERS_MAX


def test_end_of_initialisation_is_told() -> None:
    assert Bench().receive("46 01 04 00 0100 000000 00").initialised_addresses == {1}


def test_nothing_is_lost_between_two_threads() -> None:
    bench = Bench(samples_max=1_000_000)
    asdus = [bytes.fromhex(measured(float(n))) for n in range(2_000)]

    def feed() -> None:
        for octets in asdus:
            bench.intake.receive(octets)

    feeder = threading.Thread(target=feed)
    feeder.start()
    values = []
    while feeder.is_alive() or not values or values[-1] != 1999.0:
        values += [row[2] for row in rows(bench.intake.take())]
    feeder.join()
    assert values == [float(n) for n in range(2_000)]
