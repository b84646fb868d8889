"""Searches tell which chunks are lacking and never touch one that is not decoded."""

import numpy as np

from historian.store import segment_layout
from historian.store import segment_read_kernels as kernels
from historian.store.segment import Segment, make_found
from tests.support.segment_kit import HIGHEST, LOWEST, grid, rows_of, segment_of
from tests.support.store_kit import QUARTER_US, START_US

ONE = np.array([1], np.uint32)


def lacking(segment: Segment, start_us: int, end_us: int) -> list[int]:
    needed = np.empty(9, np.int64)
    count = kernels.search(segment.memory().held, ONE, start_us, end_us, make_found(1), needed)
    return needed[:count].tolist()


def test_only_the_chunks_that_hold_the_range_are_needed() -> None:
    size = segment_layout.CODING_SAMPLES
    segment = segment_of(rows_of(1, grid(3 * size), np.zeros(3 * size)))
    middle = START_US + QUARTER_US * (size + 5)
    assert lacking(segment, middle, middle + 1) == [1]
    assert lacking(segment, middle, middle + size * QUARTER_US) == [1, 2]
    assert lacking(segment, LOWEST, HIGHEST) == [0, 1, 2]
    assert lacking(segment, HIGHEST - 1, HIGHEST) == []
    segment.decode(segment.memory(), np.array([1]))
    assert lacking(segment, middle, middle + size * QUARTER_US) == [2]


def test_times_come_before_values() -> None:
    segment = segment_of(rows_of(1, np.delete(grid(9), 4), np.arange(8) / 3))
    [slots] = lacking(segment, LOWEST, HIGHEST)  # where samples lie is not known before the missing slots are
    segment.decode(segment.memory(), np.array([slots]))
    [values] = lacking(segment, LOWEST, HIGHEST)
    assert values != slots
    segment.decode(segment.memory(), np.array([values]))
    assert lacking(segment, LOWEST, HIGHEST) == []


def test_more_chunks_than_there_is_room_for_are_counted_all_the_same() -> None:
    size = segment_layout.CODING_SAMPLES
    segment = segment_of(rows_of(1, grid(3 * size), np.zeros(3 * size)))
    needed = np.empty(1, np.int64)
    held = segment.memory().held
    assert kernels.search(held, ONE, LOWEST, HIGHEST, make_found(1), needed) == 3
    assert needed.tolist() == [0]
    assert segment.try_find(ONE, LOWEST, HIGHEST) is None


def test_a_scan_table_that_lacks_a_time_is_told() -> None:
    segment = segment_of(rows_of(1, grid(4), np.zeros(4)))
    memory, found = segment.find(ONE, LOWEST, HIGHEST)
    memory.held.fields[kernels.SEQUENCE_AT] = segment_layout.SCANNED
    scan = kernels.Scan(grid(3), np.zeros(3, np.uint32), np.arange(3))
    out = np.empty(4, np.int64)
    at = np.zeros(2, np.int64)
    assert not kernels.fill_sequences(memory.held, scan, found, at, grid(4), out)
    whole = kernels.Scan(grid(4), np.zeros(4, np.uint32), np.arange(4))
    assert kernels.fill_sequences(memory.held, whole, found, at, grid(4), out)
    assert out.tolist() == [0, 1, 2, 3]
