"""What a segment's columns cost and how they are chosen."""

import numpy as np
import pytest

from historian.store import columns, segment_layout
from historian.store.columns import Rows
from historian.store.segment_write import Content, Names, SegmentBuilder, texts_of
from tests.support.segment_kit import ONE_BATCH, grid, rows_of


def content_of(*parts: Rows) -> Content:
    builder = SegmentBuilder()
    for part in parts:
        builder.add(part)
    count = builder.run_count
    names = Names(texts_of([f"p{place}" for place in range(count)]), texts_of(["kW"] * count))
    return builder.finish(columns.make_rows(0), ONE_BATCH, names)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1.0, 2.0], "i32_e0"),
        ([351.86, 0.1], "i32_e2"),
        ([3_000_000_000.5], "i64_e1"),
        ([1 / 3], "f64"),
        ([-0.0], "f64"),
        ([np.nan, 1.0], "f64"),
        ([np.inf], "f64"),
        ([2147483646.0], "i32_e0"),
        ([2147483648.0], "i64_e0"),
        ([2.0**53], "f64"),
    ],
    ids=str,
)
def test_the_narrowest_exact_kind_is_taken(values: list[float], name: str) -> None:
    content = content_of(rows_of(1, grid(len(values)), values))
    assert [path for path in content.data_sets if path.startswith("values/")] == [f"values/{name}"]


def test_regular_times_and_constant_columns_take_no_space_and_gaps_little() -> None:
    content = content_of(rows_of(1, np.delete(grid(96), [5, 6]), np.zeros(94)))
    lengths = {name: content.data_sets[name].length for name in segment_layout.SAMPLE_COLUMNS}
    assert lengths == {"time_us": 0, "missing_slot": 2, "quality": 0, "sequence": 0}


def test_scans_cost_an_entry_each_and_samples_one_by_one_a_column() -> None:
    parts = [rows_of(point_id, grid(20), np.ones(20)) for point_id in range(1, 9)]
    for part in parts:
        part.sequence[:] = np.arange(20)
    scanned = content_of(*parts[:1], *parts[1:])
    assert scanned.data_sets["scan/time_us"].length == 0  # one point at a time, no scan is seen to pay
    together = content_of(columns.concatenate(parts))
    assert (together.data_sets["scan/time_us"].length, together.data_sets["sequence"].length) == (20, 0)
    alone = content_of(parts[0])
    assert (alone.data_sets["scan/time_us"].length, alone.data_sets["sequence"].length) == (0, 20)


def test_noise_costs_what_it_must_and_nothing_more() -> None:
    rng = np.random.default_rng(4)
    parts = []
    for point_id in range(1, 61):
        width = 4 if point_id % 2 else 400  # neighbours of different noise, which one table would blur
        parts.append(rows_of(point_id, grid(2880), np.cumsum(rng.normal(0, width, 2880)).round() / 10))
    rows = columns.concatenate(parts)
    size = content_of(rows).data_sets["values/i32_e1"].size_bytes
    floor_bits = (np.log2(4 * 4.13) + np.log2(400 * 4.13)) / 2  # entropy of a rounded normal distribution
    assert size * 8 / rows.row_count < floor_bits + 0.35


def test_bounds_are_kept() -> None:
    builder = SegmentBuilder()
    builder.add(rows_of(3, grid(4), [4.5, 1.5, 9.5, 2.5], sequence=8))
    builder.add(rows_of(5, grid(9), np.ones(9), sequence=3))
    assert builder.point_ids().tolist() == [3, 5]
    assert (builder.sequence_min, builder.sequence_max) == (3, 8)
    assert (builder.time_min_us, builder.time_max_us) == (int(grid(1)[0]), int(grid(9)[-1]))
    assert (builder.run_count, builder.sample_count) == (2, 13)
