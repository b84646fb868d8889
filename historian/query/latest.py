"""The newest sample of a point, with its age and whether it is older than the point promises."""

from typing import NamedTuple

import msgspec

from historian.model.point import SECOND_US, Point
from historian.model.quality import MISSING
from historian.model.sample import LastBlock, SampleRun

STALE_INTERVALS = 2  # one missed sample is forgiven


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """Newest by time, not by arrival; no sample at all gives None and counts as stale.

    `age_s` is counted from the sample's stored time, for a period from its start.
    """

    point_id: int
    time_us: int | None
    value: float | None
    quality: int
    age_s: float | None
    is_stale: bool


class LatestBlock(NamedTuple):
    """The newest samples of many points in columns, and the moment from which ages count."""

    newest: LastBlock
    now_us: int


def latest_of(point: Point, run: SampleRun, now_us: int) -> Latest:
    """From a run whose last sample is the newest."""
    if run.sample_count == 0:
        return Latest(point_id=point.id, time_us=None, value=None, quality=MISSING, age_s=None, is_stale=True)
    time_us = int(run.time_us[-1])
    age_us = max(0, now_us - time_us)  # a source clock ahead of ours makes nothing younger than now
    return Latest(
        point_id=point.id,
        time_us=time_us,
        value=float(run.value[-1]),
        quality=int(run.quality[-1]),
        age_s=age_us / SECOND_US,
        is_stale=age_us > stale_after_us(point),
    )


def stale_after_us(point: Point) -> int:
    """The age above which a point is stale; a period's sample can only come when the period is over."""
    return (STALE_INTERVALS + (1 if point.has_period else 0)) * point.interval_us
