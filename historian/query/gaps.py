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
from historian.model.sample import SampleRun, TimeColumn
from historian.model.timerange import TimeRange

NO_DATA_YET: Final = "no_data_yet"  # before the point's first sample
BAD_QUALITY: Final = "bad_quality"  # samples came, but none that may be used
UNKNOWN: Final = "unknown"

LOOKBACK_INTERVALS: Final = 2  # how far before the range a sample still says when the next one was due


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Expected samples in ``[start_us, end_us)`` that are not there.

    `cause` is the journal's word (``link_down``, ``device_exception``, ``historian_down`` …), or ``no_data_yet``,
    ``bad_quality`` or ``unknown``.
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
    point: Point, missing: MissingStretches, run: SampleRun, outages: Sequence[Outage], first_us: int | None
) -> list[Gap]:
    """The gaps with their causes; `first_us` is the point's first sample at all (None: it has none)."""
    by_source: dict[str, list[Outage]] = {}
    for outage in outages:
        by_source.setdefault(outage.source, []).append(outage)
    finder = _CauseFinder(list(by_source.values()))
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


class _CauseFinder:
    """Finds which outage explains a gap; the outages of one source never overlap."""

    def __init__(self, outages_by_source: list[list[Outage]]) -> None:
        self._sources = outages_by_source
        self._starts = [np.array([o.start_us for o in outages], np.int64) for outages in outages_by_source]
        far_us = np.iinfo(np.int64).max
        self._ends = [
            np.array([far_us if o.end_us is None else o.end_us for o in outages], np.int64)
            for outages in outages_by_source
        ]

    def cause(self, earlier_us: int, end_us: int, missing_count: int, interval_us: int) -> tuple[str, str]:
        """Cause and detail of the outages that cover most of the time between two samples.

        An outage loses at most its length in intervals, rounded up, so outages that cannot have lost half of what
        is missing (a restart of seconds within days) explain nothing.
        """
        covered_us: dict[str, int] = {}
        lost_count: dict[str, int] = {}
        longest: dict[str, tuple[int, str]] = {}
        for outages, starts, ends in zip(self._sources, self._starts, self._ends, strict=True):
            first = int(np.searchsorted(ends, earlier_us, side="right"))
            last = int(np.searchsorted(starts, end_us, side="left"))
            for index in range(first, last):
                outage = outages[index]
                overlap_us = min(end_us, int(ends[index])) - max(earlier_us, outage.start_us)
                covered_us[outage.cause] = covered_us.get(outage.cause, 0) + overlap_us
                lost = -(-overlap_us // interval_us)
                lost_count[outage.cause] = lost_count.get(outage.cause, 0) + lost
                longest[outage.cause] = max(longest.get(outage.cause, (-1, "")), (overlap_us, outage.detail))
        explaining = [cause for cause in covered_us if 2 * lost_count[cause] >= missing_count]
        if not explaining:
            return UNKNOWN, ""
        cause = max(explaining, key=lambda name: covered_us[name])
        return cause, longest[cause][1]
