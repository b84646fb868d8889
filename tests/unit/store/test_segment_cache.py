"""Memory and open files are bounded by use; what runs keeps what it has."""

from pathlib import Path

import numpy as np

from historian.store.segment import Segment
from historian.store.segment_cache import SegmentCache
from tests.support.segment_kit import HIGHEST, LOWEST, encode, grid, rows_of

ONE = np.array([1], np.uint32)


def segments_in(folder: Path, count: int) -> list[Segment]:
    paths = [folder / f"{place}.h5" for place in range(count)]
    for path in paths:
        path.write_bytes(encode(rows_of(1, grid(2000), np.arange(2000) / 3)))
    return [Segment(path) for path in paths]


def read(cache: SegmentCache, segment: Segment) -> None:
    before = segment.decoded_count
    segment.read_block(ONE, LOWEST, HIGHEST)
    cache.note_read(segment, before)


def test_the_least_recently_used_is_forgotten_first(tmp_path: Path) -> None:
    first, second, third = segments_in(tmp_path, 3)
    cache = SegmentCache(40_000, 8)  # two of 16,000 bytes of values each
    for segment in (first, second):
        read(cache, segment)
    cache.note_hit(first)
    read(cache, third)
    assert [segment.size_bytes > 0 for segment in (first, second, third)] == [True, False, True]
    assert cache.size_bytes == first.size_bytes + third.size_bytes
    assert (cache.hit_count, cache.miss_count) == (1, 3)


def test_what_is_read_stays_even_where_it_is_too_large(tmp_path: Path) -> None:
    [segment] = segments_in(tmp_path, 1)
    cache = SegmentCache(1, 8)
    read(cache, segment)
    assert segment.size_bytes > 0


def test_the_file_used_longest_ago_is_closed(tmp_path: Path) -> None:
    segments = segments_in(tmp_path, 3)
    cache = SegmentCache(1 << 30, 2)
    for segment in segments:
        read(cache, segment)
    assert [segment.is_open for segment in segments] == [False, True, True]
    assert cache.open_file_count == 2
    cache.let_go(segments[1:])
    assert not any(segment.is_open for segment in segments)
    assert segments[2].size_bytes == 0
    assert segments[0].size_bytes > 0
    cache.close_files()
