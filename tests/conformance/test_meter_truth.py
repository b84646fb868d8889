"""Energy and its periods on real data equal the answers beside the data: hourly meters with their bills, five-minute load."""

import csv
import datetime
import gzip
import itertools
from pathlib import Path

import pytest

from historian.energy.calendar import DateRange, day_start_us
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone, parse_time_us
from tests.support.site import Site, date, day_us, local_us
from tests.support.truth import CLOSE, truth_of

CHICAGO = "America/Chicago"
ILLINOIS_BILLS = "Etc/GMT+6"  # billing periods keep winter time: 00:00-06:00, 01:00-05:00

# ── Days of 23 and 25 hours, and bills of uneven length ──────────────────────────────────────────────────────


def read_meter(shared: Path, name: str) -> list[tuple[int, float]]:
    with gzip.open(shared / f"data/eemeter-samples/{name}.csv.gz", "rt") as file:
        return [
            (parse_time_us(row["start"]), float(row["value"])) for row in csv.DictReader(file) if row["value"]
        ]


async def hourly_meter(site: Site, shared: Path, name: str, zone: str) -> Point:
    # A therm is no unit of the draft: the gas meter's sums are those of any quantity.
    unit = "m3" if "gas" in name else "kWh"
    point = site.point(name, unit, PointKind.INTERVAL, interval_us=HOUR_US, time_zone=zone)
    await site.put(point, read_meter(shared, f"{name}-hourly"))
    return point


METERS = ["il-electricity-cdd-hdd", "il-gas-hdd-only"]


@pytest.mark.parametrize("name", METERS)
async def test_hourly_meter_over_changes_of_the_clock(site: Site, shared: Path, name: str) -> None:
    truth = truth_of(shared, "eemeter-samples")[name]
    point = await hourly_meter(site, shared, name, CHICAGO)
    by_month = await site.rows(point, "month", "2015-11-01", "2018-03-01")
    assert [row.energy for row in by_month] == list(truth["monthly_calendar"].values())
    clocks = [(await site.row(point, day)).coverage for day in ("2016-03-13", "2016-11-06")]
    assert [(one.expected, one.received) for one in clocks] == [(23, 23), (25, 25)]
    highest = max(by_month, key=lambda row: row.max_demand or 0.0)
    assert (highest.max_demand, highest.max_start_us) == (
        truth["max_hour"][0],
        parse_time_us(truth["max_hour"][1]),
    )
    (whole,) = await site.rows_of(point, [DateRange(date("2015-11-22"), date("2018-02-09"))])
    assert (whole.energy, whole.coverage.received) == (truth["total"], truth["hourly_rows"])


@pytest.mark.parametrize("name", METERS)
async def test_days_of_hours_are_the_days_that_were_sent(site: Site, shared: Path, name: str) -> None:
    truth = truth_of(shared, "eemeter-samples")[name]
    point, zone = await hourly_meter(site, shared, name, CHICAGO), load_zone(CHICAGO)
    sent = dict(read_meter(shared, f"{name}-daily"))
    rows = await site.rows(point, "day", "2015-11-22", "2018-02-08")
    assert [row.period_start_us for row in rows] == sorted(sent)[:-1]  # of the last day there is one hour
    assert len(rows) == truth["days_compared"]
    assert day_start_us(date("2016-03-14"), zone) - day_start_us(date("2016-03-13"), zone) == 23 * HOUR_US
    differences = [abs((row.energy or 0.0) - sent[row.period_start_us]) for row in rows]
    assert max(differences) == pytest.approx(truth["max_abs_difference_day_sum_vs_daily_file"], abs=5e-3)


@pytest.mark.parametrize("kind", ["monthly", "bimonthly"])
@pytest.mark.parametrize("name", METERS)
async def test_bills_of_uneven_periods(site: Site, shared: Path, name: str, kind: str) -> None:
    truth = truth_of(shared, "eemeter-samples")[name]
    point, periods = await hourly_meter(site, shared, name, ILLINOIS_BILLS), truth[f"billing_{kind}"]
    edges = [parse_time_us(one["start"]) for one in periods] + [parse_time_us(periods[-1]["end"])]
    dates = [
        datetime.datetime.fromtimestamp(edge_us / 1e6, load_zone(ILLINOIS_BILLS)).date() for edge_us in edges
    ]
    parts = [DateRange(first, last) for first, last in itertools.pairwise(dates)]
    rows = await site.rows_of(point, parts)
    assert [row.period_start_us for row in rows] == edges[:-1]
    assert [row.energy for row in rows] == [one["sum_of_hours"] for one in periods]
    assert [row.coverage.received for row in rows] == [one["hours"] for one in periods]
    differences = [abs((row.energy or 0.0) - one["billed"]) for row, one in zip(rows, periods, strict=True)]
    assert max(differences) == pytest.approx(truth[f"max_abs_difference_billing_{kind}"], abs=1e-9)
    bills = await site.bills(point, parts)
    assert [float(bill.total) for bill in bills] == [one["sum_of_hours"] for one in periods]


