"""Quality of a sample: a u16 bit set that keeps validity, origin and the IEC flags without loss.

    15  14  13  12  11  10   9   8   7   6   5   4   3   2   1   0
    TI  CY  CA  OV  BL  SB  NT  IV  DEL TSU LATE └─ origin ─┘ └validity┘

Zero is the everyday case: good, measured. Bits are append-only: their meaning never changes.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

QualityColumn = npt.NDArray[np.uint16]

GOOD: Final = 0
SUSPECT: Final = 1
BAD: Final = 2
MISSING: Final = 3
VALIDITY_MASK: Final = 0b11

ORIGIN_SHIFT: Final = 2
ORIGIN_MASK: Final = 0b111 << ORIGIN_SHIFT
MEASURED: Final = 0 << ORIGIN_SHIFT
ESTIMATED: Final = 1 << ORIGIN_SHIFT
SUBSTITUTED: Final = 2 << ORIGIN_SHIFT
MANUAL: Final = 3 << ORIGIN_SHIFT
DERIVED: Final = 4 << ORIGIN_SHIFT
INTEGRATED: Final = 5 << ORIGIN_SHIFT

LATE: Final = 1 << 5  # arrived after the promised interval had passed
TIME_SUBSTITUTED: Final = 1 << 6  # the source gave no time stamp; arrival time was taken
DELETED: Final = 1 << 7  # marked as deleted; the value stays readable for audit
INVALID: Final = 1 << 8  # IV, 60870-5-101 §7.2.6.3
NOT_TOPICAL: Final = 1 << 9  # NT
IEC_SUBSTITUTED: Final = 1 << 10  # SB
BLOCKED: Final = 1 << 11  # BL
OVERFLOW: Final = 1 << 12  # OV
COUNTER_ADJUSTED: Final = 1 << 13  # CA, §7.2.6.9: reset hint
COUNTER_CARRY: Final = 1 << 14  # CY, §7.2.6.9: rollover hint
TIME_INVALID: Final = 1 << 15  # the source said its clock is not to be trusted

VALIDITY_NAMES: Final = ("good", "suspect", "bad", "missing")
ORIGIN_NAMES: Final = ("measured", "estimated", "substituted", "manual", "derived", "integrated")
FLAG_NAMES: Final = {
    LATE: "late",
    TIME_SUBSTITUTED: "time_substituted",
    DELETED: "deleted",
    INVALID: "invalid",
    NOT_TOPICAL: "not_topical",
    IEC_SUBSTITUTED: "iec_substituted",
    BLOCKED: "blocked",
    OVERFLOW: "overflow",
    COUNTER_ADJUSTED: "counter_adjusted",
    COUNTER_CARRY: "counter_carry",
    TIME_INVALID: "time_invalid",
}


def validity_name(quality: int) -> str:
    """``good``, ``suspect``, ``bad`` or ``missing``."""
    return VALIDITY_NAMES[quality & VALIDITY_MASK]


def origin_name(quality: int) -> str:
    """``measured``, ``estimated``, ``substituted``, ``manual``, ``derived`` or ``integrated``."""
    index = (quality & ORIGIN_MASK) >> ORIGIN_SHIFT
    return ORIGIN_NAMES[index] if index < len(ORIGIN_NAMES) else "unknown"


def flag_names(quality: int) -> list[str]:
    """Names of the set flags, lowest bit first."""
    return [name for bit, name in FLAG_NAMES.items() if quality & bit]


def is_usable(quality: QualityColumn) -> npt.NDArray[np.bool_]:
    """Which samples may enter a figure: validity good or suspect, and not marked deleted."""
    usable: npt.NDArray[np.bool_] = ((quality & VALIDITY_MASK) <= SUSPECT) & ((quality & DELETED) == 0)
    return usable


def worst_of(quality: QualityColumn) -> int:
    """The quality of an aggregate: worst validity, every flag that occurs, the origin of least trust."""
    if len(quality) == 0:
        return MISSING
    validity = int(np.max(quality & VALIDITY_MASK))
    origin = int(np.max(quality & ORIGIN_MASK))
    flags = int(np.bitwise_or.reduce(quality)) & ~(VALIDITY_MASK | ORIGIN_MASK)
    return validity | origin | flags
