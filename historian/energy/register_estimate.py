"""Estimated readings of a register: between the readings beside the gap, which stay as they are."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from historian.energy import estimate_inputs as inputs
from historian.energy import fixed_point
from historian.energy.estimate_inputs import Estimate, EstimateRecord, Evidence, Gap, LikeDay
from historian.model import quality
from historian.model.sample import SampleRun


def plan(run: SampleRun, gap: Gap, evidence: Evidence) -> Estimate:
    """Readings that rise over the gap as like days did, or evenly over the time with power.

    They never exceed the reading after the gap. Where that is below the one before, nothing is said: whether it rolled
    over or was exchanged, an estimate cannot know.
    """
    sure = inputs.known(run)
    methods: Counter[str] = Counter()
    days: Counter[str] = Counter()
    ends_us: set[int] = set()
    notes: list[str] = []
    times_us: list[int] = []
    values: list[Fraction] = []
    for place, stamps in _by_hole(sure, inputs.free_stamps(sure, gap)):
        note = _refusal(sure, place)
        if note:
            notes.append(note)
            continue
        hole = [int(sure.time_us[place - 1]), *stamps, int(sure.time_us[place])]
        method, weights = _weights(hole, gap, evidence, days)
        methods[method] += len(stamps)
        ends_us.update((hole[0], hole[-1]))
        times_us += stamps
        values += _readings(sure, place, weights)[:-1]
    record = EstimateRecord(
        gap_start_us=gap.start_us,
        gap_end_us=gap.end_us,
        methods=dict(sorted(methods.items())),
        like_days=dict(sorted(days.items())),
        end_points_us=tuple(sorted(ends_us)),
        notes=tuple(dict.fromkeys(notes)),
    )
    return inputs.make_estimate(times_us, values, record)


def _by_hole(sure: SampleRun, stamps: list[int]) -> list[tuple[int, list[int]]]:
    """The stamps between each two readings, with the place of the later of these."""
    holes: dict[int, list[int]] = {}
    for time_us in stamps:
        holes.setdefault(int(np.searchsorted(sure.time_us, time_us)), []).append(time_us)
    return sorted(holes.items())


def _refusal(sure: SampleRun, place: int) -> str:
    if place == 0:
        return "no_reading_before"
    if place == sure.sample_count:
        return "no_reading_after"
    ends = sure.part(place - 1, place + 1)
    if bool(np.any((ends.quality & quality.VALIDITY_MASK) != quality.GOOD)):
        return "reading_not_good"
    return "register_fell" if ends.value[1] < ends.value[0] else ""


def _weights(hole: list[int], gap: Gap, evidence: Evidence, days: Counter[str]) -> tuple[str, list[Fraction]]:
    """What each step of the hole takes of the difference, and by which method."""
    lengths = [
        Fraction(to_us - from_us) * inputs.share_with_power(from_us, to_us, evidence.outages)
        for from_us, to_us in pairwise(hole)
    ]
    has_outage = sum(lengths) != hole[-1] - hole[0]
    is_short = hole[-1] - hole[0] - gap.interval_us <= inputs.LINEAR_US_MAX
    if is_short and not has_outage:
        return "linear", lengths
    rises = [
        (day.name, rise)
        for day in evidence.like_days
        if (rise := _rise(day, hole, gap.interval_us)) is not None
    ][: inputs.LIKE_DAYS_MAX]
    sums = [sum(steps, Fraction()) for steps in zip(*(rise for _, rise in rises), strict=True)]
    weights = [
        step * inputs.share_with_power(from_us, to_us, evidence.outages)
        for step, (from_us, to_us) in zip(sums, pairwise(hole), strict=False)
    ]
    if sum(weights) > 0:
        days.update({name: len(hole) - 2 for name, _ in rises})
        return "like_days", weights
    if sum(lengths) > 0:
        return "even", lengths
    return "even", [Fraction(to_us - from_us) for from_us, to_us in pairwise(hole)]


def _rise(day: LikeDay, hole: Sequence[int], interval_us: int) -> list[Fraction] | None:
    """How the register of a like day rose from step to step; None where a good reading lacks, or it fell."""
    run = inputs.good(day.run)
    places = [inputs.nearest(run, time_us + day.shift_us, interval_us) for time_us in hole]
    if any(place is None for place in places):
        return None
    readings = [fixed_point.exact(float(run.value[place])) for place in places if place is not None]
    steps = [after - before for before, after in pairwise(readings)]
    return None if any(step < 0 for step in steps) else steps


def _readings(sure: SampleRun, place: int, weights: list[Fraction]) -> list[Fraction]:
    """Readings after each step, with as many digits as the readings beside the hole have."""
    ends = sure.value[place - 1 : place + 1].tolist()
    first, last = (fixed_point.exact(value) for value in ends)
    readings = [first]
    for step in inputs.round_cumulative(weights, last - first, inputs.decimals_of(ends, 0)):
        readings.append(readings[-1] + step)
    return readings[1:]
