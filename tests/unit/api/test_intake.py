"""An intake keeps count of every sample, whatever becomes of it."""

import numpy as np
import pytest

from api import problem
from api.intake import REJECTS_LISTED_MAX, Intake
from api.problem import Problem
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch, make_batch
from tests.unit.api.memory_store import MemoryStore


def add(intake: Intake, values: list[float], series: int | None = 0) -> None:
    count = len(values)
    batch = make_batch(7, np.arange(count) * 1_000_000, values)
    intake.add(batch, np.arange(count) + 10, None if series is None else np.full(count, series))


async def test_every_sample_is_counted_once() -> None:
    intake = Intake("index")
    add(intake, [1.0, 2.0])
    intake.refuse("bad_time", "x", series=0, place=3)
    intake.refuse("unknown_point", "x", series=1, count=5)
    reply = await intake.send(MemoryStore())
    assert (reply.accepted, reply.rejected, reply.seq, reply.durable) == (2, 6, 1, True)


async def test_an_outcome_is_told_where_its_sample_stood() -> None:
    intake = Intake("index")
    add(intake, [1.0], series=0)
    add(intake, [2.0, float("nan")], series=4)
    reply = await intake.send(MemoryStore())
    (reject,) = reply.rejects
    assert (reject.code, reject.series, reject.index, reject.line) == ("not_finite", 4, 11, None)


class QuarantiningSink:
    """A SampleSink that keeps the second of three samples, and refuses the third because it keeps no more."""

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        outcomes = [Outcome.ACCEPTED, Outcome.QUARANTINED_TOO_OLD, Outcome.TIME_TOO_OLD]
        return AppendResult(np.array(outcomes, np.uint8), 1)


async def test_a_quarantined_sample_is_rejected_but_told_apart() -> None:
    intake = Intake("index")
    add(intake, [1.0, 2.0, 3.0])
    reply = await intake.send(QuarantiningSink())
    assert (reply.accepted, reply.rejected, reply.quarantined) == (1, 2, 1)
    kept, lost = sorted(reply.rejects, key=lambda reject: reject.code)
    assert (kept.code, kept.index) == ("quarantined_too_old", 11)
    assert kept.detail.endswith("kept in the quarantine")
    assert (lost.code, lost.detail.endswith("takes no more")) == ("time_too_old", True)


async def test_lines_are_told_as_lines() -> None:
    intake = Intake("line")
    add(intake, [float("inf")], series=None)
    (reject,) = (await intake.send(MemoryStore())).rejects
    assert (reject.line, reject.index) == (10, None)


async def test_the_list_of_rejects_is_cut_and_says_so() -> None:
    intake = Intake("index")
    for place in range(REJECTS_LISTED_MAX + 5):
        intake.refuse("bad_value", "x", place=place)
    reply = await intake.send(MemoryStore())
    assert (len(reply.rejects), reply.rejects_omitted) == (REJECTS_LISTED_MAX, 5)


async def test_the_cut_counts_samples_and_not_entries() -> None:
    intake = Intake("index")
    for series in range(REJECTS_LISTED_MAX + 1):
        intake.refuse("unknown_point", "x", series=series, count=10)
    assert (await intake.send(MemoryStore())).rejects_omitted == 10


def test_nothing_refused_is_no_reject() -> None:
    intake = Intake("index")
    intake.refuse("unknown_point", "x", count=0)
    assert intake.rejects == []


def test_unreadable_times_alone_are_the_sender_s_fault() -> None:
    intake = Intake("index")
    intake.refuse("bad_time", "no offset", series=0, place=0)
    with pytest.raises(Problem) as caught:
        intake.require_readable_time()
    assert caught.value.kind is problem.INVALID_TIME
    intake.refuse("bad_value", "x", series=0, place=1)
    intake.require_readable_time()
