"""Writes samples as text, fast enough that making bodies is not what a benchmark waits for."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

NUMBER_BYTES_MAX = 24


@njit(cache=True, nogil=True)
def _write_integer(out: Bytes, at: int, number: int) -> int:
    if number < 0:
        out[at] = 45
        return _write_integer(out, at + 1, -number)
    width, rest = 1, number // 10
    while rest > 0:
        width += 1
        rest //= 10
    for i in range(width - 1, -1, -1):
        out[at + i] = 48 + number % 10
        number //= 10
    return at + width


@njit(cache=True, nogil=True)
def _write_thousandths(out: Bytes, at: int, value: float) -> int:
    """The shortest text of a value of up to three decimals, as Python writes it: ``1.25``, ``2.0``."""
    scaled = int(np.rint(value * 1000.0))
    if scaled < 0:
        out[at] = 45
        at += 1
        scaled = -scaled
    at = _write_integer(out, at, scaled // 1000)
    out[at] = 46
    rest = scaled % 1000
    out[at + 1] = 48 + rest // 100
    at += 2
    if rest % 100:
        out[at] = 48 + rest // 10 % 10
        at += 1
    if rest % 10:
        out[at] = 48 + rest % 10
        at += 1
    return at


@njit(cache=True, nogil=True)
def _write_bytes(out: Bytes, at: int, text: Bytes) -> int:
    for i in range(len(text)):
        out[at + i] = text[i]
    return at + len(text)


@njit(cache=True, nogil=True)
def write_lines(out: Bytes, key: Bytes, key_offset: I64, series: I64, value: F64, stamp: Bytes) -> int:
    """``key value stamp`` with a line end for each row; row i has the key of ``series[i]``. Gives the length."""
    at = 0
    for i in range(len(series)):
        at = _write_bytes(out, at, key[key_offset[series[i]] : key_offset[series[i] + 1]])
        at = _write_thousandths(out, at, value[i])
        out[at] = 32
        at = _write_bytes(out, at + 1, stamp)
        out[at] = 10
        at += 1
    return at


@njit(cache=True, nogil=True)
def write_integers(out: Bytes, at: int, number: I64) -> int:
    """Numbers with commas between; gives where they end."""
    for i in range(len(number)):
        at = _write_integer(out, at, number[i])
        out[at] = 44
        at += 1
    return at - min(1, len(number))


@njit(cache=True, nogil=True)
def write_decimals(out: Bytes, at: int, value: F64) -> int:
    """Values of up to three decimals with commas between; gives where they end."""
    for i in range(len(value)):
        at = _write_thousandths(out, at, value[i])
        out[at] = 44
        at += 1
    return at - min(1, len(value))
