"""The damage table of every format, as docs/operator/damage.md shows it: whatever is done to a file, the start goes
on where it can, nothing wrong is ever served as right, and a hole is shown with its cause.
"""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

from tests.crash import test_backup_cuts, test_damage_segment, test_damaged_databases, test_faults
from tests.source_tree import ROOT
from tests.support import store_kit
from tests.support.damaged import (
    Damaged,
    Verdict,
    bit_flips,
    cuts,
    flips,
    judge,
    make_folder,
    zero_pages,
)
from tests.support.store_life import Life

THOROUGH = float(os.environ.get("CRASH_FACTOR", "1"))  # `make crash` sets 10
SEGMENT_STEP = (
    11 if THOROUGH > 1 else 131
)  # of the bytes of a segment; test_damage_segment.py takes every one
LOG_HEADER_BYTES = 40
LOG_SUFFIX = ".wal"


async def log_only(life: Life) -> None:
    """One log file that was not ended, four batches."""
    await life.append((1, 0), (2, 0))
    await life.append((1, 1), (2, 1), reason="by hand")
    await life.append((1, 0), (1, 2))
    await life.append((2, 3))


async def segments_only(life: Life) -> None:
    """A month's segment, one of the month before, and one of corrections; nothing in the log."""
    await life.append(*((point, slot) for slot in range(40) for point in (1, 2)))
    await life.append((1, -3), (2, -2))
    await life.seal()
    await life.append((1, 5), (2, 7), (1, 50), reason="by hand")
    await life.mark_deleted((1, 6))
    await life.seal()


async def everything(life: Life) -> None:
    """Segments, and several log files after them."""
    await segments_only(life)
    for slot in range(60, 90):
        await life.append(
            (1, slot), (2, slot), (1, 5), source="a long name, so that the log's files fill up " * 4
        )


class Sound:
    """A folder without damage, and how to spoil a copy of it."""

    def __init__(self, folder: Path, life: Life, copy: Path) -> None:
        self.folder = folder
        self.life = life
        self.copy = copy

    def files(self, kind: str) -> list[Path]:
        """Those that match, relative to the folder."""
        return sorted(path.relative_to(self.folder) for path in self.folder.glob(kind))

    def read(self, file: Path) -> bytes:
        return (self.folder / file).read_bytes()

    async def judge(self, changes: dict[Path, bytes | None], *, may_hide: bool = False) -> Verdict:
        """The verdict on a copy with some files changed, or (None) gone."""
        store_kit.copy_of(self.folder, self.copy)
        for file, data in changes.items():
            if data is None:
                (self.copy / file).unlink()
            else:
                (self.copy / file).write_bytes(data)
        return await judge(self.copy, self.life, may_hide=may_hide)

    async def judge_all(self, file: Path, damages: Iterable[Damaged]) -> dict[str, Verdict]:
        """The verdict on each damage of one file."""
        result = {}
        for damage in damages:
            try:
                is_log = file.suffix == LOG_SUFFIX
                result[damage.name] = await self.judge({file: damage.data}, may_hide=is_log)
            except Exception as error:
                error.add_note(f"{file}: {damage.name}")
                raise
        return result


@pytest.fixture
def copy(quick_path: Path) -> Path:
    return quick_path / "copy"


@pytest.fixture
async def sound_log(quick_path: Path, copy: Path) -> Sound:
    return Sound(quick_path / "log", await make_folder(quick_path / "log", log_only), copy)


@pytest.fixture
async def sound_segments(quick_path: Path, copy: Path) -> Sound:
    return Sound(quick_path / "segments", await make_folder(quick_path / "segments", segments_only), copy)


@pytest.fixture
async def sound(quick_path: Path, copy: Path) -> Sound:
    return Sound(quick_path / "all", await make_folder(quick_path / "all", everything), copy)


def used(data: bytes) -> int:
    """Where the reserved zeros of a log file begin, at the latest."""
    return len(data.rstrip(b"\0"))


def outcomes(verdicts: dict[str, Verdict]) -> set[str]:
    return {verdict.outcome for verdict in verdicts.values()}


async def test_sound_folders_are_whole(sound: Sound, sound_log: Sound, sound_segments: Sound) -> None:
    for one in (sound, sound_log, sound_segments):
        assert await one.judge({}) == Verdict("whole", "")


# -- the log --------------------------------------------------------------------------------------


async def test_a_log_cut_anywhere_keeps_all_before_the_cut(sound_log: Sound) -> None:
    """Without an end mark nobody can tell the cut from a write that was never acknowledged: nothing is reported."""
    [log] = sound_log.files("wal/*")
    data = sound_log.read(log)
    verdicts = await sound_log.judge_all(log, cuts(data[: used(data)]))
    kept = [4 - len(verdict.lost) for verdict in verdicts.values()]
    assert kept == sorted(kept)
    assert all(verdict.lost == tuple(range(4 - len(verdict.lost), 4)) for verdict in verdicts.values())
    assert kept[0] == 0
    assert kept[-1] == 3
    assert outcomes(verdicts) == {"whole"}


