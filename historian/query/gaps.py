"""Where samples are missing that the point's interval promised, and why.

Expected is one usable sample each interval, with half an interval of grace for jitter, up to now. What is missing is
counted from the distances between samples, so no assumption about the phase of the source is needed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian.catalogue.journal import Outage
from historian.model.point import Point
from historian.model.quality import is_usable
from historian.model.quarantine import Rejected
from historian.model.sample import SampleRun, TimeColumn
from historian.model.timerange import TimeRange

NO_DATA_YET: Final = "no_data_yet"  # before the point's first sample
BAD_QUALITY: Final = "bad_quality"  # samples came, but none that may be used
REJECTED: Final = "rejected_by_rule"  # samples came, but went to the quarantine
UNKNOWN: Final = "unknown"

_FAR_US: Final = int(np.iinfo(np.int64).max)
LOOKBACK_INTERVALS: Final = 2  # how far before the range a sample still says when the next one was due


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Expected samples in ``[start_us, end_us)`` that are not there.

    `cause` is the journal's word (``link_down``, ``device_exception``, ``historian_down`` …), or ``rejected_by_rule``,
    ``no_data_yet``, ``bad_quality`` or ``unknown``; where nothing was expected (`missing_count` 0) ``point_retired`` or
    ``not_due``.
    """

    start_us: int
    end_us: int
    missing_count: int
    cause: str
    detail: str


class MissingStretches(NamedTuple):
    """Gaps without their causes; `earlier_us` is the last usable sample before each gap, or where it would be."""

    start_us: TimeColumn
    end_us: TimeColumn
    missing_count: npt.NDArray[np.int64]
    earlier_us: TimeColumn


def find_missing(point: Point, run: SampleRun, span: TimeRange, now_us: int) -> MissingStretches:
    """Stretches of `span` without usable samples; `run` begins `LOOKBACK_INTERVALS` before the span."""
    interval_us = point.interval_us
    due_end_us = min(span.end_us, now_us - (interval_us if point.has_period else 0))
    usable_us = run.time_us[is_usable(run.quality) & (run.time_us < due_end_us)]
    inside = usable_us[np.searchsorted(usable_us, span.start_us) :]
    earlier = _earlier_us(usable_us, inside, span.start_us, interval_us)
    ends = np.concatenate([inside, [max(due_end_us, span.start_us)]]).astype(np.int64)
    starts = np.concatenate([[earlier], inside]).astype(np.int64)
    missing = (2 * (ends - starts) + interval_us) // (2 * interval_us) - 1
    index = np.flatnonzero((missing > 0) & (ends > span.start_us))
    return MissingStretches(starts[index] + interval_us, ends[index], missing[index], starts[index])


def name_causes(
    point: Point,
    missing: MissingStretches,
    run: SampleRun,
    finder: "CauseFinder",
    first_us: int | None,
) -> list[Gap]:
    """The gaps with their causes; `first_us` is the point's first sample at all (None: it has none)."""
    unusable_us = run.time_us[~is_usable(run.quality)]
    gaps = []
    for start_us, end_us, count, earlier_us in zip(*(column.tolist() for column in missing), strict=True):
        if first_us is None or end_us <= first_us:
            cause, detail = NO_DATA_YET, ""
        else:
            cause, detail = finder.cause(earlier_us, end_us, count, point.interval_us)
        if cause == UNKNOWN:
            bad_count = int(np.diff(np.searchsorted(unusable_us, (start_us, end_us)))[0])
            if bad_count:
                cause, detail = BAD_QUALITY, f"{bad_count} samples that may not be used"
        gaps.append(Gap(start_us=start_us, end_us=end_us, missing_count=count, cause=cause, detail=detail))
    return gaps


