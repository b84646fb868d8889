"""Background work of the store: sealing, merging small segments, removing what was replaced.

The caller decides when, since before a seal takes effect other state must be durable, too:
`seal` waits for `before_checkpoint` between the snapshot and the new manifest.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from historian.errors import SegmentCorrupt, StoreError
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
TIER_BITS = 3  # segments of one tier differ in size by less than 2³


async def seal_all(store: Store, before_checkpoint: Callable[[], Awaitable[None]]) -> bool:
    """Move everything unsealed into segments; False where there was nothing or the disk failed."""
    job = store.begin_seal()
    if job is None:
        return False
    try:
        await before_checkpoint()
        sealed = await store.in_thread(store.threads.maker, _make_sealed, store, job)
        state, added = await _put_in_force(store, (), sealed, job.sequence)
    except (OSError, StoreError) as error:
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
    group = _merge_group(store.archive.mergeable(), store.settings.segment_compact_count)
    if not group or not store.status().is_writable:  # a merge needs space before it gives any back
        return False
    merged = tuple(sorted(live.info.name for live in group))
    try:
        sealed = await store.in_thread(store.threads.maker, _make_merged, store, group)
        state, added = await _put_in_force(store, merged, sealed, store.manifest.sealed_sequence)
    except (OSError, StoreError) as error:
        if isinstance(error, SegmentCorrupt):
            store.archive.set_down(error)
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
        await store.in_thread(store.threads.reader, store.archive.let_go, store.manifest.retired)
        state = await store.in_thread(store.threads.maker, unlink_retired, store)
    except OSError as error:
        log.error("remove_failed", problem=error, meaning="merged segments stay on disk; tried again later")
        return
    store.adopt(state, ())


def unlink_retired(store: Store) -> Manifest:
    """Remove the files that the manifest calls retired; gives the manifest without them, now in force."""
    folder = store.folder / filenames.SEGMENT_FOLDER
    for name in store.manifest.retired:
        with contextlib.suppress(FileNotFoundError):  # removed before a crash that kept the old manifest
            store.files.unlink(folder / name)
    store.files.sync_folder(folder)
    state = msgspec.structs.replace(store.manifest, retired=())
    manifest.write(store.files, store.folder, state)
    return state


def _make_sealed(store: Store, job: SealJob) -> list[Sealed]:
    return _make(store, [job.late_rows, job.ring_rows], columns.make_rows(0), job.batches)


def _make_merged(store: Store, group: Sequence[LiveSegment]) -> list[Sealed]:
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
    return _make(store, parts, columns.concatenate(superseded), batch_journal.join(batches))


def _make(store: Store, parts: Sequence[Rows], superseded: Rows, batches: Batches) -> list[Sealed]:
    folder = store.folder / filenames.SEGMENT_FOLDER
    generation = max([store.manifest.next_generation, *(g + 1 for g in _unlisted(store).values())])
    return seal.publish(store.files, folder, parts, superseded, batches, store.directory, generation)


async def _put_in_force(
    store: Store, merged: Sequence[str], sealed: Sequence[Sealed], sealed_sequence: int
) -> tuple[Manifest, list[LiveSegment]]:
    """Write the manifest with `sealed` in and `merged` out, once the new segments were seen to be readable."""
    infos = [one.info for one in sealed]
    added = await store.in_thread(store.threads.reader, store.archive.open_new, infos)
    work = (store, merged, infos, sealed_sequence)
    return await store.in_thread(store.threads.maker, _write_manifest, *work), added


def _write_manifest(
    store: Store, merged: Sequence[str], added: Sequence[SegmentInfo], sealed_sequence: int
) -> Manifest:
    before = store.manifest
    kept = [info for info in before.segments if info.name not in set(merged)]
    unlisted = _unlisted(store)
    abandoned = sorted(set(unlisted) - {info.name for info in added})
    state = Manifest(
        sealed_sequence=sealed_sequence,
        next_generation=max([before.next_generation, *(generation + 1 for generation in unlisted.values())]),
        segments=(*kept, *added),
        retired=(*before.retired, *merged, *abandoned),
    )
    manifest.write(store.files, store.folder, state)
    return state


def _unlisted(store: Store) -> dict[str, int]:
    """Name and generation of the files of seals and merges that are not in the manifest, begun by this process.

    Their names are never used again: a failed or cancelled attempt may have put its manifest in force on
    disk although nobody heard of it, and what that manifest lists must stay as it is until the next one.
    """
    generations = {
        name: filenames.segment_generation(name)
        for name in store.files.names(store.folder / filenames.SEGMENT_FOLDER)
    }
    return {
        name: generation
        for name, generation in generations.items()
        if generation is not None and generation >= store.manifest.next_generation
    }


def _merge_group(live: Sequence[LiveSegment], count_min: int) -> list[LiveSegment]:
    """The first set of at least `count_min` segments of one month and of similar size."""
    tiers: dict[tuple[str, int], list[LiveSegment]] = {}
    for segment in live:
        tier = segment.info.sample_count.bit_length() // TIER_BITS
        tiers.setdefault((segment.info.month, tier), []).append(segment)
    for group in tiers.values():
        if len(group) >= count_min and sum(one.info.sample_count for one in group) <= MERGE_SAMPLES_MAX:
            return group
    return []
