import os
import shutil
import sqlite3
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from historian.audit import verify as audit_verify
from historian.audit.trail import Trail
from historian.clock import ManualClock
from historian.errors import StoreError, StoreLocked
from historian.model.audit import AuditEntry, Kind
from historian.store.durable import DurableFiles, FolderLock
from historian.tools import backup, backup_file, log_file, manifest_file, rollup_file, verify
from historian.tools.backup import BackupMaker
from historian.tools.backup_file import Backup
from tests.support import hand_made
from tests.support.hand_made import DAY, START_US


def nobody(what: str, done: int, total: int) -> None:
    """Told nothing."""


class Bench:
    """A data folder, a folder of backups, a clock that moves on with each backup."""

    def __init__(self, root: Path) -> None:
        self.data = hand_made.write_folder(_made(root / "data"))
        self.target = root / "backups"
        self.clock = ManualClock(START_US)

    def make(self, files: DurableFiles | None = None, **options: Any) -> tuple[Path, Backup]:
        self.clock.advance(60.0)
        maker = BackupMaker(self.data, self.target, self.clock, files or DurableFiles(), nobody, **options)
        return maker.folder, maker.make()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_a_backup_is_a_data_folder_without_fault(bench: Bench) -> None:
    folder, made = bench.make()
    report = verify.check(folder, "2026-01", nobody)
    assert report.findings == []
    assert (report.checked.segments, report.checked.unsealed_samples) == (2, 2)
    assert (made.sequence, made.sealed_sequence, made.sample_count, made.damage) == (3, 2, 194, [])
    assert folder.name == "20251231T160100.000Z"


def test_nothing_in_the_data_folder_is_touched(bench: Bench) -> None:
    before = {path: path.read_bytes() for path in bench.data.rglob("*") if path.is_file()}
    bench.make()
    assert {path: path.read_bytes() for path in bench.data.rglob("*") if path.is_file()} == before


def test_a_second_backup_links_what_has_not_changed(bench: Bench) -> None:
    first, _ = bench.make()
    (bench.data / "segments" / "2026-01-0000000003.h5").write_bytes(b"")
    runs = [hand_made.Run(1, [hand_made.JANUARY_US + hand_made.DAY_US * 3], [5.0], sequence=3)]
    added = hand_made.write_segment(bench.data, "2026-01", 3, runs)
    manifest = _listed(bench) | {added["name"]: added}
    hand_made.write_manifest(bench.data, list(manifest.values()), sealed=3)
    second, made = bench.make()
    inodes = [
        {path.name: path.stat().st_ino for path in (folder / "segments").iterdir()}
        for folder in (first, second)
    ]
    assert inodes[0].items() <= inodes[1].items()
    assert added["name"] in inodes[1]
    assert made.sequence == 3
    assert verify.check(second, None, nobody).findings == []
    assert verify.check(first, None, nobody).findings == []


def _listed(bench: Bench) -> dict[str, dict[str, Any]]:
    import json

    content = json.loads((bench.data / "manifest").read_bytes().split(b"\n")[0])
    return {one["name"]: one for one in content["segments"]}


def test_where_nothing_can_be_linked_it_is_copied(bench: Bench) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError("another file system")

    bench.make()
    folder, made = bench.make(link=refuse)
    assert len(list((folder / "segments").iterdir())) == 2
    assert made.damage == []


def test_a_damaged_segment_is_copied_and_told_and_a_good_copy_is_kept(bench: Bench) -> None:
    bench.make()
    name = "segments/2026-01-0000000002.h5"
    content = bytearray((bench.data / name).read_bytes())
    content[-1] ^= 1
    (bench.data / name).write_bytes(content)
    _, kept = bench.make()
    assert kept.damage == []  # the copy of the backup before is as the manifest says
    shutil.rmtree(bench.target)
    _, made = bench.make()
    assert made.damage == [f"{name}: not as the manifest says; copied as it is"]


def test_a_missing_segment_is_an_error_that_names_it(bench: Bench) -> None:
    (bench.data / "segments" / "2026-01-0000000002.h5").unlink()
    with pytest.raises(StoreError, match=r"2026-01-0000000002\.h5, which are not there"):
        bench.make()
    assert backup_file.whole_backups(bench.target) == []


class Merging(DurableFiles):
    """While the first segment is copied, both are merged into a third and removed."""

    def __init__(self, merge: Callable[[], None]) -> None:
        self._merge: Callable[[], None] | None = merge

    def create(self, path: Path, preallocate_bytes: int) -> int:
        descriptor = super().create(path, preallocate_bytes)
        if path.name.startswith("2025-12") and self._merge:
            merge, self._merge = self._merge, None
            merge()
        return descriptor


