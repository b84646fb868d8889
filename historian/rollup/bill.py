"""What bills are made of beside the energy of a period: energy by band, maximum demand, and what happened to the counter.

It is made from the samples each time it is asked for, under the terms that hold, or held. So it can be told as of any
moment, and nothing has to be made anew when a calendar changes.
"""

import math
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import bands, calendar, counter_event, demand, fixed_point, sample_period, slot_sum
from historian.energy.bands import Bands
from historian.energy.calendar import DateRange
from historian.energy.demand import Demand
from historian.energy.sample_period import SamplePeriods
from historian.energy.tariff import DaySchedule
from historian.model.point import SECOND_US, Point
from historian.model.sample import SampleRun
from historian.model.tariff import BAND_COUNT, UNDIVIDED
from historian.model.term import DemandTerm, PointTerms, TariffTerm
from historian.rollup import day_figure, point_metering

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

NO_BANDS: Final[Bands] = (Fraction(), Fraction(), Fraction(), Fraction(), Fraction())
SEPARATOR: Final = ","
NO_TARIFF: Final = "no_tariff"  # a warning: on some day no tariff held


class DayBands(NamedTuple):
    """The bands of a day, and the calendar that says so: ``CN-32-2025@1``."""

    schedule: DaySchedule
    label: str


DayBandsOf = Callable[[TariffTerm, int], DayBands]  # by the ordinal of a local date


