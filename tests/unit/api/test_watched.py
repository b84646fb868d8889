"""Which points and days a watch is about."""

import datetime
from typing import Any

import pytest
from multidict import MultiDict

from api import watched
from api.caller import IDENTITY
from api.params import Params
from api.problem import Problem
from historian.energy.calendar import DateRange
from historian.model.access import Identity, Right
from tests.unit.api.conftest import Api


class Asked(dict[Any, Any]):
    """As much of a request as is looked at."""

    def __init__(self, api: Api, stations: frozenset[str] | None) -> None:
        super().__init__({IDENTITY: Identity("x", "person", frozenset({Right.READ}), stations)})
        self.app = api.app


async def test_points_of_an_item_of_a_station_or_all(api: Api) -> None:
    for name, station, item in (("a", "S", "T2.06"), ("b", "S", ""), ("c", "R", "T2.06")):
        await api.put_point(name, station=station, item=item)
    asked: Any = Asked(api, None)

    def ids(**params: str) -> list[int]:
        return watched.watched_ids(asked, Params(MultiDict(params))).tolist()

    assert (ids(), ids(station="S"), ids(item="T2.06")) == ([1, 2, 3], [1, 2], [1, 3])
    assert (ids(station="S", item="T2.06"), ids(station="S", item="none")) == ([1], [])
    with pytest.raises(Problem, match="no point belongs to station 'Q'"):
        ids(station="Q")
    with pytest.raises(Problem, match="exclude each other"):
        ids(points="a", item="T2.06")


async def test_nobody_sees_stations_out_of_reach(api: Api) -> None:
    for name, station in (("a", "S"), ("b", ""), ("c", "R")):
        await api.put_point(name, station=station)
    asked: Any = Asked(api, frozenset({"R"}))
    assert watched.watched_ids(asked, Params(MultiDict())).tolist() == [3]
    with pytest.raises(Problem, match="no point belongs to station 'S'"):
        watched.watched_ids(asked, Params(MultiDict(station="S")))
    nothing: Any = Asked(api, frozenset())
    assert watched.watched_ids(nothing, Params(MultiDict())).tolist() == []


def test_a_month_is_its_days() -> None:
    assert watched.month_of(Params(MultiDict(month="2026-12"))) == DateRange(
        datetime.date(2026, 12, 1), datetime.date(2027, 1, 1)
    )
    for text in ("2026-13", "2026-1", "2026", "9999-12", "2026-11-01"):
        with pytest.raises(Problem, match="is not a month"):
            watched.month_of(Params(MultiDict(month=text)))
