"""What a register did between two readings, for the evidence of a figure and for people."""

from enum import IntFlag
from typing import NamedTuple


class CounterFlag(IntFlag):
    """Bits of a u16 column; append-only, those not named are free."""

    ROLLOVER = 1 << 0  # began again at zero: the modulus is in the amount
    EXCHANGE = 1 << 1  # begins or ends at an exchange of the meter
    RESET = 1 << 2  # begins or ends at a reset, or the source says that the counter was adjusted
    DECREASE = 1 << 3  # fell, and nothing tells why: no amount
    GAP_SPANNED = 1 << 4  # across missing readings: the amount is known as a whole only
    FACTOR_CHANGE = 1 << 5  # the factor changed, and no reading tells where: no amount
    IMPLAUSIBLE = 1 << 6  # more than the point can take: no amount, or a lone reading was set aside


def words(flags: int) -> list[str]:
    """``["rollover", "exchange"]``: what happened, in the order of the bits."""
    return [str(flag.name).lower() for flag in CounterFlag if flags & flag]


class CounterEvent(NamedTuple):
    """One stretch of time of which more is to be said than a difference. `before` and `after` are the readings at its
    ends, None where not known; `amount` is in the point's unit, its factor applied, None where there is none.
    """

    start_us: int
    end_us: int
    flags: CounterFlag
    before: float | None
    after: float | None
    amount: float | None