async def test_a_flipped_byte_in_a_log_costs_one_record_and_is_shown(sound_log: Sound) -> None:
    [log] = sound_log.files("wal/*")
    data = sound_log.read(log)
    damages = chain(flips(data, last=used(data)), bit_flips(data, 0, LOG_HEADER_BYTES * 2))
    for name, verdict in (await sound_log.judge_all(log, damages)).items():
        if (
            verdict.outcome == "refused"
        ):  # the version in the header is a newer one, and its CRC is right by chance
            raise AssertionError(f"{name}: {verdict.text}")
        assert len(verdict.lost) <= 1, (name, verdict)
        if verdict.lost != (3,):  # the last record cannot be told from a torn write
            assert verdict.outcome == "reported" or not verdict.lost, (name, verdict)


async def test_a_damaged_byte_in_an_ended_log_is_always_shown(sound: Sound) -> None:
    log = sound.files("wal/*")[0]
    data = sound.read(log)
    verdicts = await sound.judge_all(log, flips(data, 61, used(data)))
    for name, verdict in verdicts.items():
        if verdict.lost:
            assert len(verdict.lost) == 1, (name, verdict)
            assert verdict.outcome == "reported", (name, verdict)
            assert str(log.name) in verdict.text, (name, verdict)


async def test_a_zeroed_page_in_a_log_is_shown_and_what_follows_is_kept(sound: Sound) -> None:
    log = sound.files("wal/*")[0]
    verdicts = await sound.judge_all(log, zero_pages(sound.read(log), 512))
    assert outcomes(verdicts) <= {"reported", "whole"}
    for name, verdict in verdicts.items():
        assert not verdict.lost or verdict.outcome == "reported", (name, verdict)
    counts = [len(verdict.lost) for name, verdict in verdicts.items() if name != "all zeros"]
    assert max(counts) <= 4
    assert len(verdicts["all zeros"].lost) > 4


async def test_a_strange_file_among_the_log_is_left_alone_and_shown(sound: Sound) -> None:
    verdict = await sound.judge({Path("wal/notes.txt"): b"hello"})
    assert verdict.outcome == "reported"
    assert "notes.txt" in verdict.text
    assert (sound.copy / "wal/notes.txt").read_bytes() == b"hello"


async def test_a_second_copy_of_a_log_changes_nothing(sound: Sound) -> None:
    log = sound.files("wal/*")[0]
    verdict = await sound.judge({Path("wal/0000000000000001.wal"): sound.read(log)})
    assert verdict.lost == ()


async def test_exchanged_log_files_change_nothing(sound: Sound) -> None:
    first, second = sound.files("wal/*")[:2]
    verdict = await sound.judge({first: sound.read(second), second: sound.read(first)})
    assert verdict.lost == ()


async def test_a_missing_log_file_is_shown(sound: Sound) -> None:
    logs = sound.files("wal/*")
    for log in logs[:-1]:  # of the last one nothing remains that could tell
        verdict = await sound.judge({log: None}, may_hide=True)
        assert verdict.lost
        assert verdict.outcome == "reported", log


# -- segments -------------------------------------------------------------------------------------


@pytest.mark.timeout(240 * max(1, THOROUGH))
async def test_damage_of_a_segment_is_refused_or_harmless(sound_segments: Sound) -> None:
    for file in sound_segments.files("segments/*"):
        data = sound_segments.read(file)
        damages = chain(flips(data, SEGMENT_STEP), cuts(data, 7 * SEGMENT_STEP), zero_pages(data))
        verdicts = await sound_segments.judge_all(file, damages)
        assert outcomes(verdicts) <= {"whole", "reported"}, {
            n: v for n, v in verdicts.items() if v[0] == "refused"
        }
        for name, verdict in verdicts.items():
            assert verdict.outcome == "reported" or not verdict.lost, (name, verdict)
            assert verdict.outcome == "whole" or file.name in verdict.text, (name, verdict)
        assert verdicts["cut at 0"].outcome == verdicts["all zeros"].outcome == "reported"


async def test_a_missing_segment_is_shown_and_its_time_refused(sound_segments: Sound) -> None:
    for file in sound_segments.files("segments/*"):
        verdict = await sound_segments.judge({file: None})
        assert verdict.outcome == "reported"
        assert verdict.lost
        assert file.name in verdict.text


async def test_exchanged_segments_are_shown_and_refused(sound_segments: Sound) -> None:
    files = sound_segments.files("segments/*")
    for first, second in ((files[0], files[1]), (files[1], files[2])):
        changes = {first: sound_segments.read(second), second: sound_segments.read(first)}
        verdict = await sound_segments.judge(changes)
        assert verdict.outcome == "reported", (first, second)


