"""The archive's background work, one piece after the other: retention, moving, merging, removing what was replaced.

A task of its own beside sealing, which must never wait for a long merge.
"""

from historian.logs import EventLog
from historian.store import maintenance, retention
from historian.store.store import Store

log = EventLog("store")

PAUSE_S = 60.0  # between looks for work where there was none
BREATH_S = 1.0  # between two pieces of work
RETIRED_KEPT_S = 60.0  # reads that began before files were replaced have ended by then


async def run_background(store: Store) -> None:
    """Work until cancelled."""
    _clean_cold(store)
    remove_at_s: float | None = None
    while True:
        if store.manifest.retired and remove_at_s is None:
            remove_at_s = store.clock.monotonic_s() + RETIRED_KEPT_S
        if remove_at_s is not None and store.clock.monotonic_s() >= remove_at_s:
            await maintenance.remove_retired(store)
            remove_at_s = None
        has_worked = await work_once(store)
        await store.clock.sleep(BREATH_S if has_worked else PAUSE_S)


async def work_once(store: Store) -> bool:
    """The most urgent piece of work; whether there was any."""
    return (
        await retention.keep(store) or await retention.move_cold(store) or await maintenance.merge_once(store)
    )


def _clean_cold(store: Store) -> None:
    try:
        retention.clean_cold(store)
    except OSError as error:
        log.error("remove_failed", problem=error, meaning="unfinished copies stay in the cold folder")
