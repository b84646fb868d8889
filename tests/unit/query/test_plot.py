"""A run reduced to pixels."""

import numpy as np

from historian.model.quality import BAD, LATE, SUSPECT
from historian.model.timerange import TimeRange
from historian.query.plot import MARKS_PER_COLUMN_MAX, reduce_run
from tests.unit.query.samples import INTERVAL_US, Sample, make_point, make_run

T = INTERVAL_US


def test_only_columns_with_a_value_are_given() -> None:
    run = make_run([(0, 1.0), (T, 5.0), (2 * T, 3.0), (9 * T, 7.0), (9 * T + 1, 1e9, BAD)])
    plot = reduce_run(make_point(), run, TimeRange(0, 12 * T), 4)
    assert plot.column_index.tolist() == [0, 3]
    assert plot.first.tolist() == [1.0, 7.0]
    assert plot.last.tolist() == [3.0, 7.0]
    assert plot.max.tolist() == [5.0, 7.0]
    assert plot.max_time_us.tolist() == [T, 9 * T]
    assert plot.min.tolist() == [1.0, 7.0]
    assert plot.sample_count.tolist() == [3, 2]
    assert plot.quality.tolist() == [0, BAD]


def test_a_gap_within_one_pixel_is_still_told() -> None:
    run = make_run([(0, 1.0), (T, 1.0), (3 * T, 1.0), (4 * T + T // 3, 1.0)])
    plot = reduce_run(make_point(), run, TimeRange(0, 1000 * T), 1)
    assert plot.column_index.tolist() == [0]
    assert (plot.gap_start_us.tolist(), plot.gap_end_us.tolist()) == ([2 * T], [3 * T])


def test_a_bad_sample_makes_a_gap_and_a_doubt() -> None:
    run = make_run([(0, 1.0), (T, 1.0, BAD), (2 * T, 1.0), (3 * T, 1.0)])
    plot = reduce_run(make_point(), run, TimeRange(0, 4 * T), 4)
    assert (plot.gap_start_us.tolist(), plot.gap_end_us.tolist()) == ([T], [2 * T])
    assert (plot.doubt_start_us.tolist(), plot.doubt_end_us.tolist()) == ([T], [2 * T])
    assert plot.doubt_quality.tolist() == [BAD]


def test_neighbouring_samples_of_one_validity_are_one_doubt() -> None:
    run = make_run(
        [(0, 1.0, SUSPECT), (T, 1.0, SUSPECT | LATE), (2 * T, 1.0, BAD), (3 * T, 1.0), (4 * T, 1.0, SUSPECT)]
    )
    plot = reduce_run(make_point(), run, TimeRange(0, 5 * T), 5)
    assert plot.doubt_start_us.tolist() == [0, 2 * T, 4 * T]
    assert plot.doubt_end_us.tolist() == [2 * T, 3 * T, 5 * T]
    assert plot.doubt_quality.tolist() == [SUSPECT | LATE, BAD, SUSPECT]


def test_a_doubt_ends_where_its_last_sample_ceases_to_hold() -> None:
    plot = reduce_run(make_point(), make_run([(0, 1.0, SUSPECT), (50 * T, 1.0)]), TimeRange(0, 60 * T), 5)
    assert plot.doubt_end_us.tolist() == [T]
    plot = reduce_run(make_point(), make_run([(0, 1.0, SUSPECT), (9, 1.0)]), TimeRange(0, T), 5)
    assert plot.doubt_end_us.tolist() == [9]


def test_marks_beyond_what_a_screen_shows_are_joined_not_dropped() -> None:
    samples: list[Sample] = []
    for k in range(100):
        samples += [(k * 10 * T, 1.0, SUSPECT | (LATE if k == 99 else 0)), (k * 10 * T + T, 1.0)]
    plot = reduce_run(make_point(), make_run(samples), TimeRange(0, 1000 * T), 2)
    assert len(plot.gap_start_us) <= 2 * MARKS_PER_COLUMN_MAX
    assert (plot.gap_start_us[0], plot.gap_end_us[-1]) == (2 * T, 990 * T)
    assert plot.doubt_quality.tolist() == [SUSPECT | LATE]
    exact = reduce_run(make_point(), make_run(samples), TimeRange(0, 1000 * T), 500)
    assert len(exact.gap_start_us) == 99


def test_nothing_gives_nothing() -> None:
    plot = reduce_run(make_point(), make_run([]), TimeRange(0, T), 10)
    assert all(len(column) == 0 for column in plot)


def test_as_many_columns_as_samples_keep_them_all() -> None:
    values = np.sin(np.arange(96.0))
    run = make_run([(k * T, float(values[k])) for k in range(96)])
    plot = reduce_run(make_point(), run, TimeRange(0, 96 * T), 96)
    assert plot.first.tolist() == plot.last.tolist() == values.tolist()
    assert len(plot.gap_start_us) == len(plot.doubt_start_us) == 0
