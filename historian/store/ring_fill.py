"""After a start: brings the newest hours of sealed samples into the ring, a slice of points at a time.

Until a point's turn has come, its recent samples are read from segments: slower, never wrong.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.logs import EventLog
from historian.model.point import DAY_US, HOUR_US
from historian.model.sample import PointIdColumn
from historian.store.archive import Archive, LiveSegment
from historian.store.ring import TIME_HIGHEST, TIME_LOWEST
from historian.store.store import Store

log = EventLog("store")

POINTS_AT_ONCE = 512  # of which 48 h at 15 minutes are some 100,000 samples: about 1 ms on the loop
_STRAY_SHARE = 100  # one point in so many may have a wrong clock before the ring is filled around it


class _Window(NamedTuple):
    """What goes into the ring: ``[start, end)`` of the points that have nothing later."""

    start_us: int
    end_us: int
    has_later: npt.NDArray[np.bool_]  # by point id


async def fill_ring(store: Store) -> None:
    """Lower the floor of points to `ring_hours` before now, or before the newest samples where these are older."""
    if store.archive.time_max_us == TIME_LOWEST:
        return
    began_s = store.clock.monotonic_s()
    ids = np.arange(store.ring.point_count, dtype=np.uint32)
    ring_us = store.settings.ring_hours * HOUR_US
    reader = store.threads.reader
    window = await store.in_thread(reader, _window_of, store.archive, ids, store.clock.now_us(), ring_us)
    filled_count = 0
    for first in range(0, len(ids), POINTS_AT_ONCE):
        part = ids[first : first + POINTS_AT_ONCE]
        part = part[~window.has_later[part]]
        segments = store.archive.select(window.start_us, window.end_us)
        block, is_damaged = await store.in_thread(
            reader, store.archive.read_undamaged_block, segments, part, window.start_us, window.end_us
        )
        if not is_damaged:  # else the ring must not pass for complete: every read is to meet the damage
            store.ring.fill(block, part, window.start_us - 1)
            filled_count += block.sample_count
    took_ms = round((store.clock.monotonic_s() - began_s) * 1000)
    log.info("ring_filled", samples=filled_count, took_ms=took_ms)


def _window_of(archive: Archive, ids: PointIdColumn, now_us: int, ring_us: int) -> _Window:
    """Reads indexes: for the reader thread."""
    newest_us = _newest_us(archive, ids, now_us)
    end_us = newest_us + DAY_US
    has_later = archive.time_span(ids, archive.select(end_us, TIME_HIGHEST))[1] >= end_us
    return _Window(newest_us - ring_us, end_us, has_later)


def _newest_us(archive: Archive, ids: PointIdColumn, now_us: int) -> int:
    """Now; or the newest samples where these are older by a day, or most lie ahead: a clock that lost its battery
    says 1970. Single points may have wrong clocks of their own.
    """
    _, last = archive.time_span(ids, _newest_segments(archive, len(ids)))
    last = np.sort(last[last != TIME_LOWEST])
    past = last[: np.searchsorted(last, now_us + DAY_US)]
    is_clock_good = 2 * len(past) >= len(last)
    if not len(last):
        return now_us
    newest_us = int(past[-1 - len(past) // _STRAY_SHARE] if is_clock_good else np.median(last))
    return now_us if is_clock_good and newest_us > now_us - DAY_US else newest_us


def _newest_segments(archive: Archive, point_count: int) -> list[LiveSegment]:
    """The segments with the latest ends that between them may hold half of the points."""
    chosen, run_count = [], 0
    for live in sorted(archive.live, key=lambda live: -live.info.time_max_us):
        if 2 * run_count >= point_count:
            break
        chosen.append(live)
        run_count += live.info.run_count
    return chosen
