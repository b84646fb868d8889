"""Reads request bodies under a size limit, a deadline and a least rate; aiohttp has none of the three."""

import asyncio
import zlib
from typing import Final, NamedTuple

import zstandard
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from api import lane, problem
from api.context import CONTEXT
from api.direct_body import Body, DirectBody
from api.errors import problem_response
from api.problem import Problem
from historian.settings import ServerSettings

BODY_GRACE_S: Final = 10.0  # a slow start is not held against a client
BODY_RATE_BYTES_S_MIN: Final = (
    16 * 1024
)  # half of what a GPRS link carries; a slower body is an attack or dead
MEMBERS_MAX: Final = 16  # each costs a copy of what follows it; a body of a million empty ones is an attack
_WINDOW_BITS: Final = {"gzip": 31, "deflate": 15}  # zlib's words for the two wrappings
_ENCODINGS: Final = ("zstd", *_WINDOW_BITS)
_ZSTD_WINDOW_BYTES_MAX: Final = 1 << 27  # what zstd's own tool takes unasked
_ZSTD_STEP_BYTES: Final = 512  # packed, at a time: at most 128 blocks of 128 KiB come of it
THREAD_BYTES_MIN: Final = 128 * 1024  # decoding more than this takes longer than the loop may be held


async def answer_expectation(request: web.Request) -> web.StreamResponse | None:
    """``Expect: 100-continue``: say go on, or refuse before the client sends anything."""
    try:
        check_declared_length(request, request.app[CONTEXT].settings.server)
    except Problem as fault:
        return problem_response(request, fault)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # what follows is the head of the reply itself
    return None


async def read_body(request: web.Request) -> Body:
    """The whole body, unpacked. Raises Problem: 413 too large, 408 too slow, 415 and 400 not unpackable."""
    limits = request.app[CONTEXT].settings.server
    check_declared_length(request, limits)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity" and encoding not in _ENCODINGS:
        raise _unknown_encoding(encoding)
    try:
        if request.content.is_eof():
            body = await _read_packed(request.content, limits)
        else:
            async with lane.outside(request):
                body = await _read_packed(request.content, limits)
    except TimeoutError:
        raise _too_slow(limits) from None
    except (HttpProcessingError, web.RequestPayloadError) as error:
        raise Problem(problem.MALFORMED_BODY, "the body is not complete", "请求体不完整") from error
    if encoding == "identity":
        return body
    return await asyncio.to_thread(_unpack, body, encoding, limits)


class _Member(NamedTuple):
    """One unpacked member of a stream, whether it was whole, and what follows it."""

    body: bytes
    is_whole: bool
    rest: Body


def _unpack(packed: Body, encoding: str, limits: ServerSettings) -> bytes:
    """All members of a gzip, zlib or zstd stream; a stream that ends early is a fault, not a shorter body."""
    parts: list[bytes] = []
    size_max = limits.body_bytes_max
    try:
        while packed:
            if len(parts) == MEMBERS_MAX:
                raise _not_packed(encoding)
            member = (
                _first_frame(packed, size_max)
                if encoding == "zstd"
                else _first_member(packed, encoding, size_max)
            )
            size_max -= len(member.body)
            if size_max < 0:
                raise _too_large(limits)
            if not member.is_whole:
                raise _not_packed(encoding)
            parts.append(member.body)
            packed = member.rest
    except (zlib.error, zstandard.ZstdError) as error:
        raise _not_packed(encoding) from error
    return b"".join(parts)


def _first_member(packed: Body, encoding: str, size_max: int) -> _Member:
    """Of gzip or zlib, at most one byte more than allowed of it."""
    stream = zlib.decompressobj(_WINDOW_BITS[encoding])
    body = stream.decompress(packed, size_max + 1)
    return _Member(body, stream.eof, stream.unused_data)


def _first_frame(packed: Body, size_max: int) -> _Member:
    """Of zstd, at most a step's worth more than allowed: the library unpacks whatever it is given at once."""
    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX).decompressobj()
    view = memoryview(packed)
    parts: list[bytes] = []
    at, size = 0, 0
    while at < len(view) and not stream.eof and size <= size_max:
        parts.append(stream.decompress(view[at : at + _ZSTD_STEP_BYTES]))
        size += len(parts[-1])
        at = min(at + _ZSTD_STEP_BYTES, len(view))
    return _Member(b"".join(parts), stream.eof, view[at - len(stream.unused_data) :])


async def _read_packed(content: StreamReader, limits: ServerSettings) -> Body:
    """The body as it came."""

    def allowed_s(known_bytes: int) -> float:
        return min(BODY_GRACE_S + known_bytes / BODY_RATE_BYTES_S_MIN, limits.body_deadline_s)

    if isinstance(content, DirectBody):
        return await content.take(allowed_s)
    if content.is_eof():  # the everyday small body came with its head
        whole = content.read_nowait()
        if len(whole) <= limits.body_bytes_max:
            return whole
        raise _too_large(limits)
    start_s = asyncio.get_running_loop().time()
    body = bytearray()
    while not content.at_eof():
        async with asyncio.timeout_at(start_s + allowed_s(len(body))):
            body += await content.readany()
        if len(body) > limits.body_bytes_max:
            raise _too_large(limits)
    return bytes(body)


def check_declared_length(request: web.Request, limits: ServerSettings) -> None:
    """Raise Problem 413 from the Content-Length alone, before a byte of the body is read."""
    declared = request.content_length
    if declared is not None and declared > limits.body_bytes_max:
        raise _too_large(limits)


def _unknown_encoding(encoding: str) -> Problem:
    taken = ", ".join(_ENCODINGS)
    return Problem(
        problem.UNSUPPORTED_MEDIA_TYPE,
        f"Content-Encoding {encoding[:40]} is not taken; send one of: {taken}, or none",
        f"不支持 Content-Encoding {encoding[:40]}；可用：{taken}，或不压缩",
        headers={"Accept-Encoding": taken},
    )


def _not_packed(encoding: str) -> Problem:
    return Problem(
        problem.MALFORMED_BODY,
        f"the body is not {encoding}, or ends before its stream does",
        f"请求体不是 {encoding} 格式，或数据流不完整",
    )


def _too_large(limits: ServerSettings) -> Problem:
    size = limits.body_bytes_max
    return Problem(
        problem.BODY_TOO_LARGE,
        f"a body may have {size} bytes, unpacked; send it in parts",
        f"请求体解压后不得超过 {size} 字节；请分批发送",
    )


def _too_slow(limits: ServerSettings) -> Problem:
    rate = BODY_RATE_BYTES_S_MIN
    return Problem(
        problem.BODY_TOO_SLOW,
        f"the body must come at {rate} bytes/s or more and within {limits.body_deadline_s:g} s",
        f"请求体传输速率不得低于 {rate} 字节/秒，且须在 {limits.body_deadline_s:g} 秒内传完",
    )
