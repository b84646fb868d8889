"""Runs every kernel of the write and read path once on toy data, so that no request waits for the compiler.

The compiled code is kept on disk: this takes seconds the very first time and milliseconds after.
"""

import numpy as np

from historian.model.sample import make_batch
from historian.store import columns, segment_write
from historian.store.late import Found, LateBuffer
from historian.store.ring import TIME_HIGHEST, TIME_LOWEST, Ring


def warm_kernels() -> None:
    """Touch ring, late buffer and segment packing with the types they meet in earnest."""
    ring = Ring(1)
    ring.make_rooms(np.array([0, 3_600_000_000], np.int64))
    ids = np.array([1], np.uint32)
    batch = make_batch([1, 1, 1], [0, 7, 3], [0.1, 1.0, 3.0])
    ring.look_up(batch.point_id, batch.time_us)
    ring.insert(batch, 1, 0)
    ring.newest(ids)
    ring.read(ids, TIME_LOWEST, TIME_HIGHEST)
    rows = ring.unsealed(0)
    loaded = Ring(1)
    loaded.make_rooms(np.array([0, 3_600_000_000], np.int64))
    loaded.load(rows)
    late = LateBuffer()
    late.add(rows)
    late.add(rows.take(np.arange(rows.row_count)))
    late.look_up(ids, batch.time_us[:1].copy(), Found(1))
    late.read(ids, TIME_LOWEST, TIME_HIGHEST)
    newest, _ = columns.split_versions([rows])
    segment_write.pack(newest)
