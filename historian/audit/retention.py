"""Which months of the trail may go: only where a setting says so, and never before half a year is over."""

import datetime
from pathlib import Path
from typing import Final

from historian.audit.trail import month_names
from historian.model.timestamp import EPOCH
from historian.settings import AUDIT_KEEP_DAYS_MIN
from historian.store import filenames
from historian.store.durable import DurableFiles

KEEP_DAYS_MIN: Final = AUDIT_KEEP_DAYS_MIN  # again here: whatever a setting says


def old_months(files: DurableFiles, folder: Path, now_us: int, keep_days: int) -> list[str]:
    """Files whose whole month lies more than `keep_days` back, oldest first; none where it is 0. Raises OSError."""
    if keep_days == 0:
        return []
    now = EPOCH + datetime.timedelta(microseconds=now_us)
    oldest = now - datetime.timedelta(days=max(keep_days, KEEP_DAYS_MIN))
    names = month_names(files, folder)
    return [name for name in names[:-1] if _end_of(name) <= oldest]


def size_bytes(files: DurableFiles, folder: Path) -> int:
    """Of all months. Raises OSError."""
    return sum(files.size_bytes(folder / name) for name in month_names(files, folder))


def _end_of(name: str) -> datetime.datetime:
    month = filenames.audit_month(name)
    assert month is not None, "a file of the trail"
    first = datetime.datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    return (first + datetime.timedelta(days=32)).replace(day=1)
