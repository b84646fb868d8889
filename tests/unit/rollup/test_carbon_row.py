"""Which factors a point's statement asks for."""

import pytest

from historian import resources
from historian.catalogue.factor_files import load_factors
from historian.errors import FactorError
from historian.model.term import CarbonTerm
from historian.rollup import carbon_row
from historian.rollup.carbon_row import CarbonAsk

FACTORS = load_factors([resources.config_dir() / "standard" / "factors.toml"])


def ids(stated: CarbonTerm, medium: str = "", **ask: object) -> tuple[str | None, str | None]:
    picked = carbon_row.pick(FACTORS, stated, medium, 2022, CarbonAsk(**ask), "p")  # type: ignore[arg-type]
    return (
        picked.co2.factor.id if picked.co2 else None,
        picked.coal.factor.id if picked.coal else None,
    )


@pytest.mark.parametrize(
    ("stated", "medium", "expected"),
    [
        (CarbonTerm("CN-32"), "", ("cn-province-location-2022/CN-32", "ce-electricity-equivalent/CN")),
        (CarbonTerm("CN"), "electricity", ("cn-grid-location-2022/CN", "ce-electricity-equivalent/CN")),
        (CarbonTerm("CN"), "heat", ("cn-heat-supply/CN", "ce-heat-equivalent/CN")),
        (CarbonTerm("CN"), "gas at 20C,101.325kPa", ("cn-natural-gas-combustion/CN", None)),
        (
            CarbonTerm("CN", coal_technology="oil_field"),
            "gas at no stated condition",
            ("cn-natural-gas-combustion/CN", "ce-natural-gas-oil-field-equivalent/CN"),
        ),
        (CarbonTerm("CN", technology="fossil"), "", ("cn-fossil-2022/CN", "ce-electricity-equivalent/CN")),
    ],
    ids=str,
)
def test_the_medium_decides_the_carrier(
    stated: CarbonTerm, medium: str, expected: tuple[str | None, str | None]
) -> None:
    assert ids(stated, medium) == expected


def test_a_basis_is_that_of_what_was_asked() -> None:
    assert ids(CarbonTerm("CN"), basis="market")[0] == "cn-market-2022/CN"
    assert ids(CarbonTerm("CN"), basis="none") == (None, "ce-electricity-equivalent/CN")
    assert ids(CarbonTerm("CN"), coal="equal_value")[1] == "ce-electricity-equal-value/CN"
    assert ids(CarbonTerm("CN"), "water", basis="none") == (None, "ce-fresh-water-medium/CN")
    assert ids(CarbonTerm("CN"), "heat", coal="equal_value")[1] is None
    assert ids(CarbonTerm("CN-32"), region="CN")[0] == "cn-grid-location-2022/CN"


@pytest.mark.parametrize(
    ("stated", "medium", "ask", "problem"),
    [
        (CarbonTerm("CN"), "steam", {}, "p: steam has no usual carrier"),
        (CarbonTerm("CN-54"), "", {}, "p: no location factor of electricity for CN-54"),
        (CarbonTerm("CN"), "heat", {"basis": "footprint"}, "p: no factor for heat footprint"),
        (CarbonTerm("CN"), "water", {}, "p: no factor for fresh_water location"),
        (CarbonTerm("CN"), "", {"basis": "footprint"}, "in 2022; there are: 2023"),
    ],
    ids=str,
)
def test_what_there_is_none_of_is_refused(
    stated: CarbonTerm, medium: str, ask: dict[str, object], problem: str
) -> None:
    with pytest.raises(FactorError, match=problem):
        ids(stated, medium, **ask)
