"""Estimation of what a gap held, by whatever there is to rest on; see `estimate_inputs.EstimateRecord` for the methods.

A power outage is no gap: its value is zero. Estimates never stand where known samples are, and give way to these when
they come late.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import estimate_inputs as inputs
from historian.energy import fixed_point, register_estimate, sample_period
from historian.energy.estimate_inputs import Estimate, EstimateRecord, Evidence, Gap
from historian.model import quality
from historian.model.point import HOUR_US, PERIOD_KINDS, PointKind
from historian.model.sample import SampleRun

SHARED_SLOTS_MIN: Final = 8  # with another meter, before its ratio says something
MORE_DIGITS: Final = 1  # than what the values rest on

_OUTAGE, _LINEAR, _LIKE_DAYS, _ALTERNATE, _EVEN = "outage", "linear", "like_days", "alternate", "even"


class _Shape(NamedTuple):
    """What one stamp is thought to hold; None where nothing says it."""

    time_us: int
    method: str
    value: Fraction | None
    share: Fraction  # of its time with power


class _Ratio(NamedTuple):
    """Another meter's good samples and what to multiply them with."""

    run: SampleRun
    factor: Fraction


class _Found(NamedTuple):
    """What was used on the way."""

    rests_on: list[float]
    days: Counter[str]
    end_points_us: set[int]


def plan(run: SampleRun, gap: Gap, evidence: Evidence) -> Estimate:
    """Proposed samples for the gap in a point's run, which reaches to both sides of it. Nothing is stored here."""
    if gap.kind is PointKind.REGISTER:
        return register_estimate.plan(run, gap, evidence)
    sure, found = inputs.known(run), _Found([], Counter(), set())
    ratio = _ratio_to(sure, gap, evidence.alternate)
    shapes = [
        _shape_at(time_us, sure, gap, evidence, ratio, found) for time_us in inputs.free_stamps(sure, gap)
    ]
    notes = [_note_on_alternate(evidence, ratio)]
    energy = None
    if evidence.register is not None:
        shapes, energy, note = _scaled(shapes, sure, gap, evidence.register, found)
        notes.append(note)
    else:
        digits = inputs.decimals_of(found.rests_on, MORE_DIGITS)
        shapes = [
            one._replace(value=None if one.value is None else round(one.value, digits)) for one in shapes
        ]
    made = [one for one in shapes if one.value is not None]
    if len(made) < len(shapes):
        notes.append(f"nothing_to_rest_on:{len(shapes) - len(made)}")
    record = _record_of(gap, made, found, ratio, energy, notes)
    return inputs.make_estimate(
        [one.time_us for one in made], [one.value for one in made if one.value is not None], record
    )


def without_outdated_estimates(run: SampleRun, interval_us: int) -> SampleRun:
    """The run without estimates that known samples have overtaken, at whatever stamps these came.

    An estimate goes where the known samples on both sides of it leave no gap, or one of them is nearer than half an
    interval. That depends on known samples only: not on other estimates, nor on the order in which any came.
    """
    is_estimated = (run.quality & quality.ORIGIN_MASK) == quality.ESTIMATED
    is_known = quality.is_usable(run.quality) & ~is_estimated
    known_us, places = run.time_us[is_known], np.flatnonzero(is_estimated)
    if len(known_us) == 0 or len(places) == 0:
        return run
    after = np.searchsorted(known_us, run.time_us[places])
    before_us = known_us[np.maximum(after - 1, 0)]
    after_us = known_us[np.minimum(after, len(known_us) - 1)]
    is_between = (after > 0) & (after < len(known_us))
    is_covered = is_between & (after_us - before_us <= sample_period.longest_gap_us(interval_us))
    nearest_us = np.minimum(np.abs(run.time_us[places] - before_us), np.abs(after_us - run.time_us[places]))
    keep: npt.NDArray[np.bool_] = np.ones(run.sample_count, np.bool_)
    keep[places[is_covered | (2 * nearest_us < interval_us)]] = False
    return SampleRun(run.point_id, run.time_us[keep], run.value[keep], run.quality[keep])


def _record_of(
    gap: Gap, made: list[_Shape], found: _Found, ratio: _Ratio | None, energy: float | None, notes: list[str]
) -> EstimateRecord:
    methods = Counter(one.method for one in made)
    used = ratio if methods[_ALTERNATE] else None
    return EstimateRecord(
        gap_start_us=gap.start_us,
        gap_end_us=gap.end_us,
        methods=dict(sorted(methods.items())),
        like_days=dict(sorted(found.days.items())),
        end_points_us=tuple(sorted(found.end_points_us)),
        alternate_point_id=used.run.point_id if used else None,
        alternate_ratio=fixed_point.to_float(used.factor) if used else None,
        register_energy=energy,
        notes=tuple(note for note in notes if note),
    )


def _shape_at(
    time_us: int, sure: SampleRun, gap: Gap, evidence: Evidence, ratio: _Ratio | None, found: _Found
) -> _Shape:
    """The first method that has something to say."""
    end_us = time_us + (gap.interval_us if gap.kind in PERIOD_KINDS else 1)
    share = inputs.share_with_power(time_us, end_us, evidence.outages)
    if share == 0:
        # A ratio of nothing to nothing is not zero.
        return _Shape(time_us, _OUTAGE, None if gap.kind is PointKind.RATIO else Fraction(), share)
    value = _linear(time_us, sure, gap, evidence.outages, found)
    if value is not None:
        return _Shape(time_us, _LINEAR, value, share)
    if ratio is not None:
        place = inputs.nearest(ratio.run, time_us, gap.interval_us)
        if place is not None:
            found.rests_on.append(float(ratio.run.value[place]))
            return _Shape(time_us, _ALTERNATE, fixed_point.exact(found.rests_on[-1]) * ratio.factor, share)
    value = _mean_of_like_days(time_us, gap, evidence, found)
    if value is not None and gap.kind is not PointKind.RATIO:
        value *= share
    return _Shape(time_us, _LIKE_DAYS, value, share)


