"""What the historian says of itself: starts, stops, settings changed meanwhile, and steps of the machine's clock."""

import contextlib
import hashlib
from pathlib import Path
from typing import Final

import msgspec

from historian import logs
from historian.clock import Clock
from historian.errors import AuditUnavailable
from historian.metrics import Metrics
from historian.model import timestamp
from historian.model.audit import AuditEntry, AuditTrail, Change, Kind, changes_between, shown
from historian.settings import Settings
from historian.store import filenames
from historian.store.durable import DurableFiles

WATCH_S: Final = 1.0
SECOND_US: Final = 1_000_000

_LOG: Final = logs.EventLog("audit")


class Life(msgspec.Struct, frozen=True):
    """The file `audit/life`: how the historian ran last, and under which settings."""

    is_running: bool = False
    version: str = ""
    settings: dict[str, str | None] = {}


class LifeWriter:
    """Writes starts and stops into the trail. Where the trail cannot be written, it says so in the log and goes on."""

    def __init__(self, trail: AuditTrail, folder: Path, files: DurableFiles, version: str) -> None:
        self._trail = trail
        self._path = folder / filenames.AUDIT_LIFE
        self._files = files
        self._version = version
        self._life = Life()
        self._is_stopped = False

    async def started(self, settings: Settings) -> None:
        """The start, what changed in the settings since the last one, and whether that one ended in order."""
        before = self._read()
        flat = {change.what: change.new for change in all_settings(settings)}
        changes = changes_between(before.settings, flat) if before.settings else ()
        if before.version not in ("", self._version):
            changes = (Change("version", before.version, self._version), *changes)
        if before.is_running:
            await self._put(AuditEntry(kind=Kind.STOP, action="unclean_stop", result="failed",
                                       detail="the run before ended without a stop: killed, or power lost"))  # fmt: skip
        digest = hashlib.sha256(msgspec.json.encode(flat, order="sorted")).hexdigest()
        detail = f"version {self._version}, settings {digest[:16]}"
        await self._put(AuditEntry(kind=Kind.START, action="start", detail=detail, changes=changes))
        self._keep(Life(True, self._version, flat))

    async def stopped(self, cause: str) -> None:
        """An orderly stop, or one by a fault; only the first call counts."""
        if self._is_stopped:
            return
        self._is_stopped = True
        await self._put(
            AuditEntry(kind=Kind.STOP, action="stop", result="failed" if cause else "done", detail=cause)
        )
        self._keep(msgspec.structs.replace(self._life, is_running=False))

    async def _put(self, entry: AuditEntry) -> None:
        with contextlib.suppress(AuditUnavailable):  # the recorder's log line says why
            await self._trail.record(entry)

    def _read(self) -> Life:
        with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
            return msgspec.json.decode(self._files.read(self._path), type=Life)
        return Life()

    def _keep(self, life: Life) -> None:
        self._life = life
        with contextlib.suppress(OSError):
            self._files.publish(self._path, msgspec.json.encode(life))


def all_settings(settings: Settings) -> list[Change]:
    """Every field by its dotted name, secrets left out."""
    found: list[Change] = []
    for section, value in msgspec.to_builtins(settings).items():
        inner = value if isinstance(value, dict) else {"": value}
        found += [
            Change(name, None, shown(name, one))
            for key, one in inner.items()
            for name in [f"{section}.{key}".rstrip(".")]
        ]
    return found


class ClockWatch:
    """Compares the machine's wall clock with its monotonic one, which nobody sets: what is between them moves by steps only."""

    def __init__(self, trail: AuditTrail, clock: Clock, metrics: Metrics, step_ms: int) -> None:
        self._trail = trail
        self._clock = clock
        self._step_us = step_ms * 1000
        self._first_us = self._between_us = self._now_between_us()
        self._steps = metrics.counter("historian_clock_steps_total", "Steps of the machine's clock.")
        metrics.gauge(
            "historian_clock_moved_seconds",
            "How far the wall clock was moved against the monotonic one since the start",
            lambda: (self._between_us - self._first_us) / SECOND_US,
        )

    async def run(self) -> None:
        """Look each second; until cancelled."""
        while True:
            await self._clock.sleep(WATCH_S)
            await self.look()

    async def look(self) -> None:
        """Write a step down, where there was one."""
        between_us = self._now_between_us()
        step_us, self._between_us = between_us - self._between_us, between_us
        if abs(step_us) < self._step_us:
            return
        self._steps.add()
        now_us = self._clock.now_us()
        step_s = step_us / SECOND_US
        _LOG.warning("clock_stepped", by_s=round(step_s, 3))
        times = Change("time", timestamp.format_time(now_us - step_us), timestamp.format_time(now_us))
        self._trail.note(
            AuditEntry(
                kind=Kind.TIME_STEP, action="clock_stepped", changes=(times,), detail=f"by {step_s:+.3f} s"
            )
        )

    def _now_between_us(self) -> int:
        return self._clock.now_us() - round(self._clock.monotonic_s() * SECOND_US)
