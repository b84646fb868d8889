"""Lanes: so many at once, the others in their order, too many are told to come back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import make_mocked_request

from api import lane
from api.lane import Lane
from api.problem import Problem
from historian.metrics import Metrics
from historian.settings import ServerSettings, Settings
from tests.unit.api.conftest import Api


def make_lane(at_once: int = 1, waiting_max: int = 10, wait_s: float = 60) -> Lane:
    return Lane(at_once, waiting_max, wait_s, Metrics().counter("historian_busy_total", ""))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_others_wait_and_come_in_their_order() -> None:
    one, order = make_lane(), []

    async def pass_through(name: str) -> None:
        await one.take()
        order.append(name)

    tasks = [asyncio.create_task(pass_through(name)) for name in "abc"]
    await settle()
    assert order == ["a"]
    assert one.waiting_count == 2
    for expected in ("ab", "abc"):
        one.give_back()
        await settle()
        assert "".join(order) == expected
    await asyncio.gather(*tasks)


async def test_too_many_are_told_to_come_back() -> None:
    full = make_lane(waiting_max=0)
    await full.take()
    with pytest.raises(Problem) as told:
        await full.take()
    assert told.value.kind.status == 503
    assert told.value.headers["Retry-After"] == str(lane.RETRY_AFTER_S)


async def test_who_waits_too_long_is_told_to_come_back_and_waits_no_more() -> None:
    slow = make_lane(wait_s=0.01)
    await slow.take()
    with pytest.raises(Problem, match="come back"):
        await slow.take()
    assert slow.waiting_count == 0
    slow.give_back()
    await slow.take()


async def test_one_that_leaves_just_when_it_is_its_turn_passes_it_on() -> None:
    one = make_lane()
    await one.take()
    first, second = asyncio.create_task(one.take()), asyncio.create_task(one.take())
    await settle()
    one.give_back()
    first.cancel()
    await asyncio.wait([first, second], timeout=5)
    assert second.done()
    assert not second.cancelled()


async def test_work_gives_its_ticket_back_even_when_it_fails() -> None:
    one = make_lane()
    request = make_mocked_request("GET", "/")

    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await lane.within(request, one, fail)
    await one.take()


async def test_what_waits_for_its_client_is_not_in_the_lane() -> None:
    one = make_lane()
    request = make_mocked_request("GET", "/")

    async def work() -> str:
        async with lane.outside(request):
            await one.take()  # somebody else
            one.give_back()
        assert one._free == 0
        return "done"

    assert await lane.within(request, one, work) == "done"
    assert one._free == 1


async def test_outside_of_a_lane_nothing_changes() -> None:
    async with lane.outside(make_mocked_request("GET", "/")):
        pass


class TestOnTheServer:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(wide_at_once=1, lane_waiting_max=0))

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/latest?points=a", 503),
            ("/api/v1/points/a/recorded?start=0&end=1", 503),
            ("/api/v1/points/a/load-curve?date=2026-11-21", 200),
            ("/healthz", 200),
        ],
    )
    async def test_load_curves_wait_for_no_wide_question(self, api: Api, path: str, status: int) -> None:
        await api.put_point("a")
        hold: Callable[[], Awaitable[None]] = lane_of(api).take
        await hold()
        answer = await api.get(path)
        assert answer.status == status
        assert ("Retry-After" in answer.headers) == (status == 503)
        lane_of(api).give_back()


def lane_of(api: Api) -> Lane:
    return api.app[lane.LANES].wide
