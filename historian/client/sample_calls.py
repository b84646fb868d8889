"""Calls about samples: recorded, at a time, interpolated, plotted, summed, missing, corrected; and the newest."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from historian.client.exchange import API, ARROW, Call, Page, Pages, Query, Reply, Request, decoder, given
from historian.client.moment import Day, Moment, bound_text, moment_text, optional_text
from historian.client.point_calls import json_request, path_of
from historian.client.replies import (
    CompletenessRow,
    Edited,
    GapRow,
    LatestRow,
    Plot,
    RevisionRow,
    Sample,
    SampleRow,
    SummaryRow,
    Suspicion,
)
from historian.client.table import ArrowTable, StructTable, Table

Row = TypeVar("Row")

Boundary = Literal["inside", "outside", "interpolated"]
Order = Literal["asc", "desc"]
AtMode = Literal["before", "after", "exact", "interpolated"]
EditKind = Literal["correct", "estimate", "delete", "undelete", "restore"]

PAGE_SAMPLES: Final = 100_000


class _Summaries(msgspec.Struct):
    unit: str
    label: str
    basis: str
    rows: list[SummaryRow]


class _Gaps(msgspec.Struct):
    gaps: list[GapRow]


class _Completeness(msgspec.Struct):
    rows: list[CompletenessRow]


class _Suspicions(msgspec.Struct):
    suspicions: list[Suspicion]


class _Revisions(msgspec.Struct):
    unit: str
    label: str
    revisions: list[RevisionRow]
    next: str = ""


def recorded(
    point: str | int,
    start: Moment,
    end: Moment,
    *,
    boundary: Boundary = "inside",
    order: Order = "asc",
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Table[SampleRow]]:
    """Samples of ``[start, end)`` as stored, all of them. Raises Problem 422 where they are too many for one answer."""
    query = (
        *span(start, end),
        *given(boundary=boundary, order=order, as_of=optional_text("as_of", as_of), unit=unit),
    )
    return Call(Request("GET", path_of(point, "/recorded"), query, accept=ARROW), arrow_table(SampleRow))


def recorded_pages(
    point: str | int,
    start: Moment,
    end: Moment,
    *,
    order: Order = "asc",
    as_of: Moment | None = None,
    unit: str | None = None,
    page_size: int = PAGE_SAMPLES,
) -> Pages[Table[SampleRow]]:
    """The same in tables of `page_size` samples, for ranges of any length; correct while data arrive."""
    call = recorded(point, start, end, order=order, as_of=as_of, unit=unit)
    request = call.request._replace(query=(*call.request.query, ("limit", str(page_size))))

    def page(reply: Reply) -> Page[Table[SampleRow]]:
        table = call.read(reply)
        return Page([table], table.next)

    return Pages(Call(request, page))


def at(
    point: str | int,
    time: Moment,
    *,
    mode: AtMode = "before",
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Sample]:
    """The sample at, before or after a moment, or the value interpolated there."""
    query = given(time=moment_text("time", time), mode=mode, as_of=optional_text("as_of", as_of), unit=unit)
    return Call(Request("GET", path_of(point, "/at"), query), decoder(Sample))


def interpolated(
    point: str | int,
    start: Moment,
    end: Moment,
    *,
    interval: str | None = None,
    gaps: Literal["break", "hold"] = "break",
    max_gap: str | None = None,
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Table[SampleRow]]:
    """A value every `interval` (such as ``15m``; the point's own where absent); gaps break the row unless held."""
    given_query = given(
        interval=interval, gaps=gaps, max_gap=max_gap, as_of=optional_text("as_of", as_of), unit=unit
    )
    query = (*span(start, end), *given_query)
    return Call(Request("GET", path_of(point, "/interpolated"), query, accept=ARROW), arrow_table(SampleRow))


def plot(
    point: str | int,
    start: Moment,
    end: Moment,
    *,
    width: int = 1000,
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Plot]:
    """First, last, lowest and highest of each of `width` pixel columns, gaps and doubtful stretches apart."""
    query = (*span(start, end), *given(width=str(width), as_of=optional_text("as_of", as_of), unit=unit))
    return Call(Request("GET", path_of(point, "/plot"), query), decoder(Plot))


def summary(
    point: str | int,
    start: Moment,
    end: Moment,
    *,
    interval: str | None = None,
    basis: Literal["time", "event"] = "time",
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Table[SummaryRow]]:
    """Figures of the range, or of each `interval` in it."""
    query = (
        *span(start, end),
        *given(interval=interval, basis=basis, as_of=optional_text("as_of", as_of), unit=unit),
    )
    read = decoder(_Summaries)

    def table(reply: Reply) -> Table[SummaryRow]:
        told = read(reply)
        return StructTable(told.rows, {"unit": told.unit, "label": told.label, "basis": told.basis})

    return Call(Request("GET", path_of(point, "/summary"), query), table)


def gaps(point: str | int, start: Moment, end: Moment, *, as_of: Moment | None = None) -> Call[Table[GapRow]]:
    """Where samples are missing, and why."""
    query = (*span(start, end), *given(as_of=optional_text("as_of", as_of)))
    read = decoder(_Gaps)
    return Call(
        Request("GET", path_of(point, "/gaps"), query), lambda reply: StructTable(read(reply).gaps, {})
    )


def revisions(
    point: str | int,
    start: Moment,
    end: Moment | None = None,
    *,
    unit: str | None = None,
    page_size: int = 1000,
) -> Pages[RevisionRow]:
    """Every version of the sample at `start`, or of all of ``[start, end)``; the oldest version of each first."""
    asked = given(time=moment_text("start", start)) if end is None else span(start, end)
    query = (*asked, *given(unit=unit, limit=str(page_size)))
    read = decoder(_Revisions)

    def page(reply: Reply) -> Page[RevisionRow]:
        told = read(reply)
        return Page(told.revisions, told.next)

    return Pages(Call(Request("GET", path_of(point, "/revisions"), query), page))


def edit(
    point: str | int,
    kind: EditKind,
    *,
    reason: str,
    author: str = "",
    times: Sequence[Moment] | None = None,
    values: Sequence[float] | None = None,
    quality: str | None = None,
    unit: str | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    as_of: Moment | None = None,
    dry_run: bool = False,
) -> Call[Edited]:
    """Correct, estimate, delete, undelete or restore samples; `dry_run` only tells what would change.

    ``correct`` and ``estimate`` take `times` and `values`; ``delete`` and ``undelete`` take `times` or `start` and `end`;
    ``restore`` takes `start`, `end` and `as_of`. The same edit again changes nothing.
    """
    body: dict[str, Any] = {"kind": kind, "reason": reason, "author": author}
    moments = {"start": start, "end": end, "as_of": as_of}
    body |= {name: moment_text(name, moment) for name, moment in moments.items() if moment is not None}
    columns = {"values": values, "quality": quality, "unit": unit}
    body |= {name: column for name, column in columns.items() if column is not None}
    if times is not None:
        body["times"] = [_body_time(time) for time in times]
    request = json_request("POST", path_of(point, "/edits"), body)
    query = given(dry_run="true" if dry_run else None)
    return Call(request._replace(query=query), decoder(Edited))


def latest(
    *,
    points: Sequence[str] | None = None,
    station: str | None = None,
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Table[LatestRow]]:
    """The newest sample of each point, by time, with age and stale mark."""
    query = (*whose(points, station), *given(as_of=optional_text("as_of", as_of), unit=unit))
    return Call(Request("GET", f"{API}/latest", query, accept=ARROW), arrow_table(LatestRow))


def query(
    kind: Literal["recorded", "at", "interpolated", "plot", "summary", "latest", "gaps"],
    *,
    points: Sequence[str] | None = None,
    station: str | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    time: Moment | None = None,
    interval: str | None = None,
    as_of: Moment | None = None,
    unit: str | None = None,
) -> Call[Table[dict[str, Any]]]:
    """One of the questions above about many points in one call; rows by point, as plain values."""
    moments = {"start": start, "end": end, "time": time, "as_of": as_of}
    asked: dict[str, Any] = {name: moment_text(name, one) for name, one in moments.items() if one is not None}
    others = {"points": points, "station": station, "interval": interval}
    asked |= {name: other for name, other in others.items() if other is not None}
    request = json_request("POST", f"{API}/query", {"kind": kind, **asked})
    whole = request._replace(query=given(unit=unit), accept=ARROW)
    return Call(whole, arrow_table(dict[str, Any]))


def completeness(
    first: Day | Moment,
    end: Day | Moment,
    *,
    by: Literal["point", "station", "item", "day"] = "point",
    points: Sequence[str] | None = None,
    station: str | None = None,
    delays: bool = False,
) -> Call[Table[CompletenessRow]]:
    """What came of the samples that were due on the local days from `first` to before `end`."""
    bounds = (("from", bound_text("first", first)), ("to", bound_text("end", end)))
    asked = (*bounds, *given(by=by, delays="1" if delays else None), *whose(points, station))
    read = decoder(_Completeness)
    return Call(
        Request("GET", f"{API}/completeness", asked), lambda reply: StructTable(read(reply).rows, {"by": by})
    )


def suspicions(
    start: Moment, end: Moment, *, points: Sequence[str] | None = None, station: str | None = None
) -> Call[list[Suspicion]]:
    """Points whose values may have the wrong magnitude, with numbers and what to look at; nothing is changed."""
    read, asked = decoder(_Suspicions), (*span(start, end), *whose(points, station))
    return Call(Request("GET", f"{API}/suspicions", asked), lambda reply: read(reply).suspicions)


def span(start: Moment, end: Moment) -> Query:
    """``start=`` and ``end=``."""
    return given(start=moment_text("start", start), end=moment_text("end", end))


def whose(points: Sequence[str] | None, station: str | None) -> Query:
    """``points=`` or ``station=``."""
    return given(points=None if points is None else ",".join(points), station=station)


def arrow_table(row_type: type[Row]) -> Callable[[Reply], Table[Row]]:
    """Reads an Arrow stream as a table of such rows."""
    return lambda reply: ArrowTable(reply.body, row_type, reply.headers.get("x-next-cursor", ""))


def _body_time(time: Moment) -> str | int:
    return time if isinstance(time, int) else moment_text("times", time)
