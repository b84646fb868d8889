"""The ring: newest samples of each point, what is known of a batch, and the floor."""

import numpy as np

from historian.model.sample import RunBlock, make_batch
from historian.store.ring import ABSENT, ELSEWHERE, PRESENT, REPEATED, TIME_HIGHEST, TIME_LOWEST, Ring
from tests.support.store_kit import QUARTER_US, as_tuples

ONE = np.array([1], np.uint32)
BOTH = np.array([1, 2], np.uint32)
ROWS = 16  # the fewest a point has


def small_ring() -> Ring:
    """Two points of a quarter of an hour with room for 16 samples each."""
    ring = Ring(1)
    ring.make_rooms(np.array([0, QUARTER_US, QUARTER_US], np.int64))
    return ring


def put(ring: Ring, slots: list[float], value: float = 0.0, point_id: int = 1) -> None:
    times = [round(slot * QUARTER_US) for slot in slots]
    ring.insert(make_batch(point_id, times, np.full(len(times), value)))


def slots_of(ring: Ring, point_id: int = 1) -> list[float]:
    block = ring.read_block(np.array([point_id], np.uint32), TIME_LOWEST, TIME_HIGHEST)
    return [time / QUARTER_US for time in block.time_us.tolist()]


def states(ring: Ring, samples: list[tuple[int, float]]) -> list[int]:
    ids = np.array([point_id for point_id, _ in samples], np.uint32)
    times = np.array([round(slot * QUARTER_US) for _, slot in samples], np.int64)
    known = ring.look_up(ids, times)
    assert known.special_count == np.count_nonzero(known.state != ABSENT)
    return known.state.tolist()


def block_of(slots: list[float], value: float) -> RunBlock:
    times = np.array([round(slot * QUARTER_US) for slot in slots], np.int64)
    count = len(slots)
    return RunBlock(ONE, np.array([0, count]), times, np.full(count, value), np.zeros(count, np.uint16))


def test_samples_are_read_back_in_the_span_asked() -> None:
    ring = small_ring()
    put(ring, [1, 2, 3], value=0.5)
    run = ring.read_block(ONE, 2 * QUARTER_US, 3 * QUARTER_US).run(0)
    assert as_tuples(run) == [(2 * QUARTER_US, 0.5, 0)]


def test_a_block_has_a_run_for_each_id_in_the_order_asked() -> None:
    ring = small_ring()
    put(ring, [1, 2], point_id=2)
    block = ring.read_block(np.array([2, 1], np.uint32), TIME_LOWEST, TIME_HIGHEST)
    assert block.point_id.tolist() == [2, 1]
    assert block.offset.tolist() == [0, 2, 2]


def test_the_newest_arrival_wins() -> None:
    ring = small_ring()
    ring.insert(make_batch(1, [0, 0], [1.0, 2.0]))
    assert ring.read_block(ONE, 0, 1).value.tolist() == [2.0]
    ring.insert(make_batch(1, [0], [3.0]))
    assert ring.read_block(ONE, 0, 1).value.tolist() == [3.0]


def test_nan_is_a_value_like_any_other() -> None:
    ring = small_ring()
    ring.insert(make_batch(1, [0], [np.nan]))
    assert np.isnan(ring.read_block(ONE, 0, 1).value).tolist() == [True]


def test_what_the_newest_slots_push_out_raises_the_floor() -> None:
    ring = small_ring()
    put(ring, list(range(20)))
    assert slots_of(ring) == list(range(4, 20))
    assert ring.floors(ONE).tolist() == [3 * QUARTER_US]


def test_a_jump_ahead_leaves_old_slots_behind() -> None:
    ring = small_ring()
    put(ring, [0, 1, 2, 100])
    assert slots_of(ring) == [100]
    assert ring.floors(ONE).tolist() == [(100 - ROWS) * QUARTER_US]


