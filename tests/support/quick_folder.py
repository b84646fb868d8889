"""A temporary folder in memory where the system has one, else on disk."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 32 << 20  # a container may have next to nothing there


@contextlib.contextmanager
def quick_folder() -> Iterator[Path]:
    """Removed with everything in it at the end."""
    with tempfile.TemporaryDirectory(dir=MEMORY if is_usable(MEMORY) else None) as folder:
        yield Path(folder)


def is_usable(folder: Path) -> bool:
    """Whether there is room in it for us."""
    if not os.access(folder, os.W_OK):
        return False
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize >= FREE_BYTES_MIN
