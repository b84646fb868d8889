"""Bodies of revisions, edits and the quarantine; the OpenAPI file is made from them as from `schemas`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.schemas import Time
from historian.model.decision import AUTHOR_LENGTH_MAX, REASON_LENGTH_MAX
from historian.model.point import TimeLabel
from historian.model.ports import OnConflict

Quality = str | dict[str, Any]
TimeIn = Annotated[str | int, Meta(description="RFC 3339 with an offset, or epoch milliseconds.")]
Reason = Annotated[
    str,
    Meta(
        description=f"Why: one line of at most {REASON_LENGTH_MAX} characters, kept with every sample.",
        extra_json_schema={"minLength": 1, "maxLength": REASON_LENGTH_MAX},
    ),
]
Author = Annotated[
    str,
    Meta(
        description=f"Who, in at most {AUTHOR_LENGTH_MAX} characters.",
        extra_json_schema={"maxLength": AUTHOR_LENGTH_MAX},
    ),
]

# ── Revisions ───────────────────────────────────────────────────────────────────────────────────────────────


class RevisionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one sample. `state`: ``current`` is what every answer shows, ``deleted`` what none does,

    ``superseded`` what was replaced. The higher `sequence` wins. `reason` is empty where a source sent it.
    """

    time: Time
    value: float | None
    quality: Quality
    origin: str
    sequence: int
    arrived_at: Time
    source: str
    reason: str
    state: Literal["superseded", "current", "deleted"]
    time_local: str = ""
    arrived_at_local: str = ""


class SampleRevisionsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every version of the samples asked for: by time, the oldest version of each first."""

    point: str
    unit: str
    label: TimeLabel
    revisions: list[RevisionRow]
    renamed_to: str = ""
    next: str = ""


# ── Edits ───────────────────────────────────────────────────────────────────────────────────────────────────


class EditBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edit of one point. Times are those that answers give: a period is named by its start.

    ``correct`` and ``estimate`` take `times` and `values`, and `quality` in one word for all or one each (default:
    ``manual`` and ``estimated``). ``delete`` and ``undelete`` take `times`, or `start` and `end`. ``restore`` takes
    `start`, `end` and `as_of`: all samples as they were known then.
    """

    kind: Literal["correct", "estimate", "delete", "undelete", "restore"]
    reason: Reason
    author: Author = ""
    times: list[Any] | UnsetType = UNSET
    values: list[Any] | UnsetType = UNSET
    quality: str | int | list[Any] | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    start: TimeIn | UnsetType = UNSET
    end: TimeIn | UnsetType = UNSET
    as_of: TimeIn | UnsetType = UNSET


class SampleState(msgspec.Struct, frozen=True, kw_only=True):
    """A sample before or after an edit."""

    value: float | None
    quality: Quality
    origin: str
    is_deleted: bool


class SampleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One sample that changes; `old` is null where there was none."""

    time: Time
    old: SampleState | None
    new: SampleState


class MovedRollups(msgspec.Struct, frozen=True, kw_only=True):
    """Local periods of the point whose figures move, each by its first day."""

    time_zone: str
    days: list[str]
    months: list[str]
    years: list[str]


class EditReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changed, or with `dry_run` what would. `unchanged` samples are as asked for already; `missing` counts times

    without a sample to mark. `seq` is the store's number of the edit, 0 where nothing was written.
    """

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


# ── Quarantine ──────────────────────────────────────────────────────────────────────────────────────────────


class QuarantineRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sample in the quarantine. `time` is as it came; `stored_time` what it was released under."""

    id: int
    point: str
    time: Time
    value: float
    unit: str
    quality: Quality
    origin: str
    code: str
    source: str
    arrived_at: Time
    state: Literal["kept", "released", "erased"]
    stored_time: Time = None
    decided_at: Time = None
    author: str = ""
    reason: str = ""
    time_local: str = ""
    arrived_at_local: str = ""


class QuarantineReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of the quarantine by rising id; `kept` counts all that wait for a decision."""

    kept: int
    entries: list[QuarantineRow]
    next: str = ""


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which samples to store, and under which stamp: moved by `shift` (such as ``-8h``), or one of them at `time`.

    `on_conflict` says what happens where another value is stored: it stays (``keep``), or is replaced.
    """

    ids: list[int]
    reason: Reason
    author: Author = ""
    shift: str | UnsetType = UNSET
    time: TimeIn | UnsetType = UNSET
    on_conflict: OnConflict = "keep"


class EraseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which samples to give up."""

    ids: list[int]
    reason: Reason
    author: Author = ""


class RefusedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that stays as it is."""

    id: int
    code: str
    detail: str


class DecisionReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the entries: `done` now, `already` so before, or `refused`. `kept` still wait in all."""

    done: int
    already: int
    refused: list[RefusedEntry]
    kept: int
    seq: int
