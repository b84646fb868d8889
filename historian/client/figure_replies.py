"""What answers about figures, terms, calendars and locks hold; as `replies`."""

import datetime

import msgspec

from historian.client.replies import Time
from historian.model.tariff import TariffCalendar
from historian.model.term import Term


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Every struct here: frozen, by name."""


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
