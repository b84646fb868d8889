"""A trail in a temporary folder, its clock moved by hand."""

import zoneinfo
from pathlib import Path

import pytest

from historian.audit.trail import Trail
from historian.clock import ManualClock
from historian.model.audit import AuditEntry, Kind
from historian.model.timestamp import parse_time_us
from historian.store.durable import DurableFiles

NOW_US = parse_time_us("2026-11-22T08:00:00Z")
ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")


def entry(text: str = "p1", kind: Kind = Kind.EDIT, **more: object) -> AuditEntry:
    return AuditEntry(kind=kind, who="li", who_kind="person", object=text, **more)  # type: ignore[arg-type]


def open_trail(folder: Path, clock: ManualClock, files: DurableFiles | None = None) -> Trail:
    return Trail(folder, files or DurableFiles(), clock, ZONE)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"
