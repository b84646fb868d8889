"""What validation finds in a point's samples, by the rules in force or by others on trial; nothing is stored."""

import asyncio
from typing import Final, NamedTuple

import numpy as np

from historian.energy import finding, sample_period, validation
from historian.energy.finding import Finding
from historian.energy.validation import Span
from historian.errors import QueryTooLarge
from historian.model import quality, timestamp
from historian.model.point import DAY_US
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun, Versions
from historian.rollup import prepared
from historian.rollup.day_maker import Metered
from historian.rollup.prepared import Part

SAMPLES_MAX: Final = 1_000_000  # looked at, as far as the interval tells
FINDINGS_MAX: Final = 10_000


class Told(NamedTuple):
    """A finding, and how its rule marks: empty where it does not."""

    finding: Finding
    mark: str


class Unchecked(NamedTuple):
    """A rule that is in force over a stretch and could not be looked for: no threshold, and no capacity known."""

    rule: str
    start_us: int
    end_us: int


class Findings(NamedTuple):
    """By time. Of `sample_count` samples in the range rules mark so many; findings beyond the bound are left out."""

    told: list[Told]
    unchecked: list[Unchecked]
    sample_count: int
    suspect_count: int
    bad_count: int
    is_cut: bool


async def find(reader: SampleReader, of: Metered, start_us: int, end_us: int) -> Findings:
    """All that rules find in ``[start_us, end_us)``, told as far beyond it as they reach. Raises QueryTooLarge before any work."""
    before_us, after_us = _beyond_us(of)
    samples = (end_us - start_us + before_us + after_us) // of.point.interval_us
    if samples > SAMPLES_MAX:
        raise QueryTooLarge(
            f"{samples} samples may have to be looked at, {SAMPLES_MAX} are allowed; ask for less time, or for rules that do "
            "not look so far"
        )
    from_us = max(start_us - before_us, timestamp.TIME_MIN_US)
    to_us = min(end_us + after_us, timestamp.TIME_MAX_US)
    ids = np.array([of.point.id], np.uint32)
    run = (await reader.read_block(ids, from_us, to_us)).run(0)
    has_arrivals = prepared.has_arrival_rules(of.terms)
    versions = await reader.read_versions(ids, from_us, to_us) if has_arrivals else None
    return await asyncio.to_thread(_find, of, run, versions, Span(start_us, end_us))


def _beyond_us(of: Metered) -> tuple[int, int]:
    """How far beyond the range is read: marks are right as far beside it as rules reach, and long estimates are known
    for such.
    """
    reach = prepared.reach_of(of.point.interval_us, of.terms)
    more_us = 2 * sample_period.longest_gap_us(of.point.interval_us)
    for part in prepared.parts_of(of.point, of.terms, timestamp.TIME_MIN_US, timestamp.TIME_MAX_US):
        rules = part.subject.rules
        if rules.missing:
            more_us = max(more_us, round((rules.missing.gap_intervals + 1) * of.point.interval_us))
        if rules.prolonged_estimation:
            more_us = max(more_us, round((rules.prolonged_estimation.days + 1) * DAY_US))
    return 2 * reach.before_us + more_us, 2 * reach.after_us + more_us


def _find(of: Metered, run: SampleRun, versions: Versions | None, span: Span) -> Findings:
    run = prepared.without_outdated(run, of.point)
    told: list[Told] = []
    unchecked: list[Unchecked] = []
    reach = prepared.reach_of(of.point.interval_us, of.terms)
    whole = prepared.parts_of(
        of.point, of.terms, span.start_us - reach.before_us, span.end_us + reach.after_us
    )
    looked = prepared.look(run, whole, versions)
    for part in whole:
        low_us, high_us = max(part.from_us, span.start_us), min(part.to_us, span.end_us)
        if low_us >= high_us:
            continue
        own = looked.breach.copy()
        own[(run.time_us < part.from_us) | (run.time_us >= part.to_us)] = 0
        found = finding.of_run(run, own, part.subject, Span(low_us, high_us))
        told += [Told(one, _mark_of(one, part)) for one in found]
        unchecked += [Unchecked(name, low_us, high_us) for name in validation.unchecked(part.subject)]
    told.sort(key=lambda one: one.finding.start_us)
    is_in = (run.time_us >= span.start_us) & (run.time_us < span.end_us)
    marked = looked.quality[is_in & (looked.breach != 0)] & quality.VALIDITY_MASK
    return Findings(
        told[:FINDINGS_MAX],
        unchecked,
        int(np.count_nonzero(is_in)),
        int(np.count_nonzero(marked == quality.SUSPECT)),
        int(np.count_nonzero(marked == quality.BAD)),
        len(told) > FINDINGS_MAX,
    )


def _mark_of(one: Finding, part: Part) -> str:
    return getattr(getattr(part.subject.rules, one.rule), "mark", "")
