"""Energy, demand and their times on real data equal the answers worked out beside the data."""

import csv
import datetime
import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from historian.clock import ManualClock
from historian.energy import calendar
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone, local_to_utc_us, parse_time_us
from historian.rollup.row import RollupRow
from historian.rollup.service import RollupService
from tests.support.memory_store import MemoryDirectory, MemoryStore

SEOUL, PARIS, CHICAGO = (load_zone(name) for name in ("Asia/Seoul", "Europe/Paris", "America/Chicago"))
QUARTER_US = 15 * MINUTE_US
LATER_US = parse_time_us("2026-11-21T00:00:00Z")
STEEL_COLUMNS = {
    1: ("Usage_kWh", "kwh", "kWh"),
    2: ("Lagging_Current_Reactive_Power_kVarh", "kvarh_lag", "kvarh"),
    3: ("Leading_Current_Reactive_Power_kVarh", "kvarh_lead", "kvarh"),
    4: ("CO2(tCO2)", "tco2", "tCO2"),
}

Truth = dict[str, Any]


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def local_us(text: str, zone: datetime.tzinfo) -> int:
    naive = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return local_to_utc_us(int(naive.timestamp()) * 1_000_000, zone)


def truth_of(shared: Path, folder: str) -> Truth:
    truth: Truth = json.loads((shared / "data" / folder / "truth.json").read_text())
    return truth


class Meter:
    """A service over points in memory."""

    def __init__(self, folder: Path, *points: Point) -> None:
        self.points = points
        self.store = MemoryStore()
        self.service = RollupService(
            self.store, MemoryDirectory(*points), folder / "figures.db", ManualClock(LATER_US)
        )
        self.store.markers = [self.service]

    async def rows(
        self, period: calendar.PeriodName, first: str, last: str, point: int = 0
    ) -> list[RollupRow]:
        return await self.service.rows([self.points[point]], period, date(first), date(last))


# ── Steel works: interval energy, 15 minutes ─────────────────────────────────────────────────────────────────


def read_steel(shared: Path) -> list[dict[str, str]]:
    path = shared / "data" / "steel-industry-15min" / "Steel_industry_data.csv"
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def steel_point(number: int) -> Point:
    _, name, unit = STEEL_COLUMNS[number]
    return Point(id=number, name=name, unit=unit, kind=PointKind.INTERVAL, time_zone="Asia/Seoul")


def steel_samples(rows: list[dict[str, str]], column: str) -> list[tuple[int, float]]:
    # Rows are in order of time without gaps; their labels are not (README of the data).
    start_us = calendar.day_start_us(date("2018-01-01"), SEOUL)
    return [(start_us + index * QUARTER_US, float(row[column])) for index, row in enumerate(rows)]


@pytest.fixture
async def steel(shared: Path, tmp_path: Path) -> AsyncIterator[Meter]:
    meter = Meter(tmp_path, *(steel_point(number) for number in STEEL_COLUMNS))
    rows = read_steel(shared)
    for number, (column, _, _) in STEEL_COLUMNS.items():
        meter.store.put(number, steel_samples(rows, column))
    yield meter
    await meter.service.close()


async def test_steel_every_sum_of_every_quantity(steel: Meter, shared: Path) -> None:
    truth = truth_of(shared, "steel-industry-15min")
    for index, (_, name, unit) in enumerate(STEEL_COLUMNS.values()):
        days = await steel.rows("day", "2018-01-01", "2019-01-01", index)
        months = await steel.rows("month", "2018-01-01", "2019-01-01", index)
        year = await steel.rows("year", "2018-01-01", "2019-01-01", index)
        assert [row.energy for row in days] == [day[name] for day in truth["daily"].values()]
        assert [row.energy for row in months] == [month[name] for month in truth["monthly"].values()]
        assert [(row.energy, row.unit) for row in year] == [(truth["total"][name], unit)]


