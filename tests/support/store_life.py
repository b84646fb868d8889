"""A store on a recording disk, and the ledger of what its clients asked for and what they were promised."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from historian.clock import ManualClock
from historian.errors import HistorianError
from historian.model.quality import DELETED
from historian.model.sample import Origin, make_batch
from historian.settings import StoreSettings
from historian.store.durable import DurableFiles
from historian.store.store import Store
from tests.support import store_kit
from tests.support.disk_recorder import DiskRecorder
from tests.support.store_kit import QUARTER_US, START_US, Directory, Marks, open_store

SMALL = StoreSettings(
    ring_hours=1,
    wal_file_bytes_max=4096,
    disk_reserve_bytes=0,
    segment_compact_count=3,
    cold_after_days=1,
    compact_cpu_share=1.0,
    compact_bytes_s_max=1 << 30,
)
POINTS = [1, 2]
FIRST_US, LAST_US = START_US - 10_000 * QUARTER_US, START_US + 10_000 * QUARTER_US
NOW_US = START_US + 70 * QUARTER_US
Key = tuple[int, int]  # point, slot


class Version(NamedTuple):
    """What tells one version of a sample from every other one of its time."""

    value: float
    quality: int
    origin: Origin


class Contents(NamedTuple):
    """All that a store holds."""

    newest: dict[Key, tuple[float, int]]
    versions: dict[Key, list[Version]]  # by precedence, the last is the one to be read


class Promise(NamedTuple):
    """From so many operations on, this version is on disk."""

    operation_count: int
    key: Key
    version: Version


class Drop(NamedTuple):
    """From so many operations on, what lies before a slot may be gone."""

    operation_count: int
    slot: int


class Ledger:
    """Who asked for what, and what was promised when."""

    def __init__(self) -> None:
        self.asked: dict[Key, list[Version]] = {}  # in the order sent
        self.batches: list[list[tuple[Key, Version]]] = []  # the same, as they were sent
        self.promised: list[Promise] = []
        self.dropped: list[Drop] = []

    def ask(self, batch: list[tuple[Key, Version]]) -> None:
        """A batch is about to be sent."""
        self.batches.append(batch)
        for key, version in batch:
            self.asked.setdefault(key, []).append(version)

    def lost_batches(self, found: Contents) -> list[int]:
        """Numbers of the batches that are missing; a batch is there as a whole or not at all."""
        lost = []
        for number, batch in enumerate(self.batches):
            kept = dict(batch)  # of one time twice the later one: the ingest makes two batches of such a one
            count = sum(version in found.versions.get(key, ()) for key, version in kept.items())
            assert count in (0, len(kept)), f"{count} of {len(kept)} samples of batch {number} are there"
            lost += [number] * (count == 0)
        return lost

    def problems(self, found: Contents, operation_count: int, marked: set[Key] | None = None) -> list[str]:
        """What is lost, invented, out of order or not marked, where the machine stopped after so many operations."""
        gone_before = max(
            (d.slot for d in self.dropped if d.operation_count <= operation_count), default=-(1 << 60)
        )
        return [
            *self._lost(found, operation_count, gone_before),
            *self._invented(found),
            *self._unmarked(found, marked),
        ]

    def until(self, operation_count: int, first: int) -> "Ledger":
        """The ledger of a second life that begins where the machine stopped, with so many operations before it."""
        second = Ledger()
        second.asked = {key: list(versions) for key, versions in self.asked.items()}
        kept = [promise for promise in self.promised if promise.operation_count <= operation_count]
        second.promised = [promise._replace(operation_count=first) for promise in kept]
        second.dropped = [
            d._replace(operation_count=first) for d in self.dropped if d.operation_count <= operation_count
        ]
        return second

    def _lost(self, found: Contents, operation_count: int, gone_before: int) -> list[str]:
        lines = []
        for promise in self.promised:
            key = promise.key
            if promise.operation_count > operation_count or (
                key[1] < gone_before and key not in found.versions
            ):
                continue
            if promise.version not in found.versions.get(key, ()):
                lines.append(f"lost: {key} {promise.version}")
            elif key not in found.newest:
                lines.append(f"not read: {key} {promise.version}")
        return lines

    def _invented(self, found: Contents) -> list[str]:
        lines = []
        for key, versions in found.versions.items():
            left = iter(self.asked.get(key, ()))
            if not all(
                version in left for version in versions
            ):  # a part of what was asked for, in that order
                lines.append(f"invented or out of order: {key} {versions}, asked for {self.asked.get(key)}")
            if found.newest.get(key) != versions[-1][:2]:
                lines.append(f"not the newest is read: {key} {found.newest.get(key)} of {versions}")
        lines += [f"without a version: {key}" for key in found.newest.keys() - found.versions.keys()]
        return lines

    def _unmarked(self, found: Contents, marked: set[Key] | None) -> list[str]:
        if marked is None:
            return []
        return [f"no figure hears of {key}" for key in found.newest if key not in marked]


class Life:
    """Every write goes to the store and into the ledger; `recorder` must be in place (see `recording`)."""

    def __init__(
        self, folder: Path, recorder: DiskRecorder, ledger: Ledger | None = None, first_value: int = 0
    ) -> None:
        self.folder = folder
        self.recorder = recorder
        self.ledger = ledger or Ledger()
        self._value = float(first_value)
        self._batch = first_value
        self.store = self._open()

    async def append(self, *keys: Key, quality: int = 0, reason: str = "", source: str = "life") -> None:
        """One batch with a new value for each key; returning means acknowledged."""
        values = [self._value + number for number in range(1, len(keys) + 1)]
        self._value += len(keys)
        await self._send(keys, values, [quality] * len(keys), Origin(source, reason))

    async def mark_deleted(self, *keys: Key) -> None:
        """The values stay, the quality says that they do not count."""
        newest = [self.ledger.asked[key][-1] for key in keys]
        values = [version.value for version in newest]
        await self._send(
            keys, values, [version.quality | DELETED for version in newest], Origin("edit", "meter changed")
        )

    async def seal(self) -> None:
        assert await store_kit.seal(self.store, self._flush_marks)

    async def try_seal(self) -> bool:
        return await store_kit.seal(self.store, self._flush_marks)

    async def merge(self) -> bool:
        return await store_kit.merge(self.store)

    async def remove_retired(self) -> None:
        await store_kit.remove_retired(self.store)

    async def drop_before(self, slot: int) -> None:
        self.ledger.dropped.append(Drop(len(self.recorder.events), slot))
        await store_kit.drop_before(self.store, START_US + slot * QUARTER_US, self._flush_marks)

    async def move_cold(self) -> bool:
        return await store_kit.move_cold(self.store)

    async def kill_and_open(self) -> None:
        """The process is killed, the machine goes on; from then on whoever sends a visible sample again is told
        that it is stored, so it has to be.
        """
        store_kit.abandon(self.store)
        self.recorder.kill()
        self.store = self._open()
        found = await contents(self.store)
        for key, versions in found.versions.items():
            self._promise(key, versions[-1])

    async def close(self) -> None:
        await self.store.close()

    async def _send(
        self, keys: tuple[Key, ...], values: list[float], qualities: list[int], origin: Origin
    ) -> None:
        versions = [Version(*version, origin) for version in zip(values, qualities, strict=True)]
        self.ledger.ask(list(zip(keys, versions, strict=True)))
        times = [START_US + slot * QUARTER_US for _, slot in keys]
        batch = make_batch([point for point, _ in keys], times, values, np.array(qualities, np.uint16))
        await store_kit.append(self.store, batch, origin)
        for key, version in dict(zip(keys, versions, strict=True)).items():  # of one time twice the later one
            self._promise(key, version)

    def _promise(self, key: Key, version: Version) -> None:
        self.ledger.promised.append(Promise(len(self.recorder.events), key, version))

    async def _flush_marks(self) -> None:
        """What the rollup service does before a seal: its marks reach the disk."""
        self.recorder.note(self.marks.keys())

    def _open(self) -> Store:
        self.marks = KeyMarks()
        return open_life_store(self.folder, self.marks)


class KeyMarks(Marks):
    """A DirtyMarker that remembers samples."""

    def __init__(self) -> None:
        super().__init__()
        self.marked: set[Key] = set()

    def mark(self, point_id: np.ndarray, time_us: np.ndarray) -> None:
        slots = (time_us - START_US) // QUARTER_US
        self.marked |= set(zip(point_id.tolist(), slots.tolist(), strict=True))

    def keys(self) -> frozenset[Key]:
        return frozenset(self.marked)


def open_life_store(folder: Path, marks: Marks | None = None, files: DurableFiles | None = None) -> Store:
    """The store of a life, or of what a crash left of it; its cold folder lies inside."""
    settings = msgspec.structs.replace(SMALL, cold_folder=str(folder / "cold"))
    with store_kit.without_threads():
        return open_store(
            folder,
            files=files,
            settings=settings,
            clock=ManualClock(NOW_US),
            directory=Directory(3),
            marks=marks,
        )


async def contents(store: Store) -> Contents:
    """All that a store holds."""
    newest = {
        (run.point_id, (time_us - START_US) // QUARTER_US): (value, quality)
        for run in await store.read(POINTS, FIRST_US, LAST_US)
        for time_us, value, quality in store_kit.as_tuples(run)
    }
    versions: dict[Key, list[Version]] = {}
    for row in await store_kit.versions_of(store, POINTS, FIRST_US, LAST_US):
        key = (row.point_id, (row.time_us - START_US) // QUARTER_US)
        versions.setdefault(key, []).append(Version(row.value, row.quality, row.origin))
    return Contents(newest, versions)


async def tolerant(work: object) -> bool:
    """Await something that a failing disk may refuse; whether it went well."""
    try:
        await work  # type: ignore[misc]
    except HistorianError:
        return False
    return True
