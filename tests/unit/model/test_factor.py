"""What a table of factors gives, and which units it may have."""

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
