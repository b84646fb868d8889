"""A segment gives back what was packed, bit for bit, to us and to anyone with plain h5py; damage is seen."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.errors import SegmentCorrupt
from historian.model.sample import SampleRun
from historian.store import columns, segment_layout
from historian.store.columns import Rows
from historian.store.segment import Batches, Segment
from tests.support.segment_kit import HIGHEST, LOWEST, assert_same, encode, grid, rows_of, segment_of
from tests.support.store_kit import QUARTER_US, START_US


def read_run(segment: Segment, point_id: int, start_us: int, end_us: int) -> SampleRun:
    return segment.read_block(np.array([point_id], np.uint32), start_us, end_us).run(0)


def mixed_rows() -> Rows:
    rng = np.random.default_rng(1)
    rows = columns.concatenate(
        [
            rows_of(1, grid(96), np.round(rng.random(96) * 100, 2)),  # decimals on a grid
            rows_of(2, np.delete(grid(96), [3, 4, 50]), rng.random(93)),  # true floats, gaps
            rows_of(
                3, np.sort(rng.integers(0, 10**15, 40)), np.round(rng.random(40) * 1e12, 3)
            ),  # wide, irregular
            rows_of(4, grid(3), [-0.0, np.nan, -np.inf]),
            rows_of(9, grid(1), [5e-324]),
        ]
    )
    rows.quality[100:110] = 7
    rows.sequence[:96] = np.arange(96)
    return rows


def test_everything_comes_back_bit_for_bit() -> None:
    rows, superseded = segment_of(mixed_rows()).read_all()
    assert_same(rows, mixed_rows())
    assert superseded.row_count == 0


def test_runs_longer_than_a_chunk_come_back() -> None:
    count = 2 * segment_layout.CODING_SAMPLES + 5
    rng = np.random.default_rng(2)
    rows = columns.concatenate(
        [rows_of(1, grid(count), np.cumsum(rng.integers(-9, 9, count)) / 10), rows_of(2, grid(9), np.ones(9))]
    )
    rows.quality[:] = rng.integers(0, 3, rows.row_count)
    rows.sequence[:] = rng.integers(0, 1 << 50, rows.row_count)
    assert_same(segment_of(rows).read_all()[0], rows)


@pytest.mark.parametrize("start", [0, 1, 5, 6, 7, 95, 96])
@pytest.mark.parametrize("end", [0, 5, 6, 8, 94, 96, 200])
@pytest.mark.parametrize("jitter", [0, 1], ids=["grid", "explicit"])
def test_a_part_of_a_run_is_read_by_its_half_open_range(start: int, end: int, jitter: int) -> None:
    times = np.delete(grid(96), [5, 6, 90])
    times[1] += jitter
    one = segment_of(rows_of(7, times, np.arange(93) / 10))
    low, high = START_US + start * QUARTER_US - 1, START_US + end * QUARTER_US
    run = read_run(one, 7, low, high)
    wanted = (times >= low) & (times < high)
    assert run.time_us.tolist() == times[wanted].tolist()
    assert run.value.tolist() == (np.arange(93) / 10)[wanted].tolist()


def test_ids_come_in_the_order_asked_and_those_that_are_not_there_are_empty() -> None:
    one = segment_of(columns.concatenate([rows_of(7, grid(3), np.zeros(3)), rows_of(9, grid(2), np.ones(2))]))
    block = one.read_block(np.array([9, 8, 7, 9, 4_000_000_000], np.uint32), LOWEST, HIGHEST)
    assert np.diff(block.offset).tolist() == [2, 0, 3, 2, 0]
    assert block.run(3).value.tolist() == [1.0, 1.0]


def test_sequences_of_scans_come_back() -> None:
    rows = columns.concatenate([rows_of(point_id, grid(50), np.ones(50)) for point_id in range(1, 30)])
    rows.sequence[:] = np.tile(np.arange(50) * 3, 29) + (rows.point_id > 12)  # each scan came in two batches
    assert_same(segment_of(rows).read_all()[0], rows)


def test_superseded_versions_and_batches_are_kept() -> None:
    older = rows_of(1, grid(1), [0.5], sequence=1)
    batches = Batches(np.array([1, 2]), np.array([8, 9]), np.array([1, 0], np.uint32), ["b", "a\nwhy"])
    one = segment_of(rows_of(1, grid(1), [0.7], sequence=2), older, batches)
    assert one.read_superseded().value.tolist() == [0.5]
    kept = one.read_batches()
    assert [kept.source_names[place] for place in kept.source] == ["a\nwhy", "b"]
    assert one.read_names().name.tolist() == ["站.p1".encode()]


def test_what_is_in_memory_is_read_without_the_file() -> None:
    one = segment_of(mixed_rows())
    ids = np.array([1, 2], np.uint32)
    assert one.try_find(ids, LOWEST, HIGHEST) is None
    one.read_block(ids, LOWEST, HIGHEST)
    decoded = one.decoded_count
    assert one.try_find(ids, LOWEST, HIGHEST) is not None
    one.read_block(ids, START_US, START_US + QUARTER_US)
    assert one.decoded_count == decoded
    assert one.size_bytes > 0
    one.forget()
    assert one.size_bytes == 0
    assert one.try_find(ids, LOWEST, HIGHEST) is None


def test_the_newest_time_before_a_moment_steps_over_missing_slots() -> None:
    one = segment_of(
        columns.concatenate(
            [rows_of(1, np.delete(grid(9), [4, 5]), np.ones(7)), rows_of(2, grid(2) + 1, [1, 2])]
        )
    )
    for slot, expected in ((0, LOWEST), (3, 2), (6, 3), (7, 6), (99, 8)):
        newest = np.full(2, LOWEST)
        one.newest_before(np.array([1, 3], np.uint32), START_US + slot * QUARTER_US, newest)
        assert newest[0] == (expected if expected == LOWEST else START_US + expected * QUARTER_US)
        assert newest[1] == LOWEST


def lines_of_the_document(root: Path, path: Path, name: bytes) -> dict[str, Any]:
    document = (root / "docs" / "format" / "segment.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    code = code.replace('"2018-01-0000000001.h5"', repr(str(path))).replace(
        'b"steel.import.energy"', repr(name)
    )
    found: dict[str, Any] = {}
    exec(code, found)
    return found


def test_anyone_reads_an_archive_by_the_lines_of_its_document(root: Path, tmp_path: Path) -> None:
    times = np.delete(grid(40_000), [5, 6, 35_000])
    values = np.round(np.random.default_rng(2).random(len(times)) * 100, 2)
    rows = columns.concatenate([rows_of(1, grid(4), np.ones(4) / 4), rows_of(2, times, values)])
    (tmp_path / "one.h5").write_bytes(encode(rows))
    found = lines_of_the_document(root, tmp_path / "one.h5", "站.p2".encode())
    np.testing.assert_array_equal(found["time_us"], times)
    np.testing.assert_array_equal(found["value"], values)
    assert found["stored"].attrs is not None


def test_the_columns_name_their_units_as_the_cf_conventions_do(tmp_path: Path) -> None:
    import h5py

    (tmp_path / "one.h5").write_bytes(encode(rows_of(1, grid(4) + np.array([0, 1, 3, 7]), [1.25, 2, 3, 4])))
    with h5py.File(tmp_path / "one.h5") as file:
        attributes = dict(file["values/i32_e2"].attrs)
        assert (attributes["units"], attributes["scale_factor"], attributes["add_offset"]) == (
            b"kWh",
            0.01,
            0.0,
        )
        assert file["time_us"].attrs["units"] == b"microseconds since 1970-01-01T00:00:00Z"


def test_a_flip_in_any_region_is_an_error_and_never_another_value(tmp_path: Path) -> None:
    rows = rows_of(1, np.delete(grid(2000), [5, 9]), np.round(np.random.default_rng(3).random(1998), 3))
    rows.quality[:] = np.arange(1998) % 5
    rows.sequence[:] = np.arange(1998) // 3
    data = bytearray(encode(rows))
    path = tmp_path / "flipped.h5"
    for at in range(0, len(data), 37):
        data[at] ^= 0x04
        path.write_bytes(data)
        try:
            found, _ = Segment(path).read_all()
        except SegmentCorrupt:
            found = None
        if found is not None:
            for original, column in zip(rows, found, strict=True):
                np.testing.assert_array_equal(original, column, err_msg=f"flip at {at}")
        data[at] ^= 0x04


def test_a_cut_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "one.h5"
    path.write_bytes(encode(rows_of(1, grid(96), np.zeros(96)))[:-100])
    with pytest.raises(SegmentCorrupt, match=r"one\.h5"):
        Segment(path).read_all()


def test_an_index_that_is_not_the_one_that_was_written_is_an_error(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "one.h5"
    path.write_bytes(encode(rows_of(1, grid(96), np.zeros(96))))
    with h5py.File(path, "r+") as file:
        file.attrs["index_crc32c"] = file.attrs["index_crc32c"] ^ 1
    with pytest.raises(SegmentCorrupt, match="checksum of the index"):
        Segment(path).read_all()
