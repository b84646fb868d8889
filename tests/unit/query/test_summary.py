"""Figures of a time range."""

import numpy as np
import pytest

from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.quality import BAD
from historian.model.sample import SampleRun
from historian.query.summary import Summary, summarise_run
from tests.unit.query.samples import INTERVAL_US, make_point, make_run

T = INTERVAL_US


def summarise(run: SampleRun, kind: PointKind, unit: str = "kW", basis: str = "time") -> Summary:
    point = make_point(kind, unit=unit)
    [summary] = summarise_run(
        point, run, np.array([0, DAY_US], np.int64), "event" if basis == "event" else "time"
    )
    return summary


# The test vector of domain §2.2: 32 × 40 kW, 48 × 100 kW, 16 × 60 kW: 1760 kWh, mean 73.333.
DAY = make_run([(k * T, 40.0 if k < 32 else 100.0 if k < 80 else 60.0) for k in range(96)])


def test_mean_power_of_a_day_by_hand() -> None:
    summary = summarise(DAY, PointKind.MEAN_POWER)
    assert (summary.min, summary.min_time_us) == (40.0, 0)
    assert (summary.max, summary.max_time_us) == (100.0, 8 * HOUR_US)
    assert summary.total == 1760.0
    assert summary.total_unit == "kWh"
    assert summary.mean == pytest.approx(73.33333333333333)
    assert summary.std == pytest.approx(np.std(DAY.value))
    assert (summary.count, summary.good_share) == (96, 1.0)


def test_a_gap_weighs_nothing_and_shows_in_the_good_share() -> None:
    half = make_run([(k * T, 100.0) for k in range(48)])
    summary = summarise(half, PointKind.MEAN_POWER)
    assert (summary.mean, summary.total, summary.good_share) == (100.0, 1200.0, 0.5)


def test_bad_samples_are_counted_and_nothing_else() -> None:
    run = make_run([(k * T, 1e6 if k == 5 else 10.0, BAD if k == 5 else 0) for k in range(96)])
    summary = summarise(run, PointKind.INSTANTANEOUS)
    assert (summary.max, summary.mean, summary.count) == (10.0, 10.0, 96)
    assert summary.good_share == pytest.approx(95 / 96)


@pytest.mark.parametrize(
    ("kind", "unit", "total", "total_unit"),
    [
        (PointKind.INSTANTANEOUS, "kvar", 1760.0, "kvarh"),
        (PointKind.INSTANTANEOUS, "V", 1760.0, "V·h"),
        (PointKind.MEAN_POWER, "kW", 1760.0, "kWh"),
        (PointKind.INTERVAL, "kWh", 7040.0, "kWh"),
        (PointKind.REGISTER, "kWh", None, ""),
        (PointKind.RATIO, "%", None, ""),
    ],
)
def test_the_total_is_what_the_kind_adds_up_to(
    kind: PointKind, unit: str, total: float | None, total_unit: str
) -> None:
    summary = summarise(DAY, kind, unit)
    assert (summary.total, summary.total_unit) == (total, total_unit)


def test_interval_energy_counts_by_the_share_inside() -> None:
    point = make_point(PointKind.INTERVAL, unit="kWh")
    run = make_run([(0, 8.0), (T, 4.0)])
    edges = np.array([T // 2, T, 2 * T], np.int64)
    assert [summary.total for summary in summarise_run(point, run, edges, "time")] == [4.0, 4.0]


def test_by_events_a_jittery_source_weighs_each_sample_once() -> None:
    run = make_run([(0, 1.0), (1, 2.0), (2, 6.0, BAD), (3, 3.0)])
    summary = summarise(run, PointKind.INSTANTANEOUS, basis="event")
    assert (summary.mean, summary.count, summary.good_share) == (2.0, 4, 0.75)
    assert (summary.total, summary.total_unit) == (None, "")
    assert summarise(run, PointKind.INTERVAL, "kWh", "event").total == 6.0


@pytest.mark.parametrize("basis", ["time", "event"])
def test_nothing_gives_none_everywhere(basis: str) -> None:
    summary = summarise(make_run([]), PointKind.MEAN_POWER, basis=basis)
    assert (summary.min, summary.min_time_us, summary.max, summary.max_time_us) == (None,) * 4
    assert (summary.mean, summary.total, summary.std, summary.count, summary.good_share) == (
        None,
        None,
        None,
        0,
        0.0,
    )


def test_each_slot_has_its_figures() -> None:
    edges = np.arange(0, DAY_US + 1, 8 * HOUR_US)
    summaries = summarise_run(make_point(PointKind.MEAN_POWER), DAY, edges, "time")
    assert [(summary.start_us, summary.total) for summary in summaries] == [
        (0, 320.0),
        (8 * HOUR_US, 800.0),
        (16 * HOUR_US, 640.0),
    ]
