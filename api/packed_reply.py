"""Packs large replies for clients that take it: zstd before gzip, both at the level that costs least."""

import asyncio
import zlib
from functools import lru_cache
from typing import Final

import zstandard
from aiohttp import web

PACKED_BYTES_MIN: Final = 64 * 1024  # below it a network saves less than the packing costs
_LEVEL: Final = 1
_GZIP_WINDOW_BITS: Final = 31
_HEADERS_KEPT_MAX: Final = 64


async def pack(request: web.Request, response: web.StreamResponse) -> None:
    """Pack the body in place, where it is large, whole and not packed yet."""
    if not isinstance(response, web.Response) or response.prepared:
        return
    body = response.body
    if not isinstance(body, bytes) or len(body) < PACKED_BYTES_MIN:
        return
    response.headers["Vary"] = "Accept-Encoding"
    coding = choose_coding(request.headers.get("Accept-Encoding", ""))
    if coding and "Content-Encoding" not in response.headers:
        response.body = await asyncio.to_thread(_packed, body, coding)
        response.headers["Content-Encoding"] = coding


@lru_cache(_HEADERS_KEPT_MAX)
def choose_coding(accept_encoding: str) -> str:
    """``zstd``, ``gzip`` or nothing, as the header allows and weighs them."""
    weights = dict(_weighted(entry) for entry in accept_encoding.lower().split(","))
    anything = weights.get("*", 0.0)
    best = max(("zstd", "gzip"), key=lambda coding: weights.get(coding, anything))
    return best if weights.get(best, anything) > 0 else ""


def _weighted(entry: str) -> tuple[str, float]:
    coding, _, parameter = entry.partition(";")
    name, _, weight = parameter.strip().partition("=")
    if name.strip() != "q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(weight)
    except ValueError:
        return coding.strip(), 0.0


def _packed(body: bytes, coding: str) -> bytes:
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    stream = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW_BITS)
    return stream.compress(body) + stream.flush()
