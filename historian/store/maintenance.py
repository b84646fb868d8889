"""Background work of the store: sealing, merging small segments, removing what was replaced.

The caller decides when, since before a seal takes effect other state must be durable, too:
`seal_all` waits for `before_checkpoint` between the snapshot and the new manifest. Sealing and merging may run at
the same time; what changes the manifest waits its turn.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from historian.errors import SegmentCorrupt, StoreError
from historian.logs import EventLog
from historian.store import columns, compact, filenames, manifest, merge, scans, seal
from historian.store.archive import LiveSegment
from historian.store.manifest import Manifest, SegmentInfo
from historian.store.pace import WorkStopped
from historian.store.seal import Publisher, Sealed
from historian.store.segment import Segment
from historian.store.store import SealJob, Store

log = EventLog("store")

COLD_PREFIX = "cold/"  # before the name of a retired file of that tier


async def seal_all(store: Store, before_checkpoint: Callable[[], Awaitable[None]]) -> bool:
    """Move everything unsealed into segments; False where there was nothing or the disk failed."""
    job = store.begin_seal()
    if job is None:
        return False
    publisher = _publisher(store)
    try:
        await before_checkpoint()
        sealed = await store.in_thread(store.threads.maker, _make_sealed, publisher, job)
        async with put_in_force(store, (), sealed, sealed_sequence=job.record) as (state, added):
            store.end_seal(job, state, added)
    except (OSError, StoreError) as error:
        store.abandon_seal()
        log.error("seal_failed", problem=error, meaning="samples stay in the log; tried again later")
        return False
    except BaseException:
        store.abandon_seal()
        raise
    finally:
        store.archive.workshop.generations.abandon(publisher.taken)
    await store.threads.log.run(store.wal.drop_through, job.record)
    log.info("sealed", record=job.record, segments=len(sealed), samples=_sample_count(sealed))
    return True


async def merge_once(store: Store) -> bool:
    """Merge one group of small segments of a month; False where no group is worth it.

    Keeps to its share of processor and disk, so this may take minutes; the store is fully at work meanwhile.
    """
    if not store.status().is_writable:  # a merge needs space before it gives any back
        return False
    async with store.archive.workshop.merge_turn:
        group = _merge_group(store)
        sealed = await rewrite(store, [group]) if group else None
    if sealed is not None:
        log.info("merged", segments=len(group), into=len(sealed), samples=_sample_count(sealed))
    return sealed is not None


async def rewrite(
    store: Store,
    groups: Sequence[Sequence[LiveSegment]],
    drop_before_us: int = merge.TIME_LOWEST,
    dropped: Sequence[SegmentInfo] = (),
) -> list[Sealed] | None:
    """Put merged segments in the place of each group, without what is older; None where it could not be done.

    All at once with the segments `dropped`: a version must not outlive its correction, or it would be read
    again. For whoever has the `merge_turn`.
    """
    publisher = _publisher(store)
    workshop = store.archive.workshop
    try:
        sealed: list[Sealed] = []
        for group in groups:
            work = (store, publisher, group, drop_before_us)
            sealed += await store.in_thread(workshop.merger, _make_merged, *work)
        replaced = [*dropped, *(live.info for group in groups for live in group)]
        async with put_in_force(store, replaced, sealed) as (state, added):
            store.adopt(state, added)
    except WorkStopped as stopped:
        log.info("merge_stopped", meaning=stopped)
        return None
    except (OSError, StoreError) as error:
        if isinstance(error, SegmentCorrupt):
            store.archive.set_down(error)
        log.error("merge_failed", problem=error, meaning="the segments stay as they are")
        return None
    finally:
        workshop.generations.abandon(publisher.taken)
    return sealed


async def remove_retired(store: Store) -> None:
    """Unlink replaced segments. Call when no read that began before can still run."""
    if not store.manifest.retired:
        return
    try:
        names = [name.removeprefix(COLD_PREFIX) for name in store.manifest.retired]
        await store.in_thread(store.threads.reader, store.archive.let_go, names)
        async with store.archive.workshop.manifest_turn:
            state = await store.in_thread(store.threads.maker, unlink_retired, store)
            store.adopt(state, ())
    except OSError as error:
        log.error("remove_failed", problem=error, meaning="replaced segments stay on disk; tried again later")


def unlink_retired(store: Store) -> Manifest:
    """Remove the files that the manifest calls retired; gives the manifest without them, now in force.

    What is still being made is called retired, too, for the case that it never comes into force; it stays.
    """
    generations = store.archive.workshop.generations
    kept, folders = [], {store.folder / filenames.SEGMENT_FOLDER}
    for name in store.manifest.retired:
        path = retired_path(store, name)
        if path is None or generations.is_making(name):
            kept.append(name)
            continue
        with contextlib.suppress(FileNotFoundError):  # removed before a crash that kept the old manifest
            store.files.unlink(path)
            folders.add(path.parent)
    for folder in sorted(folders):
        store.files.sync_folder(folder)
    state = msgspec.structs.replace(store.manifest, retired=tuple(kept))
    manifest.write(store.files, store.folder, state)
    return state


def retired_path(store: Store, name: str) -> Path | None:
    """Where a retired file lies; None where its tier has no folder any more."""
    if not name.startswith(COLD_PREFIX):
        return store.folder / filenames.SEGMENT_FOLDER / name
    cold = store.archive.cold_folder
    return None if cold is None else cold / name.removeprefix(COLD_PREFIX)


def retired_name(info: SegmentInfo) -> str:
    """What the manifest calls a segment once it is retired."""
    return COLD_PREFIX + info.name if info.tier == "cold" else info.name


@contextlib.asynccontextmanager
async def put_in_force(
    store: Store,
    replaced: Sequence[SegmentInfo],
    sealed: Sequence[Sealed],
    *,
    sealed_sequence: int | None = None,
) -> AsyncIterator[tuple[Manifest, list[LiveSegment]]]:
    """Write the manifest with `sealed` in and `replaced` out, once the new segments were seen to be readable.

    The body adopts it; nobody else changes the manifest meanwhile.
    """
    infos = [one.info for one in sealed]
    added = await store.in_thread(store.threads.reader, store.archive.open_new, infos)
    async with store.archive.workshop.manifest_turn:
        work = (store, replaced, infos, sealed_sequence)
        state = await store.in_thread(store.threads.maker, _write_manifest, *work)
        store.archive.workshop.generations.settle((info.name for info in infos), state.retired)
        yield state, added


def _merge_group(store: Store) -> list[LiveSegment]:
    settings = store.settings
    live = {one.info.name: one for one in store.archive.mergeable()}
    rule = compact.rule(settings.segment_compact_count, store.clock.now_us(), settings.ring_hours)
    return [live[info.name] for info in compact.choose([one.info for one in live.values()], rule)]


def _make_sealed(publisher: Publisher, job: SealJob) -> list[Sealed]:
    found = scans.find(job.frozen.parts)
    if found is not None:
        return seal.publish_scans(publisher, found, job.batches)
    rows, superseded = columns.split_versions([job.frozen.sorted_rows()])
    return seal.publish(publisher, rows, superseded, job.batches)


def _make_merged(
    store: Store, publisher: Publisher, group: Sequence[LiveSegment], drop_before_us: int
) -> list[Sealed]:
    segments = [
        Segment(live.segment.path) for live in group
    ]  # own memory: what is read once is not to be kept
    rank = max(live.info.order for live in group)[0]
    samples_max = store.settings.segment_samples_max
    return merge.merge(segments, publisher, store.archive.workshop.pace(), samples_max, rank, drop_before_us)


def _publisher(store: Store) -> Publisher:
    workshop = store.archive.workshop

    def take_name(month: str) -> tuple[str, int]:
        return workshop.generations.take(month, store.manifest.next_generation)

    folder = store.folder / filenames.SEGMENT_FOLDER
    return Publisher(store.files, folder, workshop.names(store.directory), take_name)


def _write_manifest(
    store: Store,
    replaced: Sequence[SegmentInfo],
    added: Sequence[SegmentInfo],
    sealed_sequence: int | None,
) -> Manifest:
    before, generations = store.manifest, store.archive.workshop.generations
    gone, come = {info.name for info in replaced}, {info.name for info in added}
    unlisted = sorted(generations.unlisted() - come - set(before.retired))
    state = Manifest(
        sealed_sequence=before.sealed_sequence if sealed_sequence is None else sealed_sequence,
        next_generation=max(before.next_generation, generations.next),
        segments=(*(info for info in before.segments if info.name not in gone), *added),
        retired=(
            *(name for name in before.retired if name not in come),
            *map(retired_name, replaced),
            *unlisted,
        ),
    )
    manifest.write(store.files, store.folder, state)
    return state


def _sample_count(sealed: Iterable[Sealed]) -> int:
    return sum(one.info.sample_count for one in sealed)
