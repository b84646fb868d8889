"""What conformance tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.served_core import Served, serve
from tests.support.site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Points over the real store, in a folder of its own."""
    async with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """The same behind its HTTP server."""
    async with serve(tmp_path) as opened:
        yield opened
