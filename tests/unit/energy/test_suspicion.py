"""Magnitudes that look wrong are told with numbers, a factor and what to do; values are never touched."""

import numpy as np
import pytest

from historian.energy import suspicion
from historian.energy.suspicion import ADVICE, Looked, Suspicion

DAY = 50.0 + 20.0 * np.sin(np.arange(96) / 15)
NOTHING = np.empty(0)


def kinds(found: list[Suspicion]) -> list[tuple[str, float | None]]:
    return [(one.kind, None if one.factor is None else round(one.factor, 6)) for one in found]


@pytest.mark.parametrize(
    ("times", "factors", "expected"),
    [
        pytest.param(1.0, (), [], id="as ever"),
        pytest.param(1.5, (), [], id="a busy day"),
        pytest.param(1000.0, (), [("unit_scale", 0.001)], id="W for kW"),
        pytest.param(0.001, (), [("unit_scale", 1000.0)], id="kW for W"),
        pytest.param(40.0, (40.0,), [("multiplier_applied_twice", 0.025)], id="CT twice"),
        pytest.param(1 / 40, (40.0,), [("multiplier_never_applied", 40.0)], id="CT never"),
    ],
)
def test_against_its_own_past(
    times: float, factors: tuple[float, ...], expected: list[tuple[str, float]]
) -> None:
    values = DAY * times
    kept = values.copy()
    assert kinds(suspicion.of_point(Looked("P", "kW", values, DAY, None, factors))) == expected
    np.testing.assert_array_equal(values, kept)


def test_against_its_limit() -> None:
    assert suspicion.of_point(Looked("P", "kW", DAY, NOTHING, 100.0)) == []
    [over] = suspicion.of_point(Looked("P", "kW", DAY, NOTHING, 60.0))
    assert (over.kind, over.factor) == ("over_capacity", None)
    assert over.numbers["ratio_max"] == pytest.approx(DAY.max() / 60)
    assert kinds(suspicion.of_point(Looked("P", "kW", DAY * 1000, NOTHING, 100.0))) == [("unit_scale", 0.001)]


def test_few_values_tell_nothing() -> None:
    values = np.full(96, np.nan)
    values[:7] = 5e6
    assert suspicion.of_point(Looked("P", "kW", values, DAY, 100.0)) == []


@pytest.mark.parametrize(
    ("times", "expected"),
    [(1.02, []), (1000.0, [("unit_scale", 0.001)]), (277.8, [("electric_for_thermal", 0.0036)])],
)
def test_against_what_measures_the_same(times: float, expected: list[tuple[str, float]]) -> None:
    point, other = Looked("E", "kWh", DAY * times, NOTHING), Looked("∫P", "kWh", DAY, NOTHING)
    found = suspicion.of_pair(point, other)
    assert [(kind, factor and round(factor, 4)) for kind, factor in kinds(found)] == expected
    assert all(one.against == "∫P" for one in found)


def test_steps_of_65536_are_a_word_order() -> None:
    counter = np.arange(20.0) * 65_536
    assert kinds(suspicion.of_counter(Looked("E", "kWh", counter, NOTHING), 1.0)) == [("swapped_words", None)]
    assert suspicion.of_counter(Looked("E", "kWh", np.arange(20.0) * 7, NOTHING), 1.0) == []


@pytest.mark.parametrize(
    ("symbol", "expected", "kind"),
    [
        ("t", "m3", "mass_for_volume"),
        ("m3", "tCO2", "volume_for_carbon"),
        ("kWh", "m3", None),
        ("m3", "m3", None),
    ],
)
def test_units_that_are_easily_mistaken(symbol: str, expected: str, kind: str | None) -> None:
    found = suspicion.of_unit(symbol, expected)
    assert (found.kind if found else None) == kind
    assert found is None or all(found.advice)


def test_each_kind_says_what_to_do_in_both_languages() -> None:
    assert all(english.isascii() and not chinese.isascii() for english, chinese in ADVICE.values())
