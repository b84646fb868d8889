"""Unsealed batches: every version kept, the newest found, a seal's samples readable until it ends."""

import numpy as np

from historian.model.sample import make_batch
from historian.store.unsealed import TIME_HIGHEST, TIME_LOWEST, Found, Unsealed

IDS = np.array([1, 2], np.uint32)


def add(unsealed: Unsealed, point_id: int, times: list[int], value: float, sequence: int) -> None:
    unsealed.add(make_batch(point_id, times, np.full(len(times), value)), sequence, sequence)


def look_up(unsealed: Unsealed, point_id: int, time_us: int) -> float | None:
    found = Found(1)
    unsealed.look_up(np.array([point_id], np.uint32), np.array([time_us], np.int64), found)
    return float(found.value[0]) if found.is_found[0] else None


def test_the_highest_sequence_is_found() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5], 1.0, sequence=3)
    add(unsealed, 1, [5], 2.0, sequence=2)
    assert look_up(unsealed, 1, 5) == 1.0
    assert look_up(unsealed, 1, 6) is None


def test_of_equal_sequences_the_later_sample_is_found() -> None:
    unsealed = Unsealed()
    unsealed.add(make_batch(1, [5, 5], [1.0, 2.0]), 2, 1)
    assert look_up(unsealed, 1, 5) == 2.0
    unsealed.add(make_batch(1, [5], [3.0]), 2, 2)
    assert look_up(unsealed, 1, 5) == 3.0


def test_what_was_found_elsewhere_stays_where_it_is_newer() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5], 1.0, sequence=3)
    found = Found(1)
    found.is_found[0], found.value[0], found.sequence[0] = 1, 9.0, 4
    unsealed.look_up(IDS[:1], np.array([5]), found)
    assert found.value[0] == 9.0


def test_all_versions_are_read_or_only_the_newest() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5, 6], 1.0, sequence=1)
    add(unsealed, 1, [5], 2.0, sequence=2)
    assert unsealed.read_versions(IDS, 0, 9).value.tolist() == [1.0, 2.0, 1.0]
    assert unsealed.read_newest(IDS, 0, 9).value.tolist() == [2.0, 1.0]
    assert unsealed.read_newest(IDS, 6, 6).row_count == 0
    assert unsealed.read_newest(IDS[1:], 0, 9).row_count == 0


def test_newest_time_looks_below_a_bound() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5, 9], 1.0, sequence=1)
    assert unsealed.newest_time(IDS, 9).tolist() == [5, TIME_LOWEST]
    assert unsealed.newest_time(IDS[:0], 9).tolist() == []


def test_frozen_samples_stay_readable_until_forgotten() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5], 1.0, sequence=1)
    frozen = unsealed.freeze()
    assert (frozen.sample_count, frozen.record) == (1, 1)
    add(unsealed, 1, [6], 2.0, sequence=2)
    assert look_up(unsealed, 1, 5) == 1.0
    assert unsealed.count == 2
    unsealed.forget()
    assert (look_up(unsealed, 1, 5), look_up(unsealed, 1, 6)) == (None, 2.0)
    assert unsealed.count == 1


def test_a_failed_seal_gives_its_samples_back() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [5], 1.0, sequence=1)
    unsealed.freeze()
    add(unsealed, 1, [5], 2.0, sequence=2)
    unsealed.thaw()
    assert unsealed.freeze().sorted_rows().value.tolist() == [1.0, 2.0]


def test_what_was_sorted_for_a_reader_is_sealed_like_the_rest() -> None:
    unsealed = Unsealed()
    add(unsealed, 2, [5], 1.0, sequence=1)
    look_up(unsealed, 2, 5)
    add(unsealed, 1, [5], 2.0, sequence=2)
    rows = unsealed.freeze().sorted_rows()
    assert (rows.point_id.tolist(), rows.sequence.tolist()) == ([1, 2], [2, 1])


def test_without_samples_the_span_is_empty() -> None:
    unsealed = Unsealed()
    assert unsealed.time_span() == (TIME_HIGHEST, TIME_LOWEST)
    unsealed.add(make_batch(1, [], []), 1, 1)
    assert unsealed.time_span() == (TIME_HIGHEST, TIME_LOWEST)
    add(unsealed, 1, [7, 3], 1.0, sequence=2)
    assert unsealed.time_span() == (3, 7)


def test_memory_grows_with_the_samples() -> None:
    unsealed = Unsealed()
    add(unsealed, 1, [1, 2], 1.0, sequence=1)
    assert unsealed.bytes == 44
