"""Energy, demand and their times on real data equal the answers worked out beside the data: a steel works, a house.

All goes through the real store, rollups and bills. Meters of hours and of five minutes are in test_meter_truth.py, stations that
generate in test_generation_truth.py.
"""

import csv
import datetime
import math
import random
from pathlib import Path

import msgspec
import pytest

from historian.energy.calendar import DateRange
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.tariff import TariffCalendar
from historian.model.term import DemandTerm, TariffTerm
from historian.rollup.row import RollupRow
from tests.support.site import Site, date, day_us, days, local_us, open_site
from tests.support.truth import CLOSE, truth_of

SEOUL, PARIS = "Asia/Seoul", "Europe/Paris"
QUARTER_US = 15 * MINUTE_US
STEEL_COLUMNS = {
    "kwh": ("Usage_kWh", "kWh"),
    "kvarh_lag": ("Lagging_Current_Reactive_Power_kVarh", "kvarh"),
    "kvarh_lead": ("Leading_Current_Reactive_Power_kVarh", "kvarh"),
    "tco2": ("CO2(tCO2)", "tCO2"),
}
STEEL_LOADS = {"peak": "Maximum_Load", "flat": "Medium_Load", "valley": "Light_Load"}

# ── Steel works: interval energy, 15 minutes ─────────────────────────────────────────────────────────────────


def read_steel(shared: Path) -> list[dict[str, str]]:
    path = shared / "data" / "steel-industry-15min" / "Steel_industry_data.csv"
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def steel_point(site: Site, name: str) -> Point:
    return site.point(name, STEEL_COLUMNS[name][1], PointKind.INTERVAL, time_zone=SEOUL)


def steel_samples(rows: list[dict[str, str]], name: str) -> list[tuple[int, float]]:
    # Rows are in order of time without gaps; their labels are not (README of the data).
    start_us, column = day_us("2018-01-01", SEOUL), STEEL_COLUMNS[name][0]
    return [(start_us + index * QUARTER_US, float(row[column])) for index, row in enumerate(rows)]


async def steel(site: Site, shared: Path, name: str = "kwh") -> Point:
    point = steel_point(site, name)
    await site.put(point, steel_samples(read_steel(shared), name))
    return point


@pytest.mark.parametrize("name", STEEL_COLUMNS)
async def test_steel_every_sum(site: Site, shared: Path, name: str) -> None:
    truth, point = truth_of(shared, "steel-industry-15min"), await steel(site, shared, name)
    by_day = await site.rows(point, "day", "2018-01-01", "2019-01-01")
    by_month = await site.rows(point, "month", "2018-01-01", "2019-01-01")
    (year,) = await site.rows(point, "year", "2018-01-01", "2019-01-01")
    assert [row.energy for row in by_day] == [day[name] for day in truth["daily"].values()]
    assert [row.energy for row in by_month] == [month[name] for month in truth["monthly"].values()]
    assert [row.coverage.received for row in by_month] == [month["n"] for month in truth["monthly"].values()]
    assert (year.energy, year.unit) == (truth["total"][name], STEEL_COLUMNS[name][1])


async def test_steel_year(site: Site, shared: Path) -> None:
    truth, point = truth_of(shared, "steel-industry-15min"), await steel(site, shared)
    (year,) = await site.rows(point, "year", "2018-01-01", "2019-01-01")
    assert (year.energy, year.max_demand) == (959636.71, truth["max_demand"]["kw"])
    assert year.max_start_us == local_us(truth["max_demand"]["interval_start"], SEOUL)
    assert year.max_end_us == local_us(truth["max_demand"]["interval_end"], SEOUL)
    assert year.load_factor == pytest.approx(truth["load_factor_year"], abs=5e-10)
    assert (year.coverage.expected, year.coverage.received, year.state) == (35040, 35040, "complete")
    assert year.min == 0.0, "the one quarter without consumption is a zero, not a hole"


async def test_steel_maximum_of_each_month_with_its_time(site: Site, shared: Path) -> None:
    expected = truth_of(shared, "steel-industry-15min")["monthly_max_demand"].values()
    rows = await site.rows(await steel(site, shared), "month", "2018-01-01", "2019-01-01")
    assert [(row.max_demand, row.max_start_us, row.max_end_us) for row in rows] == [
        (month["kw"], local_us(month["interval_start"], SEOUL), local_us(month["interval_end"], SEOUL))
        for month in expected
    ]


async def test_steel_hour_of_highest_energy(site: Site, shared: Path) -> None:
    truth, point = truth_of(shared, "steel-industry-15min")["max_hour"], await steel(site, shared)
    day = datetime.datetime.fromisoformat(truth["hour_start"]).date()
    curves = await site.parts.rollup.load_curve([point], day, HOUR_US)
    assert (curves.summary.max_value, curves.summary.max_start_us) == (
        truth["kwh"], local_us(truth["hour_start"], SEOUL),
    )  # fmt: skip


