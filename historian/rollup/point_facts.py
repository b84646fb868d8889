"""What of points decides their days and figures, as columns by point id."""

import zoneinfo
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from historian.energy import sample_period
from historian.energy.fleet import Ask
from historian.errors import PointNotFound
from historian.model import timestamp
from historian.model.point import Point, PointKind
from historian.model.ports import PointDirectory
from historian.rollup import day_key, prepared
from historian.rollup.day_figure import Definition, ask_of, definition_of, demand_block_us
from historian.rollup.definitions import Definitions
from historian.rollup.point_unit import FigureUnits, medium_of, units_of
from historian.rollup.term_directory import NoTerms, TermDirectory

I64 = npt.NDArray[np.int64]

UNKNOWN: Final = -1  # zone number of a point that is not in the directory
_ROOM_SHARE: Final = 4  # a quarter more than needed; memory is taken as it is filled

_COLUMNS: Final = dict.fromkeys(
    ("definition", "ask", "units_number", "interval_us", "block_us", "before_us", "after_us", "is_register", "is_billed", "has_rules", "_seen_number"), 0,
) | {"zone_number": UNKNOWN, "_is_old": True}  # fmt: skip
_Known = TypeVar("_Known")


class RevisedDirectory(PointDirectory, Protocol):
    """A directory that tells when any of its points changed."""

    @property
    def revision(self) -> int:
        """Grows with every change."""
        ...


class Sorts(Protocol):
    """Columns by point id."""

    @property
    def definition(self) -> npt.NDArray[np.uint32]:
        """Points of one number have the same definition; 0 is no point."""
        ...


@runtime_checkable
class SortedDirectory(Protocol):
    """A directory that numbers the definitions of its points, such as the registry."""

    def sorts(self) -> Sorts:
        """The numbers, by point id."""
        ...


class _Facts(NamedTuple):
    zone_number: int
    definition: int
    ask: int
    units: int
    interval_us: int
    block_us: int
    before_us: int
    after_us: int
    is_register: bool
    is_billed: bool
    has_rules: bool


