"""The live segments as one: which hold what, few files open, damage set down."""

from pathlib import Path

import numpy as np

from historian.store.archive import Archive
from tests.support.store_kit import QUARTER_US, START_US
from tests.support.rows import rows_of
from tests.unit.store.test_seal import publish

MONTH_US = 31 * 96 * QUARTER_US


def archive_of(folder: Path, month_count: int, open_files_max: int = 64) -> Archive:
    samples = [(1, START_US + month * MONTH_US, float(month), 1) for month in range(month_count)]
    sealed = publish(folder, [rows_of(samples)])
    archive = Archive(folder, open_files_max)
    archive.live = tuple(archive.load([one.info for one in sealed]))
    return archive


def test_only_segments_that_overlap_are_selected(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 3)
    selected = archive.select(START_US + MONTH_US, START_US + MONTH_US + 1)
    assert [live.info.time_min_us for live in selected] == [START_US + MONTH_US]


def test_time_span_covers_all_segments(tmp_path: Path) -> None:
    first, last = archive_of(tmp_path, 3).time_span(np.array([1, 2], np.uint32))
    assert (first[0], last[0]) == (START_US, START_US + 2 * MONTH_US)
    assert first[1] > last[1]


def test_no_more_files_are_open_than_allowed_and_all_are_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 4, open_files_max=2)
    pieces = archive.read(archive.live, np.array([1], np.uint32), 0, START_US + 9 * MONTH_US)
    assert [run.value.tolist() for run in pieces[0]] == [[0.0], [1.0], [2.0], [3.0]]
    assert sum(live.segment.is_open for live in archive.live) == 2


def test_a_damaged_segment_is_set_down_and_the_others_are_live(tmp_path: Path) -> None:
    sealed = publish(tmp_path, [rows_of([(1, START_US, 1.0, 1), (1, START_US + MONTH_US, 1.0, 1)])])
    sealed[0].path.write_bytes(b"nothing")
    archive = Archive(tmp_path, 8)
    assert len(archive.load([one.info for one in sealed])) == 1
    assert sealed[0].info.name in archive.damage[0]


def test_a_file_that_was_let_go_is_opened_again_when_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, 1)
    archive.let_go([archive.live[0].info.name, "another"])
    assert not archive.live[0].segment.is_open
    assert archive.read(archive.live, np.array([1], np.uint32), 0, START_US + 1)[0][0].sample_count == 1
