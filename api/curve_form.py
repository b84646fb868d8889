"""A load curve between the rollup service's arrays and its JSON or table form."""

import zoneinfo
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from api import formats, json_columns, schemas
from api.formats import Column, Table
from api.overlay import Overlay, align
from api.sample_form import SampleForm
from historian.energy import calendar, counter_event, coverage, load_curve
from historian.energy.load_curve import LoadCurve, SlotState
from historian.model import quality as q
from historian.model.point import Point, TimeLabel
from historian.rollup.curve import PointCurves

STATE_NAMES: Final = tuple(state.name.lower() for state in SlotState)
_AXES_KEPT_MAX: Final = 64
LABELS: Final = {"start": TimeLabel.PERIOD_START, "end": TimeLabel.PERIOD_END}


class Day(NamedTuple):
    """One day's curve of the points asked for."""

    points: Sequence[Point]
    zone: zoneinfo.ZoneInfo
    curves: PointCurves
    has_simultaneity: bool = False

    @property
    def total(self) -> LoadCurve:
        return self.curves.total

    def labels_json(self, label: TimeLabel) -> msgspec.Raw:
        """The axis as JSON."""
        return _labels_json(self.curves.edges_us.tobytes(), self.zone, label)

    def labels(self, label: TimeLabel) -> list[str]:
        """The axis."""
        return list(_labels(self.curves.edges_us.tobytes(), self.zone, label))


class LinedUp(NamedTuple):
    """Another day's values and states under the clock times of the day shown."""

    overlay: Overlay
    value: npt.NDArray[np.float64]
    state: npt.NDArray[np.uint8]
    day: Day


def line_up(day: Day, overlay: Overlay, other: Day) -> LinedUp:
    """`other` slot by slot under `day`."""
    place = align(day.labels(TimeLabel.PERIOD_START), other.labels(TimeLabel.PERIOD_START))
    value = np.full(len(place), np.nan)
    state = np.full(len(place), int(SlotState.MISSING), np.uint8)
    has_slot = place >= 0
    value[has_slot] = other.total.value[place[has_slot]]
    state[has_slot] = other.total.state[place[has_slot]]
    return LinedUp(overlay, value, state, other)


def summary_of(day: Day, form: SampleForm) -> schemas.CurveSummary:
    """The figures of the day."""
    curves, summary = day.curves, day.curves.summary
    times, own = form.times, curves.unit
    return schemas.CurveSummary(
        max=form.number(summary.max_value, own),
        max_start=times.time(summary.max_start_us),
        max_end=times.time(summary.max_end_us),
        min=form.number(summary.min_value, own),
        min_start=times.time(summary.min_start_us),
        min_end=times.time(summary.min_end_us),
        mean=form.number(summary.mean, own),
        load_factor=summary.load_factor,
        min_load_factor=summary.load_factor_min,
        peak_valley_difference=form.number(summary.peak_valley_difference, own),
        peak_valley_rate=summary.peak_valley_rate,
        energy=summary.energy,
        energy_unit=curves.energy_unit or "",
        utilisation_hours=summary.utilisation_h,
        simultaneity=_simultaneity(day),
        expected=curves.expected_count or _expected_count(day),
        received=int(day.total.sample_count.sum()),
        estimated=summary.estimated_count,
        events=counter_event.words(summary.events),
    )


def _simultaneity(day: Day) -> float | None:
    """Of a sum whose single curves were asked for."""
    if not day.has_simultaneity or len(day.points) < 2:
        return None
    return load_curve.simultaneity(day.curves.summary, day.curves.summaries())


def _expected_count(day: Day) -> int:
    """Samples that all points promise for the day; a thousand points have few intervals."""
    edges_us = day.curves.edges_us
    intervals_us = Counter([point.interval_us for point in day.points])
    return sum(
        count * coverage.expected_count(int(edges_us[0]), int(edges_us[-1]), interval_us)
        for interval_us, count in intervals_us.items()
    )


def reply_of(
    day: Day,
    date: str,
    interval: str,
    label: str,
    overlays: Sequence[LinedUp],
    form: SampleForm,
    who: Mapping[str, Any] = MappingProxyType({}),
) -> schemas.LoadCurveReply:
    """The JSON form; `who` is asked about: `point`, `points`, `station`."""
    total, edges_us, own = day.total, day.curves.edges_us, day.curves.unit
    return schemas.LoadCurveReply(
        unit=form.unit_of(own),
        date=date,
        time_zone=day.zone.key,
        interval=interval,
        label=label,
        labels=cast("list[str]", day.labels_json(LABELS[label])),  # written already
        starts=form.times.encode(edges_us[:-1]),
        ends=form.times.encode(edges_us[1:]),
        values=json_columns.encode_values(form.convert(total.value, own)),
        states=json_columns.encode_words(total.state, STATE_NAMES),
        counts=_encode_counts(total.sample_count),
        quality=form.encode_quality(total.quality),
        summary=summary_of(day, form),
        compare=[_overlay_of(lined_up, form) for lined_up in overlays],
        missing_points=_encode_counts(day.curves.missing_count) if len(day.points) > 1 else UNSET,
        **who,
    )


def table_of(day: Day, name: str, label: str, overlays: Sequence[LinedUp], form: SampleForm) -> Table:
    """The rows: one a slot, overlays as further columns."""
    total, edges_us, own = day.total, day.curves.edges_us, day.curves.unit
    unit = form.unit_of(own)
    columns: list[Column] = [
        formats.listed("label", day.labels(LABELS[label])),
        *form.times.columns("start", edges_us[:-1]),
        *form.times.columns("end", edges_us[1:]),
        formats.constant("point", name),
        formats.values("value", form.convert(total.value, own)),
        formats.constant("unit", unit),
        formats.words("state", total.state, STATE_NAMES),
        formats.listed("count", total.sample_count.tolist()),
        formats.words("quality", total.quality & q.VALIDITY_MASK, q.VALIDITY_NAMES),
    ]
    columns += [
        formats.values(f"value {lined_up.overlay.offset}", form.convert(lined_up.value, own))
        for lined_up in overlays
    ]
    return Table(tuple(columns), len(total.value))


@lru_cache(_AXES_KEPT_MAX)
def _labels_json(edges: bytes, zone: zoneinfo.ZoneInfo, label: TimeLabel) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(_labels(edges, zone, label)))


@lru_cache(_AXES_KEPT_MAX)
def _labels(edges: bytes, zone: zoneinfo.ZoneInfo, label: TimeLabel) -> tuple[str, ...]:
    """Clock times are slow to make, and a day is asked for again and again."""
    return tuple(calendar.slot_labels(np.frombuffer(edges, np.int64), zone, label))


def _overlay_of(lined_up: LinedUp, form: SampleForm) -> schemas.CurveOverlay:
    return schemas.CurveOverlay(
        offset=lined_up.overlay.offset,
        date=lined_up.overlay.date.isoformat(),
        values=json_columns.encode_values(form.convert(lined_up.value, lined_up.day.curves.unit)),
        states=json_columns.encode_words(lined_up.state, STATE_NAMES),
        summary=summary_of(lined_up.day, form),
    )


def _encode_counts(count: npt.NDArray[np.int64]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(count.tolist()))
