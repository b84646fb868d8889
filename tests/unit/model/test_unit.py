"""Units convert exactly within one dimension and never across."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from historian.errors import UnitError
from historian.model.unit import (
    ALIASES,
    UNITS,
    conversion_factor,
    convert,
    get_unit,
    integral_unit,
    rate_unit,
)


@pytest.mark.parametrize(
    ("value", "from_symbol", "to_symbol", "expected"),
    [
        (1760.0, "kWh", "MWh", 1.76),
        (0.1, "MW", "kW", 100.0),
        (3.6, "GJ", "kWh", 1000.0),
        (1.0, "GJ", "kWh", 1000 / 3.6),
        (10.5, "kV", "V", 10500.0),
        (80.0, "%", "1", 0.8),
        (250.0, "L", "m3", 0.25),
        (7.25, "tCO2", "kgCO2", 7250.0),
        (90.0, "min", "h", 1.5),
        (42.0, "kvar", "kvar", 42.0),
    ],
)
def test_a_value_converts_without_drift(
    value: float, from_symbol: str, to_symbol: str, expected: float
) -> None:
    assert convert(value, from_symbol, to_symbol) == expected


def test_a_column_converts_into_a_new_column() -> None:
    kilowatts = np.array([1.5, np.nan, -2.0])
    megawatts = convert(kilowatts, "kW", "MW")
    np.testing.assert_array_equal(megawatts, [0.0015, np.nan, -0.002])
    assert kilowatts[0] == 1.5


@pytest.mark.parametrize(
    ("from_symbol", "to_symbol"),
    [
        pytest.param("kW", "kvar", id="active power is not reactive power"),
        pytest.param("kW", "kVA", id="nor apparent power"),
        pytest.param("kWh", "kvarh", id="nor are their energies"),
        pytest.param("m3", "t", id="a cubic metre has no fixed mass"),
        pytest.param("m3", "tCO2", id="table 1 row 6 gives CO2 in cubic metres"),
        pytest.param("t", "tCO2", id="a tonne of water is no tonne of CO2"),
        pytest.param("kW", "kWh", id="power is not energy"),
    ],
)
def test_dimensions_never_mix(from_symbol: str, to_symbol: str) -> None:
    with pytest.raises(UnitError, match=f"{from_symbol} .*does not convert to {to_symbol}.*converts to: "):
        convert(1.0, from_symbol, to_symbol)


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [
        pytest.param("Var", "say which is meant: var, kvar, VA or kVA", id="the draft's own ambiguity"),
        pytest.param("kwh", "case-sensitive, did you mean kWh", id="wrong case"),
        pytest.param("bogus", "allowed: W kW", id="not a unit"),
        pytest.param("", "allowed:", id="no unit"),
    ],
)
def test_an_unknown_unit_is_refused_with_a_hint(symbol: str, hint: str) -> None:
    with pytest.raises(UnitError, match=hint):
        get_unit(symbol)


@pytest.mark.parametrize(
    ("rate", "integral"),
    [
        ("W", "Wh"),
        ("kW", "kWh"),
        ("MW", "MWh"),
        ("kvar", "kvarh"),
        ("m3/h", "m3"),
        ("GJ/h", "GJ"),
        ("A", "Ah"),
    ],
)
def test_a_rate_over_hours_gives_its_integral_and_back(rate: str, integral: str) -> None:
    assert integral_unit(rate) == integral
    assert rate_unit(integral) == rate


@pytest.mark.parametrize("symbol", ["V", "%", "degC", "kWh"])
def test_what_has_no_sum_over_time_says_so(symbol: str) -> None:
    with pytest.raises(UnitError, match=f"{symbol} has no sum over time"):
        integral_unit(symbol)


def test_what_has_no_hourly_rate_says_so() -> None:
    with pytest.raises(UnitError, match="kW has no hourly rate"):
        rate_unit("kW")


def test_a_rate_and_its_integral_have_the_same_size() -> None:
    """So that ∫ and unit conversion commute: MW over an hour is MWh, whatever the base units."""
    for rate in UNITS:
        try:
            integral = integral_unit(rate)
        except UnitError:
            continue
        assert get_unit(rate)[2:4] == get_unit(integral)[2:4], rate


def test_aliases_lead_to_units_and_shadow_none() -> None:
    assert all(target in UNITS for target in ALIASES.values())
    assert not ALIASES.keys() & UNITS.keys()
    assert get_unit("m³").symbol == "m3"


def test_every_dimension_has_its_base_unit() -> None:
    for unit in UNITS.values():
        sizes = [
            Fraction(u.numerator, u.denominator) for u in UNITS.values() if u.dimension == unit.dimension
        ]
        assert len(sizes) == len(set(sizes)), f"two units of {unit.dimension} have one size"
    assert conversion_factor("MWh", "kWh") == 1000


def test_every_unit_of_the_catalogue_is_known(shared: Path) -> None:
    catalogue = tomllib.loads((shared / "standard" / "catalogue.toml").read_text(encoding="utf-8"))
    rows = [*catalogue["item"], *catalogue["annex_a"], *catalogue["extension"]]
    assert [row["unit"] for row in rows if row["unit"] and row["unit"] not in UNITS] == []


def test_decimals_stay_decimals_to_the_last_digit() -> None:
    assert convert(126238.29, "kWh", "MWh") == 126.23829
    column = np.array([126238.29, np.nan, 0.1, np.inf])
    converted = convert(column, "kWh", "MWh")
    assert converted[[0, 2]].tolist() == [126.23829, 0.0001]
    assert np.isnan(converted[1])
    assert converted[3] == np.inf


def test_what_is_no_decimal_or_too_large_converts_as_floats_do() -> None:
    assert convert(1 / 3, "kW", "MW") == 1 / 3 / 1000
    assert convert(9e15, "MW", "kW") == 9e18
    assert convert(np.empty(0), "kW", "MW").tolist() == []