async def test_steel_year(steel: Meter, shared: Path) -> None:
    truth = truth_of(shared, "steel-industry-15min")
    year = (await steel.rows("year", "2018-01-01", "2019-01-01"))[0]
    assert (year.energy, year.max_demand) == (959636.71, truth["max_demand"]["kw"])
    assert year.max_start_us == local_us(truth["max_demand"]["interval_start"], SEOUL)
    assert year.max_end_us == local_us(truth["max_demand"]["interval_end"], SEOUL)
    assert year.load_factor == pytest.approx(truth["load_factor_year"], abs=5e-10)
    assert (year.coverage.expected, year.coverage.received, year.state) == (35040, 35040, "complete")


async def test_steel_maximum_of_each_month_with_its_time(steel: Meter, shared: Path) -> None:
    expected = truth_of(shared, "steel-industry-15min")["monthly_max_demand"].values()
    months = await steel.rows("month", "2018-01-01", "2019-01-01")
    assert [(row.max_demand, row.max_start_us) for row in months] == [
        (month["kw"], local_us(month["interval_start"], SEOUL)) for month in expected
    ]


async def test_steel_hour_of_highest_energy(steel: Meter, shared: Path) -> None:
    truth = truth_of(shared, "steel-industry-15min")["max_hour"]
    start = datetime.datetime.fromisoformat(truth["hour_start"])
    curves = await steel.service.load_curve([steel.points[0]], start.date(), HOUR_US)
    assert (curves.summary.max_value, curves.summary.max_start_us) == (
        truth["kwh"], local_us(truth["hour_start"], SEOUL),
    )  # fmt: skip


async def test_steel_shuffled_and_in_pieces_gives_the_same_rows(shared: Path, tmp_path: Path) -> None:
    samples = steel_samples(read_steel(shared), "Usage_kWh")
    answers: list[list[RollupRow]] = []
    for name in ("whole", "pieces"):
        (tmp_path / name).mkdir()
        meter = Meter(tmp_path / name, steel_point(1))
        if name == "pieces":
            random.Random(2018).shuffle(samples)
            for first in range(0, len(samples), 5000):
                meter.store.put(1, samples[first : first + 6000])  # the pieces overlap
                await meter.rows("month", "2018-03-01", "2018-04-01")
        else:
            meter.store.put(1, samples)
        answers.append(await meter.rows("month", "2018-01-01", "2019-01-01"))
        await meter.service.close()
    plain = [[{**to_dict(row), "revision": 0} for row in rows] for rows in answers]
    assert plain[0] == plain[1]


