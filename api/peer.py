"""Where a request comes from, also behind a proxy that is trusted to say so."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from aiohttp import web

ADDRESS_LENGTH_MAX: Final = 64


def address_of(request: web.BaseRequest, trusted_proxies: Sequence[str] = ()) -> str:
    """The client's address: that of the connection, or what trusted proxies say of it.

    Of ``X-Forwarded-For`` the last entry counts that no trusted proxy stands for: what is before it anybody may write.
    """
    address = request.remote or ""  # known also after the connection is gone
    if not trusted_proxies or not is_trusted(address, trusted_proxies):
        return address
    entries = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for entry in reversed(entries):
        named = entry.strip()[:ADDRESS_LENGTH_MAX]
        if named and not is_trusted(named, trusted_proxies):
            return named
    return address


def is_secure(request: web.BaseRequest, trusted_proxies: Sequence[str] = ()) -> bool:
    """Whether the client speaks TLS, to us or to a trusted proxy."""
    if request.transport is not None and request.transport.get_extra_info("sslcontext") is not None:
        return True
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    is_proxied = isinstance(peer, tuple) and is_trusted(str(peer[0]), trusted_proxies)
    return is_proxied and request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"


def is_trusted(address: str, trusted_proxies: Sequence[str]) -> bool:
    """Whether the address is one of these addresses or networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(one, strict=False) for one in trusted_proxies)
