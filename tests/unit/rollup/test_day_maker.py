"""Many days are read in few readings, and made as one block."""

import numpy as np
import pytest

from historian.energy.fleet import Asked
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun, block_of, empty_run
from historian.model.timestamp import load_zone
from historian.rollup import day_figure, day_key, day_maker
from historian.rollup.day_maker import MadeDays, Reading
from historian.rollup.definitions import Definitions
from historian.rollup.point_facts import PointFacts
from tests.support.memory_store import MemoryDirectory

ZONE = load_zone("Asia/Shanghai")
DAY = 739_940


def make_point(
    point_id: int = 1,
    interval_us: int = 15 * MINUTE_US,
    zone: str = "Asia/Shanghai",
    kind: PointKind = PointKind.INTERVAL,
) -> Point:
    return Point(
        id=point_id, name=f"p{point_id}", unit="kWh", kind=kind, interval_us=interval_us, time_zone=zone
    )


def readings(*tasks: tuple[Point, list[int]]) -> list[Reading]:
    facts = PointFacts(MemoryDirectory(*(point for point, _ in tasks)), Definitions())
    facts.refresh(np.array([point.id for point, _ in tasks]))
    keys = np.sort(np.concatenate([day_key.pack_days(point.id, days) for point, days in tasks]))
    return day_maker.plan(keys, facts)


def shapes(*tasks: tuple[Point, list[int]]) -> list[tuple[list[int], range]]:
    return sorted(
        ((one.point_id.tolist(), one.days) for one in readings(*tasks)),
        key=lambda pair: (pair[0], pair[1].start),
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([5], [range(5, 6)], id="one"),
        pytest.param([5, 6, 7], [range(5, 8)], id="consecutive"),
        pytest.param([5, 7, 8, 10], [range(5, 6), range(7, 9), range(10, 11)], id="with holes"),
    ],
)
def test_consecutive_days_are_one_reading(days: list[int], expected: list[range]) -> None:
    assert [some for _, some in shapes((make_point(), days))] == expected


def test_points_with_the_same_days_are_read_together() -> None:
    tasks = [(make_point(number), [DAY, DAY + 1]) for number in (1, 2, 3)]
    assert shapes(*tasks) == [([1, 2, 3], range(DAY, DAY + 2))]


def test_points_of_other_intervals_zones_or_ways_of_counting_are_read_apart() -> None:
    tasks = [
        make_point(1), make_point(2, HOUR_US), make_point(3, zone="UTC"), make_point(4, kind=PointKind.REGISTER),
    ]  # fmt: skip
    days = range(DAY, DAY + 1)
    assert shapes(*((point, [DAY]) for point in tasks)) == [([number], days) for number in (1, 2, 3, 4)]


def test_seconds_are_read_in_few_days() -> None:
    days = [some for _, some in shapes((make_point(1, 1_000_000), list(range(DAY, DAY + 50))))]
    assert [len(some) for some in days] == [23, 23, 4]


def test_many_point_days_are_cut() -> None:
    tasks = [(make_point(number), list(range(DAY, DAY + 1000))) for number in range(1, 41)]
    assert [len(ids) for ids, _ in shapes(*tasks)] == [20, 20]


def test_registers_are_cut_into_smaller_parts() -> None:
    register = make_point(kind=PointKind.REGISTER)
    assert [len(days) for _, days in shapes((register, list(range(DAY, DAY + 2100))))] == [2048, 52]


def make(point: Point, run: SampleRun, day_count: int = 3, kind: str = "") -> MadeDays:
    reading = Reading(
        np.array([point.id]), ZONE, range(DAY, DAY + day_count), point.interval_us, point.kind is PointKind.REGISTER
    )  # fmt: skip
    asked = Asked.of([day_figure.ask_of(point)])
    return day_maker.make_days(reading, lambda _id: point, asked, block_of([run]), 77)


def test_days_of_which_nothing_is_known_say_so() -> None:
    made = make(make_point(), empty_run(1))
    assert made.figures.received.tolist() == made.figures.known_us.tolist() == [[0, 0, 0]]
    assert day_maker.figures_of(made, 0, make_point()) == {}


def test_the_figures_of_a_point_are_those_of_the_general_way() -> None:
    point = make_point()
    start_us = day_figure.slot_edges_us(DAY, ZONE, point.interval_us)[0]
    run = SampleRun(
        1, start_us + np.array([0, 900, 1800, 90_000]) * 1_000_000, np.array([1.5, 2, 3, 4]), np.zeros(4, np.uint16)
    )  # fmt: skip
    made = day_maker.figures_of(make(point, run), 0, point)
    assert list(made) == [DAY, DAY + 1]
    assert made == {day: day_figure.compute(point, day, ZONE, run, 77) for day in made}


def test_days_between_readings_of_a_register_are_made() -> None:
    register = Point(id=1, name="r", unit="kWh", kind=PointKind.REGISTER, time_zone="Asia/Shanghai")
    start_us = day_figure.slot_edges_us(DAY, ZONE, register.interval_us)[0]
    run = SampleRun(1, start_us + np.array([30, 80]) * HOUR_US, np.array([1.0, 2.0]), np.zeros(2, np.uint16))
    made = day_maker.figures_of(make(register, run, 5), 0, register)
    known = {day - DAY: figure.known_us // HOUR_US for day, figure in made.items()}
    assert known == {1: 18, 2: 24, 3: 8}


def test_sums_beyond_64_bits_are_kept_whole() -> None:
    point = make_point(kind=PointKind.INTERVAL)
    start_us = day_figure.slot_edges_us(DAY, ZONE, point.interval_us)[0]
    run = SampleRun(
        1, np.array([start_us, start_us + 900_000_001]), np.array([1e300, 1e-300]), np.zeros(2, np.uint16)
    )
    made = make(point, run)
    assert made.wide
    assert day_maker.figures_of(made, 0, point)[DAY] == day_figure.compute(point, DAY, ZONE, run, 77)
