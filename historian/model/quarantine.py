"""Samples set aside for a person to look at, because their stamps lie outside the time fence."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from historian.model.decision import Decision
from historian.model.point import parse_interval_us
from historian.model.ports import OnConflict

QuarantineState = Literal["kept", "released", "erased"]
STATES: tuple[QuarantineState, ...] = ("kept", "released", "erased")  # numbers on disk; append-only


class QuarantinedSample(NamedTuple):
    """One sample as it came, stamped as it would be stored, and what was decided on it.

    `code` says why it is here: ``time_too_old`` or ``time_in_future``. `stored_time_us` is the stamp it was released
    under. `decided_us`, `author` and `reason` are empty while it is kept.
    """

    id: int
    point_id: int
    time_us: int
    value: float
    quality: int
    code: str
    source: str
    arrival_us: int
    state: QuarantineState
    stored_time_us: int | None
    decided_us: int | None
    author: str
    reason: str


class Rejected(NamedTuple):
    """A sample that was set aside when it came: whose, when, and why (``time_too_old`` or ``time_in_future``)."""

    point_id: int
    arrival_us: int
    code: str


class RejectedSamples(Protocol):
    """Tells what was set aside, so that a gap can name it."""

    async def rejected(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[Rejected]:
        """Samples of these points that came in ``[start_us, end_us)`` and were set aside, whatever was decided since."""
        ...


class Refusal(NamedTuple):
    """An entry that stays as it is, and why."""

    id: int
    code: str
    detail: str


class DecisionResult(NamedTuple):
    """`done` entries were decided now, `already` were decided so before; `sequence` is that of the stored batch, or 0."""

    done: int
    already: int
    refused: list[Refusal]
    sequence: int


class NewStamp(NamedTuple):
    """Under which stamp samples are released: theirs moved by `shift_us`, or exactly `time_us`."""

    shift_us: int = 0
    time_us: int | None = None

    def of(self, time_us: int) -> int:
        """The stamp of a sample that came with `time_us`."""
        return time_us + self.shift_us if self.time_us is None else self.time_us


def parse_shift_us(text: str) -> int:
    """``-8h``, ``+30m`` or ``3650d`` in µs. Raises ValueError that says what is allowed."""
    length = text[1:] if text[:1] in ("+", "-") else text
    try:
        length_us = parse_interval_us(length)
    except ValueError:
        raise ValueError(f"{text!r} is no shift, such as -8h, 30m or -3650d") from None
    return -length_us if text.startswith("-") else length_us


class QuarantineDesk(Protocol):
    """Where a person looks at the quarantine and decides."""

    @property
    def kept_count(self) -> int:
        """Samples that wait for a decision."""
        ...

    async def entries(
        self,
        *,
        point_id: int | None = None,
        code: str | None = None,
        state: QuarantineState = "kept",
        after_id: int = 0,
        limit: int = 1000,
    ) -> list[QuarantinedSample]:
        """Entries with ids above `after_id`, by rising id."""
        ...

    async def release(
        self, ids: Sequence[int], stamp: NewStamp, decision: Decision, on_conflict: OnConflict = "keep"
    ) -> DecisionResult:
        """Store the samples; only those on disk leave the quarantine. Repeating it changes nothing."""
        ...

    async def erase(self, ids: Sequence[int], decision: Decision) -> DecisionResult:
        """Give the samples up; the entries stay as evidence. Repeating it changes nothing."""
        ...