def test_a_merge_in_between_starts_over_with_the_newer_manifest(bench: Bench) -> None:
    def merge() -> None:
        old = bench.data / "segments" / "2026-01-0000000002.h5"
        new = bench.data / "segments" / "2026-01-0000000003.h5"
        old.rename(new)
        listed = _listed(bench)
        listed["2026-01-0000000003.h5"] = listed.pop(old.name) | {"name": new.name}
        hand_made.write_manifest(bench.data, list(listed.values()), sealed=2)

    folder, made = bench.make(Merging(merge))
    names = sorted(path.name for path in (folder / "segments").iterdir())
    assert names == ["2025-12-0000000001.h5", "2026-01-0000000003.h5"]
    assert [entry.path for entry in made.files if entry.path.startswith("segments")] == [
        f"segments/{name}" for name in names
    ]


class Stopped(DurableFiles):
    """Fails at the n-th operation that changes something."""

    def __init__(self, after: int) -> None:
        self.left = after

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError("stopped")

    def create(self, path: Path, preallocate_bytes: int) -> int:
        self._step()
        return super().create(path, preallocate_bytes)

    def sync(self, descriptor: int) -> None:
        self._step()
        super().sync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)


def test_an_interrupted_backup_is_never_mistaken_for_a_whole_one(bench: Bench) -> None:
    whole_folder, _ = bench.make()
    steps = 0
    while True:
        try:
            bench.make(Stopped(steps), link=os.link)
        except OSError:
            steps += 1
            whole = backup_file.whole_backups(bench.target)
            assert whole == [whole_folder]
            continue
        break
    assert steps > 10
    whole = backup_file.whole_backups(bench.target)
    assert len(whole) == 2
    assert {path for path in bench.target.iterdir() if path.is_dir()} == set(whole), "what was left is gone"
    assert verify.check(whole[-1], None, nobody).findings == []


def test_figures_made_meanwhile_are_marked(bench: Bench) -> None:
    (bench.data / "rollup.sqlite").unlink()
    young = hand_made.Figure(1, DAY, (1, 1), 1, 1.0, 1, 1.0, 1, 1, is_complete=True, computed_at_us=START_US)
    old = young._replace(point_id=2, computed_at_us=START_US - 48 * 3_600_000_000)
    hand_made.write_rollup(bench.data, hand_made.POINTS, [young, old])
    folder, _ = bench.make()
    connection = sqlite3.connect(folder / "rollup.sqlite")
    assert rollup_file.dirty_days(connection) == {(1, DAY)}
    connection.close()


def test_the_log_ends_with_its_last_whole_record(bench: Bench) -> None:
    record = hand_made.log_samples(4, [1], [START_US], [1.0])
    hand_made.write_log(
        bench.data, 4, record, hand_made.log_samples(5, [1], [START_US], [2.0])[:50], is_ended=False
    )
    folder, made = bench.make()
    assert (made.sequence, made.damage) == (4, [])
    log = log_file.walk((folder / "wal" / "0000000000000004.wal").read_bytes())
    assert (log.last_sequence, log.has_end, log.bad) == (4, True, [])


def test_what_is_sealed_is_left_out_of_the_log(bench: Bench) -> None:
    (bench.data / "wal" / "0000000000000003.wal").unlink()
    records = [hand_made.log_samples(number, [1], [START_US], [1.0]) for number in (2, 3, 4)]
    hand_made.write_log(bench.data, 2, *records)
    folder, made = bench.make()
    [path] = (folder / "wal").iterdir()
    assert (path.name, made.sequence) == ("0000000000000003.wal", 4)
    log = log_file.walk(path.read_bytes())
    assert ([frame.sequence for frame in log.frames], log.first_sequence) == ([3, 4, 4], 3)


def test_damage_in_the_middle_of_the_log_is_left_out_and_told(bench: Bench) -> None:
    (bench.data / "wal" / "0000000000000003.wal").unlink()
    records = [hand_made.log_samples(number, [1], [START_US], [1.0]) for number in (3, 4, 5)]
    path = hand_made.write_log(bench.data, 3, *records)
    content = bytearray(path.read_bytes())
    content[40 + len(records[0]) + 60] ^= 1
    path.write_bytes(content)
    folder, made = bench.make()
    log = log_file.walk(next((folder / "wal").iterdir()).read_bytes())
    assert ([frame.sequence for frame in log.frames], log.bad) == ([3, 5, 5], [])
    [told] = made.damage
    assert told.endswith("are no record; left out")


