"""What answers hold, as structs. Times are datetimes in UTC; None where there is none. New fields of later versions are ignored."""

import datetime
from typing import Literal

import msgspec

from historian.model.point import PointKind, TimeLabel

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
    """A station in one line, in kW and kWh; maximum, mean, energy and completeness are of today so far."""

    station: str
    point_count: int
    name_zh: str = ""
    name_en: str = ""
    power: float | None = None
    power_time: Time = None
    max_power: float | None = None
    max_time: Time = None
    mean_power: float | None = None
    energy: float | None = None
    capacity: float | None = None
    load_ratio: float | None = None
    age_s: float | None = None
    overdue_count: int = 0
    completeness: float | None = None
    drivers_down: int = 0
    reasons: list[str] = []


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


class Suspicion(_Reply, frozen=True, kw_only=True):
    """The values of a point may have the wrong magnitude; `factor` would set them right where it is known."""

    point: str
    station: str
    kind: str
    against: str
    factor: float | None
    numbers: dict[str, float]
    advice: str
    start: datetime.datetime
    end: datetime.datetime


class CompletenessRow(_Reply, frozen=True, kw_only=True):
    """What came of the samples that were due, by point, station, item or day; the others of these are None."""

    point: str | None = None
    station: str | None = None
    item: str | None = None
    day: str | None = None
    expected: int
    received: int
    good: int
    missing: int
    completeness: float | None
    on_time: float | None = None
    delay_median_s: float | None = None
    delay_max_s: float | None = None


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
