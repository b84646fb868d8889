"""Stations, one line each."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.quality import BAD
from historian.model.term import MainPowerTerm
from historian.model.timestamp import TIME_MIN_US, parse_time_us
from historian.rollup.stations import StationLine, StationMaker
from tests.support.watch_kit import WatchKit, open_kit

NOW_US = parse_time_us("2026-11-22T08:00:00+08:00")
DAY_US = parse_time_us("2026-11-22T00:00:00+08:00")
Q = 15 * MINUTE_US


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[WatchKit]:
    async with open_kit(tmp_path, NOW_US) as kit:
        yield kit


async def line_of(kit: WatchKit, station: str = "S") -> StationLine:
    [line] = await kit.watch.stations.lines([station], 10_000)
    return line


def state_main(kit: WatchKit, point: Point, from_us: int = TIME_MIN_US, *, is_main: bool = True) -> None:
    kit.terms.state(point.id, MainPowerTerm(is_main), from_us, None, "", "told by the utility")


async def test_a_line_tells_power_figures_of_today_and_what_is_missing(kit: WatchKit) -> None:
    power = kit.point("P", station="S", item="T2.06", unit="MW", multiplier=2.0, capacity=0.5)
    kit.point("U", station="S", unit="V")
    times = [DAY_US + k * Q for k in range(32)]
    await kit.arrive(power, times, [0.1] * 16 + [0.2] * 16)
    line = await line_of(kit)
    assert (line.station, line.point_count, line.main.basis) == ("S", 2, "item")
    assert (line.power, line.power_us, line.capacity) == (400.0, NOW_US - Q, 500.0)
    assert line.load_ratio == 0.8
    assert (line.max_power, line.max_start_us) == (400.0, DAY_US + 16 * Q)
    assert line.energy == pytest.approx(32 * 0.25 * 300)
    assert line.mean_power == pytest.approx(300)
    assert (line.expected, line.missing, line.completeness) == (64, 32, 0.5)
    assert (line.overdue_count, line.age_s, line.reasons) == (1, 900.0, ())


@pytest.mark.parametrize(
    ("points", "basis", "names"),
    [
        pytest.param([("a", "kW", "T2.06"), ("b", "kW", "")], "item", ["a"], id="the only one of the item"),
        pytest.param([("a", "kW", ""), ("b", "kvar", "")], "only", ["a"], id="the only active power"),
        pytest.param([("a", "kW", ""), ("b", "kW", "")], "ambiguous", [], id="nobody chose"),
        pytest.param(
            [("a", "kW", "T5.06"), ("b", "kW", "T5.06"), ("c", "kW", "")], "ambiguous", [], id="two bays"
        ),
        pytest.param([("a", "V", "")], "none", [], id="no power at all"),
    ],
)
async def test_the_main_point_follows_from_a_rule_or_is_not_told(
    kit: WatchKit, points: list[tuple[str, str, str]], basis: str, names: list[str]
) -> None:
    for name, unit, item in points:
        made = kit.point(name, station="S", unit=unit, item=item)
        await kit.arrive(made, [NOW_US], 7.0)
    line = await line_of(kit)
    assert (line.main.basis, [point.name for point in line.main.points]) == (basis, names)
    assert (line.power is None) == (not names)
    assert (f"{basis}_main_power" in line.reasons) == (not names)
    assert bool(line.main.candidates) == (basis == "ambiguous")


async def test_stated_points_are_added_up_and_their_maximum_is_that_of_the_sum(kit: WatchKit) -> None:
    one, two = (kit.point(name, station="S", kind=PointKind.MEAN_POWER) for name in ("one", "two"))
    kit.point("feeder", station="S", item="T2.06")
    for point in (one, two):
        state_main(kit, point)
    times = [DAY_US + k * Q for k in range(4)]
    await kit.arrive(one, times, [9.0, 1.0, 1.0, 1.0])
    await kit.arrive(two, times, [1.0, 1.0, 5.0, 4.0])
    line = await line_of(kit)
    assert (line.main.basis, len(line.main.points), line.power) == ("stated", 2, 5.0)
    assert (line.max_power, line.max_start_us, line.energy) == (10.0, DAY_US, 23 / 4)
    state_main(kit, two, NOW_US - 1, is_main=False)
    assert [point.name for point in (await line_of(kit)).main.points] == ["one"]


async def test_what_may_not_be_used_is_no_power(kit: WatchKit) -> None:
    await kit.arrive(kit.point("P", station="S"), [NOW_US], 7.0, BAD)
    line = await line_of(kit)
    assert (line.power, line.reasons) == (None, ("no_usable_value", "no_capacity"))


async def test_capacity_is_that_of_the_date(kit: WatchKit) -> None:
    power = kit.point("P", station="S", capacity=100.0)
    await kit.arrive(power, [NOW_US], 50.0)
    kit.registry.update(power.id, {"capacity": 200.0}, NOW_US - Q)
    assert (await line_of(kit)).load_ratio == 0.25


async def test_stations_are_read_in_parts_and_names_come_from_elsewhere(kit: WatchKit) -> None:
    class Facts:
        def names_of(self, station: str) -> tuple[str, str]:
            return f"{station} 站", f"{station} substation"

        def capacity_of(self, station: str, time_us: int) -> float | None:
            return 1000.0 if station == "A" else None

    for station in "ABC":
        for number in range(3):
            await kit.arrive(kit.point(f"{station}{number}", station=station, unit="V"), [NOW_US])
    maker = StationMaker(
        kit.rollup, kit.watch.stations._query, kit.registry, kit.terms, kit.clock,
        (kit.watch.completeness, kit.watch.overdue), Facts(),
    )  # fmt: skip
    parts = await maker.lines(["A", "B", "C"], 4)
    assert [(line.name_zh, line.name_en, line.capacity) for line in parts] == [
        ("A 站", "A substation", 1000.0), ("B 站", "B substation", None), ("C 站", "C substation", None),
    ]  # fmt: skip
    assert parts == await maker.lines(["A", "B", "C"], 100)
    assert await maker.lines([], 4) == []
    assert np.isfinite([line.age_s for line in parts if line.age_s is not None]).all()
