"""Time comes from a Clock that is handed in; nothing else reads the system's clocks."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations, and a way to wait."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait `duration_s` seconds."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)


class ManualClock:
    """A clock that moves only when told; `sleep` moves it at once."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us
        self._monotonic_s = 0.0

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._monotonic_s

    async def sleep(self, duration_s: float) -> None:
        self.advance(duration_s)
        await asyncio.sleep(0)

    def advance(self, duration_s: float) -> None:
        """Move both clocks forward."""
        self._now_us += round(duration_s * 1_000_000)
        self._monotonic_s += duration_s

    def set_wall(self, now_us: int) -> None:
        """Step the wall clock, forward or back; monotonic time is not touched."""
        self._now_us = now_us
