"""The files of the trail: appended to, synced, repaired after a crash; several processes may write, one at a time.

    DATA/audit/2026-11.jsonl   records of that UTC month, see chain.py
    DATA/audit/head            number and hash of the newest record, written in place after its sync

What is appended is on disk when `append` returns. The head is not synced each time: after a power cut it may be older than the
records, never younger, so records that it names and that are not there were taken away.
"""

import contextlib
import fcntl
import os
import zoneinfo
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from historian.audit import chain
from historian.audit.chain import FIRST, Fault, Line
from historian.clock import Clock
from historian.model import timestamp
from historian.model.audit import Anchor, AuditEntry, AuditRecord, Change, Kind, clipped, limited
from historian.store import filenames
from historian.store.durable import DurableFiles

TAIL_BYTES: Final = 4 << 20  # how much of the newest file is checked at the start
HEAD_BYTES: Final = 256  # one sector holds it: a power cut leaves the old one or the new one
DAMAGE_FOUND: Final = "damage_found"
REMOVED_THROUGH: Final = "removed_through"  # names the anchor up to which a month was removed


class Head(msgspec.Struct, frozen=True):
    """What the head file says."""

    number: int
    hash: str


class _Open(NamedTuple):
    """The file that is appended to."""

    name: str
    descriptor: int


