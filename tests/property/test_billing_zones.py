"""Bills do not depend on how samples came, and parts add up to the whole in every zone, exactly."""

import datetime
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from historian.energy import calendar, fixed_point, slot_sum
from historian.energy.calendar import DateRange
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, Point, PointDraft, PointKind
from historian.model.sample import SampleBatch, make_batch
from historian.model.tariff import BAND_COUNT, UNDIVIDED
from historian.model.term import DemandTerm, RegisterTerm, TariffTerm
from historian.model.timestamp import load_zone
from historian.rollup.bill import Bill
from historian.rollup.billing import Asked
from tests.support.stage import Stage, open_stage

EVER_US = calendar.day_start_us(datetime.date(1901, 1, 1), load_zone("UTC"))
TARIFF = "CN-21-2023"  # edges at half hours, valid from ever
FIELDS = (
    "period,period_end,energy,unit,max_demand,max_demand_unit,max_time,max_end,min,min_time,min_end,mean,load_factor,"
    "coverage,method,state,tou,tariff,warnings,billing_demand,events,lock"
)
DAYS = 3
FACTOR = 40
ENERGY_KINDS = tuple(kind for kind in PointKind if kind is not PointKind.RATIO)  # of which sums mean nothing
PLACES = [
    ("Asia/Shanghai", "1986-05-03"), ("Asia/Shanghai", "1986-09-13"), ("Asia/Shanghai", "1991-04-13"),
    ("Asia/Shanghai", "1991-09-14"), ("Asia/Shanghai", "2026-01-05"), ("Asia/Seoul", "1987-05-09"),
    ("Asia/Seoul", "1988-10-08"), ("Europe/Berlin", "2026-03-28"), ("Europe/Berlin", "2025-10-25"),
    ("Australia/Lord_Howe", "2026-04-04"), ("Australia/Lord_Howe", "2025-10-04"), ("Asia/Kathmandu", "1985-12-31"),
    ("Asia/Kathmandu", "2026-03-29"), ("Pacific/Apia", "2011-12-29"),
]  # fmt: skip


class Sent(NamedTuple):
    """Samples of one point, and what the point is."""

    zone_name: str
    first: datetime.date
    kind: PointKind
    interval_us: int
    batch: SampleBatch

    def __repr__(self) -> str:
        start_us = self.batch.time_us[:1].tolist()
        return f"{self.zone_name} {self.first} {self.kind.value} {self.interval_us} µs: {self.batch.sample_count} from {start_us}"

    @property
    def zone(self) -> datetime.tzinfo:
        return load_zone(self.zone_name)

    @property
    def last(self) -> datetime.date:
        return self.first + datetime.timedelta(days=DAYS)

    @property
    def days(self) -> list[DateRange]:
        return calendar.periods_of(DateRange(self.first, self.last), "day")


@st.composite
def sent(draw: st.DrawFn, kinds: tuple[PointKind, ...] = tuple(PointKind), *, is_whole: bool = False) -> Sent:
    """Three days around a change of the clock: whole, or with holes, stamps off the grid, doubtful samples."""
    zone_name, first_text = draw(st.sampled_from(PLACES))
    first, zone = datetime.date.fromisoformat(first_text), load_zone(zone_name)
    kind = draw(st.sampled_from(kinds))
    interval_us = draw(st.sampled_from([5, 15, 30, 60])) * MINUTE_US
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    start_us = calendar.day_start_us(first, zone)
    end_us = calendar.day_start_us(first + datetime.timedelta(days=DAYS), zone)
    offset_us = draw(st.sampled_from([0, 0, MINUTE_US, 15 * MINUTE_US]))
    margin_us = 0 if is_whole else interval_us * draw(st.sampled_from([0, 2]))
    time_us = np.arange(start_us - margin_us, end_us + margin_us, interval_us) + offset_us
    digits = draw(st.integers(0, 3))
    value = np.round(random.uniform(0 if is_whole else -5, 100, len(time_us)), digits)
    if kind is PointKind.REGISTER:
        value = np.round(np.cumsum(np.abs(value)) % draw(st.sampled_from([1e9, 2000.0])), digits)
    marks = np.zeros(len(time_us), np.uint16)
    if not is_whole:
        if draw(st.booleans()):
            time_us = time_us + random.integers(0, 3, len(time_us)) * MINUTE_US
        marks[random.random(len(marks)) < draw(st.sampled_from([0, 0.05]))] = quality.SUSPECT
        marks[random.random(len(marks)) < draw(st.sampled_from([0, 0.05]))] = quality.BAD
        kept = random.random(len(time_us)) >= draw(st.sampled_from([0, 0.02, 0.3]))
        time_us, value, marks = time_us[kept], value[kept], marks[kept]
    return Sent(zone_name, first, kind, interval_us, make_batch(0, time_us, value, marks))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(Path(tmp_path_factory.mktemp("stage"))) as opened:
        yield opened


