"""Validation rules of a point: what is looked for, from which threshold on, and how a sample that breaks it is marked.

A rule that is absent is not looked for: customers of irregular use go without the pattern rules (stuck, spike,
zero_on_active, rate_of_change). Thresholds are in the point's unit as stored, before the multiplier; shares are of the
point's capacity, after it.
"""

import math
from typing import Final, Literal

import msgspec

from historian.model.point import PointKind

Mark = Literal["suspect", "bad"]  # suspect: used, and told; bad: not used in figures

NAMES: Final = (
    "sentinel",
    "range",
    "negative",
    "spike",
    "rate_of_change",
    "stuck",
    "zero_on_active",
    "missing",
    "prolonged_estimation",
    "duplicate",
    "clock",
)  # their places are bits of the kernels; append-only
CAPACITY_SHARE_MAX: Final = 1_000.0
NEIGHBOUR_INTERVALS_MAX: Final = 35_136  # quarters of an hour in a leap year
SENTINELS_MAX: Final = 16


class SentinelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers that stand for "no value" in the source: -99, 6553.5 (65535 with one decimal)."""

    values: tuple[float, ...]
    mark: Mark = "bad"

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= SENTINELS_MAX:
            raise ValueError(f"values: {len(self.values)} of them, 1 to {SENTINELS_MAX} allowed")
        for value in self.values:
            _finite("values", value)


class RangeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values below `low` or above `high`.

    Where one of them is absent and the capacity is known, the bound is minus or plus `capacity_share` × capacity (of
    interval amounts: what capacity makes in one interval). A register has no such bound.
    """

    low: float | None = None
    high: float | None = None
    capacity_share: float | None = 1.2
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        _finite("low", self.low)
        _finite("high", self.high)
        _share("capacity_share", self.capacity_share)
        if self.low is None and self.high is None and self.capacity_share is None:
            raise ValueError("range: nothing is asked; state low, high or capacity_share")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low: {self.low:g} is not below high ({self.high:g})")


class NegativeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values below minus `tolerance`: a photovoltaic array takes a few watts at night."""

    tolerance: float = 0.0
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        _at_least("tolerance", self.tolerance, 0.0)


class SpikeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lone sample above both neighbours, or below both, by more than `height`; else by a share of the capacity.

    Of a register: a reading outside of its neighbours, where these rise, by more than `height` (none: at all). That
    finds the transient zero. Neighbours further away than `neighbour_intervals` are not compared.
    """

    height: float | None = None
    capacity_share: float | None = 0.5
    neighbour_intervals: int = 4
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        if self.height is not None:
            _at_least("height", self.height, 0.0)
        _share("capacity_share", self.capacity_share)
        _count("neighbour_intervals", self.neighbour_intervals, 1, NEIGHBOUR_INTERVALS_MAX)


class RateOfChangeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change from the sample before of more than `max_per_hour`; the later sample is marked.

    Of a register that states none: a rise of more than `capacity_share` × capacity. That a register falls is for the
    arithmetic of registers to decide (rollover, exchange, reset), and no breach of this rule.
    """

    max_per_hour: float | None = None
    capacity_share: float | None = 1.2
    neighbour_intervals: int = 4
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        if self.max_per_hour is not None:
            _above("max_per_hour", self.max_per_hour, 0.0)
        _share("capacity_share", self.capacity_share)
        _count("neighbour_intervals", self.neighbour_intervals, 1, NEIGHBOUR_INTERVALS_MAX)


class StuckRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`samples` or more in a row of one value that is not zero. Not for registers of water or gas, which do rest."""

    samples: int = 12
    neighbour_intervals: int = 4
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        _count("samples", self.samples, 3, 100_000)
        _count("neighbour_intervals", self.neighbour_intervals, 1, NEIGHBOUR_INTERVALS_MAX)


class ZeroOnActiveRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Zeros, or a register that does not move, from a first to a last stamp `hours` or more apart."""

    hours: float = 24.0
    neighbour_intervals: int = 4
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        _above("hours", self.hours, 0.0)
        _at_most("hours", self.hours, 8_784.0)
        _count("neighbour_intervals", self.neighbour_intervals, 1, NEIGHBOUR_INTERVALS_MAX)


class MissingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No sample for longer than `gap_intervals`; the gaps are told, nothing is marked."""

    gap_intervals: float = 1.5

    def __post_init__(self) -> None:
        _at_least("gap_intervals", self.gap_intervals, 1.0)
        _at_most("gap_intervals", self.gap_intervals, float(NEIGHBOUR_INTERVALS_MAX))


class ProlongedEstimationRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing but estimates over more than `days`; told, nothing is marked."""

    days: float = 3.0

    def __post_init__(self) -> None:
        _above("days", self.days, 0.0)
        _at_most("days", self.days, 3_660.0)


class DuplicateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source gave two values for one stamp; the one that counts is marked."""

    mark: Mark = "suspect"


class ClockRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stamps ahead of their arrival by more than `ahead_s`, behind by more than `behind_s`, or before `year_min`.

    Looked for only where arrival times are known.
    """

    ahead_s: float = 300.0
    behind_s: float | None = None
    year_min: int = 2001
    mark: Mark = "suspect"

    def __post_init__(self) -> None:
        _at_least("ahead_s", self.ahead_s, 0.0)
        if self.behind_s is not None:
            _above("behind_s", self.behind_s, 0.0)
        _count("year_min", self.year_min, 1970, 2200)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of a point; what is None is not looked for."""

    sentinel: SentinelRule | None = None
    range: RangeRule | None = None
    negative: NegativeRule | None = None
    spike: SpikeRule | None = None
    rate_of_change: RateOfChangeRule | None = None
    stuck: StuckRule | None = None
    zero_on_active: ZeroOnActiveRule | None = None
    missing: MissingRule | None = None
    prolonged_estimation: ProlongedEstimationRule | None = None
    duplicate: DuplicateRule | None = None
    clock: ClockRule | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rules that are looked for, in the order of NAMES."""
        return tuple(name for name in NAMES if getattr(self, name) is not None)


def usual(kind: PointKind) -> Rules:
    """What is usually looked for in points of a kind, with the usual thresholds.

    Not sentinels, which are the source's own, and for registers not stuck: no use is no fault.
    """
    is_register = kind is PointKind.REGISTER
    has_capacity = kind is not PointKind.RATIO
    return Rules(
        range=RangeRule() if has_capacity and not is_register else None,
        spike=SpikeRule() if has_capacity else None,
        rate_of_change=RateOfChangeRule() if is_register else None,
        stuck=None if is_register else StuckRule(),
        missing=MissingRule(),
        prolonged_estimation=ProlongedEstimationRule(),
        duplicate=DuplicateRule(),
        clock=ClockRule(),
    )


def _finite(name: str, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{name}: {value} is no finite number")


def _at_least(name: str, value: float, low: float) -> None:
    _finite(name, value)
    if value < low:
        raise ValueError(f"{name}: {value:g} is below {low:g}")


def _above(name: str, value: float, low: float) -> None:
    _finite(name, value)
    if value <= low:
        raise ValueError(f"{name}: {value:g} is not above {low:g}")


def _at_most(name: str, value: float, high: float) -> None:
    if value > high:
        raise ValueError(f"{name}: {value:g} is above {high:g}")


def _share(name: str, value: float | None) -> None:
    if value is not None:
        _above(name, value, 0.0)
        _at_most(name, value, CAPACITY_SHARE_MAX)


def _count(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not within {low} to {high}")
