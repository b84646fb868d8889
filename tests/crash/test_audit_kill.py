"""kill -9 while the trail is written: whatever was told to be on record is, and the chain goes on."""

import os
import random
import signal
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest

from historian.audit.reader import read
from historian.audit.trail import Trail
from historian.audit.verify import verify
from historian.clock import SystemClock
from historian.model.audit import AuditEntry, AuditQuestion, Kind
from historian.model.timestamp import TIME_MAX_US
from historian.store.durable import DurableFiles
from tests.support.server_process import ROOT

ROUNDS = round(4 * float(os.environ.get("CRASH_FACTOR", "1")))

# Writes beginnings and ends of changes for ever, and says of each beginning that it is on record before it "takes effect".
WRITER = """
import sys, zoneinfo
from pathlib import Path
from historian.audit.trail import Trail
from historian.clock import SystemClock
from historian.model.audit import AuditEntry, Kind
from historian.store.durable import DurableFiles

trail = Trail(Path(sys.argv[1]), DurableFiles(), SystemClock(), zoneinfo.ZoneInfo("Asia/Shanghai"))
while True:
    [begun] = trail.append([AuditEntry(kind=Kind.EDIT, result="begun", object="x" * 3000)])
    print(begun, flush=True)
    trail.append([AuditEntry(kind=Kind.EDIT, begun=begun)])
"""


def test_every_beginning_that_was_told_is_on_record_after_a_kill(tmp_path: Path) -> None:
    folder, mixer = tmp_path / "audit", random.Random(7)
    told: set[int] = set()
    for _ in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(mixer.randint(1, 60)):
            told.add(int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        told |= {int(line) for line in writer.stdout if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()
    trail = Trail(folder, DurableFiles(), SystemClock(), zoneinfo.ZoneInfo("Asia/Shanghai"))
    trail.append([AuditEntry(kind=Kind.START)])
    trail.close()
    assert verify(folder).faults == []
    assert trail.damage == []
    page = read(folder, DurableFiles(), AuditQuestion(0, TIME_MAX_US, limit=100_000))
    assert told <= {record.number for record in page.records if record.result == "begun"}


def test_processes_that_write_at_the_same_time_take_turns(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told: list[int] = []
    for writer in writers:
        assert writer.stdout is not None
        told += [int(writer.stdout.readline()) for _ in range(60)]
    for writer in writers:
        writer.kill()
        writer.communicate()
    assert len(set(told)) == len(told)
    assert verify(folder).faults == []


@pytest.mark.parametrize("cut_bytes", [1, 40, 3000])
def test_a_line_cut_at_any_place_is_repaired(tmp_path: Path, cut_bytes: int) -> None:
    folder = tmp_path / "audit"
    trail = Trail(folder, DurableFiles(), SystemClock(), zoneinfo.ZoneInfo("Asia/Shanghai"))
    trail.append([AuditEntry(kind=Kind.EDIT)])
    head = (folder / "head").read_bytes()
    trail.append([AuditEntry(kind=Kind.EDIT, object="x" * 3000, reason="y" * 3000, detail="z" * 3000)] * 3)
    trail.close()
    (folder / "head").write_bytes(head)  # as a power cut leaves it
    [month] = folder.glob("*.jsonl")
    month.write_bytes(month.read_bytes()[:-cut_bytes])
    after = Trail(folder, DurableFiles(), SystemClock(), zoneinfo.ZoneInfo("Asia/Shanghai"))
    after.append([AuditEntry(kind=Kind.EDIT)])
    after.close()
    assert after.damage == []
    assert verify(folder).faults == []
