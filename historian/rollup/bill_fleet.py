"""Bills of many points at once, where kernels suffice: the same as `bill.make_bills`, or nothing.

Kernels suffice for means, amounts and instants on the grid of their interval, under one factor, without rules; and where
the demand's window is that interval, so that the highest slot is the demand.
"""

import zoneinfo
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import bands, fleet
from historian.energy.band_kernels import BandFigures
from historian.energy.bands import Bands
from historian.energy.calendar import DateRange
from historian.energy.demand import Demand
from historian.energy.fleet import Ask, Asked
from historian.energy.steady_kernels import Figures
from historian.energy.tariff import DaySchedule
from historian.model.point import SECOND_US, Point, PointKind
from historian.model.sample import RunBlock
from historian.model.tariff import BANDS, UNDIVIDED
from historian.model.term import DemandTerm, PointTerms, Span, TariffTerm
from historian.rollup import day_figure, point_metering
from historian.rollup.bill import NO_TARIFF, Bill, DayBandsOf, join_texts

I64 = npt.NDArray[np.int64]

_NO_SCHEDULE: Final = -1


class _Plan(NamedTuple):
    """The bands of consecutive days under one tariff, what they are called, and what was not known of each."""

    schedules: list[DaySchedule]
    labels: list[str]
    warnings: list[tuple[str, ...]]


class _Days(NamedTuple):
    """Exact sums of a run over each day: numerators over the day's denominator."""

    figures: Figures
    bands: BandFigures
    starts_us: I64


def quick_ask(point: Point, terms: PointTerms, start_us: int, end_us: int) -> Ask | None:
    """What kernels are asked of a point over ``[start_us, end_us)``; None where they do not suffice."""
    if point.kind is PointKind.REGISTER or terms.of_kind("rules"):
        return None
    for span in terms.of_kind("demand"):
        term = span.term
        if isinstance(term, DemandTerm) and term.period_s * SECOND_US != point.interval_us:
            return None
    if day_figure.demand_block_us(point.interval_us) != point.interval_us:
        return None
    metering = point_metering.metering_of(point, terms, start_us)
    ask = Ask(point.kind, point.interval_us, point.multiplier, metering)
    narrow = point_metering.narrowed_ask(ask, start_us, end_us)
    return narrow if narrow.is_plain else None


def make_bills(
    block: RunBlock,
    asks: Sequence[Ask],
    terms: Sequence[PointTerms],
    zone: zoneinfo.ZoneInfo,
    parts: Sequence[DateRange],
    bands_of: DayBandsOf,
) -> list[list[Bill] | None]:
    """The bills of each run of a block, all of one interval; None for a run of which not every day was done."""
    days = range(parts[0].first.toordinal(), parts[-1].last.toordinal())
    edges_us = [day_figure.slot_edges_us(day, zone, asks[0].interval_us) for day in days]
    starts_us = np.array([*(edges[0] for edges in edges_us), edges_us[-1][-1]], np.int64)
    plans: dict[tuple[Span, ...], int] = {}
    made: list[_Plan] = []
    schedule_of_run = np.full(block.run_count, _NO_SCHEDULE, np.int64)
    for run, one in enumerate(terms):
        spans = one.of_kind("tariff")
        if spans:
            if spans not in plans:
                plans[spans] = len(made)
                made.append(_plan_of(one, days, starts_us, bands_of))
            schedule_of_run[run] = plans[spans]
    asked = Asked.of(list(asks))
    figures, is_done = fleet.day_figures(block, asked, edges_us)
    shape = is_done.shape
    divided = BandFigures._make(
        [
            *(np.zeros(shape, np.int64) for _ in BANDS),
            figures.total_numerator,
            figures.ranked_numerator,
            figures.denominator,
        ]
    )
    if made:
        schedules = [plan.schedules for plan in made]
        bands.add_bands(block, asked, schedules, schedule_of_run, edges_us, divided, is_done)
    is_done &= figures.denominator != 0
    all_days = _Days(figures, divided, starts_us)
    bills: list[list[Bill] | None] = [None] * block.run_count
    for run in np.flatnonzero(is_done.all(axis=1)).tolist():
        plan = int(schedule_of_run[run])
        bills[run] = _bills_of(run, terms[run], made[plan] if plan >= 0 else None, all_days, parts, asks[run])
    return bills


def _plan_of(terms: PointTerms, days: range, starts_us: I64, bands_of: DayBandsOf) -> _Plan:
    plan = _Plan([], [], [])
    for place, day in enumerate(days):
        term = terms.at("tariff", int(starts_us[place]))
        if isinstance(term, TariffTerm):
            found = bands_of(term, day)
            plan.schedules.append(found.schedule)
            plan.labels.append(found.label)
            plan.warnings.append(found.schedule.warnings)
        else:
            edges = starts_us[place : place + 2]
            plan.schedules.append(DaySchedule(edges, np.full(1, UNDIVIDED, np.uint8)))
            plan.labels.append("")
            plan.warnings.append((NO_TARIFF,))
    return plan


def _bills_of(
    run: int, terms: PointTerms, plan: _Plan | None, all_days: _Days, parts: Sequence[DateRange], ask: Ask
) -> list[Bill]:
    figures, divided = all_days.figures, all_days.bands
    denominators = figures.denominator[run].tolist()
    totals = figures.total_numerator[run].tolist()
    columns = [getattr(divided, band)[run].tolist() for band in BANDS]
    first_day = parts[0].first.toordinal()
    bills: list[Bill] = []
    for part in parts:
        days = slice(part.first.toordinal() - first_day, part.last.toordinal() - first_day)
        total = _sum(totals[days], denominators[days])
        found: Bands | None = None
        if plan is not None:
            sharp, peak, flat, valley, deep = (_sum(column[days], denominators[days]) for column in columns)
            found = sharp, peak, flat, valley, deep
        label, warnings = ("", ()) if plan is None else join_texts(plan.labels[days], plan.warnings[days])
        demand = _demand_of(run, terms, all_days, days, ask)
        bills.append(Bill(total, found, label, warnings, demand, 0))
    return bills


def _sum(numerators: list[int], denominators: list[int]) -> Fraction:
    if len(numerators) == 1:
        return Fraction(numerators[0], denominators[0])
    by_denominator: dict[int, int] = {}
    for numerator, denominator in zip(numerators, denominators, strict=True):
        by_denominator[denominator] = by_denominator.get(denominator, 0) + numerator
    return sum((Fraction(top, bottom) for bottom, top in by_denominator.items()), Fraction())


def _demand_of(run: int, terms: PointTerms, all_days: _Days, days: slice, ask: Ask) -> Demand | None:
    """The highest slot of the days, first where several are equal: each slot is one window."""
    start_us, end_us = int(all_days.starts_us[days.start]), int(all_days.starts_us[days.stop])
    term = terms.at("demand", start_us)
    if not isinstance(term, DemandTerm):
        return None
    interval_us = ask.interval_us
    window_count = (end_us - start_us) // interval_us
    known_count = int(all_days.figures.received[run, days].sum())
    values = all_days.figures.max_value[run, days]
    if np.isnan(values).all():
        return Demand(None, None, None, interval_us, 0, window_count)
    day = int(np.nanargmax(values))
    slot = int(all_days.figures.max_slot[run, days][day])
    first_us = int(all_days.starts_us[days.start + day]) + slot * interval_us
    return Demand(
        float(values[day]), first_us, first_us + interval_us, interval_us, known_count, window_count
    )
