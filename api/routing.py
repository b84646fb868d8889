"""Finds the operation of a request by walking its path once; aiohttp's own search costs as much as a small query.

Only what is found here goes the short way. All else, such as a wrong method, HEAD, a file of the page, or a client that
waits for ``100 Continue``, goes through aiohttp's application, and gets the same answers.
"""

from typing import Final

from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from api.errors import Handler

_VARIABLE: Final = "{}"
_SPANNING: Final = ":"  # a variable that may hold more than one segment
_NOT_IN_NAMES: Final = frozenset("{}")  # aiohttp's variables do not take them either


class _Node:
    """What stands behind a part of a path: segments by their text, `_VARIABLE` for any."""

    __slots__ = ("after", "target")

    def __init__(self) -> None:
        self.after: dict[str, _Node] = {}
        self.target: _Target | None = None


class _Target:
    """Where a path leads, and the names of the variable segments in it."""

    __slots__ = ("handler", "names", "route")

    def __init__(self, route: web.AbstractRoute, names: tuple[str, ...], handler: Handler) -> None:
        self.route = route
        self.names = names
        self.handler = handler


class Routing:
    """The operations of an application, by method and path."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._roots: dict[str, _Node] = {}

    def add(self, path: str, route: web.AbstractRoute, handler: Handler) -> None:
        """Take up a route of aiohttp's, `handler` being all that answers it; one whose variable spans segments stays."""
        if _SPANNING in path:
            return
        node = self._roots.setdefault(route.method, _Node())
        names: list[str] = []
        for segment in path.split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                segment = _VARIABLE
            node = node.after.setdefault(segment, _Node())
        node.target = _Target(route, tuple(names), handler)

    def find(self, request: web.Request) -> Handler | None:
        """What answers the request, which now knows its path's variables and application; None: ask aiohttp."""
        node = self._roots.get(request.method)
        if node is None or "Expect" in request.headers:
            return None
        values: list[str] = []
        for segment in request.rel_url.path_safe.split("/"):
            following = node.after.get(segment)
            if following is None:
                following = node.after.get(_VARIABLE)
                if following is None or not segment or not _NOT_IN_NAMES.isdisjoint(segment):
                    return None
                values.append(_without_escapes(segment) if "%" in segment else segment)
            node = following
        target = node.target
        if target is None or len(values) != len(target.names):
            return None
        match = UrlMappingMatchInfo(dict(zip(target.names, values, strict=True)), target.route)
        match.add_app(self._app)
        match.freeze()
        request._match_info = match
        return target.handler


def _without_escapes(segment: str) -> str:
    """The two signs that are still escaped in a safe path."""
    return segment.replace("%2F", "/").replace("%25", "%")
