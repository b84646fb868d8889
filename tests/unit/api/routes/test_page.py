"""The page and its files, and nothing beside them."""

import shutil

import pytest
from yarl import URL

from tests.unit.api.conftest import Api


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/?point=a&date=2026-11-21", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/vendor/chart.js", "text/javascript"),
    ],
)
async def test_the_page_is_served(api: Api, path: str, media_type: str) -> None:
    response = await api.get(path)
    assert response.status == 200
    assert response.content_type == media_type
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.js",
        "/static/../secret.html",
        "/static/..%2fsecret.html",
        "/static/%2e%2e/secret.html",
        "/static/vendor/..%2f..%2fsecret.html",
        "/static/vendor",
        "/static/app.py",
        "/static/%00.js",
        "/static/" + "a" * 300 + ".js",
    ],
)
async def test_nothing_else_is(api: Api, path: str) -> None:
    response = await api.client.get(URL(path, encoded=True))
    assert response.status == 404
    assert response.content_type == "application/problem+json"


async def test_a_link_that_leads_out_is_not_followed(api: Api) -> None:
    (api.context.web_dir / "static" / "out.html").symlink_to(api.context.web_dir / "secret.html")
    await api.problem("/static/out.html", 404, "page-not-found")


async def test_a_page_that_is_not_built_says_how(api: Api) -> None:
    shutil.rmtree(api.context.web_dir / "static")
    assert "make web" in (await api.problem("/", 404, "page-not-found"))["detail"]


async def test_an_unchanged_file_is_not_sent_again(api: Api) -> None:
    etag = (await api.get("/static/app.js")).headers["ETag"]
    assert (await api.get("/static/app.js", **{"If-None-Match": etag})).status == 304
