"""A chunk comes back bit for bit, to us and to HDF5's own filters; damage is seen."""

from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.store import segment_codec
from historian.store.segment_codec import ChunkDamaged

DTYPES = [np.uint8, np.uint16, np.uint32, np.int32, np.int64, np.uint64, np.float64]


def random_column(dtype: Any, count: int, seed: int) -> np.ndarray:
    bits = np.random.default_rng(seed).integers(0, 256, count * np.dtype(dtype).itemsize, np.uint8)
    return bits.view(dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DTYPES), st.integers(1, 300), st.integers(0, 50), st.integers(0, 1 << 30), st.booleans()
)
def test_any_chunk_comes_back(dtype: Any, count: int, padding: int, seed: int, thorough: bool) -> None:
    column = random_column(dtype, count, seed)
    out = np.empty_like(column)
    frame = segment_codec.encode(column, count + padding, thorough=thorough)
    segment_codec.decode(frame, count + padding, out)
    np.testing.assert_array_equal(out.view(np.uint8), column.view(np.uint8))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_filters_of_hdf5_read_it(dtype: Any) -> None:
    column = random_column(dtype, 1000, 7)
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        stored = column.dtype if dtype is np.float64 else f"u{column.dtype.itemsize}"
        data = file.create_dataset("a", (1000,), stored, chunks=(1000,), shuffle=True, **hdf5plugin.Zstd())
        data.id.write_direct_chunk((0,), segment_codec.encode(column, 1000))
        numbers = data[:]
    if dtype is not np.float64:
        numbers = ((numbers >> 1) ^ -(numbers & 1)).cumsum(dtype=numbers.dtype).view(dtype)
    np.testing.assert_array_equal(numbers.view(np.uint8), column.view(np.uint8))


def test_texts_are_read_by_the_filters_of_hdf5() -> None:
    texts = np.array([b"one", "二".encode(), b""])
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        dtype = h5py.string_dtype("utf-8", texts.dtype.itemsize)
        data = file.create_dataset("a", (3,), dtype, chunks=(3,), shuffle=True, **hdf5plugin.Zstd())
        data.id.write_direct_chunk((0,), segment_codec.encode_texts(texts, 3))
        assert data[:].tolist() == texts.tolist()


def test_a_flipped_bit_is_damage() -> None:
    column = np.cumsum(np.random.default_rng(1).integers(-99, 99, 500)).astype(np.int32)
    frame = bytearray(segment_codec.encode(column, 500))
    for at in range(len(frame)):
        frame[at] ^= 0x10
        out = np.empty_like(column)
        try:
            segment_codec.decode(bytes(frame), 500, out)
        except ChunkDamaged:
            pass
        else:
            np.testing.assert_array_equal(out, column)
        frame[at] ^= 0x10


def test_a_chunk_of_another_size_is_damage() -> None:
    frame = segment_codec.encode(np.arange(10, dtype=np.int32), 10)
    with pytest.raises(ChunkDamaged, match="40 bytes instead of 44"):
        segment_codec.decode(frame, 11, np.empty(10, np.int32))
