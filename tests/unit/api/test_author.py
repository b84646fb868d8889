"""Whose decision is on record: the caller's, whatever a body says, for every operation whose body names an author."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from api.audit_note import note_of
from api.author import author_of, decision_of
from api.caller import IDENTITY
from api.problem import Problem
from api.routes import table
from api.schemas_terms import WithdrawBody
from historian.errors import EditRefused
from historian.ingest.quarantine import Quarantine
from historian.model.access import Identity, Right
from tests.support.decisions import DECISIONS, decide, prepare
from tests.support.guarded import Guarded

RIGHTS = tuple(right for right in Right if right not in (Right.ADMINISTER, Right.AUDIT))
NAMED = {
    operation.name
    for operation in table.all_operations()
    for _, body in operation.request_types
    if "author" in getattr(body, "__struct_fields__", ())
}


async def test_a_body_speaks_for_nobody_but_its_sender(guarded: Guarded, quarantine: Quarantine) -> None:
    headers = guarded.token(*RIGHTS, name="desk")
    seen = set()
    async with guarded.client() as client:
        await prepare(client, headers, quarantine, guarded.context.clock.now_us())
        for decision in DECISIONS:
            if decision.operation in NAMED:
                seen.add(decision.operation)
                status, told = await decide(client, decision, headers, author="somebody else")
                assert (status, told["type"]) == (422, "/problems/invalid-body"), (decision, told)
                assert told["errors"][0]["pointer"] == "/author", (decision, told)
                own = {"author": " desk "} if len(seen) % 2 else {}
                status, told = await decide(client, decision, headers, **own)
            else:
                status, told = await decide(client, decision, headers)
            assert status in (200, 201), (decision, told)
            assert authors(told) <= {"desk"}, (decision, told)
        answer = await client.get("/api/v1/entities/water_account/W1/history", headers=headers)
        stated = (await answer.json())["statements"]
    assert [(one["value"], one["author"]) for one in stated] == [(name, "desk") for name in "甲乙丙"]
    assert seen == NAMED


def authors(told: Any) -> set[str]:
    """Every author in a reply."""
    if isinstance(told, list):
        return {name for one in told for name in authors(one)}
    if not isinstance(told, dict):
        return set()
    own = {told["author"]} if "author" in told else set()
    return own | {name for one in told.values() for name in authors(one)}


def test_nobody_is_known_while_access_control_is_off_and_the_body_is_believed() -> None:
    request = make_mocked_request("POST", "/")
    assert author_of(request, " anna ") == "anna"
    assert author_of(request, "") == ""


def test_a_caller_is_the_author() -> None:
    request = make_mocked_request("POST", "/")
    request[IDENTITY] = Identity("li", "person", frozenset({Right.EDIT}))
    assert [author_of(request, given) for given in ("", "li", " li ")] == ["li"] * 3
    with pytest.raises(Problem, match="'anna' is not who sends this"):
        author_of(request, "anna")
    decision = decision_of(request, WithdrawBody(reason=" typo "))
    assert (decision.author, decision.reason, note_of(request).reason) == ("li", "typo", "typo")
    with pytest.raises(EditRefused):
        decision_of(request, WithdrawBody(reason=" "))
