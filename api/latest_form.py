"""Newest samples of many points as JSON or Arrow columns; what is the points' own is worked out once."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from api import formats, latest_kernels
from api.formats import Column, Table
from api.sample_form import SampleForm, stored_label
from historian.model import quality as q
from historian.model.point import SECOND_US, Point
from historian.model.sample import LastBlock
from historian.query.latest import stale_after_us

_FOR_KERNELS: Final = ("C", "W")
_OWN_COLUMN_COUNT: Final = 3  # point, station, unit

# By the places that `latest_kernels` knows: 32 qualities, no sample, the key of a value, not stale, stale.
_WORDS: Final = (
    *(
        f',"quality":"{q.validity_name(bits)}","origin":"{q.origin_name(bits)}","age_s":'
        for bits in range(latest_kernels.QUALITY_WORDS)
    ),
    'null,"value":null,"quality":"missing","origin":"measured","age_s":null,"is_stale":true}',
    ',"value":',
    ',"is_stale":false}',
    ',"is_stale":true}',
)


class LatestForm:
    """The points of a question that is asked again and again, in the order asked."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self.stale_after_us = np.array([stale_after_us(point) for point in points], np.int64)

    def encode_rows(self, found: LastBlock, now_us: int, is_epoch_ms: bool) -> bytes | None:
        """``[{"point":…},…]``; None where some number needs the general way."""
        return self.encode_reply(b"", found, now_us, is_epoch_ms, b"")

    def encode_reply(
        self, before: bytes, found: LastBlock, now_us: int, is_epoch_ms: bool, after: bytes
    ) -> bytes | None:
        """As `encode_rows`, between two texts: rows of many points are copied once."""
        own, own_end = self._own
        words, word_end = _WORD_TEXT
        is_found, time_us, value, quality = _for_kernels(found)
        begin, end = np.frombuffer(before + b"[", np.uint8), np.frombuffer(b"]" + after, np.uint8)
        room = len(own) + latest_kernels.ROW_BYTES_MAX * len(self._points)
        out = np.empty(len(begin) + room + len(end), np.uint8)
        size = latest_kernels.write_rows(
            own, own_end, words, word_end, is_found, time_us, value, quality, self.stale_after_us, now_us,
            is_epoch_ms, out[len(begin) :],
        )  # fmt: skip
        if size < 0:
            return None
        size += len(begin)
        out[: len(begin)] = begin
        out[size : size + len(end)] = end
        return out[: size + len(end)].tobytes()

    def encode_arrow(self, found: LastBlock, now_us: int) -> bytes | None:
        """As `table_of`; None where something is null, or a value is to be converted."""
        if not len(self._points) or not found.is_found.all() or np.isnan(found.value).any():
            return None
        from api import arrow_frame  # loads pyarrow, which not everybody needs

        age_us = now_us - found.time_us
        is_stale = np.packbits(age_us > self.stale_after_us, bitorder="little")
        age_s = np.maximum(0, age_us) / SECOND_US
        before, own = self._frame
        columns = (*own, found.time_us, found.value, found.quality, age_s, is_stale)
        return arrow_frame.joined((before,), map(np.ascontiguousarray, columns))

    def table_of(self, found: LastBlock, now_us: int, form: SampleForm) -> Table:
        """For Arrow: quality as its bits, times and numbers as they are."""
        time = formats.times("time", found.time_us)
        age_s = np.where(found.is_found, np.maximum(0, now_us - found.time_us) / SECOND_US, np.nan)
        is_stale = ~found.is_found | (now_us - found.time_us > self.stale_after_us)
        quality = np.where(found.is_found, found.quality, q.MISSING).astype(np.uint16)
        value = np.where(found.is_found, self._converted(found.value, form), np.nan)
        units, unit_code = self._units
        columns = (
            *self._own_columns,
            _words("unit", [form.unit_of(own) for own in units], unit_code),
            time._replace(typed=formats.Times(found.time_us, is_known=found.is_found)),
            formats.values("value", value),
            formats.numbers("quality", quality),
            formats.values("age_s", age_s),
            formats.numbers("is_stale", is_stale),
        )
        return Table(columns, len(self._points))

    @cached_property
    def _own(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """What every answer of a point begins with, one behind the other, and where each ends."""
        texts = [
            msgspec.json.encode(
                {
                    "point": point.name,
                    "station": point.station,
                    "unit": point.unit,
                    "label": stored_label(point).value,
                }
            )[:-1]
            + b',"time":'
            for point in self._points
        ]
        return _joined(texts)

    @cached_property
    def _own_columns(self) -> tuple[Column, Column]:
        """Names and stations, as Arrow arrays already."""
        from api import arrow_table  # loads pyarrow, which not everybody needs

        names = _words("point", [point.name for point in self._points], np.arange(len(self._points)))
        stations = _words("station", *_coded([point.station for point in self._points]))
        return arrow_table.ready(names), arrow_table.ready(stations)

    @cached_property
    def _frame(self) -> tuple[bytes, list[npt.NDArray[np.signedinteger[Any]]]]:
        """What stands before the columns of an Arrow stream without nulls, and its first columns."""
        from api import arrow_frame, arrow_table

        count = len(self._points)
        zero = np.zeros(count, np.int64)
        found = LastBlock(np.ones(count, np.bool_), zero, np.zeros(count), np.zeros(count, np.uint16))
        columns = self.table_of(found, 0, SampleForm.own()).columns
        arrays = [arrow_table.array_of(column.typed) for column in columns if column.typed is not None]
        before = arrow_frame.before_columns([column.name for column in columns], arrays, {})
        return before, [np.asarray(array.indices) for array in arrays[:_OWN_COLUMN_COUNT]]

    @cached_property
    def _units(self) -> tuple[list[str], npt.NDArray[np.int64]]:
        return _coded([point.unit for point in self._points])

    def _converted(self, value: npt.NDArray[np.float64], form: SampleForm) -> npt.NDArray[np.float64]:
        if not form.unit:
            return value
        units, code = self._units
        converted = value.copy()
        for place, own in enumerate(units):
            converted[code == place] = form.convert(value[code == place], own)
        return converted


def _coded(words: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Different words, and of each word its place among them."""
    places: dict[str, int] = {}
    code = np.array([places.setdefault(word, len(places)) for word in words], np.int64)
    return list(places), code


def _words(name: str, vocabulary: Sequence[str], code: npt.NDArray[np.int64]) -> Column:
    return formats.words(name, code, vocabulary)


def _joined(texts: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    text = np.frombuffer(bytearray(b"".join(texts)), np.uint8)
    return text, np.cumsum([len(one) for one in texts], dtype=np.int64)


def _for_kernels(found: LastBlock) -> LastBlock:
    """In one piece and writable: any other array is another type, for which kernels are compiled anew."""
    return LastBlock(
        np.require(found.is_found, np.bool_, _FOR_KERNELS),
        np.require(found.time_us, np.int64, _FOR_KERNELS),
        np.require(found.value, np.float64, _FOR_KERNELS),
        np.require(found.quality, np.uint16, _FOR_KERNELS),
    )


_WORD_TEXT: Final = _joined([word.encode() for word in _WORDS])
