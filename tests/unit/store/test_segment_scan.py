"""The scan table has an entry where the batch changes, and none where that does not pay."""

import numpy as np

from historian.store.segment_scan import ScanTable


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
