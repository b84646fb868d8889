"""Packs sorted rows into the columns of a segment; `segment.encode` puts them into a file."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.store import segment_kernels, segment_layout
from historian.store.columns import Rows

Index = dict[str, npt.NDArray[Any]]  # columns of the types in segment_layout.INDEX_COLUMNS


class Packed(NamedTuple):
    """All data sets of a segment but those of the superseded versions and of the batches."""

    index_columns: Index
    values: dict[int, npt.NDArray[np.generic]]  # by value kind
    time_us: npt.NDArray[np.int64]
    missing_slot: npt.NDArray[np.uint32]
    quality: npt.NDArray[np.uint16]
    sequence: npt.NDArray[np.int64]


class _Runs(NamedTuple):
    first: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]


def pack(rows: Rows) -> Packed:
    """Columns and index of rows that are sorted by point and time, each (point, time) once."""
    assert rows.row_count > 0, "a segment is never empty"
    first = np.flatnonzero(np.r_[True, rows.point_id[1:] != rows.point_id[:-1]]).astype(np.int64)
    runs = _Runs(first, np.diff(np.r_[first, rows.row_count]).astype(np.int64))
    index = _describe(rows, runs)
    step, missing, kind = index["step_us"], index["missing_count"], index["value_kind"]
    is_regular = step > 0
    index["time_offset"] = np.where(
        is_regular, _offsets(missing, is_regular), _offsets(runs.size, ~is_regular)
    )
    missing_slot = np.empty(int(missing.sum()), np.uint32)
    segment_kernels.missing_slots(rows.time_us, *runs, step, missing, missing_slot)
    quality = _varying(index, "quality", rows.quality, runs)
    sequence = _varying(index, "sequence", rows.sequence, runs)
    values = _pack_values(index, rows.value, runs, kind)
    time_us = _gather(rows.time_us, runs, ~is_regular)
    return Packed(index, values, time_us, missing_slot, quality.astype(np.uint16), sequence)


def _describe(rows: Rows, runs: _Runs) -> Index:
    count = len(runs.first)
    step, missing = np.empty(count, np.int64), np.empty(count, np.uint32)
    kind, low, high = np.empty(count, np.uint8), np.empty(count), np.empty(count)
    same_quality, same_sequence = np.empty(count, np.uint8), np.empty(count, np.uint8)
    segment_kernels.describe_runs(
        rows.time_us, rows.value, rows.quality, rows.sequence, *runs,
        step, missing, kind, low, high, same_quality, same_sequence,
    )  # fmt: skip
    return {
        "point_id": rows.point_id[runs.first],
        "sample_count": runs.size.astype(np.uint32),
        "first_time_us": rows.time_us[runs.first],
        "last_time_us": rows.time_us[runs.first + runs.size - 1],
        "step_us": step,
        "missing_count": missing,
        "value_kind": kind,
        "value_min": low,
        "value_max": high,
        "quality": rows.quality[runs.first],
        "quality_offset": np.where(same_quality, segment_layout.CONSTANT, 0),
        "sequence": rows.sequence[runs.first],
        "sequence_offset": np.where(same_sequence, segment_layout.CONSTANT, 0),
    }


def _varying(index: Index, name: str, column: npt.NDArray[Any], runs: _Runs) -> npt.NDArray[np.int64]:
    """The samples of the runs in which `column` varies; their offsets go into the index."""
    varies = index[f"{name}_offset"] != segment_layout.CONSTANT
    offset = np.where(varies, _offsets(runs.size, varies), segment_layout.CONSTANT)
    index[f"{name}_offset"] = offset.astype(np.int64)
    return _gather(column.astype(np.int64, copy=False), runs, varies)


def _pack_values(
    index: Index, value: npt.NDArray[np.float64], runs: _Runs, kind: npt.NDArray[np.uint8]
) -> dict[int, npt.NDArray[np.generic]]:
    values: dict[int, npt.NDArray[np.generic]] = {}
    offset = np.zeros(len(runs.first), np.int64)
    for code in np.unique(kind).tolist():
        chosen = kind == code
        offset = np.where(chosen, _offsets(runs.size, chosen), offset)
        if code == segment_layout.KIND_F64:
            bits = _gather(value.view(np.int64), runs, chosen)
            values[code] = bits.view(np.float64)
            continue
        scaled = np.empty(int(runs.size[chosen].sum()), np.int64)
        segment_kernels.scale(value, *runs, kind, code, float(segment_layout.scale_divisor(code)), scaled)
        values[code] = scaled.astype(segment_layout.values_dtype(code))
    index["value_offset"] = offset
    return values


def _gather(
    column: npt.NDArray[np.int64], runs: _Runs, chosen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    out = np.empty(int(runs.size[chosen].sum()), np.int64)
    segment_kernels.gather(column, *runs, chosen.view(np.uint8), out)
    return out


def _offsets(count: npt.NDArray[Any], chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where each chosen run starts when the chosen ones lie one after the other."""
    sizes = np.where(chosen, count, 0).astype(np.int64)
    return np.cumsum(sizes) - sizes
