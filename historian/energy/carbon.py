"""From energy to carbon dioxide and coal equivalent: exact, by factors that are chosen and never guessed.

Every result names its factors. Amounts of different meaning are not added: CO2 and CO2e, location and market basis,
equivalent and equal-value coal, consumption and export.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from historian.energy import fixed_point
from historian.errors import FactorError
from historian.model import unit
from historian.model.factor import MASSES_KG, Basis, Factor

Term = Literal["consumption", "export", "self_consumption", "certificate"]

# Of each set, one sum holds one basis at most: they are different answers to the same question.
_RIVALS: Final = (
    frozenset({"location", "market", "ets", "footprint"}),
    frozenset({"equivalent", "equal_value"}),
)


WATER: Final = "fresh_water"


class FactorAsk(NamedTuple):
    """Which factor is meant; `version` None is the newest publication of it."""

    carrier: str
    basis: Basis
    region: str
    year: int
    technology: str = ""
    version: int | None = None


class Chosen(NamedTuple):
    """A factor; `is_provisional` where it is of an earlier year than was asked."""

    factor: Factor
    is_provisional: bool = False


class Emission(NamedTuple):
    """So many kilograms of `substance` (CO2, CO2e, or ce for coal equivalent), and all that they rest on."""

    amount_kg: Fraction
    substance: str
    term: Term
    bases: frozenset[str]
    factors: tuple[str, ...]
    is_provisional: bool


def choose(factors: Sequence[Factor], ask: FactorAsk, may_be_provisional: bool = False) -> Chosen:
    """The factor asked for. Where that year has none, the newest before it, if `may_be_provisional`.

    Raises FactorError that names what there is; a region never stands in for another.
    """
    wanted = ask.carrier, ask.technology, ask.basis
    of_kind = [one for one in factors if (one.carrier, one.technology, one.basis) == wanted]
    kinds = {_kind_text(one.carrier, one.technology, one.basis) for one in factors}
    _must_be(of_kind, f"no factor for {_kind_text(*wanted)}", kinds)
    of_region = [one for one in of_kind if one.region == ask.region]
    _must_be(
        of_region, f"no {ask.basis} factor of {ask.carrier} for {ask.region}", {x.region for x in of_kind}
    )
    years = {one.year for one in of_region if one.year is not None}
    year: int | None = ask.year if ask.year in years else None
    of_year = [one for one in of_region if one.year == year]
    is_provisional = not of_year and may_be_provisional and any(known < ask.year for known in years)
    if is_provisional:
        year = max(known for known in years if known < ask.year)
        of_year = [one for one in of_region if one.year == year]
    _must_be(
        of_year,
        f"no {ask.basis} factor of {ask.carrier} for {ask.region} in {ask.year}",
        set(map(str, years)),
    )
    chosen = [one for one in of_year if ask.version in (None, one.version)]
    known_versions = {str(one.version) for one in of_year}
    _must_be(chosen, f"no version {ask.version} of {of_year[0].id}", known_versions)
    return Chosen(max(chosen, key=lambda one: one.version), is_provisional)


def convert(amount: Fraction, unit_symbol: str, chosen: Chosen, term: Term = "consumption") -> Emission:
    """An amount of energy times a factor. Raises UnitError where the unit is of another dimension, FactorError for a
    negative amount: what flows out is a term of its own, never negative consumption.
    """
    return convert_intervals([amount], unit_symbol, [chosen], term)


def convert_intervals(
    amounts: Sequence[Fraction], unit_symbol: str, chosen: Sequence[Chosen], term: Term = "consumption"
) -> Emission:
    """Amounts of intervals, each times the factor of its interval: never the sum times a mean factor."""
    assert len(amounts) == len(chosen) > 0, "each interval has its factor"
    parts = [_convert(amount, unit_symbol, one, term) for amount, one in zip(amounts, chosen, strict=True)]
    return add(parts) if len(parts) > 1 else parts[0]


def add(emissions: Sequence[Emission]) -> Emission:
    """The sum. Raises FactorError where two of them do not mean the same."""
    assert emissions, "a sum has at least one part"
    if len(emissions) == 1:
        return emissions[0]
    for what, found in (
        ("substances", {one.substance for one in emissions}),
        ("terms", {one.term for one in emissions}),
    ):
        if len(found) > 1:
            raise FactorError(f"{' and '.join(sorted(found))} are not added: different {what}")
    bases = frozenset[str]().union(*(one.bases for one in emissions))
    for rivals in _RIVALS:
        if len(bases & rivals) > 1:
            raise FactorError(f"{' and '.join(sorted(bases & rivals))} are not added: different bases")
    return Emission(
        sum((one.amount_kg for one in emissions), Fraction()),
        emissions[0].substance,
        emissions[0].term,
        bases,
        tuple(sorted({label for one in emissions for label in one.factors})),
        any(one.is_provisional for one in emissions),
    )


def _convert(amount: Fraction, unit_symbol: str, chosen: Chosen, term: Term) -> Emission:
    factor = chosen.factor
    if amount < 0:
        raise FactorError(
            f"{float(amount):g} {unit_symbol} of {term} is negative; what flows out is an export of its own"
        )
    if factor.value is None:
        raise FactorError(f"{factor.label} varies by the hour; it multiplies hour by hour, never a sum")
    amount_kg = amount * _kg_per_unit(unit_symbol, factor)
    substance = MASSES_KG[factor.result_unit][0]
    return Emission(
        amount_kg, substance, term, frozenset({factor.basis}), (factor.label,), chosen.is_provisional
    )


@lru_cache(maxsize=1024)  # few factors multiply many amounts
def _kg_per_unit(unit_symbol: str, factor: Factor) -> Fraction:
    assert factor.value is not None, "a factor by the hour is taken at an hour"
    kilograms = MASSES_KG[factor.result_unit][1]
    return _per_unit(unit_symbol, factor) * fixed_point.exact(factor.value) * kilograms


def _per_unit(unit_symbol: str, factor: Factor) -> Fraction:
    """How many units of the factor one of the amount's is; of water a cubic metre is a tonne, by convention."""
    ours, theirs = unit.get_unit(unit_symbol), unit.get_unit(factor.energy_unit)
    if factor.carrier == WATER and {ours.dimension, theirs.dimension} == {"volume", "mass"}:
        base = {"volume": "m3", "mass": "t"}
        to_base = unit.conversion_factor(unit_symbol, base[ours.dimension])
        return to_base * unit.conversion_factor(base[theirs.dimension], factor.energy_unit)
    return unit.conversion_factor(unit_symbol, factor.energy_unit)


def _must_be(found: Sequence[Factor], problem: str, known: Iterable[str]) -> None:
    if not found:
        raise FactorError(f"{problem}; there are: {', '.join(sorted(known)) or 'none'}")


def _kind_text(carrier: str, technology: str, basis: str) -> str:
    return f"{carrier}{f' ({technology})' if technology else ''} {basis}"
