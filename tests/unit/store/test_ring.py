"""The ring: newest samples of each point, nothing unsealed lost, the invariant of the floor."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.model.sample import SampleBatch, make_batch
from historian.store import ring_kernels
from historian.store.ring import TIME_HIGHEST, TIME_LOWEST, Ring
from tests.support.store_kit import QUARTER_US, as_tuples

ONE = np.array([1], np.uint32)


def small_ring() -> Ring:
    """Two points with room for 16 samples each."""
    ring = Ring(1)
    ring.make_rooms(np.array([0, QUARTER_US, QUARTER_US], np.int64))
    return ring


def put(
    ring: Ring, times: list[int], sequence: int = 1, sealed: int = 0, value: float = 0.0
) -> list[list[int]]:
    """Insert samples of point 1; gives back [late positions, times pushed out]."""
    inserted = ring.insert(make_batch(1, times, np.full(len(times), value)), sequence, sealed)
    return [inserted.late.tolist(), inserted.pushed_out.time_us.tolist()]


def times_of(ring: Ring) -> list[int]:
    return ring.read(ONE, TIME_LOWEST, TIME_HIGHEST)[0].time_us.tolist()


def test_in_order_samples_are_read_back() -> None:
    ring = small_ring()
    put(ring, [1, 2, 3], value=0.5)
    assert as_tuples(ring.read(ONE, 2, 4)[0]) == [(2, 0.5, 0), (3, 0.5, 0)]


def test_a_sample_between_others_is_inserted_in_its_place() -> None:
    ring = small_ring()
    put(ring, [10, 30, 20, 5])
    assert times_of(ring) == [5, 10, 20, 30]


def test_a_newer_version_replaces_and_the_unsealed_old_one_is_handed_back() -> None:
    ring = small_ring()
    put(ring, [10], sequence=1)
    assert put(ring, [10], sequence=2, value=9.0) == [[], [10]]
    assert ring.read(ONE, 0, 99)[0].value.tolist() == [9.0]


def test_a_sealed_old_version_is_not_handed_back_since_a_segment_has_it() -> None:
    ring = small_ring()
    put(ring, [10], sequence=1)
    assert put(ring, [10], sequence=2, sealed=1) == [[], []]


def test_a_full_row_hands_back_its_oldest_unsealed_sample_and_raises_the_floor() -> None:
    ring = small_ring()
    put(ring, list(range(16)))
    assert put(ring, [16, 17]) == [[], [0, 1]]
    assert ring.floor_us[1] == 1
    assert times_of(ring) == list(range(2, 18))


def test_a_sample_at_or_below_the_floor_is_late() -> None:
    ring = small_ring()
    put(ring, list(range(20)))
    assert put(ring, [3, 100, 2]) == [[0, 2], [4]]


def test_a_sample_older_than_a_full_row_is_late_and_lifts_the_floor_to_itself() -> None:
    ring = small_ring()
    put(ring, list(range(10, 26)))
    assert put(ring, [5]) == [[0], []]
    assert ring.floor_us[1] == 5


def test_look_up_tells_apart_absent_present_elsewhere_and_repeated() -> None:
    ring = small_ring()
    put(ring, list(range(0, 40, 2)), value=1.5)
    known = ring.look_up(np.full(6, 1, np.uint32), np.array([50, 50, 38, 37, 0, 60]))
    assert known.state.tolist() == [
        ring_kernels.ABSENT,
        ring_kernels.REPEATED,
        ring_kernels.PRESENT,
        ring_kernels.REPEATED,
        ring_kernels.ELSEWHERE,
        ring_kernels.ABSENT,
    ]
    assert known.special_count == 4
    assert known.value[2] == 1.5


def test_look_up_leaves_no_trace() -> None:
    ring = small_ring()
    ring.look_up(ONE, np.array([50]))
    assert ring.look_up(ONE, np.array([40])).special_count == 0


def test_new_points_get_rows_without_touching_old_ones() -> None:
    ring = small_ring()
    put(ring, [1, 2, 3])
    ring.make_rooms(np.full(5000, QUARTER_US))
    assert times_of(ring) == [1, 2, 3]
    ring.insert(make_batch(4999, [7], [1.0]), 1, 0)
    assert ring.read(np.array([4999], np.uint32), 0, 9)[0].time_us.tolist() == [7]


def test_unsealed_gives_what_came_after_the_sealed_sequence_by_point_and_time() -> None:
    ring = small_ring()
    put(ring, [5], sequence=1)
    ring.insert(make_batch([2, 1], [9, 3], [1.0, 2.0]), 2, 0)
    rows = ring.unsealed(1)
    assert list(zip(rows.point_id.tolist(), rows.time_us.tolist(), strict=True)) == [(1, 3), (2, 9)]


def test_loading_keeps_the_newest_and_sets_the_floor() -> None:
    source, ring = Ring(1000), small_ring()
    source.make_rooms(np.array([0, QUARTER_US], np.int64))
    source.insert(make_batch(1, range(30), np.zeros(30)), 1, 0)
    ring.load(source.unsealed(0))
    assert times_of(ring) == list(range(14, 30))
    assert ring.floor_us[1] == 13


def plain_insert(
    rows: dict[int, tuple[float, int]], floor: int, batch: SampleBatch, capacity: int
) -> tuple[int, list[int], list[int]]:
    """The twin of the kernel for one point with everything unsealed: (floor, late positions, times handed back)."""
    late, out = [], []
    for position, (time, value) in enumerate(zip(batch.time_us.tolist(), batch.value.tolist(), strict=True)):
        if time <= floor:
            late.append(position)
        elif time in rows:
            out.append(time)
            rows[time] = (value, 1)
        elif len(rows) == capacity and time < min(rows):
            floor = time
            late.append(position)
        else:
            if len(rows) == capacity:
                floor = min(rows)
                out.append(floor)
                del rows[floor]
            rows[time] = (value, 1)
    return floor, late, out


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 9)), min_size=1, max_size=30), max_size=6)
)
def test_the_kernel_and_its_plain_twin_agree(batches: list[list[tuple[int, float]]]) -> None:
    ring = small_ring()
    rows: dict[int, tuple[float, int]] = {}
    floor = TIME_LOWEST
    for samples in batches:
        batch = make_batch(1, [time for time, _ in samples], [value for _, value in samples])
        inserted = ring.insert(batch, 1, 0)
        floor, late, out = plain_insert(rows, floor, batch, 16)
        assert inserted.late.tolist() == late
        assert inserted.pushed_out.time_us.tolist() == out
        assert ring.floor_us[1] == floor
        run = ring.read(ONE, TIME_LOWEST, TIME_HIGHEST)[0]
        assert as_tuples(run) == [(time, rows[time][0], 0) for time in sorted(rows)]
