"""Which points a request is about."""

import msgspec
import pytest
from multidict import MultiDict

from api import problem, selection
from api.context import ApiContext
from api.params import Params
from api.problem import Problem
from historian.errors import PointNotFound, QueryTooLarge
from historian.model.point import PointDraft, PointKind
from historian.settings import QuerySettings


def select(context: ApiContext, **query: str) -> list[str]:
    points_max = context.settings.query.points_max
    found = selection.select_points(context.registry, Params(MultiDict(query)), points_max)
    return [point.name for point in found]


@pytest.fixture
def context(context: ApiContext) -> ApiContext:
    drafts = [
        PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS, station=station)
        for name, station in (("a", "S1"), ("b", "S2"), ("c", "S1"))
    ]
    context.registry.create_many(drafts)
    return context


def test_points_are_named_in_order_and_each_once(context: ApiContext) -> None:
    assert select(context, points="c,a,c,1") == ["c", "a"]


def test_a_station_is_all_its_points(context: ApiContext) -> None:
    assert select(context, station="S1") == ["a", "c"]


def test_one_of_both_is_needed_and_not_both(context: ApiContext) -> None:
    for query in ({}, {"points": "a", "station": "S1"}):
        with pytest.raises(Problem) as caught:
            select(context, **query)
        assert caught.value.kind is problem.INVALID_PARAMETER


def test_what_is_not_there_is_told(context: ApiContext) -> None:
    with pytest.raises(PointNotFound):
        select(context, points="a,x")
    with pytest.raises(Problem) as caught:
        select(context, station="S9")
    assert caught.value.kind is problem.STATION_NOT_FOUND


@pytest.mark.parametrize("query", [{"points": "a,b"}, {"station": "S1"}])
def test_too_many_points_are_refused(context: ApiContext, query: dict[str, str]) -> None:
    settings = msgspec.structs.replace(context.settings, query=QuerySettings(points_max=1))
    with pytest.raises(QueryTooLarge):
        select(context._replace(settings=settings), **query)


def test_a_former_name_tells_the_present_one(context: ApiContext) -> None:
    context.registry.rename(1, "z")
    assert selection.find_point(context.registry, "a").renamed_to == "z"
    assert selection.find_point(context.registry, "z").renamed_to == ""
    assert selection.find_point(context.registry, "1").renamed_to == ""
