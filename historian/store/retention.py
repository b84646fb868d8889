"""What leaves the archive, and what moves to a slower disk. Everything is off unless the settings ask for it.

* ``keep_days`` alone: a month goes when its newest sample is older.
* ``keep_bytes_max`` alone: the oldest months go until the rest is small enough; the newest month always stays.
* Both: a month goes when it is older than ``keep_days`` and the whole is larger than ``keep_bytes_max``.
* ``cold_folder``: a month moves there when its newest sample is older than ``cold_after_days``.

Figures of days and months (rollups) are kept: they are in a file of their own.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import google_crc32c
import msgspec
import numpy as np

from historian.errors import SegmentCorrupt, StoreError
from historian.logs import EventLog
from historian.model.point import DAY_US
from historian.store import filenames, maintenance
from historian.store.archive import LiveSegment
from historian.store.manifest import SegmentInfo
from historian.store.pace import Pace, WorkStopped
from historian.store.seal import Sealed
from historian.store.store import Store

log = EventLog("retention")


async def drop_before(store: Store, time_us: int, before_checkpoint: Callable[[], Awaitable[None]]) -> None:
    """Remove every sample older than `time_us`, all its versions, sealed or not.

    Raises StoreError where that is not possible now; then older samples may be there still, each whole.
    """
    if not await maintenance.seal_all(store, before_checkpoint) and store.unsealed_count:
        raise StoreError("samples cannot be removed now: what is unsealed cannot be sealed first")
    async with store.archive.workshop.merge_turn:
        store.archive.require_undamaged(TIME_LOWEST, time_us)
        live = store.archive.live
        whole = [one.info for one in live if one.info.time_max_us < time_us]
        cut = [[one] for one in live if one.info.time_min_us < time_us <= one.info.time_max_us]
        if (whole or cut) and await maintenance.rewrite(store, cut, time_us, whole) is None:
            raise StoreError("samples cannot be removed now: segments cannot be written anew without them")
        _forget(store, time_us)
    log.info("dropped_before", time_us=time_us)


async def keep(store: Store) -> bool:
    """Let go of what the settings do not keep; whether anything went."""
    settings = store.settings
    infos = [live.info for live in store.archive.live]
    gone = months_to_drop(infos, store.clock.now_us(), settings.keep_days, settings.keep_bytes_max)
    if not gone:
        return False
    async with store.archive.workshop.merge_turn:
        chosen = [live.info for live in store.archive.live if live.info.month in gone]
        try:
            await _drop_whole(store, chosen)
        except (OSError, StoreError) as error:
            log.error("drop_failed", problem=error, meaning="tried again later")
            return False
        _forget(store, max(info.time_max_us for info in chosen) + 1)
    for month in gone:
        here = [info for info in chosen if info.month == month]
        samples, size = sum(info.sample_count for info in here), sum(info.size_bytes for info in here)
        log.info("month_dropped", month=month, segments=len(here), samples=samples, bytes=size)
    return True


def months_to_drop(
    infos: Sequence[SegmentInfo], now_us: int, keep_days: int, keep_bytes_max: int
) -> list[str]:
    """The months that the settings do not keep, oldest first."""
    months = sorted({info.month for info in infos})
    size = {month: sum(info.size_bytes for info in infos if info.month == month) for month in months}
    newest = {month: max(info.time_max_us for info in infos if info.month == month) for month in months}
    total = sum(size.values())
    gone: list[str] = []
    for month in months[:-1] if keep_bytes_max else months:
        is_old = keep_days > 0 and newest[month] < now_us - keep_days * DAY_US
        is_over = keep_bytes_max > 0 and total > keep_bytes_max
        if not (is_old and is_over if keep_days and keep_bytes_max else is_old or is_over):
            break
        gone.append(month)
        total -= size[month]
    return gone


async def move_cold(store: Store) -> bool:
    """Move one segment to the cold folder; whether one was moved."""
    folder = store.archive.cold_folder
    if folder is None:
        return False
    async with store.archive.workshop.merge_turn:
        live = _next_cold(store)
        if live is None:
            return False
        try:
            await store.in_thread(store.archive.workshop.merger, _copy, store, live, folder)
            moved = msgspec.structs.replace(live.info, tier="cold")
            sealed = [Sealed(moved, folder / moved.name)]
            async with maintenance.put_in_force(store, [live.info], sealed) as (state, added):
                store.adopt(state, added)
        except WorkStopped:
            return False
        except (OSError, StoreError) as error:
            if isinstance(error, SegmentCorrupt):
                store.archive.set_down(error)
            log.error("move_failed", file=live.info.name, problem=error, meaning="it stays where it is")
            return False
    log.info("moved", file=live.info.name, to=folder, bytes=live.info.size_bytes)
    return True


def clean_cold(store: Store) -> None:
    """Remove copies that never came into force: what the manifest lists lies in the data folder still."""
    folder = store.archive.cold_folder
    if folder is None or not folder.is_dir():
        return
    tiers = {info.name: info.tier for info in store.manifest.segments}
    for name in store.files.names(folder):
        if name.endswith(filenames.TEMPORARY_SUFFIX) or tiers.get(name) == "":
            store.files.unlink(folder / name)
            log.info("removed", file=folder / name, reason="unfinished")


async def _drop_whole(store: Store, infos: Sequence[SegmentInfo]) -> None:
    if not infos:
        return
    async with maintenance.put_in_force(store, infos, []) as (state, added):
        store.adopt(state, added)


def _forget(store: Store, before_us: int) -> None:
    """The ring must not answer for what was removed: up to there it is asked for in segments."""
    ids = np.arange(store.ring.point_count, dtype=np.uint32)
    store.ring.raise_floor(ids, np.full(len(ids), before_us - 1))


def _next_cold(store: Store) -> LiveSegment | None:
    """The oldest segment of a month that is due, if any."""
    newest: dict[str, int] = {}
    for live in store.archive.live:
        newest[live.info.month] = max(newest.get(live.info.month, TIME_LOWEST), live.info.time_max_us)
    due_us = store.clock.now_us() - store.settings.cold_after_days * DAY_US
    due = [
        live for live in store.archive.mergeable() if not live.info.tier and newest[live.info.month] < due_us
    ]
    return min(due, key=lambda live: live.info.time_min_us, default=None)


def _copy(store: Store, live: LiveSegment, folder: Path) -> None:
    """Put a copy that was seen to be whole into the cold folder."""
    pace: Pace = store.archive.workshop.pace()
    data = store.files.read(live.segment.path)
    if google_crc32c.value(data) != live.info.crc32c:
        raise SegmentCorrupt(str(live.segment.path), "the checksum of the file does not match")
    store.files.make_folder(folder)
    store.files.publish(folder / live.info.name, data)
    pace.keep(2 * len(data))


TIME_LOWEST = int(np.iinfo(np.int64).min)