async def test_steel_work_days_and_weekends(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "steel-industry-15min")["kwh_by_weekstatus"]
    rows = await site.rows(await steel(site, shared), "day", "2018-01-01", "2019-01-01")
    found = {"Weekday": 0.0, "Weekend": 0.0}
    for place, row in enumerate(rows):
        found["Weekday" if place % 7 < 5 else "Weekend"] += row.energy or 0.0  # 2018 began on a Monday
    assert found == {name: pytest.approx(kwh, rel=CLOSE) for name, kwh in truth.items()}


async def test_steel_power_factor_is_that_of_the_energies(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "steel-industry-15min")
    active, reactive = [
        (await site.rows(await steel(site, shared, name), "year", "2018-01-01", "2019-01-01"))[0].energy
        for name in ("kwh", "kvarh_lag")
    ]
    assert active is not None
    assert reactive is not None
    assert active / math.hypot(active, reactive) == pytest.approx(
        truth["power_factor_year_lag_only"], rel=CLOSE
    )


def steel_calendar() -> TariffCalendar:
    """The rates of the load labels, winter apart; days on which all is light load are flagged."""
    body = {
        "id": "KR-steel", "version": 1, "legal": "labels of the data", "source": "data", "confidence": "high",
        "name_zh": "钢厂", "name_en": "Steel works", "region": "KR", "seasons": [
            {"name": "summer half", "months": [3, 4, 5, 6, 7, 8, 9, 10], "valley": ["23:00-09:00"],
             "flat": ["09:00-10:00", "12:00-13:00", "17:00-23:00"], "peak": ["10:00-12:00", "13:00-17:00"]},
            {"name": "winter", "months": [1, 2, 11, 12], "valley": ["23:00-09:00"],
             "flat": ["09:00-10:00", "12:00-17:00", "20:00-22:00"], "peak": ["10:00-12:00", "17:00-20:00", "22:00-23:00"]},
        ],
        "overlays": [{"name": "off", "band": "valley", "windows": ["00:00-24:00"], "flags": ["off"]}],
    }  # fmt: skip
    return msgspec.convert(body, TariffCalendar)


async def test_steel_energy_by_rate(site: Site, shared: Path) -> None:
    truth, rows = truth_of(shared, "steel-industry-15min")["kwh_by_load_type"], read_steel(shared)
    book, point = site.parts.tariffs, await steel(site, shared)
    book.put(steel_calendar(), "tester", "test")
    for place in range(365):
        if rows[place * 96 + 45]["Load_Type"] == "Light_Load":  # 11:15, else maximum load all the year
            day = date("2018-01-01") + datetime.timedelta(days=place)
            book.flag_day("KR-steel", day, "off", "tester", "test")
    site.state(point, TariffTerm("KR-steel"))
    (bill,) = await site.bills(point, [DateRange(date("2018-01-01"), date("2019-01-01"))])
    assert bill.bands is not None
    _, peak, flat, valley, _ = bill.bands
    found = {"peak": peak, "flat": flat, "valley": valley}
    assert {STEEL_LOADS[band]: float(sums) for band, sums in found.items()} == truth
    assert bill.undivided == 0


async def test_steel_shuffled_and_in_pieces_gives_the_same_rows(shared: Path, tmp_path: Path) -> None:
    samples = steel_samples(read_steel(shared), "kwh")
    answers: list[list[RollupRow]] = []
    for name in ("whole", "pieces"):
        async with open_site(tmp_path / name) as site:
            point = steel_point(site, "kwh")
            if name == "whole":
                await site.put(point, samples)
            else:
                random.Random(2018).shuffle(samples)
                for first in range(0, len(samples), 5000):
                    await site.put(point, samples[first : first + 6000])  # the pieces overlap
                    await site.rows(point, "month", "2018-03-01", "2018-04-01")
            answers.append(await site.rows(point, "month", "2018-01-01", "2019-01-01"))
    plain, pieces = [
        [msgspec.structs.replace(row, revision=0, computed_at_us=0) for row in rows] for rows in answers
    ]
    assert plain == pieces


# ── Household: means of one minute ───────────────────────────────────────────────────────────────────────────

HOUSE_UNITS = {
    "Global_active_power": "kW", "Global_reactive_power": "kvar", "Voltage": "V", "Global_intensity": "A",
}  # fmt: skip
HOUSE_DAYS = ("2006-12-16", "2006-12-21")


async def household(site: Site, shared: Path, column: str) -> Point:
    path = shared / "data" / "uci-household-1min" / "household_power_consumption_part.txt"
    with path.open(encoding="ascii") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    is_sub = column.startswith("Sub")
    kind, unit = (PointKind.INTERVAL, "Wh") if is_sub else (PointKind.MEAN_POWER, HOUSE_UNITS[column])
    point = site.point(column, unit, kind, interval_us=MINUTE_US, time_zone=PARIS)
    start_us = local_us("2006-12-16T17:24:00", PARIS)
    await site.put(point, [(start_us + i * MINUTE_US, float(row[column])) for i, row in enumerate(rows)])
    return point


