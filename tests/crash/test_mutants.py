"""The proofs themselves, tried on a store with a fault built in: each of them has to find it.

A mutant is the product with one step left out or put in the wrong order. A proof that stays green over it proves
nothing, so every test here expects red.
"""

import contextlib
import errno
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from historian.errors import HistorianError
from historian.store import (
    columns,
    durable,
    filenames,
    maintenance,
    manifest,
    recovery,
    segment_codec,
    wal,
    wal_record,
    workshop,
)
from historian.store.archive import Archive
from historian.store.durable import DurableFiles
from tests.crash import test_backup_cuts as backup_cuts
from tests.crash import test_crash_states as states
from tests.crash import test_damage as damage
from tests.crash import test_damage_segment as damage_segment
from tests.crash import test_faults as faults
from tests.support.explore import Bounds, Explorer, Lost

Mutant = Callable[[pytest.MonkeyPatch], None]
RED = (
    AssertionError,
    HistorianError,
    msgspec.MsgspecError,
    ValueError,
    ArithmeticError,
    LookupError,
    MemoryError,
)


def path_of(descriptor: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))


def skip_sync_of(suffix: str) -> Mutant:
    """Files whose name ends so are written, but never synced."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        sync = DurableFiles.sync

        def mutant(self: DurableFiles, descriptor: int) -> None:
            if not path_of(descriptor).name.endswith(suffix):
                sync(self, descriptor)

        patch.setattr(DurableFiles, "sync", mutant)

    return mutate


def skip_sync_of_folder(name: str) -> Mutant:
    """New names, and names that are gone, of this folder are left to chance."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        sync_folder = DurableFiles.sync_folder

        def mutant(self: DurableFiles, path: Path) -> None:
            if path.name != name:
                sync_folder(self, path)

        patch.setattr(DurableFiles, "sync_folder", mutant)

    return mutate


def rename_before_sync(patch: pytest.MonkeyPatch) -> None:
    def publish(self: DurableFiles, path: Path, data: bytes) -> None:
        temporary = path.with_name(path.name + filenames.TEMPORARY_SUFFIX)
        with contextlib.suppress(FileNotFoundError):
            self.unlink(temporary)
        descriptor = self.create(temporary, 0)
        self.write(descriptor, memoryview(data), 0)
        self.rename(temporary, path)
        self.sync_folder(path.parent)
        self.sync(descriptor)
        self.close(descriptor)

    patch.setattr(DurableFiles, "publish", publish)


def write_in_place(patch: pytest.MonkeyPatch) -> None:
    """Whole files are written over the old ones, without a temporary name."""

    def publish(self: DurableFiles, path: Path, data: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.unlink(path)
        descriptor = self.create(path, 0)
        self.write(descriptor, memoryview(data), 0)
        self.sync(descriptor)
        self.close(descriptor)

    patch.setattr(DurableFiles, "publish", publish)


def manifest_before_segments(patch: pytest.MonkeyPatch) -> None:
    """A segment reaches the disk only after the manifest that lists it."""
    publish, late = DurableFiles.publish, list[Path]()

    def mutant(self: DurableFiles, path: Path, data: bytes) -> None:
        if filenames.segment_generation(path.name) is not None:
            path.write_bytes(data)  # seen by everybody, but on no disk yet
            late.append(path)
            return
        publish(self, path, data)
        while late:
            publish(self, late[0], late.pop(0).read_bytes())

    patch.setattr(DurableFiles, "publish", mutant)


def log_removed_before_the_manifest(patch: pytest.MonkeyPatch) -> None:
    publish = DurableFiles.publish

    def mutant(self: DurableFiles, path: Path, data: bytes) -> None:
        if path.name == filenames.MANIFEST:
            for log in sorted((path.parent / filenames.WAL_FOLDER).glob("*.wal"))[:-1]:
                self.unlink(log)
            self.sync_folder(path.parent / filenames.WAL_FOLDER)
        publish(self, path, data)

    patch.setattr(DurableFiles, "publish", mutant)


def acknowledge_before_the_write(patch: pytest.MonkeyPatch) -> None:
    """The log is written by the next call."""
    write, waiting = wal.Wal.write, list[Any]()

    def mutant(self: wal.Wal, *arguments: Any) -> None:
        waiting.append(arguments)
        if len(waiting) > 1:
            write(self, *waiting.pop(0))

    patch.setattr(wal.Wal, "write", mutant)


def go_on_with_a_poisoned_file(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wal.Wal, "_poison", lambda self, last_sequence: None)


def try_a_failed_sync_again(patch: pytest.MonkeyPatch) -> None:
    sync = DurableFiles.sync

    def mutant(self: DurableFiles, descriptor: int) -> None:
        try:
            sync(self, descriptor)
        except OSError:
            sync(self, descriptor)

    patch.setattr(DurableFiles, "sync", mutant)


def acknowledge_what_failed(patch: pytest.MonkeyPatch) -> None:
    write = wal.Wal.write

    def mutant(self: wal.Wal, *arguments: Any) -> None:
        with contextlib.suppress(wal.WalFailed):
            write(self, *arguments)

    patch.setattr(wal.Wal, "write", mutant)


def trust_what_a_killed_process_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "_make_durable", lambda *arguments: None)


