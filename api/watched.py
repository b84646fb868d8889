"""Which points a watch is about: named ones, those of a station or of an item, or all; and over which local days."""

import datetime
import re
from typing import Final

import numpy as np
from aiohttp import web

from api import problem
from api.operation import POINTS, STATION, Parameter
from api.params import Params
from api.problem import Problem
from api.reach import points_of
from api.selection import SELECTIONS
from historian.energy.calendar import DateRange
from historian.errors import QueryTooLarge
from historian.model.sample import PointIdColumn

ITEM: Final = Parameter("item", "All points of this item of the standard, such as T2.06.", {"type": "string"})
WATCHED: Final = (POINTS, STATION, ITEM)
MONTH: Final = Parameter(
    "month",
    "A month, such as 2026-11.",
    {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    is_required=True,
)


def watched_ids(request: web.Request, params: Params, points_max: int | None = None) -> PointIdColumn:
    """Ids by ``points=``, or by ``station=`` and ``item=``; all where none is given.

    Raises Problem, PointNotFound, QueryTooLarge for more than `points_max`.
    """
    if params.names("points") and params.text("item") is not None:
        raise Problem.of_parameter("item", "and points exclude each other", "不能与 points 同时给出")
    if params.names("points"):
        return request.app[SELECTIONS].of(request, params).ids
    station, item = params.text("station"), params.text("item")
    if station is not None:
        check_station(request, station)
    ids = points_of(request).select_ids(None, station, item)
    if points_max is not None and len(ids) > points_max:
        raise QueryTooLarge(f"{len(ids)} points are asked for, {points_max} allowed; ask by station or item")
    return np.ascontiguousarray(ids)


def check_station(request: web.Request, station: str) -> None:
    """Raise Problem where no point belongs to the station, or it is not within reach of the caller."""
    if not len(points_of(request).select_ids(None, station, limit=1)):
        raise Problem(
            problem.STATION_NOT_FOUND,
            f"no point belongs to station {station!r}",
            f"厂站 {station!r} 没有测点",
        )


def month_of(params: Params) -> DateRange:
    """The days of ``month=``. Raises Problem."""
    text = params.required_text("month")
    try:
        if not re.fullmatch(r"\d{4}-\d{2}", text):
            raise ValueError(text)
        first = datetime.date.fromisoformat(f"{text}-01")
        return DateRange(first, (first + datetime.timedelta(days=31)).replace(day=1))
    except (ValueError, OverflowError) as error:
        raise Problem.of_parameter(
            "month", f"{text!r} is not a month such as 2026-11", f"{text!r} 不是月份（例如 2026-11）"
        ) from error
