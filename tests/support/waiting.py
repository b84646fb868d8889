"""Waiting in tests without guessing how long something takes."""

import asyncio
from collections.abc import Callable


async def until(is_reached: Callable[[], bool], timeout_s: float = 5.0, step_s: float = 0.0) -> None:
    """Let the loop run until the condition holds; step 0 where no real time has to pass. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not is_reached():  # noqa: ASYNC110 - the condition is any state, none has an event
            await asyncio.sleep(step_s)
