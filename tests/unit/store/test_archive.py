"""The live segments as one: which hold what, the newest version of each sample, memory and files bounded."""

from pathlib import Path

import numpy as np
import pytest

from historian.errors import SegmentCorrupt
from historian.settings import MEBIBYTE, StoreSettings
from historian.store.archive import Archive
from historian.store.unsealed import Found
from tests.support.segment_kit import HIGHEST, LOWEST, MONTH_US, Maker, grid, rows_from, rows_of
from tests.support.store_kit import QUARTER_US, START_US

ONE = np.array([1], np.uint32)


def archive_of(folder: Path, month_count: int, settings: StoreSettings | None = None) -> Archive:
    maker = Maker(folder, settings)
    maker.seal(rows_from([(1, START_US + month * MONTH_US, float(month), 1) for month in range(month_count)]))
    return maker.archive


def values_of(
    archive: Archive, ids: list[int], start_us: int = LOWEST, end_us: int = HIGHEST
) -> list[list[float]]:
    segments = archive.select(start_us, end_us)
    block = archive.read_block(segments, np.array(ids, np.uint32), start_us, end_us)
    return [run.value.tolist() for run in block.runs()]


def test_only_segments_that_overlap_are_selected(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 3)
    selected = archive.select(START_US + MONTH_US, START_US + MONTH_US + 1)
    assert [live.info.time_min_us for live in selected] == [START_US + MONTH_US]


def test_time_span_covers_all_segments(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 3)
    first, last = archive.time_span(np.array([1, 2], np.uint32))
    assert (first[0], last[0]) == (START_US, START_US + 2 * MONTH_US)
    assert first[1] > last[1]
    assert archive.time_max_us == START_US + 2 * MONTH_US
    assert archive.point_ids().tolist() == [1]


def test_nothing_is_open_before_it_is_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 3)
    assert not any(live.segment.is_open for live in archive.live)
    values_of(archive, [1], START_US, START_US + 1)
    assert [live.segment.is_open for live in archive.live] == [True, False, False]


def test_no_more_files_are_open_than_allowed_and_all_are_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 4, StoreSettings(open_segments_max=2))
    assert values_of(archive, [1]) == [[0.0, 1.0, 2.0, 3.0]]
    assert archive.cache.open_file_count == 2


def test_memory_is_bounded_and_counted(tmp_path: Path) -> None:
    maker = Maker(tmp_path, StoreSettings(cache_bytes_max=MEBIBYTE))
    for month in range(4):
        maker.seal(rows_of(1, grid(2900) + month * MONTH_US + np.arange(2900) % 7, np.arange(2900) / 3))
        maker.seal(
            *(rows_of(point, grid(2900) + month * MONTH_US, np.arange(2900) / 3) for point in range(2, 30))
        )
    archive = maker.archive
    every = list(range(1, 30))
    assert values_of(archive, every) == values_of(archive, every)
    assert 0 < archive.cache.size_bytes <= 2 * MEBIBYTE  # the segment read last stays, whatever its size
    assert archive.cache.miss_count > 8
    misses = archive.cache.miss_count
    values_of(archive, [29], START_US + 3 * MONTH_US)
    values_of(archive, [29], START_US + 3 * MONTH_US)
    assert archive.cache.miss_count <= misses + 1
    assert archive.cache.hit_count > 0


def test_what_is_in_memory_is_read_without_waiting(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 2)
    assert archive.try_read_block(archive.live, ONE, LOWEST, HIGHEST) is None
    block = archive.read_block(archive.live, ONE, LOWEST, HIGHEST)
    again = archive.try_read_block(archive.live, ONE, LOWEST, HIGHEST)
    assert again is not None
    assert again.value.tolist() == block.value.tolist() == [0.0, 1.0]


def test_a_damaged_segment_is_set_down_and_the_others_are_live(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 2)
    path = archive.live[0].segment.path
    path.write_bytes(b"nothing")
    other = Archive(tmp_path, StoreSettings())
    infos = [live.info for live in archive.live]
    other.adopt(infos, other.load(infos))
    assert len(other.damage) == 1
    assert path.name in other.damage[0]
    assert values_of(other, [1], START_US + MONTH_US) == [[1.0]]
    with pytest.raises(SegmentCorrupt):
        values_of(other, [1])
    block, is_damaged = other.read_undamaged_block(other.live, ONE, LOWEST, HIGHEST)
    assert (block.value.tolist(), is_damaged) == ([1.0], True)
    assert [live.info.name for live in other.mergeable()] == [infos[1].name]
    assert len(other.damage) == 1


def test_a_file_that_was_let_go_is_opened_again_when_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 1)
    values_of(archive, [1])
    archive.let_go([archive.live[0].info.name, "another"])
    assert not archive.live[0].segment.is_open
    assert values_of(archive, [1]) == [[0.0]]


def test_pieces_of_several_segments_follow_each_other(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(5), [0, 1, 2, 3, 4], 1), rows_of(3, grid(5), np.zeros(5), 1))
    maker.seal(rows_of(1, grid(8)[5:], [5, 6, 7], 2), rows_of(2, grid(1), [9], 2))
    assert values_of(maker.archive, [2, 1, 4]) == [[9.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], []]


def test_a_later_segment_wins_and_late_samples_find_their_place(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(5)[[0, 2, 4]], [0, 2, 4], 1))
    maker.seal(rows_of(1, grid(5)[[1, 2]], [1.5, 2.5], 2))
    maker.seal(rows_of(1, grid(5)[[3, 4]], [3.25, 4.25], 3))
    assert values_of(maker.archive, [1]) == [[0.0, 1.5, 2.5, 3.25, 4.25]]
    assert maker.archive.try_read_block(maker.archive.live, ONE, LOWEST, HIGHEST) is not None


