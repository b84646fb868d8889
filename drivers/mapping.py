"""Point entries of a substation file: what all protocols share, and how they become points.

An entry says which point a field device's value is, in what unit, and how the raw number becomes
that unit: ``value = raw × scale + offset``, computed exactly (see `Scaling`).
"""

import math
from fractions import Fraction
from typing import Annotated, Final, NamedTuple

import msgspec

from historian.errors import UnitError
from historian.model.point import (
    NAME_PATTERN,
    PointDraft,
    PointKind,
    TimeLabel,
    format_interval,
    is_freeze_by_day,
    parse_interval_us,
)
from historian.model.unit import get_unit

EXACT_INTEGER_MAX: Final = 2**53  # every integer up to here is a float64 (IEEE 754 binary64)

PointName = Annotated[str, msgspec.Meta(pattern=f"^{NAME_PATTERN.pattern}$")]


class MappingError(ValueError):
    """An entry cannot become a point; `key` is the entry's field at fault."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


class PointEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a point entry that do not depend on the protocol.

    Protocols extend it with their address (flat in the file, so this is one of the few places
    where inheriting is the simplest way). `range` is ``[low, high]`` in the point's unit.
    """

    name: PointName
    unit: str
    kind: PointKind = PointKind.INSTANTANEOUS
    interval: str = "15m"
    label: TimeLabel | None = None
    item: str = ""
    name_zh: str = ""
    name_en: str = ""
    scale: float = 1.0
    offset: float = 0.0
    range: tuple[float, float] | None = None
    multiplier: float = 1.0
    capacity: float | None = None


class Scaling(NamedTuple):
    """``value = (raw × numerator + addend) / denominator`` in whole numbers.

    Integers below 2⁵³ and one division: the result is the float64 nearest to the true decimal
    (2304 × 0.1 is 230.4, never 230.40000000000003).
    """

    numerator: int
    addend: int
    denominator: int


def scaling_of(entry: PointEntry, raw_max: int) -> Scaling:
    """The exact whole-number form of `scale` and `offset` as written in decimal.

    `raw_max` is the largest magnitude the raw value can have (for a float: its significand's).
    Raises MappingError where the computation could not be exact.
    """
    scale = _exact(entry.scale, "scale")
    offset = _exact(entry.offset, "offset")
    if scale == 0:
        raise MappingError("scale", "scale 0 would make every value the same; leave it out for 1")
    denominator = math.lcm(scale.denominator, offset.denominator)
    numerator = scale.numerator * (denominator // scale.denominator)
    addend = offset.numerator * (denominator // offset.denominator)
    if abs(numerator) * raw_max + abs(addend) >= EXACT_INTEGER_MAX or denominator >= EXACT_INTEGER_MAX:
        raise MappingError(
            "scale", f"scale {entry.scale} and offset {entry.offset} have too many digits to be exact"
        )
    return Scaling(numerator, addend, denominator)


def interval_us_of(entry: PointEntry) -> int:
    """The entry's interval. Raises MappingError."""
    try:
        return parse_interval_us(entry.interval)
    except ValueError as error:
        raise MappingError("interval", str(error)) from error


def draft_of(entry: PointEntry, station: str, source: str, time_zone: str) -> PointDraft:
    """The point an entry asks for; `source` is the driver's name. Raises MappingError."""
    try:
        get_unit(entry.unit)
    except UnitError as error:
        raise MappingError("unit", str(error)) from error
    interval_us = interval_us_of(entry)
    if entry.label is not None and is_freeze_by_day(entry.kind, interval_us, entry.label):
        raise MappingError(
            "label",
            f"label {entry.label.value} of a register: what is read from a device is stamped with its instant",
        )
    low, high = entry.range or (None, None)
    if low is not None and high is not None and low >= high:
        raise MappingError("range", f"range [{low}, {high}] is empty; write [low, high]")
    return PointDraft(
        name=entry.name,
        unit=entry.unit,
        kind=entry.kind,
        interval_us=interval_us,
        label=entry.label,
        time_zone=time_zone,
        station=station,
        item=entry.item,
        name_zh=entry.name_zh,
        name_en=entry.name_en,
        range_low=low,
        range_high=high,
        multiplier=entry.multiplier,
        capacity=entry.capacity,
        source=source,
    )


def check_poll_interval(entry: PointEntry, poll_interval_us: int) -> None:
    """A point's interval must be a multiple of the poll interval, else its stamps could not be regular."""
    interval_us = interval_us_of(entry)
    if interval_us % poll_interval_us:
        poll_text = format_interval(poll_interval_us)
        raise MappingError(
            "interval", f"interval {entry.interval} is not a multiple of the poll interval {poll_text}"
        )


def _exact(number: float, key: str) -> Fraction:
    # repr gives the shortest decimal that is this float: what the operator wrote.
    try:
        return Fraction(repr(number))
    except ValueError as error:
        raise MappingError(key, f"{key} {number} is not a finite number") from error