def _linear(
    time_us: int, sure: SampleRun, gap: Gap, outages: Sequence[tuple[int, int]], found: _Found
) -> Fraction | None:
    """On the line between the samples before and after, if these are good, near, and without an outage."""
    after = int(np.searchsorted(sure.time_us, time_us))
    if not 0 < after < sure.sample_count:
        return None
    ends_us = int(sure.time_us[after - 1]), int(sure.time_us[after])
    if ends_us[1] - ends_us[0] - gap.interval_us > inputs.LINEAR_US_MAX:
        return None
    if inputs.share_with_power(ends_us[0], ends_us[1] + gap.interval_us, outages) != 1:
        return None
    if bool(np.any((sure.quality[after - 1 : after + 1] & quality.VALIDITY_MASK) != quality.GOOD)):
        return None
    ends = [float(sure.value[after - 1]), float(sure.value[after])]
    found.end_points_us.update(ends_us)
    found.rests_on.extend(ends)
    first, last = (fixed_point.exact(value) for value in ends)
    return first + (last - first) * Fraction(time_us - ends_us[0], ends_us[1] - ends_us[0])


def _mean_of_like_days(time_us: int, gap: Gap, evidence: Evidence, found: _Found) -> Fraction | None:
    """The mean of the first three candidates with a good sample at that time."""
    values = []
    for day in evidence.like_days:
        place = inputs.nearest(day.run, time_us + day.shift_us, gap.interval_us)
        if place is None or not _is_good(day.run, place):
            continue
        values.append(float(day.run.value[place]))
        found.days[day.name] += 1
        if len(values) == inputs.LIKE_DAYS_MAX:
            break
    if not values:
        return None
    found.rests_on.extend(values)
    return fixed_point.sum_of([fixed_point.exact(value) for value in values]) / len(values)


def _is_good(run: SampleRun, place: int) -> bool:
    bits = int(run.quality[place])
    is_estimated = bits & quality.ORIGIN_MASK == quality.ESTIMATED
    return bits & quality.VALIDITY_MASK == quality.GOOD and not bits & quality.DELETED and not is_estimated


def _ratio_to(sure: SampleRun, gap: Gap, alternate: SampleRun | None) -> _Ratio | None:
    """The ratio of the sums over the stamps at which both meters are good."""
    if alternate is None:
        return None
    other, own = inputs.good(alternate), inputs.good(sure)
    places = [inputs.nearest(other, time_us, gap.interval_us) for time_us in own.time_us.tolist()]
    shared = [(here, there) for here, there in enumerate(places) if there is not None]
    sums = [
        fixed_point.sum_of([fixed_point.exact(float(value)) for value in column])
        for column in (own.value[[here for here, _ in shared]], other.value[[there for _, there in shared]])
    ]
    if len(shared) < SHARED_SLOTS_MIN or sums[1] == 0:
        return None
    return _Ratio(other, sums[0] / sums[1])


def _note_on_alternate(evidence: Evidence, ratio: _Ratio | None) -> str:
    return "alternate_shares_too_little" if evidence.alternate is not None and ratio is None else ""


def _scaled(
    shapes: list[_Shape], sure: SampleRun, gap: Gap, register: inputs.Register, found: _Found
) -> tuple[list[_Shape], float | None, str]:
    """The shapes, scaled so that the gap holds exactly what the register counted; else as they are, and why."""
    if gap.kind is PointKind.RATIO:
        return shapes, None, "a_ratio_is_not_scaled"
    difference = fixed_point.exact(register.after) - fixed_point.exact(register.before)
    if difference < 0:
        return shapes, None, "register_fell"
    energy = difference * fixed_point.exact(register.factor)
    hours = Fraction(1) if gap.kind is PointKind.INTERVAL else Fraction(gap.interval_us, HOUR_US)
    inside = sure.between(gap.start_us, gap.end_us)
    left = energy / hours - fixed_point.sum_of([fixed_point.exact(value) for value in inside.value.tolist()])
    if left < 0:
        return shapes, None, "known_samples_exceed_register"
    if not any(one.share for one in shapes):
        return shapes, None, "energy_in_outage" if left else ""
    filled = _filled(shapes)
    # A register that counts one direction did not count what flowed in the other.
    weights = [max(one.value or Fraction(), Fraction()) for one in filled]
    if left and not any(weights):
        filled = [one._replace(method=_EVEN if one.share else _OUTAGE) for one in filled]
        weights = [one.share for one in filled]
    rests_on = [*found.rests_on, register.before, register.after]
    digits = inputs.decimals_of([*rests_on, fixed_point.to_float(left)], MORE_DIGITS)
    values = inputs.round_cumulative(weights, left, digits) if left else [Fraction()] * len(filled)
    scaled = [one._replace(value=value) for one, value in zip(filled, values, strict=True)]
    return scaled, fixed_point.to_float(energy), ""


def _filled(shapes: list[_Shape]) -> list[_Shape]:
    """Stamps that nothing says anything on get the mean of the others: the energy is known, so none may lack."""
    said = [one.value / one.share for one in shapes if one.value is not None and one.share]
    mean = fixed_point.sum_of(said) / len(said) if said else Fraction(1)
    return [
        one if one.value is not None else one._replace(method=_EVEN, value=mean * one.share) for one in shapes
    ]
