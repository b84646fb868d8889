"""Differences, zigzag and byte planes are what the document says, in plain numpy."""

from typing import Any

import numpy as np
import pytest

from historian.store import segment_codec_kernels as kernels

PAIRS = {
    np.int8: (kernels.to_planes_8, kernels.from_planes_8),
    np.int16: (kernels.to_planes_16, kernels.from_planes_16),
    np.int32: (kernels.to_planes_32, kernels.from_planes_32),
    np.int64: (kernels.to_planes_64, kernels.from_planes_64),
}


def edges(dtype: Any) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.array([info.min, info.max, 0, -1, 1, info.max, info.min, 5, 5, -7], dtype)


@pytest.mark.parametrize("dtype", PAIRS)
def test_planes_are_the_shuffled_zigzag_differences(dtype: Any) -> None:
    to_planes, from_planes = PAIRS[dtype]
    column = edges(dtype)
    width = column.dtype.itemsize
    unsigned = column.view(f"u{width}")
    planes = np.zeros((width, len(column)), np.uint8)
    to_planes(unsigned, planes)
    difference = np.diff(unsigned, prepend=unsigned.dtype.type(0)).view(dtype)
    zigzag = ((difference << 1) ^ (difference >> (8 * width - 1))).view(f"u{width}")
    np.testing.assert_array_equal(planes, zigzag.view(np.uint8).reshape(-1, width).T)
    out = np.empty_like(unsigned)
    from_planes(planes, out)
    np.testing.assert_array_equal(out, unsigned)


def test_floats_are_only_shuffled() -> None:
    column = np.array([0.1, -0.0, np.nan, np.inf]).view(np.uint64)
    planes = np.zeros((8, 4), np.uint8)
    kernels.split_planes(column, planes)
    np.testing.assert_array_equal(planes, column.view(np.uint8).reshape(-1, 8).T)
    out = np.empty_like(column)
    kernels.join_planes(planes, out)
    np.testing.assert_array_equal(out, column)
