"""Logging in and out, as a browser does it."""

from historian.model.access import Role
from tests.support.guarded import LOGIN, PASSWORD, Guarded, log_in
from tests.unit.api.conftest import Api, expect_problem


async def test_a_session_lives_from_login_to_logout(guarded: Guarded) -> None:
    await guarded.person("eva", Role.OPERATOR, stations=("S1",))
    async with guarded.client() as client:
        answer = await log_in(client, "eva")
        cookie = answer.headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/"))
        assert "Secure" not in cookie
        told = await (await client.get("/api/v1/session")).json()
        assert (told["name"], told["rights"], told["stations"], told["auth"]) == (
            "eva",
            ["read", "write"],
            ["S1"],
            "on",
        )
        assert told["csrf_token"] == client.headers["X-CSRF-Token"]
        assert (await client.post("/api/v1/logout")).status == 204
        await expect_problem(await client.get("/api/v1/session"), 401, "not-logged-in")


async def test_a_login_never_takes_a_session_that_was_given(guarded: Guarded) -> None:
    await guarded.person("eva")
    async with guarded.client() as client:
        answer = await client.post(
            LOGIN, json={"name": "eva", "password": PASSWORD}, headers={"Cookie": "historian_session=chosen"}
        )
        assert answer.cookies["historian_session"].value != "chosen"


async def test_wrong_logins_are_alike_and_end_in_a_lock(guarded: Guarded) -> None:
    await guarded.person("eva")
    async with guarded.client() as client:
        bodies = []
        for name in ("eva", "nobody"):
            body = await expect_problem(await log_in(client, name, "wrong"), 401, "login-refused")
            bodies.append((body["detail"], body["code"]))
        assert bodies[0] == bodies[1]
        for _ in range(4):
            await log_in(client, "eva", "wrong")
        answer = await log_in(client, "eva")
        await expect_problem(answer, 429, "login-locked")
        assert answer.headers["Retry-After"] == "60"


async def test_another_site_logs_nobody_in(guarded: Guarded) -> None:
    async with guarded.client() as client:
        answer = await client.post(LOGIN, json={}, headers={"Sec-Fetch-Site": "cross-site"})
        await expect_problem(answer, 403, "csrf-missing")
        await expect_problem(await client.post(LOGIN, data={"name": "eva"}), 403, "csrf-missing")


async def test_the_first_administrator_is_made_with_the_printed_token(guarded: Guarded) -> None:
    token = guarded.context.access.book.make_setup_token()
    body = {"token": token, "name": "chief", "password": PASSWORD}
    async with guarded.client() as client:
        await expect_problem(
            await client.post("/api/v1/setup", json=body | {"token": "x"}), 401, "login-refused"
        )
        answer = await client.post("/api/v1/setup", json=body)
        assert answer.status == 201
        assert "administer" in (await answer.json())["rights"]


async def test_signing_out_everywhere_ends_other_browsers_too(guarded: Guarded) -> None:
    await guarded.person("eva")
    async with guarded.client() as client, guarded.client() as other:
        await log_in(client, "eva")
        await log_in(other, "eva")
        assert await (await client.post("/api/v1/session/sign-out-all")).json() == {"ended": 2}
        assert (await other.get("/api/v1/points")).status == 401


async def test_without_access_control_everybody_is_anybody(api: Api) -> None:
    told = await api.get_json("/api/v1/session")
    assert (told["name"], told["kind"], told["auth"]) == ("anybody", "anybody", "off")