# ── Two buildings, and five-minute load ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["building_1", "building_2"])
async def test_a_building_by_hours(site: Site, shared: Path, name: str) -> None:
    folder = shared / "data" / "bdg2-sample"
    truth = truth_of(shared, folder.name)
    tables = []
    for table in ("hourly", "daily"):
        with (folder / f"bdg2_{table}_sample.csv").open() as file:
            tables.append([float(row[name]) for row in csv.DictReader(file)])
    point = site.point(name, "kWh", PointKind.INTERVAL, interval_us=HOUR_US, time_zone="UTC")
    await site.put(
        point, [(day_us("2016-01-01", "UTC") + i * HOUR_US, kwh) for i, kwh in enumerate(tables[0])]
    )
    rows = await site.rows(point, "day", "2016-01-01", "2016-10-01")
    # Some hours carry the rest of a binary sum (187.18400000000003): they are no decimals, and 51 bits are kept.
    assert [row.energy for row in rows] == [pytest.approx(kwh, rel=CLOSE) for kwh in tables[1]]
    assert [row.coverage.received for row in rows[-2:]] == [24, 1]
    by_month = await site.rows(point, "month", "2016-01-01", "2016-10-01")
    assert [row.energy for row in by_month] == [
        pytest.approx(kwh, rel=CLOSE) for kwh in truth["monthly_kwh"][name].values()
    ]
    (year,) = await site.rows(point, "year", "2016-01-01", "2017-01-01")
    value, time = truth["max_hour"][name]
    assert [year.energy, year.max_demand] == pytest.approx([truth["total_kwh"][name], value], rel=CLOSE)
    assert year.max_start_us == local_us(time, "UTC")


async def test_five_minute_load_of_a_region(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "rts-gmlc-5min")["RT_APS_Promod_2020.csv"]
    with (shared / "data/rts-gmlc-5min/RT_APS_Promod_2020.csv").open() as file:
        loads = [float(value) for day in list(csv.reader(file))[1:] for value in day[3:]]
    start_us = day_us("2020-01-01", "UTC")
    point = site.point("aps", "MW", PointKind.MEAN_POWER, interval_us=5 * MINUTE_US, time_zone="UTC")
    await site.put(point, [(start_us + i * 5 * MINUTE_US, load) for i, load in enumerate(loads)])
    by_day = await site.rows(point, "day", "2020-01-01", "2021-01-01")
    assert [row.energy for row in by_day] == [
        pytest.approx(mwh, rel=CLOSE) for mwh in truth["daily_mwh"].values()
    ]
    by_month = await site.rows(point, "month", "2020-01-01", "2021-01-01")
    assert [row.energy for row in by_month] == [
        pytest.approx(mwh, rel=1e-12) for mwh in truth["monthly_mwh"].values()
    ]
    (year,) = await site.rows(point, "year", "2020-01-01", "2021-01-01")
    assert (year.energy, year.unit, year.coverage.received) == (truth["energy_mwh"], "MWh", truth["values"])
    demand, demand_start = truth["max_15min_mean"]
    assert (year.max_demand, year.max_start_us) == (
        pytest.approx(demand, rel=CLOSE),
        local_us(demand_start, "UTC"),
    )
    summaries = {
        name: (await site.parts.rollup.load_curve([point], date(name), 5 * MINUTE_US)).summary
        for name in truth["daily_max"]
    }
    assert {name: one.max_value for name, one in summaries.items()} == truth["daily_max"]
    for name, (value, time) in (("max", truth["max_5min"]), ("min", truth["min_5min"])):
        found = summaries[time[:10]]
        assert getattr(found, f"{name}_value") == value
        assert getattr(found, f"{name}_start_us") == local_us(time, "UTC")
    value, time = truth["max_hour_mean"]
    hours = await site.parts.rollup.load_curve([point], date(time[:10]), HOUR_US)
    assert (hours.summary.max_value, hours.summary.max_start_us) == (value, local_us(time, "UTC"))
