"""Counts of what was due and came, and how late it came."""

import numpy as np
import pytest

from historian.energy import completeness
from historian.energy.completeness import Counts, Limits
from historian.model import quality
from historian.model.sample import Origin, Versions

M = 60_000_000
DAY_US = 1440 * M


def column(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("now", "has_period", "due"),
    [
        pytest.param(DAY_US, False, 96, id="a day that is over"),
        pytest.param(10 * DAY_US, True, 96, id="long over"),
        pytest.param(DAY_US, True, 95, id="its last period is just over, and comes now"),
        pytest.param(60 * M, False, 4, id="an hour of a day"),
        pytest.param(67 * M, False, 4, id="less than half an interval more"),
        pytest.param(68 * M, False, 5, id="more than half an interval more"),
        pytest.param(60 * M, True, 3, id="the last period runs"),
        pytest.param(0, False, 0, id="it begins"),
        pytest.param(-DAY_US, False, 0, id="it is to come"),
    ],
)
def test_what_is_due_of_a_day_by_now(now: int, has_period: bool, due: int) -> None:
    found = completeness.due_count(column(0), column(DAY_US), column(15 * M), np.array([has_period]), now)
    assert found.tolist() == [due]


def test_an_interval_longer_than_two_days_promises_nothing_of_a_day() -> None:
    intervals = column(DAY_US, 31 * DAY_US)
    assert completeness.due_count(
        column(0, 0), column(DAY_US, DAY_US), intervals, np.array([False, False]), 90 * DAY_US
    ).tolist() == [1, 0]


def test_estimates_did_not_come_and_too_much_hides_nothing() -> None:
    counts = completeness.count(column(4, 4, 4), column(4, 9, 1), column(4, 9, 0), column(2, 0, 1))
    assert counts == Counts(*(pytest.approx(one) for one in counts))
    assert counts.received.tolist() == [2, 9, 0]
    assert counts.good.tolist() == [2, 9, 0]
    assert counts.covered.tolist() == [2, 4, 0]
    assert counts.missing.tolist() == [2, 0, 4]
    summed = completeness.add(counts, column(0, 0, 1), 3)
    assert summed.covered.tolist() == [6, 0, 0]
    shares = summed.completeness
    assert shares[:2].tolist() == [0.75, 0.0]
    assert np.isnan(shares[2])


@pytest.mark.parametrize(
    ("covered", "expected", "light"),
    [(99, 100, "green"), (90, 100, "amber"), (89, 100, "red"), (0, 0, "none")],
)
def test_the_light_of_a_day(covered: int, expected: int, light: str) -> None:
    assert completeness.light(covered, expected, Limits(0.99, 0.9)) == light


def versions(*rows: tuple[int, int, int, int]) -> Versions:
    """Point, time, quality, arrival, in order."""
    points, times, qualities, arrivals = zip(*rows, strict=True)
    count = len(rows)
    return Versions(
        np.array(points, np.uint32), column(*times), np.zeros(count), np.array(qualities, np.uint16),
        np.arange(count, dtype=np.int64), column(*arrivals), np.zeros(count, np.int64), [Origin("x")],
    )  # fmt: skip


def test_the_first_measured_version_of_a_sample_tells_when_it_came() -> None:
    rows_of = np.arange(4)
    found = completeness.first_arrivals(
        versions(
            (1, 10, quality.ESTIMATED, 100),
            (1, 10, 0, 200),
            (1, 10, 0, 300),
            (1, 20, 0, 150),
            (1, 20, quality.DELETED, 160),
            (2, 10, quality.DERIVED, 400),
            (2, 20, quality.MANUAL, 400),
            (3, 10, 0, 0),
        ),
        rows_of,
    )
    assert [one.tolist() for one in found] == [[1, 2], [10, 10], [200, 400]]
    nothing = versions((1, 1, 0, 1)).take(np.zeros(1, np.bool_))
    assert [len(one) for one in completeness.first_arrivals(nothing, rows_of)] == [0, 0, 0]


def test_delays_by_group() -> None:
    found = completeness.delays(
        column(0, 2, 0, 2, 2, 2), column(5, 1, -3, 9, 2, 4) * 1_000_000,
        np.array([False, True, True, False, True, True]), 4,
    )  # fmt: skip
    assert found.known.tolist() == [2, 0, 4, 0]
    assert found.on_time.tolist() == [1, 0, 3, 0]
    np.testing.assert_array_equal(found.median_s, [2.5, np.nan, 3.0, np.nan])
    np.testing.assert_array_equal(found.max_s, [5.0, np.nan, 9.0, np.nan])
