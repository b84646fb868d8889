"""The bell: one ring wakes all who took the future before it."""

import asyncio

from historian.rollup.bell import Bell


async def test_a_ring_wakes_all_who_waited_and_nobody_who_came_later() -> None:
    bell = Bell()
    bell.ring()
    first, second = bell.next_ring(), bell.next_ring()
    assert not first.done()
    bell.ring()
    assert first.done()
    assert second.done()
    assert not bell.next_ring().done()


async def test_a_ring_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell()
    ring = bell.next_ring()
    bell.ring()
    await asyncio.wait_for(ring, 1)
