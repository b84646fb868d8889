"""What answers hold, as structs. Times are datetimes in UTC; None where there is none. New fields of later versions are ignored."""

import datetime
from typing import Any, Literal

import msgspec

from historian.model.point import PointKind, TimeLabel
from historian.model.tariff import TariffCalendar
from historian.model.term import Term

Time = datetime.datetime | None


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Every struct here: frozen, by name."""


# ── Points ──────────────────────────────────────────────────────────────────────────────────────────────────


class PointInfo(_Reply, frozen=True, kw_only=True):
    """One point; `renamed_to` where it was asked for under a former name."""

    id: int
    name: str
    unit: str
    kind: PointKind
    interval: str
    label: TimeLabel
    time_zone: str
    station: str = ""
    item: str = ""
    name_zh: str = ""
    name_en: str = ""
    range: tuple[float | None, float | None] | None = None
    multiplier: float = 1.0
    capacity: float | None = None
    source: str = ""
    renamed_to: str = ""


class PointAttributes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A point to be made or changed; what is None is left to the historian, or as it is."""

    name: str | None = None
    unit: str | None = None
    kind: PointKind | str | None = None
    interval: str | None = None
    label: TimeLabel | str | None = None
    time_zone: str | None = None
    station: str | None = None
    item: str | None = None
    name_zh: str | None = None
    name_en: str | None = None
    range: tuple[float | None, float | None] | None = None
    multiplier: float | None = None
    capacity: float | None = None
    source: str | None = None
    valid_from: str | int | None = None


class PointReject(_Reply, frozen=True, kw_only=True):
    """A point that was not made."""

    index: int
    name: str
    code: str
    detail: str


class PointsMade(_Reply, frozen=True, kw_only=True):
    """What became of each point of a list."""

    created: int
    existing: int
    rejected: int
    rejects: list[PointReject]
    points: list[PointInfo]


class StationRow(_Reply, frozen=True, kw_only=True):
    """A station, and how many points it has."""

    station: str
    point_count: int


# ── Samples in ──────────────────────────────────────────────────────────────────────────────────────────────


class Reject(_Reply, frozen=True, kw_only=True):
    """A sample that was refused. `index` is its row in what was sent, `line` its line of text from 1."""

    code: str
    detail: str = ""
    series: int | None = None
    index: int | None = None
    line: int | None = None
    count: int = 1


class IngestResult(_Reply, frozen=True, kw_only=True):
    """What became of every sample. `skipped` had no value (NaN, null) and was not sent.

    `rejects` are named, `rejects_omitted` only counted. All else is on disk.
    """

    accepted: int = 0
    duplicate: int = 0
    replaced: int = 0
    conflict: int = 0
    rejected: int = 0
    quarantined: int = 0
    rejects: list[Reject] = []
    rejects_listed_max: int = 0
    rejects_omitted: int = 0
    seq: int = 0
    durable: bool = True
    skipped: int = 0


# ── Samples out ─────────────────────────────────────────────────────────────────────────────────────────────


class SampleRow(_Reply, frozen=True, kw_only=True):
    """A sample as stored; a value of None is a gap. `quality` has the bits of the interface's page."""

    point: str
    time: datetime.datetime
    value: float | None
    quality: int


class Sample(_Reply, frozen=True, kw_only=True):
    """At most one sample; `time` and `value` are None where there is none."""

    point: str
    unit: str
    label: TimeLabel
    asked: datetime.datetime
    mode: str
    time: Time
    value: float | None
    quality: str
    origin: str
    renamed_to: str = ""


class PlotPixels(_Reply, frozen=True, kw_only=True):
    """Columns of equal length, an entry for each pixel column that has a sample; `index` counts from the left."""

    index: list[int]
    first_time: list[datetime.datetime]
    first: list[float | None]
    last_time: list[datetime.datetime]
    last: list[float | None]
    min_time: list[datetime.datetime]
    min: list[float | None]
    max_time: list[datetime.datetime]
    max: list[float | None]
    quality: list[str]
    count: list[int]


class PlotGaps(_Reply, frozen=True, kw_only=True):
    """Where nothing may be drawn."""

    start: list[datetime.datetime]
    end: list[datetime.datetime]


class PlotDoubts(_Reply, frozen=True, kw_only=True):
    """Stretches that are not all good, with the worst quality in each."""

    start: list[datetime.datetime]
    end: list[datetime.datetime]
    quality: list[str]


class Plot(_Reply, frozen=True, kw_only=True):
    """What a chart of `width` pixel columns shows."""

    point: str
    unit: str
    label: TimeLabel
    start: datetime.datetime
    end: datetime.datetime
    width: int
    pixels: PlotPixels
    gaps: PlotGaps
    doubts: PlotDoubts
    renamed_to: str = ""


