"""The ring against plain dicts: whatever comes in whatever order, it is complete above each point's floor."""

import math
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.model.sample import RunBlock, SampleBatch, make_batch
from historian.store.ring import ABSENT, ELSEWHERE, PRESENT, REPEATED, TIME_HIGHEST, TIME_LOWEST, Ring

STEP_US = 60_000_000
INTERVALS = [0, 15 * STEP_US, 15 * STEP_US, 5 * STEP_US]  # by point id: 16 rows each with one hour
IDS = np.array([1, 2, 3], np.uint32)

TIMES = st.one_of(
    st.integers(0, 60).map(lambda slot: slot * 15 * STEP_US),
    st.integers(0, 60).map(lambda slot: slot * 5 * STEP_US + 7),
    st.integers(0, 900).map(lambda minute: minute * STEP_US),
)
SAMPLES = st.lists(
    st.tuples(st.integers(1, 3), TIMES, st.floats(allow_infinity=False)), min_size=1, max_size=30
)
SCANS = st.tuples(st.integers(0, 60), st.sets(st.integers(1, 3), min_size=1)).map(
    lambda scan: [(point_id, scan[0] * 15 * STEP_US, float(scan[0])) for point_id in sorted(scan[1])]
)
BATCHES = st.lists(st.one_of(SAMPLES, SCANS), max_size=12)

Stored = dict[int, dict[int, float]]


def new_ring() -> Ring:
    ring = Ring(1)
    ring.make_rooms(np.array(INTERVALS, np.int64))
    return ring


def batch_of(samples: list[tuple[int, int, float]]) -> SampleBatch:
    point_ids, times, values = zip(*samples, strict=True)
    return make_batch(point_ids, times, values, np.arange(len(samples)))


def is_same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def assert_cache(ring: Ring, stored: Stored) -> None:
    """All that is in the ring is stored, and all that is stored above the floor is in the ring."""
    floors = dict(zip(IDS.tolist(), ring.floors(IDS).tolist(), strict=True))
    for run in ring.read_block(IDS, TIME_LOWEST, TIME_HIGHEST).runs():
        held = dict(zip(run.time_us.tolist(), run.value.tolist(), strict=True))
        assert list(held) == sorted(held)
        assert all(is_same(stored[run.point_id][time], value) for time, value in held.items())
        assert {time for time in stored[run.point_id] if time > floors[run.point_id]} <= set(held)
        assert_newest(ring, run.point_id, stored, held, floors[run.point_id])


def assert_newest(ring: Ring, point_id: int, stored: Stored, held: dict[int, float], floor_us: int) -> None:
    last = ring.newest(np.array([point_id], np.uint32))
    highest = max(stored[point_id], default=TIME_LOWEST)
    assert last.time_us[0] >= highest or last.is_found[0]
    if last.is_found[0]:
        assert last.time_us[0] == max(held)
        assert is_same(float(last.value[0]), held[max(held)])
    elif highest > floor_us:
        raise AssertionError("what is above the floor is found")


def assert_look_up(ring: Ring, batch: SampleBatch, stored: Stored) -> None:
    """Each state says what is true; ABSENT is never said of what is stored or repeated."""
    floors = ring.floors(batch.point_id).tolist()
    known = ring.look_up(batch.point_id, batch.time_us)
    keys = list(zip(batch.point_id.tolist(), batch.time_us.tolist(), strict=True))
    for place, (state, key, floor_us) in enumerate(zip(known.state.tolist(), keys, floors, strict=True)):
        point_id, time_us = key
        if state == ABSENT:
            assert time_us not in stored[point_id]
            assert key not in keys[:place]
        elif state == PRESENT:
            assert is_same(float(known.value[place]), stored[point_id][time_us])
        elif state == ELSEWHERE:
            assert time_us <= floor_us
        else:
            assert state == REPEATED
            assert any(earlier[0] == point_id and earlier[1] >= time_us for earlier in keys[:place])
    assert known.special_count == np.count_nonzero(known.state != ABSENT)


def put(ring: Ring, samples: list[tuple[int, int, float]], stored: Stored) -> None:
    ring.insert(batch_of(samples))
    for point_id, time_us, value in samples:
        stored[point_id][time_us] = value


@given(BATCHES)
def test_the_ring_is_complete_above_the_floor_and_never_wrong(
    batches: list[list[tuple[int, int, float]]],
) -> None:
    ring, stored = new_ring(), defaultdict(dict)
    for samples in batches:
        assert_look_up(ring, batch_of(samples), stored)
        put(ring, samples, stored)
        assert_cache(ring, stored)


@given(BATCHES, st.integers(1, 200))
def test_new_points_change_nothing_for_the_others(
    batches: list[list[tuple[int, int, float]]], more: int
) -> None:
    ring, stored = new_ring(), defaultdict(dict)
    for number, samples in enumerate(batches):
        put(ring, samples, stored)
        ring.make_rooms(np.array([*INTERVALS, *[15 * STEP_US] * (more * number)], np.int64))
        assert_cache(ring, stored)


@given(BATCHES, BATCHES, BATCHES, st.integers(-1, 70))
def test_filling_from_segments_never_covers_what_is_newer(
    sealed: list[list[tuple[int, int, float]]],
    before: list[list[tuple[int, int, float]]],
    after: list[list[tuple[int, int, float]]],
    floor_slot: int,
) -> None:
    ring, stored = new_ring(), defaultdict(dict)
    for samples in sealed:
        for point_id, time_us, value in samples:
            stored[point_id][time_us] = value
    archived = {point_id: dict(samples) for point_id, samples in stored.items()}
    highest = max((time for samples in archived.values() for time in samples), default=TIME_LOWEST)
    ring.raise_floor(IDS, np.full(3, highest))
    for samples in before:
        assert_look_up(ring, batch_of(samples), stored)
        put(ring, samples, stored)
        assert_cache(ring, stored)
    ring.fill(block_of(archived, floor_slot * 15 * STEP_US), IDS, floor_slot * 15 * STEP_US)
    assert_cache(ring, stored)
    for samples in after:
        assert_look_up(ring, batch_of(samples), stored)
        put(ring, samples, stored)
        assert_cache(ring, stored)


def block_of(archived: Stored, above_us: int) -> RunBlock:
    """Archived samples of all points later than `above_us`."""
    runs = [sorted((t, v) for t, v in archived.get(p, {}).items() if t > above_us) for p in IDS.tolist()]
    offset = np.cumsum([0, *(len(run) for run in runs)])
    times = np.array([time for run in runs for time, _ in run], np.int64)
    values = np.array([value for run in runs for _, value in run], np.float64)
    return RunBlock(IDS, offset, times, values, np.zeros(len(times), np.uint16))
