"""Reads what bills are made of: the points that have a tariff or a demand, period by period, in parts that fit into memory."""

import asyncio
import datetime
import zoneinfo
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.energy.fleet import Ask
from historian.model.point import DAY_US, Point
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun
from historian.model.term import PointTerms, TariffTerm
from historian.rollup import bill, bill_fleet, day_figure, day_maker, day_source, prepared_source
from historian.rollup.bill import Bill, DayBands
from historian.rollup.tariff_book import TariffBook

READ_SAMPLES_MAX: Final = 2_000_000  # asked of the store at once, as far as intervals tell


class Metered(NamedTuple):
    """A point, what was stated of it, and the clock by which its periods run."""

    point: Point
    terms: PointTerms
    zone: zoneinfo.ZoneInfo


class _Piece(NamedTuple):
    """Points of one interval and one zone by their rows, some consecutive periods, and their edges."""

    rows: list[int]
    parts: list[DateRange]
    start_us: int
    end_us: int


class BillMaker:
    """Makes bills of points, as things are or as of a moment."""

    def __init__(self, tariffs: TariffBook | None) -> None:
        self._tariffs = tariffs

    async def make(
        self,
        reader: SampleReader,
        asked: Sequence[Metered],
        parts: Sequence[DateRange],
        as_of_us: int | None = None,
    ) -> list[list[Bill]]:
        """For each point its bills of consecutive periods. Raises TariffNotFound, TariffError."""
        made: list[list[Bill]] = [[] for _ in asked]
        for piece in _pieces(asked, parts):
            bands_of = self._bands_in(asked[piece.rows[0]].zone, as_of_us)
            margin_us = day_figure.margin_us(asked[piece.rows[0]].point.interval_us)
            start_us, end_us = piece.start_us - margin_us, piece.end_us + margin_us
            asks = {
                row: ask
                for row in piece.rows
                if (ask := bill_fleet.quick_ask(asked[row].point, asked[row].terms, start_us, end_us))
                is not None
            }
            found = await self._make_quick(reader, asked, piece, asks, bands_of)
            found |= await self._make_slow(
                reader, asked, piece._replace(rows=_without(piece.rows, found)), bands_of
            )
            for row, bills in found.items():
                made[row] += bills
        return made

    async def _make_quick(
        self,
        reader: SampleReader,
        asked: Sequence[Metered],
        piece: _Piece,
        asks: dict[int, Ask],
        bands_of: bill.DayBandsOf,
    ) -> dict[int, list[Bill]]:
        """By row, what kernels make."""
        if not asks:
            return {}
        first = asked[piece.rows[0]]
        margin_us = day_figure.margin_us(first.point.interval_us)
        ids = np.array([asked[row].point.id for row in asks], np.uint32)
        block = await reader.read_block(ids, piece.start_us - margin_us, piece.end_us + margin_us)
        terms = [asked[row].terms for row in asks]
        work = partial(
            bill_fleet.make_bills, block, list(asks.values()), terms, first.zone, piece.parts, bands_of
        )
        found = await asyncio.to_thread(work)
        for place in prepared_source.rows_with_estimates(block).tolist():
            found[place] = None  # some of them may have to give way
        return {row: bills for row, bills in zip(asks, found, strict=True) if bills is not None}

    async def _make_slow(
        self, reader: SampleReader, asked: Sequence[Metered], piece: _Piece, bands_of: bill.DayBandsOf
    ) -> dict[int, list[Bill]]:
        """By row, one point after the other."""
        if not piece.rows:
            return {}
        points = [asked[row].point for row in piece.rows]
        stored = await day_source.read_runs(reader, points, piece.start_us, piece.end_us)
        metered = [day_maker.Metered(asked[row].point, asked[row].terms) for row in piece.rows]
        runs = await prepared_source.prepare_runs(reader, metered, stored, piece.start_us, piece.end_us)

        def make_all() -> dict[int, list[Bill]]:
            return {
                row: _make_one(asked[row], run, piece.parts, bands_of)
                for row, run in zip(piece.rows, runs, strict=True)
            }

        return await asyncio.to_thread(make_all)

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


def _make_one(
    of: Metered, run: SampleRun, parts: Sequence[DateRange], bands_of: bill.DayBandsOf
) -> list[Bill]:
    return bill.make_bills(of.point, of.terms, run, of.zone, parts, bands_of)


def _without(rows: list[int], done: dict[int, list[Bill]]) -> list[int]:
    return [row for row in rows if row not in done]


def _pieces(asked: Sequence[Metered], parts: Sequence[DateRange]) -> list[_Piece]:
    """Points of one interval and zone and some of the periods, so that no piece reads too much."""
    alike: dict[tuple[int, str], list[int]] = {}
    for row, one in enumerate(asked):
        alike.setdefault((one.point.interval_us, one.zone.key), []).append(row)
    pieces: list[_Piece] = []
    for (interval_us, _zone), rows in alike.items():
        zone = asked[rows[0]].zone
        for some in calendar.in_groups(parts, max(1, READ_SAMPLES_MAX * interval_us // DAY_US)):
            samples = (some[-1].last - some[0].first).days * DAY_US // interval_us + 1
            size = max(1, READ_SAMPLES_MAX // samples)
            edges = calendar.day_start_us(some[0].first, zone), calendar.day_start_us(some[-1].last, zone)
            pieces += [
                _Piece(rows[first : first + size], some, *edges) for first in range(0, len(rows), size)
            ]
    return pieces
