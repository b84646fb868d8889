"""A merge of segments is their union, in however many steps and pieces, at its pace."""

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from historian.store import columns, merge
from historian.store.columns import Rows
from historian.store.pace import Pace, WorkStopped
from historian.store.seal import Draft, Sealed
from historian.store.segment import Batches, Segment
from tests.support.segment_kit import Maker, assert_same, grid, rows_from, rows_of
from tests.support.store_kit import QUARTER_US, START_US


def pace(stop: threading.Event | None = None) -> Pace:
    return Pace(1.0, 1 << 40, stop or threading.Event())


def merged(maker: Maker, samples_max: int = 1 << 30, drop_before_us: int = merge.TIME_LOWEST) -> list[Sealed]:
    segments = [Segment(live.segment.path) for live in maker.archive.live]
    return merge.merge(segments, maker.publisher(), pace(), samples_max, 3, drop_before_us)


def rows_in(sealed: list[Sealed]) -> tuple[Rows, Rows]:
    parts = [Segment(one.path).read_all() for one in sealed]
    return columns.concatenate([part[0] for part in parts]), columns.concatenate([part[1] for part in parts])


def three_seals(maker: Maker) -> list[tuple[int, int, float, int]]:
    rng = np.random.default_rng(5)
    samples = []
    for sequence in (1, 2, 3):
        part = [
            (int(point), START_US + int(slot) * QUARTER_US, float(sequence), sequence)
            for point in range(1, 12)
            for slot in np.flatnonzero(rng.random(60) < 0.5)
        ]
        maker.seal(
            rows_from(part),
            batches=Batches(np.array([sequence]), np.array([sequence]), np.zeros(1, np.uint16), ["s"]),
        )
        samples += part
    return samples


@pytest.mark.parametrize("step", [1, 40, 1 << 20])
@pytest.mark.parametrize("samples_max", [1, 100, 1 << 30])
def test_the_result_is_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, samples_max: int
) -> None:
    maker = Maker(tmp_path)
    samples = three_seals(maker)
    monkeypatch.setattr(merge, "STEP_SAMPLES", step)
    monkeypatch.setattr(merge, "MEMORY_BYTES_MAX", 1000)
    sealed = merged(maker, samples_max)
    newest, superseded = columns.split_versions([rows_from(samples)])
    found = rows_in(sealed)
    assert_same(found[0], newest)
    assert_same(found[1], superseded)
    assert {one.info.rank for one in sealed} == {3}
    if samples_max == 100 and step <= 40:
        assert len(sealed) > 2
        assert all(one.info.sample_count <= 100 for one in sealed)
        for before, after in itertools.pairwise(sealed):
            assert before.info.point_max < after.info.point_min


def test_batches_stay_with_their_samples(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    three_seals(maker)
    [one] = merged(maker)
    assert Segment(one.path).read_batches().sequence.tolist() == [1, 2, 3]


def test_what_is_older_than_asked_is_left_out_with_all_its_versions(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_from([(1, START_US, 1.0, 1), (1, START_US, 2.0, 2), (1, START_US + 1, 3.0, 1)]))
    newest, older = rows_in(merged(maker, drop_before_us=START_US + 1))
    assert (newest.value.tolist(), older.row_count) == ([3.0], 0)
    assert merged(maker, drop_before_us=START_US + 2) == []


def test_a_merge_stops_when_told(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.seal(rows_of(1, grid(4), np.ones(4)))
    stop = threading.Event()
    stop.set()
    segments = [Segment(live.segment.path) for live in maker.archive.live]
    with pytest.raises(WorkStopped):
        merge.merge(segments, maker.publisher(), pace(stop), 100, 1, merge.TIME_LOWEST)
    assert not any(segment.is_open for segment in segments)


@pytest.mark.parametrize(("size", "is_thorough"), [(255, False), (256, True)])
def test_what_stays_for_long_is_packed_with_care(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, is_thorough: bool
) -> None:
    maker = Maker(tmp_path)
    for half in range(2):
        maker.seal(rows_of(1, grid(512)[half * size :][:size], np.ones(size), 1 + half))
    asked: list[bool] = []

    def draft(batches: Batches, *, thorough: bool) -> Draft:
        asked.append(thorough)
        return Draft(batches, thorough=thorough)

    monkeypatch.setattr(merge, "Draft", draft)
    [one] = merged(maker)
    assert (asked, one.info.sample_count) == ([is_thorough], 2 * size)
