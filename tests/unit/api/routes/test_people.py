from historian.model.access import Role
from tests.support.guarded import PASSWORD, Guarded, log_in
from tests.unit.api.conftest import expect_problem

PATH = "/api/v1/people"


async def test_an_administrator_makes_changes_unlocks_and_signs_out(guarded: Guarded) -> None:
    await guarded.person("chief", Role.ADMIN)
    async with guarded.client() as client, guarded.client() as other:
        await log_in(client, "chief")
        body = {"name": "eva", "roles": ["operator"], "stations": ["S1"], "password": PASSWORD}
        made = await (await client.post(PATH, json=body)).json()
        assert (made["must_change_password"], made["stations"]) == (True, ["S1"])
        assert PASSWORD not in str(made)
        assert (await log_in(other, "eva")).status == 200
        assert len((await (await client.get(f"{PATH}/eva/sessions")).json())["sessions"]) == 1
        assert await (await client.post(f"{PATH}/eva/sign-out")).json() == {"ended": 1}
        changed = await (await client.patch(f"{PATH}/eva", json={"roles": ["viewer"]})).json()
        assert changed["rights"] == ["read"]
        put = {"roles": ["editor"], "stations": None}
        assert (await (await client.put(f"{PATH}/eva", json=put)).json())["stations"] is None
        assert (await client.put(f"{PATH}/bert", json=put)).status == 201
        assert await (await client.post(f"{PATH}/eva/unlock")).json() == {"dropped": 0}
        assert len((await (await client.get(PATH)).json())["people"]) == 3
        await expect_problem(await client.get(f"{PATH}/nobody"), 404, "access-not-found")


async def test_what_an_account_cannot_be(guarded: Guarded) -> None:
    await guarded.person("chief", Role.ADMIN)
    async with guarded.client() as client:
        await log_in(client, "chief")
        await expect_problem(await client.post(PATH, json={"name": "chief"}), 409, "access-conflict")
        await expect_problem(await client.post(PATH, json={"roles": ["viewer"]}), 422, "invalid-body")
        both = {"name": "x1", "roles": ["auditor", "editor"]}
        await expect_problem(await client.post(PATH, json=both), 422, "access-invalid")
        await expect_problem(
            await client.patch(f"{PATH}/chief", json={"is_disabled": True}), 409, "access-conflict"
        )