class SummaryRow(_Reply, frozen=True, kw_only=True):
    """Figures of a range; `total` is value × hours, in `total_unit`."""

    point: str
    start: datetime.datetime
    end: datetime.datetime
    unit: str
    total_unit: str
    min: float | None
    min_time: Time
    max: float | None
    max_time: Time
    mean: float | None
    total: float | None
    std: float | None
    count: int
    good_share: float | None


class GapRow(_Reply, frozen=True, kw_only=True):
    """A stretch in which expected samples are missing, and why."""

    start: datetime.datetime
    end: datetime.datetime
    missing_count: int
    cause: str
    detail: str


class RevisionRow(_Reply, frozen=True, kw_only=True):
    """One version of one sample; `state` is superseded, current or deleted."""

    time: datetime.datetime
    value: float | None
    quality: str
    origin: str
    sequence: int
    arrived_at: datetime.datetime
    source: str
    reason: str
    state: Literal["superseded", "current", "deleted"]


class LatestRow(_Reply, frozen=True, kw_only=True):
    """The sample of a point that is newest by time; `age_s` counts from the end of its period. `quality` has the bits."""

    point: str
    station: str | None
    unit: str
    time: Time
    value: float | None
    quality: int
    age_s: float | None
    is_stale: bool


class SampleState(_Reply, frozen=True, kw_only=True):
    """A sample before or after an edit."""

    value: float | None
    quality: str
    origin: str
    is_deleted: bool


class SampleChange(_Reply, frozen=True, kw_only=True):
    """A sample that changes; `old` is None where there was none."""

    time: datetime.datetime
    old: SampleState | None
    new: SampleState


class MovedRollups(_Reply, frozen=True, kw_only=True):
    """Local periods whose figures move."""

    time_zone: str
    days: list[str]
    months: list[str]
    years: list[str]


class Edited(_Reply, frozen=True, kw_only=True):
    """What an edit changed, or with `dry_run` would change."""

    point: str
    unit: str
    label: TimeLabel
    kind: str
    reason: str
    author: str
    dry_run: bool
    changed: int
    unchanged: int
    missing: int
    changes: list[SampleChange]
    rollups: MovedRollups
    seq: int
    renamed_to: str = ""


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────


class CurveSummary(_Reply, frozen=True, kw_only=True):
    """Figures of one day."""

    max: float | None
    max_start: Time
    max_end: Time
    min: float | None
    min_start: Time
    min_end: Time
    mean: float | None
    load_factor: float | None
    min_load_factor: float | None
    peak_valley_difference: float | None
    peak_valley_rate: float | None
    energy: float | None
    energy_unit: str
    utilisation_hours: float | None
    simultaneity: float | None
    expected: int
    received: int
    estimated: int
    events: list[str]


class CurveOverlay(_Reply, frozen=True, kw_only=True):
    """Another day under the same clock times."""

    offset: str
    date: str
    values: list[float | None]
    states: list[str]
    summary: CurveSummary


class RollupRow(_Reply, frozen=True, kw_only=True):
    """A point's figures of a period, flat. What was not asked for, or what the point does not have, is None."""

    point: str
    period_start: datetime.datetime
    period: str | None = None
    period_end: Time = None
    energy: float | None = None
    unit: str | None = None
    max_demand: float | None = None
    max_demand_unit: str | None = None
    max_time: Time = None
    max_end: Time = None
    min: float | None = None
    min_time: Time = None
    min_end: Time = None
    mean: float | None = None
    load_factor: float | None = None
    utilisation_hours: float | None = None
    coverage_expected: int | None = None
    coverage_received: int | None = None
    coverage_good: int | None = None
    coverage_measured: int | None = None
    coverage_estimated: int | None = None
    coverage_manual: int | None = None
    method: str | None = None
    state: str | None = None
    revision: int | None = None
    computed_at: Time = None
    algorithm: int | None = None
    tou_sharp: float | None = None
    tou_peak: float | None = None
    tou_flat: float | None = None
    tou_valley: float | None = None
    tou_deep_valley: float | None = None
    tou_undivided: float | None = None
    tariff: str | None = None
    warnings: str | None = None
    events: str | None = None


class ChangeRow(_Reply, frozen=True, kw_only=True):
    """A local day of a point that got other figures."""

    point: str
    date: datetime.date
    revision: int
    is_complete: bool
    changed_at: datetime.datetime
    is_locked: bool


class Changes(_Reply, frozen=True, kw_only=True):
    """Changes in order; `next` goes on after them. `is_reset`: some were forgotten before they were asked for."""

    changes: list[ChangeRow]
    next: str
    is_reset: bool


class CarbonFactor(_Reply, frozen=True, kw_only=True):
    """A factor as it was used; `value` is None where `hours` has one for each hour."""

    id: str
    version: int
    value: float | None
    unit: str
    basis: str
    region: str
    year: int | None
    hours: list[float]
    source: str


