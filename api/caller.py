"""Who sent a request, as its handler sees it."""

from typing import Final

from aiohttp import web

from historian.access.book import Caller
from historian.model.access import ANYBODY, Identity

IDENTITY: Final = web.RequestKey("identity", Identity)
CALLER: Final = web.RequestKey("caller", Caller)  # the same with its session, where access control is on


def identity_of(request: web.BaseRequest) -> Identity:
    """The identity the request acts under; anybody, while access control is off."""
    identity: Identity = request.get(IDENTITY, ANYBODY)
    return identity
