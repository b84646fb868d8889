"""Bodies of requests and replies. The OpenAPI file is made from these structs, so they are the documentation.

Columns that are written by `json_columns` are `msgspec.Raw` here, with the schema of what they hold.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from historian.catalogue.item_check import Notice
from historian.energy.coverage import Coverage
from historian.model.point import PointKind, TimeLabel
from historian.model.ports import OnConflict


def _column(item: dict[str, Any], description: str) -> Meta:
    return Meta(extra_json_schema={"type": "array", "items": item, "description": description})


Times = Annotated[
    Raw, _column({"type": ["string", "integer"]}, "RFC 3339 in UTC, or epoch ms where asked for.")
]
LocalTimes = Annotated[
    Raw, _column({"type": "string", "format": "date-time"}, "The same in the zone of `tz`.")
]
Values = Annotated[Raw, _column({"type": ["number", "null"]}, "In `unit`; null is a gap.")]
Validities = Annotated[
    Raw,
    _column({"type": ["string", "object"]}, "good, suspect, bad or missing; objects with `quality=full`."),
]
Origins = Annotated[Raw, _column({"type": "string"}, "measured, estimated, substituted, manual, derived …")]
States = Annotated[Raw, _column({"type": "string"}, "What each slot's value rests on.")]
Counts = Annotated[Raw, _column({"type": "integer"}, "How many.")]
Time = Annotated[str | int | None, Meta(description="RFC 3339 in UTC, or epoch ms where asked for.")]
RangeLimits = tuple[float | None, float | None]


# ── Points ──────────────────────────────────────────────────────────────────────────────────────────────────


class PointBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point as a client describes it; `name` is taken from the path where there is one."""

    name: str | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    kind: PointKind | UnsetType = UNSET
    interval: str | UnsetType = UNSET
    label: TimeLabel | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    station: str | UnsetType = UNSET
    item: str | UnsetType = UNSET
    name_zh: str | UnsetType = UNSET
    name_en: str | UnsetType = UNSET
    range: RangeLimits | UnsetType | None = UNSET
    multiplier: float | UnsetType = UNSET
    capacity: float | UnsetType | None = UNSET
    source: str | UnsetType = UNSET
    valid_from: str | int | UnsetType = UNSET


class PointReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One point. `renamed_to` appears where it was asked for under a former name, `warnings` after it was made or changed."""

    id: int
    name: str
    unit: str
    kind: PointKind
    interval: str
    label: TimeLabel
    time_zone: str
    station: str
    item: str
    name_zh: str
    name_en: str
    range: RangeLimits | None
    multiplier: float
    capacity: float | None
    source: str
    renamed_to: str = ""
    warnings: list[Notice] = []


class PointsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of points; `next` is the cursor of the page after it, absent on the last."""

    points: list[PointReply]
    count: int
    next: str = ""


