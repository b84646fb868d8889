"""Who sends a request, and whether they may: decided before a body is read, at the one place all operations pass."""

from typing import Final

from aiohttp import web

from api import problem
from api.audit_note import note_of
from api.caller import CALLER, IDENTITY
from api.context import ApiContext
from api.operation import Operation
from api.peer import address_of, is_secure
from api.problem import Problem
from historian.access import secret
from historian.access.book import Caller
from historian.model.access import Identity, Right

COOKIE: Final = "historian_session"
CSRF_HEADER: Final = "X-CSRF-Token"
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="historian"'}

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_SCHEMES: Final = frozenset({"bearer", "token"})  # `Token` is what writers of line protocol send


class Gate:
    """Lets a request pass to its operation, or not. With access control off everything passes, as anybody."""

    def __init__(self, context: ApiContext) -> None:
        self._is_on = context.settings.server.auth != "off"
        self._book = context.access.book
        self._proxies = context.settings.server.trusted_proxies
        self._denied = {
            kind: context.metrics.counter(
                "historian_http_denied_total", "Requests refused for want of a right.", cause=kind.code
            )
            for kind in (
                problem.NOT_LOGGED_IN,
                problem.FORBIDDEN,
                problem.CSRF_MISSING,
                problem.PASSWORD_EXPIRED,
            )
        }

    @property
    def is_on(self) -> bool:
        """Whether anybody is asked who they are."""
        return self._is_on

    @property
    def proxies(self) -> tuple[str, ...]:
        """Addresses and networks of proxies that are believed."""
        return self._proxies

    def admit(self, request: web.Request, operation: Operation) -> None:
        """Note who the caller is. Raises Problem 401 or 403 where they may not do what is asked."""
        if not self._is_on:
            return
        try:
            self._admit(request, operation)
        except Problem as refusal:
            self._denied[refusal.kind].add()
            raise

    def still_admits(self, request: web.Request) -> bool:
        """Whether a request that is being answered may be answered on: its token or session goes on, with the same rights.

        That is no use of a session: it ends by idleness all the same.
        """
        if not self._is_on:
            return True
        given, cookie = request.headers.get("Authorization"), request.cookies.get(COOKIE, "")
        if given is not None:
            caller = self._book.caller_of_token(given.partition(" ")[2].strip())
        else:
            address = address_of(request, self._proxies)
            caller = self._book.caller_of_session(cookie, address, is_use=False)
        return caller is not None and not caller.must_change and caller.identity == request.get(IDENTITY)

    def _admit(self, request: web.Request, operation: Operation) -> None:
        caller = self._caller_of(request, is_needed=operation.right is not None or operation.is_own)
        if caller is None:
            return
        request[IDENTITY] = caller.identity
        request[CALLER] = caller
        if operation.is_own or operation.right is None:
            return
        if caller.must_change:
            raise Problem(
                problem.PASSWORD_EXPIRED,
                "your password must be changed first: POST /api/v1/password",
                "请先修改口令：POST /api/v1/password",
            )
        if not caller.identity.may(operation.right):
            raise _forbidden(operation.right)
        if operation.is_global and caller.identity.stations is not None:
            raise Problem(
                problem.FORBIDDEN,
                "this concerns every station, and your rights are for some",
                "该操作涉及所有厂站，而您的权限只限部分厂站",
            )

    def _caller_of(self, request: web.Request, *, is_needed: bool) -> Caller | None:
        """Whose token or session the request carries. A wrong one is a fault where one is needed, and no one's elsewhere."""
        given = request.headers.get("Authorization")
        if given is not None:
            scheme, _, text = given.partition(" ")
            caller = self._book.caller_of_token(text.strip()) if scheme.lower() in _SCHEMES else None
            if caller is None and is_needed:
                self._tell_ended(request, text.strip())
                raise _not_logged_in(
                    "the token is none of ours, ended or revoked", "令牌无效、已过期或已吊销"
                )
            return caller
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            if is_needed:
                raise _not_logged_in(
                    "log in, or send a token as Authorization: Bearer …",
                    "请先登录，或在 Authorization: Bearer 中携带令牌",
                )
            return None
        caller = self._book.caller_of_session(cookie, address_of(request, self._proxies))
        if caller is None:
            if is_needed:
                raise _not_logged_in("the session ended; log in again", "会话已结束，请重新登录")
            return None
        if is_needed and request.method not in _SAFE_METHODS:
            _check_csrf(request, cookie)
        return caller

    def _tell_ended(self, request: web.Request, text: str) -> None:
        """Whose secret is still in use after its end is on record by name, not as anybody."""
        token = self._book.ended_token(text)
        if token is not None:
            note = note_of(request)
            note.who = Identity(token.name, "token", frozenset())
            note.detail = f"token {token.id} {'revoked' if token.revoked_us else 'expired'}"


def set_cookie(request: web.Request, response: web.StreamResponse, text: str, max_age_s: int) -> None:
    """Give the session to the browser: for this site only, out of reach of scripts, and over TLS only where there is any."""
    proxies = request.app[GATE].proxies
    response.set_cookie(
        COOKIE,
        text,
        max_age=max_age_s,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_secure(request, proxies),
    )


def _check_csrf(request: web.Request, cookie: str) -> None:
    if not secret.is_same(request.headers.get(CSRF_HEADER, ""), secret.csrf_of(cookie)):
        raise Problem(
            problem.CSRF_MISSING,
            f"a session changes nothing without its {CSRF_HEADER}, which GET /api/v1/session tells",
            f"使用会话修改数据须携带 {CSRF_HEADER}，其值见 GET /api/v1/session",
        )


def _not_logged_in(en: str, zh: str) -> Problem:
    return Problem(problem.NOT_LOGGED_IN, en, zh, headers=CHALLENGE)


def _forbidden(right: Right) -> Problem:
    return Problem(
        problem.FORBIDDEN,
        f"this needs the right {right.value!r}, which you do not hold",
        f"该操作需要权限 {right.value!r}，您没有此权限",
    )


GATE: Final = web.AppKey("gate", Gate)
