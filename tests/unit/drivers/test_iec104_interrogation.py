import pytest

from drivers.iec104_intake import InterrogationAnswer
from drivers.iec104_interrogation import InterrogationSchedule, Request, RequestKind
from historian.model.point import SECOND_US
from historian.model.timestamp import parse_time_us

GENERAL, COUNTERS, CLOCK = (
    RequestKind.GENERAL_INTERROGATION,
    RequestKind.COUNTER_INTERROGATION,
    RequestKind.CLOCK_SYNCHRONISATION,
)
START_US = parse_time_us("2026-11-22T10:01:00Z")
ACTIVATION_CONFIRMATION, ACTIVATION_TERMINATION = 7, 10


class Bench:
    """A schedule under a time that starts at 0 s (10:01:00 UTC): general every 300 s, counters every 900 s."""

    def __init__(self, *common_addresses: int, **interval_s: int) -> None:
        intervals = {GENERAL: 300, COUNTERS: 0, CLOCK: 0} | {
            RequestKind[name.upper()]: seconds for name, seconds in interval_s.items()
        }
        self.schedule = InterrogationSchedule(list(common_addresses) or [1], intervals, timeout_s=15.0)
        self.schedule.restart(0.0)

    def due(self, now_s: float) -> list[Request]:
        return self.schedule.take_due(now_s, START_US + round(now_s * SECOND_US))

    def confirm(self, kind: RequestKind = GENERAL, *, is_negative: bool = False, cause: int = 7) -> str:
        return self.schedule.answered(InterrogationAnswer(kind.value, 1, cause, is_negative))


def test_everything_is_asked_for_when_data_transfer_starts() -> None:
    bench = Bench(1, 2, counter_interrogation=900)
    assert bench.due(0.0) == [
        Request(GENERAL, 1),
        Request(GENERAL, 2),
        Request(COUNTERS, 1),
        Request(COUNTERS, 2),
    ]


def test_general_interrogation_comes_again_after_its_interval() -> None:
    bench = Bench()
    bench.due(0.0)
    bench.confirm()
    assert bench.due(299.9) == []
    assert bench.due(300.0) == [Request(GENERAL, 1)]


def test_counters_are_read_on_the_quarter_hour() -> None:
    bench = Bench(general_interrogation=0, counter_interrogation=900)
    bench.due(0.0)
    bench.confirm()
    bench.confirm(COUNTERS)
    assert bench.due(14 * 60 - 0.1) == []
    assert bench.due(14 * 60) == [Request(COUNTERS, 1)]  # 10:15:00


def test_interval_zero_is_a_general_interrogation_of_each_new_link_only() -> None:
    bench = Bench(general_interrogation=0)
    assert bench.due(0.0) == [Request(GENERAL, 1)]
    bench.confirm()
    assert bench.due(1e9) == []
    bench.schedule.restart(1e9)
    assert bench.due(1e9) == [Request(GENERAL, 1)]


def test_counters_and_clock_with_interval_zero_are_never_sent() -> None:
    assert Bench(counter_interrogation=0, clock_synchronisation=0).due(0.0) == [Request(GENERAL, 1)]


def test_unconfirmed_interrogation_is_repeated_twice_and_then_left_for_its_next_turn() -> None:
    bench = Bench()
    sent_s = [now_s for now_s in range(300) if bench.due(float(now_s))]
    assert sent_s == [0, 15, 30]
    assert bench.due(330.0) == [Request(GENERAL, 1)]
    assert bench.schedule.take_counts() == {"interrogations_sent": 4, "interrogation_timeouts": 3}


def test_confirmed_interrogation_is_not_repeated() -> None:
    bench = Bench()
    bench.due(0.0)
    assert bench.confirm() == ""
    assert [now_s for now_s in range(1, 300) if bench.due(float(now_s))] == []
    assert bench.schedule.take_counts() == {"interrogations_sent": 1, "interrogations_confirmed": 1}


@pytest.mark.parametrize(
    ("cause", "is_negative"),
    [
        pytest.param(ACTIVATION_CONFIRMATION, True, id="negative confirmation"),
        pytest.param(44, False, id="unknown type"),
        pytest.param(46, False, id="unknown common address"),
    ],
)
def test_refused_interrogation_waits_for_its_next_turn(cause: int, is_negative: bool) -> None:
    bench = Bench()
    bench.due(0.0)
    assert "common address 1 refuses type 100" in bench.confirm(cause=cause, is_negative=is_negative)
    assert [now_s for now_s in range(1, 300) if bench.due(float(now_s))] == []
    assert bench.due(300.0) == [Request(GENERAL, 1)]
    assert bench.schedule.take_counts()["interrogations_refused"] == 1


def test_end_of_an_interrogation_is_no_news() -> None:
    bench = Bench()
    bench.due(0.0)
    bench.confirm()
    assert bench.confirm(cause=ACTIVATION_TERMINATION) == ""


def test_answer_to_what_was_never_asked_is_ignored() -> None:
    assert Bench().confirm(COUNTERS) == ""


def test_restarted_station_is_interrogated_again() -> None:
    bench = Bench()
    bench.due(0.0)
    bench.confirm()
    bench.schedule.initialised(1, 20.0)
    assert bench.due(20.0) == [Request(GENERAL, 1)]


def test_station_that_says_it_started_while_it_is_interrogated_is_not_asked_twice() -> None:
    bench = Bench()
    bench.due(0.0)
    bench.schedule.initialised(1, 0.1)
    assert bench.due(0.2) == []


def test_new_link_starts_all_turns_anew() -> None:
    bench = Bench()
    bench.due(0.0)
    bench.schedule.restart(100.0)
    assert bench.due(100.0) == [Request(GENERAL, 1)]


def test_clock_is_set_without_waiting_for_a_confirmation() -> None:
    bench = Bench(general_interrogation=0, clock_synchronisation=3600)
    assert Request(CLOCK, 1) in bench.due(0.0)
    bench.confirm()
    assert bench.due(100.0) == []
    assert bench.due(3600.0) == [Request(CLOCK, 1)]
    assert bench.schedule.take_counts()["clock_synchronisations"] == 2