async def test_a_strange_segment_is_left_alone_and_not_served(sound_segments: Sound) -> None:
    file = sound_segments.files("segments/*")[-1]
    for name in (f"{file.name[:7]}-0000009999.h5", f"{file.name[:7]}-0000000000.h5", "copy of a segment.h5"):
        verdict = await sound_segments.judge({file.with_name(name): sound_segments.read(file)})
        assert verdict.lost == ()
        left = (sound_segments.copy / file.with_name(name)).exists()
        assert left == (verdict.outcome == "reported"), (name, verdict)


# -- the manifest ---------------------------------------------------------------------------------


async def test_any_damage_of_the_manifest_stops_the_start_with_advice(sound_segments: Sound) -> None:
    [manifest] = sound_segments.files("manifest")
    data = sound_segments.read(manifest)
    damages = chain(flips(data), cuts(data[:-1]), zero_pages(data, 64))
    for name, verdict in (await sound_segments.judge_all(manifest, damages)).items():
        if verdict.outcome == "whole":  # the line feed at the end, or a capital letter in the checksum
            continue
        assert verdict.outcome == "refused", (name, verdict)
        assert "manifest" in verdict.text
        assert "restore" in verdict.text, (name, verdict)


async def test_a_missing_manifest_stops_the_start_where_segments_are(sound_segments: Sound) -> None:
    verdict = await sound_segments.judge({Path("manifest"): None})
    assert verdict.outcome == "refused"
    assert "restore it from a backup" in verdict.text


async def test_an_older_manifest_hides_nothing_silently(sound_segments: Sound, quick_path: Path) -> None:
    """What its segments do not hold is reported as files that no manifest lists."""

    async def first_half(life: Life) -> None:
        await life.append(*((point, slot) for slot in range(40) for point in (1, 2)))
        await life.append((1, -3), (2, -2))
        await life.seal()

    await make_folder(quick_path / "older", first_half)
    for log in sound_segments.files("wal/*"):
        (sound_segments.folder / log).unlink()
    older = (quick_path / "older/manifest").read_bytes()
    verdict = await sound_segments.judge({Path("manifest"): older}, may_hide=True)
    assert verdict.outcome == "reported"
    assert "not in the manifest" in verdict.text


# -- the page -------------------------------------------------------------------------------------

ROWS = {
    "log: cut, or its end torn": (test_a_log_cut_anywhere_keeps_all_before_the_cut,),
    "log: bytes changed": (
        test_a_flipped_byte_in_a_log_costs_one_record_and_is_shown,
        test_a_damaged_byte_in_an_ended_log_is_always_shown,
    ),
    "log: a page of zeros": (test_a_zeroed_page_in_a_log_is_shown_and_what_follows_is_kept,),
    "log: a file missing": (test_a_missing_log_file_is_shown,),
    "log: a file cannot be read": (test_faults.test_a_log_file_that_cannot_be_read_does_not_stop_the_start,),
    "log: files exchanged or there twice": (
        test_exchanged_log_files_change_nothing,
        test_a_second_copy_of_a_log_changes_nothing,
    ),
    "log: a strange file": (test_a_strange_file_among_the_log_is_left_alone_and_shown,),
    "segment: bytes changed, cut, zeros": (
        test_damage_of_a_segment_is_refused_or_harmless,
        test_damage_segment.test_what_is_read_is_what_was_written_or_refused,
    ),
    "segment: a file missing": (test_a_missing_segment_is_shown_and_its_time_refused,),
    "segment: files exchanged": (test_exchanged_segments_are_shown_and_refused,),
    "segment: a strange file": (test_a_strange_segment_is_left_alone_and_not_served,),
    "manifest: bytes changed, cut, zeros": (test_any_damage_of_the_manifest_stops_the_start_with_advice,),
    "manifest: missing": (test_a_missing_manifest_stops_the_start_where_segments_are,),
    "manifest: an older one": (test_an_older_manifest_hides_nothing_silently,),
    "database: damaged": (test_damaged_databases.test_a_damaged_database_is_refused_by_name,),
    "database: catalogue missing or older": (
        test_damaged_databases.test_a_catalogue_older_than_the_data_is_refused,
    ),
    "database: another one missing": (
        test_damaged_databases.test_what_follows_from_the_samples_is_made_anew_where_its_file_is_missing,
    ),
    "backup: cut short": (test_backup_cuts.test_what_a_power_cut_leaves_of_a_backup_is_whole_or_none,),
    "restore: cut short": (
        test_backup_cuts.test_what_a_power_cut_leaves_of_a_restore_starts_whole_or_not_at_all,
    ),
}


def test_every_row_of_the_operators_page_is_tested() -> None:
    page = (ROOT / "docs/operator/damage.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == list(ROWS)  # the first is the head
