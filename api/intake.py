"""Samples on their way from a request body to the sink: good ones into a batch, bad ones onto a list."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from api import problem
from api.problem import Fault, Problem
from api.schemas import IngestReply, Reject
from historian.model.ports import REJECT_CODES, AppendResult, OnConflict, Outcome, SampleSink
from historian.model.sample import SampleBatch, make_batch

REJECTS_LISTED_MAX: Final = 100
SOURCE: Final = "http"

IndexColumn = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Where samples stood in the body; in which series, where it has several."""

    place: IndexColumn
    series: IndexColumn | None = None


_OUTCOME_DETAILS: Final = {
    Outcome.CONFLICT: "another value is stored at this time and stays, as on_conflict asks",
    Outcome.NOT_FINITE: "NaN and infinity are never stored",
    Outcome.TIME_TOO_OLD: "the time lies before the oldest year that is taken, and the quarantine takes no more",
    Outcome.TIME_IN_FUTURE: "the time lies further ahead than is taken, and the quarantine takes no more",
    Outcome.UNKNOWN_POINT: "no such point",
    Outcome.QUARANTINED_TOO_OLD: "the time lies before the oldest year that is taken; kept in the quarantine",
    Outcome.QUARANTINED_IN_FUTURE: "the time lies further ahead than is taken; kept in the quarantine",
}


Within = Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_] | None]
_NOT_WITHIN: Final = "no such point within reach"


class _Part(NamedTuple):
    batch: SampleBatch
    find_places: Callable[[], Places]


_NO_OTHER_OUTCOMES: Final = (0,) * (len(Outcome) - 1)


