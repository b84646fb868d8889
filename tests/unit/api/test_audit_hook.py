"""Around every change a record of its beginning and one of its end; refused callers and exports on record."""

import errno
from typing import Any

import pytest

from api.audit_hook import kind_of
from api.routes import table
from historian.audit.recorder import Recorder
from historian.ingest.quarantine import Quarantine
from historian.model.access import Right, Role
from historian.model.audit import AuditEntry, AuditQuestion, AuditRecord, Change, Kind
from historian.model.timestamp import TIME_MAX_US
from historian.settings import AuditSettings, ServerSettings, Settings
from historian.store.durable import DurableFiles
from tests.support.decisions import DECISIONS, Decision, decide, prepare
from tests.support.guarded import PASSWORD, Guarded, log_in
from tests.unit.api.conftest import Api, expect_problem


@pytest.fixture
def settings() -> Settings:
    return Settings(audit=AuditSettings(export_bytes_min=2000))


async def told(trail: Recorder) -> list[AuditRecord]:
    return (await trail.read(AuditQuestion(0, TIME_MAX_US))).records[1:]


async def test_a_change_is_told_before_and_after_with_old_and_new(api: Api, trail: Recorder) -> None:
    await api.put_point("p", unit="kW")
    answer = await api.client.patch("/api/v1/points/p", json={"unit": "MW"}, headers={"X-Request-Id": "r7"})
    assert answer.status == 200, await answer.text()
    begun, done = (await told(trail))[2:]
    assert (begun.kind, begun.result, begun.object) == (Kind.CONFIG, "begun", "/api/v1/points/p")
    assert (done.result, done.begun, done.action) == ("done", begun.number, "patchPoint")
    assert (done.who, done.address, done.request_id) == ("anybody", "127.0.0.1", "r7")
    assert Change("unit", "kW", "MW") in done.changes


