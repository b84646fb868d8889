"""The seam's default bucket, over the twin, gives what the twin itself computes without a kernel."""

import numpy as np
import pytest

from historian.model.sample import RunBlock
from historian.store.engine import Buckets, EngineDefaults
from historian.testing.rows import QUARTER_US, START_US, put
from historian.testing.twin import Ids, Twin

EDGES = START_US + np.array([0, 4, 5, 9]) * QUARTER_US


class WithDefaults(EngineDefaults, Twin):
    """The twin's samples, the seam's bucket."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    async def read_block(self, point_ids: Ids, start_us: int, end_us: int) -> RunBlock:
        self.asked.append((start_us, end_us))
        return await super().read_block(point_ids, start_us, end_us)


@pytest.fixture
async def engine() -> WithDefaults:
    """Point 1 in every quarter of an hour, one of them corrected, point 2 with gaps and no numbers."""
    engine = WithDefaults()
    await put(engine, [1] * 12, range(-1, 11), np.arange(12.0).tolist())
    await put(engine, [1], [3], [-50.0])
    await put(engine, [2] * 4, [0, 4, 8, 9], [np.nan, 2.5, np.inf, 7.0])
    return engine


def as_lists(figures: Buckets) -> list[object]:
    return [np.nan_to_num(column, nan=-999.0).tolist() for column in figures]


async def test_it_equals_what_the_twin_computes(engine: WithDefaults) -> None:
    for ids in ([1, 2], [2, 1, 2], [9], []):
        assert as_lists(await engine.bucket(ids, EDGES)) == as_lists(await Twin.bucket(engine, ids, EDGES))


async def test_points_stand_in_the_order_asked_and_unknown_ones_are_empty(engine: WithDefaults) -> None:
    figures = await engine.bucket([2, 9, 1], EDGES)
    assert figures.sample_count.tolist() == [[0, 1, 0], [0, 0, 0], [4, 1, 4]]
    assert figures.total[2, 0] == 1.0 + 2.0 + 3.0 - 50.0


async def test_it_reads_once_and_no_more_than_it_needs(engine: WithDefaults) -> None:
    await engine.bucket([1, 2], EDGES)
    assert engine.asked == [(EDGES[0], EDGES[-1])]


async def test_one_edge_is_no_bucket(engine: WithDefaults) -> None:
    with pytest.raises(AssertionError, match="two edges"):
        await engine.bucket([1], EDGES[:1])
