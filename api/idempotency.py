"""``Idempotency-Key``: the same request again, within 24 h, gets the answer that was given, and nothing is stored twice."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from api.body import THREAD_BYTES_MIN
from api.caller import identity_of
from api.context import CONTEXT
from api.direct_body import Body
from api.operation import Parameter
from api.problem import Problem
from api.schemas import IngestReply

REPEATED: Final[dict[str, str]] = {"Idempotency-Replayed": "true"}
IDEMPOTENCY_KEY: Final = Parameter(
    "Idempotency-Key",
    "1 to 255 printable signs, a new one for each new request; the same request again gets the same answer for 24 h.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "header",
)
_HEADER: Final = IDEMPOTENCY_KEY.name
_KEY: Final = re.compile(r"[!-~]{1,255}")
_DIGEST_BYTES: Final = 32


class Told(NamedTuple):
    """The answer, and the headers that say where it is an earlier one."""

    reply: IngestReply
    headers: dict[str, str] | None


async def told_once(
    request: web.Request,
    body: Body,
    work: Callable[[int], Awaitable[IngestReply]],
    *,
    depends_on_now: bool = False,
) -> Told:
    """The answer of `work`, which is given the time to take for now; under a key, that of the first time.

    `body` is unpacked. Raises Problem, KeyReused, KeyUnderWay, and what `work` raises.
    """
    if _HEADER not in request.headers:
        return Told(await work(request.app[CONTEXT].clock.now_us()), None)
    key = request.headers[_HEADER]
    if _KEY.fullmatch(key) is None:
        raise Problem.of_parameter(
            _HEADER, "is not 1 to 255 printable signs without blanks", "须为 1 到 255 个可见字符，不含空格"
        )

    async def answer(now_us: int) -> bytes:
        return msgspec.json.encode(await work(now_us))

    digest = await _digest_of(request, body)
    context = request.app[CONTEXT]
    answered = await context.answers.once(
        f"{request.path} {identity_of(request).name} {key}", digest, answer, depends_on_now=depends_on_now
    )
    reply = msgspec.json.decode(answered.answer, type=IngestReply)
    return Told(reply, REPEATED if answered.is_repeated else None)


async def _digest_of(request: web.Request, body: Body) -> bytes:
    """Of all that decides the answer: what is asked in the address, how the body is read, the body."""
    about = f"{request.rel_url.raw_query_string}\n{request.content_type}\n".encode()

    def digest() -> bytes:
        made = hashlib.blake2b(about, digest_size=_DIGEST_BYTES)
        made.update(body)
        return made.digest()

    return digest() if len(body) < THREAD_BYTES_MIN else await asyncio.to_thread(digest)
