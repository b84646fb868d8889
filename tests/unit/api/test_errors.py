"""Every error of the product becomes a problem reply; nothing shows a stack trace."""

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from api import problem
from api.errors import answer_problems, prefers_chinese, problem_of, problem_response
from api.problem import Fault, Problem, ProblemKind
from historian import errors


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.PointNotFound("S1.P"), problem.POINT_NOT_FOUND),
        (errors.PointConflict("taken"), problem.POINT_CONFLICT),
        (errors.PointInvalid("range"), problem.POINT_INVALID),
        (errors.UnitError("kW to kvar"), problem.UNIT_MISMATCH),
        (errors.TimeError("no offset"), problem.INVALID_TIME),
        (errors.QueryTooLarge("too many"), problem.QUERY_TOO_LARGE),
        (errors.QueryError("no"), problem.QUERY_REFUSED),
        (errors.QueueFull(3), problem.QUEUE_FULL),
        (errors.StoreReadOnly("disk_reserve", "512 MiB left"), problem.DISK_RESERVE),
        (errors.StoreReadOnly("log_failed", "EIO"), problem.LOG_FAILED),
        (errors.WalFailed("EIO"), problem.LOG_FAILED),
        (errors.SegmentCorrupt("a", "bad CRC"), problem.STORE_FAULT),
        (errors.CatalogueError("a", "locked"), problem.STORE_FAULT),
        (errors.ProtocolError("?"), problem.INTERNAL_ERROR),
    ],
    ids=lambda value: value.slug if isinstance(value, ProblemKind) else type(value).__name__,
)
def test_an_error_of_the_tree_has_its_problem(error: errors.HistorianError, kind: ProblemKind) -> None:
    found = problem_of(error)
    assert found.kind is kind
    assert str(error) in found.en


def test_a_full_queue_says_when_to_come_back() -> None:
    assert problem_of(errors.QueueFull(7)).headers == {"Retry-After": "7"}


def test_a_failed_log_says_when_to_come_back_and_a_full_disk_does_not() -> None:
    assert "Retry-After" in problem_of(errors.WalFailed("EIO")).headers
    assert "Retry-After" not in problem_of(errors.StoreReadOnly("disk_reserve", "full")).headers


@pytest.mark.parametrize(
    ("header", "is_chinese"),
    [
        ("", False),
        ("zh", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", True),
        ("en-US,en;q=0.9,zh;q=0.8", False),
        ("fr;q=0.9", False),
        ("zh;q=0.1, en;q=0.2", False),
        ("ZH-Hant", True),
        ("zh;q=nonsense", False),
    ],
)
def test_the_language_is_the_one_the_client_prefers(header: str, is_chinese: bool) -> None:
    assert prefers_chinese(header) is is_chinese


@pytest.mark.parametrize(("language", "detail"), [("en", "no point"), ("zh-CN", "没有")])
def test_the_detail_is_in_that_language(language: str, detail: str) -> None:
    request = make_mocked_request("GET", "/x", headers={"Accept-Language": language})
    fault = Problem(problem.POINT_NOT_FOUND, "no point", "没有", faults=(Fault("en", "zh", pointer="/a"),))
    body = msgspec.json.decode(problem_response(request, fault).body or b"")
    assert body["detail"] == detail
    assert body["type"] == "/problems/point-not-found"
    assert body["code"] == "point_not_found"
    assert body["status"] == 404
    assert body["errors"] == [{"detail": language[:2], "pointer": "/a"}]


async def test_a_fault_of_ours_is_answered_without_a_trace() -> None:
    async def fail(request: web.Request) -> web.Response:
        raise ZeroDivisionError("secret inside")

    app = web.Application(middlewares=[answer_problems])
    app.router.add_get("/", fail)
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/")
        text = await response.text()
    assert response.status == 500
    assert response.content_type == "application/problem+json"
    assert "Traceback" not in text
    assert "secret" not in text


async def test_a_reply_that_broke_in_the_middle_is_cut_and_not_completed() -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"[1,")
        raise ZeroDivisionError

    app = web.Application(middlewares=[answer_problems])
    app.router.add_get("/", fail)
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/")
        with pytest.raises(Exception, match=r"(?i)payload|disconnected|connection"):
            await response.read()