def _earlier_us(usable_us: TimeColumn, inside: TimeColumn, start_us: int, interval_us: int) -> int:
    """The last usable sample before the range, else the place where it would be.

    Moved up by whole intervals, so that the next one is due at the start of the range or after.
    """
    before = usable_us[: len(usable_us) - len(inside)]
    if len(before):
        earlier = int(before[-1])
    elif len(inside):
        earlier = int(inside[0]) - (int(inside[0]) - start_us) // interval_us * interval_us - interval_us
    else:
        earlier = start_us - interval_us
    due_before_count = max(0, -((earlier + interval_us - start_us) // interval_us))
    return earlier + due_before_count * interval_us


class OutageBook:
    """What the journal and the quarantine know of some time, for many points: sorted once, asked by point."""

    def __init__(self, outages: Sequence[Outage], rejected: Sequence[Rejected] = ()) -> None:
        by_source: dict[str, list[Outage]] = {}
        for outage in outages:
            by_source.setdefault(outage.source, []).append(outage)
        self._of_source = {source: _Outages.of(some) for source, some in by_source.items()}
        arrivals: dict[int, list[Rejected]] = {}
        for one in rejected:
            arrivals.setdefault(one.point_id, []).append(one)
        self._rejected = arrivals

    def finder(self, point: Point) -> "CauseFinder":
        """What may explain the gaps of a point."""
        sources = ("", *point.outage_sources)
        found = [self._of_source[source] for source in sources if source in self._of_source]
        rejected = sorted(self._rejected.get(point.id, ()), key=lambda one: one.arrival_us)
        return CauseFinder(found, rejected)


class _Outages(NamedTuple):
    """The outages of one source by start; `ends_us` are the latest ends so far, since recorded ones may overlap."""

    outages: list[Outage]
    starts_us: TimeColumn
    ends_us: TimeColumn

    @staticmethod
    def of(outages: list[Outage]) -> "_Outages":
        some = sorted(outages, key=lambda outage: outage.start_us)
        ends_us = np.array([_FAR_US if one.end_us is None else one.end_us for one in some], np.int64)
        starts_us = np.array([one.start_us for one in some], np.int64)
        return _Outages(some, starts_us, np.maximum.accumulate(ends_us))


class CauseFinder:
    """Finds what explains a gap of one point."""

    def __init__(self, sources: Sequence[_Outages], rejected: Sequence[Rejected] = ()) -> None:
        self._sources = sources
        self._rejected = rejected
        self._rejected_us = np.array([one.arrival_us for one in rejected], np.int64)

    def cause(self, earlier_us: int, end_us: int, missing_count: int, interval_us: int) -> tuple[str, str]:
        """Cause and detail of what covers most of the time between two samples.

        An outage loses at most its length in intervals, rounded up, and a sample in the quarantine one, so outages that
        cannot have lost half of what is missing (a restart of seconds within days) explain nothing.
        """
        covered_us: dict[str, int] = {}
        lost_count: dict[str, int] = {}
        longest: dict[str, tuple[int, str]] = {}
        for source in self._sources:
            first = int(np.searchsorted(source.ends_us, earlier_us, side="right"))
            last = int(np.searchsorted(source.starts_us, end_us, side="left"))
            for outage in source.outages[first:last]:
                until_us = end_us if outage.end_us is None else min(end_us, outage.end_us)
                overlap_us = until_us - max(earlier_us, outage.start_us)
                if overlap_us <= 0:
                    continue
                covered_us[outage.cause] = covered_us.get(outage.cause, 0) + overlap_us
                lost = -(-overlap_us // interval_us)
                lost_count[outage.cause] = lost_count.get(outage.cause, 0) + lost
                longest[outage.cause] = max(longest.get(outage.cause, (-1, "")), (overlap_us, outage.detail))
        rejected = self._rejected_in(earlier_us, end_us + interval_us)
        if rejected:
            lost_count[REJECTED] = len(rejected)
            covered_us[REJECTED] = min(len(rejected), missing_count) * interval_us
            longest[REJECTED] = (0, _rejected_text(rejected))
        explaining = [cause for cause in covered_us if 2 * lost_count[cause] >= missing_count]
        if not explaining:
            return UNKNOWN, ""
        cause = max(explaining, key=lambda name: covered_us[name])
        return cause, longest[cause][1]

    def _rejected_in(self, start_us: int, end_us: int) -> Sequence[Rejected]:
        """By their arrivals: the stamps of such samples are what is wrong with them."""
        first, last = np.searchsorted(self._rejected_us, (start_us, end_us)).tolist()
        return self._rejected[first:last]


def _rejected_text(rejected: Sequence[Rejected]) -> str:
    codes = sorted({one.code for one in rejected})
    return f"{len(rejected)} samples in the quarantine: {', '.join(codes)}"
