"""Calls about points, what is stated of them, calendars, drivers and the process itself."""

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from historian.client.exchange import (
    API,
    JSON,
    Call,
    Page,
    Pages,
    Reply,
    Request,
    decode_anything,
    decoder,
    given,
)
from historian.client.figure_replies import Statement, Tariff, TariffDay, TariffInfo, Terms
from historian.client.moment import Day, Moment, day_text, moment_text, optional_text
from historian.client.replies import (
    DriverInfo,
    Health,
    PointAttributes,
    PointInfo,
    PointsMade,
    Readiness,
    StationRow,
)
from historian.model.tariff import TariffCalendar
from historian.model.term import Term

T = TypeVar("T")


class _PointsReply(msgspec.Struct):
    points: list[PointInfo]
    next: str = ""


class _Stations(msgspec.Struct):
    stations: list[StationRow]


class _Drivers(msgspec.Struct):
    drivers: list[DriverInfo]


class _Tariffs(msgspec.Struct):
    tariffs: list[TariffInfo]


def path_of(point: str | int, rest: str = "") -> str:
    """The path of a point, by name or id."""
    return f"{API}/points/{urllib.parse.quote(str(point), safe='')}{rest}"


def points(
    *, match: str | None = None, station: str | None = None, item: str | None = None, page_size: int = 1000
) -> Pages[PointInfo]:
    """Points by rising id; `match` is a pattern such as ``hall.*``."""
    query = given(match=match, station=station, item=item, limit=str(page_size))
    read = decoder(_PointsReply)

    def page(reply: Reply) -> Page[PointInfo]:
        told = read(reply)
        return Page(told.points, told.next)

    return Pages(Call(Request("GET", f"{API}/points", query), page))


def point(name: str | int) -> Call[PointInfo]:
    """One point, by name, former name or id. Raises Problem 404."""
    return Call(Request("GET", path_of(name)), decoder(PointInfo))


def put_point(name: str, attributes: PointAttributes) -> Call[PointInfo]:
    """Make the point, or change it; `unit` and `kind` are required."""
    return Call(json_request("PUT", path_of(name), attributes), decoder(PointInfo))


def patch_point(name: str | int, attributes: PointAttributes) -> Call[PointInfo]:
    """Change the attributes that are given; `name` renames. Not sent again after a lost connection."""
    request = json_request("PATCH", path_of(name), attributes)
    return Call(request._replace(is_repeatable=False), decoder(PointInfo))


def make_points(attributes: Sequence[PointAttributes]) -> Call[PointsMade]:
    """Make many points; one that cannot be made costs only itself, those that are there are left as they are."""
    return Call(json_request("POST", f"{API}/points", list(attributes)), decoder(PointsMade))


def stations() -> Call[list[StationRow]]:
    """All stations that have a point."""
    return _list(f"{API}/stations", _Stations, lambda told: told.stations)


def terms(name: str | int, *, as_of: Moment | None = None) -> Call[Terms]:
    """What was stated of a point, and what holds when."""
    query = given(as_of=optional_text("as_of", as_of))
    return Call(Request("GET", path_of(name, "/terms"), query), decoder(Terms))


def state_term(
    name: str | int,
    term: Term,
    *,
    valid_from: Moment,
    reason: str,
    author: str = "",
    valid_to: Moment | None = None,
) -> Call[Statement]:
    """State a tariff, a meter exchange, a register …; figures follow. Not sent again after a lost connection."""
    body = {
        "term": term,
        "valid_from": moment_text("valid_from", valid_from),
        "reason": reason,
        "author": author,
    }
    if valid_to is not None:
        body["valid_to"] = moment_text("valid_to", valid_to)
    request = json_request("POST", path_of(name, "/terms"), body)
    return Call(request._replace(is_repeatable=False), decoder(Statement))


def tariffs() -> Call[list[TariffInfo]]:
    """All time-of-use calendars."""
    return _list(f"{API}/tariffs", _Tariffs, lambda told: told.tariffs)


def tariff(tariff_id: str) -> Call[Tariff]:
    """One calendar in all its versions. Raises Problem 404."""
    return Call(Request("GET", f"{API}/tariffs/{urllib.parse.quote(tariff_id, safe='')}"), decoder(Tariff))


def put_tariff(calendar: TariffCalendar, *, reason: str, author: str = "") -> Call[Tariff]:
    """Put a calendar, or the next version of one. Not sent again after a lost connection."""
    path = f"{API}/tariffs/{urllib.parse.quote(calendar.id, safe='')}"
    request = json_request("PUT", path, {"calendar": calendar, "reason": reason, "author": author})
    return Call(request._replace(is_repeatable=False), decoder(Tariff))


def tariff_day(
    tariff_id: str, date: Day, *, tz: str | None = None, options: Sequence[str] = ()
) -> Call[TariffDay]:
    """The bands of a local day."""
    query = given(date=day_text("date", date), tz=tz, options=",".join(options) or None)
    path = f"{API}/tariffs/{urllib.parse.quote(tariff_id, safe='')}/day"
    return Call(Request("GET", path, query), decoder(TariffDay))


def drivers() -> Call[list[DriverInfo]]:
    """All configured drivers, and how each is."""
    return _list(f"{API}/drivers", _Drivers, lambda told: told.drivers)


def driver(name: str) -> Call[DriverInfo]:
    """One driver. Raises Problem 404."""
    return Call(Request("GET", f"{API}/drivers/{urllib.parse.quote(name, safe='')}"), decoder(DriverInfo))


def health() -> Call[Health]:
    """Whether the process answers."""
    return Call(Request("GET", f"{API}/healthz"), decoder(Health))


def ready() -> Call[Readiness]:
    """Whether durable writes are possible. Raises Problem 503 where they are not."""
    return Call(Request("GET", f"{API}/readyz"), decoder(Readiness))


def plain(
    method: Literal["GET", "PUT", "PATCH", "POST"],
    path: str,
    query: Mapping[str, str] | None = None,
    body: object = None,
) -> Call[Any]:
    """Any other operation as plain values: ``plain("GET", "/factors")``. Only GET is sent again after a lost connection."""
    pairs = tuple((query or {}).items())
    request = Request(method, API + path) if body is None else json_request(method, API + path, body)
    return Call(request._replace(query=pairs, is_repeatable=method == "GET"), decode_anything)


def json_request(method: str, path: str, body: object) -> Request:
    """A request with a JSON body."""
    return Request(method, path, body=msgspec.json.encode(body), content_type=JSON)


def _list(path: str, reply_type: type[T], entries: Callable[[T], list[Any]]) -> Call[list[Any]]:
    read = decoder(reply_type)
    return Call(Request("GET", path), lambda reply: entries(read(reply)))
