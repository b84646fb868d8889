"""Segments made by the product on a temporary folder, for tests of the archive."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from historian.settings import StoreSettings
from historian.store import columns, filenames, seal, segment_file
from historian.store.archive import Archive
from historian.store.columns import Rows
from historian.store.durable import DurableFiles
from historian.store.seal import Draft, Publisher, Sealed
from historian.store.segment import Batches, Segment
from historian.store.segment_names import NameTable
from historian.store.segment_write import Names, SegmentBuilder, texts_of
from historian.store.workshop import Generations
from tests.support.store_kit import QUARTER_US, START_US, Directory

LOWEST, HIGHEST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
NO_BATCHES = Batches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16), [])
ONE_BATCH = Batches(np.array([1], np.int64), np.array([9], np.int64), np.array([0], np.uint16), ["源 a"])
MONTH_US = 31 * 96 * QUARTER_US


def grid(count: int) -> npt.NDArray[np.int64]:
    """Quarters of an hour from the start on."""
    return START_US + QUARTER_US * np.arange(count)


def rows_of(
    point_id: int, times: npt.ArrayLike, values: npt.ArrayLike, sequence: int = 1, quality: int = 0
) -> Rows:
    """Rows of one point."""
    time = np.asarray(times, np.int64)
    return Rows(
        np.full(len(time), point_id, np.uint32),
        time,
        np.asarray(values, np.float64),
        np.full(len(time), quality, np.uint16),
        np.full(len(time), sequence, np.int64),
    )


def rows_from(samples: Sequence[tuple[int, int, float, int]]) -> Rows:
    """Rows of (point, time, value, sequence), sorted."""
    point_id, time_us, value, sequence = zip(*samples, strict=True) if samples else ((), (), (), ())
    return columns.sort(
        Rows(
            np.array(point_id, np.uint32),
            np.array(time_us, np.int64),
            np.array(value, np.float64),
            np.zeros(len(samples), np.uint16),
            np.array(sequence, np.int64),
        )
    )


def encode(rows: Rows, superseded: Rows | None = None, batches: Batches = ONE_BATCH) -> bytes:
    """The file of a segment."""
    builder = SegmentBuilder()
    builder.add(rows)
    names = texts_of_points(builder.point_ids())
    return segment_file.write(builder.finish(superseded or columns.make_rows(0), batches, names), 1)


def texts_of_points(ids: npt.NDArray[np.uint32]) -> Names:
    """A name and a unit for each."""
    return Names(texts_of([f"站.p{point_id}" for point_id in ids.tolist()]), texts_of(["kWh"] * len(ids)))


def segment_of(rows: Rows, superseded: Rows | None = None, batches: Batches = ONE_BATCH) -> Segment:
    """A segment in memory."""
    return Segment(Path("memory"), encode(rows, superseded, batches))


def assert_same(left: Rows, right: Rows) -> None:
    """Bit for bit."""
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one.view(np.uint8), other.view(np.uint8))


class Maker:
    """Publishes segments one after the other into a data folder."""

    def __init__(self, folder: Path, settings: StoreSettings | None = None) -> None:
        self.files = DurableFiles()
        self.segment_folder = folder / filenames.SEGMENT_FOLDER
        self.files.make_folder(self.segment_folder)
        self.generations = Generations()
        self.archive = Archive(folder, settings or StoreSettings())
        self.names = NameTable(Directory())  # type: ignore[arg-type]

    def publisher(self) -> Publisher:
        """For one piece of work."""
        return Publisher(
            self.files, self.segment_folder, self.names, lambda month: self.generations.take(month, 1)
        )

    def seal(self, *parts: Rows, batches: Batches = NO_BATCHES) -> list[Sealed]:
        """A seal of all the rows, live in the archive from then on."""
        sealed = seal.publish(self.publisher(), *columns.split_versions(list(parts)), batches)
        self.serve(sealed)
        return sealed

    def draft(self, rows: Rows, rank: int) -> Sealed:
        """One segment of a rank, live from then on."""
        draft = Draft(NO_BATCHES)
        draft.add(*columns.split_versions([rows]))
        sealed = self.publisher().publish(draft, rank)
        self.serve([sealed])
        return sealed

    def serve(self, sealed: list[Sealed]) -> None:
        """Make published segments live beside those that are."""
        infos = [one.info for one in sealed]
        before = [live.info for live in self.archive.live]
        self.archive.adopt([*before, *infos], self.archive.load(infos))
