"""Opens a data folder: manifest, segments, ring, then the log. Nothing acknowledged is ever dropped.

What a crash leaves is met by rule: temporary files and segments that no manifest lists were never in
force; a torn tail of the log was never acknowledged; damage elsewhere is set aside and reported, and
everything after it is kept.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.errors import SegmentCorrupt, StoreError
from historian.logs import EventLog
from historian.model.point import MINUTE_US
from historian.model.ports import DirtyMarker, PointDirectory
from historian.model.sample import PointIdColumn, SampleBatch
from historian.settings import StoreSettings
from historian.store import filenames, maintenance, manifest, wal_record
from historian.store.durable import DurableFiles
from historian.store.manifest import Manifest
from historian.store.segment import Segment
from historian.store.store import Store
from historian.store.wal_record import WalRecord

log = EventLog("recovery")

UNKNOWN_POINT_INTERVAL_US = 15 * MINUTE_US  # for samples of a point that the catalogue has lost
_LOST_POINTS = "the log holds points that are not in the catalogue; they are kept, and read by their id"


class Recovered(NamedTuple):
    """What was found at start."""

    segment_count: int
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
        # What a killed process renamed or removed may not be on disk yet; from here on we rely on it.
        files.sync_folder(folder / name)
    files.sync_folder(folder)
    state = manifest.read(files, folder)
    segment_names = files.names(folder / filenames.SEGMENT_FOLDER)
    if state is None:
        _refuse_orphans(folder, segment_names)
        state = Manifest()
        manifest.write(files, folder, state)
    store = Store(folder, files, clock, directory, settings, state, marker)
    store.archive.adopt(state.segments, store.archive.load(state.segments))
    store.make_rooms(interval_us)
    all_ids = np.arange(store.ring.point_count, dtype=np.uint32)
    store.ring.raise_floor(all_ids, np.full(len(all_ids), store.archive.time_max_us))
    samples = _replay(store)
    _pass_over_numbers_set_aside(store)
    _clean(store, segment_names)
    return store, Recovered(len(store.archive.live), samples)


def _refuse_orphans(folder: Path, segment_names: list[str]) -> None:
    if any(filenames.segment_generation(name) is not None for name in segment_names):
        raise StoreError(
            f"{folder / filenames.MANIFEST} is missing although segments exist; restore it from a backup "
            "(starting without it would hide all archived data)"
        )


def _clean(store: Store, segment_names: list[str]) -> None:
    """Remove what was never in force or was replaced; report what cannot be explained."""
    folder = store.folder / filenames.SEGMENT_FOLDER
    listed = {info.name for info in store.manifest.segments} | set(store.manifest.retired)
    for name in segment_names:
        if name in listed:
            continue
        if name.endswith(filenames.TEMPORARY_SUFFIX) or _is_unfinished(store, name):
            _remove(store, folder / name)
        else:
            store.damage.append(f"{folder / name}: not in the manifest; left alone and not served")
            generation = filenames.segment_generation(name) or 0
            if generation >= store.manifest.next_generation:  # or it would pass for one of ours
                store.manifest = msgspec.structs.replace(store.manifest, next_generation=generation + 1)
    if store.manifest.retired and not store.archive.damage:  # damaged may be what they were merged into
        try:
            store.manifest = maintenance.unlink_retired(store)
        except OSError as error:
            log.error(
                "remove_failed", problem=error, meaning="merged segments stay on disk; tried again later"
            )


def _is_unfinished(store: Store, name: str) -> bool:
    """Whether a seal or merge that never came into force left this segment, and all of it is elsewhere.

    Not so where an old manifest was restored from a backup: then it may be all there is of its samples.
    """
    generation = filenames.segment_generation(name)
    if generation is None or generation < store.manifest.next_generation:
        return False
    try:
        segment = Segment(store.folder / filenames.SEGMENT_FOLDER / name)
        sequence = segment.read_batches().sequence
        segment.close()
    except SegmentCorrupt:
        return False
    is_listed = (sequence <= store.manifest.sealed_sequence) & (not store.archive.damage)
    is_elsewhere = is_listed | np.isin(sequence, store.batch_journal.snapshot().sequence)
    return len(sequence) > 0 and bool(is_elsewhere.all())


def _remove(store: Store, path: Path) -> None:
    try:
        store.files.unlink(path)
    except FileNotFoundError:  # the file of which it was to be a new version was written anew meanwhile
        return
    except OSError as error:
        log.error("remove_failed", file=path, problem=error, meaning="tried again at the next start")
    else:
        log.info("removed", file=path, reason="unfinished")


def _replay(store: Store) -> int:
    """Read the log into ring and unsealed batches; gives how many samples came from it."""
    folder = store.folder / filenames.WAL_FOLDER
    sample_count = 0
    last_found = store.manifest.sealed_sequence
    for path in _log_files(store, folder):
        try:
            data = store.files.read(path)
        except OSError as error:
            _set_file_aside(store, path, error)
            continue
        found = wal_record.scan(data)
        _report_damage(store, path, data, found)
        _report_missing(store, path, found, last_found)
        _make_durable(store, path, data, found)
        for record in found.records:
            if record.batch is not None and record.sequence > store.manifest.sealed_sequence:
                _apply(store, record.batch, record)
                sample_count += record.batch.sample_count
        last = found.records[-1].sequence if found.records else 0
        last_found = max(last_found, last)
        store.wal.adopt(path, last)
        store.note_record(last)
    store.wal.drop_through(store.manifest.sealed_sequence)
    return sample_count


def _log_files(store: Store, folder: Path) -> list[Path]:
    """The log's files in the order written; what is none of them is removed or reported."""
    paths: list[tuple[int, Path]] = []
    for name in store.files.names(folder):
        path = folder / name
        first = filenames.wal_first_sequence(path)
        if name.endswith(filenames.TEMPORARY_SUFFIX):
            _remove(store, path)
        elif first is None:
            store.damage.append(f"{path}: not a log file; left alone")
        else:
            paths.append((first, path))
    return [path for _, path in sorted(paths)]


