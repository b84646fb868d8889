"""Rows become one published segment a UTC month."""

from pathlib import Path

import h5py
import numpy as np

from historian.errors import PointNotFound
from historian.store.segment import Batches, Segment
from historian.store.segment_names import NameTable
from tests.support.segment_kit import Maker, grid, rows_from, rows_of
from tests.support.store_kit import QUARTER_US, START_US, Directory


def test_months_are_utc_and_generations_rise(tmp_path: Path) -> None:
    sealed = Maker(tmp_path).seal(rows_from([(1, START_US - 1, 1.0, 1), (1, START_US, 2.0, 1)]))
    assert [one.info.name for one in sealed] == ["2025-12-0000000001.h5", "2026-01-0000000002.h5"]
    assert [one.info.sample_count for one in sealed] == [1, 1]
    assert all(one.path.stat().st_size == one.info.size_bytes for one in sealed)


def test_of_several_versions_the_newest_is_read_and_the_others_kept(tmp_path: Path) -> None:
    [one] = Maker(tmp_path).seal(
        rows_from([(1, START_US, 1.0, 2)]), rows_from([(1, START_US, 2.0, 1), (2, START_US, 3.0, 1)])
    )
    newest, older = Segment(one.path).read_all()
    assert (newest.value.tolist(), older.value.tolist()) == ([1.0, 3.0], [2.0])
    assert one.info.superseded_count == 1


def test_superseded_versions_go_with_their_month(tmp_path: Path) -> None:
    rows = [
        (1, START_US - 1, 1.0, 1),
        (1, START_US - 1, 2.0, 2),
        (1, START_US, 3.0, 1),
        (1, START_US, 4.0, 2),
    ]
    sealed = Maker(tmp_path).seal(rows_from(rows))
    assert [Segment(one.path).read_superseded().value.tolist() for one in sealed] == [[1.0], [3.0]]


def test_only_batches_that_occur_are_kept(tmp_path: Path) -> None:
    batches = Batches(np.arange(5), np.arange(5) * 10, np.zeros(5, np.uint16), ["s"])
    [one] = Maker(tmp_path).seal(
        rows_from([(1, START_US + QUARTER_US, 1.0, 3), (2, START_US, 1.0, 1), (2, START_US, 1.0, 0)]),
        batches=batches,
    )
    assert Segment(one.path).read_batches().sequence.tolist() == [0, 1, 3]


def test_only_sources_that_occur_are_named(tmp_path: Path) -> None:
    batches = Batches(np.arange(3), np.zeros(3, np.int64), np.array([0, 1, 2], np.uint16), ["a", "b", "c"])
    [one] = Maker(tmp_path).seal(rows_from([(1, START_US, 1.0, 0), (2, START_US, 1.0, 2)]), batches=batches)
    kept = Segment(one.path).read_batches()
    assert [kept.source_names[source] for source in kept.source.tolist()] == ["a", "c"]
    assert kept.source_names == ["a", "c"]


def test_bounds_are_told_to_the_manifest(tmp_path: Path) -> None:
    [one] = Maker(tmp_path).seal(rows_of(4, grid(3), [1, 2, 3], 7), rows_of(9, grid(2), [1, 2], 6))
    info = one.info
    assert (info.point_min, info.point_max, info.sequence_min, info.sequence_max) == (4, 9, 6, 7)
    assert (info.time_min_us, info.time_max_us) == (START_US, START_US + 2 * QUARTER_US)
    assert (info.run_count, info.rank) == (2, info.generation)


def test_a_point_the_catalogue_lost_is_named_by_its_number(tmp_path: Path) -> None:
    class Empty(Directory):
        def by_id(self, point_id: int):  # type: ignore[no-untyped-def]
            raise PointNotFound(str(point_id))

    maker = Maker(tmp_path)
    maker.names = NameTable(Empty())  # type: ignore[arg-type]
    [one] = maker.seal(rows_from([(9, START_US, 1.0, 1)]))
    with h5py.File(one.path) as file:
        assert file["index/name"][:].tolist() == [b"#9"]
