"""Rows become one published segment a UTC month."""

from pathlib import Path

import numpy as np

from historian.store import columns, seal
from historian.store.columns import Rows
from historian.store.durable import DurableFiles
from historian.store.segment import Batches, Segment
from tests.support.store_kit import QUARTER_US, START_US, Directory
from tests.support.rows import rows_of

NO_BATCHES = Batches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16), [])


def publish(folder: Path, parts: list[Rows], batches: Batches = NO_BATCHES) -> list[seal.Sealed]:
    return seal.publish(DurableFiles(), folder, parts, columns.make_rows(0), batches, Directory(), 5)  # type: ignore[arg-type]


def test_months_are_utc_and_generations_rise(tmp_path: Path) -> None:
    rows = rows_of([(1, START_US - 1, 1.0, 1), (1, START_US, 2.0, 1)])
    sealed = publish(tmp_path, [rows])
    assert [one.info.name for one in sealed] == ["2025-12-0000000005.h5", "2026-01-0000000006.h5"]
    assert [one.info.sample_count for one in sealed] == [1, 1]
    assert all(one.path.stat().st_size == one.info.size_bytes for one in sealed)


def test_of_several_versions_the_newest_is_read_and_the_others_kept(tmp_path: Path) -> None:
    [one] = publish(
        tmp_path, [rows_of([(1, START_US, 1.0, 2)]), rows_of([(1, START_US, 2.0, 1), (2, START_US, 3.0, 1)])]
    )
    newest, older = Segment(one.path).read_all()
    assert (newest.value.tolist(), older.value.tolist()) == ([1.0, 3.0], [2.0])


def test_only_batches_that_occur_are_kept(tmp_path: Path) -> None:
    batches = Batches(np.arange(5), np.arange(5) * 10, np.zeros(5, np.uint16), ["s"])
    [one] = publish(tmp_path, [rows_of([(1, START_US + QUARTER_US, 1.0, 3)])], batches)
    assert Segment(one.path).read_batches().sequence.tolist() == [3]


def test_only_sources_that_occur_are_named(tmp_path: Path) -> None:
    batches = Batches(np.arange(3), np.zeros(3, np.int64), np.array([0, 1, 2], np.uint16), ["a", "b", "c"])
    [one] = publish(tmp_path, [rows_of([(1, START_US, 1.0, 0), (2, START_US, 1.0, 2)])], batches)
    kept = Segment(one.path).read_batches()
    assert [kept.source_names[source] for source in kept.source.tolist()] == ["a", "c"]
    assert kept.source_names == ["a", "c"]


def test_a_point_the_catalogue_lost_is_named_by_its_number(tmp_path: Path) -> None:
    import h5py

    class Empty(Directory):
        def by_id(self, point_id: int):  # type: ignore[no-untyped-def]
            from historian.errors import PointNotFound

            raise PointNotFound(str(point_id))

    rows = rows_of([(9, START_US, 1.0, 1)])
    [one] = seal.publish(DurableFiles(), tmp_path, [rows], columns.make_rows(0), NO_BATCHES, Empty(), 1)  # type: ignore[arg-type]
    with h5py.File(one.path) as file:
        assert file["index/name"][:].tolist() == [b"#9"]
