"""Rows with everything a bill needs: energy by band, demand, what was locked, and all of it as of any moment.

figures of days → periods     what is made from samples under the terms → bills     what was locked → over both
"""

import datetime
import zoneinfo
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.lock_book import Lock, LockBook, PeriodKey
from historian.clock import Clock
from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.errors import LockRefused, QueryError
from historian.model import timestamp
from historian.model.point import PointKind
from historian.model.ports import SampleReader
from historian.model.term import BillingTerm
from historian.rollup import bill, lock_overlay, meter_rates, periods
from historian.rollup.bill import Bill, Bills
from historian.rollup.bill_maker import BillMaker, Metered
from historian.rollup.lock_overlay import LockColumns
from historian.rollup.meter_rates import MeterRates
from historian.rollup.period_kernels import OPEN
from historian.rollup.periods import PeriodColumns
from historian.rollup.point_facts import RevisedDirectory
from historian.rollup.service import Past, RollupService, terms_at
from historian.rollup.tariff_book import TariffBook
from historian.rollup.term_directory import TermDirectory

Ids = npt.NDArray[np.int64]


class Asked(NamedTuple):
    """Whole periods of some points. `zone`: by its clock instead of each point's own; `past`: as it was known then."""

    point_id: Ids
    period: PeriodName
    parts: Sequence[DateRange]
    zone: zoneinfo.ZoneInfo | None = None
    past: Past | None = None


class Billed(NamedTuple):
    """Rows, and beside them what only some points have; None where none has."""

    rows: PeriodColumns
    bills: Bills | None
    locks: LockColumns | None
    rates: MeterRates | None = None


