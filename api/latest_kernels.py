"""Kernel that writes newest samples as JSON rows, without a Python object for a point."""

import numpy as np
import numpy.typing as npt
from numba import njit

from api import json_columns_kernels as columns
from api.json_columns_kernels import Bytes

I64 = npt.NDArray[np.int64]

ROW_BYTES_MAX = 256  # beside the part that is the point's own: keys, a time, two numbers, two words

_VALIDITY_MASK = 0b11
_ORIGIN_MASK = 0b111
_ORIGIN_SHIFT = 2
_ORIGIN_PLACE = 4  # of the origins among the words: behind the validities
_MISSING_PLACE = 12  # of the words of a point without a sample


@njit(cache=True, nogil=True)
def write_rows(
    own: Bytes,
    own_end: I64,
    words: Bytes,
    word_end: I64,
    is_found: npt.NDArray[np.bool_],
    time_us: I64,
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint16],
    stale_after_us: I64,
    now_us: int,
    is_epoch_ms: bool,
    out: Bytes,
) -> int:
    """Rows with commas between them; the bytes written, or -1 where some number needs the general way.

    `own` has what is the same in every answer of a point, from its bracket on; `words` what a quality says, with
    its keys: validities, origins, and what stands for a point without a sample.
    """
    at, start = 0, 0
    for i in range(len(is_found)):
        if i > 0:
            out[at] = 44
            at += 1
        at = _copy(own, start, own_end[i], out, at)
        start = own_end[i]
        if not is_found[i]:
            at = _copy_word(words, word_end, _MISSING_PLACE, out, at)
            continue
        if is_epoch_ms:
            at = columns.write_whole(time_us[i] // 1000, out, at)
        else:
            out[at] = 34
            at = columns.write_time(time_us[i], out, at + 1)
            out[at] = 90
            out[at + 1] = 34
            at += 2
        at = _copy_word(words, word_end, _MISSING_PLACE + 1, out, at)  # ,"value":
        at = columns.write_decimal(value[i], out, at)
        if at < 0:
            return -1
        at = _copy_word(words, word_end, quality[i] & _VALIDITY_MASK, out, at)
        at = _copy_word(
            words, word_end, _ORIGIN_PLACE + ((quality[i] >> _ORIGIN_SHIFT) & _ORIGIN_MASK), out, at
        )
        age_us = max(0, now_us - time_us[i])
        at = columns.write_decimal(age_us / 1_000_000, out, at)
        if at < 0:
            return -1
        is_stale = age_us > stale_after_us[i]
        at = _copy_word(words, word_end, _MISSING_PLACE + (3 if is_stale else 2), out, at)
    return at


@njit(cache=True, nogil=True)
def _copy_word(words: Bytes, word_end: I64, place: int, out: Bytes, at: int) -> int:
    start = word_end[place - 1] if place > 0 else 0
    return _copy(words, start, word_end[place], out, at)


@njit(cache=True, nogil=True)
def _copy(source: Bytes, start: int, end: int, out: Bytes, at: int) -> int:
    for place in range(start, end):
        out[at + place - start] = source[place]
    return at + end - start
