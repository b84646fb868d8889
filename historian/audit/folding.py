"""Makes one record with a count of what happens a thousand times: refusals and exports must not fill the disk.

The first of a kind is written at once; those like it within the window are counted, and told in one record at its end. Like it is
what was done by the same, from the same address, with the same operation and result. A flood of different ones has places for
KEYS_MAX; all beyond share one place, so the records of a window are bounded whatever comes.
"""

from typing import Final

import msgspec

from historian.clock import Clock
from historian.model.audit import AuditEntry, Kind

WINDOW_S: Final = 60.0
EXPORT_WINDOW_S: Final = 3600.0  # a page that loads a table each second is one record an hour
KEYS_MAX: Final = 30  # of a kind, in a window
EVERYBODY: Final = "*"

_Key = tuple[str, ...]


class _Counted:
    """A window of one key: what was written first, and how many came since."""

    __slots__ = ("count", "ends_s", "entry")

    def __init__(self, entry: AuditEntry, ends_s: float) -> None:
        self.entry = entry
        self.ends_s = ends_s
        self.count = 0


class Folding:
    """One for a process; calls take microseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[_Key, _Counted] = {}
        self._key_counts: dict[Kind, int] = {}

    def take(self, entry: AuditEntry) -> AuditEntry | None:
        """What is to be written now: the entry, the one that stands for all beyond KEYS_MAX, or nothing."""
        key: _Key = (entry.kind, entry.who_kind, entry.who, entry.address, entry.action, entry.result)
        window = self._windows.get(key)
        if window is None and self._key_counts.get(entry.kind, 0) >= KEYS_MAX:
            entry = msgspec.structs.replace(
                entry, who=EVERYBODY, address=EVERYBODY, action=EVERYBODY, object="", detail="of many kinds"
            )
            key = (entry.kind, EVERYBODY, entry.result)
            window = self._windows.get(key)
        if window is not None:
            window.count += entry.count
            return None
        length_s = EXPORT_WINDOW_S if entry.kind is Kind.READ_EXPORT else WINDOW_S
        self._windows[key] = _Counted(entry, self._clock.monotonic_s() + length_s)
        self._key_counts[entry.kind] = self._key_counts.get(entry.kind, 0) + 1
        return entry

    def due(self, *, is_end: bool = False) -> list[AuditEntry]:
        """Counts of the windows that are over; of all of them at the end."""
        now_s = self._clock.monotonic_s()
        over = [key for key, window in self._windows.items() if is_end or window.ends_s <= now_s]
        told: list[AuditEntry] = []
        for key in over:
            window = self._windows.pop(key)
            self._key_counts[window.entry.kind] -= 1
            if window.count:
                detail = "so many more like the first; its object is told"
                told.append(msgspec.structs.replace(window.entry, count=window.count, detail=detail))
        return told
