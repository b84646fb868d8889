"""Decisions on the quarantine: samples go through the sink like any others, and leave only when they are on disk."""

from collections.abc import Mapping, Sequence
from typing import Final

from historian.clock import Clock
from historian.errors import EditRefused
from historian.ingest.quarantine import Quarantine
from historian.model import timestamp
from historian.model.decision import Decision
from historian.model.point import SECOND_US
from historian.model.ports import REJECT_CODES, OnConflict, Outcome, SampleSink
from historian.model.quarantine import (
    DecisionResult,
    NewStamp,
    QuarantinedSample,
    QuarantineState,
    Refusal,
)
from historian.model.sample import make_batch
from historian.settings import Settings

STORED: Final = frozenset({Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REPLACED})
_ID_MAX: Final = (1 << 63) - 1  # of SQLite
_DETAILS: Final = {
    "unknown": "there is no such entry",
    "erased": "it was erased",
    "released": "it was released, so it is in the store; delete it there",
    "conflict": "another value is stored at that time; say on_conflict=replace to put this one over it",
    "time_too_old": "its stamp lies before the oldest year that is taken; give a shift or another time",
    "time_in_future": "its stamp lies further ahead than is taken; give a shift or another time",
    "unknown_point": "its point is not in the catalogue",
}


class Desk:
    """Implements model.quarantine.QuarantineDesk."""

    def __init__(self, quarantine: Quarantine, sink: SampleSink, clock: Clock, settings: Settings) -> None:
        self._quarantine = quarantine
        self._sink = sink
        self._clock = clock
        self._time_min_us = timestamp.parse_time_us(f"{settings.ingest.oldest_year:04d}-01-01T00:00:00Z")
        self._ahead_us = settings.ingest.future_fence_s * SECOND_US
        self._samples_max = settings.edit.samples_max

    @property
    def kept_count(self) -> int:
        """Samples that wait for a decision."""
        return self._quarantine.kept_count

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
        return await self._quarantine.entries(
            point_id=point_id, code=code, state=state, after_id=after_id, limit=limit
        )

    async def release(
        self, ids: Sequence[int], stamp: NewStamp, decision: Decision, on_conflict: OnConflict = "keep"
    ) -> DecisionResult:
        """Store the samples under their source; only those on disk leave the quarantine.

        Raises IngestError where the store takes nothing now: then none has left; EditRefused for ids that are wrong.
        """
        found, already, refused = await self._sorted(ids, "released")
        inside: list[QuarantinedSample] = []
        for entry in found:
            fault = self._fault_of(stamp.of(entry.time_us))
            inside += [] if fault else [entry]
            refused += [_refusal(entry.id, fault)] if fault else []
        outcomes, sequence = await self._store(inside, stamp, decision, on_conflict)
        stored: dict[int, int | None] = {}
        for entry in inside:
            if outcomes[entry.id] in STORED:
                stored[entry.id] = stamp.of(entry.time_us)
            else:
                refused.append(_refusal(entry.id, REJECT_CODES[outcomes[entry.id]]))
        await self._close(stored, "released", decision)
        return DecisionResult(len(stored), already, sorted(refused), sequence)

    async def erase(self, ids: Sequence[int], decision: Decision) -> DecisionResult:
        """Give the samples up; the entries stay as evidence. Raises EditRefused for ids that are wrong."""
        found, already, refused = await self._sorted(ids, "erased")
        await self._close({entry.id: None for entry in found}, "erased", decision)
        return DecisionResult(len(found), already, sorted(refused), 0)

    async def _sorted(
        self, ids: Sequence[int], wanted: QuarantineState
    ) -> tuple[list[QuarantinedSample], int, list[Refusal]]:
        """Entries still to be decided, how many were decided so before, and what cannot be."""
        self._check_ids(ids)
        found = await self._quarantine.find(ids)
        unknown = set(ids) - {entry.id for entry in found}
        refused = [_refusal(entry, "unknown") for entry in unknown]
        refused += [_refusal(entry.id, entry.state) for entry in found if entry.state not in ("kept", wanted)]
        already = sum(entry.state == wanted for entry in found)
        return [entry for entry in found if entry.state == "kept"], already, refused

    def _check_ids(self, ids: Sequence[int]) -> None:
        if not ids:
            raise EditRefused("ids: name at least one")
        if len(ids) > self._samples_max:
            raise EditRefused(f"{len(ids)} ids, {self._samples_max} may be decided at once; decide in parts")
        if not all(0 <= one <= _ID_MAX for one in ids):
            raise EditRefused("ids: such as the list gives them")

    def _fault_of(self, time_us: int) -> str:
        if time_us < self._time_min_us:
            return "time_too_old"
        return "time_in_future" if time_us > self._clock.now_us() + self._ahead_us else ""

    async def _store(
        self,
        entries: Sequence[QuarantinedSample],
        stamp: NewStamp,
        decision: Decision,
        on_conflict: OnConflict,
    ) -> tuple[Mapping[int, Outcome], int]:
        by_source: dict[str, list[QuarantinedSample]] = {}
        for entry in entries:
            by_source.setdefault(entry.source, []).append(entry)
        outcomes: dict[int, Outcome] = {}
        sequence = 0
        for source, some in by_source.items():
            batch = make_batch(
                [entry.point_id for entry in some],
                [stamp.of(entry.time_us) for entry in some],
                [entry.value for entry in some],
                [entry.quality for entry in some],
            )
            reason = f"{decision.reason} ({_manner(stamp, some[0], decision)})"
            result = await self._sink.append(batch, source=source, on_conflict=on_conflict, reason=reason)
            sequence = max(sequence, result.sequence)
            outcomes |= {entry.id: Outcome(int(one)) for entry, one in zip(some, result.outcome, strict=True)}
        return outcomes, sequence

    async def _close(self, stored: dict[int, int | None], state: QuarantineState, decision: Decision) -> None:
        if stored:
            await self._quarantine.decide(stored, state, decision, self._clock.now_us())


def _manner(stamp: NewStamp, entry: QuarantinedSample, decision: Decision) -> str:
    """How samples came out of the quarantine: kept with them as part of their reason."""
    by = f" by {decision.author}" if decision.author else ""
    if stamp.time_us is not None:
        return f"released from quarantine{by}, came stamped {timestamp.format_time(entry.time_us)}"
    return f"released from quarantine{by}, stamps moved by {stamp.shift_us // SECOND_US:+d} s"


def _refusal(entry: int, code: str) -> Refusal:
    return Refusal(entry, code, _DETAILS.get(code, "the store refused it"))