def new_point(stage: Stage, of: Sent, *, has_terms: bool = True) -> Point:
    """A point with a tariff, a demand and, where it counts, a register."""
    parts = stage.served.parts
    unit = "kWh" if of.kind in (PointKind.INTERVAL, PointKind.REGISTER) else "kW"
    point = parts.registry.ensure(
        PointDraft(
            name=stage.next_name(), unit=unit, kind=of.kind, interval_us=of.interval_us, time_zone=of.zone_name,
            multiplier=float(FACTOR), capacity=8_000.0,
        )
    )  # fmt: skip
    terms = [TariffTerm(TARIFF), DemandTerm(900, 300)] if has_terms else []
    if of.kind is PointKind.REGISTER:
        terms.append(RegisterTerm(modulus=2000.0, resolution=0.001))
    for term in terms:
        parts.terms.state(point.id, term, EVER_US, None, "", "property")
    return point


async def put(stage: Stage, point: Point, of: SampleBatch) -> None:
    if of.sample_count:
        batch = of._replace(point_id=np.full(of.sample_count, point.id, np.uint32))
        await stage.served.parts.sink.append(batch, source="property")


async def told(stage: Stage, point: Point, of: Sent) -> bytes:
    """Every row as it goes out, but for the name, the revision and when it was computed."""
    answers = []
    for period in ("day", "month", "billing"):
        query = {
            "points": point.name, "period": period, "fields": FIELDS, "from": str(of.first), "to": str(of.last),
        }  # fmt: skip
        async with stage.served.client.get("/api/v1/rollups", params=query) as reply:
            assert reply.status == 200, await reply.text()
            answers.append((await reply.read()).replace(point.name.encode(), b"P"))
    return b"\n".join(answers)


async def bills(stage: Stage, point: Point, parts: list[DateRange], zone_name: str = "") -> list[Bill]:
    zone = load_zone(zone_name) if zone_name else None
    (made,) = await stage.served.parts.billing.bills_of(Asked(np.array([point.id]), "day", parts, zone))
    return made