@pytest.mark.parametrize(
    ("column", "name"), [("Global_active_power", "kwh"), ("Global_reactive_power", "kvarh")]
)
async def test_household_energy_of_each_day(site: Site, shared: Path, column: str, name: str) -> None:
    truth = truth_of(shared, "uci-household-1min")
    point, expected = await household(site, shared, column), truth["daily"].values()
    rows = await site.rows(point, "day", *HOUSE_DAYS)
    assert [row.energy for row in rows] == [pytest.approx(day[name], rel=CLOSE) for day in expected]
    assert [row.coverage.received for row in rows] == [day["minutes_present"] for day in expected]
    (month,) = await site.rows(point, "month", "2006-12-01", "2007-01-01")
    assert month.energy == pytest.approx(truth[f"total_{name}"], rel=CLOSE)


async def test_household_energy_of_sub_meters(site: Site, shared: Path) -> None:
    expected = truth_of(shared, "uci-household-1min")["daily"].values()
    for index in range(3):
        rows = await site.rows(await household(site, shared, f"Sub_metering_{index + 1}"), "day", *HOUSE_DAYS)
        assert [row.energy for row in rows] == [day["sub_wh"][index] for day in expected]


async def test_household_demand_over_blocks_and_sliding(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "uci-household-1min")
    point = await household(site, shared, "Global_active_power")
    (month,) = await site.rows(point, "month", "2006-12-01", "2007-01-01")
    demand, start = truth["max_demand_15min_block_kw"]
    assert (month.max_demand, month.max_start_us) == (
        pytest.approx(demand, rel=CLOSE),
        local_us(start, PARIS),
    )
    site.state(point, DemandTerm(900, 60))
    (bill,) = await site.bills(point, [DateRange(date("2006-12-01"), date("2007-01-01"))])
    sliding, window = truth["max_demand_15min_sliding_kw"]
    last_minute_us = local_us(window.removeprefix("window ends "), PARIS)
    assert bill.demand is not None
    assert (bill.demand.value, bill.demand.slide_us) == (pytest.approx(sliding, rel=CLOSE), MINUTE_US)
    assert bill.demand.end_us == last_minute_us + MINUTE_US  # a row is stamped with the start of its minute
    assert bill.demand.start_us == bill.demand.end_us - QUARTER_US


async def test_household_highest_minute(site: Site, shared: Path) -> None:
    value, start = truth_of(shared, "uci-household-1min")["max_1min_kw"]
    point = await household(site, shared, "Global_active_power")
    highest = []
    for day in days(*HOUSE_DAYS):
        curves = await site.parts.rollup.load_curve([point], day.first, MINUTE_US)
        highest.append((curves.summary.max_value, curves.summary.max_start_us))
    assert max(highest) == (value, local_us(start, PARIS))


async def test_household_voltage_has_means_and_no_energy(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "uci-household-1min")
    point, expected = await household(site, shared, "Voltage"), truth["daily"]
    rows = await site.rows(point, "day", *HOUSE_DAYS)
    assert [row.mean for row in rows] == [
        pytest.approx(day["v_mean"], rel=CLOSE) for day in expected.values()
    ]
    assert {row.energy for row in rows} == {None}
    (month,) = await site.rows(point, "month", "2006-12-01", "2007-01-01")
    assert month.mean == pytest.approx(truth["voltage"]["mean"], rel=CLOSE)
    lowest, highest = [], []
    for name, day in expected.items():
        summary = (await site.parts.rollup.load_curve([point], date(name), MINUTE_US)).summary
        assert (summary.min_value, summary.max_value) == (day["v_min"], day["v_max"])
        lowest.append([summary.min_value, summary.min_start_us])
        highest.append([summary.max_value, summary.max_start_us])
    for found, (value, time) in (
        (min(lowest), truth["voltage"]["min"]),
        (max(highest), truth["voltage"]["max"]),
    ):
        assert found == [value, local_us(time, PARIS)]


async def test_household_highest_current(site: Site, shared: Path) -> None:
    point = await household(site, shared, "Global_intensity")
    for name, day in truth_of(shared, "uci-household-1min")["daily"].items():
        summary = (await site.parts.rollup.load_curve([point], date(name), MINUTE_US)).summary
        assert summary.max_value == day["i_max"]


async def test_household_means_of_five_minutes(site: Site, shared: Path) -> None:
    expected = truth_of(shared, "uci-household-1min")["first_12_five_minute_means"]
    for column in HOUSE_UNITS:
        point = await household(site, shared, column)
        curves = await site.parts.rollup.load_curve([point], date("2006-12-16"), 5 * MINUTE_US)
        values = dict(zip(curves.edges_us.tolist(), curves.curves[0].value.tolist(), strict=False))
        for slot in expected:
            assert values[local_us(slot["t"], PARIS)] == pytest.approx(slot[column], rel=CLOSE)
