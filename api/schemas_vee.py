"""Bodies of validation, estimation and dry runs; the OpenAPI file is made from them as from `schemas`."""

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.schemas import Time
from api.schemas_edits import Author, MovedRollups, Reason, TimeIn
from historian.energy.estimate_inputs import EstimateRecord
from historian.model.rules import Rules
from historian.model.tariff import TariffCalendar
from historian.model.term import Term

# ── Validation ──────────────────────────────────────────────────────────────────────────────────────────────


class ValidationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules on trial for ``[start, end)``, in place of those in force. Nothing is stored."""

    rules: Rules
    start: TimeIn
    end: TimeIn


class FindingReply(msgspec.Struct, frozen=True, kw_only=True):
    """Samples in a row that break one rule; of rule ``missing`` the gap where `count` did not come.

    `worst` is the value that breaks it most. `mark` is null where the rule only tells. `detail` are the thresholds.
    """

    rule: str
    start: Time
    end: Time
    count: int
    worst: float | None
    mark: Literal["suspect", "bad"] | None
    detail: dict[str, float]


class UncheckedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is asked for and could not be looked for: it states no threshold, and no capacity is known."""

    rule: str
    start: Time
    end: Time


class ValidationReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rules find. `samples` are all in the range, of which so many are marked; `is_cut`: more was found than is told."""

    point: str
    unit: str
    start: Time
    end: Time
    findings: list[FindingReply]
    unchecked: list[UncheckedReply]
    samples: int
    suspect: int
    bad: int
    is_cut: bool
    renamed_to: str = ""


# ── Estimation ──────────────────────────────────────────────────────────────────────────────────────────────


class StretchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[start, end)``."""

    start: TimeIn
    end: TimeIn


class EstimatesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fill what is missing in ``[start, end)``.

    `like_days` in place of the same weekdays of the three weeks before. `alternate` is another meter of the same.
    `register` scales the values to what it counted; without it the register that a ``check`` of the point names does.
    `outages` are stretches without power, where the value is zero: a source that was silent is none.
    """

    start: TimeIn
    end: TimeIn
    reason: Reason
    author: Author = ""
    like_days: list[datetime.date] | UnsetType = UNSET
    alternate: str | UnsetType = UNSET
    register: str | UnsetType = UNSET
    outages: Annotated[list[StretchBody], Meta(max_length=1000)] | UnsetType = UNSET


class EstimatedSample(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed sample."""

    time: Time
    value: float


class EstimatesReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was estimated, or with `dry_run` would be, and how.

    `unchanged` estimates are stored so already; `overtaken` samples were measured meanwhile, and stand. `number` is that of the entry in the list of estimates, `seq` the store's; 0 where nothing was written.
    """

    point: str
    unit: str
    dry_run: bool
    count: int
    unchanged: int
    samples: list[EstimatedSample]
    record: EstimateRecord
    rollups: MovedRollups
    number: int
    seq: int
    overtaken: int = 0
    renamed_to: str = ""


class EstimateEntryReply(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the list; `seq` is null where storing was interrupted."""

    number: int
    start: Time
    end: Time
    count: int
    record: EstimateRecord
    recorded_at: Time
    author: str
    reason: str
    seq: int | None


class EstimateListReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Estimates of a point by rising number; `next` goes on after them."""

    point: str
    estimates: list[EstimateEntryReply]
    renamed_to: str = ""
    next: str = ""


# ── Dry runs ────────────────────────────────────────────────────────────────────────────────────────────────


class TrialMultiplier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A multiplier from a time on; without one from the beginning."""

    value: Annotated[float, Meta(gt=0)]
    valid_from: TimeIn | UnsetType = UNSET


class DryRunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to try on some points, or on a station's: a term from `valid_from` on, a multiplier, a calendar, or several.

    `from` and `to` are local dates, `to` the one after the last. Without `valid_from` a term holds from the beginning.
    """

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    points: list[str] | UnsetType = UNSET
    station: str | UnsetType = UNSET
    term: Term | UnsetType = UNSET
    valid_from: TimeIn | UnsetType = UNSET
    valid_to: TimeIn | UnsetType = UNSET
    multiplier: TrialMultiplier | UnsetType = UNSET
    calendar: TariffCalendar | UnsetType = UNSET