def test_where_sequences_overlap_the_higher_one_wins(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_from([(1, START_US, 1.0, 5), (1, START_US + QUARTER_US, 1.0, 9), (2, START_US, 4.0, 1)]))
    maker.seal(rows_from([(1, START_US, 2.0, 7), (1, START_US + QUARTER_US, 2.0, 3)]))
    assert values_of(maker.archive, [1, 2]) == [[2.0, 1.0], [4.0]]


def test_a_merged_segment_keeps_its_place_in_the_order(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(1), [1.0], 1))
    maker.seal(rows_of(1, grid(1), [2.0], 1))  # the same sequence: the later segment wins
    maker.draft(rows_of(1, grid(2), [0.5, 0.5], 1), rank=1)  # made last, but of what came first
    assert [live.info.generation for live in maker.archive.live] == [1, 3, 2]
    assert values_of(maker.archive, [1]) == [[2.0, 0.5]]


def test_a_look_up_finds_the_newest_version_of_exact_times(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(5), [0, 1, 2, 3, 4], 1), rows_of(2, grid(2), [7, 8], 1))
    maker.seal(rows_of(1, grid(3)[1:2], [1.5], 2))
    ids = np.array([2, 1, 1, 1, 3, 1], np.uint32)
    times = grid(1)[0] + QUARTER_US * np.array([1, 1, 4, 5, 0, 0]) + np.array([0, 0, 0, 0, 0, 1])
    found = Found(6)
    maker.archive.look_up(maker.archive.select(LOWEST, HIGHEST), ids, times, found)
    assert found.is_found.tolist() == [1, 1, 1, 0, 0, 0]
    assert found.value[:3].tolist() == [8.0, 1.5, 4.0]
    assert found.sequence[:3].tolist() == [1, 2, 1]


def test_a_look_up_leaves_what_is_newer_and_passes_over_damage(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(3), [0, 1, 2], 1))
    found = Found(2)
    found.is_found[0], found.value[0], found.sequence[0] = 1, 9.0, 4
    ids, times = np.array([1, 1], np.uint32), grid(2)
    maker.archive.look_up(maker.archive.live, ids, times, found)
    assert found.value.tolist() == [9.0, 1.0]
    maker.archive.live[0].segment.path.write_bytes(b"nothing")
    maker.archive.let_go([maker.archive.live[0].info.name])
    again = Found(2)
    maker.archive.look_up(maker.archive.live, ids, times, again)
    assert again.is_found.tolist() == [0, 0]
    assert len(maker.archive.damage) == 1


def test_every_version_is_told_with_its_origin(tmp_path: Path) -> None:
    from historian.store.segment import Batches

    maker = Maker(tmp_path)
    batches = Batches(np.array([1, 2]), np.array([10, 20]), np.array([0, 1], np.uint16), ["a", "b\nwrong"])
    maker.seal(rows_from([(1, START_US, 1.0, 1), (1, START_US, 2.0, 2)]), batches=batches)
    maker.seal(rows_from([(1, START_US, 3.0, 3)]))
    found = maker.archive.read_versions(maker.archive.live, ONE, START_US, START_US + 1)
    assert found.value.tolist() == [1.0, 2.0, 3.0]
    assert found.arrival_time_us.tolist() == [10, 20, 0]
    origins = [found.origins[place] for place in found.origin.tolist()]
    assert [origin.source for origin in origins] == ["a", "b", ""]
    assert origins[1].reason == "wrong"


def test_the_newest_sample_before_a_moment_is_found_across_segments(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(4), [0, 1, 2, 3], 1), rows_of(2, grid(1), [5], 1))
    maker.seal(rows_of(1, grid(4)[2:3], [2.5], 2))
    maker.seal(rows_of(1, grid(1) + MONTH_US, [8], 3))
    ids = np.array([1, 2, 3], np.uint32)
    newest = maker.archive.newest(maker.archive.live, ids, START_US + 3 * QUARTER_US)
    assert newest.is_found.tolist() == [True, True, False]
    assert newest.value[:2].tolist() == [2.5, 5.0]
    assert maker.archive.newest(maker.archive.live, ids, HIGHEST).value[:2].tolist() == [8.0, 5.0]


def test_segments_of_other_points_are_not_opened(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(2), [0, 1], 1))
    maker.seal(rows_of(50, grid(2), [0, 1], 2))
    assert values_of(maker.archive, [50]) == [[0.0, 1.0]]
    assert [live.segment.is_open for live in maker.archive.live] == [False, True]


@pytest.mark.parametrize("ids", [[1], [1, 2], [2], [3]], ids=str)
def test_memory_says_the_same_as_the_disk_whatever_the_segments_hold(tmp_path: Path, ids: list[int]) -> None:
    maker = Maker(tmp_path)
    day = 96 * QUARTER_US
    maker.seal(rows_from([(1, START_US + n * QUARTER_US, n / 10, 1) for n in range(300)]))
    maker.seal(rows_from([(1, START_US + 3 * day + n * QUARTER_US, n / 7, 2) for n in range(300)]))
    maker.seal(rows_from([(2, START_US + day, 1.0, 3), (1, START_US + day, 8.0, 3)]))
    asked = np.array(ids, np.uint32)
    for start_us, end_us in [
        (LOWEST, HIGHEST),
        (START_US + 2 * day, HIGHEST),
        (START_US, START_US + day + 1),
    ]:
        segments = maker.archive.select(start_us, end_us)
        expected = maker.archive.read_block(segments, asked, start_us, end_us)
        found = maker.archive.try_read_block(segments, asked, start_us, end_us)
        assert found is not None
        assert [column.tolist() for column in found] == [column.tolist() for column in expected]
