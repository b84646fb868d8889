"""Kernels against plain Python."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import segment_kernels

TIMES = st.lists(st.integers(0, 10_000), min_size=2, max_size=60, unique=True).map(sorted)


def plain_step(times: list[int]) -> int:
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    step = min(steps)
    is_grid = all(time % step == times[0] % step for time in times)
    return step if is_grid and (times[-1] - times[0]) // step + 1 <= 2 * len(times) else 0


@given(TIMES)
def test_regular_step_and_its_plain_twin_agree(times: list[int]) -> None:
    assert segment_kernels.regular_step(np.array(times, np.int64)) == plain_step(times)


def test_one_sample_is_regular() -> None:
    assert segment_kernels.regular_step(np.array([7], np.int64)) == 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=True).map(sorted))
def test_missing_slots_and_their_plain_twin_agree(slots: list[int]) -> None:
    time = np.array(slots, np.int64) * 60
    count = slots[-1] - slots[0] + 1 - len(slots)
    out = np.empty(count, np.uint32)
    one = np.array([len(slots)], np.int64)
    segment_kernels.missing_slots(
        time, np.zeros(1, np.int64), one, np.array([60], np.int64), np.array([count], np.uint32), out
    )
    plain = [slot - slots[0] for slot in range(slots[0], slots[-1] + 1) if slot not in set(slots)]
    assert out.tolist() == plain


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20), st.integers(0, 4))
def test_value_kind_fits_every_value(scaled: list[int], exponent: int) -> None:
    values = np.array(scaled) / 10**exponent
    kind = segment_kernels.value_kind(values)
    divisor = 10 ** (kind % 16)
    assert kind != 255
    assert all(round(value * divisor) / divisor == value for value in values.tolist())
    assert (kind < 16) == (np.abs(np.rint(values * divisor)).max() <= 2**31 - 2)
