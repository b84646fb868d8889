"""Energy on real data equals the answers beside the data: solar stations with sentinels, negatives and dead channels, and
a transformer whose values are samples, not means.
"""

import csv
import gzip
from pathlib import Path

import pytest

from historian.energy.calendar import DateRange
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import parse_time_us
from tests.support.site import Site, date, days, local_us
from tests.support.truth import CLOSE, truth_of

QUARTER_US = 15 * MINUTE_US
SHANGHAI, MOUNTAIN = "Asia/Shanghai", "Etc/GMT+7"


def table_of(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def close(values: object) -> list[object]:
    """Each number of a list, a dict's values, within the tolerance of the data sets."""
    found = values.values() if isinstance(values, dict) else values
    assert isinstance(found, list | type({}.values()))
    return [pytest.approx(value, rel=CLOSE, abs=1e-9) for value in found]


# ── State Grid: 50 MW of solar power, two years ──────────────────────────────────────────────────────────────

SOLAR = "Solar station site 1 (Nominal capacity-50MW)"
SENTINELS = {"-99", "-99.0", "6553.5"}


def read_solar(shared: Path, column: str) -> list[tuple[int, str]]:
    rows = table_of(shared / "data" / "sgcc-pv-15min" / f"{SOLAR}.csv.gz")
    return [
        (local_us(row["Time(year-month-day h:m:s)"].replace(" ", "T"), SHANGHAI), row[column]) for row in rows
    ]


async def test_solar_station_energy(site: Site, shared: Path) -> None:
    truth = truth_of(shared, "sgcc-pv-15min")[f"{SOLAR}.xlsx"]
    point = site.point("pv", "MW", PointKind.MEAN_POWER, time_zone=SHANGHAI)
    await site.put(point, [(time_us, float(value)) for time_us, value in read_solar(shared, "Power (MW)")])
    by_day = await site.rows(point, "day", "2019-01-01", "2021-01-01")
    assert [row.energy for row in by_day] == close(truth["daily_mwh_signed"])
    by_month = await site.rows(point, "month", "2019-01-01", "2021-01-01")
    assert [row.energy for row in by_month] == close(truth["monthly_mwh_signed"])
    years = await site.rows(point, "year", "2019-01-01", "2021-01-01")
    hours = [(row.energy or 0.0) / truth["capacity_mw"] for row in years]
    assert hours == close(truth["utilisation_hours_by_year_pos"])
    (whole,) = await site.rows_of(point, [DateRange(date("2019-01-01"), date("2021-01-01"))])
    value, time = truth["max_mw"]
    assert whole.energy == pytest.approx(truth["energy_mwh_signed"], rel=CLOSE)
    assert (whole.max_demand, whole.max_start_us) == (value, local_us(time, SHANGHAI))
    assert (whole.coverage.received, whole.coverage.expected) == (truth["rows"], truth["rows"])
    assert whole.min == truth["ranges"]["Power (MW)"][0]


@pytest.mark.parametrize(
    ("column", "unit"), [("Air temperature  (°C)", "degC"), ("Relative humidity (%)", "%")]
)
async def test_codes_for_no_value_that_an_import_marks_are_in_no_figure(
    site: Site, shared: Path, column: str, unit: str
) -> None:
    truth = truth_of(shared, "sgcc-pv-15min")[f"{SOLAR}.xlsx"]
    samples = read_solar(shared, column)
    marks = [quality.BAD if value in SENTINELS else quality.GOOD for _, value in samples]
    assert marks.count(quality.BAD) == sum(truth["sentinels"][column].values())
    point = site.point("weather", unit, PointKind.INSTANTANEOUS, time_zone=SHANGHAI)
    await site.put(point, [(time_us, float(value)) for time_us, value in samples], marks)
    years = await site.rows(point, "year", "2019-01-01", "2021-01-01")
    assert sum(row.coverage.received for row in years) == truth["rows"]
    assert sum(row.coverage.good for row in years) == truth["rows"] - marks.count(quality.BAD)
    good = [float(value) for _, value in samples if value not in SENTINELS]
    assert max(row.max_demand or 0.0 for row in years) == max(good)
    assert min(row.min or 0.0 for row in years) == min(good)
    assert {row.energy for row in years} == {None}


# ── Solar power at night, off the quarter, and of a dead channel ─────────────────────────────────────────────


async def test_power_below_zero_at_night_stays_in_the_sum(site: Site, shared: Path) -> None:
    name = "serf_east_15min_ac_power.csv"
    truth = truth_of(shared, "pv-quality-labelled")[name]
    rows = table_of(shared / "data" / "pv-quality-labelled" / name)
    samples = [(parse_time_us(row["measured_on"]), float(row["ac_power"])) for row in rows]
    point = site.point("east", "W", PointKind.MEAN_POWER, time_zone=MOUNTAIN)
    await site.put(point, samples)
    by_day = await site.rows(point, "day", "2016-07-01", "2016-10-14")
    assert [(row.energy or 0.0) / 1000 for row in by_day] == close(truth["daily_kwh_signed"])
    (whole,) = await site.rows_of(point, [DateRange(date("2016-07-01"), date("2016-10-14"))])
    assert (whole.energy or 0.0) / 1000 == pytest.approx(truth["kwh_signed"], rel=CLOSE)
    figures = truth["numeric"]["ac_power"]
    assert (whole.max_demand, whole.min) == (figures["max"], figures["min"])
    assert whole.max_start_us == parse_time_us(figures["at_max"])
    assert whole.mean == pytest.approx(figures["mean"], rel=CLOSE)
    assert whole.coverage.received == truth["rows"]
    taken = [max(value, 0.0) for _, value in samples]
    assert sum(taken) / 4000 == pytest.approx(truth["kwh_negative_as_zero"], rel=CLOSE), "never done unasked"


async def test_missing_values_are_holes_and_flagged_ones_have_their_day(site: Site, shared: Path) -> None:
    name = "ac_power_inv_2173_stale_data.csv"
    truth = truth_of(shared, "pv-quality-labelled")[name]
    rows = table_of(shared / "data" / "pv-quality-labelled" / name)
    is_stale = [row["stale_data_mask"] == "True" for row in rows]
    assert sum(is_stale) == truth["flagged_stale_data_mask"]["rows"]
    present = [row for row in rows if row["value_normalized"]]
    marks = [quality.SUSPECT if row["stale_data_mask"] == "True" else 0 for row in present]
    point = site.point("inv2173", "kW", PointKind.MEAN_POWER, time_zone="UTC")
    samples = [(parse_time_us(row["timestamp"]), float(row["value_normalized"])) for row in present]
    await site.put(point, samples, marks)
    (whole,) = await site.rows_of(point, [DateRange(date("2010-12-29"), date("2011-01-30"))])
    figures = truth["numeric"]["value_normalized"]
    assert whole.coverage.received == truth["rows"] - figures["missing"]
    assert whole.coverage.good == whole.coverage.received - sum(map(bool, marks))
    assert whole.state == "provisional"
    assert whole.max_demand == pytest.approx(figures["max"], rel=CLOSE)
    assert whole.mean == pytest.approx(figures["mean"], rel=1e-6), (
        "a hole is no zero: the mean is of what is there"
    )


async def test_outliers_that_are_marked_bad_are_in_no_maximum(site: Site, shared: Path) -> None:
    name = "ac_power_inv_7539_outliers.csv"
    truth = truth_of(shared, "pv-quality-labelled")[name]
    rows = table_of(shared / "data" / "pv-quality-labelled" / name)
    samples = [(parse_time_us(row["timestamp"]), float(row["value_normalized"])) for row in rows]
    marks = [quality.BAD if row["outlier"] == "TRUE" else 0 for row in rows]
    assert marks.count(quality.BAD) == truth["flagged_outlier"]["rows"]
    period = DateRange(date("2017-04-10"), date("2017-04-21"))
    found = []
    for number, chosen in enumerate(([0] * len(marks), marks)):
        point = site.point(f"inv7539-{number}", "kW", PointKind.MEAN_POWER, time_zone="UTC")
        await site.put(point, samples, chosen)
        found += await site.rows_of(point, [period])
    figures = truth["numeric"]["value_normalized"]
    assert (found[0].max_demand, found[0].min) == (pytest.approx(figures["max"], rel=CLOSE), figures["min"])
    assert found[0].max_start_us == parse_time_us(figures["at_max"])
    good = [value for (_, value), mark in zip(samples, marks, strict=True) if not mark]
    assert (found[1].max_demand, found[1].min) == (max(good), min(good))
    assert found[1].coverage.received - found[1].coverage.good == truth["flagged_outlier"]["rows"]


@pytest.mark.parametrize(
    ("column", "unit"), [("ac_power__773", "W"), ("ac_current__779", "A"), ("ac_volts__778", "V")]
)
async def test_samples_off_the_quarter_and_a_dead_channel(
    site: Site, shared: Path, column: str, unit: str
) -> None:
    truth = truth_of(shared, "pv-quality-labelled")["serf_west_15min.csv"]
    rows = table_of(shared / "data" / "pv-quality-labelled" / "serf_west_15min.csv")
    point = site.point("west", unit, PointKind.INSTANTANEOUS, time_zone=MOUNTAIN)
    samples = [(local_us(row[""].replace(" ", "T"), MOUNTAIN), float(row[column])) for row in rows]
    await site.put(point, samples)
    by_day = await site.rows(point, "day", "2022-01-02", "2022-01-07")
    figures = truth["numeric"][column]
    assert [row.coverage.received for row in by_day] == [96] * 5
    # Each sample is held for a quarter: the day's last one reaches a minute into the next day.
    weighted = sum(value for _, value in samples[:-1]) + samples[-1][1] * 14 / 15
    (whole,) = await site.rows_of(point, [DateRange(date("2022-01-02"), date("2022-01-07"))])
    assert whole.mean == pytest.approx(weighted / (479 + 14 / 15), rel=CLOSE)
    assert whole.mean == pytest.approx(figures["mean"], rel=1e-3, abs=1e-12)
    if unit == "W":
        assert whole.energy == pytest.approx(weighted / 4, rel=CLOSE)
    if unit == "A":
        assert (whole.max_demand, whole.min, whole.state) == (0.0, 0.0, "provisional"), (
            "dead is 0, not unknown"
        )


# ── Transformer: values are samples, also where they are an hour apart ───────────────────────────────────────

LOADS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL")


def read_transformer(shared: Path, name: str, column: str) -> list[tuple[int, float]]:
    rows = table_of(shared / "data" / "ett-transformer" / name)
    # The second file is cut off within its last line: that is set aside, not guessed.
    whole = [row for row in rows if row["OT"] is not None]
    return [(local_us(row["date"].replace(" ", "T"), SHANGHAI), float(row[column])) for row in whole]


async def transformer(site: Site, shared: Path, name: str, column: str, interval_us: int) -> Point:
    unit = "degC" if column == "OT" else "Mvar" if column.endswith("ULL") else "MW"
    point = site.point(
        f"{name}.{column}", unit, PointKind.INSTANTANEOUS, interval_us=interval_us, time_zone=SHANGHAI
    )
    await site.put(point, read_transformer(shared, name, column))
    return point


HOURS = [DateRange(date("2016-07-01"), date("2018-06-27"))]


@pytest.mark.parametrize("column", [*LOADS, "OT"])
async def test_transformer_by_hours(site: Site, shared: Path, column: str) -> None:
    truth = truth_of(shared, "ett-transformer")["h"]
    point = await transformer(site, shared, "ETTh1.csv", column, HOUR_US)
    (whole,) = await site.rows_of(point, HOURS)
    assert whole.coverage.received == truth["rows"]
    assert whole.mean == pytest.approx(truth["mean"][column], rel=CLOSE)
    assert whole.energy == (None if column == "OT" else pytest.approx(truth["sum"][column], rel=CLOSE))
    for name, value, start_us in (
        ("max", whole.max_demand, whole.max_start_us), ("min", whole.min, whole.min_start_us),
    ):  # fmt: skip
        expected, time = truth[name][column]
        assert (value, start_us) == (pytest.approx(expected, rel=CLOSE), local_us(time, SHANGHAI))


@pytest.mark.parametrize("column", ["HUFL", "MUFL"])
async def test_transformer_by_months_also_where_energy_flows_back(
    site: Site, shared: Path, column: str
) -> None:
    truth = truth_of(shared, "ett-transformer")["h"]
    point = await transformer(site, shared, "ETTh1.csv", column, HOUR_US)
    by_month = await site.rows(point, "month", "2016-07-01", "2018-07-01")
    assert [row.energy for row in by_month] == close(truth[f"monthly_{column}_unit_h"])
    if column == "MUFL":
        assert min(row.energy or 0.0 for row in by_month) < 0
    else:
        by_day = await site.rows(point, "day", "2016-07-01", "2018-06-27")
        assert [row.energy for row in by_day] == close(truth["daily_HUFL_unit_h"])


QUARTERS = [DateRange(date("2016-07-01"), date("2017-01-21"))]


@pytest.mark.parametrize("column", LOADS)
async def test_transformer_by_quarters(site: Site, shared: Path, column: str) -> None:
    truth = truth_of(shared, "ett-transformer")["m"]
    point = await transformer(site, shared, "ETTm1_part.csv", column, QUARTER_US)
    (whole,) = await site.rows_of(point, QUARTERS)
    assert whole.coverage.received == truth["complete_rows"]
    assert whole.energy == pytest.approx(truth["sum_x_0.25h"][column], rel=CLOSE)
    expected = [*truth["max"][column], *truth["min"][column]]
    found = [whole.max_demand, whole.max_start_us, whole.min, whole.min_start_us]
    assert found[::2] == close(expected[::2])
    assert found[1::2] == [local_us(time, SHANGHAI) for time in expected[1::2]]


async def test_transformer_samples_on_the_hour_are_not_the_means_of_quarters(
    site: Site, shared: Path
) -> None:
    truth = truth_of(shared, "ett-transformer")
    hours = await transformer(site, shared, "ETTh1.csv", "HUFL", HOUR_US)
    quarters = await transformer(site, shared, "ETTm1_part.csv", "HUFL", QUARTER_US)
    by_day = await site.rows(quarters, "day", "2016-07-01", "2017-01-20")
    assert [row.energy for row in by_day] == close(truth["m"]["daily_HUFL_x_0.25h"])
    by_month = await site.rows(quarters, "month", "2016-07-01", "2017-02-01")
    assert [row.energy for row in by_month] == close(truth["m"]["monthly_HUFL_x_0.25h"])
    same, other = 0, 0
    for day in days("2016-07-01", "2016-07-08"):
        curves = [
            await site.parts.rollup.load_curve([point], day.first, interval_us)
            for point, interval_us in ((hours, HOUR_US), (quarters, QUARTER_US), (quarters, HOUR_US))
        ]
        of_hours, of_quarters, means = (curve.curves[0].value for curve in curves)
        same += int((of_hours == of_quarters[::4]).sum())
        other += int((abs(of_hours - means) > 1e-6).sum())
    assert (same, other) == (7 * 24, 7 * 24 - 4), "four hours had four equal quarters"
