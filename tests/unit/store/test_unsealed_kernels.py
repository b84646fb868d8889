"""Questions to sorted rows against plain Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import columns, unsealed_kernels
from historian.store.unsealed import Found
from tests.support.rows import rows_of

KEYS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(1, 3)), min_size=1, max_size=40)
WANTED = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 10)), min_size=1, max_size=12)


@given(KEYS, WANTED)
def test_look_up_equals_a_dict_in_any_order(
    keys: list[tuple[int, int, int]], wanted: list[tuple[int, int]]
) -> None:
    samples = [(p, t, float(place), s) for place, (p, t, s) in enumerate(keys)]
    rows = columns.sort(rows_of(samples))
    newest = {key[:2]: key for key in sorted(samples, key=lambda sample: sample[3])}
    found = Found(len(wanted))
    ids = np.array([point_id for point_id, _ in wanted], np.uint32)
    times = np.array([time for _, time in wanted], np.int64)
    into = (found.is_found, found.value, found.quality, found.sequence)
    unsealed_kernels.look_up((*rows,), ids, times, into)
    for place, key in enumerate(wanted):
        assert bool(found.is_found[place]) == (key in newest)
        if key in newest:
            assert (found.value[place], found.sequence[place]) == newest[key][2:]


@given(KEYS, st.permutations(range(6)), st.integers(-1, 11), st.integers(-1, 11))
def test_newest_time_equals_a_maximum(
    keys: list[tuple[int, int, int]], wanted: list[int], before: int, known: int
) -> None:
    rows = columns.sort(rows_of([(p, t, 0.0, s) for p, t, s in keys]))
    newest = np.full(6, known)
    ids = np.array(wanted, np.uint32)
    unsealed_kernels.newest_time(rows.point_id, rows.time_us, ids, before, newest)
    for point_id, time in zip(wanted, newest.tolist(), strict=True):
        assert time == max([known, *(t for p, t, _ in keys if p == point_id and t < before)])
