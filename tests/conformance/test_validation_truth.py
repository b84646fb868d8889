"""Validation and estimation on real data find what the labels beside the data say, and keep what was counted."""

import csv
import datetime
import gzip
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.energy import cross_check, estimate, finding, fixed_point, validation
from historian.energy.cross_check import F64
from historian.energy.estimate_inputs import Evidence, Gap, LikeDay, Register
from historian.energy.validation import Subject
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US, PointKind
from historian.model.rules import NegativeRule, RangeRule, Rules, SentinelRule, SpikeRule, StuckRule
from historian.model.sample import SampleRun

QUARTER_US = 15 * MINUTE_US
SOLAR = "Solar station site 1 (Nominal capacity-50MW)"

Rows = list[dict[str, str]]


def truth_of(shared: Path, folder: str, name: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((shared / "data" / folder / "truth.json").read_text())
    return truth[name] if name else truth


def rows_of(path: Path, delimiter: str = ",") -> Rows:
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def time_us(text: str) -> int:
    moment = datetime.datetime.fromisoformat(text)
    return round(moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp()) * SECOND_US


def run_of(rows: Rows, time_column: str, value_column: str) -> SampleRun:
    """Rows with a value; an empty one is no sample."""
    found = [(time_us(row[time_column]), float(row[value_column])) for row in rows if row[value_column]]
    times, values = zip(*found, strict=True)
    return SampleRun(1, np.array(times, np.int64), np.array(values), np.zeros(len(times), np.uint16))


def broken(run: SampleRun, rules: Rules, interval_us: int = QUARTER_US) -> list[int]:
    checked = validation.check(run, Subject(rules, PointKind.MEAN_POWER, interval_us))
    return run.time_us[checked.breach != 0].tolist()


def test_frozen_values_are_those_that_were_frozen_by_hand(shared: Path) -> None:
    name = "ac_power_inv_2173_stale_data.csv"
    rows = rows_of(shared / "data/pv-quality-labelled" / name)
    run = run_of(rows, "timestamp", "value_normalized")
    expected = [time_us(row["timestamp"]) for row in rows if row["stale_data_mask"] == "True"]
    assert broken(run, Rules(stuck=StuckRule())) == expected
    _, found = finding.find(run, Subject(Rules(stuck=StuckRule()), PointKind.MEAN_POWER, QUARTER_US))
    runs = truth_of(shared, "pv-quality-labelled", name)["flagged_stale_data_mask"]["runs"]
    assert [(one.start_us, one.end_us - QUARTER_US, one.count) for one in found] == [
        (time_us(start), time_us(end), count) for start, end, count in runs
    ]


def test_lone_outliers_are_those_that_were_labelled(shared: Path) -> None:
    rows = rows_of(shared / "data/pv-quality-labelled/ac_power_inv_7539_outliers.csv")
    run = run_of(rows, "timestamp", "value_normalized")
    expected = [time_us(row["timestamp"]) for row in rows if row["outlier"] == "TRUE"]
    by_range = Rules(range=RangeRule(low=-0.1, high=1.1))
    assert broken(run, by_range) == [
        each for each in expected if each != time_us("2017-04-14 15:45:00+00:00")
    ]
    # Clouds make honest spikes too: by its height alone, some are told that nobody labelled.
    assert set(broken(run, Rules(spike=SpikeRule(height=0.39)))) >= set(expected)
    assert broken(run, Rules(range=by_range.range, spike=SpikeRule(height=0.65))) == expected


def test_negative_power_at_night_is_told_or_tolerated(shared: Path) -> None:
    name = "serf_east_15min_ac_power.csv"
    run = run_of(rows_of(shared / "data/pv-quality-labelled" / name), "measured_on", "ac_power")
    truth = truth_of(shared, "pv-quality-labelled", name)
    assert len(broken(run, Rules(negative=NegativeRule()))) == truth["night_negative_rows"]
    assert broken(run, Rules(negative=NegativeRule(tolerance=10.0))) == []
    _, found = finding.find(run, Subject(Rules(negative=NegativeRule()), PointKind.MEAN_POWER, QUARTER_US))
    assert min(one.worst or 0.0 for one in found) == truth["numeric"]["ac_power"]["min"]


def test_numbers_that_stand_for_no_value_are_bad(shared: Path) -> None:
    rows = rows_of(shared / "data/sgcc-pv-15min" / f"{SOLAR}.csv.gz")
    truth = truth_of(shared, "sgcc-pv-15min", f"{SOLAR}.xlsx")
    time_column = next(iter(rows[0]))
    for column in ("Total solar irradiance (W/m2)", "Relative humidity (%)"):
        counts = truth["sentinels"][column]
        run = run_of(rows, time_column, column)
        subject = Subject(Rules(sentinel=SentinelRule((-99, 6553.5))), PointKind.INSTANTANEOUS, QUARTER_US)
        checked, found = finding.find(run, subject)
        assert np.count_nonzero(checked.quality == 2) == sum(counts.values())
        assert sum(one.count for one in found) == sum(counts.values())


def household(shared: Path) -> dict[str, F64]:
    """Columns of a house, one row a minute; ``?`` is no value."""
    rows = rows_of(shared / "data/uci-household-1min/household_power_consumption_part.txt", ";")
    names = ("Global_active_power", "Global_reactive_power", "Voltage", "Global_intensity")
    return {
        name: np.array([np.nan if row[name] == "?" else float(row[name]) for row in rows]) for name in names
    }


def test_power_triangle_of_a_house(shared: Path) -> None:
    columns = household(shared)
    active, reactive = columns["Global_active_power"], columns["Global_reactive_power"]
    apparent = cross_check.product_kva(columns["Voltage"], columns["Global_intensity"], phases=1)
    # Amperes come in steps of 0.2: in small loads these are more than the tolerance.
    check = cross_check.power_triangle(active, reactive, apparent, least=4.0)
    assert (check.compared_count, check.broken_count) == (267, 11)
    # The house has no more faults than that loads are switched within the minute.
    for slot in np.flatnonzero(check.is_broken).tolist():
        assert np.max(np.abs(np.diff(active[slot - 1 : slot + 2]))) > 0.05 * active[slot]
    of_product = cross_check.apparent_power(
        np.hypot(active, reactive), columns["Voltage"], columns["Global_intensity"], phases=1, least=4.0
    )
    assert (of_product.compared_count, of_product.broken_count) == (267, 1)
    in_watts = cross_check.power_triangle(active * 1000, reactive, apparent, least=4.0)
    assert in_watts.broken_count == in_watts.compared_count
    assert ("unit_scale", "active") in [(one.kind, one.side) for one in in_watts.suggestions]


def test_a_missing_mark_is_not_compared(shared: Path) -> None:
    columns = household(shared)
    active = columns["Global_active_power"].copy()
    active[::2] = np.nan
    apparent = cross_check.product_kva(columns["Voltage"], columns["Global_intensity"], phases=1)
    check = cross_check.power_triangle(active, columns["Global_reactive_power"], apparent)
    assert check.compared_count == len(active) // 2


@pytest.fixture(scope="module")
def hours(shared: Path) -> SampleRun:
    """Two years of hourly energy of one meter."""
    path = shared / "data/eemeter-samples/il-electricity-cdd-hdd-hourly.csv.gz"
    return run_of(rows_of(path), "start", "value")


def test_hours_add_up_to_the_days_of_the_same_meter(shared: Path, hours: SampleRun) -> None:
    days = rows_of(shared / "data/eemeter-samples/il-electricity-cdd-hdd-daily.csv.gz")
    edges = [time_us(row["start"]) for row in days]
    checks = [
        cross_check.sum_check(
            hours.between(edges[day], edges[day + 1]).value,
            fixed_point.exact(float(days[day]["value"])),
            Fraction(2, 100),  # both files are rounded to 0.01, and a day has 24 of these
        )
        for day in range(len(days) - 1)
    ]
    done = [check for check in checks if check is not None]
    assert len(done) == len(days) - 1 == 809
    assert max(abs(check.residual) for check in done) == Fraction(4, 100)
    assert not any(check.is_broken for check in done)


def test_a_day_lost_is_estimated_from_three_weeks_with_the_registers_energy(hours: SampleRun) -> None:
    first_us = time_us("2017-03-15T00:00:00-05:00")
    lost = hours.between(first_us, first_us + DAY_US)
    kept = hours.time_us[(hours.time_us < first_us) | (hours.time_us >= first_us + DAY_US)]
    at = np.searchsorted(hours.time_us, kept)
    run = SampleRun(1, kept, hours.value[at], hours.quality[at])
    weeks = [LikeDay(f"w{week}", -7 * week * DAY_US, hours) for week in (1, 2, 3)]
    counted = float(np.round(np.sum(lost.value), 2))
    gap = Gap(first_us, first_us + DAY_US, HOUR_US, PointKind.INTERVAL)
    made = estimate.plan(run, gap, Evidence(weeks, Register(1000.0, 1000.0 + counted)))
    assert made.time_us.tolist() == lost.time_us.tolist()
    assert made.record.methods == {"like_days": 24}
    assert made.record.like_days == {"w1": 24, "w2": 24, "w3": 24}
    assert cross_check.exact_sum(made.value) == cross_check.exact_sum(lost.value)
    unscaled = estimate.plan(run, gap, Evidence(weeks))
    expected = np.mean(
        [hours.value[np.searchsorted(hours.time_us, lost.time_us + day.shift_us)] for day in weeks], axis=0
    )
    assert np.allclose(unscaled.value, expected, atol=0.0005)
