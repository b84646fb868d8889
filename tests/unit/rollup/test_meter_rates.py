"""A meter's own rates beside its total."""

import numpy as np

from historian.model.point import Point, PointKind
from historian.model.term import NO_TERMS, PointTerms, RatesTerm, RegisterTerm, Span
from historian.model.timestamp import TIME_MAX_US
from historian.rollup import meter_rates
from historian.rollup.meter_rates import BALANCES

POINT = Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER, multiplier=80.0)
TERM = RatesTerm(peak="E.peak", valley="E.valley")
TERMS = PointTerms({
    "rates": (Span(0, TIME_MAX_US, TERM),), "register": (Span(0, TIME_MAX_US, RegisterTerm(resolution=0.01)),),
})  # fmt: skip


def test_the_tolerance_is_the_last_digit_of_every_register_times_the_multiplier() -> None:
    assert meter_rates.tolerance_of(POINT, TERMS, 2, 5) == 3 * 0.01 * 80
    assert meter_rates.tolerance_of(POINT, NO_TERMS, 2, 5) is None
    assert meter_rates.term_of(TERMS) == TERM
    assert meter_rates.term_of(NO_TERMS) is None


def test_rates_are_told_beside_the_total_and_never_made_to_fit() -> None:
    made = meter_rates.empty(4)
    peak, valley = np.array([60.0, 60.0, np.nan]), np.array([40.0, 30.0, 1.0])
    rates = meter_rates.rates_of(TERM, {"E.peak": peak, "E.valley": valley})
    meter_rates.put(made, slice(1, 4), np.array([102.4, 100.0, 5.0]), rates, 2.4)
    assert made.energy[1].tolist()[1:3] == [60.0, 60.0]
    assert np.isnan(made.energy[0]).all()
    assert made.difference.tolist()[2] == 10.0
    assert [BALANCES[code] for code in made.balance] == ["", "balanced", "unbalanced", "unknown"]


def test_without_a_last_digit_nothing_is_judged() -> None:
    made = meter_rates.empty(1)
    meter_rates.put(made, slice(0, 1), np.array([1.0]), [np.array([1.0]), None, None, None, None], None)
    assert BALANCES[made.balance[0]] == "unknown"
