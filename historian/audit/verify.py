"""Checks a whole trail: every byte, every link, its end against the head, its beginning against what was removed on record."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from historian.audit import chain
from historian.audit.chain import FIRST, Line
from historian.audit.trail import REMOVED_THROUGH, month_names, read_head
from historian.model.audit import Anchor
from historian.store.durable import DurableFiles


class TrailFault(msgspec.Struct, frozen=True):
    """One broken place."""

    file: str
    offset: int
    number: int  # of the record there; of the one before where there is none
    problem: str


class TrailReport(msgspec.Struct, frozen=True):
    """What was read. `anchor` is the newest record's number and hash: keep it elsewhere and ask for it the next time."""

    files: int
    records: int
    first: int
    anchor: str
    faults: list[TrailFault]


def verify(folder: Path, anchors: tuple[Anchor, ...] = ()) -> TrailReport:
    """Read everything; `anchors` are such as were kept elsewhere. Raises OSError.

    A last line that is cut off and that nobody was told of (a crash) is no fault: the next start repairs it.
    """
    files = DurableFiles()
    names = month_names(files, folder)
    head = read_head(folder)
    walk = _Walk(head.number if head else 0)
    for name in names:
        walk.take(name, (folder / name).read_bytes(), is_newest=name == names[-1])
    walk.end(names, None if head is None else Anchor(head.number, head.hash), anchors)
    return TrailReport(len(names), walk.count, walk.first, str(walk.before), walk.faults)


class _Walk:
    def __init__(self, head_number: int) -> None:
        self.before = FIRST
        self.count = 0
        self.first = 0
        self.faults: list[TrailFault] = []
        self._head_number = head_number
        self._hashes: dict[int, str] = {}
        self._begins: TrailFault | None = None
        self._begin_anchor = ""
        self._removed: set[str] = set()

    def take(self, name: str, data: bytes, *, is_newest: bool) -> None:
        pieces = list(chain.walk(data))
        last_end = max((piece.end for piece in pieces if isinstance(piece, Line)), default=0)
        for piece in pieces:
            if isinstance(piece, Line):
                self._take_line(name, piece)
            elif not (is_newest and piece.offset >= last_end and self.before.number >= self._head_number):
                problem = f"the line at byte {piece.offset} {piece.problem}"
                self._fault(name, piece.offset, self.before.number, problem)

    def _take_line(self, name: str, line: Line) -> None:
        number = line.record.number
        if self.count == 0 and number > 1:
            self._begin_anchor = str(Anchor(number - 1, line.record.prev))
            self._begins = TrailFault(
                name,
                0,
                number,
                f"records 1 to {number - 1} are missing, and no record tells of their removal",
            )
            self.first = number
        elif problem := chain.link_problem(self.before, line):
            self._fault(name, line.offset, number, problem)
        self.first = self.first or number
        self.before = line.anchor
        self.count += 1
        self._hashes[number] = line.hash
        self._removed.update(
            change.new or "" for change in line.record.changes if change.what == REMOVED_THROUGH
        )

    def end(self, names: list[str], head: Anchor | None, anchors: tuple[Anchor, ...]) -> None:
        if self._begins is not None and self._begin_anchor not in self._removed:
            self.faults.insert(0, self._begins)
        name = names[-1] if names else ""
        if head is None:
            if names:
                self._fault(name, 0, self.before.number, "the head is missing or cannot be read")
        else:
            self.faults += self._ends(name, head, "the head")
        for anchor in anchors:
            self.faults += self._ends(name, anchor, "the anchor")

    def _ends(self, name: str, anchor: Anchor, what: str) -> Iterator[TrailFault]:
        found = self._hashes.get(anchor.number)
        if anchor.number > self.before.number:
            problem = f"records {self.before.number + 1} to {anchor.number} are gone: {what} names them"
            yield TrailFault(name, 0, self.before.number, problem)
        elif found is None and anchor.number >= self.first > 0 and anchor.number > 0:
            yield TrailFault(name, 0, anchor.number, f"record {anchor.number}, which {what} names, is gone")
        elif found is not None and found != anchor.hash:
            yield TrailFault(
                name, 0, anchor.number, f"record {anchor.number} is not the one that {what} names"
            )

    def _fault(self, name: str, offset: int, number: int, problem: str) -> None:
        self.faults.append(TrailFault(name, offset, number, problem))
