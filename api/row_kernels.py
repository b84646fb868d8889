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
def split(text: Bytes, start: int, begin: I64, end: I64) -> None:
    """Where each of comma-separated JSON texts lies, from `start` on."""
    at = start
    for i in range(len(begin)):
        begin[i] = at
        is_quoted = False
        while at < len(text) and (is_quoted or text[at] != _COMMA):
            if text[at] == _BACKSLASH:
                at += 1
            elif text[at] == _QUOTE:
                is_quoted = not is_quoted
            at += 1
        end[i] = at
        at += 1


@njit(cache=True, nogil=True)
def weave(
    keys: Bytes, key_at: I64, kept: Bytes, text: Bytes, is_kept: Bytes, begin: I64, end: I64, absent: Bytes,
    can_skip: Bytes, out: Bytes,
) -> int:  # fmt: skip
    """Write one object a row, each ended by a comma; returns the bytes written.

    Column c has the key ``keys[key_at[c] : key_at[c + 1]]``, which holds all that stands before its value, and in
    each row the value ``[begin[c, row], end[c, row])`` of `kept` or of `text`. Where ``absent[c, row]`` the value
    is null, or with `can_skip` neither key nor value is written. The last key stands after the last value.
    """
    column_count, row_count = begin.shape
    at = np.uintp(0)  # unsigned: no look whether a place counts from the end
    for row in range(row_count):
        for c in range(column_count):
            if absent[c, row] and can_skip[c]:
                continue
            first = np.uintp(key_at[c])
            for i in range(np.uintp(key_at[c + 1]) - first):
                out[at + i] = keys[first + i]
            at += np.uintp(key_at[c + 1]) - first
            if absent[c, row]:
                for one in _NULL:
                    out[at] = one
                    at += np.uintp(1)
                continue
            first = np.uintp(begin[c, row])
            size = np.uintp(end[c, row]) - first
            if is_kept[c]:
                for i in range(size):
                    out[at + i] = kept[first + i]
            else:
                for i in range(size):
                    out[at + i] = text[first + i]
            at += size
        first = np.uintp(key_at[column_count])
        for i in range(np.uintp(key_at[column_count + 1]) - first):
            out[at + i] = keys[first + i]
        at += np.uintp(key_at[column_count + 1]) - first
        out[at] = _COMMA
        at += np.uintp(1)
    return int(at)


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
