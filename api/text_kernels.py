"""Kernels that read text eight bytes at a time: is it what was expected, and which number stands there.

Places are byte offsets. Callers see to it that the text goes on for `WORD_ROOM` bytes where a word is read.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.jit_loads import load_u64, zeros_below

Bytes = npt.NDArray[np.uint8]

WORD_ROOM: Final = 16
WORD_BYTES: Final = 8

_ZEROS: Final = np.uint64(0x3030303030303030)
_LOW_BITS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_ABOVE_NINE: Final = np.uint64(0x7676767676767676)  # 10 + 0x76 sets the top bit, 9 + 0x76 does not
_TOP_BITS: Final = np.uint64(0x8080808080808080)
_ONES: Final = np.uint64(0x0101010101010101)
_PAIRS: Final = np.uint64(0x00FF00FF00FF00FF)
_QUADS: Final = np.uint64(0x0000FFFF0000FFFF)
_HALF: Final = np.uint64(0xFFFFFFFF)
_BYTE: Final = np.uint64(0xFF)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_POINT: Final = np.uint64(46)
_ZERO: Final = np.uint64(48)
_NONE: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_3: Final = np.uint64(3)
_7: Final = np.uint64(7)
_8: Final = np.uint64(8)
_10: Final = np.uint64(10)
_16: Final = np.uint64(16)
_32: Final = np.uint64(32)
_63: Final = np.uint64(63)
_64: Final = np.uint64(64)
_100: Final = np.uint64(100)
_10_000: Final = np.uint64(10_000)


@njit(cache=True, nogil=True)
def load_word(body: Bytes, at: int | np.uint64) -> np.uint64:
    """The eight bytes from `at`, the first of them lowest."""
    return load_u64(body, at)


@njit(cache=True, nogil=True)
def is_same(left: Bytes, left_at: int, right: Bytes, right_at: int, size: int) -> bool:
    """Whether `size` bytes are equal; on both sides a word may be read from their begin."""
    if size < 8:
        rest = (_ONE << np.uint64(8 * size)) - _ONE
        return bool((load_word(left, left_at) ^ load_word(right, right_at)) & rest == _NONE)
    done = 0
    while done + 8 < size:
        if load_word(left, left_at + done) != load_word(right, right_at + done):
            return False
        done += 8
    last = size - 8
    return bool(load_word(left, left_at + last) == load_word(right, right_at + last))


@njit(cache=True, nogil=True)
def has_difference(
    left: Bytes, left_at: np.uint64, right: Bytes, right_at: np.uint64, size: np.uint64
) -> bool:
    """Whether any of `size` bytes, a word or more, differs. Looks at all: what is expected mostly comes."""
    last = size - _8
    difference = load_word(left, left_at + last) ^ load_word(right, right_at + last)
    done = _NONE
    while done < last:
        difference |= load_word(left, left_at + done) ^ load_word(right, right_at + done)
        done += _8
    return bool(difference != _NONE)


@njit(cache=True, nogil=True)
def eight_digits(word: np.uint64) -> int:
    """The number whose digits (0 to 9, not their signs) are the bytes of `word`; -1 where one is no digit."""
    if _non_digits(word) != _NONE:
        return -1
    return _digits_value(word)


@njit(cache=True, nogil=True)
def digit_values(word: np.uint64) -> np.uint64:
    """The signs 0 to 9 as their values; whatever else stays more than 9."""
    return np.uint64(word ^ _ZEROS)


@njit(cache=True, nogil=True)
def read_short_number(word: np.uint64) -> tuple[int, int, int, int, int]:
    """Digits with or without a point in between, and the byte that ends them, all within the word's eight bytes.

    As (the digits as one number, how many stand before the point, how many after it or -1 where there is no
    point, the size of all, the byte behind them). The size is 0 where there is no digit, or no end in the word.
    """
    values = digit_values(word)
    marks = _non_digits(values)
    if marks == _NONE:
        return 0, 0, -1, 0, 0
    whole_bits = _bits_below(marks)
    digits, digit_bits, end_bits = values, whole_bits, whole_bits
    decimal_count = -1
    if (values >> whole_bits) & _BYTE == _POINT ^ _ZERO:
        marks &= marks - _ONE
        if marks == _NONE:
            return 0, 0, -1, 0, 0
        end_bits = _bits_below(marks)
        digit_bits = end_bits - _8
        before = (_ONE << whole_bits) - _ONE
        digits = (values & before) | ((values >> _8) & ~before)
        decimal_count = int(np.int64((digit_bits - whole_bits) >> _3))
    if digit_bits == _NONE:
        return 0, 0, -1, 0, 0
    number = _digits_value(digits << (_64 - digit_bits))
    mark = ((values >> end_bits) & _BYTE) ^ _ZERO
    size = int(np.int64(end_bits >> _3))
    return number, int(np.int64(whole_bits >> _3)), decimal_count, size, int(np.int64(mark))


@njit(cache=True, nogil=True)
def count_byte(body: Bytes, mark: int) -> int:
    """How often a byte occurs."""
    count = 0
    for i in range(len(body)):
        count += body[i] == mark
    return count


@njit(cache=True, nogil=True)
def _non_digits(values: np.uint64) -> np.uint64:
    """The top bit of every byte above 9."""
    return np.uint64((((values & _LOW_BITS) + _ABOVE_NINE) | values) & _TOP_BITS)


@njit(cache=True, nogil=True)
def _bits_below(marks: np.uint64) -> np.uint64:
    """How many bits lie in the bytes below the lowest marked one, by its top bit; something is marked."""
    return np.uint64(zeros_below(marks) - _7)


@njit(cache=True, nogil=True)
def _digits_value(values: np.uint64) -> int:
    """The lowest byte is the first digit; neighbours are joined to pairs, fours and eight."""
    pairs = (values * _10 + (values >> _8)) & _PAIRS
    quads = (pairs * _100 + (pairs >> _16)) & _QUADS
    return int(np.int64((quads * _10_000 + (quads >> _32)) & _HALF))
