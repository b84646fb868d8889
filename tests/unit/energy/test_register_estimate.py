"""Readings over a gap rise to the reading after it, which stays."""

import numpy as np
import pytest

from historian.energy import estimate
from historian.energy.estimate_inputs import Evidence, Gap, LikeDay
from historian.model import quality
from historian.model.point import HOUR_US, PointKind
from historian.model.sample import SampleRun

WEEK_US = 168 * HOUR_US


def run_of(readings: dict[int, float], qualities: dict[int, int] | None = None) -> SampleRun:
    """Readings by the hour."""
    bits = [(qualities or {}).get(hour, 0) for hour in readings]
    times = np.array(list(readings), np.int64) * HOUR_US
    return SampleRun(1, times, np.array(list(readings.values()), np.float64), np.array(bits, np.uint16))


def like_week(readings: dict[int, float], qualities: dict[int, int] | None = None) -> LikeDay:
    run = run_of(readings, qualities)
    return LikeDay("w1", -WEEK_US, run._replace(time_us=run.time_us - WEEK_US))


def plan(
    readings: dict[int, float],
    first: int,
    end: int,
    evidence: Evidence,
    qualities: dict[int, int] | None = None,
) -> estimate.Estimate:
    gap = Gap(first * HOUR_US, end * HOUR_US, HOUR_US, PointKind.REGISTER)
    return estimate.plan(run_of(readings, qualities), gap, evidence)


def test_a_short_gap_rises_evenly() -> None:
    made = plan({0: 100.0, 3: 101.1}, 1, 3, Evidence())
    assert made.value.tolist() == [100.3, 100.7]
    assert made.quality.tolist() == [quality.ESTIMATED] * 2
    assert made.record.methods == {"linear": 2}
    assert made.record.end_points_us == (0, 3 * HOUR_US)


def test_a_long_gap_rises_as_a_like_day_did() -> None:
    days = [like_week({0: 10, 1: 11, 2: 13, 3: 13, 4: 16})]
    made = plan({0: 100.0, 4: 112.0}, 1, 4, Evidence(days))
    assert made.value.tolist() == [102.0, 106.0, 106.0]
    assert made.record.methods == {"like_days": 3}
    assert made.record.like_days == {"w1": 3}


@pytest.mark.parametrize(
    ("readings", "qualities"),
    [
        pytest.param({0: 10, 1: 11, 2: 13, 4: 16}, {}, id="a reading lacks"),
        pytest.param({0: 10, 1: 11, 2: 13, 3: 13, 4: 16}, {2: quality.SUSPECT}, id="a reading is suspect"),
        pytest.param({0: 10, 1: 11, 2: 9, 3: 13, 4: 16}, {}, id="it fell"),
        pytest.param(dict.fromkeys(range(5), 5), {}, id="no use that day"),
    ],
)
def test_a_like_day_that_says_nothing_leaves_an_even_rise(
    readings: dict[int, float], qualities: dict[int, int]
) -> None:
    made = plan({0: 100.0, 4: 104.0}, 1, 4, Evidence([like_week(readings, qualities)]))
    assert made.value.tolist() == [101.0, 102.0, 103.0]
    assert made.record.methods == {"even": 3}
    assert made.record.like_days == {}


def test_it_stands_still_in_an_outage() -> None:
    outages = [(HOUR_US, 2 * HOUR_US)]
    assert plan({0: 100.0, 3: 102.0}, 1, 3, Evidence(outages=outages)).value.tolist() == [101.0, 101.0]
    days = [like_week({0: 10, 1: 11, 2: 13, 3: 14, 4: 16})]
    made = plan({0: 100.0, 4: 104.0}, 1, 4, Evidence(days, outages=outages))
    assert made.value.tolist() == [101.0, 101.0, 102.0]
    short = plan(
        {0: 100.0, 3: 103.0}, 1, 3, Evidence([like_week({0: 1, 1: 9, 2: 11, 3: 12})], outages=[(0, HOUR_US)])
    )
    assert short.value.tolist() == [100.0, 102.0]
    everywhere = plan({0: 100.0, 4: 104.0}, 1, 4, Evidence(outages=[(0, 4 * HOUR_US)]))
    assert everywhere.value.tolist() == [101.0, 102.0, 103.0]


def test_known_readings_in_the_gap_stay() -> None:
    made = plan({0: 100.0, 2: 106.0, 4: 107.0}, 1, 4, Evidence())
    assert made.value.tolist() == [103.0, 106.0]
    assert made.time_us.tolist() == [HOUR_US, 3 * HOUR_US]


@pytest.mark.parametrize(
    ("readings", "qualities", "note"),
    [
        pytest.param({0: 100.0}, {}, "no_reading_after", id="none after"),
        pytest.param({2: 100.0}, {}, "no_reading_before", id="none before"),
        pytest.param({0: 100.0, 2: 99.0}, {}, "register_fell", id="fell"),
        pytest.param({0: 100.0, 2: 101.0}, {2: quality.SUSPECT}, "reading_not_good", id="suspect"),
    ],
)
def test_what_cannot_be_known_is_not_estimated(
    readings: dict[int, float], qualities: dict[int, int], note: str
) -> None:
    made = plan(readings, 1, 2, Evidence(), qualities)
    assert made.value.tolist() == []
    assert made.record.notes == (note,)
    assert made.record.methods == {}
