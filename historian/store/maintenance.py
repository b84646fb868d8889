"""Background work of the store: sealing, merging small segments, removing what was replaced.

The caller decides when, since before a seal takes effect other state must be durable, too:
`seal` waits for `before_checkpoint` between the snapshot and the new manifest.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from historian.errors import SegmentCorrupt
from historian.logs import EventLog
from historian.store import batch_journal, columns, filenames, manifest, seal
from historian.store.archive import LiveSegment
from historian.store.columns import Rows
from historian.store.manifest import Manifest, SegmentInfo
from historian.store.seal import Sealed
from historian.store.segment import Batches, Segment
from historian.store.store import SealJob, Store

log = EventLog("store")

MERGE_SAMPLES_MAX = 1 << 24  # rows held in memory by one merge
TIER_RATIO = 4  # segments within this factor of size are merged together


async def seal_all(store: Store, before_checkpoint: Callable[[], Awaitable[None]]) -> bool:
    """Move everything unsealed into segments; False where there was nothing or the disk failed."""
    job = store.begin_seal()
    if job is None:
        return False
    try:
        await before_checkpoint()
        sealed, state = await store.in_thread(store.threads.maker, _publish_seal, store, job)
        added = await store.in_thread(store.threads.reader, store.archive.load, [one.info for one in sealed])
    except OSError as error:
        store.abandon_seal()
        log.error("seal_failed", problem=error, meaning="samples stay in the log; tried again later")
        return False
    except BaseException:
        store.abandon_seal()
        raise
    store.end_seal(job, state, added)
    await store.in_thread(store.threads.log, store.wal.drop_through, job.sequence)
    log.info(
        "sealed",
        sequence=job.sequence,
        segments=len(sealed),
        samples=sum(s.info.sample_count for s in sealed),
    )
    return True


async def merge_once(store: Store) -> bool:
    """Merge one group of small segments of a month into one; False where no group is large enough."""
    group = _merge_group(store.archive.live, store.settings.segment_compact_count)
    if not group:
        return False
    try:
        sealed, state = await store.in_thread(store.threads.maker, _publish_merge, store, group)
        added = await store.in_thread(store.threads.reader, store.archive.load, [one.info for one in sealed])
    except (OSError, SegmentCorrupt) as error:
        log.error("merge_failed", problem=error, meaning="the segments stay as they are")
        return False
    store.adopt(state, added)
    log.info("merged", segments=len(group), into=sealed[0].info.name, samples=sealed[0].info.sample_count)
    return True


async def remove_retired(store: Store) -> None:
    """Unlink merged segments. Call when no read that began before the merge can still run."""
    if not store.manifest.retired:
        return
    try:
        state = await store.in_thread(store.threads.maker, _unlink_retired, store)
    except OSError as error:
        log.error("remove_failed", problem=error, meaning="merged segments stay on disk; tried again later")
        return
    store.adopt(state, ())


def _publish_seal(store: Store, job: SealJob) -> tuple[list[Sealed], Manifest]:
    no_rows = columns.make_rows(0)
    sealed = _publish(store, [job.late_rows, job.ring_rows], no_rows, job.batches)
    infos = tuple(one.info for one in sealed)
    return sealed, _put_in_force(store, (*store.manifest.segments, *infos), (), job.sequence)


def _publish_merge(store: Store, group: Sequence[LiveSegment]) -> tuple[list[Sealed], Manifest]:
    parts, superseded, batches = [], [], []
    for live in group:
        segment = Segment(live.segment.path)
        try:
            rows, older = segment.read_all()
            batches.append(segment.read_batches())
        finally:
            segment.close()
        parts.append(rows)
        superseded.append(older)
    sealed = _publish(store, parts, columns.concatenate(superseded), batch_journal.join(batches))
    merged = {live.info.name for live in group}
    kept = tuple(info for info in store.manifest.segments if info.name not in merged)
    infos = (*kept, *(one.info for one in sealed))
    return sealed, _put_in_force(store, infos, tuple(sorted(merged)), store.manifest.sealed_sequence)


def _publish(store: Store, parts: Sequence[Rows], superseded: Rows, batches: Batches) -> list[Sealed]:
    folder = store.folder / filenames.SEGMENT_FOLDER
    generation = store.manifest.next_generation
    return seal.publish(store.files, folder, parts, superseded, batches, store.directory, generation)


def _put_in_force(
    store: Store, infos: tuple[SegmentInfo, ...], retired: tuple[str, ...], sealed_sequence: int
) -> Manifest:
    state = Manifest(
        sealed_sequence=sealed_sequence,
        next_generation=max([store.manifest.next_generation, *(info.generation + 1 for info in infos)]),
        segments=infos,
        retired=(*store.manifest.retired, *retired),
    )
    manifest.write(store.files, store.folder, state)
    return state


def _unlink_retired(store: Store) -> Manifest:
    folder = store.folder / filenames.SEGMENT_FOLDER
    for name in store.manifest.retired:
        with contextlib.suppress(FileNotFoundError):  # the last start removed it already
            store.files.unlink(folder / name)
    store.files.sync_folder(folder)
    state = msgspec.structs.replace(store.manifest, retired=())
    manifest.write(store.files, store.folder, state)
    return state


def _merge_group(live: Sequence[LiveSegment], count_min: int) -> list[LiveSegment]:
    """The first set of at least `count_min` segments of one month and of similar size."""
    tiers: dict[tuple[str, int], list[LiveSegment]] = {}
    for segment in live:
        tier = segment.info.sample_count.bit_length() // TIER_RATIO.bit_length()
        tiers.setdefault((segment.info.month, tier), []).append(segment)
    for group in tiers.values():
        if len(group) >= count_min and sum(one.info.sample_count for one in group) <= MERGE_SAMPLES_MAX:
            return group
    return []
