"""Damage of the SQLite files: points, outages, figures, quarantine. Each is refused by name, or made anew."""

import asyncio
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from historian import core
from historian.clock import ManualClock
from historian.errors import HistorianError
from historian.metrics import Metrics
from historian.model.point import PointDraft, PointKind
from historian.model.sample import make_batch
from historian.settings import Settings
from historian.store import filenames
from tests.support import store_kit
from tests.support.quick_folder import quick_folder
from tests.support.store_kit import QUARTER_US, START_US

DRAFT = PointDraft(name="m", unit="kWh", kind=PointKind.INTERVAL, time_zone="UTC")
DAY = datetime.date(2026, 1, 1)
CLOCK = ManualClock(START_US + 96 * QUARTER_US)
FILES = [filenames.CATALOGUE, filenames.JOURNAL, filenames.ROLLUP, filenames.SAMPLE_QUARANTINE]
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "another program's": lambda data: b"hello" * (len(data) // 5),
    "cut to a half": lambda data: data[: len(data) // 2],
    "first bytes zero": lambda data: bytes(100) + data[100:],
}


class Found(NamedTuple):
    """What a start makes of a folder: the day's energy, or the refusal."""

    energy: float | None
    refusal: str


@pytest.fixture(scope="module")
def sound() -> Iterator[Path]:
    """A day of one point, its figure made."""
    with quick_folder() as folder:
        asyncio.run(fill(folder / "data"))
        yield folder / "data"


async def fill(data: Path) -> None:
    async with core.open_core(Settings(), data, CLOCK, Metrics()) as parts:
        point = parts.registry.ensure(DRAFT)
        times = [START_US + slot * QUARTER_US for slot in range(96)]
        await parts.sink.append(make_batch(point.id, times, [0.1] * 96), source="t")
        await parts.rollup.rows([point], "day", DAY, DAY + datetime.timedelta(days=1))


async def found_in(data: Path) -> Found:
    try:
        async with core.open_core(Settings(), data, CLOCK, Metrics()) as parts:
            point = parts.registry.get("m")
            [row] = await parts.rollup.rows([point], "day", DAY, DAY + datetime.timedelta(days=1))
            return Found(row.energy, "")
    except HistorianError as error:
        return Found(None, str(error))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FILES)
async def test_a_damaged_database_is_refused_by_name(
    name: str, damage: Callable[[bytes], bytes], sound: Path, quick_path: Path
) -> None:
    data = store_kit.copy_of(sound, quick_path / "copy")
    (data / name).write_bytes(damage((data / name).read_bytes()))
    found = await found_in(data)
    assert found.energy is None
    assert str(data / name) in found.refusal


@pytest.mark.parametrize("name", [filenames.JOURNAL, filenames.ROLLUP, filenames.SAMPLE_QUARANTINE])
async def test_what_follows_from_the_samples_is_made_anew_where_its_file_is_missing(
    name: str, sound: Path, quick_path: Path
) -> None:
    data = store_kit.copy_of(sound, quick_path / "copy")
    (data / name).unlink()
    assert await found_in(data) == Found(9.6, "")


async def test_a_catalogue_older_than_the_data_is_refused(sound: Path, quick_path: Path) -> None:
    """Its next new point would get the number, and the samples, of one that it does not know."""
    data = store_kit.copy_of(sound, quick_path / "copy")
    (data / filenames.CATALOGUE).unlink()
    found = await found_in(data)
    assert filenames.CATALOGUE in found.refusal
    assert "restore" in found.refusal
