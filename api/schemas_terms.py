"""Bodies of terms and of time-of-use calendars; the OpenAPI file is made from them as from `schemas`."""

import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas import Time
from api.schemas_edits import Author, Reason, TimeIn
from historian.model.tariff import TariffCalendar
from historian.model.term import Term

# ── Terms ───────────────────────────────────────────────────────────────────────────────────────────────────


class TermBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the point for ``[valid_from, valid_to)``; without an end until another of its kind takes its place.

    An ``exchange`` or a ``reset`` happens at `valid_from`.
    """

    term: Term
    valid_from: TimeIn
    reason: Reason
    author: Author = ""
    valid_to: TimeIn | UnsetType = UNSET


class WithdrawBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a statement, a flag or a lock is taken back."""

    reason: Reason
    author: Author = ""


class StatementReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A statement as it was recorded; `state` is ``withdrawn`` where it was taken back."""

    number: int
    term: Term
    valid_from: Time
    recorded_at: Time
    author: str
    reason: str
    state: str
    valid_to: Time = None
    withdrawn_at: Time = None
    withdrawn_reason: str = ""


class TermInForce(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A term over the time for which it holds; null: without beginning or end."""

    term: Term
    valid_from: Time
    valid_to: Time


class StepReply(msgspec.Struct, frozen=True, kw_only=True):
    """A multiplier or a capacity from a time on; null: from the beginning."""

    valid_from: Time
    value: float


class TermsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds of a point, and all that was ever stated about it."""

    point: str
    in_force: list[TermInForce]
    multiplier: list[StepReply]
    capacity: list[StepReply]
    statements: list[StatementReply]
    renamed_to: str = ""


# ── Calendars ───────────────────────────────────────────────────────────────────────────────────────────────


class TariffSummary(msgspec.Struct, frozen=True, kw_only=True):
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


class TariffsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All calendars by id."""

    tariffs: list[TariffSummary]


class TariffVersionReply(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a calendar."""

    calendar: TariffCalendar
    recorded_at: Time
    author: str
    reason: str


class TariffReply(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar in all its versions, the first one first; the last is in force."""

    id: str
    versions: list[TariffVersionReply]
    flags: list["DayFlagReply"]


class TariffBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new calendar, or the next version of a known one."""

    calendar: TariffCalendar
    reason: Reason
    author: Author = ""


class BandReply(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a day in one band; null: in none."""

    start: Time
    end: Time
    band: str | None


class TariffDayReply(msgspec.Struct, frozen=True, kw_only=True):
    """The bands of a local day, and what was not known of it."""

    id: str
    version: int
    date: str
    time_zone: str
    bands: list[BandReply]
    warnings: list[str]


class DayFlagBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a day was one of those a calendar asks for, such as a hot one."""

    date: datetime.date
    flag: str
    reason: Reason
    author: Author = ""


class DayFlagReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A flag as it was recorded."""

    number: int
    date: datetime.date
    flag: str
    recorded_at: Time
    author: str
    reason: str
    withdrawn_at: Time = None


class MovedFigure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A period of which figures would move, and from what to what; energies in `unit`. A locked one keeps its own."""

    point: str
    period: str
    date: str
    unit: str
    before: dict[str, Any]
    after: dict[str, Any]
    locked: bool = False


class DryRunReply(msgspec.Struct, frozen=True, kw_only=True):
    """What would move; nothing was changed. `looked_at` counts the days that were computed both ways."""

    dry_run: bool
    looked_at: int
    moved_days: int
    moved_months: int
    rows: list[MovedFigure]
    is_cut: bool


# ── Locks ───────────────────────────────────────────────────────────────────────────────────────────────────


class LockedPeriod(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lock of the days `first_day` to `last_day`, both inside, by the clock of `time_zone`."""

    number: int
    point: str
    period: str
    first_day: datetime.date
    last_day: datetime.date
    time_zone: str
    energy: float | None
    locked_at: Time
    author: str
    reason: str
    unlocked_at: Time = None
    unlock_author: str = ""
    unlock_reason: str = ""


class LocksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Locks by point, in the order of their making."""

    locks: list[LockedPeriod]


# ── Changes ─────────────────────────────────────────────────────────────────────────────────────────────────


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A local day of a point that has other figures. `is_locked`: it lies in a locked period, which keeps its own."""

    point: str
    date: str
    revision: int
    is_complete: bool
    changed_at: Time
    is_locked: bool


class ChangesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Changes in the order they happened; `next` goes on after them, and stays good where there are none yet."""

    changes: list[ChangeRow]
    next: str
    is_reset: bool
