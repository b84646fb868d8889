"""Energy to carbon: published vectors, no guessing, no mixing."""

from fractions import Fraction

import msgspec
import pytest

from historian import resources
from historian.catalogue import factor_files
from historian.energy import carbon
from historian.energy.carbon import Chosen, FactorAsk
from historian.errors import FactorError, UnitError
from historian.model.factor import Basis, Factor, FactorTable

FACTORS = factor_files.load_factors([resources.config_dir() / "standard" / "factors.toml"])


def ask(
    carrier: str = "electricity",
    basis: Basis = "location",
    region: str = "CN",
    year: int = 2022,
    technology: str = "",
    version: int | None = None,
) -> FactorAsk:
    return FactorAsk(carrier, basis, region, year, technology, version)


def hourly(value: float, version: int = 1) -> Factor:
    return FactorTable(
        id="hourly", version=version, carrier="electricity", basis="location", unit="kgCO2/kWh", source="s",
        confidence="high", values={"CN": value}, year=2022,
    ).factors()[0]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "amount", "unit", "expected_kg"),
    [
        pytest.param(ask(), 1000, "kWh", "536.6", id="national 2022"),
        pytest.param(ask(region="CN-32", year=2021), 1, "MWh", "645.1", id="Jiangsu 2021"),
        pytest.param(ask(region="CN-32"), 1, "MWh", "597.8", id="Jiangsu 2022"),
        pytest.param(ask(region="CN-12"), 1, "MWh", "704.1", id="Tianjin 2022"),
        pytest.param(ask(region="CN-grid-southwest", year=2023), 1, "MWh", "247.2", id="a grid"),
        pytest.param(ask(basis="market", year=2023), 1000, "kWh", "609.6", id="market"),
        pytest.param(ask(technology="fossil", year=2023), 1000, "kWh", "827.3", id="fossil"),
        pytest.param(ask(basis="footprint", year=2023, technology="pv"), 1000, "kWh", "54.5", id="footprint"),
        pytest.param(ask("natural_gas", "combustion"), 1000, "m3", "2162.2", id="gas"),
        pytest.param(ask("heat", "supply"), 1000, "kWh", "396", id="heat in kWh"),
        pytest.param(ask(basis="equivalent"), 10000, "kWh", "1229", id="coal equivalent, not 1228.4"),
        pytest.param(ask(basis="equal_value"), 10000, "kWh", "4040", id="4.04 tce, not 40.4"),
        pytest.param(ask("heat", "equivalent"), 1, "GJ", "34.12", id="heat"),
        pytest.param(ask("fresh_water", "medium"), 1, "t", "0.2571", id="water"),
    ],
)
def test_published_factors(asked: FactorAsk, amount: int, unit: str, expected_kg: str) -> None:
    found = carbon.convert(Fraction(amount), unit, carbon.choose(FACTORS, asked))
    assert found.amount_kg == Fraction(expected_kg)
    assert not found.is_provisional


def test_a_result_names_its_factor() -> None:
    found = carbon.convert(Fraction(1), "kWh", carbon.choose(FACTORS, ask(region="CN-32")))
    assert found.factors == ("cn-province-location-2022/CN-32@1",)
    assert (found.substance, found.term, found.bases) == ("CO2", "consumption", {"location"})


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        pytest.param(ask("steam"), "no factor for steam location; there are: .*heat supply", id="carrier"),
        pytest.param(ask(technology="wind"), r"no factor for electricity \(wind\) location", id="technology"),
        pytest.param(
            ask(region="CN-54"), "for CN-54; there are: CN, CN-11, CN-12", id="no province stands in"
        ),
        pytest.param(ask(year=2024), "for CN in 2024; there are: 2021, 2022, 2023", id="not published yet"),
        pytest.param(
            ask(region="CN-32", year=2023), "CN-32 in 2023; there are: 2021, 2022", id="not for provinces"
        ),
        pytest.param(ask(version=7), "no version 7 of cn-grid-location-2022/CN; there are: 1", id="version"),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(asked: FactorAsk, problem: str) -> None:
    with pytest.raises(FactorError, match=problem):
        carbon.choose(FACTORS, asked)