# ── However samples came ─────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(sent(), st.integers(0, 2**32), st.integers(1, 8), st.booleans(), st.booleans())
def test_order_repetition_and_pieces_do_not_matter_to_a_byte(
    stage: Stage, of: Sent, seed: int, piece_count: int, is_asked_between: bool, is_sealed: bool
) -> None:
    random = np.random.default_rng(seed)

    async def whole() -> bytes:
        point = new_point(stage, of)
        await put(stage, point, of.batch)
        return await told(stage, point, of)

    async def shuffled() -> bytes:
        point, count = new_point(stage, of), of.batch.sample_count
        order = np.append(
            random.permutation(count), random.integers(0, max(count, 1), count // 3 if count else 0)
        )
        random.shuffle(order)
        for piece in np.array_split(order, piece_count):
            await put(stage, point, SampleBatch(*(column[piece] for column in of.batch)))
            if is_asked_between:
                await told(stage, point, of)
        if is_sealed:
            await stage.served.seal()
        return await told(stage, point, of)

    assert stage.run(whole()) == stage.run(shuffled())


# ── Parts and wholes ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(sent(ENERGY_KINDS))
def test_days_are_the_whole_and_bands_with_the_undivided_are_the_total(stage: Stage, of: Sent) -> None:
    async def work() -> None:
        point = new_point(stage, of)
        await put(stage, point, of.batch)
        days = await bills(stage, point, of.days)
        (whole,) = await bills(stage, point, [DateRange(of.first, of.last)])
        assert sum((day.total for day in days), Fraction()) == whole.total
        assert whole.bands is not None
        for band in range(BAND_COUNT):
            assert sum((day.bands[band] for day in days if day.bands), Fraction()) == whole.bands[band]
        for bill in (*days, whole):
            assert bill.bands is not None
            assert bill.undivided is not None
            assert sum(bill.bands, bill.undivided) == bill.total
        rows = await stage.served.parts.rollup.rows([point], "day", of.first, of.last)
        for row, day in zip(rows, days, strict=True):
            if row.energy is not None:
                assert row.energy == fixed_point.to_float(day.total)
            else:
                assert day.total == 0
        for period in ("month", "year"):
            found = await stage.served.parts.rollup.rows([point], period, of.first, of.last)
            every = calendar.periods_of(DateRange(of.first, of.last), period)
            span = calendar.periods_of(DateRange(every[0].first, every[-1].last), "day")
            total = sum((bill.total for bill in await bills(stage, point, span)), Fraction())
            energies = [Fraction(row.energy) for row in found if row.energy is not None]
            assert float(sum(energies, Fraction())) == pytest.approx(float(total), rel=1e-12, abs=1e-9)

    stage.run(work())


@settings(max_examples=40)
@given(sent(), st.sampled_from([5, 15, 60]))
def test_slots_are_the_day(stage: Stage, of: Sent, minutes: int) -> None:
    async def work() -> None:
        point = new_point(stage, of, has_terms=of.kind is PointKind.REGISTER)
        await put(stage, point, of.batch)
        for day, bill in zip(of.days, await bills(stage, point, of.days), strict=True):
            if len(calendar.slot_edges_us(day.first, of.zone, minutes * MINUTE_US)) < 2:
                assert bill.total == 0  # Apia had no 30th of December 2011
                continue
            curves = await stage.served.parts.rollup.load_curve([point], day.first, minutes * MINUTE_US)
            curve = curves.curves[0]
            assert curve.total == bill.total
            hours = curve.covered_us / HOUR_US
            parts = [float(part) for part in (curve.value * hours)[curve.covered_us > 0]]
            if not bill.events and of.kind is not PointKind.REGISTER:
                # An amount across an edge of the day is rounded to a part of its last digit in slots, not in totals.
                assert math.fsum(parts) == pytest.approx(
                    float(bill.total), rel=1e-11, abs=2 * FACTOR / slot_sum.FINE_GRID
                )

    stage.run(work())


@settings(max_examples=40)
@given(sent((PointKind.MEAN_POWER, PointKind.INTERVAL), is_whole=True))
@example(
    Sent("Pacific/Apia", datetime.date(2011, 12, 29), PointKind.INTERVAL, HOUR_US, make_batch(0, [], []))
)
def test_days_of_every_zone_add_up_to_all_samples(stage: Stage, of: Sent) -> None:
    per_sample = Fraction(of.interval_us, HOUR_US) if of.kind is PointKind.MEAN_POWER else Fraction(1)
    everything = (
        sum((fixed_point.exact(value) for value in of.batch.value.tolist()), Fraction()) * per_sample * FACTOR
    )

    async def work() -> None:
        point = new_point(stage, of)
        await put(stage, point, of.batch)
        span = DateRange(of.first - datetime.timedelta(days=2), of.last + datetime.timedelta(days=2))
        days = calendar.periods_of(span, "day")
        for zone_name in sorted({zone for zone, _ in PLACES} | {"UTC"}):
            found = await bills(stage, point, days, zone_name)
            assert sum((bill.total for bill in found), Fraction()) == everything
            (whole,) = await bills(stage, point, [span], zone_name)
            assert whole.total == everything

    stage.run(work())


@settings(max_examples=40)
@given(sent((PointKind.MEAN_POWER, PointKind.INTERVAL), is_whole=True))
def test_a_band_holds_the_samples_that_lie_in_it(stage: Stage, of: Sent) -> None:
    """Sample by sample, in plain Fractions."""
    tariffs = stage.served.parts.tariffs
    per_sample = Fraction(of.interval_us, HOUR_US) if of.kind is PointKind.MEAN_POWER else Fraction(1)
    stretches: list[tuple[int, int, int]] = []
    for day in of.days:
        laid = tariffs.schedule(TARIFF, frozenset(), day.first, of.zone)
        edges = itertools.pairwise(laid.edges_us.tolist())
        stretches += [(*edge, band) for edge, band in zip(edges, laid.band.tolist(), strict=True)]
    expected = [Fraction()] * BAND_COUNT
    for time_us, value in zip(of.batch.time_us.tolist(), of.batch.value.tolist(), strict=True):
        touched = {
            band for start, end, band in stretches if start < time_us + of.interval_us and end > time_us
        }
        is_inside = stretches[0][0] <= time_us and time_us + of.interval_us <= stretches[-1][1]
        spans = [one for one in stretches if one[0] <= time_us and time_us + of.interval_us <= one[1]]
        if spans and is_inside and spans[0][2] != UNDIVIDED:
            assert touched == {spans[0][2]}
            expected[spans[0][2]] += fixed_point.exact(value) * per_sample * FACTOR

    async def work() -> Bill:
        point = new_point(stage, of)
        await put(stage, point, of.batch)
        (bill,) = await bills(stage, point, [DateRange(of.first, of.last)])
        return bill

    bill = stage.run(work())
    assert bill.bands is not None
    assert bill.undivided is not None
    # Neighbouring stretches of one band (across midnight) are one: what lies across them is in it, too.
    assert all(found >= least for found, least in zip(bill.bands, expected, strict=True))
    if of.interval_us <= 30 * MINUTE_US and int(of.batch.time_us[0]) % (30 * MINUTE_US) == 0:
        assert list(bill.bands) == expected