class PointFacts:
    """Columns by point id, asked from the directory once for each change. Owned by one thread.

    Where the directory numbers definitions, only points whose number changed are asked for again; and those that have
    terms, whenever any terms changed.
    """

    def __init__(
        self, directory: RevisedDirectory, definitions: Definitions, terms: TermDirectory | None = None
    ) -> None:
        self._directory = directory
        self.terms = terms or NoTerms()
        self._seen_terms = -1
        self._has_terms: set[int] = set()
        self._sorted = directory if isinstance(directory, SortedDirectory) else None  # asked once: it is slow
        self._definitions = definitions
        self._seen_revision = -1
        self._seen_sorts: Sorts | None = None
        self._seen_number = np.empty(0, np.uint32)
        self._is_old = np.empty(0, np.bool_)
        self._with_estimates: set[int] = set()
        self._facts_of: dict[tuple[Definition, bool, str, bool], _Facts] = {}
        self._zone_numbers: dict[zoneinfo.ZoneInfo, int] = {}
        self._ask_numbers: dict[Ask, int] = {}
        self._units_numbers: dict[FigureUnits, int] = {}
        self.zones: list[zoneinfo.ZoneInfo] = []
        self.asks: list[Ask] = []
        self.units: list[FigureUnits] = []
        self.zone_number = np.empty(0, np.int16)
        self.definition = np.empty(0, np.int32)
        self.ask = np.empty(0, np.int32)
        self.units_number = np.empty(0, np.int32)
        self.interval_us = np.empty(0, np.int64)
        self.block_us = np.empty(0, np.int64)
        self.before_us = np.empty(0, np.int64)
        self.after_us = np.empty(0, np.int64)
        self.is_register = np.empty(0, np.bool_)
        self.is_billed = np.empty(0, np.bool_)
        self.has_rules = np.empty(0, np.bool_)

    @property
    def revision(self) -> int:
        """That of the directory and the terms."""
        return self._directory.revision + self.terms.revision + len(self._with_estimates)

    def note_estimates(self, point_ids: Iterable[int]) -> list[int]:
        """From now on samples of these points reach as far as they decide which estimates give way; those that are new."""
        new = sorted(set(point_ids) - self._with_estimates)
        self._with_estimates.update(new)
        self._is_old[[one for one in new if one < len(self._is_old)]] = True
        return new

    def has_estimates(self, point_id: int) -> bool:
        """Whether the point is known to have estimates."""
        return point_id in self._with_estimates

    def refresh(self, point_id: npt.NDArray[np.integer]) -> None:
        """Make the columns right for these points."""
        if len(point_id) == 0:
            return
        self._grow(int(point_id.max()) + 1)
        self._note_changes()
        is_old = self._is_old[point_id]
        if is_old.any():
            for alike in self._alike(day_key.distinct(point_id[is_old])):
                first, last = int(alike[0]), int(alike[-1]) + 1
                is_in_row = last - first == len(
                    alike
                )  # the everyday: what lies side by side is put in at once
                self._ask_for(first, slice(first, last) if is_in_row else alike)
                self._is_old[alike] = False

    def point(self, point_id: int) -> Point | None:
        """The point, where the directory has it."""
        try:
            return self._directory.by_id(point_id)
        except PointNotFound:
            return None

    def _note_changes(self) -> None:
        """Mark the points that may be others than when they were asked for."""
        self._note_terms()
        if self._sorted is None:
            if self._seen_revision != self._directory.revision:
                self._seen_revision = self._directory.revision
                self._is_old[:] = True
            return
        sorts = self._sorted.sorts()
        if sorts is not self._seen_sorts:
            count = len(sorts.definition)
            self._grow(count)
            self._is_old[:count] |= self._seen_number[:count] != sorts.definition
            self._seen_number[:count] = sorts.definition
            self._seen_sorts = sorts

    def _note_terms(self) -> None:
        if self._seen_terms == self.terms.revision:
            return
        self._seen_terms = self.terms.revision
        now = self.terms.ids()
        concerned = np.array(
            sorted(one for one in now | self._has_terms if one < len(self._is_old)), np.int64
        )
        self._is_old[concerned] = True
        self._has_terms = now

    def _alike(self, point_id: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """The points in groups of which each has one definition, as far as the directory numbers them."""
        if self._sorted is None:
            return list(point_id.reshape(-1, 1))
        own = self._has_terms | self._with_estimates
        if own:
            is_own = np.isin(point_id, np.fromiter(own, np.int64, len(own)))
            if is_own.any():
                others = point_id[~is_own]
                alone = list(point_id[is_own].reshape(-1, 1))
                return alone + (self._numbered_alike(others) if len(others) else [])
        return self._numbered_alike(point_id)

    def _numbered_alike(self, point_id: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        number = self._seen_number[point_id]
        if (number == number[0]).all():  # the everyday
            return [point_id]
        order = np.argsort(number, kind="stable")
        begins = np.flatnonzero(np.diff(number[order])) + 1
        return np.split(point_id[order], begins)

    def _ask_for(self, first_id: int, point_id: npt.NDArray[Any] | slice) -> None:
        """Put in the facts of points that have one definition; `first_id` is one of them."""
        point = self.point(first_id)
        if point is None:
            self.zone_number[point_id], self.is_register[point_id] = UNKNOWN, False
            return
        definition = definition_of(point, self.terms.digest(first_id))
        terms = self.terms.of(first_id)
        key = definition, terms.has_bill, medium_of(terms), self.has_estimates(first_id)
        facts = self._facts_of.get(key)
        if facts is None:
            facts = self._facts_of[key] = self._make(point, definition)
        self.zone_number[point_id] = facts.zone_number
        self.definition[point_id] = facts.definition
        self.ask[point_id] = facts.ask
        self.units_number[point_id] = facts.units
        self.interval_us[point_id] = facts.interval_us
        self.block_us[point_id] = facts.block_us
        self.before_us[point_id] = facts.before_us
        self.after_us[point_id] = facts.after_us
        self.is_register[point_id] = facts.is_register
        self.is_billed[point_id] = facts.is_billed
        self.has_rules[point_id] = facts.has_rules

    def _make(self, point: Point, definition: Definition) -> _Facts:
        return _Facts(
            _number_in(self._zone_numbers, self.zones, timestamp.load_zone(point.time_zone)),
            self._definitions.code_of(definition),
            _number_in(self._ask_numbers, self.asks, ask_of(point, self.terms.of(point.id))),
            _number_in(self._units_numbers, self.units, units_of(point, medium_of(self.terms.of(point.id)))),
            point.interval_us,
            demand_block_us(point.interval_us),
            *self._reach_us(point),
            point.kind is PointKind.REGISTER,
            self.terms.of(point.id).has_bill,
            prepared.has_rules(self.terms.of(point.id)),
        )

    def _reach_us(self, point: Point) -> tuple[int, int]:
        """How far before and after its stamp a sample can change figures: by itself, and by what becomes of others."""
        before_us, after_us = sample_period.reach_us(point.kind, point.interval_us)
        terms = self.terms.of(point.id)
        if not prepared.has_rules(terms) and not self.has_estimates(point.id):
            return before_us, after_us
        reach = prepared.reach_of(point.interval_us, terms)
        # What is decided by what lies after it lies before that.
        return before_us + reach.after_us, after_us + reach.before_us

    def _grow(self, size: int) -> None:
        known = len(self.zone_number)
        if size <= known:
            return
        for name, fill in _COLUMNS.items():
            column = getattr(self, name)
            grown = np.zeros(size + size // _ROOM_SHARE, column.dtype)
            grown[:known] = column
            if fill:
                grown[known:] = fill
            setattr(self, name, grown)


def _number_in(known: dict[_Known, int], values: list[_Known], wanted: _Known) -> int:
    number = known.setdefault(wanted, len(values))
    if number == len(values):
        values.append(wanted)
    return number
