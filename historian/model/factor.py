"""Factors that turn energy into carbon dioxide or coal equivalent, as data with their origin."""

import math
from collections.abc import Mapping, Sequence
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


HOURS: Final = 24

Hours = Annotated[tuple[float, ...], msgspec.Meta(min_length=HOURS, max_length=HOURS)]
"""A value for each hour of the local clock, from 00:00 on."""


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One factor: so much of `result_unit` for each `energy_unit`. `year` None holds for every year.

    A factor has a `value`, or one for each of the 24 `hours` of the local clock and then no `value`.
    """

    id: str
    version: int
    carrier: str
    technology: str
    basis: Basis
    region: str
    year: int | None
    unit: str
    value: float | None
    source: str
    confidence: str
    hours: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        """What results call it: ``cn-grid-location-2022/CN-32@1``."""
        return f"{self.id}@{self.version}"

    def at_hour(self, hour: int) -> "Factor":
        """The factor as it is in an hour of the local clock; itself where it is always the same."""
        if not self.hours:
            return self
        return msgspec.structs.replace(self, value=self.hours[hour], hours=())

    @property
    def result_unit(self) -> str:
        """A unit of MASSES_KG."""
        return self.unit.partition("/")[0]

    @property
    def energy_unit(self) -> str:
        """The unit that amounts are brought to."""
        return self.unit.partition("/")[2]


class FactorTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Factors of one publication that differ by region alone: `values` by the region's code.

    `hours` instead gives a region a value for each hour of the local clock.
    """

    id: Identifier
    version: Version
    carrier: Identifier
    basis: Basis
    unit: str
    source: str
    confidence: str
    values: dict[str, float] = {}
    hours: dict[str, Hours] = {}
    technology: str = ""
    year: Annotated[int, msgspec.Meta(ge=1900, le=9999)] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.values and not self.hours:
            raise ValueError("values: is empty; allowed: at least one region, here or in hours")
        if both := sorted(self.values.keys() & self.hours.keys()):
            raise ValueError(f"hours: {both[0]} has a value, too; allowed: one of the two")
        _must_be_allowed("values", {region: (value,) for region, value in self.values.items()})
        _must_be_allowed("hours", self.hours)
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
        each = [(region, value, ()) for region, value in self.values.items()]
        return [
            self._factor(region, value, hours)
            for region, value, hours in (*each, *((region, None, one) for region, one in self.hours.items()))
        ]

    def _factor(self, region: str, value: float | None, hours: tuple[float, ...]) -> Factor:
        return Factor(
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
            hours=hours,
        )


class FactorFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of factors holds."""

    tables: Annotated[tuple[FactorTable, ...], msgspec.Meta(min_length=1)]


def _must_be_allowed(field: str, values: Mapping[str, Sequence[float]]) -> None:
    for region, some in values.items():
        for value in some:
            if not math.isfinite(value):
                raise ValueError(f"{field}: {value} of {region} is no number")
            if value < 0:
                raise ValueError(f"{field}: {value} of {region} is negative; allowed: at least 0")
