"""Kernels that read text eight bytes at a time: is it what was expected, and which number stands there.

`words` are the bytes of a text as little-endian u64, as many as are whole. Places are byte offsets. A word is
read only where `WORD_ROOM` bytes of text follow, so that both aligned words it lies in exist.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

WORD_ROOM: Final = 16

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
def load_word(words: Words, at: int) -> np.uint64:
    """The eight bytes from `at`, the first of them lowest."""
    place = np.uint64(at)
    index = place >> _3
    shift = (place & _7) << _3
    return np.uint64((words[index] >> shift) | ((words[index + _ONE] << _ONE) << (_63 - shift)))


@njit(cache=True, nogil=True)
def is_same(left: Words, left_at: int, right: Words, right_at: int, size: int) -> bool:
    """Whether `size` bytes are equal; on both sides there is room for a word behind them."""
    done = 0
    while done + 8 <= size:
        if load_word(left, left_at + done) != load_word(right, right_at + done):
            return False
        done += 8
    rest = (_ONE << np.uint64(8 * (size - done))) - _ONE
    return bool((load_word(left, left_at + done) ^ load_word(right, right_at + done)) & rest == _NONE)


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
    """How many bits lie in the bytes below the lowest marked one; something is marked."""
    below = ((marks - _ONE) & ~marks) & _ONES  # one bit in each of these bytes and in the marked one
    below += below >> _32
    below += below >> _16
    below += below >> _8
    return np.uint64(((below & _BYTE) - _ONE) << _3)


@njit(cache=True, nogil=True)
def _digits_value(values: np.uint64) -> int:
    """The lowest byte is the first digit; neighbours are joined to pairs, fours and eight."""
    pairs = (values * _10 + (values >> _8)) & _PAIRS
    quads = (pairs * _100 + (pairs >> _16)) & _QUADS
    return int(np.int64((quads * _10_000 + (quads >> _32)) & _HALF))
