"""What conformance tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Points over the real store, in a folder of its own."""
    async with open_site(tmp_path) as opened:
        yield opened
