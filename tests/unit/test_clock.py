"""Clocks: the machine's, and one that moves only when told."""

from historian.clock import ManualClock, SystemClock

YEAR_2020_US = 1_577_836_800_000_000


async def test_manual_clock_sleeps_by_moving() -> None:
    clock = ManualClock(now_us=1_000_000)
    await clock.sleep(2.5)
    assert (clock.now_us(), clock.monotonic_s()) == (3_500_000, 2.5)


def test_a_step_of_the_wall_clock_leaves_monotonic_time_alone() -> None:
    clock = ManualClock(now_us=10_000_000)
    clock.advance(1.0)
    clock.set_wall(5_000_000)
    assert (clock.now_us(), clock.monotonic_s()) == (5_000_000, 1.0)


def test_system_clock_tells_microseconds_since_1970() -> None:
    assert YEAR_2020_US < SystemClock().now_us() < 10 * YEAR_2020_US


async def test_system_clock_waits_and_never_goes_back() -> None:
    clock = SystemClock()
    before = clock.monotonic_s()
    await clock.sleep(0.0)
    assert clock.monotonic_s() >= before
