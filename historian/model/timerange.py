"""Half-open time ranges ``[start, end)`` in µs UTC."""

from typing import NamedTuple


class TimeRange(NamedTuple):
    """``[start_us, end_us)``; empty where start ≥ end."""

    start_us: int
    end_us: int

    @property
    def is_empty(self) -> bool:
        return self.start_us >= self.end_us

    @property
    def duration_us(self) -> int:
        return max(0, self.end_us - self.start_us)

    def contains(self, time_us: int) -> bool:
        return self.start_us <= time_us < self.end_us

    def overlap(self, other: "TimeRange") -> "TimeRange":
        """The common part; empty where there is none."""
        return TimeRange(max(self.start_us, other.start_us), min(self.end_us, other.end_us))
