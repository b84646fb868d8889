"""Periods in parts are those of the whole; property tests compare their rows with the objects."""

import numpy as np

from historian.rollup import periods
from historian.rollup.period_kernels import Periods
from historian.rollup.periods import PeriodColumns


def part(first: int, count: int) -> PeriodColumns:
    rows = 2 * count
    numbers = np.arange(rows, dtype=np.int64) + first
    nothing = np.empty(0)
    columns = Periods(*(numbers * 1.0 if name == "energy" else nothing for name in Periods._fields))
    return PeriodColumns(
        "day", np.array([1, 2]), count, numbers.reshape(2, count), numbers.reshape(2, count) + 1,
        np.array([0, 1]), np.zeros(2, np.int64), [], np.empty(0, np.int64), columns,
    )  # fmt: skip


def test_parts_are_joined_point_by_point() -> None:
    joined = periods.join([part(0, 2), part(10, 1)])
    assert (joined.period_count, joined.row_count) == (3, 6)
    assert joined.period_start_us.tolist() == [0, 1, 10, 2, 3, 11]
    assert joined.period_end_us.tolist() == [1, 2, 11, 3, 4, 12]
    in_one_zone = joined._replace(starts_us=joined.starts_us[:1], zone_of=np.zeros(2, np.int64))
    assert in_one_zone.period_start_us.tolist() == [0, 1, 10, 0, 1, 10]
    assert joined.columns.energy.tolist() == [0, 1, 10, 2, 3, 11]
    assert len(joined.columns.mean) == len(joined.expected) == 0
