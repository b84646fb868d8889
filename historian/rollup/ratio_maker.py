"""Derived ratios of points: made of the curves of their inputs, slot by slot and anew for each period."""

import zoneinfo
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import calendar, fixed_point, load_curve, metering, ratio, sample_period
from historian.energy.calendar import DateRange
from historian.energy.load_curve import LoadCurve, SlotState
from historian.errors import QueryError, UnitError
from historian.model import timestamp, unit
from historian.model.point import HOUR_US, MINUTE_US, Point
from historian.model.ports import PointDirectory
from historian.model.term import PointTerms, RatioTerm
from historian.rollup import point_unit
from historian.rollup.billing import Asked
from historian.rollup.curve import PointCurves
from historian.rollup.service import Past, RollupService, terms_at
from historian.rollup.term_directory import TermDirectory

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

SLOT_US: Final = 15 * MINUTE_US  # over which the maximum of a period is looked for
FULL: Final = 1.0  # above is overload: legal, and told
COVER_SHARE: Final = 0.01  # by which the inputs' known times may differ

BASES: Final = {
    "load_ratio": "apparent power (vector sum of P and Q) over rated kVA",
    "assumed": "active power over the assumed power factor and rated kVA",
    "line_load_ratio": "largest phase current over rated A",
    "power_factor": "active energy over the root of the squares of active and reactive energy",
}
_DIMENSIONS: Final = {"active_power": "kW", "reactive_power": "kvar", "current": "A"}
# Where no value is, the first of these that any input says; else complete, as far as all are.
_LACKING: Final = (SlotState.SUSPECT, SlotState.MISSING, SlotState.SPANNED)


class RatioRow(NamedTuple):
    """A ratio over a period. `ratio` is made of sums or means of the whole period, `mean` is that of the slots' ratios.

    `capacity` is the mean over the period's time where it changed. `rounded` is of a power factor alone.
    """

    point: Point
    period_start_us: int
    period_end_us: int
    term: RatioTerm
    basis: str
    ratio: float | None
    rounded: float | None
    max_ratio: float | None
    max_start_us: int | None
    max_end_us: int | None
    mean: float | None
    over_count: int
    slot_count: int
    value_count: int
    capacity: float | None
    capacity_unit: str
    state: str
    warnings: tuple[str, ...]


class _Inputs(NamedTuple):
    """The points a ratio is made of, by what they measure, each with the number that brings it to kW, kvar or A."""

    points: list[Point]
    scales: list[Fraction]
    dimensions: list[str]

    def places(self, dimension: str) -> list[int]:
        return [place for place, one in enumerate(self.dimensions) if one == dimension]


class _Slots(NamedTuple):
    """A ratio over the slots of a day, with the curves it was made of; capacity is NaN where none is needed."""

    edges_us: I64
    curves: list[LoadCurve]
    value: F64
    capacity: F64


