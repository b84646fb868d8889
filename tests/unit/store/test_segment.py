"""A segment gives back what was packed, bit for bit, to us and to anyone with plain h5py; damage is seen."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.errors import SegmentCorrupt
from historian.model.sample import ValueColumn
from historian.store import columns, segment, segment_layout, segment_write
from historian.store.columns import Rows
from historian.store.segment import Batches, Names, Segment
from tests.support.store_kit import QUARTER_US, START_US

LOWEST, HIGHEST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


def rows_of(point_id: int, times: np.ndarray, values: ValueColumn, sequence: int = 1) -> Rows:
    count = len(times)
    return Rows(
        np.full(count, point_id, np.uint32),
        np.asarray(times, np.int64),
        np.asarray(values, np.float64),
        np.zeros(count, np.uint16),
        np.full(count, sequence, np.int64),
    )


def encode(rows: Rows, superseded: Rows | None = None) -> bytes:
    packed = segment_write.pack(rows)
    batches = Batches(np.array([1], np.int64), np.array([9], np.int64), np.array([0], np.uint16), ["源 a"])
    ids = packed.index_columns["point_id"].tolist()
    names = Names([f"站.p{point_id}" for point_id in ids], ["kWh" for _ in ids])
    return segment.encode(packed, superseded or columns.make_rows(0), batches, names, 1)


def write(folder: Path, rows: Rows) -> Path:
    path = folder / "one.h5"
    path.write_bytes(encode(rows))
    return path


def read_back(rows: Rows) -> Rows:
    return Segment(Path("memory"), encode(rows)).read_all()[0]


def grid(count: int) -> np.ndarray:
    return START_US + QUARTER_US * np.arange(count)


def test_everything_comes_back_bit_for_bit() -> None:
    rng = np.random.default_rng(1)
    parts = [
        rows_of(1, grid(96), np.round(rng.random(96) * 100, 2)),  # decimals on a grid
        rows_of(2, np.delete(grid(96), [3, 4, 50]), rng.random(93)),  # true floats, gaps
        rows_of(
            3, np.sort(rng.integers(0, 10**15, 40)), np.round(rng.random(40) * 1e12, 3)
        ),  # wide, irregular
        rows_of(4, grid(1), np.array([-0.0])),
    ]
    rows = columns.concatenate(parts)
    rows.quality[100:110] = 7
    rows.sequence[:96] = np.arange(96)
    for original, column in zip(rows, read_back(rows), strict=True):
        np.testing.assert_array_equal(original.view(np.uint8), column.view(np.uint8))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1.0, 2.0], "i32_e0"),
        ([351.86, 0.1], "i32_e2"),
        ([3_000_000_000.5], "i64_e1"),
        ([1 / 3], "f64"),
        ([-0.0], "f64"),
        ([2147483646.0], "i32_e0"),
        ([2147483648.0], "i64_e0"),
    ],
    ids=str,
)
def test_the_narrowest_exact_kind_is_taken(values: list[float], name: str) -> None:
    packed = segment_write.pack(rows_of(1, grid(len(values)), np.array(values)))
    assert [segment_layout.values_name(kind) for kind in packed.values] == [name]


def test_regular_times_take_no_space_and_gaps_little() -> None:
    packed = segment_write.pack(rows_of(1, np.delete(grid(96), [5, 6]), np.zeros(94)))
    assert len(packed.time_us) == 0
    assert packed.missing_slot.tolist() == [5, 6]
    assert packed.index_columns["step_us"].tolist() == [QUARTER_US]


@pytest.mark.parametrize("start", [0, 1, 5, 6, 7, 95, 96])
@pytest.mark.parametrize("end", [0, 5, 6, 8, 94, 96, 200])
def test_a_part_of_a_run_is_read_by_its_half_open_range(start: int, end: int) -> None:
    times = np.delete(grid(96), [5, 6, 90])
    one = Segment(Path("memory"), encode(rows_of(7, times, np.arange(93) / 10)))
    low, high = START_US + start * QUARTER_US - 1, START_US + end * QUARTER_US
    [run] = one.read(np.array([7], np.uint32), low, high)
    expected = times[(times >= low) & (times < high)]
    assert (run.time_us.tolist() if run is not None else []) == expected.tolist()
    if run is not None:
        assert run.value.tolist() == [
            float(value) for value in (np.arange(93) / 10)[np.isin(times, expected)]
        ]


def test_an_id_that_is_not_there_gives_none() -> None:
    one = Segment(Path("memory"), encode(rows_of(7, grid(3), np.zeros(3))))
    assert one.read(np.array([6, 8], np.uint32), LOWEST, HIGHEST) == [None, None]


def test_superseded_versions_and_batches_are_kept() -> None:
    older = rows_of(1, grid(1), np.array([0.5]), sequence=1)
    one = Segment(Path("memory"), encode(rows_of(1, grid(1), np.array([0.7]), sequence=2), older))
    assert one.read_superseded().value.tolist() == [0.5]
    assert one.read_batches().source_names == ["源 a"]


def test_anyone_reads_an_archive_by_the_lines_of_its_document(root: Path, tmp_path: Path) -> None:
    times = np.delete(grid(96), [5, 6])
    values = np.round(np.random.default_rng(2).random(94) * 100, 2)
    path = write(
        tmp_path, columns.concatenate([rows_of(1, grid(4), np.ones(4) / 4), rows_of(2, times, values)])
    )
    document = (root / "docs" / "format" / "segment.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    code = code.replace('"2018-01-0000000001.h5"', repr(str(path)))
    code = code.replace('b"steel.import.energy"', repr("站.p2".encode()))
    found: dict[str, Any] = {}
    exec(code, found)
    np.testing.assert_array_equal(found["time_us"], times)
    np.testing.assert_array_equal(found["value"], values)


def test_a_flip_in_any_region_is_an_error_and_never_another_value(tmp_path: Path) -> None:
    rows = rows_of(1, np.delete(grid(2000), [5, 9]), np.round(np.random.default_rng(3).random(1998), 3))
    rows.quality[:] = np.arange(1998) % 5
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
    path = write(tmp_path, rows_of(1, grid(96), np.zeros(96)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SegmentCorrupt, match=r"one\.h5"):
        Segment(path).read_all()


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True),
            st.sampled_from([0.01, 0.1, 1.0, 1 / 3]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_runs_come_back(runs: list[tuple[list[int], float]]) -> None:
    parts = [
        rows_of(place + 1, START_US + QUARTER_US * np.array(sorted(slots)), np.arange(len(slots)) * factor)
        for place, (slots, factor) in enumerate(runs)
    ]
    rows = columns.concatenate(parts)
    for original, column in zip(rows, read_back(rows), strict=True):
        np.testing.assert_array_equal(original, column)
