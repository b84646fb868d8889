"""Carbon rows as they go out, and the sums of those that add up."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from api.schemas_derived import CarbonReplyRow, CarbonTotal, FactorReply
from api.time_form import TimeForm
from historian.energy import carbon, fixed_point
from historian.energy.carbon import Emission
from historian.model import unit
from historian.model.factor import Factor
from historian.rollup.carbon_row import CarbonRow

_STATES: Final = ("open", "provisional", "complete", "final")  # a sum has the least certain of its parts


def row_of(row: CarbonRow, period: str, times: TimeForm) -> CarbonReplyRow:
    """One row; figures are rounded here, once."""
    return CarbonReplyRow(
        point=row.point.name,
        period=period,
        period_start=times.time(row.period_start_us),
        period_end=times.time(row.period_end_us),
        direction=row.direction,
        carrier=row.carrier,
        energy=_number(row.energy),
        unit=row.unit,
        co2=_number(row.co2.amount_kg if row.co2 else None),
        co2_unit=_mass_unit(row.co2),
        factors=[_factor_of(one) for one in row.factors],
        kgce=_number(row.coal.amount_kg if row.coal else None),
        coal_factors=[_factor_of(one) for one in row.coal_factors],
        state=row.state,
        warnings=list(row.warnings),
        energy_in_no_hour=_number(row.unmultiplied) if row.unmultiplied else None,
    )


def totals_of(rows: Sequence[CarbonRow], times: TimeForm) -> list[CarbonTotal]:
    """Sums over points, of what means the same only: period, direction, carrier, medium, dimension, substance, basis."""
    groups: dict[tuple[object, ...], list[CarbonRow]] = {}
    for row in rows:
        bases = row.co2.bases if row.co2 else frozenset()
        substance = row.co2.substance if row.co2 else ""
        key = (
            row.period_start_us, row.period_end_us, row.direction, row.carrier, row.medium,
            unit.get_unit(row.unit).dimension, substance, bases,
        )  # fmt: skip
        groups.setdefault(key, []).append(row)
    return [_total_of(some, times) for some in groups.values()]


def _total_of(rows: Sequence[CarbonRow], times: TimeForm) -> CarbonTotal:
    first = rows[0]
    energies = [
        row.energy * unit.conversion_factor(row.unit, first.unit) for row in rows if row.energy is not None
    ]
    co2 = carbon.add([row.co2 for row in rows if row.co2]) if all(row.co2 for row in rows) else None
    coal = carbon.add([row.coal for row in rows if row.coal]) if all(row.coal for row in rows) else None
    return CarbonTotal(
        period_start=times.time(first.period_start_us),
        period_end=times.time(first.period_end_us),
        direction=first.direction,
        carrier=first.carrier,
        energy=_number(sum(energies, Fraction())) if len(energies) == len(rows) else None,
        unit=first.unit,
        co2=_number(co2.amount_kg if co2 else None),
        co2_unit=_mass_unit(co2),
        kgce=_number(coal.amount_kg if coal else None),
        points=len(rows),
        state=min((row.state for row in rows), key=_STATES.index),
    )


def _number(amount: Fraction | None) -> float | None:
    return None if amount is None else fixed_point.to_float(amount)


def _mass_unit(emission: Emission | None) -> str | None:
    return f"kg{emission.substance}" if emission else None


def _factor_of(factor: Factor) -> FactorReply:
    return FactorReply(
        id=factor.id,
        version=factor.version,
        value=factor.value,
        unit=factor.unit,
        basis=factor.basis,
        region=factor.region,
        year=factor.year,
        hours=list(factor.hours),
        source=factor.source,
    )
