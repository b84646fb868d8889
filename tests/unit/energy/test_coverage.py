"""Counts beside each figure."""

import numpy as np

from historian.energy import coverage
from historian.energy.coverage import Coverage
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US
from historian.model.sample import SampleRun

QUARTER_US = 15 * MINUTE_US


def run_of(*qualities: int) -> SampleRun:
    count = len(qualities)
    time_us = np.arange(count, dtype=np.int64) * QUARTER_US
    return SampleRun(1, time_us, np.ones(count), np.array(qualities, np.uint16))


def test_every_kind_of_sample_is_counted_once() -> None:
    run = run_of(
        quality.GOOD,
        quality.SUSPECT,
        quality.BAD,
        quality.GOOD | quality.ESTIMATED,
        quality.GOOD | quality.MANUAL,
        quality.SUSPECT | quality.SUBSTITUTED,
        quality.GOOD | quality.DERIVED,
    )
    found = coverage.count(run, 0, 2 * HOUR_US, QUARTER_US)
    assert found == Coverage(expected=8, received=7, good=4, measured=3, estimated=1, manual=2)


def test_deleted_samples_never_came() -> None:
    assert coverage.count(run_of(quality.DELETED), 0, HOUR_US, QUARTER_US).received == 0


def test_samples_outside_do_not_count() -> None:
    assert coverage.count(run_of(*[0] * 10), QUARTER_US, 3 * QUARTER_US, QUARTER_US).received == 2


def test_a_daily_sample_is_expected_once_on_short_and_long_days() -> None:
    assert [coverage.expected_count(0, hours * HOUR_US, DAY_US) for hours in (0, 23, 24, 25)] == [0, 1, 1, 1]


def test_a_monthly_sample_is_expected_once_a_month_and_on_no_day() -> None:
    days = (1, 28, 31, 365)
    assert [coverage.expected_count(0, day * DAY_US, 31 * DAY_US) for day in days] == [0, 1, 1, 12]


def test_a_month_adds_up_its_days() -> None:
    day = Coverage(96, 90, 80, 70, 6, 4)
    assert coverage.add([day, day], 2880) == Coverage(2880, 180, 160, 140, 12, 8)
