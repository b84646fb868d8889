"""What figures would be if something were stated: rules, another term, a multiplier, a calendar. Nothing is stored.

Figures are made by what holds and by what is on trial, and those that differ are told.
"""

import datetime
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.term_book import digest_of
from historian.clock import Clock
from historian.energy import calendar, fixed_point
from historian.energy.calendar import DateRange, PeriodName
from historian.errors import QueryTooLarge
from historian.model import term, timestamp
from historian.model.point import Point
from historian.model.ports import SampleReader
from historian.model.tariff import BANDS, TariffCalendar
from historian.model.term import PointTerms, Span, Step
from historian.rollup import periods
from historian.rollup.bill import Bill
from historian.rollup.bill_maker import BillMaker, Metered
from historian.rollup.billing import Billing
from historian.rollup.periods import PeriodColumns
from historian.rollup.point_facts import RevisedDirectory
from historian.rollup.service import Past, RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.term_directory import TermDirectory

Ids = npt.NDArray[np.int64]

POINT_DAYS_MAX: Final = 50_000  # of whole months, each computed both ways
ROWS_MAX: Final = 1_000
_TOLD: Final = {
    "energy": "energy",
    "max_value": "max_demand",
    "max_start_us": "max_time",
    "min_value": "min",
    "received": "received",
    "good": "good",
}
_WANTED: Final = periods.EXTREMES | periods.COUNTS | {"energy"}


class Trial(NamedTuple):
    """What is tried on some points; None: nothing of that kind. `multiplier` holds from its time on."""

    point_id: Ids
    days: DateRange
    span: Span | None = None
    multiplier: Step | None = None
    calendar: TariffCalendar | None = None


class Moved(NamedTuple):
    """A day or a month, by its first day, of which figures would move: only what differs, times in µs."""

    point_id: int
    period: PeriodName
    date: datetime.date
    before: dict[str, Any]
    after: dict[str, Any]
    is_locked: bool


class Outcome(NamedTuple):
    """Of so many days computed both ways. `rows` is cut at ROWS_MAX, the counts are of all."""

    looked_at: int
    moved_days: int
    moved_months: int
    rows: list[Moved]

    @property
    def is_cut(self) -> bool:
        return self.moved_days + self.moved_months > len(self.rows)


class TrialTerms:
    """A directory of terms in which some points have others."""

    def __init__(
        self, terms: TermDirectory, ids: frozenset[int], change: Callable[[int, PointTerms], PointTerms]
    ) -> None:
        self._terms = terms
        self._ids = ids
        self._change = change

    @property
    def revision(self) -> int:
        return self._terms.revision

    def ids(self) -> set[int]:
        return self._terms.ids() | self._ids

    def of(self, point_id: int) -> PointTerms:
        terms = self._terms.of(point_id)
        return self._change(point_id, terms) if point_id in self._ids else terms

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        return self.of(point_id)  # on trial is what holds now

    def digest(self, point_id: int) -> str:
        return digest_of(self.of(point_id).for_figures())


