"""Wakes everybody who waits for something new; what that is they look up themselves, so nothing is kept for anyone."""

import asyncio


class Bell:
    """One event loop's. Take `next_ring` before looking, then look, then wait: so no ring is missed."""

    def __init__(self) -> None:
        self._ring: asyncio.Future[None] | None = None

    def next_ring(self) -> "asyncio.Future[None]":
        """Done at the next ring; shared, so it is awaited through `asyncio.wait` and never cancelled."""
        if self._ring is None:
            self._ring = asyncio.get_running_loop().create_future()
        return self._ring

    def ring(self) -> None:
        """Wake all who wait."""
        if self._ring is not None:
            self._ring.set_result(None)
            self._ring = None
