"""The slow sums of `verify` and the figures that the historian keeps agree, whatever the samples."""

import datetime
import zoneinfo
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.rollup import day_figure
from historian.tools import day_sum
from historian.tools.day_sum import PointRule

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
DAYS = [
    datetime.date(2026, 3, 5),
    datetime.date(2026, 3, 29),
    datetime.date(2026, 10, 25),
]  # 24, 23 and 25 hours
QUALITIES = [0, 0, 0, 0, 0, 1, 2, 3, 4, 8, 12, 32, 128, 129]


@given(
    kind=st.sampled_from(list(PointKind)),
    minutes=st.sampled_from([5, 7, 15, 30, 60]),
    multiplier=st.sampled_from([1.0, 60.0, 0.1, 2.5]),
    date=st.sampled_from(DAYS),
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([1.0, 0.9, 0.3, 0.0]),
    has_jitter=st.booleans(),
    decimals=st.sampled_from([0, 2, 3, None]),
)
def test_figures_of_a_day_are_those_of_the_samples(
    kind: PointKind,
    minutes: int,
    multiplier: float,
    date: datetime.date,
    seed: int,
    share: float,
    has_jitter: bool,
    decimals: int | None,
) -> None:
    interval_us = minutes * MINUTE_US
    point = Point(id=1, name="a", unit="kWh", kind=kind, interval_us=interval_us, multiplier=multiplier)
    edges = day_figure.slot_edges_us(date.toordinal(), ZONE, interval_us)
    run = _run(kind, interval_us, (int(edges[0]), int(edges[-1])), seed, share, has_jitter, decimals)
    kept = day_figure.compute(point, date.toordinal(), ZONE, run, 0)
    rule = PointRule(kind.value, interval_us, multiplier)
    ours = day_sum.sum_day(rule, int(edges[0]), int(edges[-1]), run.time_us, run.value, run.quality)
    slack = Fraction(1, 10**6) * Fraction(max(abs(ours.max_value or 0.0), 1.0))
    assert abs(kept.total - ours.total) <= (0 if ours.is_decimal else slack * 26)
    ranked, denominator, ranked_us = kept.ranked
    assert abs(Fraction(ranked, denominator) - ours.ranked) <= (0 if ours.is_exact else slack * 26)
    assert (kept.known_us, ranked_us, kept.is_complete) == (ours.known_us, ours.ranked_us, ours.is_complete)
    for told, found in ((kept.max_value, ours.max_value), (kept.min_value, ours.min_value)):
        assert (told is None) == (found is None)
        assert told is None or found is None or abs(told - found) <= (0 if ours.is_exact else slack)
    if ours.is_exact and ours.max_slot is not None and ours.min_slot is not None:
        assert (kept.max_start_us, kept.min_start_us) == (
            int(edges[ours.max_slot]),
            int(edges[ours.min_slot]),
        )
    names = ("received_count", "good_count", "measured_count", "estimated_count", "manual_count")
    assert [getattr(kept, name) for name in names] == [getattr(ours, name) for name in names]


def _run(
    kind: PointKind,
    interval_us: int,
    day: tuple[int, int],
    seed: int,
    share: float,
    has_jitter: bool,
    decimals: int | None,
) -> SampleRun:
    """Samples from three intervals before the day to three after it, some of them missing or bad."""
    random = np.random.default_rng(seed)
    times = np.arange(day[0] - 3 * interval_us, day[1] + 3 * interval_us, interval_us)
    if has_jitter:
        times = times + random.integers(0, 60, len(times)) * 1_000_000
    times = np.unique(times[random.random(len(times)) < share])
    values = random.random(len(times)) * 100
    if kind is PointKind.REGISTER:
        values = np.cumsum(values)
    values = values / 3 if decimals is None else np.round(values, decimals)
    quality = np.where(random.random(len(times)) < 0.1, random.choice(QUALITIES, len(times)), 0)
    return SampleRun(1, times, values, quality.astype(np.uint16))