def test_the_newest_year_stands_in_only_where_it_may() -> None:
    found = carbon.choose(FACTORS, ask(year=2025), may_be_provisional=True)
    assert (found.factor.year, found.is_provisional) == (2023, True)
    assert carbon.convert(Fraction(1), "kWh", found).is_provisional
    assert not carbon.choose(FACTORS, ask(year=2021), may_be_provisional=True).is_provisional
    assert not carbon.choose(
        FACTORS, ask("heat", "supply", year=2025), may_be_provisional=True
    ).is_provisional
    with pytest.raises(FactorError, match="in 2019; there are: 2021"):
        carbon.choose(FACTORS, ask(year=2019), may_be_provisional=True)


def test_the_newest_publication_counts_unless_another_is_asked_for() -> None:
    both = [hourly(0.5, version=2), hourly(0.4, version=1)]
    assert carbon.choose(both, ask()).factor.value == 0.5
    assert carbon.choose(both, ask(version=1)).factor.value == 0.4


def test_factors_that_vary_multiply_interval_by_interval() -> None:
    amounts = [Fraction(number) for number in (10, 20, 30, 40)]
    values = [1.0, 0.8, 0.2, 0.2]
    found = carbon.convert_intervals(amounts, "kWh", [Chosen(hourly(value)) for value in values])
    mean = carbon.convert(sum(amounts, Fraction()), "kWh", Chosen(hourly(sum(values) / 4)))
    assert (found.amount_kg, mean.amount_kg) == (40, 55)


def test_what_flows_out_is_never_negative_consumption() -> None:
    chosen = carbon.choose(FACTORS, ask())
    with pytest.raises(FactorError, match="-1 kWh of consumption is negative"):
        carbon.convert(Fraction(-1), "kWh", chosen)
    parts = [carbon.convert(Fraction(1), "kWh", chosen, term) for term in ("consumption", "export")]
    with pytest.raises(FactorError, match="consumption and export are not added: different terms"):
        carbon.add(parts)


@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        (ask(), ask(basis="footprint", year=2023), "CO2 and CO2e are not added: different substances"),
        (ask(), ask(basis="market"), "location and market are not added: different bases"),
        (ask(basis="equivalent"), ask(basis="equal_value"), "equal_value and equivalent are not added"),
        (ask(), ask(basis="equivalent"), "CO2 and ce are not added"),
    ],
)
def test_what_does_not_mean_the_same_is_not_added(one: FactorAsk, other: FactorAsk, problem: str) -> None:
    parts = [carbon.convert(Fraction(1), "kWh", carbon.choose(FACTORS, asked)) for asked in (one, other)]
    with pytest.raises(FactorError, match=problem):
        carbon.add(parts)


def test_electricity_gas_and_heat_add_up() -> None:
    asked = [(ask(year=2023), "kWh"), (ask("natural_gas", "combustion"), "m3"), (ask("heat", "supply"), "GJ")]
    parts = [carbon.convert(Fraction(1), unit, carbon.choose(FACTORS, one)) for one, unit in asked]
    found = carbon.add([*parts, parts[0]._replace(is_provisional=True)])
    assert found.amount_kg == Fraction("0.5306") * 2 + Fraction("2.1622") + 110
    assert found.bases == {"location", "combustion", "supply"}
    assert found.factors == (
        "cn-grid-location-2023/CN@1",
        "cn-heat-supply/CN@1",
        "cn-natural-gas-combustion/CN@1",
    )
    assert found.is_provisional


def test_a_unit_of_another_dimension_is_refused() -> None:
    with pytest.raises(UnitError, match="does not convert"):
        carbon.convert(Fraction(1), "m3", carbon.choose(FACTORS, ask()))


def test_a_cubic_metre_of_water_is_a_tonne_by_convention() -> None:
    chosen = carbon.choose(FACTORS, ask("fresh_water", "medium"))
    for amount, unit in (
        (Fraction(10), "m3"),
        (Fraction(10_000), "L"),
        (Fraction(10), "t"),
        (Fraction(10_000), "kg"),
    ):
        assert carbon.convert(amount, unit, chosen).amount_kg == Fraction("2.571"), unit
    with pytest.raises(UnitError):
        carbon.convert(Fraction(1), "m3", carbon.choose(FACTORS, ask("diesel", "equivalent")))


def test_a_factor_by_the_hour_never_multiplies_a_sum() -> None:
    by_hour = msgspec.structs.replace(hourly(1.0), value=None, hours=(0.5,) * 24)
    with pytest.raises(FactorError, match="varies by the hour"):
        carbon.convert(Fraction(1), "kWh", Chosen(by_hour))
