from historian.model.access import Role
from tests.support.guarded import Guarded, log_in
from tests.unit.api.conftest import expect_problem

PATH = "/api/v1/tokens"


async def test_a_token_is_shown_once_and_revoked_at_once(guarded: Guarded) -> None:
    await guarded.person("chief", Role.ADMIN)
    async with guarded.client() as client, guarded.client() as service:
        await log_in(client, "chief")
        body = {"name": "telegraf", "rights": ["read"], "expires": "2026-12-01T00:00:00Z", "stations": None}
        made = await (await client.post(PATH, json=body)).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert (await service.get("/api/v1/points", headers=headers)).status == 200
        assert made["token"] not in await (await client.get(PATH)).text()
        revoked = await (await client.post(f"{PATH}/{made['id']}/revoke")).json()
        assert revoked["revoked"] is not None
        await expect_problem(await service.get("/api/v1/points", headers=headers), 401, "not-logged-in")


async def test_a_token_that_administers_is_refused(guarded: Guarded) -> None:
    await guarded.person("chief", Role.ADMIN)
    async with guarded.client() as client:
        await log_in(client, "chief")
        body = {"name": "x", "rights": ["administer"], "expires": "2026-12-01T00:00:00Z"}
        await expect_problem(await client.post(PATH, json=body), 422, "access-invalid")
