"""Kernel that writes newest samples as JSON rows, without a Python object for a point."""

import numpy as np
import numpy.typing as npt

from api import json_columns_kernels as columns
from api.json_columns_kernels import Bytes
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]

ROW_BYTES_MAX = 256  # beside the part that is the point's own: keys, a time, two numbers, two words

QUALITY_WORDS = 32  # validity and origin, the lowest five bits
NONE_PLACE = QUALITY_WORDS  # of the words of a point without a sample
VALUE_PLACE = QUALITY_WORDS + 1  # of the key of a value
FRESH_PLACE = QUALITY_WORDS + 2
STALE_PLACE = QUALITY_WORDS + 3


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
    its keys, and what else is always the same. Meters that are read together have one time and mostly one quality:
    what of a row depends on these alone is taken from the row before.
    """
    at, start = 0, 0
    known_us, known_quality, head_at, head_end, tail_at, tail_end = columns.NO_TIME_US, -1, 0, 0, 0, 0
    for i in range(len(is_found)):
        if i > 0:
            out[at] = 44
            at += 1
        at = _copy(own, start, own_end[i], out, at)
        start = own_end[i]
        if not is_found[i]:
            at = _copy_word(words, word_end, NONE_PLACE, out, at)
            continue
        is_same = time_us[i] == known_us and quality[i] == known_quality
        age_us = max(0, now_us - time_us[i])
        if is_same:
            at = _copy(out, head_at, head_end, out, at)
        else:
            head_at = at
            at = _write_stamp(time_us[i], is_epoch_ms, out, at)
            head_end = at = _copy_word(words, word_end, VALUE_PLACE, out, at)
        at = columns.write_decimal(value[i], out, at)
        if at < 0:
            return -1
        if is_same:
            at = _copy(out, tail_at, tail_end, out, at)
        else:
            tail_at = at
            at = _copy_word(words, word_end, int(quality[i]) & (QUALITY_WORDS - 1), out, at)
            tail_end = at = columns.write_decimal(age_us / 1_000_000, out, at)
            if at < 0:
                return -1
            known_us, known_quality = time_us[i], int(quality[i])
        is_stale = age_us > stale_after_us[i]
        at = _copy_word(words, word_end, STALE_PLACE if is_stale else FRESH_PLACE, out, at)
    return at


@njit(cache=True, nogil=True)
def _write_stamp(time_us: int, is_epoch_ms: bool, out: Bytes, at: int) -> int:
    """A time as JSON."""
    if is_epoch_ms:
        return columns.write_whole(time_us // 1000, out, at)
    out[at] = 34
    at = columns.write_time(time_us, out, at + 1)
    out[at] = 90
    out[at + 1] = 34
    return at + 2


@njit(cache=True, nogil=True)
def _copy_word(words: Bytes, word_end: I64, place: int, out: Bytes, at: int) -> int:
    start = word_end[place - 1] if place > 0 else 0
    return _copy(words, start, word_end[place], out, at)


@njit(cache=True, nogil=True)
def _copy(source: Bytes, start: int, end: int, out: Bytes, at: int) -> int:
    """Places without a sign count from the begin only, so that many bytes can be moved at once."""
    size, first, target = np.uint64(end - start), np.uint64(start), np.uint64(at)
    for i in range(size):
        out[target + np.uint64(i)] = source[first + np.uint64(i)]
    return at + end - start