class Trail:
    """Not for several threads at once. `zone` is that of local times."""

    def __init__(self, folder: Path, files: DurableFiles, clock: Clock, zone: zoneinfo.ZoneInfo) -> None:
        self.folder = folder
        self.anchor = FIRST
        self.damage: list[str] = []
        self._files = files
        self._clock = clock
        self._zone = zone
        self._head: int | None = None
        self._file: _Open | None = None
        self._end = 0
        self._is_known = False
        self._unsaid: list[AuditEntry] = []  # found, and not written down yet

    def append(self, entries: Sequence[AuditEntry]) -> list[int]:
        """Write the entries, all durable on return; their numbers. Raises OSError: then none of them counts."""
        with self._held():
            self._catch_up()
            found = len(self._unsaid)
            return self._write([*self._unsaid, *entries])[found:]

    def open(self) -> Anchor:
        """Check the newest records, write down what was found; where the trail stands. Raises OSError."""
        with self._held():
            self._catch_up()
            if self._unsaid:
                self._write(self._unsaid)
        return self.anchor

    def sync_head(self) -> None:
        """Bring the head to disk. Raises OSError."""
        if self._head is not None:
            self._files.sync(self._head)

    def close(self) -> None:
        """Give the files back."""
        with contextlib.suppress(OSError):
            self.sync_head()
        self._drop_file()
        if self._head is not None:
            self._files.close(self._head)
            self._head = None

    def remove_month(self, name: str) -> bool:
        """Remove a whole month, which is written down first; False where it is the newest one. Raises OSError."""
        if name >= month_names(self._files, self.folder)[-1]:
            return False
        path = self.folder / name
        last = newest_line(self._files.read(path))
        through = Change(REMOVED_THROUGH, None, str(last.anchor if last else FIRST))
        self.append([AuditEntry(kind=Kind.TRAIL, action="month_removed", object=name, changes=(through,))])
        self._files.unlink(path)
        self._files.sync_folder(self.folder)
        return True

    def _write(self, entries: Sequence[AuditEntry]) -> list[int]:
        time_us = self._clock.now_us()
        self._choose_file(time_us)
        assert self._file is not None, "a file was chosen"
        anchor, lines = self.anchor, []
        for entry in entries:
            line, anchor = chain.encode(self._record(entry, anchor, time_us))
            lines.append(line)
        data = b"".join(lines)
        try:
            self._files.write(self._file.descriptor, memoryview(data), self._end)
            self._files.sync(self._file.descriptor)
        except OSError:
            # Pages of a failed sync may be clean and not on disk: they are cut off, and written anew the next time.
            self._is_known = False
            with contextlib.suppress(OSError):
                self._files.truncate(self._file.descriptor, self._end)
            raise
        first = self.anchor.number + 1
        self._end += len(data)
        self.anchor = anchor
        self._unsaid = []
        with contextlib.suppress(
            OSError
        ):  # the records are on disk; an old head takes nothing away from them
            self._write_head(anchor)
        return list(range(first, first + len(entries)))

    def _record(self, entry: AuditEntry, before: Anchor, time_us: int) -> AuditRecord:
        local = timestamp.format_local_time(time_us, self._zone)
        return AuditRecord(
            number=before.number + 1,
            time=timestamp.format_time(time_us),
            local=f"{local}[{self._zone.key}]",
            kind=entry.kind,
            who=clipped(entry.who),
            who_kind=clipped(entry.who_kind),
            address=clipped(entry.address),
            request_id=clipped(entry.request_id),
            action=clipped(entry.action),
            object=clipped(entry.object),
            result=clipped(entry.result),
            changes=limited(entry.changes),
            reason=clipped(entry.reason),
            detail=clipped(entry.detail),
            begun=entry.begun,
            count=entry.count,
            prev=before.hash,
        )

    # -- where to write ------------------------------------------------------------------------------

    def _choose_file(self, time_us: int) -> None:
        """The file of this month; a clock that went back does not lead back to an older file."""
        name = filenames.audit_name(timestamp.format_time(time_us)[:7])
        if self._file is not None and name <= self._file.name:
            return
        descriptor = self._files.create(self.folder / name, 0)
        self._drop_file()
        self._file, self._end = _Open(name, descriptor), 0

    def _write_head(self, anchor: Anchor) -> None:
        data = msgspec.json.encode(Head(anchor.number, anchor.hash)).ljust(HEAD_BYTES - 1) + b"\n"
        assert self._head is not None, "the head is held"
        self._files.write(self._head, memoryview(data), 0)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """No other process writes meanwhile: commands beside the running historian append, too."""
        if self._head is None:
            self._files.make_folder(self.folder)
            path = self.folder / filenames.AUDIT_HEAD
            with contextlib.suppress(FileExistsError):
                self._files.close(self._files.create(path, 0))
            self._head = self._files.reopen(path)
        fcntl.flock(self._head, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._head, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        """Find the end, where another process or a failed write may have moved it."""
        assert self._head is not None, "the head is held"
        names = month_names(self._files, self.folder)
        newest = names[-1] if names else None
        if (
            self._is_known
            and self._file is not None
            and newest == self._file.name
            and os.fstat(self._file.descriptor).st_size == self._end
        ):
            return
        self._drop_file()
        head = _head_of(os.pread(self._head, HEAD_BYTES, 0))
        if names:
            self._load(names, head)
        else:
            self._begin(head)
        self._is_known = True

    def _begin(self, head: Head | None) -> None:
        self.anchor = FIRST
        if head is not None and head.number > 0:
            problem = f"records up to {head.number} are gone: no file of the trail is there"
            self.anchor = Anchor(head.number, FIRST.hash)
            self._say_damage("", [problem])
            return
        self._write_head(FIRST)
        self.sync_head()  # from here on a trail without a head is one that somebody took it from
        self._unsaid = [
            AuditEntry(kind=Kind.TRAIL, action="trail_begun", detail="there was no trail in this data folder")
        ]

    def _load(self, names: Sequence[str], head: Head | None) -> None:
        name = names[-1]
        self._file = _Open(name, self._files.reopen(self.folder / name))
        data, offset = self._tail(self._file.descriptor, TAIL_BYTES)
        pieces = list(chain.walk(data, offset))
        lines = [piece for piece in pieces if isinstance(piece, Line)]
        if not lines and offset:
            data, offset = self._tail(self._file.descriptor, offset + len(data))
            pieces = list(chain.walk(data, offset))
            lines = [piece for piece in pieces if isinstance(piece, Line)]
        self._end = lines[-1].end if lines else offset
        if self._end < offset + len(data):
            self._cut(name, data[self._end - offset :])
        self.anchor = lines[-1].anchor if lines else self._last_of_earlier(names[:-1])
        problems = [*_problems_of(pieces, self._end), *_head_problems(head, lines, self.anchor)]
        if head is not None and head.number > self.anchor.number:
            self.anchor = Anchor(head.number, self.anchor.hash)  # numbers are given once
        said = {line.record.detail for line in lines if line.record.action == DAMAGE_FOUND}
        self._say_damage(name, problems, said)

    def _say_damage(self, name: str, problems: Sequence[str], said: Set[str] = frozenset()) -> None:
        new = [problem for problem in problems if problem not in self.damage]
        self.damage += new
        self._unsaid += [
            AuditEntry(kind=Kind.TRAIL, action=DAMAGE_FOUND, object=name, result="failed", detail=problem)
            for problem in new
            if problem not in said
        ]

    def _tail(self, descriptor: int, size_max: int) -> tuple[bytes, int]:
        """The newest whole lines, and where they begin."""
        size = os.fstat(descriptor).st_size
        offset = max(0, size - size_max)
        data = os.pread(descriptor, size - offset, offset)
        if offset == 0:
            return data, 0
        skipped = data.find(b"\n") + 1
        return data[skipped:], offset + skipped

    def _last_of_earlier(self, names: Sequence[str]) -> Anchor:
        for name in reversed(names):
            line = newest_line(self._files.read(self.folder / name))
            if line is not None:
                return line.anchor
        return FIRST

    def _cut(self, name: str, torn: bytes) -> None:
        """Nobody was told that these bytes are records; they are set aside for a person to look at."""
        quarantine = self.folder.parent / filenames.QUARANTINE_FOLDER
        aside = quarantine / filenames.damaged_name(self.folder / name, self._end)
        self._files.make_folder(quarantine)
        self._files.publish(aside, torn)
        assert self._file is not None, "a file is open"
        self._files.truncate(self._file.descriptor, self._end)
        self._files.sync(self._file.descriptor)
        detail = f"{len(torn)} bytes from {self._end} on were no whole record; they are in {aside.name}"
        self._unsaid.append(AuditEntry(kind=Kind.TRAIL, action="torn_end_cut", object=name, detail=detail))

    def _drop_file(self) -> None:
        if self._file is not None:
            self._files.close(self._file.descriptor)
            self._file = None
        self._is_known = False


def month_names(files: DurableFiles, folder: Path) -> list[str]:
    """The files of the trail, oldest first; none where there is no folder. Raises OSError."""
    try:
        return [name for name in files.names(folder) if filenames.audit_month(name) is not None]
    except FileNotFoundError:
        return []


def read_head(folder: Path) -> Head | None:
    """What the head says; None where there is none, or nothing in it. Raises OSError."""
    try:
        return _head_of((folder / filenames.AUDIT_HEAD).read_bytes())
    except FileNotFoundError:
        return None


def newest_line(data: bytes) -> Line | None:
    """The last record of a file's content."""
    lines = [piece for piece in chain.walk(data[-TAIL_BYTES:]) if isinstance(piece, Line)]
    return lines[-1] if lines else None


def _head_of(data: bytes) -> Head | None:
    try:
        return msgspec.json.decode(data.strip(b" \n\0"), type=Head)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _problems_of(pieces: Sequence[Line | Fault], end: int) -> Iterator[str]:
    """What is wrong in front of `end`: behind it is what a crash may leave."""
    before: Anchor | None = None
    for piece in pieces:
        if piece.offset >= end:
            return
        if isinstance(piece, Fault):
            yield f"the line at byte {piece.offset} {piece.problem}"
            continue
        if before is not None and (problem := chain.link_problem(before, piece)):
            yield problem
        before = piece.anchor


def _head_problems(head: Head | None, lines: Sequence[Line], anchor: Anchor) -> Iterator[str]:
    if head is None:
        yield "the head is missing or cannot be read"
        return
    if head.number > anchor.number:
        yield f"records {anchor.number + 1} to {head.number} are gone: the head names them"
        return
    for line in lines:
        if line.record.number == head.number and line.hash != head.hash:
            yield f"record {head.number} is not the one that the head names"
