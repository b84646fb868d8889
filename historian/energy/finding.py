"""What validation found, told in stretches of time rather than sample by sample."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from historian.energy import sample_period, validation
from historian.energy import validation_kernels as kernels
from historian.energy.validation import Checked, Limits, Span, Subject
from historian.model import quality
from historian.model.rules import NAMES
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_OF_RUNS: Final = frozenset({"missing", "prolonged_estimation"})
_OF_SAMPLES: Final = tuple(name for name in NAMES if name not in _OF_RUNS)
_OF_VALUE: Final = frozenset({"sentinel", "range", "negative"})


class Finding(msgspec.Struct, frozen=True):
    """Samples in a row that break one rule, or of rule ``missing`` the gap where `count` did not come.

    `end_us` is where the last sample's time ends: at the next one, at most an interval later. `worst` is the value that
    breaks the rule most; a gap has none. `limits` are the thresholds that were in force.
    """

    rule: str
    start_us: int
    end_us: int
    count: int
    worst: float | None
    limits: dict[str, float]


def find(run: SampleRun, subject: Subject, span: Span | None = None) -> tuple[Checked, list[Finding]]:
    """A run's marks, and what is to be told of it; see `validation.check_block`."""
    checked = validation.check(run, subject, span)
    return checked, of_run(run, checked.breach, subject, span)


def of_run(
    run: SampleRun, breach: npt.NDArray[np.uint16], subject: Subject, span: Span | None = None
) -> list[Finding]:
    """Findings of a checked run by time, then in the order of rules. With a `span`, only what touches it.

    Duplicates and clocks are told where their bits are in `breach`: see `arrival_check`.
    """
    found = [one for name in _OF_SAMPLES for one in _stretches(run, breach, subject, name)]
    found += _gaps(run, subject, span)
    found += _estimates(run, subject)
    if span is not None:
        found = [one for one in found if one.start_us < span.end_us and one.end_us > span.start_us]
    return sorted(found, key=lambda one: (one.start_us, NAMES.index(one.rule)))


def _stretches(
    run: SampleRun, breach: npt.NDArray[np.uint16], subject: Subject, name: str
) -> Iterator[Finding]:
    """Neighbouring samples that break one rule, those left out between which are no neighbours of anybody."""
    is_broken = (breach & validation.bit_of(name)) != 0
    if not bool(np.any(is_broken)):
        return
    limits = Limits.of([subject])
    places = np.flatnonzero(_is_looked_at(run, breach, name, int(limits.whole[0, kernels.BAD_MASK])))
    times_us = run.time_us[places]
    goes_on = np.append(False, np.diff(times_us) <= _near_us(limits, name, subject.interval_us))
    excess = _excess(run.value[places], limits, name)
    for stretch in _true_runs(is_broken[places], goes_on):
        worst = stretch[int(np.argmax(excess[stretch]))]
        yield Finding(
            name,
            int(times_us[stretch[0]]),
            _end_us(run, int(places[stretch[-1]]), subject.interval_us),
            len(stretch),
            float(run.value[places[worst]]),
            _limits_of(name, limits, subject),
        )


def _is_looked_at(run: SampleRun, breach: npt.NDArray[np.uint16], name: str, bad_mask: int) -> Mask:
    looked_at = quality.is_usable(run.quality)
    if name not in _OF_VALUE:
        own = sum(validation.bit_of(one) for one in _OF_VALUE)
        looked_at &= (breach & np.uint16(own & bad_mask)) == 0
    if name == "rate_of_change":
        looked_at &= (breach & np.uint16(kernels.SPIKE)) == 0
    return looked_at


def _near_us(limits: Limits, name: str, interval_us: int) -> int:
    """How far apart two samples of one stretch may be."""
    columns = {
        "spike": kernels.SPIKE_NEAR_US,
        "rate_of_change": kernels.RATE_NEAR_US,
        "stuck": kernels.STUCK_NEAR_US,
        "zero_on_active": kernels.ZERO_NEAR_US,
    }
    return (
        int(limits.whole[0, columns[name]]) if name in columns else sample_period.longest_gap_us(interval_us)
    )


