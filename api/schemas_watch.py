"""Bodies of completeness, silence, gaps of many points and outages; the OpenAPI file is made from them as from `schemas`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from api.schemas import Time
from api.schemas_edits import Author
from historian.energy.completeness import Light

# ── Completeness ────────────────────────────────────────────────────────────────────────────────────────────


class CompletenessRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of what was due, by point, station, item or day; the others of these are absent.

    `expected` samples were due by now, `received` came (estimates are none), `good` of them are of validity good.
    `missing` intervals have none, so what one point sends too often hides nothing. `completeness` is the share that has,
    null where nothing was due. Where `delays=1` asks: `on_time` is the share of the samples with a known arrival that came
    within the promised interval, and the delays are counted from when a sample could come, in seconds.
    """

    point: str | None = None
    station: str | None = None
    item: str | None = None
    day: str | None = None
    expected: int
    received: int
    good: int
    missing: int
    completeness: float | None
    arrivals_known: int | None = None
    on_time: float | None = None
    delay_median_s: float | None = None
    delay_max_s: float | None = None


class CompletenessReply(msgspec.Struct, frozen=True, kw_only=True):
    """A row for each point, station, item or day; `total` over all of them. `now`: until when samples were due."""

    by: str
    from_date: str = msgspec.field(name="from")
    to_date: str = msgspec.field(name="to")
    now: Time
    point_count: int
    rows: list[CompletenessRow]
    total: CompletenessRow


class WorstPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One of the points that lack most of a day."""

    point: str
    expected: int
    received: int
    missing: int


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """One local day. `light`: green, amber or red by the thresholds, none where nothing was due.

    `state`: open while the day runs or is to come, complete when it is over and nothing is missing, provisional when
    something is, final when it lies in locked periods of every point.
    """

    day: str
    expected: int
    received: int
    good: int
    missing: int
    completeness: float | None
    light: Light
    state: str
    worst: list[WorstPoint]


class CalendarReply(msgspec.Struct, frozen=True, kw_only=True):
    """A month, day by day."""

    station: str | None
    month: str
    green_share_min: float
    amber_share_min: float
    point_count: int
    now: Time
    days: list[CalendarDay]
    total: CompletenessRow


# ── Silence ─────────────────────────────────────────────────────────────────────────────────────────────────


class OverdueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A point whose newest sample is older than it promises; times are null where nothing ever came.

    `since` is the newest sample, `due` when the next one was; `missing` are due by now.
    """

    point: str
    station: str
    item: str
    interval: str
    since: Time
    due: Time
    silent_s: float | None
    missing: int | None
    cause: str
    detail: str


class OverdueReply(msgspec.Struct, frozen=True, kw_only=True):
    """Points overdue now, a page by rising id; `overdue_count` of `point_count` in all."""

    now: Time
    point_count: int
    overdue_count: int
    overdue: list[OverdueRow]
    next: str


# ── Gaps ────────────────────────────────────────────────────────────────────────────────────────────────────


class PointGapRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which expected samples of a point are missing, and why as far as it is known."""

    point: str
    station: str
    start: Time
    end: Time
    missing_count: int
    cause: str
    detail: str


class PointGapsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps of many points, point by point; `missing_by_cause` adds up their missing samples."""

    start: Time
    end: Time
    gaps: list[PointGapRow]
    missing_by_cause: dict[str, int]


# ── Outages ─────────────────────────────────────────────────────────────────────────────────────────────────


class OutageBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why samples of a station did not come: a collector outside was off, a file did not arrive."""

    station: Annotated[str, Meta(min_length=1, max_length=200)]
    start: str | int
    end: str | int
    cause: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{1,39}$")]
    detail: Annotated[str, Meta(max_length=500)] = ""
    author: Author = ""


class OutageReply(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a source delivered nothing; `end` is null while it lasts. An empty `source`: the historian itself."""

    source: str
    start: Time
    end: Time
    cause: str
    detail: str


class OutagesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Outages that touch the range, by their start."""

    outages: list[OutageReply]


# ── Stations ────────────────────────────────────────────────────────────────────────────────────────────────


class StationDriver(msgspec.Struct, frozen=True, kw_only=True):
    """A driver that collects from the station."""

    name: str
    state: str
    last_error: str


class StationReply(msgspec.Struct, frozen=True, kw_only=True):
    """One station, in kW and kWh; null where nothing is known, and `reasons` say why.

    `power` is the newest of `main_points`, added up where there are several, times their multipliers; `power_time` the oldest
    stamp of these. `main_basis`: stated (term `main_power`), item (the only one of T2.06 or T5.06), only (of active power),
    ambiguous (`candidates` names some) or none. `max_power`, `mean_power` and `energy` are of today so far, as are `expected`,
    `missing` and `completeness`. `load_ratio` is `power` over `capacity`. `age_s`: of the newest sample of any point.
    `reasons`: ambiguous_main_power, none_main_power, no_usable_value, no_capacity.
    """

    station: str
    point_count: int
    name_zh: str
    name_en: str
    power: float | None
    power_time: Time
    power_unit: str
    main_points: list[str]
    main_basis: str
    candidates: list[str]
    max_power: float | None
    max_time: Time
    mean_power: float | None
    energy: float | None
    energy_unit: str
    capacity: float | None
    load_ratio: float | None
    age_s: float | None
    overdue_count: int
    expected: int
    missing: int
    completeness: float | None
    drivers_down: int
    drivers: list[StationDriver]
    reasons: list[str]


class StationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All stations that have a point."""

    stations: list[StationReply]


# ── Suspicions of magnitude ─────────────────────────────────────────────────────────────────────────────────


class SuspicionRow(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a point in a range may have the wrong magnitude: what was found, against what, and what to look at.

    `factor` would set the values right where it is known; nothing is ever multiplied by it here. `numbers` are what the
    suspicion rests on. `advice` is in the language that Accept-Language prefers.
    """

    point: str
    station: str
    kind: str
    against: str
    factor: float | None
    numbers: dict[str, float]
    advice: str
    start: Time
    end: Time


class SuspicionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Suspicions of the points, point by point; `point_count` points were looked at."""

    start: Time
    end: Time
    point_count: int
    suspicions: list[SuspicionRow]
