"""Coming and going: log in and out, who one is, one's own password, and the first administrator."""

import asyncio
from typing import Final

from aiohttp import web

from api import formats, json_body, problem
from api.access_note import note
from api.auth import COOKIE, GATE, set_cookie
from api.body import read_body
from api.caller import CALLER, identity_of
from api.context import CONTEXT
from api.operation import JSON, TIME_FORM, Operation
from api.params import Params
from api.peer import address_of
from api.problem import Problem
from api.schemas_access import LoginBody, PasswordBody, SessionReply, SetupBody, SignOutReply
from api.time_form import TimeForm
from historian.access import secret
from historian.access.book import Caller
from historian.access.door import DAY_US, Opened
from historian.errors import AccessError
from historian.model.access import Identity


async def post_login(request: web.Request) -> web.StreamResponse:
    """A session of one's own: always a new one, whatever the request carries."""
    _require_same_site(request)
    body = json_body.decode(await read_body(request), LoginBody)
    door, address = request.app[CONTEXT].access, _address_of(request)
    try:
        opened = await door.log_in(body.name, body.password, address, body.display_days)
    except AccessError as error:
        note(request, "login", body.name, result="refused", reason=type(error).__name__)
        raise
    note(request, "login", opened.person.id, new="display" if body.display_days else "")
    return _reply_opened(request, opened)


async def post_logout(request: web.Request) -> web.StreamResponse:
    """End this session."""
    caller = request.get(CALLER)
    if caller is not None and caller.session is not None:
        await asyncio.to_thread(request.app[CONTEXT].access.book.end_session, caller.digest)
        note(request, "logout", caller.identity.name)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response


async def post_sign_out_all(request: web.Request) -> web.StreamResponse:
    """End every session of one's own, this one too."""
    caller = _require_person(request)
    book = request.app[CONTEXT].access.book
    ended = await asyncio.to_thread(book.end_sessions_of, caller.identity.name)
    note(request, "sign_out_all", caller.identity.name, new=str(ended))
    response = formats.reply_json(SignOutReply(ended=ended))
    response.del_cookie(COOKIE, path="/")
    return response


async def get_session(request: web.Request) -> web.StreamResponse:
    """Who the caller is, and what they may."""
    caller = request.get(CALLER)
    text = request.cookies.get(COOKIE, "") if caller is not None and caller.session is not None else ""
    return _reply_session(request, caller, identity_of(request), text)


async def post_password(request: web.Request) -> web.StreamResponse:
    """Another password of one's own; every session ends, and a new one begins."""
    caller = _require_person(request)
    body = json_body.decode(await read_body(request), PasswordBody)
    door, address = request.app[CONTEXT].access, _address_of(request)
    name = caller.identity.name
    try:
        await door.change_password(name, body.present, body.new, address)
    except AccessError as error:
        note(request, "password", name, result="refused", reason=type(error).__name__)
        raise
    note(request, "password", name)
    return _reply_opened(request, await door.log_in(name, body.new, address))


async def post_setup(request: web.Request) -> web.StreamResponse:
    """The first administrator, by the token that the first start printed; who then logs in."""
    _require_same_site(request)
    body = json_body.decode(await read_body(request), SetupBody)
    door, address = request.app[CONTEXT].access, _address_of(request)
    try:
        await door.set_up(body.token, body.name, body.display_name, body.password, address)
    except AccessError as error:
        note(request, "setup", body.name, result="refused", reason=type(error).__name__)
        raise
    note(request, "setup", body.name, new="admin")
    return _reply_opened(request, await door.log_in(body.name, body.password, address), status=201)