def to_dict(row: RollupRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


# ── Household: means of one minute ───────────────────────────────────────────────────────────────────────────


def read_household(shared: Path, column: str) -> list[tuple[int, float]]:
    path = shared / "data" / "uci-household-1min" / "household_power_consumption_part.txt"
    with path.open(encoding="ascii") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    start_us = local_us("2006-12-16T17:24:00", PARIS)
    return [(start_us + index * MINUTE_US, float(row[column])) for index, row in enumerate(rows)]


@pytest.fixture
async def household(shared: Path, tmp_path: Path) -> AsyncIterator[Meter]:
    units = {"Global_active_power": "kW", "Global_reactive_power": "kvar", "Voltage": "V"}
    points = [
        Point(
            id=number, name=column, unit=unit, kind=PointKind.MEAN_POWER, interval_us=MINUTE_US,
            time_zone="Europe/Paris",
        )
        for number, (column, unit) in enumerate(units.items(), 1)
    ]  # fmt: skip
    meter = Meter(tmp_path, *points)
    for point in points:
        meter.store.put(point.id, read_household(shared, point.name))
    yield meter
    await meter.service.close()


async def test_household_energy_of_each_day(household: Meter, shared: Path) -> None:
    expected = truth_of(shared, "uci-household-1min")["daily"]
    for index, name in enumerate(("kwh", "kvarh")):
        rows = await household.rows("day", "2006-12-16", "2006-12-21", index)
        assert [row.energy for row in rows] == [
            pytest.approx(day[name], abs=1e-9) for day in expected.values()
        ]
        assert [row.coverage.received for row in rows] == [
            day["minutes_present"] for day in expected.values()
        ]


async def test_household_demand_over_blocks_of_15_minutes(household: Meter, shared: Path) -> None:
    demand, start = truth_of(shared, "uci-household-1min")["max_demand_15min_block_kw"]
    month = (await household.rows("month", "2006-12-01", "2006-12-31"))[0]
    assert (month.max_demand, month.max_start_us) == (pytest.approx(demand, abs=1e-9), local_us(start, PARIS))
    assert month.energy == pytest.approx(truth_of(shared, "uci-household-1min")["total_kwh"], abs=1e-9)


async def test_household_voltage_has_means_and_no_energy(household: Meter, shared: Path) -> None:
    expected = truth_of(shared, "uci-household-1min")["daily"].values()
    rows = await household.rows("day", "2006-12-16", "2006-12-21", 2)
    assert [row.mean for row in rows] == [pytest.approx(day["v_mean"], abs=1e-9) for day in expected]
    assert {row.energy for row in rows} == {None}


async def test_household_means_of_five_minutes(household: Meter, shared: Path) -> None:
    expected = truth_of(shared, "uci-household-1min")["first_12_five_minute_means"]
    for point in household.points:
        curves = await household.service.load_curve([point], date("2006-12-16"), 5 * MINUTE_US)
        values = dict(zip(curves.edges_us.tolist(), curves.curves[0].value.tolist(), strict=False))
        for slot in expected:
            assert values[local_us(slot["t"], PARIS)] == pytest.approx(slot[point.name], abs=1e-9)


# ── Days of 23 and 25 hours, and five-minute load ────────────────────────────────────────────────────────────


async def test_hourly_meter_over_changes_of_the_clock(shared: Path, tmp_path: Path) -> None:
    truth = truth_of(shared, "eemeter-samples")["il-electricity-cdd-hdd"]
    with gzip.open(shared / "data/eemeter-samples/il-electricity-cdd-hdd-hourly.csv.gz", "rt") as file:
        samples = [
            (parse_time_us(row["start"]), float(row["value"])) for row in csv.DictReader(file) if row["value"]
        ]
    point = Point(
        id=1, name="il", unit="kWh", kind=PointKind.INTERVAL, interval_us=HOUR_US, time_zone="America/Chicago"
    )
    meter = Meter(tmp_path, point)
    meter.store.put(1, samples)
    months = await meter.rows("month", "2015-11-01", "2018-03-01")
    assert [row.energy for row in months] == list(truth["monthly_calendar"].values())
    hours = await meter.rows("day", "2016-03-13", "2016-03-14") + await meter.rows(
        "day", "2016-11-06", "2016-11-07"
    )
    assert [(row.coverage.expected, row.coverage.received, row.state) for row in hours] == [
        (23, 23, "complete"), (25, 25, "complete"),
    ]  # fmt: skip
    highest = max(months, key=lambda row: row.max_demand or 0.0)
    assert (highest.max_demand, highest.max_start_us) == (
        truth["max_hour"][0], parse_time_us(truth["max_hour"][1]),
    )  # fmt: skip
    await meter.service.close()


async def test_five_minute_load_of_a_region(shared: Path, tmp_path: Path) -> None:
    truth = truth_of(shared, "rts-gmlc-5min")["RT_APS_Promod_2020.csv"]
    with (shared / "data/rts-gmlc-5min/RT_APS_Promod_2020.csv").open() as file:
        days = list(csv.reader(file))[1:]
    loads = [float(value) for day in days for value in day[3:]]
    start_us = calendar.day_start_us(date("2020-01-01"), load_zone("UTC"))
    point = Point(
        id=1, name="aps", unit="MW", kind=PointKind.MEAN_POWER, interval_us=5 * MINUTE_US, time_zone="UTC"
    )
    meter = Meter(tmp_path, point)
    meter.store.put(1, ((start_us + index * 5 * MINUTE_US, load) for index, load in enumerate(loads)))
    months = await meter.rows("month", "2020-01-01", "2021-01-01")
    assert [row.energy for row in months] == [
        pytest.approx(energy, rel=1e-12) for energy in truth["monthly_mwh"].values()
    ]
    year = (await meter.rows("year", "2020-01-01", "2021-01-01"))[0]
    assert (year.energy, year.unit) == (truth["energy_mwh"], "MWh")
    demand, demand_start = truth["max_15min_mean"]
    assert (year.max_demand, year.max_start_us) == (
        pytest.approx(demand, abs=1e-9), local_us(demand_start, load_zone("UTC")),
    )  # fmt: skip
    await meter.service.close()
