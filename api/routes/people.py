"""Accounts of people: make, change, unlock, sign out."""

import asyncio
from typing import Any, Final

from aiohttp import web
from msgspec import UNSET

from api import formats, json_body, problem
from api.access_note import note
from api.body import read_body
from api.context import CONTEXT
from api.operation import JSON, TIME_FORM, Operation, Parameter
from api.params import Params
from api.problem import Fault, Problem
from api.schemas_access import (
    OpenSession,
    PeopleReply,
    PersonBody,
    PersonReply,
    SessionsReply,
    SignOutReply,
    UnlockReply,
)
from api.time_form import TimeForm
from historian.access import lockout
from historian.access.record import Person
from historian.model.access import Right


async def list_people(request: web.Request) -> web.StreamResponse:
    """Everybody."""
    people = request.app[CONTEXT].access.book.people()
    return formats.reply_json(PeopleReply(people=[_reply_of(request, person) for person in people]))


async def get_person(request: web.Request) -> web.StreamResponse:
    """One account. Raises AccessNotFound."""
    person = request.app[CONTEXT].access.book.person(request.match_info["name"])
    return formats.reply_json(_reply_of(request, person))


async def post_person(request: web.Request) -> web.StreamResponse:
    """A new account."""
    body = json_body.decode(await read_body(request), PersonBody)
    if body.name is UNSET:
        raise _missing("name")
    return formats.reply_json(_reply_of(request, await _make(request, body.name, body)), status=201)


async def put_person(request: web.Request) -> web.StreamResponse:
    """Make the account, or change it to be as described."""
    name = request.match_info["name"]
    body = json_body.decode(await read_body(request), PersonBody)
    _require_same_name(name, body)
    if request.app[CONTEXT].access.book.find_person(name) is None:
        return formats.reply_json(_reply_of(request, await _make(request, name, body)), status=201)
    for field in ("roles", "stations"):
        if getattr(body, field) is UNSET:
            raise _missing(field)
    return formats.reply_json(_reply_of(request, await _change(request, name, body)))


async def patch_person(request: web.Request) -> web.StreamResponse:
    """Change what is given."""
    name = request.match_info["name"]
    body = json_body.decode(await read_body(request), PersonBody)
    _require_same_name(name, body)
    return formats.reply_json(_reply_of(request, await _change(request, name, body)))


async def post_unlock(request: web.Request) -> web.StreamResponse:
    """Forget the failed logins of an account."""
    book, name = request.app[CONTEXT].access.book, request.match_info["name"]
    book.person(name)
    dropped = await asyncio.to_thread(book.lockouts.forget_failures, name)
    note(request, "unlock", name, new=str(dropped))
    return formats.reply_json(UnlockReply(dropped=dropped))


async def list_sessions(request: web.Request) -> web.StreamResponse:
    """Open sessions of a person."""
    book, name = request.app[CONTEXT].access.book, request.match_info["name"]
    book.person(name)
    times = TimeForm.of(Params(request.query))
    sessions = [
        OpenSession(
            id=one.id,
            address=one.address,
            is_display=one.is_display,
            created=times.time(one.created_us),
            expires=times.time(one.expires_us),
        )
        for one in book.sessions_of(name)
    ]
    return formats.reply_json(SessionsReply(sessions=sessions))


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    """End every session of a person."""
    book, name = request.app[CONTEXT].access.book, request.match_info["name"]
    ended = await asyncio.to_thread(book.end_sessions_of, name)
    note(request, "sign_out", name, new=str(ended))
    return formats.reply_json(SignOutReply(ended=ended))


async def _make(request: web.Request, name: str, body: PersonBody) -> Person:
    door = request.app[CONTEXT].access
    draft = Person(id=name, **_fields_of(body))
    made = await asyncio.to_thread(door.book.add_person, draft)
    note(request, "person", name, new=_shown(made))
    if body.password is UNSET:
        return made
    return await _give_password(request, name, body.password)


async def _change(request: web.Request, name: str, body: PersonBody) -> Person:
    book = request.app[CONTEXT].access.book
    changes = _fields_of(body)
    if changes:
        before, after = await asyncio.to_thread(book.change_person, name, changes)
        note(request, "person", name, old=_shown(before), new=_shown(after))
    if body.password is not UNSET:
        return await _give_password(request, name, body.password)
    return book.person(name)


async def _give_password(request: web.Request, name: str, password: str) -> Person:
    person = await request.app[CONTEXT].access.set_password(name, password, must_change=True)
    note(request, "password_given", name, new="given")
    return person


