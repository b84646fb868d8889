"""Kernels that write rows as JSON objects out of columns of JSON text."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

_COMMA = 44
_QUOTE = 34
_BACKSLASH = 92
_NULL = (110, 117, 108, 108)


@njit(cache=True, nogil=True)
def weave(
    keys: Bytes, key_at: I64, text: Bytes, text_at: I64, absent: Bytes, can_skip: Bytes, row_count: int, out: Bytes
) -> int:  # fmt: skip
    """Write one object a row, each ended by a comma; returns the bytes written.

    Column c has the key ``keys[key_at[c] : key_at[c + 1]]``, which holds all that stands before its value, and the
    values ``text[text_at[c] : …]``, one for each row, comma-separated. Where ``absent[c, row]`` the value is null,
    or with `can_skip` neither key nor value is written. The last key stands after the last value.
    """
    column_count = len(can_skip)
    cursor = text_at[:column_count].copy()
    at = 0
    for row in range(row_count):
        for c in range(column_count):
            begin = cursor[c]
            end, is_quoted = begin, False
            while is_quoted or (text[end] != _COMMA and end < text_at[c + 1]):
                if text[end] == _BACKSLASH:
                    end += 1
                elif text[end] == _QUOTE:
                    is_quoted = not is_quoted
                end += 1
            cursor[c] = end + 1
            if absent[c, row] and can_skip[c]:
                continue
            for i in range(key_at[c], key_at[c + 1]):
                out[at] = keys[i]
                at += 1
            if absent[c, row]:
                for one in _NULL:
                    out[at] = one
                    at += 1
            else:
                for i in range(begin, end):
                    out[at] = text[i]
                    at += 1
        for i in range(key_at[column_count], key_at[column_count + 1]):
            out[at] = keys[i]
            at += 1
        out[at] = _COMMA
        at += 1
    return at


@njit(cache=True, nogil=True)
def digest(words: npt.NDArray[np.uint64]) -> tuple[int, int]:
    """Two numbers that tell columns apart: one changed word always changes both."""
    # Four of each go side by side: the processor multiplies while it waits for the product before.
    one = np.arange(1, 5).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    other = np.arange(1, 5).astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    one_factor, other_factor = np.uint64(0x100000001B3), np.uint64(0xD6E8FEB86659FD93)
    whole = len(words) // 4
    for i in range(whole):
        for lane in range(4):
            word = words[4 * i + lane]
            one[lane] = (one[lane] ^ word) * one_factor
            one[lane] ^= one[lane] >> np.uint64(29)
            other[lane] = (other[lane] ^ word) * other_factor
            other[lane] ^= other[lane] >> np.uint64(32)
    first, second = one[0], other[0]
    for lane in range(1, 4):
        first = (first ^ one[lane]) * one_factor
        first ^= first >> np.uint64(29)
        second = (second ^ other[lane]) * other_factor
        second ^= second >> np.uint64(32)
    for i in range(4 * whole, len(words)):
        first = (first ^ words[i]) * one_factor
        first ^= first >> np.uint64(29)
        second = (second ^ words[i]) * other_factor
        second ^= second >> np.uint64(32)
    result: tuple[int, int] = first, second
    return result
