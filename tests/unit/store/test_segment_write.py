"""Packing: offsets of the index point where the columns are."""

import numpy as np

from historian.store import columns, segment_layout, segment_write
from tests.unit.store.test_segment import grid, rows_of


def test_offsets_point_to_each_runs_own_stretch() -> None:
    parts = [
        rows_of(1, grid(4), np.array([0.1, 0.2, 0.3, 0.4])),
        rows_of(2, grid(3), np.array([1 / 3, 2 / 3, 1.0])),
        rows_of(3, grid(2), np.array([0.5, 0.6])),
    ]
    packed = segment_write.pack(columns.concatenate(parts))
    assert packed.index_columns["value_offset"].tolist() == [0, 0, 4]
    assert packed.values[1].tolist() == [1, 2, 3, 4, 5, 6]
    assert packed.index_columns["value_min"].tolist() == [0.1, 1 / 3, 0.5]
    assert packed.index_columns["value_max"].tolist() == [0.4, 1.0, 0.6]


def test_a_constant_quality_or_sequence_is_kept_once() -> None:
    rows = columns.concatenate([rows_of(1, grid(3), np.zeros(3)), rows_of(2, grid(3), np.zeros(3))])
    rows.quality[3:] = [1, 2, 1]
    packed = segment_write.pack(rows)
    assert packed.index_columns["quality_offset"].tolist() == [segment_layout.CONSTANT, 0]
    assert packed.quality.tolist() == [1, 2, 1]
    assert packed.index_columns["sequence_offset"].tolist() == [segment_layout.CONSTANT] * 2
    assert len(packed.sequence) == 0