class RatioMaker:
    """Answers for points of which a ratio is stated."""

    def __init__(
        self, rollup: RollupService, directory: PointDirectory, terms: TermDirectory, clock: Clock
    ) -> None:
        self._rollup = rollup
        self._directory = directory
        self._terms = terms
        self._clock = clock

    def term_of(self, point: Point, time_us: int, past: Past | None = None) -> RatioTerm | None:
        """What is stated of the point at an instant; None where its samples are the ratio."""
        if point.kind.value != "ratio":
            return None
        terms = self._terms_of(point, past)
        found = terms.at("ratio", time_us)
        return found if isinstance(found, RatioTerm) else None

    async def curve(
        self, point: Point, term: RatioTerm, edges_us: I64, zone: zoneinfo.ZoneInfo, past: Past | None = None
    ) -> PointCurves:
        """The ratio over slots, in the point's unit; the summary's mean is the ratio of the whole time.

        Raises QueryError where capacity or an assumed power factor is missing, UnitError for unfit inputs.
        """
        inputs = self._inputs(point, term)
        slots = await self._slots(point, term, inputs, edges_us, zone, past)
        whole = _aggregate(term, inputs, [slots])
        made = _curve_of(point, slots, whole)
        summary = load_curve.summarise(made, edges_us)._replace(
            energy=None, load_factor=None, load_factor_min=None, utilisation_h=None
        )
        missing = np.isnan(made.value).astype(np.int64)
        return PointCurves(edges_us, [made], made, summary, missing, point.unit, None)

    async def rows(self, asked: Asked) -> list[RatioRow]:
        """A row for each point and period. Raises as `curve` does, and for points of which no ratio is stated."""
        rows: list[RatioRow] = []
        for point_id in asked.point_id.tolist():
            point = self._directory.by_id(point_id)
            zone = asked.zone or timestamp.load_zone(point.time_zone)
            rows += [await self._row(point, part, zone, asked.past) for part in asked.parts]
        return rows

    async def _row(
        self, point: Point, part: DateRange, zone: zoneinfo.ZoneInfo, past: Past | None
    ) -> RatioRow:
        starts_us = calendar.day_starts_us(part, zone)
        now_us = self._clock.now_us() if past is None else past.as_of_us
        term = self.term_of(point, int(starts_us[0]), past)
        if term is None:
            raise QueryError(
                f"no ratio is stated of {point.name} on {part.first}; state one of a point of kind ratio "
                "(POST /points/{point}/terms)"
            )
        inputs, slots, warnings = self._inputs(point, term), [], set()
        for date in calendar.iter_days(part):
            edges_us = calendar.slot_edges_us(date, zone, SLOT_US)
            if len(edges_us) < 2 or edges_us[0] >= now_us:
                continue
            if self.term_of(point, int(edges_us[0]), past) != term:
                raise QueryError(
                    f"another ratio was stated of {point.name} within the period, on {date}; ask for shorter ones"
                )
            slots.append(await self._slots(point, term, inputs, edges_us, zone, past))
        row = _empty_row(point, term, starts_us, len(slots))
        if not slots:
            return row._replace(state="open")
        whole = _aggregate(term, inputs, slots)
        warnings |= _warnings_of(slots)
        return _filled(row, term, whole, slots, warnings, int(starts_us[-1]) > now_us)

    def _terms_of(self, point: Point, past: Past | None) -> PointTerms:
        return terms_at(self._terms, past).of(point.id)

    def _inputs(self, point: Point, term: RatioTerm) -> _Inputs:
        points = [self._directory.get(name) for name in term.inputs]
        rates = [point_unit.units_of(one).rate for one in points]
        dimensions = [unit.get_unit(rate).dimension if rate in unit.UNITS else rate for rate in rates]
        wanted = ("current",) if term.formula == "line_load_ratio" else ("active_power", "reactive_power")
        for one, dimension in zip(points, dimensions, strict=True):
            if dimension not in wanted:
                raise UnitError(
                    f"{one.name} ({one.unit}) is no input of a {term.formula}, which {point.name} is; allowed: "
                    f"{' and '.join(name.replace('_', ' ') for name in wanted)}"
                )
        scales = [
            unit.conversion_factor(rate, _DIMENSIONS[dimension])
            for rate, dimension in zip(rates, dimensions, strict=True)
        ]
        made = _Inputs(points, scales, dimensions)
        _check_pairs(point, term, made)
        return made

    async def _slots(
        self,
        point: Point,
        term: RatioTerm,
        inputs: _Inputs,
        edges_us: I64,
        zone: zoneinfo.ZoneInfo,
        past: Past | None,
    ) -> _Slots:
        curves = await self._rollup.single_curves(inputs.points, edges_us, zone, past)
        capacity = self._capacity(point, term, edges_us, past)
        values = [
            curve.value if scale == 1 else curve.value * float(scale)
            for curve, scale in zip(curves, inputs.scales, strict=True)
        ]
        active = [values[place] for place in inputs.places("active_power")]
        reactive = [values[place] for place in inputs.places("reactive_power")]
        if term.formula == "power_factor":
            value = ratio.power_factor_slots(active, reactive)
        elif term.formula == "line_load_ratio":
            value = ratio.line_load_ratio_slots(values, capacity)
        elif term.assumed_power_factor is not None:
            value = ratio.assumed_load_ratio_slots(active, term.assumed_power_factor, capacity)
        else:
            value = ratio.load_ratio_slots(active, reactive, capacity)
        return _Slots(edges_us, curves, value, capacity)

    def _capacity(self, point: Point, term: RatioTerm, edges_us: I64, past: Past | None) -> F64:
        """In kVA or A as it held in each slot."""
        count = len(edges_us) - 1
        if term.formula == "power_factor":
            return np.full(count, np.nan)
        steps = [metering.Step(*step) for step in self._terms_of(point, past).capacity]
        found = metering.column_at(steps, edges_us[:-1]) if steps else np.full(count, point.capacity or 0.0)
        if not bool((found > 0).all()):
            unit_name = "A" if term.formula == "line_load_ratio" else "kVA"
            raise QueryError(
                f"{point.name} has no capacity in {unit_name} for that time; set it (PATCH /points/{{point}}, with valid_from)"
            )
        return found