def test_a_sample_older_than_all_slots_is_not_kept() -> None:
    ring = small_ring()
    put(ring, [100, 3])
    assert slots_of(ring) == [100]


def test_a_point_keeps_its_phase() -> None:
    ring = small_ring()
    put(ring, [0.25, 1.25])
    put(ring, [1, 2], point_id=2)
    assert slots_of(ring) == [0.25, 1.25]
    assert slots_of(ring, 2) == [1, 2]


def test_a_point_off_its_grid_keeps_all_it_had() -> None:
    ring = small_ring()
    put(ring, [1, 2, 3])
    put(ring, [2.5, 4])
    assert slots_of(ring) == [1, 2, 2.5, 3, 4]
    assert ring.floors(ONE).tolist() == [(4 - ROWS) * QUARTER_US]


def test_a_point_off_its_grid_keeps_as_many_samples_as_one_on_it() -> None:
    ring = small_ring()
    put(ring, [slot + slot % 2 / 4 for slot in range(20)])
    assert len(slots_of(ring)) == ROWS
    assert ring.floors(ONE).tolist() == [round(3.25 * QUARTER_US)]


def test_look_up_tells_apart_absent_present_elsewhere_and_repeated() -> None:
    ring = small_ring()
    put(ring, [slot for slot in range(20) if slot != 10])
    samples = [(1, 50.0), (1, 50.0), (1, 12.0), (1, 10.0), (1, 1.0), (1, 60.0)]
    assert states(ring, samples) == [ABSENT, REPEATED, PRESENT, REPEATED, ELSEWHERE, ABSENT]


def test_look_up_gives_value_and_quality_of_what_is_present() -> None:
    ring = small_ring()
    ring.insert(make_batch(1, [0], [1.5], [7]))
    known = ring.look_up(ONE, np.array([0]))
    assert (known.value.tolist(), known.quality.tolist()) == ([1.5], [7])


def test_a_hole_above_the_floor_is_surely_absent() -> None:
    ring = small_ring()
    put(ring, [1, 3])
    assert states(ring, [(1, 2)]) == [ABSENT]


def test_what_is_later_than_all_that_is_stored_is_absent_even_below_the_floor() -> None:
    ring = small_ring()
    put(ring, [100])
    assert states(ring, [(2, 3), (2, 4)]) == [ABSENT, ABSENT]
    put(ring, [4], point_id=2)
    assert states(ring, [(2, 3), (2, 5)]) == [ELSEWHERE, ABSENT]


def test_nothing_special_costs_no_columns() -> None:
    known = small_ring().look_up(ONE, np.array([50]))
    assert (known.special_count, len(known.value), len(known.quality)) == (0, 0, 0)


def test_look_up_leaves_no_trace() -> None:
    ring = small_ring()
    assert states(ring, [(1, 5), (1, 4)]) == [ABSENT, REPEATED]
    assert states(ring, [(1, 4), (1, 3)]) == [ABSENT, REPEATED]


def test_look_up_knows_samples_off_the_grid() -> None:
    ring = small_ring()
    put(ring, [1, 1.5])
    assert states(ring, [(1, 1.25), (1, 1.5)]) == [ABSENT, PRESENT]


def test_the_newest_sample_is_found_whatever_came_last() -> None:
    ring = small_ring()
    put(ring, [5, 4], value=2.0)
    last = ring.newest(BOTH)
    assert last.is_found.tolist() == [True, False]
    assert (last.time_us[0], last.value[0]) == (5 * QUARTER_US, 2.0)


def test_where_nothing_is_found_the_time_bounds_what_is_stored() -> None:
    ring = small_ring()
    assert ring.newest(ONE).time_us.tolist() == [TIME_LOWEST]
    ring.raise_floor(ONE, np.array([7]))
    assert ring.newest(ONE).time_us.tolist() == [7]


