"""Tokens of services: make, list, revoke."""

import asyncio
from typing import Final

from aiohttp import web

from api import edit_body, formats, json_body, problem
from api.access_note import note
from api.body import read_body
from api.caller import identity_of
from api.context import CONTEXT
from api.operation import JSON, TIME_FORM, Operation, Parameter
from api.params import Params
from api.schemas_access import TokenBody, TokenReply, TokensReply
from api.time_form import TimeForm
from historian.access.record import Token
from historian.model.access import Right


async def list_tokens(request: web.Request) -> web.StreamResponse:
    """All, ended ones too; never their text."""
    tokens = request.app[CONTEXT].access.book.tokens()
    return formats.reply_json(TokensReply(tokens=[_reply_of(request, token) for token in tokens]))


async def post_token(request: web.Request) -> web.StreamResponse:
    """A new token, whose text is in this answer and nowhere else."""
    body = json_body.decode(await read_body(request), TokenBody)
    book = request.app[CONTEXT].access.book
    stations = None if body.stations is None else tuple(sorted(set(body.stations)))
    expires_us = edit_body.time_of(body.expires, "/expires")
    token, text = await asyncio.to_thread(
        book.add_token, body.name, body.rights, stations, identity_of(request).name, expires_us
    )
    note(request, "token", f"{token.id} {token.name}", new=_shown(token))
    headers = {"Cache-Control": "no-store"}
    return formats.reply_json(_reply_of(request, token, text), status=201, headers=headers)


async def post_revoke(request: web.Request) -> web.StreamResponse:
    """End a token, at once."""
    book = request.app[CONTEXT].access.book
    token = await asyncio.to_thread(book.revoke_token, request.match_info["id"])
    note(request, "token_revoked", f"{token.id} {token.name}", old=_shown(token))
    return formats.reply_json(_reply_of(request, token))


def _shown(token: Token) -> str:
    scope = "all" if token.stations is None else ",".join(token.stations)
    return f"rights={','.join(token.rights)} stations={scope}"


def _reply_of(request: web.Request, token: Token, text: str = "") -> TokenReply:
    times = TimeForm.of(Params(request.query))
    return TokenReply(
        id=token.id,
        name=token.name,
        rights=list(token.rights),
        stations=None if token.stations is None else list(token.stations),
        created_by=token.created_by,
        created=times.time(token.created_us),
        expires=times.time(token.expires_us),
        revoked=times.time(token.revoked_us or None),
        token=text,
    )


_ID: Final = Parameter("id", "The readable part of the token.", {"type": "string"}, "path", True)

OPERATIONS: Final = (
    Operation(
        "GET", "/tokens", list_tokens, "listTokens", "All tokens of services, ended ones too.", TokensReply,
        parameters=(TIME_FORM,), right=Right.ADMINISTER, is_global=True,
    ),
    Operation(
        "POST", "/tokens", post_token, "postToken", "A new token; its text is told only now.", TokenReply,
        parameters=(TIME_FORM,),
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, problem.BODY_TOO_LARGE, problem.ACCESS_INVALID, problem.INVALID_TIME,
        ),
        request_types=((JSON, TokenBody),), status=201, right=Right.ADMINISTER, is_global=True,
    ),
    Operation(
        "POST", "/tokens/{id}/revoke", post_revoke, "revokeToken", "End a token, at once.", TokenReply,
        parameters=(_ID, TIME_FORM), problems=(problem.ACCESS_NOT_FOUND,), right=Right.ADMINISTER, is_global=True,
    ),
)  # fmt: skip
