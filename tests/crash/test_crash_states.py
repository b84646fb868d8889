"""Power cuts by enumeration: after every single file operation of append, seal, merge, removal and recovery the
folder is built as a power cut may leave it, and opened: what was acknowledged is there in every version, nothing is
there that nobody sent, every figure hears of what changed, and the next write is taken.
"""

import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from historian.errors import HistorianError
from tests.support.disk_recorder import DiskRecorder, Killed, failing, recording
from tests.support.explore import Bounds, Explorer
from tests.support.store_life import Life

EIO = OSError(errno.EIO, "injected")
AFTER_THE_MANIFEST = (("rename", "manifest"), ("sync_folder", "data"))
THOROUGH = float(os.environ.get("CRASH_FACTOR", "1"))  # `make crash` sets 10
Scenario = Callable[[Life], Awaitable[None]]


async def everyday(life: Life) -> None:
    """In order, corrected, late, deleted, over a month's end and in several log files; sealed and merged."""
    for number in range(3):
        first = number * 20
        await life.append(*((1, slot) for slot in range(first, first + 25)))
        await life.append((2, first), (2, first), (1, first + 3), reason="read by hand")
        await life.append((2, -5), (1, 3), source="station two")
        await life.mark_deleted((1, first + 1), (2, -5))
        await life.seal()
    await life.append((1, 60), (1, 4000))
    assert await life.merge()
    await life.append((1, 2), (2, 61))
    await life.remove_retired()
    await life.seal()


async def many_small_batches(life: Life) -> None:
    """Several log files, none sealed, then everything at once."""
    for slot in range(40):
        await life.append((1, slot), (2, 39 - slot), (1, slot // 2))
    await life.seal()


async def old_months_leave(life: Life) -> None:
    """One month moves to the cold folder, is corrected, merged, and dropped in part."""
    await life.append(*((1, slot) for slot in range(-205, -190)), (2, -3500), (1, 5))
    await life.seal()
    await life.append((1, -200), (2, -195), (1, 6), reason="by hand")
    await life.seal()
    assert await life.move_cold()
    await life.append((1, -199))
    await life.seal()
    await life.drop_before(-198)
    await life.append((1, 7))
    await life.remove_retired()
    await life.merge()
    await life.seal()


async def killed_before_the_log_was_synced(life: Life) -> None:
    await life.append((1, 0))
    with failing(life.recorder, Killed(), ("sync", ".wal")), pytest.raises(Killed):
        await life.append((1, 1), (1, 0))
    await life.kill_and_open()
    await life.append((1, 2))
    await life.seal()


async def killed_after_a_sync_of_the_log_failed(life: Life) -> None:
    await life.append((1, 0))
    with failing(life.recorder, EIO, ("sync", ".wal")), pytest.raises(HistorianError):
        await life.append((1, 1), (1, 0))
    await life.append((1, 2))
    await life.kill_and_open()
    await life.append((1, 3))
    await life.seal()


async def killed_before_the_manifest_was_on_disk(life: Life) -> None:
    await life.append((1, 0), (1, 1))
    with failing(life.recorder, Killed(), *AFTER_THE_MANIFEST), pytest.raises(Killed):
        await life.seal()
    await life.kill_and_open()
    await life.append((1, 2))
    await life.seal()


async def killed_while_sealing_after_a_merge_nobody_heard_of(life: Life) -> None:
    """The merge's manifest is on disk although its write failed; the next seal must not touch what it lists."""
    for slot in range(3):
        await life.append((1, slot))
        await life.seal()
    with failing(life.recorder, EIO, *AFTER_THE_MANIFEST):
        assert not await life.merge()
    await life.append((1, 3))
    await life.seal()


SCENARIOS = [
    everyday,
    many_small_batches,
    old_months_leave,
    killed_before_the_log_was_synced,
    killed_after_a_sync_of_the_log_failed,
    killed_before_the_manifest_was_on_disk,
    killed_while_sealing_after_a_merge_nobody_heard_of,
]


async def live(scenario: Scenario, folder: Path) -> Life:
    """A life from an empty folder to its orderly end."""
    with recording(DiskRecorder()) as recorder:
        life = Life(folder, recorder)
        await scenario(life)
        await life.close()
    return life


@pytest.mark.slow
@pytest.mark.timeout(60 + 120 * THOROUGH)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_no_power_cut_takes_what_was_acknowledged(scenario: Scenario, quick_path: Path) -> None:
    life = await live(scenario, quick_path / "data")
    bounds = Bounds(states_max=round(12 * THOROUGH), nested_share=0.01 * THOROUGH)
    explorer = Explorer(quick_path / "cut", bounds)
    await explorer.explore(life)
    print(
        f"{scenario.__name__}: {explorer.count} states of {len(life.recorder.events)} operations, seed {bounds.seed}"
    )
    assert explorer.count > 100
