"""Goes through everything a power cut may leave of a life, and opens it."""

import contextlib
import dataclasses
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from historian.errors import HistorianError
from historian.model.sample import Origin, make_batch
from tests.support import store_kit
from tests.support.crash_disk import Disk, State, build, digest_of
from tests.support.disk_recorder import DiskRecorder, recording, unsynced
from tests.support.store_kit import QUARTER_US, START_US
from tests.support.store_life import Contents, Key, KeyMarks, Life, Version, contents, open_life_store

EXTRA: Key = (1, 5000)  # what is written after each crash, at a time that no life writes
EXTRA_VERSION = Version(-1.0, 0, Origin("after"))


@dataclasses.dataclass
class Bounds:
    """How much is tried."""

    states_max: int = 12  # after one operation
    cut_share: float = 1.0  # of the operations after which the power is cut
    reopened_share: float = 0.1  # of the states that are closed and opened once more
    nested_share: float = 0.01  # of the states whose recovery is cut, too
    seed: int = 20260101


class Lost(AssertionError):
    """A state that breaks a promise."""


@dataclasses.dataclass
class _Opened:
    found: Contents
    marks: frozenset[Key]  # told by recovery


class Explorer:
    """`count` states of what `life` left were opened after `explore`."""

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        self.count = 0
        self._folder = folder
        self._bounds = bounds
        self._mixer = random.Random(bounds.seed)

    async def explore(self, life: Life, first: int = 0, marked: frozenset[Key] = frozenset()) -> None:
        """Raises Lost at the first state in which a promise is broken.

        `first` operations are not cut, since they only made what was there before; `marked` was told before.
        """
        disk = Disk()
        opened: dict[bytes, _Opened] = {}
        for number, event in enumerate(life.recorder.events, 1):
            disk.take(event)
            if number < first or self._mixer.random() >= self._bounds.cut_share:
                continue
            flushed = marked.union(*disk.notes)
            for state in disk.states(self._bounds.states_max, self._mixer):
                digest = digest_of(state)
                where = f"after operation {number} ({event.name} {event.path or event.target})"
                try:
                    if digest not in opened:
                        opened[digest] = await self._open(state, life.folder)
                        if self._mixer.random() < self._bounds.nested_share:
                            await self._cut_recovery(state, life, number, flushed)
                    one = opened[digest]
                    problems = life.ledger.problems(one.found, number, flushed | one.marks)
                except (HistorianError, AssertionError, OSError, ValueError, IndexError, KeyError) as error:
                    problems = [f"cannot be opened, or goes wrong then: {error!r}"]
                if problems:
                    raise Lost("\n".join([where, *problems[:10], *describe(state)]))

    async def _open(self, state: State, source: Path) -> _Opened:
        self.count += 1
        with self._built(state, source) as folder, unsynced():
            marks = KeyMarks()
            store = open_life_store(folder, marks)
            try:
                found = await contents(store)
                told = marks.keys()
                await self._write(store)
                damage = [line for line in store.status().damage if ".wal" not in line]
                assert not damage, damage
            finally:
                await store.close()
            if self._mixer.random() < self._bounds.reopened_share:
                await self._reopen(folder, found)
            return _Opened(found, told)

    async def _write(self, store: store_kit.Store) -> None:
        """Whatever was left, the next write is taken and read."""
        time_us = START_US + EXTRA[1] * QUARTER_US
        batch = make_batch(EXTRA[0], [time_us], [EXTRA_VERSION.value])
        await store_kit.append(store, batch, EXTRA_VERSION.origin)
        [run] = await store.read([EXTRA[0]], time_us, time_us + 1)
        assert run.value.tolist() == [EXTRA_VERSION.value], "a write after recovery is not read"

    async def _reopen(self, folder: Path, found: Contents) -> None:
        store = open_life_store(folder)
        try:
            assert await contents(store) == with_extra(found), "the second start finds something else"
            await store_kit.seal(store)
            assert await contents(store) == with_extra(found), "a seal after recovery changed something"
        finally:
            await store.close()

    async def _cut_recovery(self, state: State, life: Life, number: int, marked: frozenset[Key]) -> None:
        """The machine stops once more while it recovers from the first cut."""
        with self._built(state, life.folder) as folder:
            recorder = DiskRecorder()
            recorder.know({folder / path.relative_to(life.folder): one.data for path, one in state.items()})
            first = len(recorder.events)
            with recording(recorder):
                second = Life(folder, recorder, life.ledger.until(number, first), first_value=100_000)
                await second.append((1, 0), EXTRA)
                await second.seal()
                await second.close()
            bounds = dataclasses.replace(self._bounds, states_max=6, nested_share=0.0)
            nested = Explorer(folder.with_suffix(".nested"), bounds)
            try:
                await nested.explore(second, first, marked)
            except Lost as error:
                raise Lost(f"the second of two cuts, {error}") from error
            self.count += nested.count

    @contextlib.contextmanager
    def _built(self, state: State, source: Path) -> Iterator[Path]:
        folder = self._folder / f"{self.count}"
        build(state, source, folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def with_extra(found: Contents) -> Contents:
    """What is there after `EXTRA` was written."""
    newest = found.newest | {EXTRA: EXTRA_VERSION[:2]}
    known = found.versions.get(EXTRA, [])
    return Contents(newest, found.versions | {EXTRA: [*known, EXTRA_VERSION]})


def describe(state: State) -> list[str]:
    """The files of a state and their sizes."""
    return [f"  {path.name}: {len(content.data)} bytes" for path, content in sorted(state.items())]
