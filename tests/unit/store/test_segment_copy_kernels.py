"""Found and copied in one go: the same samples as searched first and copied then."""

import numpy as np
import pytest

from historian.store import columns
from historian.store import segment_copy_kernels as kernels
from historian.store.segment import Segment, make_found
from historian.store.segment_read_kernels import C_I32, C_MISSING, C_QUALITY, C_TIME, search
from tests.support.segment_kit import HIGHEST, LOWEST, grid, rows_of, segment_of
from tests.support.store_kit import QUARTER_US, START_US

IDS = np.array([9, 1, 4, 2, 7, 1], np.uint32)


def segment() -> Segment:
    """A grid, a grid with gaps, times of their own with qualities of their own."""
    odd = rows_of(7, grid(30) + np.arange(30), np.arange(30) / 7)
    odd.quality[:] = np.arange(30) % 3
    gaps = rows_of(2, np.delete(grid(96), [5, 6, 40]), np.arange(93) / 10, quality=1)
    return segment_of(columns.concatenate([rows_of(1, grid(96), np.arange(96) / 1000), gaps, odd]))


def copied(
    one: Segment, ids: np.ndarray, start_us: int, end_us: int, room: int, at: int = 0
) -> tuple[int, np.ndarray, list[np.ndarray]]:
    offset = np.empty(len(ids) + 1, np.int64)
    samples = [np.empty(room, np.int64), np.empty(room), np.empty(room, np.uint16)]
    end = kernels.copy_runs(one.memory().held, ids, start_us, end_us, at, offset, *samples)
    return end, offset, samples


@pytest.mark.parametrize(
    "start", [LOWEST, START_US - 1, START_US + 5 * QUARTER_US, START_US + 41 * QUARTER_US + 1]
)
@pytest.mark.parametrize("end", [START_US, START_US + 7 * QUARTER_US, START_US + 96 * QUARTER_US, HIGHEST])
def test_it_copies_what_a_search_finds(start: int, end: int) -> None:
    one = segment()
    expected = one.read_block(IDS, start, end)
    count, offset, samples = copied(one, IDS, start, end, 500)
    assert count == expected.sample_count
    assert offset.tolist() == expected.offset.tolist()
    assert [column[:count].tolist() for column in samples] == [column.tolist() for column in expected[2:]]


def test_what_has_no_room_is_counted() -> None:
    one = segment()
    whole = one.read_block(IDS, LOWEST, HIGHEST)
    for room in (0, 1, 100):
        count, offset, _ = copied(one, IDS, LOWEST, HIGHEST, room)
        assert count == whole.sample_count
        assert offset.tolist() == whole.offset.tolist()


def test_what_is_not_decoded_is_told() -> None:
    one = segment()
    assert copied(one, IDS, LOWEST, HIGHEST, 500)[0] == kernels.LACKING
    assert copied(one, np.array([3], np.uint32), LOWEST, HIGHEST, 500)[0] == 0


def test_a_run_goes_behind_another_only_where_it_is_later() -> None:
    one, ids = segment(), np.array([1], np.uint32)
    one.read_block(ids, LOWEST, HIGHEST)
    samples = (np.full(98, START_US), np.zeros(98), np.zeros(98, np.uint16))
    offset, held = np.empty(2, np.int64), one.memory().held
    assert kernels.copy_runs(held, ids, START_US + 1, HIGHEST, 2, offset, *samples) == 97
    assert samples[1][2:5].tolist() == [0.001, 0.002, 0.003]
    assert kernels.copy_runs(held, ids, START_US, HIGHEST, 2, offset, *samples) == kernels.UNORDERED
    assert kernels.copy_runs(held, ids, HIGHEST - 1, HIGHEST, 2, offset, *samples) == 2


EDGES = [
    LOWEST,
    START_US - 1,
    *(START_US + n * QUARTER_US + k for n in (0, 4, 5, 6, 7, 40, 95) for k in (0, 1)),
    HIGHEST,
]


@pytest.mark.parametrize("start", EDGES[:-1])
def test_what_is_decoded_is_found_where_a_search_finds_it(start: int) -> None:
    one, needed = segment(), np.empty(0, np.int64)
    one.read_block(IDS, LOWEST, HIGHEST)
    held = one.memory().held
    for end in (end for end in EDGES if end > start):
        expected, found = make_found(len(IDS)), make_found(len(IDS))
        assert search(held, IDS, start, end, expected, needed) == 0
        assert kernels.search_decoded(held, IDS, start, end, found)
        assert [column.tolist() for column in found] == [column.tolist() for column in expected]


@pytest.mark.parametrize("column", ["missing_slot", "i32", "time_us", "quality"])
def test_nothing_is_found_where_a_chunk_is_lacking(column: str) -> None:
    one = segment()
    one.read_block(IDS, LOWEST, HIGHEST)
    held = one.memory().held
    number = {"missing_slot": C_MISSING, "i32": C_I32, "time_us": C_TIME, "quality": C_QUALITY}[column]
    held.filled[held.base[number]] = 0
    assert not kernels.search_decoded(held, IDS, LOWEST, HIGHEST, make_found(len(IDS)))
    assert kernels.search_decoded(held, IDS, HIGHEST - 1, HIGHEST, make_found(len(IDS)))
    assert kernels.search_decoded(held, np.array([3], np.uint32), LOWEST, HIGHEST, make_found(1))
