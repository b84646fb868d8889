"""Releasing and erasing: through the sink, only then out of the quarantine, and the same again changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.errors import EditRefused, StoreReadOnly
from historian.ingest.quarantine import Quarantine
from historian.ingest.quarantine_desk import Desk
from historian.metrics import Metrics
from historian.model.decision import Decision
from historian.model.point import DAY_US, HOUR_US
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.quarantine import NewStamp
from historian.model.sample import SampleBatch, make_batch
from historian.model.timestamp import parse_time_us
from historian.settings import Settings
from tests.support.version_store import VersionStore

NOW_US = parse_time_us("2026-11-22T08:00:00Z")
AHEAD_US = NOW_US + 30 * DAY_US  # outside the fence of a day
WHO = Decision("Wang", "meter clock was a month ahead")
BACK = NewStamp(shift_us=-30 * DAY_US)


class Sink:
    """A store that can refuse."""

    def __init__(self, store: VersionStore) -> None:
        self.store = store
        self.is_read_only = False
        self.append_count = 0

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        self.append_count += 1
        if self.is_read_only:
            raise StoreReadOnly("disk_reserve", "full")
        return await self.store.append(batch, source=source, on_conflict=on_conflict, reason=reason)


class Bench:
    """A desk over a quarantine with entries 1 and 2 of point 7, an hour apart, and 3 of point 8 from another source."""

    def __init__(self, quarantine: Quarantine, clock: ManualClock) -> None:
        self.quarantine = quarantine
        self.sink = Sink(VersionStore(clock))
        self.desk = Desk(quarantine, self.sink, clock, Settings())

    def stored(self, point_id: int) -> dict[int, float]:
        samples = self.sink.store.versions.get(point_id, {})
        return {time_us: versions[-1].value for time_us, versions in samples.items()}

    async def kept(self) -> list[int]:
        return [entry.id for entry in await self.desk.entries()]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    quarantine = Quarantine(tmp_path / "q.sqlite", 100, Metrics())
    future = np.full(2, Outcome.TIME_IN_FUTURE, np.uint8)
    await quarantine.keep(make_batch(7, [AHEAD_US, AHEAD_US + HOUR_US], [1.0, 2.0]), future, "modbus", 5)
    await quarantine.keep(make_batch(8, [AHEAD_US], [3.0]), future[:1], "iec104", 6)
    yield Bench(quarantine, ManualClock(NOW_US))
    await quarantine.close()


async def test_released_samples_are_stored_under_the_moved_stamp_and_leave(bench: Bench) -> None:
    result = await bench.desk.release([1, 2, 3], BACK, WHO)
    assert (result.done, result.already, result.refused) == (3, 0, [])
    assert bench.stored(7) == {NOW_US: 1.0, NOW_US + HOUR_US: 2.0}
    assert bench.stored(8) == {NOW_US: 3.0}
    assert await bench.kept() == []
    assert bench.desk.kept_count == 0


async def test_where_a_sample_came_from_and_why_it_came_late_stays_with_it(bench: Bench) -> None:
    await bench.desk.release([1, 3], BACK, WHO)
    origin = bench.sink.store.versions[8][NOW_US][0].origin
    assert origin.source == "iec104"
    assert origin.reason == (
        "meter clock was a month ahead (released from quarantine by Wang, stamps moved by -2592000 s)"
    )


async def test_one_sample_can_be_given_its_very_time(bench: Bench) -> None:
    await bench.desk.release([2], NewStamp(time_us=NOW_US - HOUR_US), WHO)
    assert bench.stored(7) == {NOW_US - HOUR_US: 2.0}
    origin = bench.sink.store.versions[7][NOW_US - HOUR_US][0].origin
    assert "came stamped 2026-12-22T09:00:00Z" in origin.reason


async def test_a_release_repeated_changes_nothing(bench: Bench) -> None:
    await bench.desk.release([1, 2], BACK, WHO)
    result = await bench.desk.release([1, 2], BACK, WHO)
    assert (result.done, result.already, result.refused) == (0, 2, [])
    assert bench.sink.append_count == 1


async def test_a_release_cut_off_after_the_store_took_it_is_finished_by_repeating(bench: Bench) -> None:
    await bench.sink.store.append(make_batch(7, [NOW_US], [1.0]), source="modbus")
    result = await bench.desk.release([1], BACK, WHO)
    assert (result.done, await bench.kept()) == (1, [2, 3])
    assert len(bench.sink.store.versions[7][NOW_US]) == 1, "the same sample is no second version"


async def test_nothing_leaves_while_the_store_takes_nothing(bench: Bench) -> None:
    bench.sink.is_read_only = True
    with pytest.raises(StoreReadOnly):
        await bench.desk.release([1, 2, 3], BACK, WHO)
    assert await bench.kept() == [1, 2, 3]


async def test_a_stamp_still_outside_the_fence_stays_here_and_is_not_sent(bench: Bench) -> None:
    result = await bench.desk.release([1], NewStamp(), WHO)
    assert [(refusal.id, refusal.code) for refusal in result.refused] == [(1, "time_in_future")]
    result = await bench.desk.release([1], NewStamp(time_us=0), WHO)
    assert [refusal.code for refusal in result.refused] == ["time_too_old"]
    assert (bench.sink.append_count, await bench.kept()) == (0, [1, 2, 3])


async def test_a_stored_value_is_not_replaced_unless_asked(bench: Bench) -> None:
    await bench.sink.store.append(make_batch(7, [NOW_US], [9.0]), source="modbus")
    result = await bench.desk.release([1], BACK, WHO)
    assert [(refusal.id, refusal.code) for refusal in result.refused] == [(1, "conflict")]
    assert (bench.stored(7), await bench.kept()) == ({NOW_US: 9.0}, [1, 2, 3])
    assert (await bench.desk.release([1], BACK, WHO, "replace")).done == 1
    assert bench.stored(7) == {NOW_US: 1.0}


async def test_erased_entries_stay_as_evidence_and_are_not_released(bench: Bench) -> None:
    assert (await bench.desk.erase([1, 3], WHO)).done == 2
    assert (await bench.desk.erase([1], WHO)).already == 1
    result = await bench.desk.release([1, 2, 44], BACK, WHO)
    assert [(refusal.id, refusal.code) for refusal in result.refused] == [(1, "erased"), (44, "unknown")]
    evidence = await bench.desk.entries(state="erased")
    assert [(entry.id, entry.value, entry.author) for entry in evidence] == [
        (1, 1.0, "Wang"),
        (3, 3.0, "Wang"),
    ]


async def test_released_entries_cannot_be_erased(bench: Bench) -> None:
    await bench.desk.release([2], BACK, WHO)
    assert [refusal.code for refusal in (await bench.desk.erase([2], WHO)).refused] == ["released"]


@pytest.mark.parametrize(
    ("ids", "named"), [([], "at least one"), ([-1], "such as the list"), ([2**63], "such as the list")]
)
async def test_ids_that_are_wrong_are_refused(bench: Bench, ids: list[int], named: str) -> None:
    with pytest.raises(EditRefused, match=named):
        await bench.desk.erase(ids, WHO)


async def test_too_many_ids_are_refused_before_any_work(bench: Bench) -> None:
    with pytest.raises(EditRefused, match="50001 ids, 50000 may"):
        await bench.desk.release(range(50_001), BACK, WHO)
    assert await bench.kept() == [1, 2, 3]