async def test_the_beginning_is_on_disk_when_the_handler_runs(
    api: Api, trail: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    create = type(api.context.registry).create

    def look(registry: Any, draft: Any) -> Any:
        [month] = trail.folder.glob("*.jsonl")
        seen.append(month.read_text().count('"begun"'))
        return create(registry, draft)

    monkeypatch.setattr(type(api.context.registry), "create", look)
    await api.put_point("p")
    assert seen == [1]


async def test_what_was_refused_says_with_which_problem(api: Api, trail: Recorder) -> None:
    answer = await api.client.patch("/api/v1/points/nobody", json={"unit": "MW"})
    assert answer.status == 404
    assert [(one.result, one.detail) for one in await told(trail)] == [
        ("begun", ""),
        ("refused", "point_not_found"),
    ]


async def test_while_nothing_can_be_written_changes_are_refused_and_samples_and_queries_go_on(
    api: Api, trail: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.put_point("p")

    def fail(files: DurableFiles, descriptor: int, data: memoryview, offset: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(DurableFiles, "write", fail)
        answer = await api.client.patch("/api/v1/points/p", json={"unit": "MW"})
        problem = await expect_problem(answer, 503, "audit-unavailable")
        assert "No space left" in problem["detail"]
        assert answer.headers["Retry-After"]
        assert (await api.get_json("/api/v1/points/p"))["unit"] == "kW"
        await api.ingest({"point": "p", "times": ["2026-11-22T07:00:00Z"], "values": [1.0]})
        assert "No space left" in (await api.get_json("/readyz"))["audit"]
    assert (await api.client.patch("/api/v1/points/p", json={"unit": "MW"})).status == 200
    assert (await api.get_json("/readyz"))["audit"] == "ok"


async def test_a_change_that_took_effect_is_answered_so_though_its_end_cannot_be_written(
    api: Api, trail: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, calls = DurableFiles.write, [0]

    def fail_later(files: DurableFiles, descriptor: int, data: memoryview, offset: int) -> None:
        calls[0] += 1
        if calls[0] > 2:  # the first record and the head
            raise OSError(errno.EIO, "Input/output error")
        write(files, descriptor, data, offset)

    monkeypatch.setattr(DurableFiles, "write", fail_later)
    await api.put_point("p")
    assert "audit.end_not_recorded" in caplog.text


async def test_dry_runs_queries_and_ingest_are_not_told(api: Api, trail: Recorder) -> None:
    await api.put_point("p")
    count = len(await told(trail))
    await api.ingest({"point": "p", "times": ["2026-11-22T07:00:00Z"], "values": [1.0]})
    body = {"kind": "delete", "times": ["2026-11-22T07:00:00Z"], "reason": "x"}
    answer = await api.client.post("/api/v1/points/p/edits?dry_run=1", json=body)
    assert answer.status == 200, await answer.text()
    await api.get_json("/api/v1/points")
    assert len(await told(trail)) == count


async def test_a_table_that_is_taken_away_is_told_a_small_one_and_json_not(api: Api, trail: Recorder) -> None:
    await api.put_point("p")
    times = [f"2026-11-22T07:{minute:02d}:00Z" for minute in range(60)]
    await api.ingest({"point": "p", "times": times, "values": [1.0] * 60})
    before = len(await told(trail))
    path = "/api/v1/points/p/recorded?start=2026-11-22T07:00:00Z&end=2026-11-22T08:00:00Z"
    assert (await api.get(f"{path.replace('T08:00', 'T07:02')}&format=ndjson")).status == 200
    for form in ("json", "csv", "csv"):
        assert (await api.get(f"{path}&format={form}")).status == 200
    await trail.record(AuditEntry(kind=Kind.TRAIL, action="marker"))  # behind the notes
    [export, _] = (await told(trail))[before:]
    assert (export.kind, export.object) == (Kind.READ_EXPORT, f"{path}&format=csv")
    assert "text/csv" in export.detail


def test_every_operation_that_changes_something_is_told() -> None:
    silent = {
        operation.name
        for operation in table.all_operations()
        if operation.method != "GET" and not kind_of(operation)
    }
    told = {operation.name for operation in table.all_operations() if kind_of(operation)}
    assert {"editSamples", "lockRollups", "putTariff", "putFactors", "patchPoint", "eraseQuarantined"} <= told
    of_write = {one.name for one in table.all_operations() if one.right in (Right.WRITE, Right.READ, None)}
    assert silent <= of_write


RIGHTS = tuple(right for right in Right if right not in (Right.ADMINISTER, Right.AUDIT))
ADMINISTRATION = (
    Decision("postPerson", "POST", "/people", {"name": "eva", "roles": ["viewer"], "password": PASSWORD}, "viewer"),
    Decision("putPerson", "PUT", "/people/eva", {"roles": ["editor"], "stations": None}, "editor", "viewer"),
    Decision("patchPerson", "PATCH", "/people/eva", {"roles": ["operator"]}, "operator", "editor"),
    Decision("unlockPerson", "POST", "/people/eva/unlock", {}),
    Decision("signOutPerson", "POST", "/people/eva/sign-out", {}),
    Decision("postToken", "POST", "/tokens", {"name": "scada", "rights": ["write"], "expires": "2026-12-01T00:00:00Z"}, "write"),
    Decision("revokeToken", "POST", "/tokens/{id}/revoke", {}, old="write"),
)  # fmt: skip
OF_ONESELF = {
    "logIn": "login",
    "logOut": "logout",
    "signOutAll": "sign_out_all",
    "changePassword": "password",
    "setUp": "setup",
}
UNRECORDED = {
    "ingest",
    "writeLines",
    "query",
    "queryRollups",
    "tryValidation",
    "dryRun",
}  # nothing is decided by them


def test_whatever_is_no_query_and_no_sample_is_called_here() -> None:
    called = {one.operation for one in (*DECISIONS, *ADMINISTRATION)} | set(OF_ONESELF)
    assert called | UNRECORDED == {one.name for one in table.all_operations() if one.method != "GET"}


async def test_every_decision_is_told_with_its_object_old_and_new(
    guarded: Guarded, trail: Recorder, quarantine: Quarantine
) -> None:
    headers = guarded.token(*RIGHTS, name="desk")
    async with guarded.client() as client:
        await prepare(client, headers, quarantine, guarded.context.clock.now_us())
        for decision in DECISIONS:
            status, text = await decide(client, decision, headers)
            assert status < 300, (decision, text)
            assert_told(await told(trail), decision, "desk", "token")
            last = (await told(trail))[-1]
            assert last.reason == "r" or "reason" not in str(decision.body), decision


async def test_every_change_of_access_is_told(guarded: Guarded, trail: Recorder) -> None:
    await guarded.person("chief", Role.ADMIN)
    async with guarded.client() as client:
        await log_in(client, "chief")
        token = ""
        for decision in ADMINISTRATION:
            path = decision.path.replace("{id}", token)
            status, text = await decide(client, decision._replace(path=path), {})
            assert status < 300, (decision, text)
            token = text["id"] if decision.operation == "postToken" else token
            assert_told(await told(trail), decision, "chief", "person")
    assert PASSWORD not in str(await told(trail))


def assert_told(records: list[AuditRecord], decision: Decision, who: str, who_kind: str) -> None:
    begun, done = records[-2:]
    assert (begun.action, begun.result, done.action, done.result) == (
        decision.operation, "begun", decision.operation, "done",
    ), decision  # fmt: skip
    assert (done.who, done.who_kind, done.address) == (who, who_kind, "127.0.0.1")
    assert done.object
    assert decision.new in " ".join(one.new or "" for one in done.changes), (decision, done.changes)
    assert decision.old in " ".join(one.old or "" for one in done.changes), (decision, done.changes)


async def test_coming_and_going_is_told_failures_too(guarded: Guarded, trail: Recorder) -> None:
    setup = guarded.context.access.book.make_setup_token()
    async with guarded.client() as client:
        body = {"token": setup, "name": "chief", "password": PASSWORD}
        for given in (body | {"token": "setup_wrong"}, body):
            answer = await client.post("/api/v1/setup", json=given)
        assert answer.status == 201, await answer.text()
        for password, status in (("wrong", 401), (PASSWORD, 200)):
            assert (await log_in(client, "chief", password)).status == status
        new = "Another-Horse-8-staple"
        answer = await client.post("/api/v1/password", json={"present": PASSWORD, "new": new})
        client.headers["X-CSRF-Token"] = (await answer.json())["csrf_token"]
        assert (await client.post("/api/v1/session/sign-out-all")).status == 200
        await log_in(client, "chief", new)
        assert (await client.post("/api/v1/logout")).status == 204
    kept = [one for one in await written(trail) if one.action in OF_ONESELF.values()]
    assert {one.action for one in kept} == set(OF_ONESELF.values())
    assert {(one.action, one.result) for one in kept} >= {("login", "refused"), ("setup", "refused")}
    assert {(one.who, one.object, one.address) for one in kept} == {("chief", "chief", "127.0.0.1")}


async def written(trail: Recorder) -> list[AuditRecord]:
    """All records, once those that nobody waits for are on disk too."""
    await trail.record(AuditEntry(kind=Kind.CONFIG))
    return await told(trail)


async def test_the_use_of_an_ended_token_is_told_by_its_name_and_folded(
    guarded: Guarded, trail: Recorder
) -> None:
    headers, book = guarded.token(name="scada"), guarded.context.access.book
    [token] = book.tokens()
    book.revoke_token(token.id)
    async with guarded.client() as client:
        for _ in range(3):
            assert (await client.get("/api/v1/points", headers=headers)).status == 401
    [denied] = [one for one in await written(trail) if one.kind is Kind.DENIED]
    assert (denied.who, denied.who_kind) == ("scada", "token")
    assert denied.detail == f"status 401, token {token.id} revoked"


class TestBehindAProxy:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(trusted_proxies=("127.0.0.1",)))

    async def test_the_address_is_the_clients(self, api: Api, trail: Recorder) -> None:
        headers = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
        body = {"unit": "kW", "kind": "instantaneous"}
        await api.client.put("/api/v1/points/p", json=body, headers=headers)
        assert [one.address for one in await told(trail)] == ["192.0.2.7"] * 2
