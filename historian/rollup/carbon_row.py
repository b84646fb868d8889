"""Carbon of periods: what was asked, and what is answered."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from historian.energy import carbon
from historian.energy.carbon import Chosen, Emission, FactorAsk
from historian.errors import FactorError
from historian.model.factor import Basis, Factor
from historian.model.point import Point
from historian.model.term import CarbonTerm

AskedBasis = Literal["location", "market", "footprint", "none"]
CoalBasis = Literal["equivalent", "equal_value"]

# Carriers as factors name them, by the medium that was stated; others have no usual factor and must be named.
_CARRIERS = {"": "electricity", "electricity": "electricity", "gas": "natural_gas", "heat": "heat", "water": "fresh_water"}  # fmt: skip
_OF_USERS: Sequence[Basis] = ("combustion", "supply")  # of what is no electricity
_DIRECTIONS: dict[str, carbon.Term] = {
    "consumption": "consumption",
    "export": "export",
    "self": "self_consumption",
}


class CarbonAsk(NamedTuple):
    """`basis` ``none`` asks for coal equivalent alone. `region` takes the place of what is stated of the points.

    `may_be_provisional`: the newest earlier year stands in where a year has no factor yet.
    """

    basis: AskedBasis = "location"
    coal: CoalBasis = "equivalent"
    region: str = ""
    may_be_provisional: bool = False


class CarbonRow(NamedTuple):
    """One point, period and direction. `co2` and `coal` are None where nothing is known of the energy, or none was asked
    for. `unmultiplied`: energy that lies in no hour, where factors go by the hour; it is in no emission.
    """

    point: Point
    period_start_us: int
    period_end_us: int
    direction: carbon.Term
    carrier: str
    medium: str
    energy: Fraction | None
    unit: str
    co2: Emission | None
    factors: tuple[Factor, ...]
    coal: Emission | None
    coal_factors: tuple[Factor, ...]
    unmultiplied: Fraction
    state: str
    warnings: tuple[str, ...]


class Picked(NamedTuple):
    """The factors of a stretch of days; None where none was asked for or, of coal, none is known."""

    direction: carbon.Term
    carrier: str
    co2: Chosen | None
    coal: Chosen | None


def pick(
    factors: Sequence[Factor], stated: CarbonTerm, medium: str, year: int, ask: CarbonAsk, name: str
) -> Picked:
    """The factors of a point in a year. Raises FactorError that says what there is."""
    carrier = stated.carrier or _CARRIERS.get(medium.partition(" ")[0])
    if carrier is None:
        raise FactorError(
            f"{name}: {medium} has no usual carrier of factors; state the carrier in its carbon term"
        )
    region, may = ask.region or stated.region, ask.may_be_provisional
    co2 = None
    if ask.basis != "none":
        basis = _basis_of(factors, carrier, stated.technology, ask.basis)
        co2 = _chosen(factors, FactorAsk(carrier, basis, region, year, stated.technology), may, name)
    return Picked(
        _DIRECTIONS[stated.direction], carrier, co2,
        _coal_of(factors, carrier, stated.coal_technology, region, year, ask),
    )  # fmt: skip


def _chosen(factors: Sequence[Factor], ask: FactorAsk, may_be_provisional: bool, name: str) -> Chosen:
    try:
        return carbon.choose(factors, ask, may_be_provisional)
    except FactorError as error:
        raise FactorError(f"{name}: {error}") from error


def _basis_of(factors: Sequence[Factor], carrier: str, technology: str, asked: AskedBasis) -> Basis:
    """Location and market are about electricity; what else is bought or burnt has one basis of its own."""
    assert asked != "none", "then no factor is looked for"
    if carrier == "electricity" or asked == "footprint":
        return asked
    known = {(one.carrier, one.technology, one.basis) for one in factors}
    return next((basis for basis in _OF_USERS if (carrier, technology, basis) in known), asked)


def _coal_of(
    factors: Sequence[Factor], carrier: str, technology: str, region: str, year: int, ask: CarbonAsk
) -> Chosen | None:
    """Coefficients of coal are those of a national standard: where the region has none of its own, the nation's.

    None where there is none: fuels have ranges, of which nobody can guess a value.
    """
    for basis in (ask.coal, "medium") if ask.coal == "equivalent" else (ask.coal,):
        for place in dict.fromkeys((region, region.partition("-")[0])):
            wanted: Basis = "medium" if basis == "medium" else ask.coal
            try:
                return carbon.choose(factors, FactorAsk(carrier, wanted, place, year, technology))
            except FactorError:
                continue
    return None
