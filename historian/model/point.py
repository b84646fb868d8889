"""A point: a measured thing with an immutable id, a unique renameable name, a unit and a kind."""

import re
from enum import Enum
from typing import Final

import msgspec

NAME_PATTERN: Final = re.compile(r"[^\s/?#%,\\\"'\x00-\x1f\x7f]{1,200}")

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


class PointKind(Enum):
    """What a value means (architecture §10; draft tables 1-6)."""

    INSTANTANEOUS = "instantaneous"  # a snapshot of V, I, P, Q … at an instant
    MEAN_POWER = "mean_power"  # mean over the interval
    INTERVAL = "interval"  # quantity (energy, volume, mass) of the interval
    REGISTER = "register"  # cumulative reading
    RATIO = "ratio"  # dimensionless, never summed


class TimeLabel(Enum):
    """What a source's time stamp marks."""

    INSTANT = "instant"
    PERIOD_START = "period_start"
    PERIOD_END = "period_end"


PERIOD_KINDS: Final = frozenset({PointKind.MEAN_POWER, PointKind.INTERVAL})


def is_freeze_by_day(kind: PointKind, interval_us: int, label: TimeLabel) -> bool:
    """Whether a reading comes under the day that it ends: frozen at D+1 00:00 and labelled D (Q/GDW 376.1).

    A register with an interval of whole days, labelled by the start. DL/T 645 labels the same reading by its instant.
    """
    return kind is PointKind.REGISTER and label is TimeLabel.PERIOD_START and interval_us % DAY_US == 0


def stored_offset_us(kind: PointKind, interval_us: int, label: TimeLabel) -> int:
    """What to add to a source's stamp: periods are stored under their start, readings under their instant."""
    if is_freeze_by_day(kind, interval_us, label):
        return interval_us  # days are of 24 hours there: `catalogue.point_rule` allows no other zone
    return -interval_us if kind in PERIOD_KINDS and label is TimeLabel.PERIOD_END else 0


def station_source(station: str) -> str:
    """The journal's source for what concerns all points of a station, such as a file that did not come."""
    return f"station:{station}"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One metering point as the catalogue holds it.

    `label` says how sources stamp this point unless a source declares otherwise; inside the store
    a period is always stamped with its start, and a reading with its instant. `multiplier` (CT × PT) is applied once, in load
    curves and energy, never to stored values. `interval_us` is the longest promised distance
    between two samples. `range_low`/`range_high` in the point's unit: outside is marked suspect.
    """

    id: int
    name: str
    unit: str
    kind: PointKind
    interval_us: int = 15 * MINUTE_US
    label: TimeLabel = TimeLabel.INSTANT
    time_zone: str = "Asia/Shanghai"
    station: str = ""
    item: str = ""
    name_zh: str = ""
    name_en: str = ""
    range_low: float | None = None
    range_high: float | None = None
    multiplier: float = 1.0
    capacity: float | None = None
    source: str = ""

    @property
    def has_period(self) -> bool:
        """Whether a sample covers a period (stored under its start) rather than an instant."""
        return self.kind in PERIOD_KINDS

    @property
    def outage_sources(self) -> tuple[str, ...]:
        """Every source under which the journal may hold an outage that explains a gap of this point:

        its driver, that driver's overflowing backlog, the point alone (an exception answer), and its station.
        """
        own = (self.source, f"{self.source}/backlog", f"{self.source}/{self.id}") if self.source else ()
        return (*own, station_source(self.station)) if self.station else own

    def stored_time_offset_us(self, label: TimeLabel | None = None) -> int:
        """What to add to a source's stamp to get the stored stamp; `label` overrides the point's own."""
        return stored_offset_us(self.kind, self.interval_us, label or self.label)


class PointDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A point as asked for, before the catalogue gives it an id; `None` means the stated default.

    Defaults: interval 15 min; label ``instant``, or ``period_start`` for kinds with a period;
    time zone of the settings; multiplier 1; no range, no capacity.
    """

    name: str
    unit: str
    kind: PointKind
    interval_us: int | None = None
    label: TimeLabel | None = None
    time_zone: str | None = None
    station: str = ""
    item: str = ""
    name_zh: str = ""
    name_en: str = ""
    range_low: float | None = None
    range_high: float | None = None
    multiplier: float = 1.0
    capacity: float | None = None
    source: str = ""


_INTERVAL_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


def parse_interval_us(text: str) -> int:
    """``"15m"`` → 900 000 000. Units s, m, h, d. Raises ValueError otherwise."""
    match = re.fullmatch(r"([1-9][0-9]{0,6})(s|m|h|d)", text)
    if match is None:
        raise ValueError(f"interval {text!r} is not a whole number with one of s, m, h, d (such as '15m')")
    return int(match[1]) * _INTERVAL_UNITS_US[match[2]]


def format_interval(interval_us: int) -> str:
    """900 000 000 → ``"15m"``: the largest unit that gives a whole number."""
    for unit in ("d", "h", "m", "s"):
        if interval_us % _INTERVAL_UNITS_US[unit] == 0:
            return f"{interval_us // _INTERVAL_UNITS_US[unit]}{unit}"
    return f"{interval_us / SECOND_US:g}s"
