"""Backup and restore at every moment: a backup made between any two file operations of a busy store holds all that
was acknowledged before it, and what a power cut leaves of a backup or a restore never passes for a whole one.
"""

import random
import shutil
from pathlib import Path

import pytest

from historian.clock import ManualClock
from historian.errors import HistorianError
from historian.store.durable import DurableFiles
from historian.tools import backup_file
from historian.tools.backup import BackupMaker
from historian.tools.restore import restore
from tests.crash.test_crash_states import everyday, live, old_months_leave
from tests.support.crash_disk import Disk, build, digest_of
from tests.support.disk_recorder import DiskRecorder, recording, unsynced
from tests.support.store_life import NOW_US, Life, contents, open_life_store

STATES_MAX = 6
BACKUP_SHARE = 0.5  # of the operations before which a backup is made


def tell(what: str, done: int, total: int) -> None:
    """Nobody looks at the progress."""


def make_backup(data: Path, target: Path) -> None:
    BackupMaker(data, target, ManualClock(NOW_US), DurableFiles(), tell, data / "cold").make()


async def problems_after_restore(place: Path, data: Path, life: Life, operation_count: int) -> list[str]:
    """What is wrong with the store that comes out of a backup."""
    shutil.rmtree(data, ignore_errors=True)
    with unsynced():
        restore(place, data, DurableFiles(), tell)
        return await problems_of(data, life, operation_count)


async def problems_of(data: Path, life: Life, operation_count: int) -> list[str]:
    store = open_life_store(data)
    try:
        return [*life.ledger.problems(await contents(store), operation_count), *store.status().damage]
    finally:
        await store.close()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [everyday, old_months_leave])
async def test_a_backup_at_any_moment_holds_what_was_acknowledged_before(
    scenario: object, quick_path: Path
) -> None:
    """The backup runs in the middle of the store's own work, as another process would."""
    mixer, made = random.Random(1), dict[int, Path]()
    recorder = DiskRecorder()
    data = quick_path / "data"

    def backup_now(name: str, path: Path) -> None:
        number = len(recorder.events)
        if (data / "manifest").exists() and number not in made and mixer.random() < BACKUP_SHARE:
            made[number] = quick_path / f"backup-{number}"
            recorder.before = lambda name, path: None
            with unsynced():
                make_backup(data, made[number])
            recorder.before = backup_now

    with recording(recorder):
        recorder.before = backup_now
        life = Life(data, recorder)
        await scenario(life)  # type: ignore[operator]
        recorder.before = lambda name, path: None
        await life.close()
    assert len(made) > 20
    for number, place in made.items():
        problems = await problems_after_restore(place, quick_path / "restored", life, number)
        assert not problems, (number, problems[:5])


async def test_what_a_power_cut_leaves_of_a_backup_is_whole_or_none(quick_path: Path) -> None:
    life = await live(everyday, quick_path / "data")
    target, recorder = quick_path / "backups", DiskRecorder()
    with recording(recorder):
        make_backup(life.folder, target)
    disk, seen, whole_count = Disk(), set[bytes](), 0
    mixer = random.Random(2)
    for event in recorder.events:
        disk.take(event)
        for state in disk.states(STATES_MAX, mixer):
            state = {path: content for path, content in state.items() if path.is_relative_to(target)}
            if digest_of(state) in seen:
                continue
            seen.add(digest_of(state))
            cut = quick_path / "cut"
            shutil.rmtree(cut, ignore_errors=True)
            cut.mkdir()
            build(state, target, cut)
            for place in backup_file.whole_backups(cut):
                whole_count += 1
                problems = await problems_after_restore(place, quick_path / "restored", life, 1 << 60)
                assert not problems, problems[:5]
    assert len(seen) > 50
    assert whole_count > 0


async def test_what_a_power_cut_leaves_of_a_restore_starts_whole_or_not_at_all(quick_path: Path) -> None:
    life = await live(everyday, quick_path / "data")
    make_backup(life.folder, quick_path / "backups")
    data, recorder = quick_path / "restored", DiskRecorder()
    with recording(recorder):
        restore(quick_path / "backups", data, DurableFiles(), tell)
    disk, seen, outcomes = Disk(), set[bytes](), set[str]()
    mixer = random.Random(3)
    for event in recorder.events:
        disk.take(event)
        for state in disk.states(STATES_MAX, mixer):
            if digest_of(state) not in seen:
                seen.add(digest_of(state))
                cut = quick_path / "cut"
                shutil.rmtree(cut, ignore_errors=True)
                build(state, data, cut)
                outcomes.add(await outcome_of(cut, life))
    assert len(seen) > 50
    assert outcomes == {"nothing", "refused", "whole"}


async def outcome_of(data: Path, life: Life) -> str:
    """A start finds nothing at all (the restore is made again), refuses, or finds everything."""
    if not data.exists() or not any(path.is_file() and path.suffix != ".tmp" for path in data.rglob("*")):
        return "nothing"
    with unsynced():
        try:
            store = open_life_store(data)
        except HistorianError as error:
            return "refused" if "restore" in str(error) else str(error)
        found = await contents(store)
        await store.close()
    problems = life.ledger.problems(found, 1 << 60)
    assert not problems, problems[:5]
    return "whole"