def _check_pairs(point: Point, term: RatioTerm, inputs: _Inputs) -> None:
    active, reactive = len(inputs.places("active_power")), len(inputs.places("reactive_power"))
    if term.formula == "line_load_ratio":
        return
    if term.formula == "power_factor":
        if not active or not reactive:
            raise QueryError(f"the power factor of {point.name} needs active and reactive energy")
        return
    if term.assumed_power_factor is not None:
        if reactive or not active:
            raise QueryError(
                f"{point.name} assumes a power factor, so its inputs are active power alone; leave one of them out"
            )
        return
    if active != reactive or not active:
        raise QueryError(
            f"{point.name} has {active} active and {reactive} reactive powers as inputs; a load ratio needs them in pairs, "
            "or active powers alone with an assumed_power_factor stated"
        )


class _Whole(NamedTuple):
    """A ratio of a whole time, and what it is billed as."""

    ratio: float | None
    rounded: float | None
    capacity: float | None


def _aggregate(term: RatioTerm, inputs: _Inputs, slots: Sequence[_Slots]) -> _Whole:
    """From sums over all the days: energies, or means over the time that each input is known."""
    count = len(inputs.points)
    totals = [
        fixed_point.sum_of([day.curves[i].total for day in slots]) * inputs.scales[i] for i in range(count)
    ]
    known_us = [sum(day.curves[i].known_us for day in slots) for i in range(count)]
    if min(known_us) == 0:
        return _Whole(None, None, None)
    active, reactive = inputs.places("active_power"), inputs.places("reactive_power")
    if term.formula == "power_factor":
        real = abs(sum((totals[place] for place in active), Fraction()))
        other = ratio.reactive_sum([totals[place] for place in reactive])
        return _Whole(ratio.power_factor(real, other), ratio.rounded_power_factor(real, other), None)
    means = [total * HOUR_US / known for total, known in zip(totals, known_us, strict=True)]
    capacity = _mean_capacity(slots)
    real = sum((means[place] for place in active), Fraction())
    other = sum((means[place] for place in reactive), Fraction())
    if term.formula == "line_load_ratio":
        found = ratio.line_load_ratio(means, capacity)
    elif term.assumed_power_factor is not None:
        found = ratio.assumed_load_ratio(real, term.assumed_power_factor, capacity)
    else:
        found = ratio.load_ratio(real, other, capacity)
    return _Whole(found, None, fixed_point.to_float(capacity))


def _mean_capacity(slots: Sequence[_Slots]) -> Fraction:
    """Over time."""
    parts: dict[float, int] = {}
    for day in slots:
        for value, length_us in zip(day.capacity.tolist(), np.diff(day.edges_us).tolist(), strict=True):
            parts[value] = parts.get(value, 0) + length_us
    return sum(
        (fixed_point.exact(value) * length for value, length in parts.items()), Fraction()
    ) / sum(parts.values())  # fmt: skip