class Bill(NamedTuple):
    """Of one point and period, exact. `bands` is None where no tariff was stated; `demand` where none was asked for.

    `total` includes what is in no band: energy across an edge of bands or a gap, and of days without a calendar.
    """

    total: Fraction
    bands: Bands | None
    tariff: str
    warnings: tuple[str, ...]
    demand: Demand | None
    events: int

    @property
    def undivided(self) -> Fraction | None:
        if self.bands is None:
            return None
        common = math.lcm(self.total.denominator, *(band.denominator for band in self.bands))
        divided = sum(band.numerator * (common // band.denominator) for band in self.bands)
        return Fraction(self.total.numerator * (common // self.total.denominator) - divided, common)


class Bills(NamedTuple):
    """Columns, a row a (point, period); NaN, -1 and place 0 of a vocabulary where there is nothing to tell."""

    tou: tuple[F64, F64, F64, F64, F64]
    undivided: F64
    tariff: npt.NDArray[np.int32]
    tariffs: list[str]
    warning: npt.NDArray[np.int32]
    warnings: list[str]
    demand: F64
    demand_start_us: I64
    demand_end_us: I64
    demand_slide_s: I64
    event: npt.NDArray[np.int32]
    events: list[str]


def make_bills(
    point: Point,
    terms: PointTerms,
    run: SampleRun,
    zone: zoneinfo.ZoneInfo,
    parts: Sequence[DateRange],
    bands_of: DayBandsOf,
) -> list[Bill]:
    """The bill of each of some consecutive periods, from a run that reaches as far beyond as figures need it."""
    return [_bill_of(point, terms, run, zone, part, bands_of) for part in parts]


def columns_of(bills: Sequence[Bill | None]) -> Bills:
    """One row for each; none has nothing to tell."""
    made = empty(len(bills))
    vocabularies: tuple[dict[str, int], ...] = ({"": 0}, {"": 0}, {"": 0})
    for row, one in enumerate(bills):
        if one is None:
            continue
        texts = one.tariff, SEPARATOR.join(one.warnings), events_text(one.events)
        for column, words, text in zip(
            (made.tariff, made.warning, made.event), vocabularies, texts, strict=True
        ):
            column[row] = words.setdefault(text, len(words))
        undivided = one.undivided
        if one.bands is not None and undivided is not None:
            for band, value in zip((*made.tou, made.undivided), (*one.bands, undivided), strict=True):
                band[row] = fixed_point.to_float(value)
        _put_demand(made, row, one.demand)
    tariffs, warnings, events = (list(words) for words in vocabularies)
    return made._replace(tariffs=tariffs, warnings=warnings, events=events)


def empty(count: int) -> Bills:
    """Rows with nothing to tell."""
    sharp, peak, flat, valley, deep_valley, undivided, value = (np.full(count, np.nan) for _ in range(7))
    start_us, end_us, slide_s = (np.full(count, -1, np.int64) for _ in range(3))
    tariff, warning, event = (np.zeros(count, np.int32) for _ in range(3))
    return Bills(
        (sharp, peak, flat, valley, deep_valley), undivided, tariff, [""], warning, [""], value, start_us, end_us,
        slide_s, event, [""],
    )  # fmt: skip


def join_texts(labels: Iterable[str], warnings: Iterable[Iterable[str]]) -> tuple[str, tuple[str, ...]]:
    """Labels in their order and all warnings, each once."""
    distinct = [label for label in dict.fromkeys(labels) if label]
    return SEPARATOR.join(distinct), tuple(sorted({word for some in warnings for word in some}))


def events_text(flags: int) -> str:
    """``rollover,exchange``; empty where nothing happened."""
    return SEPARATOR.join(counter_event.words(flags))


def _put_demand(made: Bills, row: int, found: Demand | None) -> None:
    if found is None:
        return
    made.demand_slide_s[row] = found.slide_us // SECOND_US
    if found.value is not None and found.start_us is not None and found.end_us is not None:
        made.demand[row] = found.value
        made.demand_start_us[row], made.demand_end_us[row] = found.start_us, found.end_us


def _bill_of(
    point: Point,
    terms: PointTerms,
    run: SampleRun,
    zone: zoneinfo.ZoneInfo,
    days: DateRange,
    bands_of: DayBandsOf,
) -> Bill:
    starts_us = calendar.day_starts_us(days, zone)
    start_us, end_us = int(starts_us[0]), int(starts_us[-1])
    near = day_figure.near_day(point, run, start_us, end_us)
    metering = point_metering.metering_of(point, terms, start_us)
    periods = sample_period.periods_of(near, metering, day_figure.period_ends_us(point, near, zone))
    periods = periods.select((periods.end_us > start_us) & (periods.start_us < end_us))
    is_amount = point.kind in sample_period.AMOUNT_KINDS
    total = slot_sum.sum_slots(periods, is_amount, np.unique(starts_us)).total
    divided, label, warnings = _divide(periods, point, terms, days, starts_us, bands_of)
    asked = terms.at("demand", start_us)
    found = None
    if isinstance(asked, DemandTerm):
        window_us, slide_us = asked.period_s * SECOND_US, asked.slide_s * SECOND_US
        found = demand.maximum(
            periods, point.kind, point.interval_us, (start_us, end_us), window_us, slide_us
        )
    return Bill(total, divided, label, warnings, found, int(np.bitwise_or.reduce(periods.events)))


def _divide(
    periods: SamplePeriods,
    point: Point,
    terms: PointTerms,
    days: DateRange,
    starts_us: I64,
    bands_of: DayBandsOf,
) -> tuple[Bands | None, str, tuple[str, ...]]:
    """The bands of all days, the calendars they came from, and what was not known."""
    if not terms.of_kind("tariff"):
        return None, "", ()
    edges: list[I64] = []
    codes: list[npt.NDArray[np.uint8]] = []
    labels: list[str] = []
    warnings: list[Iterable[str]] = []
    for place, day in enumerate(range(days.first.toordinal(), days.last.toordinal())):
        term = terms.at("tariff", int(starts_us[place]))
        if isinstance(term, TariffTerm):
            found = bands_of(term, day)
            labels.append(found.label)
            warnings.append(found.schedule.warnings)
            edges.append(found.schedule.edges_us[:-1])
            codes.append(found.schedule.band)
        else:
            warnings.append((NO_TARIFF,))
            edges.append(starts_us[place : place + 1])
            codes.append(np.full(1, UNDIVIDED, np.uint8))
    whole = DaySchedule(np.append(np.concatenate(edges), starts_us[-1]), np.concatenate(codes))
    divided = bands.split(periods, point.kind, whole) if len(whole.band) else NO_BANDS
    assert len(divided) == BAND_COUNT, "one sum a band"
    return (divided, *join_texts(labels, warnings))
