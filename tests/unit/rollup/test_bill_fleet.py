"""Bills of many points by kernels: the same as the plain way makes, or none."""

import datetime
import zoneinfo
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.quality import BAD
from historian.model.sample import SampleRun, block_of
from historian.model.term import DemandTerm, PointTerms, Step
from historian.model.timestamp import TIME_MIN_US
from historian.rollup import bill_fleet
from tests.support.bill_kit import (
    BERLIN,
    POWER,
    ZONE,
    bands_in,
    days,
    made,
    run_of,
    terms_of,
)

values = st.lists(st.integers(-(10**5), 10**5).map(lambda one: one / 100), min_size=0, max_size=220)


@settings(max_examples=60)
@given(
    values, st.sets(st.integers(0, 219), max_size=9), st.sampled_from([ZONE, BERLIN]),
    st.sampled_from([PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS]), st.booleans(),
)  # fmt: skip
def test_kernels_make_the_same_bills_or_none(
    some: list[float], gone: set[int], zone: zoneinfo.ZoneInfo, kind: PointKind, is_bad: bool
) -> None:
    first = datetime.date(2026, 3, 28)  # clocks change in Berlin on the next day
    run = run_of(some, zone, first)
    keep = np.array([place not in gone for place in range(len(some))], np.bool_)
    if is_bad:
        run = run._replace(quality=np.where(keep, 0, BAD).astype(np.uint16))
    else:
        run = SampleRun(1, run.time_us[keep], run.value[keep], run.quality[keep])
    point = Point(
        id=1, name="P", unit="kWh" if kind is PointKind.INTERVAL else "kW", kind=kind, multiplier=1.5
    )
    terms, parts = terms_of("tariff", "demand"), days(2, first)
    ask = bill_fleet.quick_ask(
        point,
        terms,
        int(calendar.day_start_us(first, zone)),
        int(calendar.day_start_us(parts[-1].last, zone)),
    )
    assert ask is not None
    for pieces in (parts, [DateRange(parts[0].first, parts[-1].last)]):
        [quick] = bill_fleet.make_bills(block_of([run]), [ask], [terms], zone, pieces, bands_in(zone))
        plain = made(run, terms, pieces, point, zone)
        if quick is not None:
            assert [one._replace(demand=None) for one in quick] == [
                one._replace(demand=None) for one in plain
            ]
            for one, other in zip(quick, plain, strict=True):
                assert one.demand is not None
                assert other.demand is not None
                assert one.demand[:3] == other.demand[:3]
    assert sum((one.total for one in plain), Fraction()) == sum(
        (one.total for one in made(run, terms, parts, point, zone)), Fraction()
    )


@pytest.mark.parametrize(
    ("point", "terms"),
    [
        (Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER), terms_of("tariff")),
        (POWER, terms_of("tariff", demand=DemandTerm(period_s=1800, slide_s=900))),
        (
            Point(id=1, name="P", unit="kW", kind=PointKind.MEAN_POWER, interval_us=MINUTE_US),
            terms_of("tariff"),
        ),
        (POWER, PointTerms(multiplier=(Step(TIME_MIN_US, 1.0), Step(50, 2.0)))),
    ],
)
def test_kernels_are_not_asked_for_what_they_cannot_do(point: Point, terms: PointTerms) -> None:
    assert bill_fleet.quick_ask(point, terms, 0, 100) is None


def test_a_multiplier_that_holds_for_all_of_the_time_is_quick() -> None:
    terms = PointTerms(multiplier=(Step(TIME_MIN_US, 1.0), Step(50, 2.0)))
    ask = bill_fleet.quick_ask(POWER, terms, 50, 100)
    assert ask is not None
    assert ask.factor == 2.0
