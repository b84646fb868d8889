"""Columns as JSON text: times, values and words of a reply, with no Python object for a sample."""

import datetime
import zoneinfo
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from api import json_columns_kernels as kernels
from historian.model import quality as q
from historian.model.point import DAY_US, MINUTE_US
from historian.model.sample import QualityColumn, TimeColumn, ValueColumn
from historian.model.timestamp import EPOCH

_NO_OFFSETS: Final = np.empty(0, np.int64)
_WORDS_KEPT_MAX: Final = 16
_BETWEEN_BYTES: Final = len('[],"values":[]')
ORIGIN_WORDS: Final = (*q.ORIGIN_NAMES, "unknown", "unknown")


def encode_times(time_us: TimeColumn, zone: zoneinfo.ZoneInfo | None = None) -> msgspec.Raw:
    """``["2018-01-01T00:15:00Z",…]``, or with the offset of `zone`."""
    out = np.empty(kernels.TIME_BYTES_MAX * len(time_us) + 2, np.uint8)
    column = _for_kernels(time_us, np.int64)
    if zone is None:
        size = kernels.write_times(column, _NO_OFFSETS, True, out[1:])
    else:
        size = kernels.write_times(column, offsets_min(column, zone), False, out[1:])
    return _in_brackets(out, size)


def encode_epoch_ms(time_us: TimeColumn) -> msgspec.Raw:
    """``[1514765700000,…]``: whole milliseconds since 1970, cut downwards."""
    out = np.empty(kernels.WHOLE_BYTES_MAX * len(time_us) + 2, np.uint8)
    return _in_brackets(out, kernels.write_whole_ms(_for_kernels(time_us, np.int64), out[1:]))


def encode_values(value: ValueColumn) -> msgspec.Raw:
    """``[3.17,null,…]``: the shortest text that reads back to the same bits; NaN, a gap, is null."""
    column = _for_kernels(value, np.float64)
    out = np.empty(kernels.DECIMAL_BYTES_MAX * len(column) + 2, np.uint8)
    size = kernels.write_decimals(column, out[1:])
    if size < 0:
        return msgspec.Raw(msgspec.json.encode(column.tolist()))  # NaN becomes null here too
    return _in_brackets(out, size)


def encode_samples(time_us: TimeColumn, value: ValueColumn, is_epoch_ms: bool) -> bytes | None:
    """``[1514765700000,…],"values":[3.17,…]`` by one kernel; None where some value needs the general way."""
    count = len(value)
    out = np.empty((kernels.TIME_BYTES_MAX + kernels.DECIMAL_BYTES_MAX) * count + _BETWEEN_BYTES, np.uint8)
    out[0] = 91
    columns = _for_kernels(time_us, np.int64), _for_kernels(value, np.float64)
    size = kernels.write_samples(*columns, is_epoch_ms, out[1:])
    if size < 0:
        return None
    out[size + 1] = 93
    return out[: size + 2].tobytes()


def encode_validity(quality: QualityColumn) -> msgspec.Raw:
    """``["good","suspect",…]``."""
    if not np.count_nonzero(quality):  # the everyday case
        return _repeated(b'"good"', len(quality))
    return encode_words(quality & q.VALIDITY_MASK, q.VALIDITY_NAMES)


def encode_origin(quality: QualityColumn) -> msgspec.Raw:
    """``["measured","estimated",…]``."""
    if not np.count_nonzero(quality):
        return _repeated(b'"measured"', len(quality))
    return encode_words((quality & q.ORIGIN_MASK) >> q.ORIGIN_SHIFT, ORIGIN_WORDS)


def encode_full_quality(quality: QualityColumn) -> msgspec.Raw:
    """``[{"validity":"good","origin":"measured","flags":[],"bits":0},…]``."""
    distinct, code = np.unique(quality, return_inverse=True)
    texts = [msgspec.json.encode(describe_quality(int(bits))) for bits in distinct]
    return _join(texts, code)


def encode_words(code: npt.NDArray[np.integer], words: Sequence[str]) -> msgspec.Raw:
    """The word of each code."""
    return _join(_encoded(tuple(words)), code)


@lru_cache(_WORDS_KEPT_MAX)
def _encoded(words: tuple[str, ...]) -> list[bytes]:
    return [msgspec.json.encode(word) for word in words]


def describe_quality(bits: int) -> dict[str, object]:
    """One quality in full, as ``quality=full`` shows it."""
    return {
        "validity": q.validity_name(bits),
        "origin": q.origin_name(bits),
        "flags": q.flag_names(bits),
        "bits": bits,
    }


def offsets_min(time_us: TimeColumn, zone: zoneinfo.ZoneInfo) -> npt.NDArray[np.int64]:
    """The zone's offset from UTC at each time, in whole minutes towards zero.

    A UTC day whose two ends have one offset has it throughout: no zone changes twice in a day.
    """
    days, day_index = np.unique(time_us // DAY_US, return_inverse=True)
    first = np.array([_offset_min(int(day) * DAY_US, zone) for day in days], np.int64)
    last = np.array([_offset_min(int(day + 1) * DAY_US - 1, zone) for day in days], np.int64)
    offsets: npt.NDArray[np.int64] = first[day_index]
    for i in np.flatnonzero((first != last)[day_index]):
        offsets[i] = _offset_min(int(time_us[i]), zone)
    return offsets


def _offset_min(time_us: int, zone: zoneinfo.ZoneInfo) -> int:
    offset = (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone).utcoffset()
    assert offset is not None, "an aware time has an offset"
    return int(offset / datetime.timedelta(microseconds=MINUTE_US))


def _for_kernels(column: npt.NDArray[Any], type_: type[np.generic]) -> npt.NDArray[Any]:
    """The column in one piece and writable: anything else is another type, for which kernels are compiled anew."""
    flags = column.flags
    if flags.c_contiguous and flags.writeable and column.dtype == type_:
        return column
    return np.require(column, type_, ("C", "W"))


def _join(texts: list[bytes], code: npt.NDArray[np.integer]) -> msgspec.Raw:
    if len(code) == 0:
        return msgspec.Raw(b"[]")
    if (code == code[0]).all():  # the everyday case: all good, all measured
        return _repeated(texts[code[0]], len(code))
    table = np.array(texts, dtype=object)
    return msgspec.Raw(b"[" + b",".join(table[code].tolist()) + b"]")


def _repeated(text: bytes, count: int) -> msgspec.Raw:
    return msgspec.Raw(b"[" + (text + b",") * (count - 1) + text + b"]" if count else b"[]")


def _in_brackets(out: npt.NDArray[np.uint8], size: int) -> msgspec.Raw:
    out[0] = 91
    out[size + 1] = 93
    return msgspec.Raw(out[: size + 2].tobytes())
