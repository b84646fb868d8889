"""The store as it was known at a moment, against a model that forgets what came later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.clock import ManualClock
from historian.model.point import DAY_US
from historian.model.quality import DELETED
from historian.model.sample import make_batch
from historian.query.as_of import AsOfReader, MomentClock
from tests.support.version_store import VersionStore

AHEAD_US = 2 * DAY_US
FAR_US = 400 * DAY_US


def times_of(run: object) -> list[int]:
    return run.time_us.tolist()  # type: ignore[attr-defined]


async def filled() -> VersionStore:
    """Point 1: 1.0 at 10 (arrived 100), corrected to 2.0 (arrived 200), deleted (arrived 300); 5.0 at 20 (arrived 200)."""
    clock = ManualClock(100)
    store = VersionStore(clock)
    await store.append(make_batch(1, [10], [1.0]), source="a")
    clock.set_wall(200)
    await store.append(make_batch(1, [10, 20], [2.0, 5.0]), source="a")
    clock.set_wall(300)
    await store.append(make_batch(1, [10], [2.0], DELETED), source="b", reason="wrong meter")
    return store


@pytest.mark.parametrize(
    ("as_of_us", "expected"),
    [
        pytest.param(99, [], id="before anything came"),
        pytest.param(100, [(10, 1.0, 0)], id="at its very arrival a sample is known"),
        pytest.param(199, [(10, 1.0, 0)], id="before the correction"),
        pytest.param(200, [(10, 2.0, 0), (20, 5.0, 0)], id="after the correction"),
        pytest.param(300, [(10, 2.0, DELETED), (20, 5.0, 0)], id="after the deletion"),
    ],
)
async def test_a_read_gives_what_had_arrived(as_of_us: int, expected: list[tuple[int, float, int]]) -> None:
    run = (await AsOfReader(await filled(), as_of_us, AHEAD_US).read([1], 0, 100))[0]
    assert list(zip(*(c.tolist() for c in (run.time_us, run.value, run.quality)), strict=True)) == expected


async def test_runs_come_in_the_order_asked_and_twice_where_asked_twice() -> None:
    store = VersionStore(ManualClock(0))
    await store.append(make_batch([3, 1, 1], [5, 6, 7], [3.0, 1.0, 1.5]), source="a")
    block = await AsOfReader(store, 0, AHEAD_US).read_block([3, 2, 1, 3], 0, 100)
    assert block.offset.tolist() == [0, 1, 1, 3, 4]
    assert block.value.tolist() == [3.0, 1.0, 1.5, 3.0]


async def test_the_newest_of_long_ago_is_found_without_reading_what_came_since() -> None:
    clock = ManualClock(0)
    store = VersionStore(clock)
    await store.append(make_batch(1, [-DAY_US], [1.0]), source="a")
    clock.set_wall(FAR_US)
    count = 30_000
    await store.append(make_batch(1, np.linspace(DAY_US, FAR_US, count), np.ones(count)), source="a")
    assert times_of((await AsOfReader(store, 0, 0).last([1]))[0]) == [-DAY_US]
    assert store.read_rows < 10


SAMPLES = st.lists(
    st.tuples(
        st.integers(1, 3),  # point
        st.integers(-40, 40).map(lambda quarter: quarter * (DAY_US // 4)),
        st.sampled_from([1.0, 2.0]),
        st.sampled_from([0, DELETED]),
        st.integers(0, 3),  # how much later than the one before
    ),
    max_size=25,
)


@given(SAMPLES, st.integers(0, 40), st.integers(-45, 45))
@settings(max_examples=150, deadline=None)
async def test_every_question_is_answered_as_it_was_then(
    arrivals: list[tuple[int, int, float, int, int]], as_of_us: int, quarter: int
) -> None:
    clock, then_clock = ManualClock(0), ManualClock(0)
    now, then = VersionStore(clock), VersionStore(then_clock)
    for point_id, time_us, value, quality, later_us in arrivals:
        clock.set_wall(clock.now_us() + later_us)
        batch = make_batch(point_id, [time_us], [value], quality)
        await now.append(batch, source="a")
        if clock.now_us() <= as_of_us:
            await then.append(batch, source="a")
    reader, ids, at_us = AsOfReader(now, as_of_us, 30 * DAY_US), [1, 2, 3, 4], quarter * (DAY_US // 4)
    for asked, known in (
        (await reader.read(ids, -at_us, at_us), await then.read(ids, -at_us, at_us)),
        (await reader.last(ids), await then.last(ids)),
        (await reader.neighbours(2, at_us), await then.neighbours(2, at_us)),
    ):
        for one, other in zip(asked, known, strict=True):
            assert one.point_id == other.point_id
            for column, expected in zip(one[1:], other[1:], strict=True):
                assert column.tolist() == expected.tolist()


async def test_the_clock_stands() -> None:
    clock = ManualClock(500)
    moment = MomentClock(clock, 100)
    await moment.sleep(2)
    assert (moment.now_us(), moment.monotonic_s()) == (100, 2.0)