class Trials:
    """Tries what somebody may state."""

    def __init__(
        self,
        rollup: RollupService,
        billing: Billing,
        reader: SampleReader,
        directory: RevisedDirectory,
        terms: TermDirectory,
        tariffs: TariffBook,
        clock: Clock,
    ) -> None:
        self._rollup = rollup
        self._billing = billing
        self._reader = reader
        self._directory = directory
        self._terms = terms
        self._tariffs = tariffs
        self._clock = clock

    async def run(self, trial: Trial) -> Outcome:
        """What would move. Raises QueryTooLarge before any work, TariffError."""
        months = calendar.periods_of(trial.days, "month")
        day_count = (months[-1].last - months[0].first).days
        if len(trial.point_id) * day_count > POINT_DAYS_MAX:
            raise QueryTooLarge(
                f"{len(trial.point_id)} points over {day_count} days of whole months are "
                f"{len(trial.point_id) * day_count} point-days, {POINT_DAYS_MAX} are allowed in a dry run; "
                "ask for fewer points or a shorter time"
            )
        terms = TrialTerms(self._terms, frozenset(trial.point_id.tolist()), self._changed(trial))
        tariffs = self._tariffs if trial.calendar is None else self._tariffs.with_version(trial.calendar)
        days = await self._moved(trial, "day", calendar.periods_of(trial.days, "day"), terms, tariffs)
        of_months = await self._moved(trial, "month", months, terms, tariffs)
        rows = [*of_months, *days][:ROWS_MAX]
        looked_at = len(trial.point_id) * trial.days.day_count
        return Outcome(looked_at, len(days), len(of_months), rows)

    def _changed(self, trial: Trial) -> Callable[[int, PointTerms], PointTerms]:
        def change(point_id: int, terms: PointTerms) -> PointTerms:
            if trial.span is not None:
                terms = term.with_span(terms, trial.span)
            if trial.multiplier is not None:
                always = Step(timestamp.TIME_MIN_US, self._directory.by_id(point_id).multiplier)
                steps = term.steps_of([*(terms.multiplier or (always,)), trial.multiplier])
                terms = term.with_multiplier(terms, steps)
            return terms

        return change

    async def _moved(
        self,
        trial: Trial,
        period: PeriodName,
        parts: Sequence[DateRange],
        terms: TrialTerms,
        tariffs: TariffBook,
    ) -> list[Moved]:
        past = Past(self._clock.now_us(), self._reader, terms)
        before = await self._rollup.columns_of(trial.point_id, period, parts, wanted=_WANTED)
        after = await self._rollup.columns_of(trial.point_id, period, parts, wanted=_WANTED, past=past)
        bills = await self._bills(trial.point_id, parts, self._terms, self._tariffs)
        new_bills = await self._bills(trial.point_id, parts, terms, tariffs)
        return [
            Moved(point_id, period, part.first, old, new, self._is_locked(point_id, part))
            for row, (point_id, part) in enumerate(
                (point_id, part) for point_id in trial.point_id.tolist() for part in parts
            )
            for old, new in _differing(
                {**_figures_of(before, row), **_bill_of(bills, row, len(parts))},
                {**_figures_of(after, row), **_bill_of(new_bills, row, len(parts))},
            )
        ]

    async def _bills(
        self, point_id: Ids, parts: Sequence[DateRange], terms: TermDirectory, tariffs: TariffBook
    ) -> dict[int, list[Bill]]:
        """Of the points that have any, by their places."""
        known = terms.ids()
        places = [
            place for place, one in enumerate(point_id.tolist()) if one in known and terms.of(one).has_bill
        ]
        points: list[Point] = [self._directory.by_id(int(point_id[place])) for place in places]
        wanted = [Metered(one, terms.of(one.id), timestamp.load_zone(one.time_zone)) for one in points]
        made = await BillMaker(tariffs).make(self._reader, wanted, parts)
        return dict(zip(places, made, strict=True))

    def _is_locked(self, point_id: int, part: DateRange) -> bool:
        days = range(part.first.toordinal(), part.last.toordinal())
        return any(self._billing.is_locked(point_id, day) for day in days)


def _figures_of(rows: PeriodColumns, row: int) -> dict[str, Any]:
    found = {told: getattr(rows.columns, name)[row].item() for name, told in _TOLD.items()}
    if found["max_time"] == -1:
        found["max_time"] = None
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in found.items()
    }


def _bill_of(bills: dict[int, list[Bill]], row: int, part_count: int) -> dict[str, Any]:
    place, number = divmod(row, part_count)
    if place not in bills:
        return {}
    bill = bills[place][number]
    texts = {"warnings": ",".join(bill.warnings), "tariff": bill.tariff}
    found: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if bill.bands is not None:
        found |= dict(zip(BANDS, bill.bands, strict=True)) | {"undivided": bill.undivided}
    if bill.demand is not None:
        found["billing_demand"] = bill.demand.value
    return found


def _differing(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What differs, once; nothing where all is the same, or only the name of the calendar."""
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if names and names != ["tariff"]:
        yield _plain(old, names), _plain(new, names)


def _plain(figures: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    values = {name: figures.get(name) for name in names}
    return {
        name: fixed_point.to_float(value) if isinstance(value, Fraction) else value
        for name, value in values.items()
    }