def _set_file_aside(store: Store, path: Path, error: OSError) -> None:
    """A file that cannot be read must not stop the start, nor pass for sealed later and be removed.

    `salvage` tries it again at each start.
    """
    aside = store.folder / filenames.QUARANTINE_FOLDER / filenames.unreadable_name(path)
    problem = error.strerror or error
    log.error("log_unreadable", file=path, problem=problem, aside=aside)
    try:
        store.files.rename(path, aside)
        store.files.sync_folder(aside.parent)
        store.files.sync_folder(path.parent)
    except OSError as refusal:
        log.error("set_aside_failed", file=path, problem=refusal)
    store.damage.append(
        f"{path}: cannot be read ({problem}); set aside as {aside.name}, and tried again at each start"
    )
    _pass_over_numbers(store, path)


def _pass_over_numbers_set_aside(store: Store) -> None:
    """Those of files that an earlier start set aside: nothing else may tell that they were given out."""
    folder = store.folder / filenames.QUARANTINE_FOLDER
    for name in store.files.names(folder):
        if filenames.is_unreadable_name(name):
            _pass_over_numbers(store, (folder / name).with_suffix(""))


def _pass_over_numbers(store: Store, path: Path) -> None:
    """Of a file whose numbers are not known none is given out again, or an old value would pass for a correction."""
    first = filenames.wal_first_sequence(path) or 0
    store.note_record(first + store.settings.wal_file_bytes_max // wal_record.RECORD_HEADER_SIZE)


def _make_durable(store: Store, path: Path, data: bytes, found: wal_record.WalScan) -> None:
    """Write the records of a file that was not ended in order anew, before anybody hears that they are stored.

    Some may be in the system's memory only: those of a killed process, which a power cut would still take,
    and those whose sync failed, which no later sync brings to disk.
    """
    last = found.records[-1].sequence if found.records else 0
    if found.has_end or last <= store.manifest.sealed_sequence:
        return
    end = wal_record.encode_mark(wal_record.TYPE_END, last, store.clock.now_us())
    try:
        store.files.publish(path, data[: found.end] + b"".join(piece.tobytes() for piece in end))
    except OSError as error:
        meaning = "it is read as it is; until it is sealed, a power cut may take its last records"
        log.error("log_not_renewed", file=path, problem=error, meaning=meaning)


def _apply(store: Store, batch: SampleBatch, record: WalRecord) -> None:
    store.note_points(batch.point_id)
    if int(batch.point_id.max()) >= store.ring.point_count or store.ring.lacks_room(batch.point_id):
        _make_lost_rooms(store, batch.point_id)
    store.apply(batch, record.sequence, record.version, record.arrival_time_us, record.origin)


def _make_lost_rooms(store: Store, point_id: PointIdColumn) -> None:
    """Places for points that the log knows and the catalogue has lost."""
    ids = np.unique(point_id)
    intervals = np.zeros(int(ids[-1]) + 1, np.int64)
    store.make_rooms(intervals)
    lost = np.array([one for one in ids if store.ring.lacks_room(np.array([one]))], np.uint32)
    intervals[lost] = UNKNOWN_POINT_INTERVAL_US
    store.make_rooms(intervals)
    store.ring.raise_floor(lost, np.full(len(lost), store.archive.time_max_us))
    if _LOST_POINTS not in store.damage:
        store.damage.append(_LOST_POINTS)


def _report_missing(store: Store, path: Path, found: wal_record.WalScan, last_found: int) -> None:
    """Each file says which record was the last before it: a file that is gone, or cut at its end, shows."""
    for record in found.records:
        if record.record_type == wal_record.TYPE_CONTINUES and record.version > last_found:
            store.damage.append(
                f"{path.parent}: records {last_found + 1} to {record.version} are missing before {path.name}: a log "
                "file was removed or cut; if there is a copy of it, restore it and start again"
            )
            log.error("log_missing", first=last_found + 1, last=record.version, before=path)


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
