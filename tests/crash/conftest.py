"""Folders in memory: these tests make and remove thousands, and sync nothing that matters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.quick_folder import quick_folder


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder that costs next to nothing to fill and remove."""
    with quick_folder() as folder:
        yield folder
