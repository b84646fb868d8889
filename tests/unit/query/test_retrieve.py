"""What lies between samples depends on the kind of the point."""

import numpy as np
import pytest

from historian.model.point import DAY_US, PointKind
from historian.model.quality import BAD, DERIVED, MISSING, SUSPECT
from historian.model.sample import empty_run
from historian.model.timerange import TimeRange
from historian.query.retrieve import default_gap_max_us, grid, interpolate_run, pixel_edges, value_at
from tests.unit.query.samples import INTERVAL_US, make_point, make_run

T = INTERVAL_US
RUN = make_run([(0, 10.0), (T, 20.0), (4 * T, 50.0)])
LINE = [10.0, 15.0, 20.0, None, None]
STEP = [10.0, 10.0, 20.0, 20.0, None]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PointKind.INSTANTANEOUS, LINE),
        (PointKind.REGISTER, LINE),
        (PointKind.RATIO, LINE),
        (PointKind.MEAN_POWER, STEP),
        (PointKind.INTERVAL, STEP),
    ],
)
def test_instants_move_on_a_line_and_periods_in_steps(kind: PointKind, expected: list[float | None]) -> None:
    slots = np.arange(5, dtype=np.int64) * (T // 2)
    columns = interpolate_run(make_point(kind), RUN, slots, "break", 2 * T, 0)
    assert [None if np.isnan(value) else value for value in columns.value] == expected


def test_only_a_meter_reading_must_not_fall() -> None:
    run = make_run([(0, 99_990.0), (T, 10.0)])
    slots = np.array([T // 2], np.int64)
    reading = interpolate_run(make_point(PointKind.REGISTER), run, slots, "break", 2 * T, 0)
    voltage = interpolate_run(make_point(PointKind.INSTANTANEOUS), run, slots, "break", 2 * T, 0)
    assert np.isnan(reading.value[0])
    assert voltage.value[0] == 50_000.0


def test_steps_keep_the_energy_that_a_line_would_lose() -> None:
    run = make_run([(0, 100.0), (T, 300.0), (2 * T, 100.0), (3 * T, 100.0)])
    slots = grid(TimeRange(0, 3 * T), T // 3)
    columns = interpolate_run(make_point(PointKind.MEAN_POWER), run, slots, "break", 2 * T, 0)
    assert columns.value.sum() / 3 == 500.0


def test_a_held_value_is_suspect_and_ends_now() -> None:
    slots = np.array([3 * T, 5 * T, 9 * T], np.int64)
    columns = interpolate_run(make_point(), RUN, slots, "hold", 2 * T, 5 * T)
    np.testing.assert_array_equal(columns.value, [20.0, 50.0, np.nan])
    assert columns.quality.tolist() == [DERIVED | SUSPECT, DERIVED | SUSPECT, MISSING]


def test_value_at_comes_from_both_neighbours_or_not_at_all() -> None:
    before, after = make_run([(0, 10.0)]), make_run([(T, 20.0)])
    found = value_at(make_point(), before, after, T // 4)
    assert (found.time_us.tolist(), found.value.tolist(), found.quality.tolist()) == (
        [T // 4],
        [12.5],
        [DERIVED],
    )
    assert value_at(make_point(), before, empty_run(1), T // 4).sample_count == 0
    assert value_at(make_point(), before, make_run([(T, 20.0, BAD)]), T // 4).sample_count == 0
    assert value_at(make_point(), before, make_run([(2 * T + 1, 20.0)]), T // 4).sample_count == 0


def test_by_default_one_missed_sample_is_bridged() -> None:
    assert default_gap_max_us(make_point()) == 2 * T


def test_a_grid_begins_at_the_start_and_ends_before_the_end() -> None:
    assert grid(TimeRange(5, 25), 10).tolist() == [5, 15]
    assert grid(TimeRange(5, 26), 10).tolist() == [5, 15, 25]
    assert grid(TimeRange(5, 4), 10).tolist() == []


@pytest.mark.parametrize(
    ("span", "width"),
    [
        pytest.param(TimeRange(0, 10), 3, id="no whole number of us a pixel"),
        pytest.param(TimeRange(7, 7 + DAY_US), 1440, id="a day"),
        pytest.param(TimeRange(0, 2), 5, id="less than a us a pixel"),
        pytest.param(TimeRange(-62_135_596_800_000_000, 253_402_300_799_999_999), 20_000, id="all of time"),
    ],
)
def test_pixel_edges_tile_the_span(span: TimeRange, width: int) -> None:
    edges = pixel_edges(span, width)
    assert len(edges) == width + 1
    assert edges.tolist() == [span.start_us + k * span.duration_us // width for k in range(width + 1)]