def use_a_file_name_again(patch: pytest.MonkeyPatch) -> None:
    """What a failed attempt left is written over by the next one."""

    def take(self: workshop.Generations, month: str, lowest: int) -> tuple[str, int]:
        return filenames.segment_name(month, lowest), lowest

    patch.setattr(workshop.Generations, "take", take)
    patch.setattr(workshop.Generations, "unlisted", lambda self: set())


def drop_the_superseded_version(patch: pytest.MonkeyPatch) -> None:
    split = columns.split_versions

    def mutant(*arguments: Any) -> Any:
        newest, _ = split(*arguments)
        return newest, columns.make_rows(0)

    patch.setattr(columns, "split_versions", mutant)


def forget_the_marks(patch: pytest.MonkeyPatch) -> None:
    """A seal does not wait for what else must be durable before the log is dropped."""
    seal_all = maintenance.seal_all

    async def nothing() -> None:
        """Nobody is asked."""

    patch.setattr(maintenance, "seal_all", lambda store, before_checkpoint: seal_all(store, nothing))


STATES: list[tuple[Mutant, states.Scenario]] = [
    (skip_sync_of(".wal"), states.many_small_batches),
    (skip_sync_of(filenames.TEMPORARY_SUFFIX), states.everyday),
    (skip_sync_of_folder(filenames.WAL_FOLDER), states.many_small_batches),
    (skip_sync_of_folder(filenames.SEGMENT_FOLDER), states.everyday),
    (rename_before_sync, states.everyday),
    (write_in_place, states.everyday),
    (manifest_before_segments, states.everyday),
    (log_removed_before_the_manifest, states.many_small_batches),
    (acknowledge_before_the_write, states.many_small_batches),
    (trust_what_a_killed_process_left, states.killed_before_the_log_was_synced),
    (use_a_file_name_again, states.killed_while_sealing_after_a_merge_nobody_heard_of),
    (drop_the_superseded_version, states.everyday),
    (forget_the_marks, states.everyday),
]
NAMES = [
    "log not synced",
    "files not synced",
    "log folder not synced",
    "segment folder not synced",
    "rename before sync",
    "written in place",
    "manifest before segments",
    "log removed before the manifest",
    "acknowledged before the write",
    "killed process trusted",
    "file name used again",
    "superseded version dropped",
    "marks forgotten",
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("mutant", "scenario"), STATES, ids=NAMES)
async def test_the_power_cuts_find_a_mutant(
    mutant: Mutant, scenario: states.Scenario, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(Lost) as found:
        await explore(scenario, quick_path)
    print(f"found: {found.value}")


async def explore(scenario: states.Scenario, folder: Path) -> None:
    """A few states after each operation suffice to find a fault."""
    life = await states.live(scenario, folder / "data")
    await Explorer(folder / "cut", Bounds(states_max=4, nested_share=0, reopened_share=0)).explore(life)


def skip_the_crc_of_the_log(patch: pytest.MonkeyPatch) -> None:
    """A record is taken for what it says of itself."""

    def stored_crc(data: bytes, at: int, end: int) -> int:
        crc: int = wal_record.RECORD_HEADER.unpack_from(data, at)[-1]
        return crc

    patch.setattr(wal_record, "_crc_of", stored_crc)


def skip_the_crc_of_the_manifest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(manifest, "_check", lambda body: b"00000000")


def write_segments_without_checksums(patch: pytest.MonkeyPatch) -> None:
    real = segment_codec.zstandard

    class Parameters:
        @staticmethod
        def from_level(*arguments: Any, **options: Any) -> Any:
            options["write_checksum"] = False
            return real.ZstdCompressionParameters.from_level(*arguments, **options)

    def compressor(*arguments: Any, **options: Any) -> Any:
        if "write_checksum" in options:
            options["write_checksum"] = False
        return real.ZstdCompressor(*arguments, **options)

    mutant = SimpleNamespace(**vars(real))
    mutant.ZstdCompressionParameters, mutant.ZstdCompressor = Parameters, compressor
    patch.setattr(segment_codec, "zstandard", mutant)
    patch.setattr(segment_codec, "_of_thread", threading.local())  # compressors made before are kept there


def serve_around_a_damaged_segment(patch: pytest.MonkeyPatch) -> None:
    """What cannot be read is left out of the answer."""

    def read_block(self: Archive, *arguments: Any) -> Any:
        block, _ = self._read(*arguments)
        return block

    patch.setattr(Archive, "read_block", read_block)


async def log_damage(folder: Path) -> None:
    sound = damage.Sound(
        folder / "log", await damage.make_folder(folder / "log", damage.log_only), folder / "copy"
    )
    await damage.test_a_flipped_byte_in_a_log_costs_one_record_and_is_shown(sound)


async def segment_bytes(folder: Path) -> None:
    await damage_segment.test_what_is_read_is_what_was_written_or_refused("fresh", folder)


async def segment_damage(folder: Path) -> None:
    await damage.test_damage_of_a_segment_is_refused_or_harmless(await sound_segments(folder))


async def manifest_damage(folder: Path) -> None:
    await damage.test_any_damage_of_the_manifest_stops_the_start_with_advice(await sound_segments(folder))


async def sound_segments(folder: Path) -> damage.Sound:
    life = await damage.make_folder(folder / "segments", damage.segments_only)
    return damage.Sound(folder / "segments", life, folder / "copy")


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("mutant", "proof"),
    [
        pytest.param(skip_the_crc_of_the_log, log_damage, id="log's CRC not checked"),
        pytest.param(skip_the_crc_of_the_manifest, manifest_damage, id="manifest's CRC not checked"),
        pytest.param(write_segments_without_checksums, segment_bytes, id="segments without checksums"),
        pytest.param(serve_around_a_damaged_segment, segment_damage, id="served around a damaged segment"),
        pytest.param(
            skip_sync_of(""),
            backup_cuts.test_what_a_power_cut_leaves_of_a_backup_is_whole_or_none,
            id="backup not synced",
        ),
    ],
)
async def test_the_damage_finds_a_mutant(
    mutant: Mutant,
    proof: Callable[[Path], Awaitable[None]],
    quick_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutant(monkeypatch)
    with pytest.raises(RED) as found:
        await proof(quick_path)
    print(f"found: {found.value!r} {getattr(found.value, '__notes__', '')}")


def half_written(patch: pytest.MonkeyPatch) -> None:
    """A short write is taken for a whole one."""

    def mutant(self: DurableFiles, descriptor: int, pieces: Sequence[memoryview], offset: int) -> None:
        durable.os.pwritev(descriptor, pieces, offset)

    patch.setattr(DurableFiles, "write_pieces", mutant)


FAULTS = [
    pytest.param(acknowledge_what_failed, errno.EIO, id="a failed write acknowledged"),
    pytest.param(try_a_failed_sync_again, errno.EIO, id="a failed sync tried again"),
    pytest.param(go_on_with_a_poisoned_file, errno.EIO, id="poisoned file used"),
    pytest.param(half_written, faults.SHORT, id="a short write taken for a whole one"),
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("mutant", "error"), FAULTS)
async def test_the_faults_find_a_mutant(
    mutant: Mutant, error: int, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        await faults.sweep(error, 1, quick_path, step=2, cut_share=0.1)
