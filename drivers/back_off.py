"""Waiting times between attempts: they double, are spread at random, and stay within bounds."""

import random


class BackOff:
    """Hands out waits; `reset` after a success.

    The n-th wait lies at random in the upper half of ``minimum_s · 2ⁿ``, never above `maximum_s`:
    many drivers that lost the same gateway do not come back in step.
    """

    def __init__(self, minimum_s: float, maximum_s: float, source: random.Random) -> None:
        assert 0.0 < minimum_s <= maximum_s, "a back-off needs 0 < minimum <= maximum"
        self._minimum_s = minimum_s
        self._maximum_s = maximum_s
        self._source = source
        self._limit_s = minimum_s

    def next_s(self) -> float:
        """Seconds to wait now; the following wait may be twice as long."""
        limit_s = self._limit_s
        self._limit_s = min(limit_s * 2.0, self._maximum_s)
        return limit_s * self._source.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start again at the minimum."""
        self._limit_s = self._minimum_s