def _fields_of(body: PersonBody) -> dict[str, Any]:
    """Fields of Person that are given; Any, because each has a type of its own."""
    fields: dict[str, Any] = {}
    if body.display_name is not UNSET:
        fields["display_name"] = body.display_name
    if body.roles is not UNSET:
        fields["roles"] = tuple(body.roles)
    if body.stations is not UNSET:
        fields["stations"] = None if body.stations is None else tuple(sorted(set(body.stations)))
    if body.is_disabled is not UNSET:
        fields["is_disabled"] = body.is_disabled
    return fields


def _reply_of(request: web.Request, person: Person) -> PersonReply:
    context, times = request.app[CONTEXT], TimeForm.of(Params(request.query))
    book = context.access.book
    locks = book.lockouts.locks().get(lockout.account_key(person.id, "", is_known=False))
    return PersonReply(
        name=person.id,
        display_name=person.display_name,
        roles=list(person.roles),
        rights=sorted(person.identity().rights),
        stations=None if person.stations is None else list(person.stations),
        is_disabled=person.is_disabled,
        must_change_password=book.must_change(person),
        password_changed=times.time(person.password_us or None),
        created=times.time(person.created_us),
        session_count=len(book.sessions_of(person.id)),
        locked_s=lockout.locked_s(locks, context.clock.now_us()),
    )


def _shown(person: Person) -> str:
    stations = "all" if person.stations is None else ",".join(person.stations)
    return f"roles={','.join(person.roles)} stations={stations} disabled={person.is_disabled}"


def _require_same_name(name: str, body: PersonBody) -> None:
    if body.name is not UNSET and body.name != name:
        raise Problem(
            problem.INVALID_BODY,
            "/name: an account keeps its name; make another and disable this one",
            "/name：账号名不能更改；请新建账号并停用旧账号",
            faults=(Fault("an account keeps its name", pointer="/name"),),
        )


def _missing(field: str) -> Problem:
    fault = Fault(f"{field} is required", f"必须给出 {field}", pointer=f"/{field}")
    return Problem(problem.INVALID_BODY, f"/{field}: is required", f"/{field}：必须给出", faults=(fault,))


_NAME: Final = Parameter("name", "The account.", {"type": "string"}, "path", True)
_BODY: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.BODY_TOO_LARGE, problem.ACCESS_INVALID,
    problem.ACCESS_CONFLICT, problem.LOGINS_FULL,
)  # fmt: skip
_PERSON: Final = ((JSON, PersonBody),)
_ADMIN: Final = Right.ADMINISTER

OPERATIONS: Final = (
    Operation(
        "GET", "/people", list_people, "listPeople", "All accounts.", PeopleReply, parameters=(TIME_FORM,), right=_ADMIN,
        is_global=True,
    ),
    Operation(
        "POST", "/people", post_person, "postPerson", "A new account.", PersonReply, parameters=(TIME_FORM,), problems=_BODY,
        request_types=_PERSON, status=201, right=_ADMIN, is_global=True,
    ),
    Operation(
        "GET", "/people/{name}", get_person, "getPerson", "One account.", PersonReply, parameters=(_NAME, TIME_FORM),
        problems=(problem.ACCESS_NOT_FOUND,), right=_ADMIN, is_global=True,
    ),
    Operation(
        "PUT", "/people/{name}", put_person, "putPerson", "Make an account, or change it to be as described.", PersonReply,
        parameters=(_NAME, TIME_FORM), problems=_BODY, request_types=_PERSON, may_create=True, right=_ADMIN,
        is_global=True,
    ),
    Operation(
        "PATCH", "/people/{name}", patch_person, "patchPerson", "Change what is given of an account.", PersonReply,
        parameters=(_NAME, TIME_FORM), problems=(*_BODY, problem.ACCESS_NOT_FOUND), request_types=_PERSON, right=_ADMIN,
        is_global=True,
    ),
    Operation(
        "POST", "/people/{name}/unlock", post_unlock, "unlockPerson", "Forget the failed logins of an account.", UnlockReply,
        parameters=(_NAME,), problems=(problem.ACCESS_NOT_FOUND,), right=_ADMIN, is_global=True,
    ),
    Operation(
        "GET", "/people/{name}/sessions", list_sessions, "listSessions", "Open sessions of a person.", SessionsReply,
        parameters=(_NAME, TIME_FORM), problems=(problem.ACCESS_NOT_FOUND,), right=_ADMIN, is_global=True,
    ),
    Operation(
        "POST", "/people/{name}/sign-out", post_sign_out, "signOutPerson", "End every session of a person.", SignOutReply,
        parameters=(_NAME,), problems=(problem.ACCESS_NOT_FOUND,), right=_ADMIN, is_global=True,
    ),
)  # fmt: skip
