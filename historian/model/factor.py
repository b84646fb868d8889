"""Factors that turn energy into carbon dioxide or coal equivalent, as data with their origin."""

from typing import Annotated, Final, Literal

import msgspec

from historian.errors import UnitError
from historian.model.tariff import Identifier, Version
from historian.model.unit import get_unit

Basis = Literal[
    "location",  # average of the grid where it was used
    "market",  # average of the grid without what was sold as green
    "ets",  # as the emissions trading scheme of its year asks
    "footprint",  # life cycle, for products; never for an organisation's scope 2
    "combustion",  # burnt by the user
    "supply",  # heat bought
    "equivalent",  # coal of equal heat (当量)
    "equal_value",  # coal that was used to make it (等价)
    "medium",  # coal for an energy-carrying medium (耗能工质) such as water
]

MASSES_KG: Final = {
    "kgCO2": ("CO2", 1),
    "tCO2": ("CO2", 1000),
    "kgCO2e": ("CO2e", 1),
    "tCO2e": ("CO2e", 1000),
    "kgce": ("ce", 1),
    "tce": ("ce", 1000),
}
"""What a factor may give: the substance, and how many kilograms one is."""


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One factor: so much of `result_unit` for each `energy_unit`. `year` None holds for every year."""

    id: str
    version: int
    carrier: str
    technology: str
    basis: Basis
    region: str
    year: int | None
    unit: str
    value: float
    source: str
    confidence: str

    @property
    def label(self) -> str:
        """What results call it: ``cn-grid-location-2022/CN-32@1``."""
        return f"{self.id}@{self.version}"

    @property
    def result_unit(self) -> str:
        """A unit of MASSES_KG."""
        return self.unit.partition("/")[0]

    @property
    def energy_unit(self) -> str:
        """The unit that amounts are brought to."""
        return self.unit.partition("/")[2]


class FactorTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Factors of one publication that differ by region alone: `values` by the region's code."""

    id: Identifier
    version: Version
    carrier: Identifier
    basis: Basis
    unit: str
    source: str
    confidence: str
    values: Annotated[dict[str, float], msgspec.Meta(min_length=1)]
    technology: str = ""
    year: Annotated[int, msgspec.Meta(ge=1900, le=9999)] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for region, value in self.values.items():
            if value < 0:
                raise ValueError(f"values: {value} of {region} is negative; allowed: at least 0")
        mass, _, energy = self.unit.partition("/")
        if mass not in MASSES_KG:
            raise ValueError(
                f"unit: {self.unit!r} gives no known mass; allowed: {', '.join(MASSES_KG)}, a /, and a unit"
            )
        try:
            get_unit(energy)
        except UnitError as error:
            raise ValueError(f"unit: {error}") from None

    def factors(self) -> list[Factor]:
        """One for each region."""
        return [
            Factor(
                id=f"{self.id}/{region}",
                version=self.version,
                carrier=self.carrier,
                technology=self.technology,
                basis=self.basis,
                region=region,
                year=self.year,
                unit=self.unit,
                value=value,
                source=self.source,
                confidence=self.confidence,
            )
            for region, value in self.values.items()
        ]


class FactorFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of factors holds."""

    tables: Annotated[tuple[FactorTable, ...], msgspec.Meta(min_length=1)]