class Billing:
    """Answers with bills, and locks what was billed."""

    def __init__(
        self,
        rollup: RollupService,
        reader: SampleReader,
        directory: RevisedDirectory,
        terms: TermDirectory,
        tariffs: TariffBook,
        locks: LockBook,
        clock: Clock,
    ) -> None:
        self._rollup = rollup
        self._reader = reader
        self._directory = directory
        self._terms = terms
        self._maker = BillMaker(tariffs)
        self._locks = locks
        self._clock = clock

    def parts(
        self,
        point_id: Ids,
        period: PeriodName,
        first: datetime.date,
        last: datetime.date,
        cutoff_day: int | None = None,
    ) -> list[DateRange]:
        """Whole periods that ``[first, last)`` touches. Billing periods begin on `cutoff_day`, or on that which was stated.

        Raises QueryError where points have different ones, TimeError for dates without end.
        """
        if period != "billing":
            return calendar.periods_of(DateRange(first, last), period)
        if cutoff_day is None:
            days = {self._cutoff_day(one) for one in point_id.tolist()}
            if len(days) > 1:
                names = ", ".join(map(str, sorted(days)))
                raise QueryError(
                    f"the points are billed from different days of the month ({names}); ask for them apart"
                )
            cutoff_day = days.pop()
        return calendar.billing_periods(DateRange(first, last), cutoff_day)

    async def answer(
        self,
        asked: Asked,
        wanted: frozenset[str] = periods.ALL,
        *,
        has_bills: bool = True,
        has_locks: bool = True,
        has_events: bool = False,
    ) -> Billed:
        """The rows asked for; `has_events`: registers without a tariff too tell what happened to them.

        Raises QueryTooLarge before any work, TariffError.
        """
        rows = await self._rollup.columns_of(
            asked.point_id, asked.period, asked.parts, asked.zone, wanted, asked.past
        )
        bills = await self._bills(asked, rows, has_events=has_events) if has_bills else None
        rates = await self._rates(asked, rows) if has_bills and "energy" in wanted else None
        as_of_us = asked.past.as_of_us if asked.past else None
        if not has_locks or not self._locks.has_any:
            return Billed(rows, bills, None, rates)
        locks = lock_overlay.find(self._locks, rows, asked.parts, self._zone_names(asked), as_of_us)
        if not locks:
            return Billed(rows, bills, None, rates)
        known = bills or bill.empty(rows.row_count)
        rows, over, columns = lock_overlay.put_over(rows, known, locks, has_bills=has_bills)
        is_billed = bills is not None or any(lock_overlay.has_bill(lock) for _, lock in locks)
        return Billed(rows, over if has_bills and is_billed else None, columns, rates)

    async def lock(self, asked: Asked, author: str, reason: str) -> list[Lock]:
        """Lock every period asked for, as its row is now; all or none. Raises LockRefused where one is not over yet."""
        made = await self.answer(asked, has_locks=False)
        rows, bills = made.rows, made.bills or bill.empty(made.rows.row_count)
        if bool((rows.columns.state == OPEN).any()):
            raise LockRefused(f"a {asked.period} that is asked for is not over yet; lock it when it is")
        wanted = []
        zones = self._zone_names(asked)
        for row in range(rows.row_count):
            place, number = divmod(row, rows.period_count)
            part = asked.parts[number]
            key = PeriodKey(
                int(rows.point_id[place]), asked.period, part.first.toordinal(), part.last.toordinal()
            )
            figures = lock_overlay.figures_of(rows.columns, rows.expected, bills, row)
            wanted.append((key, zones[place], figures))
        return self._locks.lock(wanted, author, reason)

    def unlock(self, number: int, author: str, reason: str) -> Lock:
        """Take a lock back. Raises LockRefused."""
        return self._locks.unlock(number, author, reason)

    def is_locked(self, point_id: int, day: int) -> bool:
        """Whether a day, by ordinal, lies in a locked period of the point."""
        return self._locks.covering(point_id, day) is not None

    def locks_of(self, point_id: int) -> list[Lock]:
        """All locks of a point, those taken back too."""
        return self._locks.of_point(point_id)

    async def bills_of(self, asked: Asked) -> list[list[Bill]]:
        """For each point the bill of each period, with everything it is made from."""
        return await self._make(asked, asked.point_id.tolist())

    def _cutoff_day(self, point_id: int) -> int:
        term = self._terms.of(point_id).at("billing", self._clock.now_us())
        return term.cutoff_day if isinstance(term, BillingTerm) else 1

    async def _bills(self, asked: Asked, rows: PeriodColumns, *, has_events: bool) -> Bills | None:
        """Columns of the bills; None where no point has any."""
        terms = terms_at(self._terms, asked.past)
        known = terms.ids()
        places = [
            place
            for place, one in enumerate(asked.point_id.tolist() if known or has_events else ())
            if (one in known and terms.of(one).has_bill and rows.units[rows.units_number[place]].energy)
            or (has_events and self._directory.by_id(one).kind is PointKind.REGISTER)
        ]
        if not places:
            return None
        found = await self._make(asked, asked.point_id[places].tolist())
        made: list[Bill | None] = [None] * rows.row_count
        for place, some in zip(places, found, strict=True):
            made[place * rows.period_count : (place + 1) * rows.period_count] = some
        return bill.columns_of(made)

    async def _rates(self, asked: Asked, rows: PeriodColumns) -> MeterRates | None:
        """What the meters' own rate registers counted; None where no point has any."""
        terms = terms_at(self._terms, asked.past)
        known = terms.ids()
        found = {
            place: term
            for place, one in enumerate(asked.point_id.tolist() if known else ())
            if one in known and (term := meter_rates.term_of(terms.of(one))) is not None
        }
        if not found:
            return None
        names = sorted({name for term in found.values() for name in term.names if name})
        ids = np.array([self._directory.get(name).id for name in names], np.int64)
        columns = await self._rollup.columns_of(
            ids, asked.period, asked.parts, asked.zone, frozenset({"energy"}), asked.past
        )
        count = rows.period_count
        energy_of = dict(zip(names, columns.columns.energy.reshape(-1, count), strict=True))
        made = meter_rates.empty(rows.row_count)
        for place, term in found.items():
            point = self._directory.by_id(int(asked.point_id[place]))
            rates = meter_rates.rates_of(term, energy_of)
            own = slice(place * count, (place + 1) * count)
            rate_count = sum(one is not None for one in rates)
            at_us = int(rows.period_start_us[own][0])
            tolerance = meter_rates.tolerance_of(point, terms.of(point.id), rate_count, at_us)
            meter_rates.put(made, own, rows.columns.energy[own], rates, tolerance)
        return made

    async def _make(self, asked: Asked, point_ids: Sequence[int]) -> list[list[Bill]]:
        as_of_us = asked.past.as_of_us if asked.past else None
        reader = asked.past.reader if asked.past else self._reader
        terms = terms_at(self._terms, asked.past)
        points = [self._directory.by_id(one) for one in point_ids]
        wanted = [
            Metered(point, terms.of(point.id), asked.zone or timestamp.load_zone(point.time_zone))
            for point in points
        ]
        return await self._maker.make(reader, wanted, asked.parts, as_of_us)

    def _zone_names(self, asked: Asked) -> list[str]:
        if asked.zone is not None:
            return [asked.zone.key] * len(asked.point_id)
        return [self._directory.by_id(one).time_zone for one in asked.point_id.tolist()]
