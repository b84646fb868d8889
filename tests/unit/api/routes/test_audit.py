"""The trail over HTTP: filters, pages, forms; reading it is on record."""

import csv
import io

from api.routes.audit import OPERATIONS
from historian.audit.recorder import Recorder
from historian.model.access import Right
from historian.model.audit import AuditEntry, Kind
from tests.unit.api.conftest import Api

SINCE = "since=2026-01-01T00:00:00Z"


async def fill(trail: Recorder, count: int = 5) -> None:
    for number in range(count):
        await trail.record(AuditEntry(kind=Kind.EDIT, who="li", who_kind="person", object=f"p{number}"))


async def test_pages_in_their_order_and_the_reading_itself(api: Api, trail: Recorder) -> None:
    await fill(trail)
    first = await api.get_json(f"/api/v1/audit?{SINCE}&limit=4")
    assert [one["number"] for one in first["records"]] == [1, 2, 3, 4]
    second = await api.get_json(f"/api/v1/audit?{SINCE}&limit=4&cursor={first['next']}")
    assert [one["kind"] for one in second["records"]][:3] == ["edit", "edit", "audit_read"]
    assert second["next"] == ""
    assert second["anchor"] == str(trail.status().anchor)


async def test_pages_of_one_record_come_to_an_end_though_reading_them_is_told(
    api: Api, trail: Recorder
) -> None:
    await fill(trail)
    cursor, pages = "", 0
    while pages == 0 or cursor:
        told = await api.get_json(f"/api/v1/audit?{SINCE}&limit=1{cursor and f'&cursor={cursor}'}")
        cursor, pages = told["next"], pages + 1
        assert pages < 20
    assert pages in (7, 8)  # 6 records, the first reading, perhaps the count of the others


async def test_filters(api: Api, trail: Recorder) -> None:
    await fill(trail)
    of_kind = await api.get_json("/api/v1/audit?kind=audit_read")
    assert [one["action"] for one in of_kind["records"]] == ["getAudit"]
    found = await api.get_json("/api/v1/audit?who=li&object=p3&until=2026-11-23T00:00:00Z")
    assert [one["object"] for one in found["records"]] == ["p3"]
    assert (await api.get_json("/api/v1/audit?since=2026-11-23T00:00:00Z"))["records"] == []


async def test_as_csv(api: Api, trail: Recorder) -> None:
    await fill(trail, 2)
    text = await (await api.get(f"/api/v1/audit?{SINCE}&who=li&format=csv")).text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["who"], row["object"]) for row in rows] == [("li", "p0"), ("li", "p1")]


async def test_wrong_questions_are_told(api: Api) -> None:
    await api.problem("/api/v1/audit?kind=gossip", 400, "invalid-parameter")
    await api.problem("/api/v1/audit?since=yesterday", 400, "invalid-time")
    await api.problem("/api/v1/audit?cursor=abc", 400, "invalid-cursor")


def test_only_who_may_see_the_trail_is_asked_in() -> None:
    assert [operation.right for operation in OPERATIONS] == [Right.AUDIT]
