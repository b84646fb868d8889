"""Takes back log files that could not be read at an earlier start.

Their records are written to the log anew under the versions they had: what is newer stays in force, and what
is there already changes nothing.
"""

from pathlib import Path

from historian.errors import FormatTooNew, HistorianError
from historian.logs import EventLog
from historian.store import filenames, wal_record
from historian.store.store import Store

log = EventLog("recovery")


async def take_back(store: Store) -> int:
    """Try every file that was set aside as unreadable; returns how many records came back."""
    folder = store.folder / filenames.QUARANTINE_FOLDER
    count = 0
    for name in store.files.names(folder):
        path = folder / name
        if not filenames.is_unreadable_name(name):
            continue
        try:
            count += await _take_file(store, path)
        except (OSError, FormatTooNew) as error:
            log.error("still_unreadable", file=path, problem=error)
            store.damage.append(f"{path}: still cannot be read ({error}); tried again at each start")
        except HistorianError as error:  # a disk that takes no writes now: the file waits for the next start
            log.error("not_taken_back", file=path, problem=error)
    return count


async def _take_file(store: Store, path: Path) -> int:
    records = [
        record for record in wal_record.scan(store.files.read(path)).records if record.batch is not None
    ]
    tickets = [
        store.append(record.batch, record.origin, record.version) for record in records if record.batch
    ]
    if tickets:
        await store.commit(tickets[-1])
    store.files.rename(path, path.with_name(filenames.taken_back_name(path)))
    store.files.sync_folder(path.parent)
    log.info("taken_back", file=path, records=len(records))
    return len(records)
