"""Reads what an edit asks for; everything wrong is told with its place in the body, before anything is read or changed."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import UNSET

from api import problem, time_text
from api.ingest_series import read_quality, read_values
from api.problem import Fault, Problem
from api.schemas_edits import EditBody
from historian.edit.editor import NewValues
from historian.model import unit
from historian.model.point import Point
from historian.model.quality import DELETED, ESTIMATED, MANUAL, ORIGIN_MASK
from historian.model.sample import QualityColumn, TimeColumn
from historian.model.timerange import TimeRange

FAULTS_LISTED_MAX: Final = 10

# What each kind needs, and what it may have besides.
_FIELDS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "correct": (("times", "values"), ("quality", "unit")),
    "estimate": (("times", "values"), ("quality", "unit")),
    "delete": ((), ("times", "start", "end")),
    "undelete": ((), ("times", "start", "end")),
    "restore": (("start", "end", "as_of"), ()),
}
_ALL_FIELDS: Final = ("times", "values", "quality", "unit", "start", "end", "as_of")


def check_fields(body: EditBody) -> None:
    """Raise Problem 422 where the kind lacks a field, or has one that means nothing to it."""
    needed, optional = _FIELDS[body.kind]
    given = {name for name in _ALL_FIELDS if getattr(body, name) is not UNSET}
    faults = [Fault("is required", "必须给出", pointer=f"/{name}") for name in needed if name not in given]
    faults += [
        Fault(f"means nothing to {body.kind}", f"对 {body.kind} 无意义", pointer=f"/{name}")
        for name in sorted(given - {*needed, *optional})
    ]
    if body.kind in ("delete", "undelete") and ("times" in given) == ({"start", "end"} <= given):
        faults.append(Fault("or start and end: one of the two", "与 start、end 二者取一", pointer="/times"))
    if faults:
        raise _problem_of(faults)


def values_of(body: EditBody, point: Point) -> NewValues:
    """The samples of a correction or an estimate, in the point's unit. Raises Problem, UnitError."""
    assert isinstance(body.times, list), "check_fields saw it"
    assert isinstance(body.values, list), "check_fields saw it"
    if len(body.times) != len(body.values):
        text = f"{len(body.times)} times and {len(body.values)} values"
        raise _problem_of(
            [Fault(text, f"{len(body.times)} 个时间、{len(body.values)} 个值", pointer="/values")]
        )
    time_us = times_of(body)
    value, faults = read_values(body.values)
    _refuse({i: detail for i, (_, detail) in faults.items()}, "/values")
    _refuse(
        {int(i): "is beyond what a float64 holds" for i in np.flatnonzero(~np.isfinite(value))}, "/values"
    )
    if isinstance(body.unit, str):
        value = unit.convert(value, body.unit, point.unit)
    return NewValues(time_us, value, _quality_of(body, len(value)))


def times_of(body: EditBody) -> TimeColumn:
    """The times of an edit, as samples are stored under them. Raises Problem."""
    assert isinstance(body.times, list), "check_fields saw it"
    if not body.times:
        raise _problem_of([Fault("names no time", "没有时间", pointer="/times")])
    read = time_text.read_times(body.times)
    _refuse(read.faults, "/times")
    return read.time_us


def span_of(body: EditBody) -> TimeRange:
    """The range of an edit. Raises Problem."""
    span = TimeRange(time_of(body.start, "/start"), time_of(body.end, "/end"))
    if span.is_empty:
        raise _problem_of(
            [Fault("is not after start; ranges are [start, end)", "须晚于 start", pointer="/end")]
        )
    return span


def time_of(entry: object, pointer: str) -> int:
    """One time of a body. Raises Problem."""
    read = time_text.read_times([entry])
    _refuse(read.faults, pointer, is_column=False)
    return int(read.time_us[0])


def _quality_of(body: EditBody, count: int) -> QualityColumn:
    """As given; an estimate always says that it is one. Without a word a correction is ``manual``."""
    if not isinstance(body.quality, str | int | list):
        return np.full(count, ESTIMATED if body.kind == "estimate" else MANUAL, np.uint16)
    words: Sequence[object] = body.quality if isinstance(body.quality, list) else [body.quality] * count
    if len(words) != count:
        text = f"{count} values and {len(words)} qualities"
        raise _problem_of([Fault(text, f"{count} 个值、{len(words)} 个质量", pointer="/quality")])
    bits, faults = read_quality(words)
    _refuse({i: detail for i, (_, detail) in faults.items()}, "/quality", isinstance(body.quality, list))
    if (bits & DELETED).any():
        raise _problem_of([Fault("deletes; that is kind delete", "删除请用 kind delete", pointer="/quality")])
    if body.kind == "estimate":
        bits = (bits & np.uint16(0xFFFF ^ ORIGIN_MASK)) | np.uint16(ESTIMATED)
    return bits


def _refuse(faults: Mapping[int, str], pointer: str, is_column: bool = True) -> None:
    if faults:
        listed = [
            Fault(detail, pointer=f"{pointer}/{index}" if is_column else pointer)
            for index, detail in sorted(faults.items())[:FAULTS_LISTED_MAX]
        ]
        raise _problem_of(listed, len(faults))


def _problem_of(faults: Sequence[Fault], count: int | None = None) -> Problem:
    first, more = faults[0], (count or len(faults)) - 1
    return Problem(
        problem.INVALID_BODY,
        f"{first.pointer}: {first.en}" + (f"; {more} more" if more else ""),
        f"{first.pointer}：{first.zh or first.en}" + (f"；另有 {more} 处" if more else ""),
        faults=tuple(faults),
    )
