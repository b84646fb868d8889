"""Suspicions of magnitude over a range: by the point alone, by its station's only bay, by stated siblings and checks."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.errors import QueryTooLarge
from historian.model.item import Item
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.quality import BAD
from historian.model.term import CheckTerm, RatioTerm, RegisterTerm, TriangleTerm
from historian.model.timerange import TimeRange
from historian.model.timestamp import TIME_MIN_US, parse_time_us
from tests.support.watch_kit import WatchKit, open_kit

START_US = parse_time_us("2026-11-21T00:00:00+08:00")
Q = 15 * MINUTE_US
DAY = TimeRange(START_US, START_US + 96 * Q)
TIMES = [START_US + k * Q for k in range(96)]
BEFORE = [time_us - 96 * Q for time_us in TIMES]
P = 80.0 + 10.0 * np.sin(np.arange(96) / 15)
REACTIVE = 0.6 * P
CURRENT = np.hypot(P, REACTIVE) * 1000 / (np.sqrt(3) * 400)
BAY = (
    ("P", "kW", "T5.06", P),
    ("Q", "kvar", "T5.07", REACTIVE),
    ("U", "V", "T5.04", 400.0),
    ("I", "A", "T5.05", CURRENT),
)
RATIO = PointKind.RATIO


CASES = (
    pytest.param(P, P, {}, [], id="as ever"),
    pytest.param(P * 1000, P, {}, [("unit_scale", "its own past", 0.001)], id="W for kW"),
    pytest.param(P / 1000, P, {}, [("unit_scale", "its own past", 1000.0)], id="MW for kW"),
    pytest.param(P * 40, P, {"multiplier": 40.0}, [("multiplier_applied_twice", "its own past", 0.025)], id="CT twice"),
    pytest.param(P * 1000, (), {"capacity": 100.0}, [("unit_scale", "its limit", 0.001)], id="beyond capacity"),
    pytest.param(P, (), {"capacity": 85.0}, [("over_capacity", "its limit", None)], id="overload"),
    pytest.param(P, (), {"range_high": 85.0}, [], id="outside of a range is no overload"),
    pytest.param(P * 1000, (), {"range_high": 85.0}, [("unit_scale", "its limit", 0.001)], id="far outside"),
    pytest.param(P, (), {"multiplier": 2.0, "capacity": 190.0}, [], id="capacity is after the multiplier"),
    pytest.param(P, (), {"multiplier": 2.0, "capacity": 150.0}, [("over_capacity", "its limit", None)], id="overload with a multiplier"),
    pytest.param(P / 4, (), {"kind": PointKind.INTERVAL, "unit": "kWh", "capacity": 100.0}, [], id="amounts as rates"),
    pytest.param(P, (), {"kind": PointKind.INTERVAL, "unit": "kWh", "capacity": 100.0, "range_high": 1.0},
                 [("over_capacity", "its limit", None)], id="rates over capacity"),
    pytest.param(np.cumsum(P / 4 * 1000), np.cumsum(P / 4) - 9e4, {"kind": PointKind.REGISTER, "unit": "kWh"},
                 [("unit_scale", "its own past", 0.001)], id="a register by its rises"),
    pytest.param(np.arange(96) * 65_536.0, (), {"kind": PointKind.REGISTER, "unit": "kWh"},
                 [("swapped_words", "its own steps", None)], id="word order"),
    pytest.param(np.arange(96) * 65_536.5, (), {"kind": PointKind.REGISTER, "unit": "kWh"}, [], id="no counts"),
)  # fmt: skip


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[WatchKit]:
    async with open_kit(tmp_path, DAY.end_us) as kit:
        yield kit


async def kinds(
    kit: WatchKit, points: Sequence[Point], item: Item | None = None
) -> list[tuple[str, str, str, float | None]]:
    found = await kit.watch.suspicions.find(points, DAY, lambda _: item)
    return [
        (one.point.name, one.told.kind, one.told.against, one.told.factor and round(one.told.factor, 6))
        for one in found
    ]


async def bay(kit: WatchKit, times: dict[str, float], station: str = "S", **names: Any) -> list[Point]:
    """A circuit whose values fit each other, but for these factors."""
    made = []
    for name, symbol, item, values in BAY:
        point = kit.point(f"{station}.{name}", unit=symbol, item=names.get("item", item), station=station)
        await kit.arrive(point, TIMES, values * times.get(name, 1.0))
        made.append(point)
    return made


async def test_by_the_point_alone(kit: WatchKit) -> None:
    """One point for each case, asked for together."""
    expected: list[Any] = []
    points = []
    for case in CASES:
        now, before, more, told = case.values
        assert isinstance(case.id, str)
        point = kit.point(case.id.replace(" ", "-"), **more)
        if len(before):
            await kit.arrive(point, BEFORE, before)
        await kit.arrive(point, TIMES, now)
        points.append(point)
        expected += [(point.name, *one) for one in told]
    assert await kinds(kit, points) == expected


async def test_what_may_not_be_used_tells_nothing(kit: WatchKit) -> None:
    point = kit.point("p", capacity=1.0)
    await kit.arrive(point, TIMES, P * 1000, BAD)
    assert await kinds(kit, [point]) == []


async def test_word_order_is_looked_for_in_counts_of_the_stated_size(kit: WatchKit) -> None:
    point = kit.point("p", kind=PointKind.REGISTER, unit="kWh")
    await kit.arrive(point, TIMES, np.arange(96) * 655.36)
    assert await kinds(kit, [point]) == []
    kit.terms.state(point.id, RegisterTerm(resolution=0.01), TIME_MIN_US, None, "", "two digits")
    assert await kinds(kit, [point]) == [("p", "swapped_words", "its own steps", None)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param({}, [], id="they fit"),
        pytest.param({"Q": 1000}, [("S.Q", "S.P, S.U, S.I")], id="var for kvar"),
        pytest.param({"P": 1000}, [("S.P", "S.Q, S.U, S.I")], id="W for kW"),
        pytest.param({"I": 1000}, [("S.U", "S.P, S.Q, S.I"), ("S.I", "S.P, S.Q, S.U")], id="mA for A, or kV"),
    ],
)
async def test_the_only_bay_of_a_station(kit: WatchKit, times: dict[str, float], expected: list[Any]) -> None:
    points = await bay(kit, times)
    found = await kinds(kit, points)
    assert [(name, against) for name, _, against, _ in found] == expected
    assert {(kind, factor) for _, kind, _, factor in found} <= {("unit_scale", 0.001)}
    if expected:  # siblings need not be asked for
        [one] = [point for point in points if point.name == expected[0][0]]
        assert (await kinds(kit, [one]))[0][0] == one.name


async def test_nothing_is_guessed_of_several_bays_but_siblings_may_be_stated(kit: WatchKit) -> None:
    points = await bay(kit, {"Q": 1000})
    other = kit.point("S.P2", item="T5.06", station="S")
    assert await kinds(kit, points) == []
    term = TriangleTerm(reactive="S.Q", voltage="S.U", current="S.I")
    kit.terms.state(points[0].id, term, TIME_MIN_US, None, "", "bay 1")
    found = await kinds(kit, [points[1], other])
    assert [(name, against) for name, _, against, _ in found] == [("S.Q", "S.P, S.U, S.I")]


async def test_what_measures_the_same_energy(kit: WatchKit) -> None:
    energy = kit.point("E", kind=PointKind.INTERVAL, unit="kWh")
    power = kit.point("power", kind=PointKind.MEAN_POWER)
    kit.terms.state(energy.id, CheckTerm(point="power"), TIME_MIN_US, None, "", "beside it")
    await kit.arrive(energy, TIMES, P / 4)
    await kit.arrive(power, TIMES, P * 1000)
    assert await kinds(kit, [power, energy]) == [("power", "unit_scale", "E", 0.001)]
    assert await kinds(kit, [energy]) == []
    await kit.arrive(power, TIMES, P / 277.78, at_us=DAY.end_us + 1)
    assert await kinds(kit, [energy]) == [("E", "electric_for_thermal", "power", 0.0036)]


async def test_a_load_ratio_over_100_percent(kit: WatchKit) -> None:
    ratio, other = (kit.point(name, kind=RATIO, unit="%") for name in ("load", "other"))
    kit.terms.state(ratio.id, RatioTerm("load_ratio", ("x", "y")), TIME_MIN_US, None, "", "transformer 1")
    for point in (ratio, other):
        await kit.arrive(point, TIMES, 1.3 * P)
    assert await kinds(kit, [ratio, other]) == [("load", "over_capacity", "its limit", None)]


async def test_nothing_is_read_that_is_too_much(kit: WatchKit) -> None:
    with pytest.raises(QueryTooLarge):
        await kit.watch.suspicions.find(
            [kit.point("a"), kit.point("b")], TimeRange(0, START_US), lambda _: None
        )
    assert await kit.watch.suspicions.find([], DAY, lambda _: None) == []
