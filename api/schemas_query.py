"""Bodies of questions about many points, and what is answered to them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

QueryKind = Literal["recorded", "interpolated", "at", "plot", "summary", "latest"]
_Names = Annotated[
    list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1, description="Names, former names or ids.")
]
_TimeIn = Annotated[str | int, Meta(description="RFC 3339 with an offset, or epoch milliseconds.")]
_Whole = Annotated[int, Meta(ge=1, le=10**9)]


class QueryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question about `points` or about those of a `station`. The rest is as in the routes of one point.

    `limit` is the number of samples on a page for `recorded`, of points for all others.
    """

    kind: QueryKind
    points: _Names | UnsetType = UNSET
    station: str | UnsetType = UNSET
    start: _TimeIn | UnsetType = UNSET
    end: _TimeIn | UnsetType = UNSET
    time: _TimeIn | UnsetType = UNSET
    as_of: _TimeIn | UnsetType = UNSET
    boundary: Literal["inside", "outside", "interpolated"] | UnsetType = UNSET
    order: Literal["asc", "desc"] | UnsetType = UNSET
    mode: Literal["before", "after", "exact", "interpolated"] | UnsetType = UNSET
    interval: str | UnsetType = UNSET
    gaps: Literal["break", "hold"] | UnsetType = UNSET
    max_gap: str | UnsetType = UNSET
    width: _Whole | UnsetType = UNSET
    basis: Literal["time", "event"] | UnsetType = UNSET
    limit: _Whole | UnsetType = UNSET
    cursor: str | UnsetType = UNSET


class RollupsBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    rename={"from_": "from"},
):  # fmt: skip
    """The parameters of ``GET /rollups`` that say what is asked; the form of the answer stays in the address."""

    from_: _TimeIn
    to: _TimeIn
    points: _Names | UnsetType = UNSET
    station: str | UnsetType = UNSET
    period: Literal["day", "month", "year", "billing"] | UnsetType = UNSET
    cutoff_day: _Whole | UnsetType = UNSET
    cuts: list[str] | UnsetType = UNSET
    as_of: _TimeIn | UnsetType = UNSET
    fields: list[str] | UnsetType = UNSET


class QueryFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why one point has no answer, in the words of a problem."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class QueryReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry a point, in the order asked: what the route of one point answers, or `point` and `error`.

    With `next` there is more: ask the same with it as `cursor`.
    """

    kind: QueryKind
    results: list[dict[str, Any]]
    next: str = ""
