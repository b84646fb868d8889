"""Serves the operator page: ``/`` and what it loads from ``/static/``."""

import asyncio
from pathlib import Path, PurePosixPath
from typing import Final

from aiohttp import web

from api import problem
from api.context import CONTEXT
from api.operation import Operation, Parameter
from api.problem import Problem

_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
_VENDOR: Final = "vendor"
_NAME: Final = Parameter("name", "File of the page.", {"type": "string"}, "path", True)


async def get_page(request: web.Request) -> web.StreamResponse:
    """The page itself. Its own parameters (point, date …) are read by its script."""
    return await _reply_file(request, request.app[CONTEXT].web_dir / "static", PurePosixPath("index.html"))


async def get_file(request: web.Request) -> web.StreamResponse:
    """A file of the page; ``vendor/`` holds what the build took from the package registry."""
    web_dir = request.app[CONTEXT].web_dir
    path = PurePosixPath(request.match_info["name"])
    if path.parts and path.parts[0] == _VENDOR:
        return await _reply_file(request, web_dir / _VENDOR, path.relative_to(_VENDOR))
    return await _reply_file(request, web_dir / "static", path)


async def _reply_file(request: web.Request, folder: Path, relative: PurePosixPath) -> web.StreamResponse:
    path = folder / relative
    media_type = _MEDIA_TYPES.get(path.suffix)
    if media_type is None or not await asyncio.to_thread(_is_inside, path, folder):
        raise Problem(
            problem.PAGE_NOT_FOUND,
            f"the page has no file {relative}; if it is not built yet, run make web",
            f"页面没有文件 {relative}；如果尚未构建，请运行 make web",
        )
    headers = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "no-cache"}
    return web.FileResponse(path, headers=headers)


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether it is a file and, links followed, below its folder."""
    try:
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):  # a name no file system takes
        return False


OPERATIONS: Final = (
    Operation(
        "GET", "/", get_page, "getPage", "The operator page.", reply_types=("text/html",), bases=("",),
        takes_any_query=True, right=None,
    ),
    Operation(
        "GET", "/static/{name:.+}", get_file, "getPageFile", "A file of the page.",
        parameters=(_NAME,), problems=(problem.PAGE_NOT_FOUND,), reply_types=("*/*",), bases=("",),
        takes_any_query=True, right=None,
    ),
)  # fmt: skip
