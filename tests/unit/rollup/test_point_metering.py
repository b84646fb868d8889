"""From a point and its terms to the facts its amounts are made by."""

from historian.energy.fleet import Ask
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.model import term
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.term import ExchangeTerm, PointTerms, RegisterTerm, ResetTerm, Span
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import point_metering

ENERGY = Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER, multiplier=80.0)
POWER = Point(id=2, name="P", unit="kW", kind=PointKind.MEAN_POWER, multiplier=2.0)


def test_a_point_of_which_nothing_was_stated_is_plain() -> None:
    assert point_metering.metering_of(POWER, term.NO_TERMS, 0) == Metering.plain(
        POWER.kind, POWER.interval_us, 2.0
    )
    assert point_metering.metering_of(ENERGY, term.NO_TERMS, 0).is_plain


def test_terms_of_a_register_come_with_their_dates() -> None:
    terms = PointTerms(
        spans={"register": (Span(0, 50, RegisterTerm(modulus=1e6)), Span(50, TIME_MAX_US, RegisterTerm(is_signed=True)))},
        events=(Span(20, TIME_MAX_US, ExchangeTerm(old_end=9.0, new_start=1.0)), Span(60, TIME_MAX_US, ResetTerm(new_start=2.0))),
        multiplier=(term.Step(TIME_MIN_US, 80.0), term.Step(20, 120.0)),
        capacity=(term.Step(TIME_MIN_US, 0.0), term.Step(30, 500.0)),
    )  # fmt: skip
    made = point_metering.metering_of(ENERGY, terms, 10)
    assert (made.modulus, made.is_signed) == (1e6, False)
    assert made.factor == (Step(TIME_MIN_US, 80.0), Step(20, 120.0))
    assert made.capacity == (Step(30, 500.0),)
    assert made.events == (RegisterEvent(20, "exchange", 9.0, 1.0), RegisterEvent(60, "reset", None, 2.0))
    assert point_metering.metering_of(ENERGY, terms, 55).is_signed


def test_narrowed_to_a_span_only_what_happens_there_is_left() -> None:
    steps = (Step(TIME_MIN_US, 1.0), Step(100, 2.0), Step(200, 3.0))
    events = (RegisterEvent(50, "reset", None, 0.0), RegisterEvent(150, "reset", None, 0.0))
    made = Metering(PointKind.REGISTER, MINUTE_US, steps, events=events)
    narrow = point_metering.narrowed(made, 100, 200)
    assert narrow.factor == (Step(TIME_MIN_US, 2.0),)
    assert narrow.events == events[1:]
    assert point_metering.narrowed(made, 90, 110).factor == (Step(TIME_MIN_US, 1.0), Step(100, 2.0))


def test_an_ask_that_is_plain_in_the_span_goes_the_quick_way() -> None:
    steps = (Step(TIME_MIN_US, 1.0), Step(100, 2.0))
    ask = Ask(POWER.kind, POWER.interval_us, 1.0, Metering(POWER.kind, POWER.interval_us, steps))
    assert point_metering.narrowed_ask(ask, 100, 200) == Ask(POWER.kind, POWER.interval_us, 2.0)
    assert not point_metering.narrowed_ask(ask, 90, 200).is_plain
    plain = Ask(POWER.kind, POWER.interval_us, 5.0)
    assert point_metering.narrowed_ask(plain, 0, 1) is plain
