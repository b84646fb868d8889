"""Reads columns of time stamps as clients send them; a bad one is told by its index and costs only itself."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from api import time_text_kernels as kernels
from historian.errors import TimeError
from historian.model import timestamp
from historian.model.sample import TimeColumn

_MS_MIN: Final = timestamp.TIME_MIN_US // 1000
_MS_MAX: Final = timestamp.TIME_MAX_US // 1000
_SHOWN_BITS_MAX: Final = 256
_SHOWN_LENGTH_MAX: Final = 60


class ReadTimes(NamedTuple):
    """Times in µs UTC; `faults` says by index what is wrong with those that could not be read."""

    time_us: TimeColumn
    faults: dict[int, str]


def read_times(entries: Sequence[Any]) -> ReadTimes:
    """RFC 3339 texts with an offset, integer epoch milliseconds, or a mixture."""
    types = set(map(type, entries))
    if types == {int}:
        return _read_integers(entries)
    if types == {str}:
        return _read_texts(entries)
    return _read_each(entries)


def shown(entry: Any) -> str:
    """A client's value as an error quotes it: short, whatever it is."""
    if isinstance(entry, str):
        return repr(entry[:_SHOWN_LENGTH_MAX])
    if isinstance(entry, list | dict):
        return "an array" if isinstance(entry, list) else "an object"
    if isinstance(entry, int) and entry.bit_length() > _SHOWN_BITS_MAX:
        return "a whole number of many digits"  # its text alone would cost more than the whole request
    return repr(entry)


def _read_integers(entries: Sequence[int]) -> ReadTimes:
    try:
        time_ms = np.array(entries, np.int64)
    except OverflowError:
        return _read_each(entries)
    if time_ms.min() < _MS_MIN or time_ms.max() > _MS_MAX:
        return _read_each(entries)
    return ReadTimes(time_ms * 1000, {})


def _read_texts(entries: Sequence[str]) -> ReadTimes:
    joined = "".join(entries)
    if not joined.isascii():  # then characters are not bytes
        return _read_each(entries)
    end = np.cumsum(np.fromiter(map(len, entries), np.int64, len(entries)))
    time_us = np.empty(len(entries), np.int64)
    faults: dict[int, str] = {}
    if kernels.read_times(np.frombuffer(joined.encode(), np.uint8), end, time_us):
        for i in np.flatnonzero(time_us == kernels.UNREAD).tolist():
            time_us[i] = _read_one(entries[i], i, faults)
    return ReadTimes(time_us, faults)


def _read_each(entries: Sequence[Any]) -> ReadTimes:
    faults: dict[int, str] = {}
    times = [_read_one(entry, i, faults) for i, entry in enumerate(entries)]
    return ReadTimes(np.array(times, np.int64), faults)


def _read_one(entry: Any, index: int, faults: dict[int, str]) -> int:
    is_whole = type(entry) is int and _MS_MIN <= entry <= _MS_MAX
    if is_whole or isinstance(entry, str):
        try:
            return timestamp.parse_time_us(str(entry))
        except TimeError as error:
            faults[index] = str(error)
            return 0
    faults[index] = (
        f"time {shown(entry)} is neither RFC 3339 text nor integer epoch milliseconds of years 1 to 9999"
    )
    return 0