def test_the_reach_of_points_is_their_floors_and_their_newest_sample() -> None:
    ring = small_ring()
    assert ring.reach(BOTH) == (TIME_LOWEST, TIME_LOWEST, TIME_LOWEST)
    put(ring, [20, 1])
    ring.raise_floor(np.array([2], np.uint32), np.array([9 * QUARTER_US]))
    assert ring.reach(ONE) == (4 * QUARTER_US, 4 * QUARTER_US, 20 * QUARTER_US)
    of_both = 4 * QUARTER_US, 9 * QUARTER_US, 20 * QUARTER_US
    assert ring.reach(BOTH) == ring.reach(BOTH[::-1].copy()) == of_both


def test_a_raised_floor_sends_readers_elsewhere() -> None:
    ring = small_ring()
    ring.raise_floor(ONE, np.array([3 * QUARTER_US]))
    ring.raise_floor(ONE, np.array([2 * QUARTER_US]))
    assert ring.floors(BOTH).tolist() == [3 * QUARTER_US, TIME_LOWEST]
    assert states(ring, [(1, 3), (1, 4)]) == [ELSEWHERE, ABSENT]


def test_filling_adds_what_is_older_and_lowers_the_floor() -> None:
    ring = small_ring()
    ring.raise_floor(ONE, np.array([3 * QUARTER_US]))
    put(ring, [3, 4], value=9.0)
    ring.fill(block_of([1, 2, 3], 1.0), ONE, 0)
    assert slots_of(ring) == [1, 2, 3, 4]
    assert ring.read_block(ONE, TIME_LOWEST, TIME_HIGHEST).value.tolist() == [1.0, 1.0, 9.0, 9.0]
    assert ring.floors(ONE).tolist() == [0]


def test_filling_never_raises_a_floor() -> None:
    ring = small_ring()
    ring.fill(block_of([], 1.0), ONE, 5)
    assert ring.floors(ONE).tolist() == [TIME_LOWEST]


def test_filling_a_point_off_the_grid_gives_it_a_circle() -> None:
    ring = small_ring()
    ring.raise_floor(ONE, np.array([9 * QUARTER_US]))
    ring.fill(block_of([1, 2.5, 4], 1.0), ONE, 0)
    assert slots_of(ring) == [1, 2.5, 4]
    put(ring, [2.5], value=5.0)
    ring.fill(block_of([2.5], 1.0), ONE, 0)
    assert ring.read_block(ONE, TIME_LOWEST, TIME_HIGHEST).value.tolist() == [1.0, 5.0, 1.0]


def test_filling_leaves_alone_what_a_circle_has_lost() -> None:
    ring = small_ring()
    put(ring, [0.5, 1])
    put(ring, list(range(2, 19)))
    assert ring.floors(ONE).tolist() == [2 * QUARTER_US]
    ring.fill(block_of([1, 2], 7.0), ONE, 0)
    assert slots_of(ring) == list(range(3, 19))
    assert ring.floors(ONE).tolist() == [2 * QUARTER_US]


def test_new_points_get_room_without_touching_old_ones() -> None:
    ring = small_ring()
    put(ring, [1, 2, 3])
    ring.make_rooms(np.full(5000, QUARTER_US))
    assert slots_of(ring) == [1, 2, 3]
    put(ring, [7], point_id=4999)
    assert slots_of(ring, 4999) == [7]
    assert ring.point_count >= 5000


def test_ids_without_a_point_lack_room() -> None:
    ring = small_ring()
    ring.make_rooms(np.array([0, QUARTER_US, QUARTER_US, 0], np.int64))
    assert ring.lacks_room(np.array([1, 3], np.uint32))
    assert not ring.lacks_room(BOTH)
    assert ring.read_block(np.array([3], np.uint32), 0, 9).sample_count == 0


def test_memory_is_eleven_bytes_a_slot() -> None:
    ring = Ring(48)
    ring.make_rooms(np.full(1001, QUARTER_US))
    assert ring.size_bytes == 1001 * 194 * 11
