"""Which points a request is about: one in the path, a list, or a station."""

from typing import NamedTuple

from aiohttp import web

from api import problem
from api.context import CONTEXT, ApiContext
from api.params import Params
from api.problem import Problem
from historian.catalogue.registry import Registry
from historian.errors import QueryTooLarge
from historian.model.point import Point


class Named(NamedTuple):
    """A point, and its present name where it was asked for under a former one."""

    point: Point
    renamed_to: str


def path_point(request: web.Request) -> Named:
    """The point of the path. Raises PointNotFound."""
    return find_point(request.app[CONTEXT].registry, request.match_info["point"])


def find_point(registry: Registry, name: str) -> Named:
    """The point of that name, former name or id. Raises PointNotFound."""
    point = registry.get(name)
    return Named(point, point.name if registry.former_name_of(name) else "")


def select_points(context: ApiContext, params: Params) -> list[Point]:
    """The points of ``points=`` or ``station=``, each once. Raises Problem, PointNotFound, QueryTooLarge."""
    names = params.names("points")
    station = params.text("station")
    if names and station is not None:
        raise Problem.of_parameter("station", "and points exclude each other", "不能与 points 同时给出")
    limit = context.settings.query.points_max
    if station is not None:
        points = context.registry.list(None, station, None, 0, limit + 1)
        if not points:
            raise Problem(
                problem.STATION_NOT_FOUND,
                f"no point belongs to station {station!r}",
                f"厂站 {station!r} 没有测点",
            )
    elif names:
        points = list({point.id: point for point in map(context.registry.get, names)}.values())
    else:
        raise Problem.of_parameter("points", "or station is required", "与 station 必须给出一个")
    if len(points) > limit:
        raise QueryTooLarge(f"more than {limit} points are asked for; ask in parts")
    return points
