"""Months are exact sums of days, with extremes and evidence."""

import datetime
from fractions import Fraction

import pytest

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.energy.coverage import Coverage
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone
from historian.rollup import aggregate
from historian.rollup.day_figure import DayFigure
from historian.rollup.row import RollupRow

ZONE = load_zone("Asia/Shanghai")
FIRST = datetime.date(2026, 2, 1)
MONTH = calendar.period_of(FIRST, "month")
END_US = calendar.day_start_us(MONTH.last, ZONE)


def make_point(unit: str = "kWh", kind: PointKind = PointKind.INTERVAL) -> Point:
    return Point(id=1, name="p", unit=unit, kind=kind)


def make_figure(number: int, energy: Fraction, highest: float | None = 1.0, **changes: object) -> DayFigure:
    day = FIRST.toordinal() + number
    start_us = calendar.day_start_us(FIRST, ZONE) + number * DAY_US
    has_extremes = highest is not None
    figure = DayFigure(
        point_id=1,
        day=day,
        start_us=start_us,
        end_us=start_us + DAY_US,
        total_numerator=energy.numerator,
        total_denominator=energy.denominator,
        known_us=DAY_US,
        ranked_numerator=None,
        ranked_denominator=None,
        ranked_us=None,
        max_value=highest,
        max_start_us=start_us if has_extremes else None,
        max_end_us=start_us + HOUR_US if has_extremes else None,
        min_value=-highest if highest is not None else None,
        min_start_us=start_us + HOUR_US if has_extremes else None,
        min_end_us=start_us + 2 * HOUR_US if has_extremes else None,
        expected_count=96,
        received_count=96,
        good_count=95,
        measured_count=94,
        estimated_count=1,
        manual_count=1,
        is_complete=True,
        input_digest=0,
        time_zone="Asia/Shanghai",
        unit="kWh",
        kind="interval",
        interval_us=15 * MINUTE_US,
        multiplier=1.0,
        revision=2,
        computed_at_us=1000 + number,
    )
    return figure._replace(**changes)  # type: ignore[arg-type]


def month_of(*figures: DayFigure, point: Point | None = None, now_us: int = END_US) -> RollupRow:
    by_day = {figure.day: figure for figure in figures}
    return aggregate.row_of(point or make_point(), "month", MONTH, ZONE, by_day, now_us)


def test_days_add_up_without_rounding_between() -> None:
    row = month_of(*(make_figure(number, Fraction(1, 30)) for number in range(28)))
    assert row.energy == 28 / 30
    assert row.mean == 28 / 30 / (28 * 24)
    assert row.load_factor == row.mean


def test_the_first_of_equal_extremes_is_told_with_its_time() -> None:
    figures = [
        make_figure(number, Fraction(1), highest) for number, highest in enumerate((1.0, 5.0, 5.0, 2.0))
    ]
    row = month_of(*reversed(figures))
    assert (row.max_demand, row.max_start_us, row.max_end_us) == (
        5.0, figures[1].max_start_us, figures[1].max_end_us,
    )  # fmt: skip
    assert (row.min, row.min_start_us, row.min_end_us) == (
        -5.0,
        figures[1].min_start_us,
        figures[1].min_end_us,
    )


def test_days_without_extremes_do_not_hide_those_with() -> None:
    row = month_of(make_figure(0, Fraction(1), None), make_figure(1, Fraction(1), 3.0))
    assert row.max_demand == 3.0


def test_evidence_adds_up_and_expectation_is_that_of_the_month() -> None:
    row = month_of(make_figure(0, Fraction(1)), make_figure(5, Fraction(1)))
    assert row.coverage == Coverage(28 * 96, 192, 190, 188, 2, 2)
    assert (row.revision, row.computed_at_us) == (4, 1005)


def test_a_month_of_which_nothing_is_known() -> None:
    row = month_of()
    assert (row.energy, row.mean, row.max_demand, row.revision, row.computed_at_us) == (
        None,
        None,
        None,
        0,
        END_US,
    )
    assert (row.unit, row.max_demand_unit, row.state) == ("kWh", "kW", "provisional")


@pytest.mark.parametrize(
    ("day_count", "is_complete", "now_us", "state"),
    [
        pytest.param(28, True, END_US, "complete", id="every day complete"),
        pytest.param(28, True, END_US - 1, "open", id="the month runs"),
        pytest.param(28, False, END_US, "provisional", id="a day is not complete"),
        pytest.param(27, True, END_US, "provisional", id="a day is absent"),
    ],
)
def test_state(day_count: int, is_complete: bool, now_us: int, state: str) -> None:
    figures = [make_figure(number, Fraction(1), is_complete=is_complete) for number in range(day_count)]
    assert month_of(*figures, now_us=now_us).state == state


def test_a_skipped_date_does_not_keep_a_month_from_being_complete() -> None:
    apia = load_zone("Pacific/Apia")
    days = DateRange(datetime.date(2011, 12, 29), datetime.date(2012, 1, 1))
    figures = {
        number: make_figure(number - FIRST.toordinal(), Fraction(1))
        for number in (days.first.toordinal(), days.first.toordinal() + 2)
    }
    row = aggregate.row_of(make_point(), "month", days, apia, figures, END_US)
    assert row.state == "complete"


def test_volts_have_no_energy_and_no_load_factor() -> None:
    row = month_of(make_figure(0, Fraction(24 * 230)), point=make_point("V", PointKind.INSTANTANEOUS))
    assert (row.energy, row.unit, row.load_factor, row.mean) == (None, None, None, 230.0)


def test_a_load_factor_is_over_the_slots_that_may_be_the_maximum() -> None:
    bridged = make_figure(0, Fraction(240), 4.0)
    own = bridged._replace(ranked_numerator=20, ranked_denominator=1, ranked_us=10 * HOUR_US)
    row = month_of(own, make_figure(1, Fraction(24 * 4), 4.0))
    assert (row.energy, row.mean) == (336.0, 7.0)
    assert row.load_factor == (20 + 96) / 34 / 4


def test_a_maximum_rounded_down_makes_no_load_factor_above_one() -> None:
    assert month_of(make_figure(0, Fraction(24, 9), 0.111111111)).load_factor == 1.0


def test_a_sum_beyond_all_floats_is_not_told() -> None:
    assert month_of(make_figure(0, Fraction(10**400))).energy is None
