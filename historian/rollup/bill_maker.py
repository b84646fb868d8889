"""Reads what bills are made of: the points that have a tariff or a demand, period by period, in parts that fit into memory."""

import asyncio
import datetime
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Final

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model.point import DAY_US, Point
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun
from historian.model.term import PointTerms, TariffTerm
from historian.rollup import bill, day_source
from historian.rollup.bill import Bill, DayBands
from historian.rollup.tariff_book import TariffBook

READ_SAMPLES_MAX: Final = 2_000_000  # asked of the store at once, as far as intervals tell


class BillMaker:
    """Makes bills of points, as things are or as of a moment."""

    def __init__(self, tariffs: TariffBook | None) -> None:
        self._tariffs = tariffs

    async def make(
        self,
        reader: SampleReader,
        asked: Sequence[tuple[Point, PointTerms, zoneinfo.ZoneInfo]],
        parts: Sequence[DateRange],
        as_of_us: int | None = None,
    ) -> list[list[Bill]]:
        """For each point its bills of consecutive periods. Raises TariffNotFound, TariffError."""
        made: list[list[Bill]] = [[] for _ in asked]
        for rows, some in _pieces(asked, parts):
            points = [asked[row][0] for row in rows]
            edges = [
                calendar.day_starts_us(DateRange(some[0].first, some[-1].last), asked[row][2]) for row in rows
            ]
            runs = await day_source.read_runs(
                reader, points, min(int(one[0]) for one in edges), max(int(one[-1]) for one in edges)
            )
            found = await asyncio.to_thread(
                self._make_all, [asked[row] for row in rows], runs, some, as_of_us
            )
            for row, bills in zip(rows, found, strict=True):
                made[row] += bills
        return made

    def _make_all(
        self,
        asked: Sequence[tuple[Point, PointTerms, zoneinfo.ZoneInfo]],
        runs: Sequence[SampleRun],
        parts: Sequence[DateRange],
        as_of_us: int | None,
    ) -> list[list[Bill]]:
        return [
            bill.make_bills(point, terms, run, zone, parts, self._bands_in(zone, as_of_us))
            for (point, terms, zone), run in zip(asked, runs, strict=True)
        ]

    def _bands_in(
        self, zone: zoneinfo.ZoneInfo, as_of_us: int | None
    ) -> Callable[[TariffTerm, int], DayBands]:
        tariffs = self._tariffs
        assert tariffs is not None, "who has tariffs stated has a book of them"

        def bands_of(term: TariffTerm, day: int) -> DayBands:
            date = datetime.date.fromordinal(day)
            schedule = tariffs.schedule(term.calendar, frozenset(term.options), date, zone, as_of_us)
            return DayBands(schedule, tariffs.get(term.calendar, as_of_us).label)

        return bands_of


def _pieces(
    asked: Sequence[tuple[Point, PointTerms, zoneinfo.ZoneInfo]], parts: Sequence[DateRange]
) -> list[tuple[list[int], list[DateRange]]]:
    """Points of one interval and some of the periods, so that no piece reads too much."""
    by_interval: dict[int, list[int]] = {}
    for row, (point, _terms, _zone) in enumerate(asked):
        by_interval.setdefault(point.interval_us, []).append(row)
    pieces: list[tuple[list[int], list[DateRange]]] = []
    for interval_us, rows in by_interval.items():
        for some in calendar.in_groups(parts, max(1, READ_SAMPLES_MAX * interval_us // DAY_US)):
            samples = (some[-1].last - some[0].first).days * DAY_US // interval_us + 1
            size = max(1, READ_SAMPLES_MAX // samples)
            pieces += [(rows[first : first + size], some) for first in range(0, len(rows), size)]
    return pieces
