"""Opens a data folder: manifest, segments, ring, then the log. Nothing acknowledged is ever dropped.

What a crash leaves is met by rule: temporary files and segments that no manifest lists were never in
force; a torn tail of the log was never acknowledged; damage elsewhere is set aside and reported, and
everything after it is kept.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.errors import StoreError
from historian.logs import EventLog
from historian.model.point import HOUR_US, MINUTE_US
from historian.model.ports import DirtyMarker, PointDirectory
from historian.settings import StoreSettings
from historian.store import columns, filenames, manifest, wal_record
from historian.store.durable import DurableFiles
from historian.store.manifest import Manifest
from historian.store.ring import TIME_HIGHEST
from historian.store.store import Store

log = EventLog("recovery")

UNKNOWN_POINT_INTERVAL_US = 15 * MINUTE_US  # for samples of a point that the catalogue has lost


class Recovered(NamedTuple):
    """What was found at start."""

    segment_count: int
    replayed_batches: int
    replayed_samples: int


def open_store(
    folder: Path,
    files: DurableFiles,
    clock: Clock,
    directory: PointDirectory,
    interval_us: npt.NDArray[np.int64],
    settings: StoreSettings,
    marker: DirtyMarker,
) -> tuple[Store, Recovered]:
    """The store of a data folder that this process has locked.

    `interval_us` by point id. Every replayed sample is told to `marker`. Raises StoreError for a
    damaged manifest and FormatTooNew; anything else that is damaged is reported in `status()`.
    """
    for name in (filenames.WAL_FOLDER, filenames.SEGMENT_FOLDER, filenames.QUARANTINE_FOLDER):
        files.make_folder(folder / name)
    state = manifest.read(files, folder)
    segment_names = files.names(folder / filenames.SEGMENT_FOLDER)
    if state is None:
        _refuse_orphans(folder, segment_names)
        state = Manifest()
        manifest.write(files, folder, state)
    store = Store(folder, files, clock, directory, settings, state)
    _clean(store, segment_names)
    store.archive.live = tuple(store.archive.load(state.segments))
    store.make_rooms(_with_lost_points(store, interval_us))
    _load_ring(store)
    batches, samples = _replay(store, marker)
    return store, Recovered(len(store.archive.live), batches, samples)


def _refuse_orphans(folder: Path, segment_names: list[str]) -> None:
    if any(filenames.segment_generation(name) is not None for name in segment_names):
        raise StoreError(
            f"{folder / filenames.MANIFEST} is missing although segments exist; restore it from a backup "
            "(starting without it would hide all archived data)"
        )


def _clean(store: Store, segment_names: list[str]) -> None:
    """Remove what was never in force or was replaced; report what cannot be explained."""
    folder = store.folder / filenames.SEGMENT_FOLDER
    listed = {info.name for info in store.manifest.segments}
    for name in segment_names:
        generation = filenames.segment_generation(name)
        is_unfinished = name.endswith(filenames.TEMPORARY_SUFFIX) or (
            generation is not None and generation >= store.manifest.next_generation
        )
        if is_unfinished or name in store.manifest.retired:
            store.files.unlink(folder / name)
            log.info("removed", file=name, reason="unfinished" if is_unfinished else "merged into another")
        elif name not in listed:
            store.damage.append(f"{folder / name}: not in the manifest; left alone and not served")
    store.files.sync_folder(folder)


def _with_lost_points(store: Store, interval_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Intervals by id, with rows too for ids that occur in segments but not in the catalogue."""
    ids = store.archive.point_ids()
    size = max(len(interval_us), int(ids[-1]) + 1 if len(ids) else 0)
    intervals = np.zeros(size, np.int64)
    intervals[: len(interval_us)] = interval_us
    lost = ids[intervals[ids] == 0]
    intervals[lost] = UNKNOWN_POINT_INTERVAL_US
    if len(lost):
        store.damage.append(
            f"{len(lost)} points in the segments are not in the catalogue (first id {lost[0]})"
        )
    return intervals


def _load_ring(store: Store) -> None:
    """The newest hours of every point out of the segments; floors below which to look there."""
    ids = store.archive.point_ids()
    if not len(ids):
        return
    start_us = store.clock.now_us() - store.settings.ring_hours * HOUR_US
    _, last = store.archive.time_span(ids)
    store.ring.raise_floor(ids, np.minimum(last, start_us - 1))
    recent = ids[last >= start_us]
    if not len(recent):
        return
    segments = store.archive.select(start_us, TIME_HIGHEST)
    pieces = store.archive.read(segments, recent, start_us, TIME_HIGHEST)
    store.ring.load(columns.from_runs([columns.merge_runs(runs) for runs in pieces if runs]))


def _replay(store: Store, marker: DirtyMarker) -> tuple[int, int]:
    folder = store.folder / filenames.WAL_FOLDER
    sealed = store.manifest.sealed_sequence
    batch_count = sample_count = 0
    for name in store.files.names(folder):
        path = folder / name
        if filenames.wal_first_sequence(path) is None:
            store.damage.append(f"{path}: not a log file; left alone")
            continue
        data = store.files.read(path)
        found = wal_record.scan(data)
        _report_damage(store, path, data, found)
        for record in found.records:
            if record.batch is None or record.sequence <= sealed:
                continue
            _apply(store, record)
            marker.mark(record.batch.point_id, record.batch.time_us)
            batch_count += 1
            sample_count += record.batch.sample_count
        last = max((record.sequence for record in found.records), default=0)
        store.wal.adopt(path, last)
        store.note_sequence(last)
    store.wal.drop_through(sealed)
    return batch_count, sample_count


def _apply(store: Store, record: wal_record.WalRecord) -> None:
    assert record.batch is not None, "only samples are applied"
    highest = int(record.batch.point_id.max())
    if highest >= store.ring.point_count or store.ring.lacks_room(record.batch.point_id):
        intervals = np.zeros(highest + 1, np.int64)
        intervals[record.batch.point_id] = UNKNOWN_POINT_INTERVAL_US
        store.make_rooms(intervals)
        store.damage.append(f"the log holds points that are not in the catalogue (up to id {highest})")
    store.apply(record.batch, record.sequence, record.arrival_time_us, record.source)


def _report_damage(store: Store, path: Path, data: bytes, found: wal_record.WalScan) -> None:
    """A torn tail is what a crash leaves; anything else was good once and is set aside."""
    for damage in found.damage:
        if damage.is_tail and not found.has_end:
            log.info("torn_tail", file=path, offset=damage.offset, meaning="an unacknowledged write; dropped")
            continue
        aside = store.folder / filenames.QUARANTINE_FOLDER / filenames.damaged_name(path, damage.offset)
        store.files.publish(aside, data[damage.offset : damage.end])
        store.damage.append(
            f"{path}: bytes {damage.offset} to {damage.end} are damaged; set aside as {aside.name}, "
            "later records are kept"
        )
        log.error("log_damaged", file=path, offset=damage.offset, end=damage.end, aside=aside)
