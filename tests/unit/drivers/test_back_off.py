import random

import pytest

from drivers.back_off import BackOff


def test_waits_double_within_the_upper_half_of_each_limit() -> None:
    back_off = BackOff(1.0, 60.0, random.Random(7))
    for limit_s in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        assert limit_s / 2 <= back_off.next_s() <= limit_s


def test_waits_never_exceed_the_maximum() -> None:
    back_off = BackOff(1.0, 10.0, random.Random(7))
    waits = [back_off.next_s() for _ in range(50)]
    assert max(waits) <= 10.0
    assert min(waits[10:]) >= 5.0


def test_two_drivers_do_not_wait_in_step() -> None:
    source = random.Random(7)
    assert BackOff(1.0, 60.0, source).next_s() != BackOff(1.0, 60.0, source).next_s()


def test_reset_starts_at_the_minimum_again() -> None:
    back_off = BackOff(1.0, 60.0, random.Random(7))
    for _ in range(5):
        back_off.next_s()
    back_off.reset()
    assert back_off.next_s() <= 1.0


def test_a_maximum_below_the_minimum_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="minimum"):
        BackOff(2.0, 1.0, random.Random(7))
