"""A metering site: points over the real store, with the real rollups and bills, in this process, without HTTP."""

import contextlib
import datetime
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from historian import core
from historian.clock import Clock, SystemClock
from historian.core import Core
from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.metrics import Metrics
from historian.model import timestamp
from historian.model.point import Point, PointDraft, PointKind
from historian.model.sample import make_batch
from historian.model.term import Term
from historian.model.timestamp import load_zone, parse_time_us
from historian.query.as_of import AsOfReader
from historian.rollup import periods
from historian.rollup.bill import Bill
from historian.rollup.billing import Asked, Billed
from historian.rollup.row import RollupRow
from historian.rollup.service import Past
from historian.settings import IngestSettings, Settings

EVER_US = parse_time_us("1900-01-01T00:00:00Z")
AT_ALL_TIMES = Settings(ingest=IngestSettings(oldest_year=1900))


def date(text: str) -> datetime.date:
    """``2026-01-05``."""
    return datetime.date.fromisoformat(text)


def local_us(text: str, zone_name: str) -> int:
    """The instant at which a clock of the zone shows ``2026-01-05T08:00:00``."""
    naive = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return timestamp.local_to_utc_us(int(naive.timestamp()) * 1_000_000, load_zone(zone_name))


def day_us(text: str, zone_name: str) -> int:
    """The first instant of a local date."""
    return calendar.day_start_us(date(text), load_zone(zone_name))


def days(first: str, last: str) -> list[DateRange]:
    """Each local date ``[first, last)`` alone."""
    return calendar.periods_of(DateRange(date(first), date(last)), "day")


def months(first: str, last: str) -> list[DateRange]:
    """Each calendar month that the dates touch."""
    return calendar.periods_of(DateRange(date(first), date(last)), "month")


class Site(NamedTuple):
    """What one does at a site: name points, send samples, state terms, ask for figures."""

    parts: Core

    def point(self, name: str, unit: str, kind: PointKind, **rest: Any) -> Point:
        """A new point."""
        return self.parts.registry.ensure(PointDraft(name=name, unit=unit, kind=kind, **rest))

    async def put(
        self, point: Point, samples: Iterable[tuple[int, float]], quality: int | Sequence[int] = 0
    ) -> None:
        """Send samples; they are on disk when this returns."""
        times, values = zip(*samples, strict=True)
        batch = make_batch(point.id, np.array(times, np.int64), np.array(values), np.array(quality))
        result = await self.parts.sink.append(batch, source="test")
        assert len(result.outcome) == batch.sample_count, "every sample has an outcome"

    def state(self, point: Point, term: Term, valid_from_us: int = EVER_US) -> int:
        """State a term without end; the number of the statement."""
        return self.parts.terms.state(point.id, term, valid_from_us, None, "tester", "test").number

    async def rows(self, point: Point, period: PeriodName, first: str, last: str) -> list[RollupRow]:
        """The rows of one point."""
        return await self.parts.rollup.rows([point], period, date(first), date(last))

    async def row(self, point: Point, first: str, last: str | None = None) -> RollupRow:
        """The row of one day; or of one explicit period ``[first, last)``."""
        start = date(first)
        end = start + datetime.timedelta(days=1) if last is None else date(last)
        (row,) = await self.rows_of(point, [DateRange(start, end)])
        return row

    async def rows_of(self, point: Point, parts: Sequence[DateRange]) -> list[RollupRow]:
        """The rows of explicit periods that follow each other."""
        columns = await self.parts.rollup.columns_of(np.array([point.id]), "billing", parts)
        return periods.rows_of(columns)

    async def bills(self, point: Point, parts: Sequence[DateRange]) -> list[Bill]:
        """The bills of explicit periods, exact."""
        (made,) = await self.parts.billing.bills_of(Asked(np.array([point.id]), "billing", parts))
        return made

    async def answer(
        self, point: Point, period: PeriodName, parts: Sequence[DateRange], as_of_us: int | None = None
    ) -> Billed:
        """Rows with bills and locks, as HTTP tells them; or as they were told then."""
        past = None if as_of_us is None else Past(as_of_us, AsOfReader(self.parts.store, as_of_us))
        return await self.parts.billing.answer(Asked(np.array([point.id]), period, parts, None, past))


@contextlib.asynccontextmanager
async def open_site(folder: Path, clock: Clock | None = None) -> AsyncIterator[Site]:
    """Open the folder, and close it in order. Samples of any year are taken."""
    async with core.open_core(AT_ALL_TIMES, folder, clock or SystemClock(), Metrics()) as parts:
        yield Site(parts)