def test_other_files_come_along(bench: Bench) -> None:
    (bench.data / "demo-imported").write_text("yes")
    _made(bench.data / "quarantine")
    (bench.data / "quarantine" / "f.csv.bad").write_text("row")
    (bench.data / "lock").write_text("1")
    folder, made = bench.make()
    assert (folder / "demo-imported").read_text() == "yes"
    assert (folder / "quarantine" / "f.csv.bad").read_text() == "row"
    paths = [entry.path for entry in made.files]
    assert {"demo-imported", "quarantine/f.csv.bad", "catalogue.sqlite", "manifest"} <= set(paths)
    assert "lock" not in paths


def test_segments_of_the_cold_folder_come_home(bench: Bench, tmp_path: Path) -> None:
    listed = _listed(bench)
    name = "2025-12-0000000001.h5"
    listed[name]["tier"] = "cold"
    hand_made.write_manifest(bench.data, list(listed.values()), sealed=2)
    (bench.data / "segments" / name).rename(_made(tmp_path / "cold") / name)
    report = verify.check(bench.data, None, nobody)
    assert [(one.kind, "see --config" in one.problem) for one in report.findings] == [
        ("segment_missing", True)
    ]
    assert verify.check(bench.data, None, nobody, tmp_path / "cold").findings == []
    folder, made = bench.make(cold_folder=tmp_path / "cold")
    assert made.damage == []
    manifest = manifest_file.read(folder)
    assert manifest is not None
    assert [one.tier for one in manifest.segments] == ["", ""]
    assert verify.check(folder, None, nobody).findings == []


def test_a_seal_between_manifest_and_log_starts_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seal removes the log file that holds what the manifest read before does not."""
    open_logs = BackupMaker._open_logs
    sealed: list[bool] = []

    def seal_first(maker: BackupMaker, stack: Any) -> dict[str, int]:
        if not sealed:
            sealed.append(True)
            runs = [hand_made.Run(1, [hand_made.JANUARY_US + hand_made.DAY_US * 3], [9.0], sequence=3)]
            added = hand_made.write_segment(bench.data, "2026-01", 3, runs)
            hand_made.write_manifest(bench.data, [*_listed(bench).values(), added], sealed=3)
            (bench.data / "wal" / "0000000000000003.wal").unlink()
        return open_logs(maker, stack)

    monkeypatch.setattr(BackupMaker, "_open_logs", seal_first)
    folder, made = bench.make()
    assert (made.sequence, made.sealed_sequence, len(list((folder / "segments").iterdir()))) == (3, 3, 3)


def test_half_a_removed_backup_is_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(folder: Path) -> None:
        raise OSError("stopped")

    folders = [bench.make()[0] for _ in range(2)]
    monkeypatch.setattr(shutil, "rmtree", stop)
    with pytest.raises(OSError, match="stopped"):
        backup.remove_old(bench.target, 1)
    assert backup_file.whole_backups(bench.target) == folders[1:]


def test_old_backups_are_removed_and_the_newest_stay(bench: Bench) -> None:
    folders = [bench.make()[0] for _ in range(3)]
    assert backup.remove_old(bench.target, 2) == folders[:1]
    assert backup_file.whole_backups(bench.target) == folders[1:]
    assert verify.check(folders[1], None, nobody).findings == []


@pytest.mark.parametrize("place", ["data", "data/backups", "."])
def test_a_target_inside_the_data_or_around_it_is_refused(bench: Bench, tmp_path: Path, place: str) -> None:
    bench.target = tmp_path / place
    with pytest.raises(StoreError, match="must not lie in each other"):
        bench.make()


def test_what_is_no_data_folder_is_refused(bench: Bench) -> None:
    (bench.data / "manifest").unlink()
    with pytest.raises(StoreError, match="is no data folder"):
        bench.make()


def test_two_backups_at_once_are_refused(bench: Bench) -> None:
    bench.target.mkdir()
    lock = FolderLock(bench.target)
    with pytest.raises(StoreLocked, match="another backup into"):
        bench.make()
    lock.release()


def test_a_target_without_space_is_refused_at_once(bench: Bench) -> None:
    class Full(DurableFiles):
        def free_bytes(self, path: Path) -> int:
            return 5 << 20

    with pytest.raises(StoreError, match="5 MiB free"):
        bench.make(Full())


def test_the_audit_trail_comes_along_whole_though_a_line_is_being_written(bench: Bench) -> None:
    folder = bench.data / "audit"
    trail = Trail(folder, DurableFiles(), bench.clock, zoneinfo.ZoneInfo("Asia/Shanghai"))
    trail.append([AuditEntry(kind=Kind.EDIT)])
    trail.close()
    [month] = folder.glob("*.jsonl")
    month.write_bytes(month.read_bytes() + b'{"number":3,')
    copied, _ = bench.make()
    report = audit_verify.verify(copied / "audit")
    assert (report.records, report.faults) == (2, [])
    assert verify.check(copied, "2026-01", nobody).findings == []
