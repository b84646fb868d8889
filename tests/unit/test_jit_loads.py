"""What the processor does in one step is what Python says in many."""

import numpy as np
import numpy.typing as npt
import pytest

from historian.jit_kernels import njit
from historian.jit_loads import load_u64, zeros_below


@njit(cache=True, nogil=True)
def loaded(column: npt.NDArray[np.uint8], place: int) -> np.uint64:
    return load_u64(column, place)


@njit(cache=True, nogil=True)
def below(word: np.uint64) -> np.uint64:
    return zeros_below(word)


@pytest.mark.parametrize("is_writable", [False, True])
def test_eight_bytes_are_loaded_from_any_place(is_writable: bool) -> None:
    content = bytes(range(3, 63))
    column = np.frombuffer(bytearray(content) if is_writable else content, np.uint8)
    for place in range(len(content) - 7):
        assert int(loaded(column, place)) == int.from_bytes(content[place : place + 8], "little")


def test_a_part_of_a_column_is_read_from_its_begin() -> None:
    column = np.frombuffer(bytes(range(40)), np.uint8)[5:]
    assert int(loaded(column, 1)) == int.from_bytes(bytes(range(6, 14)), "little")


@pytest.mark.parametrize("bit", [0, 1, 7, 8, 31, 32, 62, 63])
def test_zeros_below_the_lowest_bit_are_counted(bit: int) -> None:
    assert below(np.uint64(1 << bit)) == bit
    assert below(np.uint64((1 << bit) | (1 << 63))) == bit
