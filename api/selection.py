"""Which points a request is about: one in the path, a list, or a station."""

from collections import OrderedDict
from functools import cached_property
from typing import Final, NamedTuple

import msgspec
import numpy as np
from aiohttp import web

from api import problem
from api.caller import identity_of
from api.context import ApiContext
from api.latest_form import LatestForm
from api.params import Params
from api.problem import Problem
from api.reach import Points, points_of
from historian.errors import QueryTooLarge
from historian.model.point import Point

_Key = tuple[str | None, tuple[str, ...], frozenset[str] | None]

SELECTIONS_MAX: Final = 16  # each weighs some hundred bytes a point


class Selection:
    """The points that some question is about, in the order asked, and what was worked out for them."""

    def __init__(self, points: list[Point]) -> None:
        self.points = points
        self.ids = np.array([point.id for point in points], np.uint32)

    @cached_property
    def names(self) -> list[str]:
        """In their order."""
        return [point.name for point in self.points]

    @cached_property
    def names_json(self) -> msgspec.Raw:
        """The names as a JSON list, written once."""
        return msgspec.Raw(msgspec.json.encode(self.names))

    @cached_property
    def latest(self) -> LatestForm:
        """How their newest samples are written."""
        return LatestForm(self.points)


class Selections:
    """Those asked for last; all are forgotten when a point is made or changed."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._kept: OrderedDict[_Key, Selection] = OrderedDict()
        self._revision = -1

    def of(self, request: web.Request, params: Params) -> Selection:
        """The points of ``points=`` or ``station=`` within the caller's reach. Raises Problem, PointNotFound, QueryTooLarge."""
        key = (*params.once(_key_of), identity_of(request).stations)
        revision = self._context.registry.revision
        if revision != self._revision:
            self._kept.clear()
            self._revision = revision
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Selection(
                select_points(points_of(request), params, self._context.settings.query.points_max)
            )
            if len(self._kept) > SELECTIONS_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found


class Named(NamedTuple):
    """A point, and its present name where it was asked for under a former one."""

    point: Point
    renamed_to: str


def _key_of(params: Params) -> tuple[str | None, tuple[str, ...]]:
    return params.text("station"), tuple(params.names("points"))


def path_point(request: web.Request) -> Named:
    """The point of the path. Raises PointNotFound."""
    return find_point(points_of(request), request.match_info["point"])


def find_point(points: Points, name: str) -> Named:
    """The point of that name, former name or id. Raises PointNotFound."""
    point = points.get(name)
    return Named(point, point.name if points.former_name_of(name) else "")


def select_points(known: Points, params: Params, points_max: int) -> list[Point]:
    """The points of ``points=`` or ``station=``, each once. Raises Problem, PointNotFound, QueryTooLarge."""
    names = params.names("points")
    station = params.text("station")
    if names and station is not None:
        raise Problem.of_parameter("station", "and points exclude each other", "不能与 points 同时给出")
    if station is not None:
        points = known.list(None, station, None, 0, points_max + 1)
        if not points:
            raise Problem(
                problem.STATION_NOT_FOUND,
                f"no point belongs to station {station!r}",
                f"厂站 {station!r} 没有测点",
            )
    elif names:
        points = list({point.id: point for point in map(known.get, names)}.values())
    else:
        raise Problem.of_parameter("points", "or station is required", "与 station 必须给出一个")
    if len(points) > points_max:
        raise QueryTooLarge(f"more than {points_max} points are asked for; ask in parts")
    return points


SELECTIONS: Final = web.AppKey("selections", Selections)