def _curve_of(point: Point, slots: _Slots, whole: _Whole) -> LoadCurve:
    """In the form of a load curve, values in the point's unit; its sum is the ratio over the known time."""
    has_value = ~np.isnan(slots.value)
    states = np.array([curve.state for curve in slots.curves])
    state = np.max(states, axis=0)  # complete, or partial or spread
    for lacking in _LACKING:
        state = np.where(~has_value & (states == lacking).any(axis=0), np.uint8(lacking), state)
    is_partial = has_value & (states == SlotState.PARTIAL).any(axis=0)
    state = np.where(is_partial, np.uint8(SlotState.PARTIAL), state)
    covered_us = np.where(
        has_value, np.min(np.array([curve.covered_us for curve in slots.curves]), axis=0), 0
    )
    known_us = int(covered_us.sum()) if whole.ratio is not None else 0
    scale = unit.conversion_factor("1", point.unit)
    total = fixed_point.exact(whole.ratio or 0.0) * scale * known_us / HOUR_US
    return LoadCurve(
        value=slots.value * float(scale),
        state=state.astype(np.uint8),
        sample_count=np.sum([curve.sample_count for curve in slots.curves], axis=0, dtype=np.int64),
        quality=sample_period.worst_of_rows(np.array([curve.quality for curve in slots.curves])),
        covered_us=covered_us,
        total=total,
        known_us=known_us,
        ranked_total=total,
        ranked_us=max(known_us, 1),
    )


def _empty_row(point: Point, term: RatioTerm, starts_us: I64, day_count: int) -> RatioRow:
    is_assumed = term.assumed_power_factor is not None
    basis = BASES["assumed" if is_assumed else term.formula]
    capacity_unit = {"load_ratio": "kVA", "line_load_ratio": "A"}.get(term.formula, "")
    return RatioRow(
        point, int(starts_us[0]), int(starts_us[-1]), term, basis, None, None, None, None, None, None, 0, 0, 0, None,
        capacity_unit, "provisional" if day_count else "open", (),
    )  # fmt: skip


def _filled(
    row: RatioRow,
    term: RatioTerm,
    whole: _Whole,
    slots: Sequence[_Slots],
    warnings: set[str],
    is_open: bool,
) -> RatioRow:
    value = np.concatenate([day.value for day in slots])
    start_us = np.concatenate([day.edges_us[:-1] for day in slots])
    end_us = np.concatenate([day.edges_us[1:] for day in slots])
    has_value = ~np.isnan(value)
    over_count = int(np.count_nonzero(value[has_value] > FULL))
    if over_count and term.formula != "power_factor":
        warnings = warnings | {"over_capacity"}
    is_complete = bool(has_value.all()) and all(
        bool(np.isin(curve.state, (SlotState.COMPLETE, SlotState.SPREAD)).all())
        for day in slots
        for curve in day.curves
    )
    row = row._replace(
        ratio=whole.ratio,
        rounded=whole.rounded,
        over_count=over_count if term.formula != "power_factor" else 0,
        slot_count=len(value),
        value_count=int(np.count_nonzero(has_value)),
        capacity=whole.capacity,
        state="open" if is_open else "complete" if is_complete else "provisional",
        warnings=tuple(sorted(warnings)),
    )
    if not has_value.any():
        return row
    place = int(np.nanargmax(value))
    values: list[float] = value[has_value].tolist()
    mean = fixed_point.to_float(fixed_point.sum_of([fixed_point.exact(one) for one in values]) / len(values))
    return row._replace(
        max_ratio=float(value[place]),
        max_start_us=int(start_us[place]),
        max_end_us=int(end_us[place]),
        mean=mean,
    )


def _warnings_of(slots: Sequence[_Slots]) -> set[str]:
    """What the ratio of the whole time rests on that its slots do not show."""
    found: set[str] = set()
    known_us = np.sum([[curve.known_us for curve in day.curves] for day in slots], axis=0)
    if known_us.max() - known_us.min() > COVER_SHARE * known_us.max():
        found.add("inputs_cover_different_time")
    capacities = np.unique(np.concatenate([day.capacity for day in slots]))
    if len(capacities[~np.isnan(capacities)]) > 1:
        found.add("capacity_changed")
    return found
