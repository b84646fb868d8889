"""After a start: brings the newest hours of sealed samples into the ring, a slice of points at a time.

Until a point's turn has come, its recent samples are read from segments: slower, never wrong.
"""

import numpy as np

from historian.logs import EventLog
from historian.model.point import DAY_US, HOUR_US
from historian.store.ring import TIME_HIGHEST
from historian.store.store import Store

log = EventLog("store")

POINTS_AT_ONCE = 512  # of which 48 h at 15 minutes are some 100,000 samples: about 1 ms on the loop


async def fill_ring(store: Store) -> None:
    """Lower the floor of every point to `ring_hours` ago; ends when all have had their turn."""
    start_us = _start_us(store)
    if store.archive.time_max_us < start_us:
        return
    began_s = store.clock.monotonic_s()
    ids = np.arange(store.ring.point_count, dtype=np.uint32)
    filled_count = 0
    for first in range(0, len(ids), POINTS_AT_ONCE):
        part = ids[first : first + POINTS_AT_ONCE]
        segments = store.archive.select(start_us, TIME_HIGHEST)
        block, is_damaged = await store.in_thread(
            store.threads.reader, store.archive.read_undamaged_block, segments, part, start_us, TIME_HIGHEST
        )
        if not is_damaged:  # else the ring must not pass for complete: every read is to meet the damage
            store.ring.fill(block, part, start_us - 1)
            filled_count += block.sample_count
    took_ms = round((store.clock.monotonic_s() - began_s) * 1000)
    log.info("ring_filled", samples=filled_count, took_ms=took_ms)


def _start_us(store: Store) -> int:
    """`ring_hours` before now; a clock that lost its battery says 1970, and everything would be recent."""
    newest_us = store.archive.time_max_us
    now_us = store.clock.now_us()
    return (now_us if now_us > newest_us - DAY_US else newest_us) - store.settings.ring_hours * HOUR_US
