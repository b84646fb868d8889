"""Reading in portions."""

import numpy as np
import pytest

from historian.errors import QueryTooLarge
from historian.model.point import DAY_US, SECOND_US
from historian.model.quality import DELETED
from historian.model.sample import SampleRun
from historian.model.timerange import TimeRange
from historian.query.scan import PORTION_SAMPLES, scan
from tests.unit.query.samples import INTERVAL_US, MemoryReader, make_point, make_run

T = INTERVAL_US


async def test_small_questions_are_one_read() -> None:
    reader = MemoryReader(make_run([(0, 1.0)], 1), make_run([(T, 2.0)], 2))
    points = [make_point(id=2), make_point(id=1), make_point(id=3)]
    found = [item async for item in scan(reader, points, TimeRange(0, DAY_US), 100)]
    [(group, runs)] = found
    assert list(group) == points
    assert [run.value.tolist() for run in runs] == [[2.0], [1.0], []]
    assert reader.read_count == 1


async def test_many_points_come_in_groups_that_fit() -> None:
    per_point = PORTION_SAMPLES // 3
    points = [make_point(id=n, interval_us=SECOND_US) for n in range(1, 8)]
    span = TimeRange(0, per_point * SECOND_US)
    groups = [len(group) async for group, _ in scan(MemoryReader(), points, span, 10**9)]
    assert groups == [3, 3, 1]


async def test_one_long_run_comes_in_windows_and_whole() -> None:
    count = 2 * PORTION_SAMPLES + 10
    times = np.arange(count, dtype=np.int64) * SECOND_US
    run = SampleRun(1, times, times.astype(np.float64), np.zeros(count, np.uint16))
    reader = MemoryReader(run)
    points = [make_point(interval_us=SECOND_US)]
    found = [item async for item in scan(reader, points, TimeRange(0, count * SECOND_US), count)]
    [(_, [whole])] = found
    np.testing.assert_array_equal(whole.time_us, times)
    assert reader.read_count == 3


async def test_a_source_that_sends_more_than_promised_is_stopped_at_the_limit() -> None:
    reader = MemoryReader(make_run([(k, 1.0) for k in range(101)]))
    with pytest.raises(QueryTooLarge, match="about 101 samples, the limit is 100"):
        [item async for item in scan(reader, [make_point()], TimeRange(0, T), 100)]


async def test_deleted_samples_never_come() -> None:
    reader = MemoryReader(make_run([(0, 1.0), (1, 2.0, DELETED)]))
    [(_, [run])] = [item async for item in scan(reader, [make_point()], TimeRange(0, T), 100)]
    assert run.time_us.tolist() == [0]
