"""Samples in the plainest form, for tests that compare what engines answer."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from historian.model.sample import Origin, RunBlock, SampleBatch, make_batch
from historian.model.timestamp import parse_time_us
from historian.store.engine import StoreEngine, VersionColumn

QUARTER_US: Final = 15 * 60_000_000
DAY_US: Final = 96 * QUARTER_US
START_US: Final = parse_time_us("2026-01-01T00:00:00Z")
ORIGIN: Final = Origin("conformance")
Row = tuple[
    int, int, str, int
]  # point, time, value as text (so that NaN equals NaN and -0.0 differs), quality


def batch(
    ids: Sequence[int], slots: Sequence[int], values: Sequence[float], quality: Sequence[int] | int = 0
) -> SampleBatch:
    """Samples at quarters of an hour after `START_US`."""
    return make_batch(ids, START_US + np.asarray(slots, np.int64) * QUARTER_US, values, quality)


async def put(
    engine: StoreEngine,
    ids: Sequence[int],
    slots: Sequence[int],
    values: Sequence[float],
    *,
    quality: Sequence[int] | int = 0,
    version: int | VersionColumn | None = None,
) -> None:
    """Append and commit one batch."""
    await engine.commit(engine.append(batch(ids, slots, values, quality), ORIGIN, version))


def row(point_id: int, slot: int, value: float, quality: int = 0) -> Row:
    """A sample as `rows_of` gives it."""
    return point_id, START_US + slot * QUARTER_US, repr(value), quality


def rows_of(block: RunBlock) -> list[Row]:
    """A block as plain rows: point by point in the order asked, times rising."""
    ids = np.repeat(block.point_id, np.diff(block.offset)).tolist()
    values = map(repr, block.value.tolist())
    return list(zip(ids, block.time_us.tolist(), values, block.quality.tolist(), strict=True))