class Intake:
    """Collects the samples of one request. `place_kind` says what `place` counts: list indexes or lines of text.

    `within` tells of point ids which are in the caller's reach, None where all are: others are refused like points that do
    not exist, whichever way they came.
    """

    def __init__(self, place_kind: Literal["index", "line"], within: Within | None = None) -> None:
        self._place_kind = place_kind
        self._within = within
        self._parts: list[_Part] = []
        self._rejects: list[Reject] = []
        self._code_counts: Counter[str] = Counter()
        self._passed_over: Counter[str] = Counter()

    @property
    def sample_count(self) -> int:
        """Samples that go to the sink."""
        return sum(part.batch.sample_count for part in self._parts)

    @property
    def rejected_count(self) -> int:
        return self._code_counts.total()

    @property
    def refused_counts(self) -> dict[str, int]:
        """Refused samples by code, so far."""
        return dict(self._code_counts)

    @property
    def passed_over_counts(self) -> dict[str, int]:
        """Values by code that are none to be stored, which is no fault of the sender's."""
        return dict(self._passed_over)

    def pass_over(self, code: str) -> None:
        """Note a value that is none to be stored."""
        self._passed_over[code] += 1

    @property
    def rejects(self) -> list[Reject]:
        """The first REJECTS_LISTED_MAX of them."""
        return self._rejects

    def refuse(
        self, code: str, detail: str, *, series: int | None = None, place: int | None = None, count: int = 1
    ) -> None:
        """Note `count` samples as refused; with `place` it is one sample, else the whole series."""
        if count == 0:
            return
        if self._within is not None and code == REJECT_CODES[Outcome.UNKNOWN_POINT]:
            detail = _NOT_WITHIN  # one text for what is not there and what is not the caller's
        self._code_counts[code] += count
        if len(self._rejects) < REJECTS_LISTED_MAX:
            is_line = self._place_kind == "line"
            self._rejects.append(
                Reject(
                    code=code,
                    detail=detail,
                    series=series,
                    index=None if is_line else place,
                    line=place if is_line else None,
                    count=count,
                )
            )

    def add(self, batch: SampleBatch, place: IndexColumn, series: IndexColumn | None = None) -> None:
        """Take samples stamped as they are stored; `place` and `series` tell where each stood in the body."""
        assert len(place) == batch.sample_count, "every sample has a place"
        self.add_whole(batch, lambda: Places(place, series))

    def add_whole(self, batch: SampleBatch, find_places: Callable[[], Places]) -> None:
        """As `add`, where places are only worked out if some sample is refused later."""
        kept = None if self._within is None else self._within(batch.point_id)
        if kept is not None and not kept.all():
            place, series = find_places()
            away = None if series is None else series[~kept]
            self.refuse_each(REJECT_CODES[Outcome.UNKNOWN_POINT], _NOT_WITHIN, place[~kept], away)
            stays = Places(place[kept], None if series is None else series[kept])
            self._parts.append(_Part(batch.take(kept), lambda: stays))
            return
        self._parts.append(_Part(batch, find_places))

    def refuse_each(
        self, code: str, detail: str, places: IndexColumn, series: IndexColumn | None = None
    ) -> None:
        """Note samples as refused for one reason; only those that can be listed cost more than a count."""
        listed_count = min(len(places), max(0, REJECTS_LISTED_MAX - len(self._rejects)))
        for i in range(listed_count):
            self.refuse(code, detail, series=None if series is None else int(series[i]), place=int(places[i]))
        self.refuse(code, detail, count=len(places) - listed_count)

    def require_readable_time(self) -> None:
        """Raise Problem 400 where no sample is left and time stamps alone are to blame: the sender must change."""
        if self.sample_count or set(self._code_counts) != {"bad_time"}:
            return
        faults = tuple(
            Fault(entry.detail, pointer=_pointer(entry), line=entry.line or 0) for entry in self._rejects[:10]
        )
        raise Problem(
            problem.INVALID_TIME,
            f"no time stamp can be read: {self._rejects[0].detail}",
            f"没有一个时间戳可以解析：{self._rejects[0].detail}",
            faults=faults,
            accepted=0,
            rejected=self.rejected_count,
        )

    async def send(self, sink: SampleSink, on_conflict: OnConflict = "replace") -> IngestReply:
        """Hand everything to the sink; when this returns what was accepted is on disk."""
        batch = self._whole_batch()
        if batch.sample_count == 0:
            return self._reply([0] * len(Outcome), 0)
        result = await sink.append(batch, source=SOURCE, on_conflict=on_conflict)
        assert len(result.outcome) == batch.sample_count, "one outcome for each sample"
        if result.is_all_accepted:
            return self._reply([batch.sample_count, *_NO_OTHER_OUTCOMES], result.sequence)
        counts: list[int] = np.bincount(result.outcome, minlength=len(Outcome)).tolist()
        if any(counts[Outcome.CONFLICT :]):
            self._note_outcomes(result)
        return self._reply(counts, result.sequence)

    def _whole_batch(self) -> SampleBatch:
        if len(self._parts) == 1:
            return self._parts[0].batch
        batches = [part.batch for part in self._parts]
        if not batches:
            return make_batch([], [], [], [])
        return SampleBatch(*(np.concatenate(columns) for columns in zip(*batches, strict=True)))

    def _note_outcomes(self, result: AppendResult) -> None:
        first = 0
        for part in self._parts:
            last = first + part.batch.sample_count
            outcome = result.outcome[first:last]
            first = last
            if not (outcome >= Outcome.CONFLICT).any():
                continue
            place, series = part.find_places()
            for kind in Outcome:
                at = np.flatnonzero(outcome == kind)
                if kind >= Outcome.CONFLICT and len(at):
                    own = None if series is None else series[at]
                    self.refuse_each(REJECT_CODES[kind], _OUTCOME_DETAILS[kind], place[at], own)

    def _reply(self, counts: Sequence[int], sequence: int) -> IngestReply:
        """`counts` by outcome."""
        listed_count = sum(entry.count for entry in self._rejects)
        return IngestReply(
            accepted=counts[Outcome.ACCEPTED],
            duplicate=counts[Outcome.DUPLICATE],
            replaced=counts[Outcome.REPLACED],
            conflict=counts[Outcome.CONFLICT],
            rejected=self.rejected_count - counts[Outcome.CONFLICT],
            quarantined=counts[Outcome.QUARANTINED_TOO_OLD] + counts[Outcome.QUARANTINED_IN_FUTURE],
            rejects=self._rejects,
            rejects_listed_max=REJECTS_LISTED_MAX,
            rejects_omitted=self.rejected_count - listed_count,
            seq=sequence,
        )


def _pointer(entry: Reject) -> str:
    if entry.series is None or entry.index is None:
        return ""
    return f"/series/{entry.series}/times/{entry.index}"
