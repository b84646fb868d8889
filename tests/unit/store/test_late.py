"""The late buffer: every version kept, the newest found, a seal's rows readable until it ends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store.columns import Rows
from historian.store.late import Found, LateBuffer


def rows_of(samples: list[tuple[int, int, float, int]]) -> Rows:
    """(point, time, value, sequence) each."""
    columns = [list(column) for column in zip(*samples, strict=True)]
    return Rows(
        np.array(columns[0], np.uint32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.float64),
        np.zeros(len(samples), np.uint16),
        np.array(columns[3], np.int64),
    )


def look_up(buffer: LateBuffer, point_id: int, time_us: int) -> float | None:
    found = Found(1)
    buffer.look_up(np.array([point_id], np.uint32), np.array([time_us], np.int64), found)
    return float(found.value[0]) if found.is_found[0] else None


def test_the_newest_sequence_is_found() -> None:
    buffer = LateBuffer()
    buffer.add(rows_of([(1, 5, 1.0, 3)]))
    buffer.add(rows_of([(1, 5, 2.0, 2)]))
    assert look_up(buffer, 1, 5) == 1.0
    assert look_up(buffer, 1, 6) is None


def test_of_equal_sequences_the_one_added_later_is_found() -> None:
    buffer = LateBuffer()
    buffer.add(rows_of([(1, 5, 1.0, 2), (1, 5, 2.0, 2)]))
    assert look_up(buffer, 1, 5) == 2.0


def test_frozen_rows_stay_readable_until_forgotten() -> None:
    buffer = LateBuffer()
    buffer.add(rows_of([(1, 5, 1.0, 1)]))
    assert buffer.freeze().row_count == 1
    buffer.add(rows_of([(1, 6, 2.0, 2)]))
    assert look_up(buffer, 1, 5) == 1.0
    buffer.forget()
    assert (look_up(buffer, 1, 5), look_up(buffer, 1, 6)) == (None, 2.0)


def test_a_failed_seal_gives_its_rows_back() -> None:
    buffer = LateBuffer()
    buffer.add(rows_of([(1, 5, 1.0, 1)]))
    buffer.freeze()
    buffer.thaw()
    assert buffer.freeze().row_count == 1


def test_newest_time_looks_below_a_bound() -> None:
    buffer = LateBuffer()
    buffer.add(rows_of([(1, 5, 1.0, 1), (1, 9, 1.0, 1)]))
    assert buffer.newest_time(np.array([1, 2], np.uint32), 9).tolist() == [5, np.iinfo(np.int64).min]


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 8)), min_size=1, max_size=8), max_size=12)
)
def test_many_small_adds_equal_one_plain_list(adds: list[list[tuple[int, int]]]) -> None:
    buffer = LateBuffer()
    newest: dict[tuple[int, int], float] = {}
    total = 0
    for sequence, keys in enumerate(adds):
        samples = [(point, time, float(total + place), sequence) for place, (point, time) in enumerate(keys)]
        total += len(keys)
        newest |= {(point, time): value for point, time, value, _ in samples}
        buffer.add(rows_of(samples))
    assert buffer.count == total
    for point in range(1, 4):
        for time in range(9):
            assert look_up(buffer, point, time) == newest.get((point, time))
    held = buffer.freeze()
    order = list(zip(held.point_id.tolist(), held.time_us.tolist(), held.sequence.tolist(), strict=True))
    assert order == sorted(order)
