"""Every byte of a segment turned over, in both formats: what is read then is what was written, or refused."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.errors import StoreError
from historian.store.segment import Segment
from tests.source_tree import ROOT
from tests.support.damaged import bit_flips, cuts, flips, make_folder
from tests.support.store_life import Life

THOROUGH = float(os.environ.get("CRASH_FACTOR", "1"))  # `make crash` sets 10
STEP = 1 if THOROUGH > 1 else 29  # of the bytes in CI; all of them in `make crash`
SUPERBLOCK_BYTES = 96
GOLDEN = ROOT / "tests/golden"
FIRST_FORMAT = "segment-1.h5"  # its texts have no checksum


async def corrected_scans(life: Life) -> None:
    """Scans, a run of one point, corrections with and without a reason: every data set has something in it."""
    for slot in range(40):
        await life.append((1, slot), (2, slot))
    await life.append(*((1, slot) for slot in range(3, 30, 3)), reason="by hand")
    await life.append((2, 45), (2, 51), quality=3)
    await life.mark_deleted((1, 6))
    await life.seal()


async def fresh(folder: Path) -> bytes:
    await make_folder(folder, corrected_scans)
    [path] = (folder / "segments").iterdir()
    return path.read_bytes()


def everything(data: bytes) -> list[Any]:
    """All that a segment says, as columns. Raises StoreError."""
    segment = Segment(Path("segment"), data)
    try:
        rows, superseded = segment.read_all()
        return [*rows, *superseded, *segment.read_batches(), *segment.read_names()]
    finally:
        segment.close()


def without_texts(columns: list[Any]) -> list[Any]:
    return [column for column in columns if np.asarray(column).dtype.kind in "iuf"]


def is_same(left: list[Any], right: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.slow
@pytest.mark.timeout(120 + 60 * THOROUGH)
@pytest.mark.parametrize("name", ["fresh", *sorted(path.name for path in GOLDEN.glob("*.h5"))])
async def test_what_is_read_is_what_was_written_or_refused(name: str, quick_path: Path) -> None:
    data = await fresh(quick_path) if name == "fresh" else (GOLDEN / name).read_bytes()
    sound, refused_count = everything(data), 0
    damages = [*bit_flips(data, 0, SUPERBLOCK_BYTES), *flips(data, STEP), *cuts(data, 7 * STEP)]
    for damage in damages:
        try:
            found = everything(damage.data)
        except StoreError:
            refused_count += 1
        else:
            assert is_same(without_texts(found), without_texts(sound)), damage.name
            assert name == FIRST_FORMAT or is_same(found, sound), damage.name
    print(f"{name}: {refused_count} of {len(damages)} refused, the others harmless")
    assert refused_count > len(damages) / 10
