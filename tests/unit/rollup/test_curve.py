"""Curves of many points, together."""

import datetime

import numpy as np
import pytest

from historian.energy import calendar
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone
from historian.rollup import curve
from historian.rollup.point_unit import FigureUnits
from tests.support.memory_store import MemoryStore

ZONE = load_zone("Asia/Shanghai")
EDGES_US = calendar.slot_edges_us(datetime.date(2026, 11, 20), ZONE, HOUR_US)
POWER = FigureUnits("kWh", "kW", "power_integral")
VOLTAGE = FigureUnits(None, "V", "time_mean")


def make_point(point_id: int, interval_us: int) -> Point:
    return Point(
        id=point_id, name=f"p{point_id}", unit="kW", kind=PointKind.MEAN_POWER, interval_us=interval_us
    )


async def test_curves_come_in_the_order_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "READ_SAMPLES_MAX", 50)
    store = MemoryStore()
    points = [make_point(number, MINUTE_US if number % 2 else HOUR_US) for number in range(1, 6)]
    for point in points:
        store.put(point.id, {int(EDGES_US[0]): float(point.id)})
    curves = await curve.read_curves(store, [*points, points[0]], EDGES_US, ZONE)
    assert [one.value[0] for one in curves] == [1.0, 2.0, 3.0, 4.0, 5.0, 1.0]
    assert store.read_count == 5  # hourly points are read two at a time, points of a minute one by one


async def curves_of(*values: float) -> list[curve.LoadCurve]:
    store = MemoryStore()
    for number, value in enumerate(values):
        store.put(number, {int(EDGES_US[0]): value})
    points = [make_point(number, HOUR_US) for number in range(len(values) + 1)]
    return await curve.read_curves(store, points, EDGES_US, ZONE)


async def test_the_sum_tells_how_many_are_missing() -> None:
    found = curve.put_together(await curves_of(0.1, 0.2), EDGES_US, POWER)
    assert (found.total.value[0], found.summary.energy) == (0.3, 0.3)
    assert found.missing_count.tolist() == [1] + [3] * 23
    assert [summary.energy for summary in found.summaries()] == [0.1, 0.2, None]


async def test_one_curve_is_its_own_sum() -> None:
    one = (await curves_of(0.1))[:1]
    found = curve.put_together(one, EDGES_US, POWER)
    assert found.total is one[0]
    assert found.missing_count.tolist() == np.isnan(one[0].value).astype(int).tolist()


async def test_no_energy_where_it_means_nothing() -> None:
    summary = curve.put_together((await curves_of(230.0))[:1], EDGES_US, VOLTAGE).summary
    assert (summary.energy, summary.load_factor, summary.load_factor_min, summary.max_value) == (
        None, None, None, 230.0,
    )  # fmt: skip
