"""Calls about figures: load curves, rollups, carbon, changes, locks."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from historian.client.exchange import API, ARROW, Call, Page, Pages, Query, Reply, Request, decoder, given
from historian.client.figure_replies import Carbon, ChangeRow, Changes, LockedPeriod, RollupRow
from historian.client.load_curve import LoadCurve
from historian.client.moment import Day, Moment, bound_text, day_text, optional_text
from historian.client.point_calls import json_request, path_of
from historian.client.sample_calls import arrow_table, whose
from historian.client.table import Table

Period = Literal["day", "month", "year", "billing"]


class _Locks(msgspec.Struct):
    locks: list[LockedPeriod]


def load_curve(
    point: str | int,
    date: Day,
    *,
    interval: str = "15m",
    label: Literal["start", "end"] = "end",
    compare: Sequence[str] = (),
    as_of: Moment | None = None,
    tz: str | None = None,
    unit: str | None = None,
) -> Call[LoadCurve]:
    """A local day of a point in slots; `compare` lays other days over it: ``-1d``, ``-7d`` or dates."""
    query = _curve_query(date, interval, label, compare, as_of, tz, unit)
    return Call(Request("GET", path_of(point, "/load-curve"), query), decoder(LoadCurve))


def sum_load_curve(
    date: Day,
    *,
    points: Sequence[str] | None = None,
    station: str | None = None,
    interval: str = "15m",
    label: Literal["start", "end"] = "end",
    compare: Sequence[str] = (),
    as_of: Moment | None = None,
    tz: str | None = None,
    unit: str | None = None,
) -> Call[LoadCurve]:
    """The sum of several points' curves, with what is missing in each slot."""
    query = (*whose(points, station), *_curve_query(date, interval, label, compare, as_of, tz, unit))
    return Call(Request("GET", f"{API}/load-curve", query), decoder(LoadCurve))


def _curve_query(
    date: Day,
    interval: str,
    label: str,
    compare: Sequence[str],
    as_of: Moment | None,
    tz: str | None,
    unit: str | None,
) -> Query:
    others = ",".join(compare) or None
    day, moment = day_text("date", date), optional_text("as_of", as_of)
    return given(date=day, interval=interval, label=label, compare=others, as_of=moment, tz=tz, unit=unit)


def rollups(
    first: Day | Moment,
    end: Day | Moment,
    *,
    period: Period = "day",
    points: Sequence[str] | None = None,
    station: str | None = None,
    cutoff_day: int | None = None,
    fields: Sequence[str] = (),
    as_of: Moment | None = None,
    tz: str | None = None,
    unit: str | None = None,
) -> Call[Table[RollupRow]]:
    """Energy, demand and their evidence of every period from `first` to before `end`, by point.

    `fields` asks for some figures only, which is quicker. Billing periods begin on `cutoff_day`, or as stated of the points.
    """
    query = (
        *_periods(first, end, period, cutoff_day, points, station),
        *given(fields=",".join(fields) or None, as_of=optional_text("as_of", as_of), tz=tz, unit=unit),
    )
    return Call(Request("GET", f"{API}/rollups", query, accept=ARROW), arrow_table(RollupRow))


def carbon(
    first: Day | Moment,
    end: Day | Moment,
    *,
    period: Period = "day",
    points: Sequence[str] | None = None,
    station: str | None = None,
    cutoff_day: int | None = None,
    basis: Literal["location", "market", "footprint", "none"] = "location",
    coal: Literal["equivalent", "equal_value"] = "equivalent",
    region: str | None = None,
    provisional: bool = False,
    as_of: Moment | None = None,
) -> Call[Carbon]:
    """Carbon dioxide and coal equivalent by period, each factor named."""
    query = (
        *_periods(first, end, period, cutoff_day, points, station),
        *given(basis=basis, coal=coal, region=region, provisional="1" if provisional else None),
        *given(as_of=optional_text("as_of", as_of)),
    )
    return Call(Request("GET", f"{API}/carbon", query), decoder(Carbon))


def changes_page(since: str | None = "0", *, limit: int = 1000) -> Call[Changes]:
    """Days that got other figures after the cursor `since`; ``0`` begins with the oldest, None tells only where now is."""
    return Call(Request("GET", f"{API}/changes", given(since=since, limit=str(limit))), decoder(Changes))


def changes(since: str = "0", *, page_size: int = 1000) -> Pages[ChangeRow]:
    """All of them up to now."""
    call = changes_page(since, limit=page_size)

    def page(reply: Reply) -> Page[ChangeRow]:
        told = call.read(reply)
        return Page(told.changes, told.next if told.changes else "")

    return Pages(Call(call.request, page), "since")


def locks(*, points: Sequence[str] | None = None, station: str | None = None) -> Call[list[LockedPeriod]]:
    """Locked periods of the points, those taken back too."""
    read = decoder(_Locks)
    return Call(
        Request("GET", f"{API}/rollups/locks", whose(points, station)), lambda reply: read(reply).locks
    )


def lock(
    first: Day,
    end: Day,
    *,
    reason: str,
    author: str = "",
    period: Period = "day",
    points: Sequence[str] | None = None,
    station: str | None = None,
    cutoff_day: int | None = None,
) -> Call[list[LockedPeriod]]:
    """Lock whole periods that are over, all or none. Not sent again after a lost connection."""
    read = decoder(_Locks)
    request = json_request("POST", f"{API}/rollups/locks", {"reason": reason, "author": author})
    query = _periods(first, end, period, cutoff_day, points, station)
    return Call(request._replace(query=query, is_repeatable=False), lambda reply: read(reply).locks)


def unlock(number: int, *, reason: str, author: str = "") -> Call[LockedPeriod]:
    """Take a lock back. Not sent again after a lost connection."""
    path = f"{API}/rollups/locks/{number}/unlock"
    request = json_request("POST", path, {"reason": reason, "author": author})
    return Call(request._replace(is_repeatable=False), decoder(LockedPeriod))


def _periods(
    first: Day | Moment,
    end: Day | Moment,
    period: Period,
    cutoff_day: int | None,
    points: Sequence[str] | None,
    station: str | None,
) -> Query:
    bounds = (("from", bound_text("first", first)), ("to", bound_text("end", end)))
    cutoff = None if cutoff_day is None else str(cutoff_day)
    return (*bounds, *given(period=period, cutoff_day=cutoff), *whose(points, station))
