"""How runs are described."""

import numpy as np
import pytest

from historian.store import segment_kernels
from historian.store.segment_scan import ScanTable


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([5], 1),
        ([0, 10, 20, 30], 10),
        ([0, 20, 30, 40], 10),
        ([0, 10, 60], 0),  # less than half of the slots
        ([0, 10, 25], 0),
        ([0, 4, 6, 12], 2),
        ([0, 6, 10, 14, 16], 2),
        ([0, 10, 20, 27, 37], 0),
        ([0, 3, 4, 6, 8], 1),
    ],
)
def test_a_grid_is_seen_where_half_of_it_is_filled(times: list[int], step: int) -> None:
    assert segment_kernels.regular_step(np.array(times)) == step


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        ([1.0], 0),
        ([0.5, 0.25], 2),
        ([0.1, 1 / 3], -1),
        ([-0.0], -1),
        ([np.nan], -1),
        ([1e300], -1),
        ([0.0], 0),
    ],
    ids=str,
)
def test_the_least_exponent_that_gives_all_back(values: list[float], exponent: int) -> None:
    scaled = np.empty(len(values), np.int64)
    assert segment_kernels.scale_run(np.array(values), scaled) == exponent
    if exponent >= 0:
        np.testing.assert_array_equal(scaled / 10.0**exponent, values)


def test_missing_slots_are_listed_run_after_run() -> None:
    time = np.array([0, 10, 40, 50, 7, 9, 10])
    out = np.empty(3, np.uint32)
    first, count, step = np.array([0, 4]), np.array([4, 3]), np.array([10, 1])
    segment_kernels.missing_slots(time, first, count, step, np.array([2, 1], np.uint32), out)
    assert out.tolist() == [2, 3, 1]


def test_used_batches_are_marked_whatever_their_order() -> None:
    used = np.zeros(5, np.uint8)
    segment_kernels.mark_used(np.array([2, 4, 6, 8, 10]), np.array([4, 5, 10, 2, 2, 11, 1]), used)
    assert used.tolist() == [1, 1, 0, 0, 1]
    segment_kernels.mark_used(np.empty(0, np.int64), np.array([4]), np.empty(0, np.uint8))


def add(table: ScanTable, time: np.ndarray, sequence: np.ndarray, run_count: int, first_run: int) -> bool:
    size = len(time) // run_count
    first = np.arange(run_count, dtype=np.int64) * size
    position = np.arange(first_run, first_run + run_count, dtype=np.uint32)
    return table.add(time, sequence, first, np.full(run_count, size), position)


def test_a_table_of_scans_has_an_entry_where_the_batch_changes() -> None:
    table = ScanTable()
    time, sequence = np.tile(np.arange(6), 20), np.tile(np.arange(6) * 2, 20)
    sequence[10 * 6 :] += 1
    assert add(table, time, sequence, 20, 0)
    assert add(table, time[:60], sequence[:60] + 1, 10, 20)  # goes on as the block before
    columns = {name: column.tolist() for name, column in table.columns().items()}
    assert columns["time_us"] == np.repeat(np.arange(6), 2).tolist()
    assert columns["first_run"] == [0, 10] * 6
    assert columns["sequence"] == np.arange(12).tolist()


def test_a_table_that_does_not_pay_is_left_as_it_was() -> None:
    table = ScanTable()
    time = np.tile(np.arange(6), 20)
    assert not add(table, time, np.arange(120), 20, 0)
    assert add(table, time, time, 20, 20)
    assert table.columns()["first_run"].tolist() == [20] * 6


def test_a_table_takes_a_month_of_minutes() -> None:
    table = ScanTable()
    time = np.tile(np.arange(44_640) * 60_000_000, 5)
    assert add(table, time, time // 60_000_000, 5, 0)
    assert len(table.columns()["time_us"]) == 44_640
    long = np.tile(np.arange(70_000), 5)
    assert not add(ScanTable(), long, long, 5, 0)
