"""Records together in one sync; a disk that fails refuses what must be recorded and comes back by itself."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from historian.audit.folding import WINDOW_S
from historian.audit.recorder import Recorder
from historian.audit.verify import verify
from historian.clock import ManualClock
from historian.errors import AuditUnavailable
from historian.metrics import Metrics
from historian.model.audit import AuditEntry, AuditQuestion, Kind
from historian.model.timestamp import TIME_MAX_US, parse_time_us
from historian.settings import AuditSettings
from historian.store.durable import DurableFiles
from tests.unit.audit.conftest import NOW_US, ZONE, entry

ALL = AuditQuestion(0, TIME_MAX_US)


class Disk(DurableFiles):
    """Counts syncs, and fails while told to."""

    def __init__(self) -> None:
        self.sync_count = 0
        self.error: OSError | None = None

    def sync(self, descriptor: int) -> None:
        self.sync_count += 1
        if self.error is not None:
            raise self.error


class PatientClock(ManualClock):
    """Sleeps for real turns of the loop until it is moved."""

    async def sleep(self, duration_s: float) -> None:
        until_s = self.monotonic_s() + duration_s
        while self.monotonic_s() < until_s:  # noqa: ASYNC110  (it is moved from outside)
            await asyncio.sleep(0)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def patient() -> PatientClock:
    return PatientClock(NOW_US)


def recorder_of(folder: Path, disk: Disk, clock: ManualClock, keep_days: int = 0) -> Recorder:
    return Recorder(folder, disk, clock, Metrics(), AuditSettings(keep_days=keep_days), ZONE)


@pytest.fixture
async def recorder(folder: Path, disk: Disk, patient: PatientClock) -> AsyncIterator[Recorder]:
    recorder = recorder_of(folder, disk, patient)
    await recorder.open()
    yield recorder
    await recorder.close()


async def objects(recorder: Recorder) -> list[str]:
    return [record.object for record in (await recorder.read(ALL)).records]


async def test_what_comes_together_shares_a_sync(recorder: Recorder, disk: Disk) -> None:
    before = disk.sync_count
    numbers = await asyncio.gather(*(recorder.record(entry(str(n))) for n in range(100)))
    assert sorted(numbers) == list(range(2, 102))
    assert disk.sync_count - before == 1
    assert len(await objects(recorder)) == 101


async def test_a_full_disk_refuses_and_the_next_tick_finds_it_well(
    recorder: Recorder, disk: Disk, patient: PatientClock, folder: Path
) -> None:
    disk.error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(AuditUnavailable, match="No space left"):
        await recorder.record(entry("refused"))
    assert not recorder.status().is_writable
    background = asyncio.create_task(recorder.run_background())
    disk.error = None
    while not recorder.status().is_writable:
        patient.advance(1)
        await asyncio.sleep(0)
    background.cancel()
    await recorder.record(entry("after"))
    assert await objects(recorder) == ["", "after"]
    assert verify(folder).faults == []


async def test_a_folder_that_cannot_be_made_stops_edits_and_nothing_else(
    tmp_path: Path, disk: Disk, patient: PatientClock
) -> None:
    (tmp_path / "file").write_text("")
    recorder = recorder_of(tmp_path / "file" / "audit", disk, patient)
    await recorder.open()
    with pytest.raises(AuditUnavailable):
        await recorder.record(entry())
    recorder.note(entry())
    await recorder.close()


async def test_notes_are_counted_and_told(recorder: Recorder, patient: PatientClock) -> None:
    denied = AuditEntry(kind=Kind.DENIED, address="10.0.0.1", result="denied")
    for _ in range(500):
        recorder.note(denied)
    background = asyncio.create_task(recorder.run_background())
    while len(records := (await recorder.read(ALL)).records) < 3:
        patient.advance(WINDOW_S)
        await asyncio.sleep(0)
    background.cancel()
    assert [record.count for record in records] == [1, 1, 499]


async def test_closing_tells_open_counts(folder: Path, disk: Disk, patient: PatientClock) -> None:
    recorder = recorder_of(folder, disk, patient)
    await recorder.open()
    for number in range(3):
        recorder.note(msgspec.structs.replace(entry(), request_id=str(number)))
    await recorder.close()
    assert [record.count for record in (await recorder.read(ALL)).records] == [1, 1, 2]


async def test_old_months_go_where_a_setting_says_so(folder: Path, disk: Disk, patient: PatientClock) -> None:
    recorder = recorder_of(folder, disk, patient, keep_days=184)
    await recorder.open()
    patient.set_wall(parse_time_us("2027-08-01T00:00:00Z"))
    await recorder.record(entry())
    background = asyncio.create_task(recorder.run_background())
    while (folder / "2026-11.jsonl").exists():
        patient.advance(3600)
        await asyncio.sleep(0)
    background.cancel()
    await asyncio.wait([background])
    await recorder.close()
    assert verify(folder).faults == []
