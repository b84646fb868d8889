"""The quarantine: durable before the answer, each sample once, bounded, and still there after a restart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.ingest.quarantine import Quarantine
from historian.metrics import Metrics
from historian.model import timestamp
from historian.model.decision import Decision
from historian.model.point import DAY_US
from historian.model.ports import Outcome
from historian.model.quarantine import Rejected
from historian.model.sample import SampleBatch, make_batch

OLD, AHEAD = Outcome.TIME_TOO_OLD, Outcome.TIME_IN_FUTURE
KEPT_OLD, KEPT_AHEAD = Outcome.QUARANTINED_TOO_OLD, Outcome.QUARANTINED_IN_FUTURE
WHO = Decision("Wang", "clock was at 1970")


class Opened:
    """A quarantine of 4 samples, its file and its metrics."""

    def __init__(self, path: Path, samples_max: int = 4) -> None:
        self.path = path
        self.metrics = Metrics()
        self.is_writable = True
        self.quarantine = Quarantine(path, samples_max, self.metrics, lambda: self.is_writable)

    async def keep(self, batch: SampleBatch, outcomes: list[Outcome], source: str = "http") -> list[int]:
        outcome = np.array(outcomes, np.uint8)
        return (await self.quarantine.keep(batch, outcome, source, 500)).tolist()

    def on_disk(self) -> int:
        """Rows that another reader of the file sees: what is committed."""
        connection = sqlite3.connect(self.path)
        try:
            return int(connection.execute("SELECT count(*) FROM quarantined WHERE state = 0").fetchone()[0])
        finally:
            connection.close()

    @property
    def full_count(self) -> float:
        return self.metrics.counter("historian_quarantine_full_total", "").value


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    opened = Opened(tmp_path / "q.sqlite")
    yield opened
    await opened.quarantine.close()


def batch(*times: int, value: float = 1.0) -> SampleBatch:
    return make_batch(7, times, np.full(len(times), value), 5)


async def test_samples_outside_the_fence_are_on_disk_when_answered(opened: Opened) -> None:
    outcomes = [Outcome.ACCEPTED, OLD, Outcome.NOT_FINITE, AHEAD]
    assert await opened.keep(batch(1, 2, 3, 4), outcomes) == [
        Outcome.ACCEPTED,
        KEPT_OLD,
        Outcome.NOT_FINITE,
        KEPT_AHEAD,
    ]
    assert opened.on_disk() == opened.quarantine.kept_count == 2
    first, second = await opened.quarantine.entries()
    assert (first.point_id, first.time_us, first.value, first.quality) == (7, 2, 1.0, 5)
    assert (first.code, first.source, first.arrival_us, first.state) == ("time_too_old", "http", 500, "kept")
    assert (second.time_us, second.code) == (4, "time_in_future")


async def test_a_batch_inside_the_fence_touches_nothing(opened: Opened) -> None:
    outcome = np.zeros(2, np.uint8)
    assert await opened.quarantine.keep(batch(1, 2), outcome, "http", 500) is outcome


async def test_the_same_sample_again_is_kept_once(opened: Opened) -> None:
    for _ in range(3):
        assert await opened.keep(batch(1, 2), [OLD, OLD]) == [KEPT_OLD, KEPT_OLD]
    assert opened.quarantine.kept_count == opened.on_disk() == 2


async def test_another_value_at_the_time_is_another_entry(opened: Opened) -> None:
    await opened.keep(batch(1), [OLD])
    await opened.keep(batch(1, value=2.0), [OLD])
    assert [entry.value for entry in await opened.quarantine.entries()] == [1.0, 2.0]


async def test_a_full_quarantine_refuses_what_is_new_and_counts_it(opened: Opened) -> None:
    answer = await opened.keep(batch(*range(6)), [AHEAD] * 6)
    assert answer == [KEPT_AHEAD] * 4 + [AHEAD] * 2
    assert opened.full_count == 2
    assert await opened.keep(batch(9, 1), [AHEAD, AHEAD]) == [AHEAD, KEPT_AHEAD], "what is here stays here"
    assert opened.quarantine.kept_count == opened.on_disk() == 4


async def test_a_stamp_that_is_no_date_is_refused(opened: Opened) -> None:
    far = timestamp.TIME_MAX_US
    assert await opened.keep(batch(1 << 62, far - 2 * DAY_US, far), [AHEAD] * 3) == [AHEAD, KEPT_AHEAD, AHEAD]
    assert await opened.keep(batch(-(1 << 62), timestamp.TIME_MIN_US), [OLD] * 2) == [OLD, OLD]
    zone = timestamp.load_zone("Pacific/Kiritimati")
    assert [timestamp.format_local_time(one.time_us, zone) for one in await opened.quarantine.entries()]
    assert opened.full_count == 4


async def test_duplicates_take_no_room(opened: Opened) -> None:
    await opened.keep(batch(1, 2, 3), [OLD] * 3)
    assert await opened.keep(batch(1, 2, 3, 4), [OLD] * 4) == [KEPT_OLD] * 4


async def test_nothing_is_written_while_the_disk_may_not_be(opened: Opened) -> None:
    opened.is_writable = False
    assert await opened.keep(batch(1), [OLD]) == [OLD]
    assert opened.full_count == 1


async def test_a_file_that_cannot_be_written_refuses_and_says_so(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    connection = sqlite3.connect(opened.path, isolation_level=None)
    connection.execute("DROP TABLE quarantined")
    connection.close()
    assert await opened.keep(batch(1), [OLD]) == [OLD]
    assert opened.quarantine.kept_count == 0
    assert "quarantine_not_written" in caplog.text


async def test_who_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "closed.sqlite")
    waiting = asyncio.create_task(opened.keep(batch(1), [OLD]))
    await asyncio.sleep(0)
    await opened.quarantine.close()
    assert await waiting == [KEPT_OLD], "who waited already is answered"
    assert await opened.keep(batch(2), [OLD]) == [OLD]


async def test_senders_that_wait_together_share_a_commit_and_get_their_own_answer(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "many.sqlite", samples_max=60)
    answers = await asyncio.gather(*(opened.keep(batch(2 * k, 2 * k + 1), [OLD, AHEAD]) for k in range(30)))
    assert answers == [[KEPT_OLD, KEPT_AHEAD]] * 30
    assert opened.on_disk() == 60
    await opened.quarantine.close()


async def test_a_restart_finds_what_was_kept(opened: Opened, tmp_path: Path) -> None:
    await opened.keep(batch(1, 2), [OLD, AHEAD])
    await opened.quarantine.decide({1: None}, "erased", WHO, 900)
    again = Opened(tmp_path / "q.sqlite")
    assert again.quarantine.kept_count == 1
    (erased,) = await again.quarantine.entries(state="erased")
    assert (erased.id, erased.decided_us, erased.author, erased.reason) == (
        1,
        900,
        "Wang",
        "clock was at 1970",
    )
    await again.quarantine.close()


async def test_entries_are_listed_by_point_code_and_page(opened: Opened) -> None:
    await opened.keep(make_batch([7, 8, 7], [1, 2, 3], [1.0, 1.0, 1.0]), [OLD, AHEAD, AHEAD])

    async def ids(**wanted: object) -> list[int]:
        return [entry.id for entry in await opened.quarantine.entries(**wanted)]  # type: ignore[arg-type]

    assert await ids() == [1, 2, 3]
    assert await ids(point_id=7) == [1, 3]
    assert await ids(code="time_in_future", after_id=2) == [3]
    assert await ids(code="misspelt") == []
    assert await ids(limit=2) == [1, 2]
    assert await ids(state="released") == []


async def test_decided_entries_leave_room_and_stay_as_evidence_up_to_the_limit(opened: Opened) -> None:
    for turn in range(3):
        await opened.keep(batch(*range(4 * turn, 4 * turn + 4)), [OLD] * 4)
        ids = [entry.id for entry in await opened.quarantine.entries()]
        assert len(ids) == 4
        await opened.quarantine.decide(dict.fromkeys(ids), "erased", WHO, turn)
    assert [entry.id for entry in await opened.quarantine.entries(state="erased")] == [9, 10, 11, 12]
    connection = sqlite3.connect(opened.path)
    decisions = connection.execute("SELECT decided_us, author, sample_count FROM decision").fetchall()
    connection.close()
    assert decisions == [(0, "Wang", 4), (1, "Wang", 4), (2, "Wang", 4)], "who decided is never forgotten"


async def test_an_entry_is_decided_once(opened: Opened) -> None:
    await opened.keep(batch(1), [OLD])
    await opened.quarantine.decide({1: 77}, "released", WHO, 1)
    await opened.quarantine.decide({1: None}, "erased", WHO, 2)
    (entry,) = await opened.quarantine.find([1, 99])
    assert (entry.state, entry.stored_time_us, entry.decided_us) == ("released", 77, 1)
    assert opened.quarantine.kept_count == 0


async def test_what_was_set_aside_is_told_by_its_arrival_whatever_was_decided(opened: Opened) -> None:
    await opened.keep(batch(1, 2), [OLD, AHEAD])
    await opened.quarantine.decide({1: None}, "erased", WHO, 600)
    told = await opened.quarantine.rejected([7, 8], 500, 501)
    assert told == [Rejected(7, 500, "time_too_old"), Rejected(7, 500, "time_in_future")]
    assert await opened.quarantine.rejected([7], 501, 900) == []
    assert await opened.quarantine.rejected([8], 0, 900) == []
