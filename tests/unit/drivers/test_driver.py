import logging

import pytest

from drivers.driver import StatusKeeper, backlog_source, point_source
from historian.clock import ManualClock
from historian.model.point import Point, PointKind
from tests.support.fake_ports import ListJournal


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000)


@pytest.fixture
def journal() -> ListJournal:
    return ListJournal()


@pytest.fixture
def keeper(clock: ManualClock, journal: ListJournal) -> StatusKeeper:
    return StatusKeeper("d1", "modbus_tcp", "demo110", "10.0.0.1:502", clock, journal, ("timeouts",))


def test_a_new_driver_is_stopped(keeper: StatusKeeper) -> None:
    status = keeper.status()
    assert (status.name, status.protocol, status.station) == ("d1", "modbus_tcp", "demo110")
    assert (status.state, status.since_us, status.counters) == ("stopped", 1_000_000, {"timeouts": 0})


def test_since_moves_only_when_the_state_changes(keeper: StatusKeeper, clock: ManualClock) -> None:
    keeper.connecting()
    clock.advance(5.0)
    keeper.running()
    clock.advance(5.0)
    keeper.running()
    assert keeper.status().since_us == 6_000_000


def test_an_outage_is_journalled_once_however_often_the_driver_tries(
    keeper: StatusKeeper, clock: ManualClock, journal: ListJournal
) -> None:
    for _ in range(3):
        keeper.connecting()
        keeper.lost("link_down", "cannot connect")
        clock.advance(1.0)
    keeper.running()
    assert journal.lines == [("began", "d1", 1_000_000, "link_down"), ("ended", "d1", 4_000_000, "")]


def test_an_outage_is_logged_once_with_its_end(
    keeper: StatusKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "historian"):
        for _ in range(3):
            keeper.connecting()
            keeper.lost("link_down", "cannot connect")
        keeper.running()
        keeper.running()
    assert [record.getMessage() for record in caplog.records] == ["driver.lost", "driver.running"]


def test_running_closes_an_outage_left_open_by_an_earlier_process(
    keeper: StatusKeeper, journal: ListJournal
) -> None:
    keeper.connecting()
    keeper.running()
    assert journal.causes("d1") == ["ended"]


def test_the_newest_error_stays_in_the_status(keeper: StatusKeeper, clock: ManualClock) -> None:
    keeper.lost("link_down", "first")
    clock.advance(1.0)
    keeper.lost("link_down", "second")
    keeper.running()
    assert (keeper.status().last_error, keeper.status().last_error_us) == ("second", 2_000_000)


def test_an_undeclared_counter_is_our_mistake(keeper: StatusKeeper) -> None:
    keeper.count("timeouts", 2)
    assert keeper.status().counters == {"timeouts": 2}
    with pytest.raises(AssertionError, match="not declared"):
        keeper.count("tiemouts")


def test_status_is_a_snapshot(keeper: StatusKeeper) -> None:
    before = keeper.status()
    keeper.count("timeouts")
    assert before.counters == {"timeouts": 0}


def test_points_alone_go_out_and_come_back_once(keeper: StatusKeeper, journal: ListJournal) -> None:
    keeper.points_lost([3, 4], 10, "device_exception", "exception 2")
    keeper.points_lost([3, 4], 20, "device_exception", "exception 2")
    keeper.points_back([3, 5], 30)
    keeper.points_back([3, 5], 40)
    assert journal.lines == [
        ("began", "d1/3", 10, "device_exception"),
        ("began", "d1/4", 10, "device_exception"),
        ("ended", "d1/3", 30, ""),
    ]


def test_a_point_knows_every_source_that_explains_its_gaps() -> None:
    point = Point(id=7, name="p", unit="kW", kind=PointKind.INSTANTANEOUS, source="d1")
    assert point.outage_sources == ("d1", backlog_source("d1"), point_source("d1", 7))


def test_stopping_is_noted_once(keeper: StatusKeeper, caplog: pytest.LogCaptureFixture) -> None:
    keeper.connecting()
    with caplog.at_level(logging.INFO, "historian"):
        keeper.stopped()
        keeper.stopped()
    assert [record.getMessage() for record in caplog.records] == ["driver.stopped"]