class PointReject(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a bulk request that was not made."""

    index: int
    name: str
    code: str
    detail: str


class PointsMadeReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each point of a bulk request."""

    created: int
    existing: int
    rejected: int
    rejects: list[PointReject]
    points: list[PointReply]


# ── Ingest ──────────────────────────────────────────────────────────────────────────────────────────────────


class IngestSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Samples of one point in columns. Elements are checked one by one, so that a bad one costs only itself."""

    point: str | int
    times: list[Any]  # RFC 3339 or epoch ms; any other element is that sample's fault alone
    values: list[Any]  # numbers; likewise
    quality: list[Any] | None = None  # words or u16 bits; likewise
    unit: str | None = None


class IngestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /ingest."""

    series: list[IngestSeries]
    on_conflict: OnConflict | UnsetType = UNSET


class Reject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refused sample, or a refused series (`count` samples, no index). `line` counts lines of text from 1."""

    code: str
    detail: str
    series: int | None = None
    index: int | None = None
    line: int | None = None
    count: int = 1


class IngestReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every sample. `rejects` lists at most `rejects_listed_max`; the rest is `rejects_omitted`.

    Of the `rejected`, `quarantined` are not lost: they are on disk, where a person decides on them.
    """

    accepted: int
    duplicate: int
    replaced: int
    conflict: int
    rejected: int
    quarantined: int
    rejects: list[Reject]
    rejects_listed_max: int
    rejects_omitted: int
    seq: int
    durable: Literal[True] = True


# ── Samples ─────────────────────────────────────────────────────────────────────────────────────────────────


class SamplesReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Samples of one point in columns of equal length; a period is stamped with its start."""

    point: str
    unit: str
    label: TimeLabel
    start: Time
    end: Time
    times: Times
    values: Values
    quality: Validities
    origin: Origins
    times_local: LocalTimes | UnsetType = UNSET
    time_zone: str = ""
    interval: str = ""
    renamed_to: str = ""
    next: str = ""


class SampleReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At most one sample; where there is none `time` and `value` are null and quality is missing."""

    point: str
    unit: str
    label: TimeLabel
    asked: Time
    mode: str
    time: Time
    value: float | None
    quality: str | dict[str, Any]
    origin: str
    time_local: str = ""
    renamed_to: str = ""


class PlotPixels(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of equal length, one entry for each pixel column that has a sample; `index` counts from the left."""

    index: Counts
    first_time: Times
    first: Values
    last_time: Times
    last: Values
    min_time: Times
    min: Values
    max_time: Times
    max: Values
    quality: Validities
    count: Counts


class PlotGaps(msgspec.Struct, frozen=True, kw_only=True):
    """Where nothing may be drawn."""

    start: Times
    end: Times


class PlotDoubts(msgspec.Struct, frozen=True, kw_only=True):
    """Stretches that are not all good, with the worst quality in each."""

    start: Times
    end: Times
    quality: Validities


class PlotReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chart of `width` pixel columns shows: extremes, gaps and doubtful stretches are never lost."""

    point: str
    unit: str
    label: TimeLabel
    start: Time
    end: Time
    width: int
    pixels: PlotPixels
    gaps: PlotGaps
    doubts: PlotDoubts
    renamed_to: str = ""


class SummaryRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Figures of one slot of one point. `total` is value × hours, in `total_unit`."""

    point: str
    start: Time
    end: Time
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
    start_local: str = ""
    end_local: str = ""
    min_time_local: str = ""
    max_time_local: str = ""


class SummaryReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row a slot, or one row in all."""

    point: str
    unit: str
    label: TimeLabel
    basis: str
    rows: list[SummaryRow]
    renamed_to: str = ""


class GapRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch in which expected samples are missing, and why as far as it is known."""

    start: Time
    end: Time
    missing_count: int
    cause: str
    detail: str
    start_local: str = ""
    end_local: str = ""


class GapsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All gaps of the range."""

    point: str
    start: Time
    end: Time
    gaps: list[GapRow]
    renamed_to: str = ""


class LatestRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sample newest by time; `age_s` counts from the end of its period."""

    point: str
    station: str
    unit: str
    label: TimeLabel
    time: Time
    value: float | None
    quality: str | dict[str, Any]
    origin: str
    age_s: float | None
    is_stale: bool
    time_local: str = ""


class LatestReply(msgspec.Struct, frozen=True, kw_only=True):
    """One row a point, in the order asked."""

    now: Time
    latest: list[LatestRow]


# ── Load curves and energy ──────────────────────────────────────────────────────────────────────────────────


class CurveSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one day. `peak_valley_difference` is max − min, `peak_valley_rate` its share of max, `load_factor`
    mean ÷ max, `min_load_factor` min ÷ max, `utilisation_hours` energy ÷ max; all from unrounded values. `expected` and
    `received` count samples, `estimated` slots of which a part was estimated or substituted. `simultaneity` of a sum, where
    asked for: its maximum ÷ the sum of the points' maxima. `events`: what counters did (``rollover``, ``exchange`` …).
    """

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


class CurveOverlay(msgspec.Struct, frozen=True, kw_only=True):
    """Another day's curve, slot by slot under the same clock time; null where that day has no such slot or value."""

    offset: str
    date: str
    values: Values
    states: States
    summary: CurveSummary


class LoadCurveReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A day in slots, as columns of equal length: 96 of 15 minutes, 92 or 100 where clocks change.

    `labels` is the axis: clock time of each slot's start (00:00 … 23:45) or end (00:15 … 24:00), as `label` says;
    `starts` and `ends` are instants. For several points values are sums and `missing_points` counts, slot by slot,
    the points whose value is missing in the sum.
    """

    unit: str
    date: str
    time_zone: str
    interval: str
    label: str
    labels: list[str]
    starts: Times
    ends: Times
    values: Values
    states: States
    counts: Counts
    quality: Validities
    summary: CurveSummary
    compare: list[CurveOverlay]
    point: str = ""
    points: list[str] = []
    station: str = ""
    missing_points: Counts | UnsetType = UNSET
    renamed_to: str = ""


class TouReply(msgspec.Struct, frozen=True, kw_only=True):
    """Energy by band of the time-of-use calendar, in the row's `unit`. `undivided` is in the total and in no band."""

    sharp: float | None
    peak: float | None
    flat: float | None
    valley: float | None
    deep_valley: float | None
    undivided: float | None


class TouRegisterReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the meter's own rate registers counted; `difference` is what its total has beyond their sum. `balance` is

    ``unbalanced`` where that exceeds the last digits of all registers, ``unknown`` where these were not stated.
    """

    sharp: float | None
    peak: float | None
    flat: float | None
    valley: float | None
    deep_valley: float | None
    difference: float | None
    balance: str


class BillingDemandReply(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum demand (最大需量) over ``[start, end)``; windows slid by `slide_s`, -1 where no demand was asked for."""

    value: float | None
    start: Time
    end: Time
    slide_s: int


class LockReply(msgspec.Struct, frozen=True, kw_only=True):
    """The lock of a final row, `number` -1 where there is none. `correction` is ``pending`` where figures would be others

    now: `pending_energy` and `pending_max_demand` are those.
    """

    number: int
    locked_at: Time
    correction: str
    pending_energy: float | None
    pending_max_demand: float | None


class RollupReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The figures of one point's period, with their evidence; see RollupRow for what each means.

    `tou` to `events` are there where a point asked for has a tariff or a demand, `lock` where a row is locked.

    `unit` is that of `energy`, `max_demand_unit` that of maximum, minimum and mean; empty where a sum over time
    means nothing. `max_time` and `min_time` are where the slot begins. `utilisation_hours` is energy ÷ maximum; of days
    only where asked for by name.
    """

    point: str
    period: str
    period_start: Time
    period_end: Time
    energy: float | None
    unit: str
    max_demand: float | None
    max_demand_unit: str
    max_time: Time
    max_end: Time
    min: float | None
    min_time: Time
    min_end: Time
    mean: float | None
    load_factor: float | None
    utilisation_hours: float | UnsetType | None = UNSET
    coverage: Coverage
    method: str
    state: str
    revision: int
    computed_at: Time
    algorithm: int = 1
    tou: TouReply | UnsetType = UNSET
    tou_register: TouRegisterReply | UnsetType = UNSET
    tariff: str | UnsetType = UNSET
    warnings: str | UnsetType = UNSET
    billing_demand: BillingDemandReply | UnsetType = UNSET
    events: str | UnsetType = UNSET
    lock: LockReply | UnsetType = UNSET
    period_start_local: str = ""
    period_end_local: str = ""
    max_time_local: str = ""
    min_time_local: str = ""


class RollupsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows by point, then by period."""

    period: str
    rows: list[RollupReply]
    time_zone: str = ""


class RevisionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Every revision of one figure, oldest first; the last is the one in force."""

    point: str
    period: str
    date: str
    revisions: list[RollupReply]


# ── Operations ──────────────────────────────────────────────────────────────────────────────────────────────


class DriverReply(msgspec.Struct, frozen=True, kw_only=True):
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


class DriversReply(msgspec.Struct, frozen=True, kw_only=True):
    """All configured drivers."""

    drivers: list[DriverReply]


class HealthReply(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"]
    version: str


class ReadyReply(msgspec.Struct, frozen=True, kw_only=True):
    """Durable writes are possible."""

    status: Literal["ready"]
    sequence: int
    point_count: int
    segment_count: int
    segment_bytes: int
    wal_bytes: int
    unsealed_sample_count: int
    quarantined_sample_count: int
    damage: list[str]
    audit: str = "ok"  # or why nothing can be written down: then corrections and configuration wait
