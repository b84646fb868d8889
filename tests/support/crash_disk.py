"""A disk that knows, after every recorded operation, everything that a power cut may leave.

The rules are those of POSIX at its worst. Written data survive only a sync of the file, an entry of a folder only a
sync of the folder. What was not synced is there, not there, or there in part: every write may be lost or kept without
the others, cut between two sectors or at any byte, or leave its length without its data; of the changes of a folder a
prefix is there, of each folder its own. Data whose sync failed stay readable until the machine stops, and no later sync
brings them to disk.
"""

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.disk_recorder import Event

SECTOR_BYTES = 512
WRITES_IN_EVERY_MIXTURE_MAX = 4  # so many un-synced writes of a file are kept and lost in every combination
TEARS_MAX = 6  # of one write


class Content(NamedTuple):
    """What a file holds, and the digest by which two states are told apart."""

    data: bytes
    digest: bytes


State = dict[Path, Content]


class _Write(NamedTuple):
    offset: int
    data: bytes
    is_cut: bool = False  # the file ends at `offset`, as a truncation leaves it


class _File:
    def __init__(self) -> None:
        self.durable = _content(b"")
        self.pending: list[_Write] = []
        self.doomed: list[_Write] = []

    def sync(self) -> None:
        if self.pending:
            data = bytearray(self.durable.data)
            for write in self.pending:
                _put(data, write, 0, len(write.data))
            self.durable, self.pending = _content(bytes(data)), []

    def doom(self) -> None:
        self.doomed, self.pending = [*self.doomed, *self.pending], []

    def variants(self, mixer: random.Random) -> list[Content]:
        """Everything the file may hold after a cut: first nothing and all of what was not synced, then the rest."""
        writes = [*self.doomed, *self.pending]
        if not writes:
            return [self.durable]
        everything = range(len(writes))
        left = [self._mixed(writes, ()), self._mixed(writes, everything), self._hole(writes)]
        if len(writes) <= WRITES_IN_EVERY_MIXTURE_MAX:
            counts = range(1, len(writes))
            left += [
                self._mixed(writes, some) for n in counts for some in itertools.combinations(everything, n)
            ]
        else:
            left += [self._mixed(writes, everything[:count]) for count in everything]
            left += [self._mixed(writes, set(everything) - {lost}) for lost in everything]
        for torn in everything:
            left += self._tears(writes, torn, mixer)
        left.append(self._sectors(writes, mixer))
        return list({content.digest: content for content in left}.values())

    def _mixed(self, writes: Sequence[_Write], kept: Iterable[int]) -> Content:
        data = bytearray(self.durable.data)
        for number in sorted(kept):
            _put(data, writes[number], 0, len(writes[number].data))
        return _content(bytes(data))

    def _hole(self, writes: Sequence[_Write]) -> Content:
        """The length reached the disk, the data did not."""
        longest = max(write.offset + len(write.data) for write in writes)
        return _content(self.durable.data.ljust(longest, b"\0"))

    def _tears(self, writes: Sequence[_Write], torn: int, mixer: random.Random) -> Iterator[Content]:
        """One write is there up to, or from, the edge of a sector or any byte; those before it are, later ones not."""
        write = writes[torn]
        size = len(write.data)
        first_edge = -write.offset % SECTOR_BYTES or SECTOR_BYTES
        edges = list(range(first_edge, size, SECTOR_BYTES))
        cuts = {mixer.choice(edges) for _ in range(TEARS_MAX // 2)} if edges else set()
        cuts |= {mixer.randrange(1, size) | 1 for _ in range(TEARS_MAX // 2)} if size > 2 else set()
        for cut in sorted(cuts - {size}):
            for first, last in ((0, cut), (cut, size)):
                data = bytearray(self.durable.data)
                for earlier in writes[:torn]:
                    _put(data, earlier, 0, len(earlier.data))
                _put(data, write, first, last)
                yield _content(bytes(data))

    def _sectors(self, writes: Sequence[_Write], mixer: random.Random) -> Content:
        """Each sector as it was at some moment of its own."""
        data = bytearray(self.durable.data)
        moments: dict[int, int] = {}
        for number, write in enumerate(writes):
            at = 0
            while at < len(write.data):
                sector = (write.offset + at) // SECTOR_BYTES
                end = min((sector + 1) * SECTOR_BYTES - write.offset, len(write.data))
                if number < moments.setdefault(sector, mixer.randint(0, len(writes))):
                    _put(data, write, at, end)
                at = end
        return _content(bytes(data))


class _Folder:
    def __init__(self) -> None:
        self.durable: dict[str, int] = {}
        self.pending: list[dict[str, int | None]] = []  # names that get another file, or None: are gone
        self.now: dict[str, int] = {}

    def change(self, names: dict[str, int | None]) -> None:
        self.pending.append(names)
        _apply(self.now, names)

    def sync(self) -> None:
        self.durable, self.pending = dict(self.now), []

    def variants(self) -> list[dict[str, int]]:
        """With none of the un-synced changes, with all, with a part of them: always the first ones."""
        entries = dict(self.durable)
        prefixes = [dict(entries)]
        for names in self.pending:
            _apply(entries, names)
            prefixes.append(dict(entries))
        return [prefixes[0], *prefixes[:0:-1]]


class Disk:
    """What is on disk, and what only may be, after the operations taken so far."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self._files: dict[int, _File] = {}
        self._folders: dict[Path, _Folder] = {}

    def take(self, event: Event) -> None:
        match event.name:
            case "create":
                self._files[event.file] = _File()
                self._folder(event.path.parent).change({event.path.name: event.file})
            case "write":
                self._files[event.file].pending.append(_Write(event.offset, event.data))
            case "extend":
                self._extend(self._files[event.file], event.offset)
            case "truncate":
                self._files[event.file].pending.append(_Write(event.offset, b"", is_cut=True))
            case "sync":
                self._files[event.file].sync()
            case "doom":
                self._files[event.file].doom()
            case "rename":
                self._rename(event.path, event.target)
            case "unlink":
                self._folder(event.path.parent).change({event.path.name: None})
            case "sync_folder":
                self._folder(event.path).sync()
            case "failed":
                pass  # nothing of it was written
            case "note":
                self.notes.append(event.note)
            case _:
                raise AssertionError(f"a disk knows no operation {event.name!r}")

    def states(self, count_max: int, mixer: random.Random) -> Iterator[State]:
        """Everything a power cut may leave now; where that is more than `count_max`, the extremes and some of it."""
        folders = {path: folder.variants() for path, folder in self._folders.items()}
        named = {number for entries in folders.values() for one in entries for number in one.values()}
        files = {number: self._files[number].variants(mixer) for number in sorted(named)}
        free_folders = [path for path, variants in folders.items() if len(variants) > 1]
        free_files = [number for number, variants in files.items() if len(variants) > 1]
        sizes = [len(folders[path]) for path in free_folders] + [len(files[number]) for number in free_files]
        for choice in _choices(sizes, len(free_folders), count_max, mixer):
            of_folder = dict(zip(free_folders, choice, strict=False))
            of_file = dict(zip(free_files, choice[len(free_folders) :], strict=True))
            yield {
                path / name: files[number][of_file.get(number, 0)]
                for path, variants in folders.items()
                for name, number in variants[of_folder.get(path, 0)].items()
            }

    def _folder(self, path: Path) -> _Folder:
        return self._folders.setdefault(path, _Folder())

    def _rename(self, source: Path, target: Path) -> None:
        assert source.parent == target.parent, "files move within their folder only"
        folder = self._folder(source.parent)
        folder.change({target.name: folder.now[source.name], source.name: None})  # atomic: one change

    def _extend(self, file: _File, size: int) -> None:
        """Blocks are reserved: zeros behind what is there, which take nothing away."""
        reached = [len(file.durable.data), *(w.offset + len(w.data) for w in file.pending)]
        if size > max(reached):
            file.pending.append(_Write(max(reached), bytes(size - max(reached))))


def _choices(
    sizes: list[int], folder_count: int, count_max: int, mixer: random.Random
) -> Iterator[tuple[int, ...]]:
    """Every combination where that is few; else the extremes, each part alone, and random ones."""
    total = 1
    for size in sizes:
        total *= size
    if total <= count_max:
        yield from itertools.product(*map(range, sizes))
        return
    chosen: dict[tuple[int, ...], None] = {}
    for folders, files in itertools.product(
        (0, 1), repeat=2
    ):  # variant 0 is nothing kept, variant 1 everything
        chosen[(folders,) * folder_count + (files,) * (len(sizes) - folder_count)] = None
    base = [1] * len(sizes)
    alone = [(place, variant) for place, size in enumerate(sizes) for variant in range(size)]
    for place, variant in mixer.sample(alone, min(len(alone), count_max // 2)):
        chosen[(*base[:place], variant, *base[place + 1 :])] = None
    while len(chosen) < count_max:  # there are more than so many
        chosen[tuple(map(mixer.randrange, sizes))] = None
    yield from itertools.islice(chosen, count_max)


def content_of(data: bytes) -> Content:
    """A file's content with its digest."""
    return _content(data)


def build(state: State, source: Path, folder: Path) -> None:
    """Put a state of what was under `source` under `folder`."""
    for path, content in state.items():
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.data)


def digest_of(state: State) -> bytes:
    """The same for two states that are the same."""
    parts = sorted((str(path), content.digest) for path, content in state.items())
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _content(data: bytes) -> Content:
    return Content(data, hashlib.blake2b(data, digest_size=16).digest())


def _put(content: bytearray, write: _Write, first: int, last: int) -> None:
    """Bytes ``[first, last)`` of a write."""
    if write.is_cut:
        del content[write.offset :]
        content.extend(bytes(write.offset - len(content)))
        return
    start, end = write.offset + first, write.offset + last
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[start:end] = write.data[first:last]


def _apply(entries: dict[str, int], names: dict[str, int | None]) -> None:
    for name, file in names.items():
        if file is None:
            entries.pop(name, None)
        else:
            entries[name] = file