def _reply_opened(request: web.Request, opened: Opened, status: int = 200) -> web.Response:
    door = request.app[CONTEXT].access
    identity = opened.person.identity()
    caller = Caller(identity, opened.session, must_change=door.book.must_change(opened.person))
    response = _reply_session(request, caller, identity, opened.text, status)
    age_us = opened.session.expires_us - opened.session.created_us
    set_cookie(request, response, opened.text, age_us // 1_000_000)
    return response


def _reply_session(
    request: web.Request, caller: Caller | None, identity: Identity, text: str, status: int = 200
) -> web.Response:
    context = request.app[CONTEXT]
    session = None if caller is None else caller.session
    person = None if session is None else context.access.book.find_person(session.person)
    now_us = context.clock.now_us()
    reply = SessionReply(
        name=identity.name,
        kind=identity.kind,
        display_name="" if person is None else person.display_name,
        rights=sorted(identity.rights),
        stations=None if identity.stations is None else sorted(identity.stations),
        csrf_token=secret.csrf_of(text) if text else "",
        must_change_password=caller is not None and caller.must_change,
        password_age_days=None if person is None else (now_us - person.password_us) // DAY_US,
        is_display=session is not None and session.is_display,
        expires=TimeForm.of(Params(request.query)).time(None if session is None else session.expires_us),
        auth="on" if request.app[GATE].is_on else "off",
    )
    return formats.reply_json(reply, status=status, headers={"Cache-Control": "no-store"})


def _address_of(request: web.Request) -> str:
    return address_of(request, request.app[GATE].proxies)


def _require_person(request: web.Request) -> Caller:
    caller: Caller | None = request.get(CALLER)
    if caller is None or caller.session is None or caller.session.is_display:
        raise Problem(
            problem.FORBIDDEN,
            "only a person who logged in has a password and sessions",
            "只有已登录的人员才有口令和会话",
        )
    return caller


def _require_same_site(request: web.Request) -> None:
    """Nobody is logged in by a form of another site: a browser says where a request comes from, and JSON asks first."""
    is_foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if is_foreign or request.content_type != JSON:
        raise Problem(
            problem.CSRF_MISSING,
            "a login is JSON, sent from the historian's own page or by a program",
            "登录须为 JSON，且来自历史库自己的页面或程序",
        )


_BODY: Final = (
    problem.MALFORMED_JSON,
    problem.INVALID_BODY,
    problem.BODY_TOO_LARGE,
    problem.CSRF_MISSING,
    problem.LOGIN_REFUSED,
    problem.LOGIN_LOCKED,
    problem.LOGINS_FULL,
    problem.ACCESS_INVALID,
)

OPERATIONS: Final = (
    Operation(
        "POST", "/login", post_login, "logIn", "A session in a cookie; for services there are tokens.", SessionReply,
        parameters=(TIME_FORM,), problems=_BODY, request_types=((JSON, LoginBody),), right=None,
    ),
    Operation(
        "POST", "/logout", post_logout, "logOut", "End this session.", reply_types=(), status=204,
        problems=(problem.CSRF_MISSING,), right=None, is_own=True,
    ),
    Operation(
        "GET", "/session", get_session, "getSession", "Who the caller is, and what they may.", SessionReply,
        parameters=(TIME_FORM,), right=None, is_own=True,
    ),
    Operation(
        "POST", "/session/sign-out-all", post_sign_out_all, "signOutAll", "End every session of one's own.", SignOutReply,
        problems=(problem.CSRF_MISSING, problem.FORBIDDEN), right=None, is_own=True,
    ),
    Operation(
        "POST", "/password", post_password, "changePassword", "Another password of one's own; every session ends.",
        SessionReply, parameters=(TIME_FORM,), problems=(*_BODY, problem.FORBIDDEN),
        request_types=((JSON, PasswordBody),), right=None, is_own=True,
    ),
    Operation(
        "POST", "/setup", post_setup, "setUp", "The first administrator, by the token that the first start printed.",
        SessionReply, parameters=(TIME_FORM,), problems=(*_BODY, problem.ACCESS_CONFLICT),
        request_types=((JSON, SetupBody),), status=201, right=None,
    ),
)  # fmt: skip
