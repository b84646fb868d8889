"""The short way to an operation leads where aiohttp's own search leads, or nowhere."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from api.routing import Routing

PATHS = ("/a", "/a/{x}", "/a/{x}/b", "/a/c/b", "/a/{x}/{y}", "/file/{name:.+}")


async def answer(request: web.Request) -> web.StreamResponse:
    return web.Response()


def make() -> tuple[web.Application, Routing]:
    app = web.Application()
    routing = Routing(app)
    for path in PATHS:
        routing.add(path, app.router.add_get(path, answer), answer)
    return app, routing


def request_of(path: str, method: str = "GET", **headers: str) -> web.Request:
    return make_mocked_request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("path", "variables"),
    [
        ("/a", {}),
        ("/a/1", {"x": "1"}),
        ("/a/1/b", {"x": "1"}),
        ("/a/c/b", {}),
        ("/a/1/2", {"x": "1", "y": "2"}),
        ("/a/%E7%94%B5%20%2F%25/b", {"x": "电 /%"}),
        ("/a/1?x=2", {"x": "1"}),
    ],
)
async def test_it_finds_what_aiohttp_finds(path: str, variables: dict[str, str]) -> None:
    app, routing = make()
    request = request_of(path)
    theirs = await app.router.resolve(request)
    assert routing.find(request) is answer
    assert dict(request.match_info) == dict(theirs) == variables
    assert request.match_info.route is theirs.route
    assert request.app is app


@pytest.mark.parametrize(
    "path", ["/", "/b", "/a/", "/a//b", "/a/1/b/c", "/a/{x}", "/a/c/d", "/file/1", "/a/1/"]
)
def test_what_is_not_surely_an_operation_is_left_to_aiohttp(path: str) -> None:
    _, routing = make()
    assert routing.find(request_of(path)) is None  # /a/c/d: a fixed segment stands before a variable one


def test_other_methods_and_expectations_are_left_to_aiohttp() -> None:
    _, routing = make()
    assert routing.find(request_of("/a", "HEAD")) is None
    assert routing.find(request_of("/a", "POST")) is None
    assert routing.find(request_of("/a", Expect="100-continue")) is None
