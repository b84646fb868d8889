"""Turns series of a JSON body into samples, element by element only where the columns are not plain."""

import math
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, Final, NamedTuple

import numpy as np

from api import time_text
from api.intake import IndexColumn, Intake, Places
from api.json_series import SeriesColumns
from api.reach import Points
from api.schemas import IngestSeries
from api.stored_offset import StoredOffsets
from historian.errors import PointNotFound
from historian.model import quality as q
from historian.model.point import Point
from historian.model.sample import QualityColumn, SampleBatch, ValueColumn

QUALITY_BITS_MAX: Final = 0xFFFF
NOT_A_QUALITY: Final = -1

Faults = dict[int, tuple[str, str]]  # by index: code and detail

_QUALITY_WORDS: Final[dict[str, int]] = {
    **{name: code for code, name in enumerate(q.VALIDITY_NAMES)},
    **{name: code << q.ORIGIN_SHIFT for code, name in enumerate(q.ORIGIN_NAMES)},
    **{name: bit for bit, name in q.FLAG_NAMES.items()},
}


class _Taken(NamedTuple):
    """A series whose point is known and whose columns have one length."""

    series: int
    entry: IngestSeries
    point: Point


def take_series(intake: Intake, series: Sequence[IngestSeries], directory: Points) -> None:
    """Put the samples of every series into the intake; what is wrong with one costs only that one."""
    taken: list[_Taken] = []
    for index, entry in enumerate(series):
        count = max(len(entry.times), len(entry.values))
        try:
            point = directory.get(str(entry.point))
        except PointNotFound as error:
            intake.refuse("unknown_point", str(error), series=index, count=count)
            continue
        fault = _series_fault(entry, point)
        if fault is None:
            taken.append(_Taken(index, entry, point))
        else:
            intake.refuse(*fault, series=index, count=count)
    _take_columns(intake, taken)


def take_columns(intake: Intake, columns: SeriesColumns, registry: Points, offsets: StoredOffsets) -> None:
    """As `take_series` for series that were read into columns already."""
    ids = registry.find_ids(columns.names)
    for index in np.flatnonzero(ids == 0).tolist():
        try:
            ids[index] = registry.get(columns.names[index]).id  # an id in words
        except PointNotFound as error:
            intake.refuse("unknown_point", str(error), series=index, count=int(columns.counts[index]))
    offsets_us = offsets.of(ids)
    point_id, time_us = np.repeat(ids, columns.counts), columns.time_us
    if offsets_us is not None:
        time_us = time_us + np.repeat(offsets_us, columns.counts)
    batch = SampleBatch(point_id, time_us, columns.value, np.zeros(len(point_id), np.uint16))
    if ids.all():
        intake.add_whole(batch, lambda: Places(*_places(columns.counts)))
        return
    kept = point_id != 0
    place, series = _places(columns.counts)
    intake.add(batch.take(kept), place[kept], series[kept])


def read_quality(entries: Sequence[Any]) -> tuple[QualityColumn, Faults]:
    """Quality bits from words (``good``, ``suspect+estimated``) or u16 numbers; null means good."""
    faults: Faults = {}
    known: dict[str | int, int] = {}
    bits = np.zeros(len(entries), np.uint16)
    for i, entry in enumerate(entries):
        if type(entry) is str or type(entry) is int:
            code = known.get(entry)
            if code is None:
                code = known[entry] = _quality_bits(entry)
        else:
            code = q.GOOD if entry is None else NOT_A_QUALITY
        if code == NOT_A_QUALITY:
            detail = f"quality {time_text.shown(entry)} is not a word such as good or suspect+estimated, nor a number to 65535"
            faults[i] = ("bad_quality", detail)
        else:
            bits[i] = code
    return bits, faults


def read_values(entries: Sequence[Any]) -> tuple[ValueColumn, Faults]:
    """Numbers; null and what is beyond float64 is not finite, anything else no value at all."""
    if set(map(type, entries)) <= {int, float}:
        try:
            return np.array(entries, np.float64), {}
        except OverflowError:
            pass  # a whole number beyond float64 is among them
    faults: Faults = {}
    column = np.zeros(len(entries), np.float64)
    for i, entry in enumerate(entries):
        column[i] = _read_value(entry, i, faults)
    return column, faults


def _series_fault(entry: IngestSeries, point: Point) -> tuple[str, str] | None:
    if entry.unit is not None and entry.unit != point.unit:
        return "unit_mismatch", f"point {point.name} is in {point.unit}, not {entry.unit}; send {point.unit}"
    counts = {len(entry.times), len(entry.values)} | (
        {len(entry.quality)} if entry.quality is not None else set()
    )
    if len(counts) > 1:
        return "length_mismatch", f"times, values and quality have different lengths: {sorted(counts)}"
    return None


def _take_columns(intake: Intake, taken: Sequence[_Taken]) -> None:
    """All series behind one another as one set of columns: few or many, the cost is that of their samples."""
    counts = np.array([len(one.entry.times) for one in taken], np.int64)
    place, part = _places(counts)
    series = np.array([one.series for one in taken], np.int64)[part]
    time_us, time_faults = time_text.read_times([*chain.from_iterable(one.entry.times for one in taken)])
    value, faults = read_values([*chain.from_iterable(one.entry.values for one in taken)])
    if any(one.entry.quality is not None for one in taken):
        words = chain.from_iterable(one.entry.quality or repeat(None, len(one.entry.times)) for one in taken)
        quality, quality_faults = read_quality([*words])
        faults = quality_faults | faults
    else:
        quality = np.zeros(len(value), np.uint16)
    faults |= {i: ("bad_time", text) for i, text in time_faults.items()}
    for i in sorted(faults):
        intake.refuse(*faults[i], series=int(series[i]), place=int(place[i]))
    point_id = np.array([one.point.id for one in taken], np.uint32)[part]
    time_us = time_us + np.array([one.point.stored_time_offset_us() for one in taken], np.int64)[part]
    kept = np.ones(len(value), np.bool_)
    kept[list(faults)] = False
    batch = SampleBatch(point_id[kept], time_us[kept], value[kept], quality[kept])
    intake.add(batch, place[kept], series[kept])


def _places(counts: IndexColumn) -> tuple[IndexColumn, IndexColumn]:
    """For columns of so many samples behind one another: of each sample its place in its column, and the column."""
    part = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(part)) - (np.cumsum(counts) - counts)[part]
    return place, part


def _read_value(entry: Any, index: int, faults: Faults) -> float:
    if type(entry) is int or type(entry) is float:
        try:
            return float(entry)
        except OverflowError:
            faults[index] = ("not_finite", "the number is beyond what a float64 holds")
            return math.nan
    if entry is None:
        faults[index] = ("not_finite", "null is no value; leave the sample out")
    else:
        faults[index] = ("bad_value", f"value {time_text.shown(entry)} is not a number")
    return math.nan


def _quality_bits(entry: str | int) -> int:
    if isinstance(entry, int):
        return entry if 0 <= entry <= QUALITY_BITS_MAX else NOT_A_QUALITY
    bits = 0
    for word in entry.split("+"):
        code = _QUALITY_WORDS.get(word)
        if code is None:
            return NOT_A_QUALITY
        bits |= code
    return bits
