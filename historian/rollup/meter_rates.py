"""What a meter's own rate registers counted, beside its total: the two must agree within their last digits."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import Point
from historian.model.tariff import BAND_COUNT
from historian.model.term import PointTerms, RatesTerm, RegisterTerm

F64 = npt.NDArray[np.float64]

BALANCES: Final = ("", "balanced", "unbalanced", "unknown")
_BALANCED: Final = 1
_UNBALANCED: Final = 2
_UNKNOWN: Final = 3
_ROUNDING: Final = 1e-9  # of the total: floats of exact sums


class MeterRates(NamedTuple):
    """Columns, a row a (point, period): the energy of each rate, and what the total has beyond their sum.

    `balance` indexes BALANCES: unbalanced (示值不平) where the difference exceeds the last digits of all registers.
    """

    energy: tuple[F64, F64, F64, F64, F64]
    difference: F64
    balance: npt.NDArray[np.uint8]


def empty(count: int) -> MeterRates:
    """Rows without rates."""
    sharp, peak, flat, valley, deep_valley, difference = (np.full(count, np.nan) for _ in range(6))
    return MeterRates((sharp, peak, flat, valley, deep_valley), difference, np.zeros(count, np.uint8))


def term_of(terms: PointTerms) -> RatesTerm | None:
    """The newest statement of a point's rates."""
    spans = terms.of_kind("rates")
    term = spans[-1].term if spans else None
    return term if isinstance(term, RatesTerm) else None


def put(
    made: MeterRates, rows: slice, total: F64, rates: Sequence[F64 | None], tolerance: float | None
) -> None:
    """Fill the rows of one point: the energies of its rates (None: the meter has none) and of the total."""
    known = [one for one in rates if one is not None]
    for column, one in zip(made.energy, rates, strict=True):
        if one is not None:
            column[rows] = one
    difference = total - np.sum(known, axis=0)
    made.difference[rows] = difference
    if tolerance is None:
        made.balance[rows] = _UNKNOWN
        return
    limit = tolerance + np.abs(total) * _ROUNDING
    verdict = np.where(np.abs(difference) <= limit, _BALANCED, _UNBALANCED)
    made.balance[rows] = np.where(np.isnan(difference), _UNKNOWN, verdict)


def tolerance_of(point: Point, terms: PointTerms, rate_count: int, at_us: int) -> float | None:
    """(n + 1) × last digit × multiplier; None where the last digit was not stated."""
    register = terms.at("register", at_us)
    if not isinstance(register, RegisterTerm) or register.resolution is None:
        return None
    return (rate_count + 1) * register.resolution * point.multiplier


def rates_of(term: RatesTerm, energy_of: Mapping[str, F64]) -> list[F64 | None]:
    """The energies by band."""
    rates = [energy_of[name] if name else None for name in term.names]
    assert len(rates) == BAND_COUNT, "one a band"
    return rates
