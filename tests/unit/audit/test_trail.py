"""The files of the trail: order, months, crashes, faults of the disk, and two processes at once."""

import errno
import stat
from pathlib import Path

import pytest

from historian.audit.trail import month_names, read_head
from historian.audit.verify import verify
from historian.clock import ManualClock
from historian.model.timestamp import parse_time_us
from historian.store.durable import DurableFiles
from tests.support.disk_recorder import DiskRecorder, failing, recording
from tests.unit.audit.conftest import entry, open_trail

MONTH = "2026-11.jsonl"


def last_lines(folder: Path, name: str = MONTH) -> list[str]:
    return (folder / name).read_text().splitlines()


def test_records_are_numbered_chained_and_nobody_elses_to_read(folder: Path, clock: ManualClock) -> None:
    trail = open_trail(folder, clock)
    assert trail.append([entry("a"), entry("b")]) == [2, 3]  # the first says that the trail begins
    assert trail.append([entry("c")]) == [4]
    trail.close()
    report = verify(folder)
    assert (report.records, report.faults, report.anchor) == (4, [], str(trail.anchor))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_new_month_is_a_new_file_and_a_clock_that_went_back_no_old_one(
    folder: Path, clock: ManualClock
) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry()])
    clock.set_wall(parse_time_us("2026-12-01T00:00:00Z"))
    trail.append([entry()])
    clock.set_wall(parse_time_us("2026-11-30T23:59:59Z"))
    trail.append([entry()])
    trail.close()
    assert month_names(DurableFiles(), folder) == [MONTH, "2026-12.jsonl"]
    assert len(last_lines(folder, "2026-12.jsonl")) == 2
    assert verify(folder).faults == []


def test_the_next_process_goes_on_where_the_last_one_stood(folder: Path, clock: ManualClock) -> None:
    first = open_trail(folder, clock)
    first.append([entry()])
    first.close()
    second = open_trail(folder, clock)
    assert second.open() == first.anchor
    assert second.append([entry()]) == [3]
    assert second.damage == []
    second.close()


def test_two_processes_take_turns(folder: Path, clock: ManualClock) -> None:
    one, other = open_trail(folder, clock), open_trail(folder, clock)
    numbers = [trail.append([entry()])[0] for trail in (one, other, other, one, other)]
    one.close()
    other.close()
    assert numbers == [2, 3, 4, 5, 6]
    assert verify(folder).faults == []


@pytest.mark.parametrize("torn", [b'{"number":3,"ti', b"\0" * 300, b"half\nand a half"])
def test_a_torn_end_is_set_aside_and_told(folder: Path, clock: ManualClock, torn: bytes) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry()])
    trail.close()
    with (folder / MONTH).open("ab") as file:
        file.write(torn)
    assert verify(folder).faults == []  # nobody was told of it
    after = open_trail(folder, clock)
    assert after.append([entry()]) == [4]
    after.close()
    assert after.damage == []
    assert '"torn_end_cut"' in last_lines(folder)[2]
    [aside] = (folder.parent / "quarantine").iterdir()
    assert aside.read_bytes() == torn
    assert verify(folder).faults == []


def test_records_that_the_head_names_and_that_are_gone_are_noticed(folder: Path, clock: ManualClock) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry(), entry(), entry()])
    trail.close()
    lines = (folder / MONTH).read_bytes().splitlines(keepends=True)
    (folder / MONTH).write_bytes(b"".join(lines[:2]))
    after = open_trail(folder, clock)
    assert after.append([entry()]) == [6]  # no number is given twice
    after.close()
    assert after.damage == ["records 3 to 4 are gone: the head names them"]
    assert [fault.problem for fault in verify(folder).faults] == [
        "records 3 to 4 were lost before record 5 was written"
    ]


def test_a_trail_that_is_gone_and_a_head_that_is_gone_are_noticed(folder: Path, clock: ManualClock) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry()])
    trail.close()
    (folder / MONTH).rename(folder.parent / MONTH)
    gone = open_trail(folder, clock)
    gone.open()
    gone.close()
    assert gone.damage == ["records up to 2 are gone: no file of the trail is there"]
    (folder / "head").unlink()
    headless = open_trail(folder, clock)
    headless.open()
    headless.close()
    assert "the head is missing or cannot be read" in headless.damage


def test_what_was_damaged_is_told_once(folder: Path, clock: ManualClock) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry("one"), entry("two")])
    trail.close()
    (folder / MONTH).write_bytes((folder / MONTH).read_bytes().replace(b'"one"', b'"uno"'))
    for _ in range(3):
        after = open_trail(folder, clock)
        after.open()
        after.close()
        assert len(after.damage) == 2  # the line, and the link over it
    assert sum('"damage_found"' in line for line in last_lines(folder)) == 2


@pytest.mark.parametrize("operation", ["write", "sync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_what_could_not_be_written_is_not_there_and_the_next_is(
    folder: Path, clock: ManualClock, operation: str, number: int
) -> None:
    with recording(DiskRecorder()) as recorder:
        trail = open_trail(folder, clock)
        trail.append([entry("kept")])
        with (
            failing(recorder, OSError(number, "injected"), (operation, MONTH)),
            pytest.raises(OSError, match="injected"),
        ):
            trail.append([entry("lost")])
        assert trail.append([entry("after")]) == [3]
        trail.close()
    text = (folder / MONTH).read_text()
    assert '"lost"' not in text
    assert '"after"' in text
    assert verify(folder).faults == []


def test_a_disk_that_fails_at_the_nth_operation_never_breaks_the_chain(
    folder: Path, clock: ManualClock
) -> None:
    for broken in range(1, 40):
        place = folder.parent / str(broken) / "audit"
        with recording(DiskRecorder()) as recorder:
            left = [broken]

            def before(name: str, path: Path, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    raise OSError(errno.EIO, "injected")

            recorder.before = before
            trail, answered = open_trail(place, clock), []
            for number in range(6):
                try:
                    answered += trail.append([entry(f"e{number}")])
                except OSError:
                    continue
            trail.close()
        assert len(answered) >= 5
        again = open_trail(place, clock)
        again.open()
        again.close()
        report = verify(place)
        assert report.faults == [], broken
        assert report.records >= len(answered)


def test_a_long_file_is_read_at_its_end_only(
    folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("historian.audit.trail.TAIL_BYTES", 2000)
    trail = open_trail(folder, clock)
    trail.append([entry(str(number)) for number in range(50)])
    trail.close()
    after = open_trail(folder, clock)
    assert after.append([entry()]) == [52]
    assert after.damage == []
    after.close()
    assert read_head(folder) is not None
    assert verify(folder).faults == []


def test_a_month_that_is_removed_stays_on_record(folder: Path, clock: ManualClock) -> None:
    trail = open_trail(folder, clock)
    trail.append([entry(), entry()])
    assert not trail.remove_month(MONTH)  # the newest
    for month in ("2026-12", "2027-01"):
        clock.set_wall(parse_time_us(f"{month}-01T00:00:00Z"))
        trail.append([entry()])
    assert trail.remove_month(MONTH)
    trail.close()
    assert verify(folder).faults == []
    assert verify(folder).first == 4
    (folder / "2026-12.jsonl").unlink()
    assert "no record tells of their removal" in verify(folder).faults[0].problem