def _excess(value: npt.NDArray[np.float64], limits: Limits, name: str) -> npt.NDArray[np.float64]:
    """How much each value breaks the rule, to find the worst."""
    real = limits.real[0]
    with np.errstate(invalid="ignore", over="ignore"):
        if name == "range":
            outside: npt.NDArray[np.float64] = np.maximum(
                real[kernels.LOW] - value, value - real[kernels.HIGH]
            )
            return outside
        if name == "negative":
            return -value
        if name in ("spike", "rate_of_change"):
            return np.abs(np.diff(value, prepend=value[:1]))
    return np.zeros(len(value))


def _limits_of(name: str, limits: Limits, subject: Subject) -> dict[str, float]:
    real, rules = limits.real[0], subject.rules
    if name == "range":
        told = {"low": real[kernels.LOW], "high": real[kernels.HIGH]}
        return {key: float(value) for key, value in told.items() if np.isfinite(value)}
    if name == "spike":
        return {"height": float(real[kernels.SPIKE_HEIGHT])}
    if name == "rate_of_change":
        return {"max_per_hour": float(real[kernels.MAX_PER_HOUR])}
    if name == "negative" and rules.negative:
        return {"tolerance": rules.negative.tolerance}
    if name == "stuck" and rules.stuck:
        return {"samples": rules.stuck.samples}
    if name == "zero_on_active" and rules.zero_on_active:
        return {"hours": rules.zero_on_active.hours}
    if name == "clock" and rules.clock:
        told = {
            "ahead_s": rules.clock.ahead_s,
            "behind_s": rules.clock.behind_s,
            "year_min": rules.clock.year_min,
        }
        return {key: value for key, value in told.items() if value is not None}
    return {}


def _true_runs(mask: Mask, goes_on: Mask) -> Iterator[I64]:
    """Places of each unbroken stretch of True; a stretch also ends where the next place does not go on."""
    starts = mask & ~(np.append(False, mask[:-1]) & goes_on)
    groups = np.cumsum(starts)[mask]
    places = np.flatnonzero(mask)
    yield from np.split(places, np.flatnonzero(np.diff(groups)) + 1)


def _end_us(run: SampleRun, place: int, interval_us: int) -> int:
    end_us = int(run.time_us[place]) + interval_us
    return min(end_us, int(run.time_us[place + 1])) if place + 1 < run.sample_count else end_us


def _gaps(run: SampleRun, subject: Subject, span: Span | None) -> Iterator[Finding]:
    """Each gap from where the next sample was expected to the next sample."""
    rule, interval_us = subject.rules.missing, subject.interval_us
    if rule is None:
        return
    is_received = ((run.quality & quality.DELETED) == 0) & (
        (run.quality & quality.VALIDITY_MASK) != quality.MISSING
    )
    times_us = run.time_us[is_received]
    if span is not None:
        before_us = max([span.start_us - interval_us, *times_us[times_us < span.start_us][-1:].tolist()])
        inside = times_us[(times_us >= span.start_us) & (times_us < span.end_us)]
        times_us = np.concatenate([[before_us], inside, [span.end_us]]).astype(np.int64)
    gap_us = int(Limits.of([subject]).whole[0, kernels.GAP_US])
    for place in np.flatnonzero(np.diff(times_us) > gap_us).tolist():
        from_us, to_us = int(times_us[place]) + interval_us, int(times_us[place + 1])
        count = max(1, (2 * (to_us - from_us) + interval_us) // (2 * interval_us))
        yield Finding(
            "missing", min(from_us, to_us), to_us, count, None, {"gap_intervals": rule.gap_intervals}
        )


def _estimates(run: SampleRun, subject: Subject) -> Iterator[Finding]:
    """Stretches in which the samples of use are estimates, where they are too long."""
    rule = subject.rules.prolonged_estimation
    if rule is None:
        return
    places = np.flatnonzero(quality.is_usable(run.quality))
    is_estimated = (run.quality[places] & quality.ORIGIN_MASK) == quality.ESTIMATED
    if not bool(np.any(is_estimated)):
        return
    longest_us = int(Limits.of([subject]).whole[0, kernels.PROLONGED_US])
    for stretch in _true_runs(is_estimated, np.ones(len(places), np.bool_)):
        first, last = int(places[stretch[0]]), int(places[stretch[-1]])
        if run.time_us[last] - run.time_us[first] > longest_us:
            end_us = _end_us(run, last, subject.interval_us)
            yield Finding(
                "prolonged_estimation",
                int(run.time_us[first]),
                end_us,
                len(stretch),
                None,
                {"days": rule.days},
            )