class CarbonRow(_Reply, frozen=True, kw_only=True):
    """Carbon of one point, period and direction. Rows of different `direction` are never added."""

    point: str
    period: str
    period_start: datetime.datetime
    period_end: datetime.datetime
    direction: str
    carrier: str
    energy: float | None
    unit: str
    co2: float | None
    co2_unit: str | None
    factors: list[CarbonFactor]
    kgce: float | None
    coal_factors: list[CarbonFactor]
    state: str
    warnings: list[str] = []
    energy_in_no_hour: float | None = None


class CarbonTotal(_Reply, frozen=True, kw_only=True):
    """The sum of those rows of a period that add up."""

    period_start: datetime.datetime
    period_end: datetime.datetime
    direction: str
    carrier: str
    energy: float | None
    unit: str
    co2: float | None
    co2_unit: str | None
    kgce: float | None
    points: int
    state: str


class Carbon(_Reply, frozen=True, kw_only=True):
    """Carbon by point and period; `totals` only where several points were asked for."""

    period: str
    basis: str
    rows: list[CarbonRow]
    totals: list[CarbonTotal]


# ── Terms, calendars, locks ─────────────────────────────────────────────────────────────────────────────────


class Statement(_Reply, frozen=True, kw_only=True):
    """Something stated of a point; `state` is withdrawn where it was taken back."""

    number: int
    term: Term
    valid_from: Time
    recorded_at: datetime.datetime
    author: str
    reason: str
    state: str
    valid_to: Time = None
    withdrawn_at: Time = None
    withdrawn_reason: str = ""


class TermInForce(_Reply, frozen=True, kw_only=True):
    """A term over the time for which it holds."""

    term: Term
    valid_from: Time
    valid_to: Time


class Step(_Reply, frozen=True, kw_only=True):
    """A multiplier or a capacity from a time on."""

    valid_from: Time
    value: float


class Terms(_Reply, frozen=True, kw_only=True):
    """What holds of a point, and all that was ever stated."""

    point: str
    in_force: list[TermInForce]
    multiplier: list[Step]
    capacity: list[Step]
    statements: list[Statement]
    renamed_to: str = ""


class TariffInfo(_Reply, frozen=True, kw_only=True):
    """A calendar and the version in force."""

    id: str
    version: int
    name_zh: str
    name_en: str
    region: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    options: list[str]
    flags: list[str]


class TariffVersion(_Reply, frozen=True, kw_only=True):
    """One version of a calendar."""

    calendar: TariffCalendar
    recorded_at: Time
    author: str
    reason: str


class DayFlag(_Reply, frozen=True, kw_only=True):
    """That a day was one of those a calendar asks for."""

    number: int
    date: datetime.date
    flag: str
    recorded_at: datetime.datetime
    author: str
    reason: str
    withdrawn_at: Time = None


class Tariff(_Reply, frozen=True, kw_only=True):
    """A calendar in all its versions; the last is in force."""

    id: str
    versions: list[TariffVersion]
    flags: list[DayFlag]


class Band(_Reply, frozen=True, kw_only=True):
    """A stretch of a day in one band; None: in none."""

    start: datetime.datetime
    end: datetime.datetime
    band: str | None


class TariffDay(_Reply, frozen=True, kw_only=True):
    """The bands of a local day."""

    id: str
    version: int
    date: datetime.date
    time_zone: str
    bands: list[Band]
    warnings: list[str]


class LockedPeriod(_Reply, frozen=True, kw_only=True):
    """A lock of the days `first_day` to `last_day`, both inside."""

    number: int
    point: str
    period: str
    first_day: datetime.date
    last_day: datetime.date
    time_zone: str
    energy: float | None
    locked_at: datetime.datetime
    author: str
    reason: str
    unlocked_at: Time = None
    unlock_author: str = ""
    unlock_reason: str = ""


# ── Operations ──────────────────────────────────────────────────────────────────────────────────────────────


class DriverInfo(_Reply, frozen=True, kw_only=True):
    """One driver: how it is, when data came last, what it counted."""

    name: str
    protocol: str
    station: str
    address: str
    state: str
    since: Time
    last_data: Time
    last_error: str
    last_error_at: Time
    restart_count: int
    counters: dict[str, int]


class Health(_Reply, frozen=True, kw_only=True):
    """The process answers."""

    status: str
    version: str = ""


class Readiness(_Reply, frozen=True, kw_only=True):
    """Durable writes are possible; the rest counts what is stored."""

    status: str
    sequence: int = 0
    point_count: int = 0
    segment_count: int = 0
    segment_bytes: int = 0
    wal_bytes: int = 0
    unsealed_sample_count: int = 0
    quarantined_sample_count: int = 0
    damage: list[str] = []


Plain = dict[str, Any]
