"""What a table of factors gives, and which units it may have."""

import msgspec
import pytest

from historian.model.factor import FactorTable


def table(unit: str) -> FactorTable:
    return FactorTable(
        id="t", version=2, carrier="electricity", basis="location", unit=unit, source="s", confidence="high",
        values={"CN": 0.5, "CN-32": 0.6}, year=2022,
    )  # fmt: skip


def test_a_table_gives_a_factor_for_each_region() -> None:
    national, province = table("kgCO2/kWh").factors()
    assert (national.label, province.label) == ("t/CN@2", "t/CN-32@2")
    assert (province.value, province.region, province.year) == (0.6, "CN-32", 2022)
    assert (province.result_unit, province.energy_unit) == ("kgCO2", "kWh")


@pytest.mark.parametrize(
    ("unit", "problem"),
    [("kg/kWh", "gives no known mass"), ("kgCO2/kwh", "case-sensitive"), ("kgCO2", "unknown")],
)
def test_a_unit_is_a_mass_over_an_energy(unit: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^unit: .*{problem}"):
        table(unit)


def hourly(**more: object) -> FactorTable:
    whole = {"id": "t", "version": 1, "carrier": "c", "basis": "location", "unit": "kgCO2/kWh", "source": "s"}
    return msgspec.convert(whole | {"confidence": "high"} | more, FactorTable)


def test_a_region_may_have_a_value_for_each_hour() -> None:
    hours = [float(hour) for hour in range(24)]
    (factor,) = hourly(hours={"plant": hours}).factors()
    assert (factor.value, factor.hours) == (None, tuple(hours))
    assert (factor.at_hour(7).value, factor.at_hour(7).hours, factor.at_hour(7).label) == (
        7.0,
        (),
        "t/plant@1",
    )
    (plain,) = hourly(values={"plant": 0.5}).factors()
    assert plain.at_hour(7) == plain


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "at least one region"),
        ({"values": {"a": 1.0}, "hours": {"a": [1.0] * 24}}, "a has a value, too"),
        ({"hours": {"a": [1.0] * 23}}, "length >= 24"),
        ({"hours": {"a": [1.0] * 23 + [-1.0]}}, "hours: -1.0 of a is negative"),
        ({"values": {"a": -1.0}}, "values: -1.0 of a is negative"),
    ],
    ids=str,
)
def test_a_table_that_says_nothing_or_too_much_is_refused(more: dict[str, object], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        hourly(**more)
