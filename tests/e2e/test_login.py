"""The first administrator, a login and a sign out in a real browser, over a historian that asks who one is."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.server_process import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TOKEN = re.compile(r"setup_\S{43}\s")
PASSWORD = "Correct-Horse-7-battery"


@pytest.fixture
def server(tmp_path: Path, start_server: Callable[..., ServerProcess]) -> ServerProcess:
    server = start_server(tmp_path / "data", None, "--auth", "on")

    async def ready() -> None:
        async with aiohttp.ClientSession() as session:
            await server.wait_ready(session)
        async with asyncio.timeout(20):
            while not TOKEN.search(server.log):  # noqa: ASYNC110 - another process prints it
                await asyncio.sleep(0.05)

    with ThreadPoolExecutor() as apart:  # the browser has a loop of its own in this thread
        apart.submit(lambda: asyncio.run(ready())).result()
    return server


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#login input[name={name}]").fill(value)
    page.locator("#login button[type=submit]").click()


def test_one_comes_in_by_the_printed_token_goes_and_comes_back(
    browser: Browser, server: ServerProcess
) -> None:
    token = TOKEN.search(server.log)
    assert token is not None
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(server.base)
    page.get_by_role("button", name="首次启动").click()
    fill(page, token=token[0].strip(), name="chief", password=PASSWORD)
    expect(page.locator("#who")).to_contain_text("chief")
    page.get_by_role("button", name="退出").click()
    fill(page, name="chief", password="wrong")
    expect(page.locator("#login .problem")).to_contain_text("账号或口令不正确")
    fill(page, name="chief", password=PASSWORD)
    expect(page.locator("#who")).to_contain_text("chief")
    page.get_by_role("button", name="修改口令").click()
    fill(page, present=PASSWORD, new="Another-Horse-8-staple")
    expect(page.locator("#login")).to_be_hidden()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in context.cookies())
    context.close()
