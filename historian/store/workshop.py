"""What the background work of the archive shares: names of segments to come, the merging thread, whose turn it is."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from historian.model.ports import PointDirectory
from historian.settings import StoreSettings
from historian.store import filenames
from historian.store.pace import Pace
from historian.store.segment_names import NameTable


class Generations:
    """Gives out names of segments, each once, and knows those that no manifest lists. For any thread.

    A failed or cancelled attempt may have put its manifest in force on disk although nobody heard of it; so its
    files stay as they are until the next manifest calls them retired.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._highest = 0
        self._making: set[str] = set()
        self._abandoned: set[str] = set()

    @property
    def next(self) -> int:
        """The generation that is given out next."""
        return self._highest + 1

    def take(self, month: str, lowest: int) -> tuple[str, int]:
        """Name and generation of a new segment, the latter at least `lowest`."""
        with self._lock:
            self._highest = max(self._highest + 1, lowest)
            name = filenames.segment_name(month, self._highest)
            self._making.add(name)
            return name, self._highest

    def settle(self, live: Iterable[str], retired: Iterable[str]) -> None:
        """What a manifest in force says: these live, and of those that were given up these are called retired."""
        with self._lock:
            self._making.difference_update(live)
            self._abandoned.difference_update(live, retired)

    def abandon(self, names: Iterable[str]) -> None:
        """These will not come into force; those that are settled stay so."""
        with self._lock:
            given_up = self._making.intersection(names)
            self._making -= given_up
            self._abandoned |= given_up

    def unlisted(self) -> set[str]:
        """Names that may be on disk and are in no manifest."""
        with self._lock:
            return self._making | self._abandoned

    def is_making(self, name: str) -> bool:
        """Whether work on a segment of that name may still go on."""
        with self._lock:
            return name in self._making


class Workshop:
    """One for each archive."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._names: NameTable | None = None
        self.generations = Generations()
        self.merger = ThreadPoolExecutor(1, "segment-merger")
        self.merge_turn = asyncio.Lock()  # whoever puts segments in the place of others
        self.manifest_turn = asyncio.Lock()  # whoever changes the manifest holds it until all have adopted it

    def names(self, directory: PointDirectory) -> NameTable:
        """The texts of points, kept from one segment to the next."""
        if self._names is None:
            self._names = NameTable(directory)
        return self._names

    def pace(self) -> Pace:
        """For a piece of background work, by the thread that does it."""
        return Pace(self._settings.compact_cpu_share, self._settings.compact_bytes_s_max, self._stop)

    def close(self) -> None:
        """Stop merging at the next step."""
        self._stop.set()
        self.merger.shutdown(wait=True)
