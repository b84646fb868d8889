"""Sealed, late and recent samples of a point come as one run: by time, later versions winning, none twice."""

import itertools

import numpy as np
import pytest

from historian.store import read_kernels
from historian.store.read_kernels import Runs

Times = dict[int, float]  # value by time


def runs_of(runs: list[Times]) -> Runs:
    times = [time for run in runs for time in sorted(run)]
    values = [run[time] for run in runs for time in sorted(run)]
    offset = np.cumsum([0, *map(len, runs)])
    return offset, np.array(times, np.int64), np.array(values, float), np.zeros(len(times), np.uint16)


def join(sealed: list[Times], late: list[Times], recent: list[Times], floors: list[int]) -> list[Times]:
    room = sum(map(len, (*sealed, *late, *recent)))
    out = np.empty(room, np.int64), np.empty(room), np.empty(room, np.uint16)
    offset = np.empty(len(floors) + 1, np.int64)
    parts = [runs_of(each) for each in (sealed, late, recent)]
    count = read_kernels.join(parts[0], parts[1], parts[2], np.array(floors, np.int64), offset, out)
    assert count == offset[-1]
    joined = []
    for first, last in itertools.pairwise(offset.tolist()):
        times = out[0][first:last].tolist()
        assert times == sorted(set(times))
        joined.append(dict(zip(times, out[1][first:last].tolist(), strict=True)))
    return joined


def expected(sealed: Times, late: Times, recent: Times, floor: int) -> Times:
    below = {time: value for time, value in (sealed | late).items() if time <= floor}
    return below | {time: value for time, value in recent.items() if time > floor}


@pytest.mark.parametrize("late_share", [0.0, 0.3])
def test_a_join_is_what_dictionaries_say(late_share: float) -> None:
    random = np.random.default_rng(5)

    def some(share: float, value: float) -> list[Times]:
        return [{time: value + time for time in range(20) if random.random() < share} for _ in range(50)]

    sealed, late, recent = some(0.6, 100.0), some(late_share, 200.0), some(0.4, 300.0)
    floors = random.integers(-2, 22, 50).tolist()
    wanted = [expected(*each) for each in zip(sealed, late, recent, floors, strict=True)]
    assert join(sealed, late, recent, floors) == wanted


def test_the_last_of_each_run_is_taken_and_empty_runs_leave_theirs() -> None:
    offset, time, value, quality = runs_of([{1: 1.0, 2: 2.0}, {}])
    is_found, times = np.zeros(3, np.bool_), np.full(3, -1, np.int64)
    values, qualities = np.zeros(3), np.zeros(3, np.uint16)
    places = np.array([2, 0], np.int64)
    read_kernels.take_last(offset, time, value, quality, places, is_found, times, values, qualities)
    assert is_found.tolist() == [False, False, True]
    assert times.tolist() == [-1, -1, 2]
    assert values.tolist() == [0.0, 0.0, 2.0]
