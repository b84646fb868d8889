"""What a point may be: defaults for what a draft leaves open, and the checks every change passes."""

import math
import operator
from collections.abc import Callable
from typing import Final

from historian.errors import PointConflict, PointInvalid
from historian.model.point import (
    DAY_US,
    MINUTE_US,
    NAME_PATTERN,
    PERIOD_KINDS,
    SECOND_US,
    Point,
    PointDraft,
    TimeLabel,
    format_interval,
    is_freeze_by_day,
)
from historian.model.timestamp import has_even_days, load_zone
from historian.model.unit import get_unit

INTERVAL_DEFAULT_US: Final = 15 * MINUTE_US
INTERVAL_MIN_US: Final = SECOND_US
FREEZE_DAYS_MAX: Final = 27  # of an interval whose readings come under its first day; longer ones are months
INTERVAL_MAX_US: Final = 366 * DAY_US  # a yearly figure is the slowest item of the draft (table 4)
FORBIDDEN_SIGNS: Final = frozenset("/?#%,\\\"'")
TEXT_LENGTH_MAX: Final = 200
_TEXT_FIELDS: Final = ("station", "item", "name_zh", "name_en", "source")
_texts_of: Final[Callable[[Point | PointDraft], tuple[str, ...]]] = operator.attrgetter(*_TEXT_FIELDS)


def complete_draft(draft: PointDraft, point_id: int, default_time_zone: str) -> Point:
    """The point that `draft` describes, defaults filled in and everything checked.

    Raises PointInvalid, UnitError or TimeError with what is allowed.
    """
    default_label = TimeLabel.PERIOD_START if draft.kind in PERIOD_KINDS else TimeLabel.INSTANT
    point = Point(
        id=point_id,
        name=draft.name,
        unit=get_unit(draft.unit).symbol,
        kind=draft.kind,
        interval_us=INTERVAL_DEFAULT_US if draft.interval_us is None else draft.interval_us,
        label=draft.label or default_label,
        time_zone=draft.time_zone or default_time_zone,
        station=draft.station,
        item=draft.item,
        name_zh=draft.name_zh,
        name_en=draft.name_en,
        range_low=draft.range_low,
        range_high=draft.range_high,
        multiplier=draft.multiplier,
        capacity=draft.capacity,
        source=draft.source,
    )
    check_name(point.name)
    check_attributes(point)
    return point


def check_name(name: str) -> None:
    """Raise PointInvalid for a name that cannot be one.

    Digits alone would read as an id, and a path of ``.`` or ``..`` never reaches a server as written.
    """
    if not NAME_PATTERN.fullmatch(name) or not name.isprintable():
        raise PointInvalid(
            f"name {name!r} is not allowed: 1 to 200 printable characters without spaces, / \\ ? # % , or quotes"
        )
    if (name.isascii() and name.isdigit()) or name in (".", ".."):
        raise PointInvalid(f"name {name!r} is not allowed: it must not be a bare number, '.' or '..'")


def with_allowed_signs(name: str) -> str:
    """The name with ``_`` for each sign that none may have. Different names may become one."""
    return "".join(
        "_" if sign in FORBIDDEN_SIGNS or not sign.isprintable() or sign.isspace() else sign for sign in name
    )


def check_attributes(point: Point) -> None:
    """Raise PointInvalid, UnitError or TimeError where an attribute other than the name is wrong."""
    get_unit(point.unit)
    load_zone(point.time_zone)
    if not INTERVAL_MIN_US <= point.interval_us <= INTERVAL_MAX_US:
        raise PointInvalid(
            f"interval {format_interval(point.interval_us)} of {point.name} is not allowed: "
            f"{format_interval(INTERVAL_MIN_US)} to {format_interval(INTERVAL_MAX_US)}"
        )
    _check_freeze(point)
    _check_numbers(point)
    check_texts(point)


def check_texts(point: Point | PointDraft) -> None:
    """Raise PointInvalid where a text other than the name is too long or holds what cannot be printed."""
    for field, text in zip(_TEXT_FIELDS, _texts_of(point), strict=True):
        if text and (len(text) > TEXT_LENGTH_MAX or not text.isprintable()):
            raise PointInvalid(
                f"{field} of {point.name} is not allowed: up to {TEXT_LENGTH_MAX} printable characters"
            )


def check_change(before: Point, after: Point) -> None:
    """Raise PointConflict where a change would give stored values another meaning."""
    if after.kind is not before.kind:
        raise PointConflict(
            f"kind of {before.name} is fixed at {before.kind.value}; make another point for {after.kind.value}"
        )
    if get_unit(after.unit).dimension != get_unit(before.unit).dimension:
        raise PointConflict(
            f"unit of {before.name} is {before.unit}; it may change only to another unit of "
            f"{get_unit(before.unit).dimension}, not to {after.unit}"
        )


def _check_freeze(point: Point) -> None:
    """A reading that comes under its day is stored at the end of that day, which must be a fixed time later."""
    if not is_freeze_by_day(point.kind, point.interval_us, point.label):
        return
    if point.interval_us > FREEZE_DAYS_MAX * DAY_US:
        raise PointInvalid(
            f"label {point.label.value} of {point.name} is not allowed: the reading of a month or a year comes so many days "
            f"after its label as that month has; label it by its instant, or give an interval of 1d to {FREEZE_DAYS_MAX}d"
        )
    if not has_even_days(load_zone(point.time_zone)):
        raise PointInvalid(
            f"label {point.label.value} of {point.name} is not allowed: in {point.time_zone} days have 23 to 25 hours, so a "
            "reading under its day has no fixed time; label it instant and stamp it with the instant it was frozen at"
        )


def _check_numbers(point: Point) -> None:
    numbers = {
        "range low": point.range_low,
        "range high": point.range_high,
        "multiplier": point.multiplier,
        "capacity": point.capacity,
    }
    for field, number in numbers.items():
        if number is not None and not math.isfinite(number):
            raise PointInvalid(f"{field} of {point.name} is not allowed: it must be a finite number")
    if point.multiplier <= 0.0:
        raise PointInvalid(f"multiplier of {point.name} is not allowed: it must be above 0")
    if point.capacity is not None and point.capacity <= 0.0:
        raise PointInvalid(f"capacity of {point.name} is not allowed: it must be above 0")
    low, high = point.range_low, point.range_high
    if low is not None and high is not None and low >= high:
        raise PointInvalid(f"range of {point.name} is not allowed: {low:g} is not below {high:g}")
