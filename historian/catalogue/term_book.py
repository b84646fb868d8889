"""The book of terms: what was stated about each point, and what follows from it, now and as of any moment.

Look-ups are pure memory. `state` and `withdraw` block until SQLite has synced: code on an event loop calls them through
``asyncio.to_thread``.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from historian.catalogue.database import Database
from historian.catalogue.point_table import PointRevision
from historian.catalogue.registry import Registry
from historian.catalogue.term_table import TermTable
from historian.clock import Clock
from historian.errors import TermInvalid, TimeError
from historian.model import term, timestamp
from historian.model.point import Point, PointKind
from historian.model.term import NO_TERMS, PointTerms, RetiredTerm, Statement, Step, Term
from historian.model.timerange import TimeRange

REASON_LENGTH_MAX: Final = 500
_DIGEST_BYTES: Final = 12

TermCheck = Callable[[Term, Point, PointTerms], None]  # of a point and its terms; raises TermInvalid


class _Resolved(NamedTuple):
    """Terms of a point by so many changes of its attributes."""

    change_count: int
    terms: PointTerms
    digest: str


class TermBook:
    """Implements the directory of terms that rollups ask. `path` is the file of the registry, which was opened first.

    `check` refuses what only those know who make figures.
    """

    def __init__(
        self, path: Path, registry: Registry, clock: Clock, check: TermCheck = lambda *_: None
    ) -> None:
        self._registry = registry
        self._refuse = check
        self._clock = clock
        self._lock = threading.RLock()
        self._table = TermTable(path)
        self._by_point: dict[int, list[Statement]] = {}
        for statement in self._table.load():
            self._by_point.setdefault(statement.point_id, []).append(statement)
        self._resolved: dict[int, _Resolved] = {}
        self._own_revision = 0
        self._retired: dict[int, tuple[TimeRange, ...]] = {}
        for point_id in self._by_point:
            self._note_retired(point_id)

    def close(self) -> None:
        """Release the file; look-ups still answer."""
        self._table.close()

    @property
    def database(self) -> Database:
        """The open file, for who keeps calendars in it."""
        return self._table.database

    @property
    def revision(self) -> int:
        """Grows with every change that may alter the terms of a point."""
        return self._own_revision + self._registry.revision

    def ids(self) -> set[int]:
        """Every point that may have terms; of all others `of` says NO_TERMS."""
        return {*self._by_point, *self._registry.changed_ids()}

    def retired(self) -> Mapping[int, Sequence[TimeRange]]:
        """When points are out of use, of those that ever are; implements `ports.Retirements`."""
        return self._retired

    def of(self, point_id: int) -> PointTerms:
        """The terms of a point as they are known now."""
        return self._find(point_id).terms

    def digest(self, point_id: int) -> str:
        """Names the terms of a point that decide its figures; equal ones have equal digests. Empty where there are none."""
        return self._find(point_id).digest

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        """The terms of a point as they were known at `time_us`."""
        known = [one for one in self._by_point.get(point_id, ()) if one.is_known_at(time_us)]
        history = [
            one for one in self._history(point_id) if one.recorded_us <= time_us or one.valid_from_us is None
        ]
        return _resolved(known, history, is_then=True)

    def statements(self, point_id: int) -> list[Statement]:
        """All that was stated about a point, withdrawn statements too, by rising number."""
        return list(self._by_point.get(point_id, ()))

    def state(
        self,
        point_id: int,
        stated: Term,
        valid_from_us: int,
        valid_to_us: int | None,
        author: str,
        reason: str,
    ) -> Statement:
        """Record that a term holds. Raises TermInvalid, TimeError, PointNotFound."""
        _check_reason(reason)
        self.check(point_id, stated, valid_from_us, valid_to_us)
        draft = Statement(
            number=0,
            point_id=point_id,
            valid_from_us=valid_from_us,
            valid_to_us=valid_to_us,
            recorded_us=self._clock.now_us(),
            author=author,
            reason=reason,
            term=stated,
        )
        with self._lock:
            made = self._table.add(draft)
            self._put(point_id, [*self._by_point.get(point_id, ()), made])
        return made

    def check(self, point_id: int, stated: Term, valid_from_us: int, valid_to_us: int | None) -> None:
        """Raise TermInvalid, TimeError or PointNotFound where that could not be stated."""
        point = self._registry.by_id(point_id)
        _check(stated, point.kind, valid_from_us, valid_to_us)
        self._refuse(stated, point, self.of(point_id))

    def withdraw(self, point_id: int, number: int, reason: str) -> Statement:
        """Take a statement back; it stays on record. Raises TermInvalid where there is none in force."""
        _check_reason(reason)
        with self._lock:
            known = self._by_point.get(point_id, [])
            place = next((i for i, one in enumerate(known) if one.number == number), None)
            if place is None or known[place].withdrawn_us is not None:
                raise TermInvalid(f"statement {number} of the point is not there, or was withdrawn already")
            now_us = self._clock.now_us()
            self._table.withdraw(number, now_us, reason)
            gone = msgspec.structs.replace(known[place], withdrawn_us=now_us, withdrawn_reason=reason)
            self._put(point_id, [*known[:place], gone, *known[place + 1 :]])
        return gone

    def _put(self, point_id: int, statements: list[Statement]) -> None:
        self._by_point[point_id] = statements
        self._resolved.pop(point_id, None)
        self._note_retired(point_id)
        self._own_revision += 1

    def _note_retired(self, point_id: int) -> None:
        some = [one for one in self._by_point[point_id] if one.kind == "retired" and one.withdrawn_us is None]
        spans = tuple(
            TimeRange(one.from_us, one.to_us)
            for one in term.resolve(some).of_kind("retired")
            if isinstance(one.term, RetiredTerm) and one.term.is_retired
        )
        if spans:
            self._retired = {**self._retired, point_id: spans}  # never changed while somebody looks at it
        elif point_id in self._retired:
            self._retired = {one: kept for one, kept in self._retired.items() if one != point_id}

    def _find(self, point_id: int) -> _Resolved:
        count = self._registry.change_count(point_id)
        found = self._resolved.get(point_id)
        if found is None or found.change_count != count:
            statements = [one for one in self._by_point.get(point_id, ()) if one.withdrawn_us is None]
            terms = _resolved(statements, self._history(point_id))
            found = self._resolved[point_id] = _Resolved(count, terms, digest_of(terms.for_figures()))
        return found

    def _history(self, point_id: int) -> list[PointRevision]:
        return self._registry.history(point_id) if self._registry.change_count(point_id) else []


def digest_of(terms: PointTerms) -> str:
    """A name for these terms, the same on every machine; empty where there are none."""
    if terms.is_empty:
        return ""
    return hashlib.blake2b(msgspec.json.encode(terms, order="sorted"), digest_size=_DIGEST_BYTES).hexdigest()


def _resolved(
    statements: list[Statement], history: list[PointRevision], *, is_then: bool = False
) -> PointTerms:
    """`is_then`: the point may have other attributes today, so those that never changed until then are told too."""
    if not statements and not history:
        return NO_TERMS
    multiplier = _steps([(one.valid_from_us, one.point.multiplier) for one in history], is_then)
    capacity = _steps([(one.valid_from_us, one.point.capacity or 0.0) for one in history], is_then)
    return msgspec.structs.replace(term.resolve(statements), multiplier=multiplier, capacity=capacity)


def _steps(stated: list[tuple[int | None, float]], is_then: bool) -> tuple[Step, ...]:
    """Of an attribute that ever changed; none where it always was what it is today."""
    beginning = timestamp.TIME_MIN_US
    steps = term.steps_of([(beginning if from_us is None else from_us, value) for from_us, value in stated])
    return steps if len(steps) > 1 or is_then else ()


def _check(stated: Term, kind: PointKind, valid_from_us: int, valid_to_us: int | None) -> None:
    name = term.kind_of(stated)
    if valid_to_us is not None and valid_to_us <= valid_from_us:
        raise TimeError(f"valid_to {timestamp.format_time(valid_to_us)} is not after valid_from")
    if name in term.EVENTS and valid_to_us is not None:
        raise TermInvalid(f"{name} happens at valid_from; valid_to is not allowed")
    if name in {"register", "rates", *term.EVENTS} and kind is not PointKind.REGISTER:
        raise TermInvalid(f"{name} is for points of kind register, this one is {kind.value}")
    if name == "ratio" and kind is not PointKind.RATIO:
        raise TermInvalid(f"ratio is for points of kind ratio, this one is {kind.value}")


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX:
        raise TermInvalid(f"reason: 1 to {REASON_LENGTH_MAX} characters are required")
